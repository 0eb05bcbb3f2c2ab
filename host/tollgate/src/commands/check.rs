//! `tollgate check`.

mod defaults;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use clap::Args;
use tollgate_core::{Clock, item::SourceItem, time::SystemClock};
use tollgate_engine::adapter::catalog::Catalog;
use tollgate_policy::{Diagnostics, LoadError, Policy};

use crate::{
    context::Context,
    error::{self, Result},
    exit::Exit,
    project::{self, Project},
    ui::{
        json::{CheckDiagnostic, CheckReport},
        printer::{Printer, Tone},
        text::count,
    },
};

/// Check the configuration: files, formulas, plugins and their settings, tests of the policy, the items that there are
///
/// Every declared field is used and every used one declared; what can never work is named: a formula without a result, a cap below
/// what a run sets aside, a pipeline that nothing uses, entries that wait for each other. The tests in `[[backlog.NAME.expect]]` are
/// run. The sources are read, for what only the items show: a label or a team that falls to a default as a whole. Nothing is run
/// and nothing is written.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Print every limit and default as TOML instead; needs no project
    #[arg(long)]
    defaults: bool,
}

pub(crate) async fn run(context: &Context, args: CheckArgs) -> Result<Exit> {
    if args.defaults {
        context.printer.data(defaults::toml()?.trim_end())?;
        return Ok(Exit::Done);
    }
    let folder = project::find(context.project.as_deref())?;
    let files = project::config_files(&folder);
    let (found, skipped) = match Policy::load(&folder) {
        Ok(policy) => check(&Project { folder, policy: Arc::new(policy) }).await?,
        Err(LoadError::Invalid(found)) => (found, Vec::new()),
        Err(other) => return Err(error::of_load(other, &files)),
    };
    let report = CheckReport {
        valid: !found.has_errors(),
        files: files.iter().map(|file| file.path.clone()).collect(),
        diagnostics: found.as_slice().iter().map(CheckDiagnostic::from).collect(),
        skipped_plugins: skipped,
    };
    show(&context.printer, &report, &found.render(&files))?;
    Ok(if report.valid { Exit::Done } else { Exit::Mistake })
}

/// Everything that the files alone do not tell: plugins, their settings, what they may do, the trackers.
async fn check(project: &Project) -> Result<(Diagnostics, Vec<String>)> {
    let registry = project.registry()?;
    let found = project.policy.check(&Catalog(&registry)).and(project.policy.check_sources(&project.folder));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let items = items(project, &clock).await?;
    let found = found.and(project.policy.check_items(&items, clock.now()));
    Ok((found, registry.skipped().iter().map(ToString::to_string).collect()))
}

/// What the sources say, by backlog. A source that cannot be read shows nothing; `run` says why.
async fn items(project: &Project, clock: &Arc<dyn Clock>) -> Result<BTreeMap<String, Vec<SourceItem>>> {
    let mut policy = Policy::clone(&project.policy);
    // Nothing is begun on what is read here, so a file that is still being written does no harm.
    for source in policy.backlogs.values_mut().flat_map(|backlog| &mut backlog.sources) {
        source.settle = Duration::ZERO;
    }
    let reader = Project { folder: project.folder.clone(), policy: Arc::new(policy) };
    let trackers = reader.trackers(clock)?;
    let mut items: BTreeMap<String, Vec<SourceItem>> = BTreeMap::new();
    for backlog in reader.policy.backlogs.keys() {
        for tracker in trackers.of(backlog) {
            let read = tracker.scan().await.map(|report| report.items).unwrap_or_default();
            items.entry(backlog.clone()).or_default().extend(read);
        }
    }
    Ok(items)
}

fn show(printer: &Printer, report: &CheckReport, rendered: &str) -> Result<()> {
    for skipped in &report.skipped_plugins {
        printer.tagged(Tone::Notable, "warning", format!("a plugin is not used: {skipped}"));
    }
    if !report.skipped_plugins.is_empty() {
        let advice =
            "build it again, or take it out of the project's `plugins` folder: no stage or gate can name it";
        printer.tagged(Tone::Plain, "hint", advice);
    }
    printer.show(report, |report| {
        let errors =
            report.diagnostics.iter().filter(|diagnostic| diagnostic.severity == "error").count() as u64;
        let warnings = report.diagnostics.len() as u64 - errors;
        let files = count(report.files.len() as u64, "file", "files");
        let sum = match (errors, warnings) {
            (0, 0) => format!("{files} checked, nothing is wrong"),
            (errors, warnings) => format!(
                "{files} checked: {}, {}",
                count(errors, "error", "errors"),
                count(warnings, "warning", "warnings")
            ),
        };
        if rendered.is_empty() { sum } else { format!("{rendered}\n\n{sum}") }
    })
}

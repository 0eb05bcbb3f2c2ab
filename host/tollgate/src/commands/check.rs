//! `tollgate check`.

mod defaults;

use std::sync::Arc;

use clap::Args;
use tollgate_core::{Clock, time::SystemClock};
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

/// Check the configuration: files, formulas, plugins and their settings, tests of the order
///
/// Nothing is run and nothing is written.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Print every limit and default as TOML instead; needs no project
    #[arg(long)]
    defaults: bool,
}

pub(crate) fn run(context: &Context, args: CheckArgs) -> Result<Exit> {
    if args.defaults {
        context.printer.data(defaults::toml()?.trim_end())?;
        return Ok(Exit::Done);
    }
    let folder = project::find(context.project.as_deref())?;
    let files = project::config_files(&folder);
    let (found, skipped) = match Policy::load(&folder) {
        Ok(policy) => check(&Project { folder, policy: Arc::new(policy) })?,
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
fn check(project: &Project) -> Result<(Diagnostics, Vec<String>)> {
    let registry = project.registry()?;
    let found = project.policy.check(&Catalog(&registry)).and(project.policy.check_sources(&project.folder));
    project.store_path()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    project.trackers(&clock)?;
    Ok((found, registry.skipped().iter().map(ToString::to_string).collect()))
}

fn show(printer: &Printer, report: &CheckReport, rendered: &str) -> Result<()> {
    for skipped in &report.skipped_plugins {
        printer.tagged(Tone::Notable, "warning", format!("a plugin is not used: {skipped}"));
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

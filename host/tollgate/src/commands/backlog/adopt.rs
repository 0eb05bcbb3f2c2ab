//! `tollgate backlog adopt`.

mod list;
mod report;
mod table;

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use tollgate_core::adoption::{Evidence, EvidenceKind};
use tollgate_engine::{
    Parts,
    adopt::{self, Finding, Places, Testimony},
};
use tollgate_store::{OpenMode, port::AdoptionOutcome};

use self::report::Asked;
use super::watcher::Watcher;
use crate::{
    context::Context,
    error::{Failure, Result},
    exit::Exit,
    host,
    project::{self, Project},
    store,
    ui::{json, text::count},
};

/// Take over work that was done before Tollgate, so that it is not done again
///
/// Looks for evidence: the rule `done` of each backlog in tollgate.toml, and what --file and --csv list. What is certain is adopted:
/// it is done from then on, with a record beside it that names the evidence, who adopted it and when. What is doubtful, and what was
/// done twice, is listed apart; a doubtful entry is adopted when it is named, or with --doubtful. `tollgate runs retry` takes an
/// adoption back.
#[derive(Debug, Args)]
pub(crate) struct AdoptArgs {
    /// Adopt these entries only, doubtful or not: each a key, `TRACKER#KEY` or the path of its file
    #[arg(value_name = "ENTRY")]
    entries: Vec<String>,
    /// Adopt what this file lists: a key a line, and after a space or tab what says so; lines that begin with `#` say nothing
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// Adopt what this table lists: comma or semicolon between columns, the first line names them
    #[arg(long, value_name = "PATH")]
    csv: Option<PathBuf>,
    /// Say what a column of the table is called: `key`, `title`, `done-at` or `evidence`, as in `key=Issue`. Without it, it is
    /// called so; only `key` has to be there
    #[arg(long, value_name = "WHAT=NAME", requires = "csv")]
    column: Vec<String>,
    /// Say yourself that the named entries are done, and on what evidence
    #[arg(long, value_name = "TEXT", requires = "entries")]
    evidence: Option<String>,
    /// Adopt what is doubtful as well
    #[arg(long)]
    doubtful: bool,
    /// Show what would be adopted; change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(context: &Context, args: AdoptArgs) -> Result<Exit> {
    let project = context.project()?;
    let testimonies = testimonies(&project, &args)?;
    let has_rule = project.policy.backlogs.values().any(|backlog| backlog.done.is_some());
    if testimonies.is_empty() && !has_rule {
        return Err(Failure::mistake_with_hint(
            "nothing says what was done before",
            "write `done = '\"has-spec\" in labels'` under a backlog in tollgate.toml, or list keys: `--file`, `--csv`",
        ));
    }
    // Kept to the end: a copy of the store lives in it.
    let folder = tempfile::tempdir().map_err(Failure::io("make a temporary folder"))?;
    let (store, artifacts) = match args.dry_run {
        true => {
            (store::copy(&project, &folder).await?, project::artifacts_in(&folder.path().join("artifacts"))?)
        }
        false => (project.store(OpenMode::Host).await?, project.artifacts()?),
    };
    let watcher = Arc::new(Watcher(context.printer.clone()));
    let parts = project.parts(&context.environment, Arc::clone(&store), artifacts, watcher)?;
    if !args.dry_run {
        parts.trackers.claim_ownership(store.id()).await?;
    }
    host::take_in(&project, &parts).await?;

    let places = Places { policy: &project.policy, project: &project.folder, testimonies: &testimonies };
    let survey = adopt::look(&*store, places).await?;
    let asked = Asked::of(&args.entries, args.doubtful, &survey, &*store, &project).await?;
    let mut report = report::of(&survey, &asked, args.dry_run);
    if !args.dry_run {
        let chosen: Vec<&Finding> = survey.findings().filter(|finding| asked.takes(finding)).collect();
        write(context, &parts, &chosen, &mut report).await?;
    }
    context.printer.show(&report, |report| report::text(&context.printer, report))?;
    Ok(if report.refused.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Everything that is listed, in the order of the lists.
fn testimonies(project: &Project, args: &AdoptArgs) -> Result<Vec<Testimony>> {
    let mut found = Vec::new();
    if let Some(path) = &args.file {
        found.extend(list::read(path)?);
    }
    if let Some(path) = &args.csv {
        let time_of = |text: &str| match project.policy.backlogs.values().next() {
            Some(backlog) => backlog.time_of(text),
            None => text.parse().ok(),
        };
        found.extend(table::read(path, &args.column, &time_of)?);
    }
    if let Some(says) = &args.evidence {
        found.extend(args.entries.iter().map(|written| Testimony {
            written: written.clone(),
            title: None,
            evidence: Evidence {
                kind: EvidenceKind::Person,
                place: "--evidence".into(),
                says: says.clone(),
                done_at: None,
            },
        }));
    }
    Ok(found)
}

async fn write(
    context: &Context,
    parts: &Parts,
    chosen: &[&Finding],
    report: &mut json::AdoptReport,
) -> Result<()> {
    let outcomes = adopt::adopt(&*parts.store, chosen, &context.environment.who()).await?;
    for (finding, outcome) in chosen.iter().zip(outcomes) {
        match outcome {
            AdoptionOutcome::Adopted => report.adopted += 1,
            AdoptionOutcome::AdoptedBefore => report.adopted_before += 1,
            AdoptionOutcome::Refused(reason) => {
                report.refused.push(json::Refused { entry: finding.entry.name.key.clone(), reason });
            }
        }
    }
    let left = adopt::deliver(parts, &host::host_id(&context.environment.machine())).await?;
    if left > 0 {
        let left = count(left, "delivery waits", "deliveries wait");
        context.printer.note(format!("{left} in the outbox; `tollgate run` goes on with them"));
    }
    Ok(())
}

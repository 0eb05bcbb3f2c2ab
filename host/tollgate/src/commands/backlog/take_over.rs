//! `tollgate backlog take-over`.

use std::sync::Arc;

use clap::Args;
use tollgate_core::entry::INTERNAL_TRACKER;
use tollgate_engine::rebuild;
use tollgate_store::{OpenMode, port::Rebuilt};
use tollgate_tracker::{Ownership, TakeOver, Tracker};

use super::watcher::Watcher;
use crate::{
    context::Context,
    error::{Failure, Result},
    exit::Exit,
    host, project, store,
    ui::{
        json::{TakenOver, TakenOverTracker},
        text::{count, list},
    },
};

/// Make this project's store the one that keeps its trackers, and rebuild from their records what was done
///
/// A tracker is kept by one store. When that store is lost, this one takes its place: every record that stands beside an item and
/// verifies becomes a run of this store, so that nothing that was done is done again; an item with a record that does not verify is
/// held. Stop the other store's hosts first, if there are any. May be said again, e.g. when a damaged record was restored.
#[derive(Debug, Args)]
pub(crate) struct TakeOverArgs {
    /// Say why, for whoever finds the mark in the tracker
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Show what would be rebuilt; change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(context: &Context, args: TakeOverArgs) -> Result<Exit> {
    let project = context.project()?;
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
    let mut report = TakenOver { dry_run: args.dry_run, trackers: Vec::new() };
    // Where no backlog takes internal entries, there is nothing of them to take over.
    let takes_internal = project.policy.backlogs.values().any(|backlog| backlog.internal);
    let is_meant = |tracker: &&Arc<dyn Tracker>| takes_internal || tracker.name() != INTERNAL_TRACKER;
    for tracker in parts.trackers.all().filter(is_meant) {
        let failed =
            |error: tollgate_tracker::TrackerError| Failure::mistake(format!("{}: {error}", tracker.name()));
        let mut before = Ownership::Owned;
        if !args.dry_run {
            before = tracker.claim_ownership(store.id()).await.map_err(failed)?;
            let note = TakeOver { who: context.environment.who(), why: args.reason.clone() };
            tracker.take_over(store.id(), note).await.map_err(failed)?;
        }
        let scan = tracker.scan().await.map_err(failed)?;
        let complete = scan.complete && scan.unsettled.is_empty();
        let rebuilt = rebuild::again(&*store, tracker, &scan.items, complete).await?;
        report.trackers.push(taken_over(tracker.name(), before, rebuilt));
    }
    host::take_in(&project, &parts).await?;
    context.printer.show(&report, text)?;
    let is_whole = report.trackers.iter().all(|tracker| tracker.damaged.is_empty());
    Ok(if is_whole { Exit::Done } else { Exit::Failed })
}

fn taken_over(tracker: &str, before: Ownership, rebuilt: Rebuilt) -> TakenOverTracker {
    let from = match before {
        Ownership::Owned => None,
        Ownership::OwnedBy { store, .. } => Some(store.to_string()),
    };
    let Rebuilt { runs, adoptions, damaged } = rebuilt;
    TakenOverTracker { tracker: tracker.to_owned(), from, runs, adoptions, damaged }
}

fn text(report: &TakenOver) -> String {
    let mut lines = Vec::new();
    for TakenOverTracker { tracker, from, runs, adoptions, damaged } in &report.trackers {
        let rebuilt = format!(
            "{} and {} rebuilt from its records",
            count(*runs, "run", "runs"),
            count(*adoptions, "adoption", "adoptions")
        );
        lines.push(match from {
            _ if report.dry_run => format!("{tracker}: {rebuilt}, were it taken over; nothing was changed"),
            Some(store) => format!("{tracker}: taken over from the store {store}; {rebuilt}"),
            None => format!("{tracker}: kept by this store already; {rebuilt}"),
        });
        if !damaged.is_empty() {
            let verb = if damaged.len() == 1 {
                "is held, for its record does"
            } else {
                "are held, for their records do"
            };
            lines.push(format!(
                "{} {verb} not verify; `tollgate why ENTRY` says what is wrong",
                list(damaged)
            ));
        }
    }
    lines.join("\n")
}

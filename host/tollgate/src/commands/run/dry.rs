//! `tollgate run --dry-run`: what would run, found out on a copy of the store.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use tollgate_core::entry::{EntryState, EntryStatus};
use tollgate_engine::observer::{Notice, Observer};
use tollgate_store::{Store, port::EntryFilter};

use crate::{
    context::Context,
    entry_argument,
    error::{Failure, Result},
    exit::Exit,
    host,
    project::{self, Project},
    store,
    ui::{
        json::{Plan, SkippedItem},
        printer::{Printer, Tone},
        text::{count, hold, score},
    },
};

pub(super) async fn run(context: &Context, project: &Project, named: &[String]) -> Result<Exit> {
    // Kept to the end: the copy lives in it.
    let folder = tempfile::tempdir().map_err(Failure::io("make a temporary folder"))?;
    let store = store::copy(project, &folder).await?;
    let watcher = Arc::new(Watcher::new(context.printer.clone()));
    let artifacts = project::artifacts_in(&folder.path().join("artifacts"))?;
    let parts =
        project.parts(&context.environment, Arc::clone(&store), artifacts, Arc::clone(&watcher) as _)?;
    host::take_in(project, &parts).await?;
    let skipped = std::mem::take(&mut *watcher.skipped.lock().unwrap_or_else(PoisonError::into_inner));
    let mut plan = Plan {
        would_run: entries(&*store, EntryState::Ready).await?,
        held: entries(&*store, EntryState::Held).await?,
        skipped,
    };
    if !named.is_empty() {
        let mut only = Vec::new();
        for name in named {
            only.push(entry_argument::find(&*store, &project.folder, name).await?.status.id);
        }
        plan.would_run.retain(|entry| only.contains(&entry.id));
        plan.held.retain(|entry| only.contains(&entry.id));
    }
    context.printer.show(&plan, |plan| text(&context.printer, plan))?;
    Ok(if watcher.has_failed.load(Ordering::Relaxed) { Exit::Failed } else { Exit::Done })
}

async fn entries(store: &dyn Store, state: EntryState) -> Result<Vec<EntryStatus>> {
    Ok(store.entries(EntryFilter { states: vec![state], ..EntryFilter::default() }).await?.rows)
}

/// Keeps what was passed over, and tells what cannot be read at all.
struct Watcher {
    printer: Printer,
    skipped: Mutex<Vec<SkippedItem>>,
    /// Whether a source could not be read, so that the plan is not whole.
    has_failed: AtomicBool,
}

impl Watcher {
    fn new(printer: Printer) -> Self {
        Self { printer, skipped: Mutex::default(), has_failed: AtomicBool::default() }
    }
}

impl Observer for Watcher {
    fn notice(&self, notice: &Notice) {
        match notice {
            Notice::Pulled { skipped, .. } => {
                let item = |(path, reason): &(String, String)| SkippedItem {
                    path: path.clone(),
                    reason: reason.clone(),
                };
                let mut known = self.skipped.lock().unwrap_or_else(PoisonError::into_inner);
                // A source may be read twice.
                let fresh: Vec<_> = skipped.iter().map(item).filter(|item| !known.contains(item)).collect();
                known.extend(fresh);
            }
            Notice::PullFailed { backlog, tracker, reason } => {
                self.has_failed.store(true, Ordering::Relaxed);
                self.printer.event(Tone::Bad, "unread", format!("{tracker} for {backlog}: {reason}"));
            }
            _ => {}
        }
    }
}

fn text(printer: &Printer, plan: &Plan) -> String {
    let mut parts = Vec::new();
    if !plan.would_run.is_empty() {
        let mut table = printer.table(&["would run", "score", "pipeline", "title"]);
        for entry in &plan.would_run {
            table.row([
                entry.name.key.clone(),
                entry.score_thousandths.map(score).unwrap_or_default(),
                entry.pipeline.clone().unwrap_or_default(),
                entry.title.clone(),
            ]);
        }
        parts.push(table.render());
    }
    if !plan.held.is_empty() {
        let mut table = printer.table(&["held", "title", "why"]);
        for entry in &plan.held {
            let reasons: Vec<_> = entry.holds.iter().map(hold).collect();
            table.row([entry.name.key.clone(), entry.title.clone(), reasons.join("; ")]);
        }
        parts.push(table.render());
    }
    if !plan.skipped.is_empty() {
        let mut table = printer.table(&["skipped", "why"]);
        for item in &plan.skipped {
            table.row([item.path.clone(), item.reason.clone()]);
        }
        parts.push(table.render());
    }
    parts.push(format!(
        "{} would run now; {} held, {} skipped; nothing was changed",
        count(plan.would_run.len() as u64, "entry", "entries"),
        plan.held.len(),
        plan.skipped.len()
    ));
    parts.join("\n\n")
}

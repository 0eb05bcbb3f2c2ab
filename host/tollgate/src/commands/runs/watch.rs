//! `tollgate runs watch`.

use std::{collections::HashMap, time::Duration};

use clap::Args;
use tollgate_core::{
    RunId, Timestamp,
    run::{RunState, RunSummary},
};
use tollgate_store::{
    OpenMode, Store,
    port::{OpenWork, RunFilter},
};

use crate::{
    context::Context,
    error::Result,
    exit::Exit,
    ui::{json::RunChange, printer::Printer, text::time},
};

/// How often the store is read.
const POLL: Duration = Duration::from_millis(500);

/// Of runs that began and ended between two reads, at most this many are noticed.
const NEWEST: u32 = 1000;

/// Follow runs as they begin, wait and end, until nothing is left or Ctrl-C
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {}

pub(crate) async fn run(context: &Context, _: WatchArgs) -> Result<Exit> {
    let store = context.project()?.store(OpenMode::ReadOnly).await?;
    let mut watch = Watch::begin(&*store).await?;
    let work = store.open_work().await?;
    if !is_over(&work) {
        context.printer.note(format!(
            "{} ready, {} under way, {} waiting; what becomes of them follows here, until nothing is left or Ctrl-C",
            work.ready, work.driven, work.waiting
        ));
    }
    loop {
        for change in watch.look(&*store).await? {
            print(&context.printer, store.now().await?, change)?;
        }
        if !watch.is_followed() && is_over(&store.open_work().await?) {
            let knows_entries = !store.coverage().await?.is_empty();
            context.printer.note(match knows_entries {
                true => "nothing is left",
                false => "no entry is known yet; `tollgate run` reads the backlog",
            });
            return Ok(Exit::Done);
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Done),
        }
    }
}

fn is_over(work: &OpenWork) -> bool {
    work.ready + work.driven + work.waiting + work.undelivered == 0
}

fn print(printer: &Printer, at: Timestamp, run: RunSummary) -> Result<()> {
    if printer.is_json() {
        return printer.json_line(&RunChange { at, run });
    }
    let reason = run.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let cost = if run.state.is_live() { String::new() } else { format!(", {}", run.cost) };
    printer.data(format!("{}  {:<9}  {}  {}{cost}{reason}", time(at), run.state, run.entry.key, run.title))
}

/// What was seen so far.
struct Watch {
    /// Live runs, as they were seen last.
    live: HashMap<RunId, RunState>,
    /// The newest run that was there before the last look.
    newest: Option<RunId>,
}

impl Watch {
    /// Begins with the live runs still to be told, and those that are over known.
    async fn begin(store: &dyn Store) -> Result<Self> {
        let newest = store.runs(RunFilter { limit: 1, ..RunFilter::default() }).await?;
        Ok(Self { live: HashMap::new(), newest: newest.rows.first().map(|run| run.id) })
    }

    fn is_followed(&self) -> bool {
        !self.live.is_empty()
    }

    /// Runs that changed since the last look, oldest first.
    async fn look(&mut self, store: &dyn Store) -> Result<Vec<RunSummary>> {
        let states = vec![RunState::Running, RunState::Waiting];
        let live = store.runs(RunFilter { states, ..RunFilter::default() }).await?.rows;
        let newest = store.runs(RunFilter { limit: NEWEST, ..RunFilter::default() }).await?.rows;
        let mut changed: Vec<_> =
            live.iter().filter(|run| self.live.get(&run.id) != Some(&run.state)).cloned().collect();
        // What is no longer live ended; what is new and not live began and ended between two looks.
        let is_live = |id: RunId| live.iter().any(|run| run.id == id);
        for gone in self.live.keys().copied().filter(|id| !is_live(*id)) {
            changed.push(store.run(gone).await?.summary);
        }
        let fresh = |run: &&RunSummary| {
            Some(run.id) > self.newest && !is_live(run.id) && !self.live.contains_key(&run.id)
        };
        changed.extend(newest.iter().filter(fresh).cloned());
        changed.sort_by_key(|run| run.id);
        self.newest = self.newest.max(newest.first().map(|run| run.id));
        self.live = live.into_iter().map(|run| (run.id, run.state)).collect();
        Ok(changed)
    }
}

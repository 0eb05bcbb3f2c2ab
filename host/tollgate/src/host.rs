//! A host in this process: it is made, watched, asked to stop by signals, and reported on.

use std::{sync::Arc, time::Duration};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tollgate_core::{EntryId, HostId};
use tollgate_engine::{
    Host, HostOptions, Outcome, Parts, Phase, Shutdown,
    host::apply_policy,
    judge::Lanes,
    pull::{self, Unread},
};
use tollgate_policy::Backlog;
use tollgate_store::{OpenMode, Store, StoreError};

use crate::{
    context::Context,
    entry_argument,
    error::{Failure, Result},
    exit::Exit,
    project::Project,
    ui::{
        printer::{Printer, Tone},
        progress::Progress,
    },
};

/// How long a store that failed is left alone.
const AFTER_TROUBLE: Duration = Duration::from_secs(1);

/// How a host is to run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    /// Runs driven at the same time; as the project says when none.
    pub(crate) workers: Option<usize>,
    /// Ends when nothing is left that could be done now.
    pub(crate) drain: bool,
    /// Starts at most this many runs.
    pub(crate) items: Option<u64>,
    /// What the host says of itself.
    pub(crate) labels: Vec<String>,
    /// Starts runs of these entries only, when not empty; as people name them.
    pub(crate) entries: Vec<String>,
}

/// What a host did, and where to look further.
pub(crate) struct Ended {
    /// What it did.
    pub(crate) outcome: Outcome,
    /// The store, still open.
    pub(crate) store: Arc<dyn Store>,
    /// The entries that were named.
    pub(crate) named: Vec<EntryId>,
    /// Whether a signal ended it.
    pub(crate) interrupted: bool,
}

impl Ended {
    /// The exit code that it calls for.
    pub(crate) fn exit(&self) -> Exit {
        let Outcome { failed, escalated, asked, capped_until, stopped, .. } = self.outcome;
        match (stopped || self.interrupted || capped_until.is_some(), failed + escalated + asked) {
            (true, _) => Exit::Stopped,
            (false, 0) => Exit::Done,
            (false, _) => Exit::Failed,
        }
    }
}

/// Runs a host until it ends.
///
/// # Errors
///
/// When it cannot start, or the platform fails so that it cannot go on.
pub(crate) async fn run(context: &Context, project: &Project, wish: Wish) -> Result<Ended> {
    let archive = project.archive(OpenMode::Host).await?;
    let store: Arc<dyn Store> = Arc::clone(&archive) as _;
    let workers = wish.workers.unwrap_or(project.policy.instance.workers);
    let progress = Arc::new(Progress::new(context.printer.clone(), workers));
    let artifacts = project.artifacts()?;
    let parts =
        project.parts(&context.environment, Arc::clone(&store), artifacts, Arc::clone(&progress) as _)?;
    let models = project.models(Arc::clone(&parts.clock)).inspect_err(|_| progress.finish())?;
    let parts = Parts { models, ..parts };
    note_skipped_plugins(&context.printer, &parts);
    let named = match wish.entries.as_slice() {
        [] => Vec::new(),
        entries => take_in_named(project, &parts, entries).await.inspect_err(|_| progress.finish())?,
    };
    let id = host_id(&context.environment.machine());
    archive.register(&id, &wish.labels).await.inspect_err(|_| progress.finish())?;
    let options = HostOptions {
        id: id.clone(),
        workers,
        drain: wish.drain,
        items: wish.items,
        only: named.clone(),
        labels: wish.labels,
    };
    let ended = drive(&context.printer, project, parts, options).await;
    progress.finish();
    let (outcome, interrupted) = ended?;
    match archive.leave(&id).await {
        // It is a host that is not heard of any more.
        Err(error) if error.may_pass() => {
            let noted = "the store does not know that this host has ended, and lists it for a while";
            context.printer.tagged(Tone::Notable, "warning", format!("{noted}: {error}"));
        }
        left => left?,
    }
    Ok(Ended { outcome, store, named, interrupted })
}

async fn drive(
    printer: &Printer,
    project: &Project,
    parts: Parts,
    options: HostOptions,
) -> Result<(Outcome, bool)> {
    let host = Host::start(parts, options).await.map_err(|error| of_engine(error, project))?;
    let shutdown = host.shutdown();
    let mut signals = Signals::listen()?;
    let mut interrupted = false;
    let mut running = std::pin::pin!(host.run());
    loop {
        tokio::select! {
            outcome = &mut running => return Ok((outcome?, interrupted)),
            () = signals.next() => {
                ask_to_stop(&shutdown, printer);
                interrupted = true;
            }
        }
    }
}

/// A failure of the engine; what is wrong with a policy is shown with its lines.
fn of_engine(error: tollgate_engine::EngineError, project: &Project) -> Failure {
    match error {
        tollgate_engine::EngineError::Policy(found) => {
            Failure::configuration(&found, &project.policy.files())
        }
        other => other.into(),
    }
}

/// Reads every source, so that the entries which a person names are known, and finds them.
async fn take_in_named(project: &Project, parts: &Parts, named: &[String]) -> Result<Vec<EntryId>> {
    take_in(project, parts).await?;
    let mut found = Vec::new();
    for name in named {
        found.push(entry_argument::find(&*parts.store, &project.folder, name).await?.status.id);
    }
    Ok(found)
}

/// Applies the policy and reads every source; a second time, where the first left something.
///
/// # Errors
///
/// When the policy is wrong or the store fails: what was not taken in for that is not missing. A source that cannot be read is told to the
/// observer.
pub(crate) async fn take_in(project: &Project, parts: &Parts) -> Result<()> {
    let applied = apply_policy(parts, "tollgate run").await.map_err(|error| of_engine(error, project))?;
    let lanes = Lanes::of(&applied);
    let mut unread = read_sources(parts, &lanes).await;
    if unread.is_any() {
        let settle = project.policy.backlogs.values().map(Backlog::settle).max().unwrap_or_default();
        let pause = if unread.failed > 0 { settle.max(AFTER_TROUBLE) } else { settle };
        tokio::time::sleep(pause).await;
        unread = read_sources(parts, &lanes).await;
    }
    if unread.failed > 0 {
        let message = "it could not keep all that stands there, twice; give the command again".to_owned();
        return Err(StoreError::Platform { doing: "take in what sources hold", message }.into());
    }
    Ok(())
}

/// Reads every source once; what is left for the next time.
async fn read_sources(parts: &Parts, lanes: &Lanes) -> Unread {
    let mut unread = Unread::default();
    for backlog in parts.policy.backlogs.values() {
        let of_backlog = pull::backlog(&*parts.store, backlog, lanes, &parts.trackers, &*parts.observer);
        unread = unread.and(of_backlog.await);
    }
    unread
}

/// The machine's name, and a number that no earlier process had.
pub(crate) fn host_id(machine: &str) -> HostId {
    HostId(format!("{machine}-{}", ulid::Ulid::new()))
}

fn note_skipped_plugins(printer: &Printer, parts: &Parts) {
    for skipped in parts.registry.skipped() {
        printer.tagged(Tone::Notable, "warning", format!("a plugin is not used: {skipped}"));
    }
}

/// The signals that ask a process to end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).map_err(Failure::io("listen for signals"));
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The first signal drains, the next one stops now.
fn ask_to_stop(shutdown: &Shutdown, printer: &Printer) {
    if shutdown.phase() < Phase::Draining {
        printer.event(
            Tone::Notable,
            "stopping",
            "what was begun is finished; once more stops now and loses nothing",
        );
        shutdown.request(Phase::Draining);
    } else {
        printer.event(Tone::Notable, "stopping", "runs are given back, and go on with the next host");
        shutdown.request(Phase::Stopping);
    }
}

#[cfg(test)]
mod tests {
    use tollgate_core::{Microcents, Timestamp};
    use tollgate_store::port::OpenWork;

    use super::*;
    use crate::{
        store::open_sqlite,
        ui::printer::{Format, captured},
    };

    async fn exit(outcome: Outcome, interrupted: bool) -> Exit {
        let store = open_sqlite(tollgate_store::SqliteOptions::in_memory()).await.unwrap();
        Ended { outcome, store, named: Vec::new(), interrupted }.exit()
    }

    #[tokio::test]
    async fn the_exit_code_says_what_is_left_before_what_failed() {
        let fine =
            Outcome { done: 3, cost: Microcents(5), left: Some(OpenWork::default()), ..Outcome::default() };
        let failed = Outcome { failed: 1, ..fine.clone() };
        let escalated = Outcome { escalated: 1, ..fine.clone() };
        let capped = Outcome { capped_until: Some(Timestamp::from_millis(1)), ..failed.clone() };
        assert_eq!(exit(fine.clone(), false).await, Exit::Done);
        assert_eq!(exit(failed, false).await, Exit::Failed);
        assert_eq!(exit(escalated, false).await, Exit::Failed);
        assert_eq!(exit(Outcome { asked: 1, ..fine.clone() }, false).await, Exit::Failed);
        assert_eq!(exit(capped, false).await, Exit::Stopped);
        assert_eq!(exit(Outcome { stopped: true, ..fine.clone() }, false).await, Exit::Stopped);
        assert_eq!(exit(fine, true).await, Exit::Stopped);
    }

    #[test]
    fn the_first_signal_drains_and_the_second_stops() {
        let (printer, _, err) = captured::printer(Format::Text);
        let shutdown = Shutdown::default();
        ask_to_stop(&shutdown, &printer);
        assert_eq!(shutdown.phase(), Phase::Draining);
        ask_to_stop(&shutdown, &printer);
        assert_eq!(shutdown.phase(), Phase::Stopping);
        assert_eq!(err.text().lines().count(), 2);
    }

    #[test]
    fn no_two_processes_of_a_machine_have_one_name() {
        let (a, b) = (host_id("desk"), host_id("desk"));
        assert_ne!(a, b);
        assert!(a.0.starts_with("desk-"));
    }
}

//! A whole host, in a runtime of its own whose time passes when the world says so.

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::{runtime::Runtime, sync::oneshot};
use tollgate_core::{Digest, HostId, RunId};
use tollgate_engine::{
    Host, HostOptions, Parts, Phase, Shutdown, Trackers,
    observer::{Notice, Observer},
    port::{ArtifactStore, Machine, Work},
};
use tollgate_policy::Policy;
use tollgate_sandbox::{
    CallModels,
    port::{Artifacts, ArtifactsError},
};
use tollgate_store::Store;

use crate::{
    flaw::Flaw,
    guests::SimGuests,
    history::Fact,
    line::{HostClock, Line},
    project::{PROJECT, TRACKERS},
    store::DistantStore,
    tracker::{DistantTracker, Server},
    world::World,
};

/// What all hosts of a world use.
#[derive(Clone)]
pub(crate) struct Servers {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) trackers: Vec<Arc<Server>>,
    pub(crate) artifacts: Arc<Shelf>,
}

/// A host that lives, or has lived.
pub(crate) struct SimHost {
    runtime: Runtime,
    pub(crate) line: Arc<Line>,
    /// Nothing runs in it before then.
    paused_until_ms: u64,
    has_ended: Arc<AtomicBool>,
    switch: Arc<Mutex<Option<Shutdown>>>,
}

impl SimHost {
    /// A host that starts now.
    pub(crate) fn start(
        world: &Arc<World>,
        number: u64,
        servers: &Servers,
        policy: Arc<Policy>,
        flaw: Flaw,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime without threads can be made");
        let has_ended = Arc::new(AtomicBool::new(false));
        let switch = Arc::new(Mutex::new(None));
        let line = runtime.block_on(async {
            let line = Line::new(Arc::clone(world), HostId(format!("host-{number}")));
            let ends = Ends::of(world);
            let life = live(Arc::clone(&line), servers.clone(), policy, flaw, ends, Arc::clone(&switch));
            let (over, line_of_life) = (Arc::clone(&has_ended), Arc::clone(&line));
            tokio::spawn(async move {
                let how = life.await;
                line_of_life.lives().await;
                over.store(true, Ordering::SeqCst);
                line_of_life.world.note(Fact::HostEnded { host: line_of_life.host.clone(), how });
            });
            line
        });
        world.note(Fact::HostStarted { host: line.host.clone(), runs: Ends::of(world).runs });
        Self { runtime, line, paused_until_ms: 0, has_ended, switch }
    }

    /// Lets the host live until a moment.
    pub(crate) fn live_until(&self, at_ms: u64) {
        if self.is_over() || at_ms < self.paused_until_ms {
            return;
        }
        self.runtime.block_on(async {
            let behind = Duration::from_millis(self.line.behind_ms(at_ms));
            if self.paused_until_ms > self.line.now_ms() {
                // Its clocks went on while it stood still.
                tokio::time::advance(behind).await;
            } else {
                tokio::time::sleep(behind).await;
            }
        });
    }

    /// The host stands still until a moment, as one that was stopped by a signal.
    pub(crate) fn pause(&mut self, for_ms: u64) {
        self.paused_until_ms = self.line.world.now_ms() + for_ms;
        self.line.world.note(Fact::HostPaused { host: self.line.host.clone(), for_ms });
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused_until_ms > self.line.world.now_ms()
    }

    /// Whether nothing comes of it any more.
    pub(crate) fn is_over(&self) -> bool {
        self.line.is_dead() || self.has_ended.load(Ordering::SeqCst)
    }

    /// A signal asks it to stop.
    pub(crate) fn signal(&self, phase: Phase) {
        let switch = self.switch.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(switch) = switch.as_ref() {
            self.runtime.block_on(async { switch.request(phase) });
        }
    }
}

/// When a host ends by itself, as it was told at its start.
struct Ends {
    /// When nothing is left that it could do.
    drains: bool,
    /// After it began so many runs.
    runs: Option<u64>,
}

impl Ends {
    /// Of a host that starts now. Once all is well, hosts go on until everything has come to its end.
    fn of(world: &World) -> Self {
        Self {
            drains: world.plan.drains && !world.is_calm(),
            runs: world.plan.runs_each.filter(|_| world.is_troubled()),
        }
    }
}

/// What a host does from its start to its end; how it ended.
async fn live(
    line: Arc<Line>,
    servers: Servers,
    policy: Arc<Policy>,
    flaw: Flaw,
    ends: Ends,
    switch: Arc<Mutex<Option<Shutdown>>>,
) -> String {
    let tracker =
        |server: &Arc<Server>| Arc::new(DistantTracker::new(Arc::clone(&line), Arc::clone(server), flaw));
    let mut trackers = Trackers::default();
    for ((backlog, _), server) in TRACKERS.iter().zip(&servers.trackers) {
        trackers.add(backlog, tracker(server));
    }
    if let Some(internal) = servers.trackers.get(TRACKERS.len()) {
        trackers.set_internal(tracker(internal));
    }
    let parts = Parts {
        project: PROJECT.path().to_owned(),
        policy,
        registry: Arc::clone(&PROJECT.registry),
        guests: Arc::new(SimGuests::new(Arc::clone(&line), flaw)),
        models: CallModels::none().port,
        store: Arc::new(DistantStore::new(Arc::clone(&line), servers.store, flaw)),
        artifacts: servers.artifacts,
        trackers,
        clock: Arc::new(HostClock(Arc::clone(&line))),
        machine: Arc::new(SimMachine(Arc::clone(&line.world))),
        observer: Arc::new(Told(Arc::clone(&line))),
    };
    let workers = line.world.plan.workers;
    let options = HostOptions {
        id: line.host.clone(),
        workers,
        drain: ends.drains,
        items: ends.runs,
        only: Vec::new(),
        labels: Default::default(),
    };
    let host = match Host::start(parts, options).await {
        Ok(host) => host,
        Err(error) => return format!("it did not start: {error}"),
    };
    *switch.lock().unwrap_or_else(PoisonError::into_inner) = Some(host.shutdown());
    match host.run().await {
        Ok(outcome) => {
            format!("done {}, failed {}, escalated {}", outcome.done, outcome.failed, outcome.escalated)
        }
        Err(error) => format!("it failed: {error}"),
    }
}

/// Hears everything, and prints it when a single world is looked at.
struct Told(Arc<Line>);

impl Observer for Told {
    fn notice(&self, notice: &Notice) {
        crate::tell(|| format!("             {notice:?}"));
        if let Notice::Claimed { run, .. } = notice
            && !self.0.is_dead()
        {
            self.0.world.note(Fact::Knows { host: self.0.host.clone(), run: *run });
        }
    }
}

/// Threads that are tasks, and chance that comes from the seed.
struct SimMachine(Arc<World>);

impl Machine for SimMachine {
    fn beside(&self, _: &str, work: Work) -> io::Result<oneshot::Receiver<()>> {
        let (over, is_over) = oneshot::channel();
        tokio::spawn(async move {
            work.await;
            // The host itself may have failed.
            over.send(()).ok();
        });
        Ok(is_over)
    }

    fn new_run(&self) -> RunId {
        let at_ms = self.0.true_time(self.0.now_ms()).as_millis().unsigned_abs();
        RunId(ulid::Ulid::from_parts(at_ms, self.0.dice.bits()))
    }
}

/// Artifacts, which all hosts share and none loses.
#[derive(Default)]
pub(crate) struct Shelf(Mutex<BTreeMap<Digest, Arc<[u8]>>>);

#[async_trait]
impl Artifacts for Shelf {
    async fn read(&self, digest: Digest) -> Result<Option<Arc<[u8]>>, ArtifactsError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned())
    }

    async fn write(&self, digest: Digest, bytes: Arc<[u8]>) -> Result<(), ArtifactsError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, bytes);
        Ok(())
    }
}

#[async_trait]
impl ArtifactStore for Shelf {
    async fn sync(&self, _: Vec<Digest>) -> Result<(), ArtifactsError> {
        Ok(())
    }
}

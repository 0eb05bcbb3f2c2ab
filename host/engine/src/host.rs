//! One host: what it is made of, how it starts, how it ends.

use std::{path::PathBuf, sync::Arc};

use tollgate_core::{
    Clock, EntryId, HostId, Microcents, Timestamp, course::End, lease::LeaseTerms, run::RunKind,
};
use tollgate_policy::Policy;
use tollgate_registry::Registry;
use tollgate_sandbox::port::Model;
use tollgate_store::{
    Store,
    port::{AppliedPolicy, OpenWork},
};

use crate::{
    adapter::catalog::Catalog,
    applied::{Applied, Present},
    deliver::Deliverer,
    drive::{Components, Driver},
    error::{EngineError, Result},
    judge::Lanes,
    lease_table::LeaseTable,
    loops::Loops,
    observer::{Notice, Observer},
    opening,
    pins::{self, PinCache},
    port::{ArtifactStore, Guests, Machine},
    pull::{self, Unread},
    shutdown::{Phase, Shutdown},
    source::Trackers,
    stop_file::StopFile,
    store_time::StoreTime,
};

/// What a host is made of.
pub struct Parts {
    /// The project's folder.
    pub project: PathBuf,
    /// The policy that its files say: applied when it starts.
    pub policy: Arc<Policy>,
    /// The plugins.
    pub registry: Arc<Registry>,
    /// Where components run.
    pub guests: Arc<dyn Guests>,
    /// Where models are asked.
    pub models: Arc<dyn Model>,
    /// Where state is.
    pub store: Arc<dyn Store>,
    /// Where artifacts are.
    pub artifacts: Arc<dyn ArtifactStore>,
    /// Where work comes from and records go.
    pub trackers: Trackers,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Threads and randomness.
    pub machine: Arc<dyn Machine>,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
}

/// How a host runs.
#[derive(Debug, Clone)]
pub struct HostOptions {
    /// The host's name, unlike any earlier one.
    pub id: HostId,
    /// Runs driven at the same time.
    pub workers: usize,
    /// Ends when nothing is left that could be done now.
    pub drain: bool,
    /// Starts at most this many runs.
    pub items: Option<u64>,
    /// Starts runs of these entries only, when not empty.
    pub only: Vec<EntryId>,
    /// What it says of itself; it drives runs of pipelines that ask for no other label.
    pub labels: Vec<String>,
}

/// What a host did until it ended.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Runs that ended done.
    pub done: u64,
    /// Refine runs that ended done, which the others do not count.
    pub refined: u64,
    /// Runs that failed.
    pub failed: u64,
    /// Runs that were given to a person.
    pub escalated: u64,
    /// Runs that a person cancelled.
    pub cancelled: u64,
    /// Runs that wait for a person's answer since.
    pub asked: u64,
    /// What all of them cost.
    pub cost: Microcents,
    /// A cap had no room, until then.
    pub capped_until: Option<Timestamp>,
    /// The host was asked to stop.
    pub stopped: bool,
    /// What is left; unknown where the store could not say so any more.
    pub left: Option<OpenWork>,
}

impl Outcome {
    pub(crate) fn count(&mut self, kind: RunKind, end: &End, cost: Microcents) {
        self.cost = self.cost + cost;
        match end {
            End::Done if kind == RunKind::Refine => self.refined += 1,
            End::Done => self.done += 1,
            End::Failed(_) => self.failed += 1,
            End::Escalated { .. } => self.escalated += 1,
            End::Cancelled { .. } => self.cancelled += 1,
        }
    }
}

/// A host that has started.
pub struct Host {
    pub(crate) parts: Parts,
    pub(crate) options: HostOptions,
    pub(crate) present: Arc<Present>,
    pub(crate) time: Arc<StoreTime>,
    pub(crate) leases: Arc<LeaseTable>,
    pub(crate) driver: Driver,
    pub(crate) deliverer: Deliverer,
    pub(crate) shutdown: Shutdown,
    pub(crate) stop_file: StopFile,
}

/// Applies the policy and returns the applied one. A policy that a check refuses is not applied.
///
/// # Errors
///
/// [`EngineError::Policy`] with everything that is wrong, or a failure of the store.
pub async fn apply_policy(parts: &Parts, who: &str) -> Result<AppliedPolicy> {
    let found = parts.policy.check(&Catalog(&parts.registry)).and(parts.policy.check_sources(&parts.project));
    if found.has_errors() {
        return Err(EngineError::Policy(found));
    }
    let before = parts.store.applied_policy().await?.map(|policy| policy.version);
    let why = "the project's files say so";
    let application = pins::application(&parts.policy, &parts.registry, parts.guests.engine_id(), who, why);
    let applied = parts.store.apply_policy(application).await?;
    if before != Some(applied.version) {
        parts.observer.notice(&Notice::PolicyApplied { version: applied.version });
    }
    opening::judge_again(&*parts.store, &parts.policy, &Lanes::of(&applied)).await?;
    Ok(applied)
}

impl Host {
    /// Applies the policy, marks the trackers as this store's, and makes ready to run.
    ///
    /// # Errors
    ///
    /// When the policy is wrong, a tracker is another store's, or the store fails. Nothing is claimed then.
    pub async fn start(parts: Parts, options: HostOptions) -> Result<Self> {
        let started = parts.clock.now();
        let applied = apply_policy(&parts, &format!("host {}", options.id)).await?;
        parts.trackers.claim_ownership(parts.store.id()).await?;
        let stop_file = remove_stale_stop_file(&parts, started)?;
        let shutdown = Shutdown::default();
        let time = StoreTime::new(Arc::clone(&parts.clock), parts.store.now().await?);
        let present = Present::own(&parts, &applied);
        Ok(Self {
            leases: LeaseTable::new(Arc::clone(&parts.clock), LeaseTerms::new(parts.policy.instance.lease)),
            driver: driver(&parts, &options, &shutdown, &time, &present),
            deliverer: deliverer(&parts, &options.id, &present, &time),
            present,
            time,
            shutdown,
            stop_file,
            parts,
            options,
        })
    }

    /// The switch that ends this host.
    pub fn shutdown(&self) -> Shutdown {
        self.shutdown.clone()
    }

    /// Reads every source once; what is left for the next time.
    pub async fn pull(&self) -> Unread {
        let mut unread = Unread::default();
        for backlog in self.present.policy().backlogs.keys() {
            unread = unread.and(self.pull_backlog(backlog).await);
        }
        unread
    }

    /// Reads the sources of one backlog once.
    pub(crate) async fn pull_backlog(&self, name: &str) -> Unread {
        let Applied { policy, lanes, trackers, .. } = &*self.present.applied();
        let Some(backlog) = policy.backlog(name) else { return Unread::default() };
        let Parts { store, observer, .. } = &self.parts;
        pull::backlog(&**store, backlog, lanes, trackers, &**observer).await
    }

    /// Works until it is told to stop, or until nothing is left when it drains.
    ///
    /// # Errors
    ///
    /// When a loop ended by a bug, or the store is damaged.
    pub async fn run(self) -> Result<Outcome> {
        let host = Arc::new(self);
        let heartbeat = crate::heartbeat::beat(
            Arc::clone(&host.parts.store),
            host.options.id.clone(),
            Arc::clone(&host.leases),
            host.shutdown.clone(),
            Arc::clone(&host.parts.observer),
        );
        let heartbeat = host.parts.machine.beside("heartbeat", Box::pin(heartbeat));
        let heartbeat =
            heartbeat.map_err(|source| EngineError::Io { doing: "start the heartbeat".into(), source })?;
        let outcome = Loops::new(Arc::clone(&host)).run().await;
        host.shutdown.request(Phase::Over);
        match (outcome, heartbeat.await) {
            (Ok(mut outcome), Ok(())) => {
                outcome.left = match host.parts.store.open_work().await {
                    Ok(left) => Some(left),
                    // What was done is done, and the next host sees what is left.
                    Err(error) if error.may_pass() => None,
                    Err(error) => return Err(error.into()),
                };
                Ok(outcome)
            }
            (Err(error), _) => Err(error),
            (Ok(_), Err(_)) => Err(EngineError::Bug("the heartbeat ended by a panic".into())),
        }
    }
}

/// What carries the outbox to the trackers.
pub(crate) fn deliverer(
    parts: &Parts,
    host: &HostId,
    present: &Arc<Present>,
    time: &Arc<StoreTime>,
) -> Deliverer {
    Deliverer {
        present: Arc::clone(present),
        host: host.clone(),
        store: Arc::clone(&parts.store),
        artifacts: Arc::clone(&parts.artifacts),
        clock: Arc::clone(&parts.clock),
        time: Arc::clone(time),
        observer: Arc::clone(&parts.observer),
        lease: parts.policy.instance.lease,
    }
}

fn remove_stale_stop_file(parts: &Parts, started: Timestamp) -> Result<StopFile> {
    let tollgate_policy::policy::StopFile { path, mode } = &parts.policy.instance.stop_file;
    let file = StopFile::new(parts.project.join(path), *mode);
    let doing = || format!("remove {}, a stop file older than this host's start", file.path().display());
    if file.remove_stale(started).map_err(|source| EngineError::Io { doing: doing(), source })? {
        parts.observer.notice(&Notice::StaleStopFile { path: path.clone() });
    }
    Ok(file)
}

fn driver(
    parts: &Parts,
    options: &HostOptions,
    shutdown: &Shutdown,
    time: &Arc<StoreTime>,
    present: &Arc<Present>,
) -> Driver {
    Driver {
        host: options.id.clone(),
        store: Arc::clone(&parts.store),
        components: Components::new(Arc::clone(&parts.guests), Arc::clone(&parts.registry)),
        artifacts: Arc::clone(&parts.artifacts),
        models: Arc::clone(&parts.models),
        time: Arc::clone(time),
        shutdown: shutdown.clone(),
        observer: Arc::clone(&parts.observer),
        pins: PinCache::default(),
        present: Arc::clone(present),
    }
}

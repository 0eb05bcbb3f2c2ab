//! The loops of a host. Each calls its `tick` and decides only when to call it again.
//!
//! Nothing depends on when a loop comes round: a hint that there is something to do saves time, and a poll is the truth.

mod pace;
mod pack;
mod policy;
mod rest;
mod work;

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Semaphore, task::JoinSet};
use tollgate_core::{Clock, Timestamp};
use tollgate_policy::Backlog;
use tollgate_store::port::{ClaimRequest, OpenWork};

use self::{
    pace::{POLL, Pace},
    rest::Resting,
};
use crate::{
    claim::Wish,
    error::{EngineError, Result},
    host::{Host, HostOptions, Outcome, Parts},
    marks,
    observer::Notice,
    pull::Unread,
    rank::Ranked,
    rising::Rising,
    shutdown::Phase,
    sweeper,
};

/// How soon another hint is heard.
const BETWEEN_HINTS: Duration = Duration::from_millis(10);

/// How long a loop waits after the platform failed.
pub(crate) const AFTER_TROUBLE: Duration = Duration::from_secs(1);

/// How soon after its lease lapsed a run is taken back, at the latest, while the store can be asked; and `AFTER_TROUBLE` when it can again.
const SWEEP_EVERY: Duration = Duration::from_secs(2);

/// How far ahead a draining host looks for what comes by itself: retries and wakes beyond it are left to the next host.
const DRAIN_HORIZON: Duration = Duration::from_secs(60);

/// So many entries that are scored at once are told of.
const TOLD_FROM: u64 = 1_000;

/// More than there are workers.
const ALL: u32 = 1 << 16;

/// The loops of one host and what they share.
pub(crate) struct Loops {
    host: Arc<Host>,
    shared: Arc<Shared>,
}

struct Shared {
    /// Counts what happened that may make work possible.
    changes: Rising,
    /// The version of the policy that the store spoke of last.
    newest_policy: Rising,
    /// Workers that found nothing.
    resting: Resting,
    /// When loops look again.
    pace: Pace,
    /// Workers that drive something.
    busy: AtomicUsize,
    /// Claims that found nothing since anything changed.
    idle_claims: AtomicU64,
    /// Backlogs that are to be read again soon, because something in them was still being written, or the store failed.
    unread: Mutex<HashSet<String>>,
    /// Places to drive at: one for each worker that was asked for.
    places: Semaphore,
    /// What is driven side by side, to the last write: a permit each, or all of them for a run that is driven alone.
    side_by_side: Semaphore,
    /// Runs that may still be started, where the host was told a number.
    permits: Mutex<Option<u64>>,
    outcome: Mutex<Outcome>,
}

impl Shared {
    fn new(options: &HostOptions) -> Self {
        Self {
            changes: Rising::default(),
            newest_policy: Rising::default(),
            resting: Resting::default(),
            pace: Pace::of(&options.id),
            busy: AtomicUsize::new(0),
            idle_claims: AtomicU64::new(0),
            unread: Mutex::default(),
            places: Semaphore::new(options.workers.max(1)),
            side_by_side: Semaphore::new(ALL as usize),
            permits: Mutex::new(options.items),
            outcome: Mutex::default(),
        }
    }

    /// Notes that something happened that may make work possible, and has one worker look.
    fn changed(&self) {
        self.idle_claims.store(0, Ordering::SeqCst);
        self.changes.raise();
        self.resting.call();
    }

    fn with_outcome(&self, note: impl FnOnce(&mut Outcome)) {
        note(&mut self.outcome.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Takes the right to start a run; none is left when false.
    fn take_permit(&self) -> bool {
        let mut permits = self.permits.lock().unwrap_or_else(PoisonError::into_inner);
        match permits.as_mut() {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    fn has_permit(&self) -> bool {
        *self.permits.lock().unwrap_or_else(PoisonError::into_inner) != Some(0)
    }

    fn reads_again_soon(&self) -> bool {
        !self.unread.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn return_permit(&self) {
        if let Some(left) = self.permits.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            *left += 1;
        }
    }
}

impl Loops {
    pub(crate) fn new(host: Arc<Host>) -> Self {
        let shared = Arc::new(Shared::new(&host.options));
        Self { host, shared }
    }

    /// Runs all loops until the host is over.
    pub(crate) async fn run(self) -> Result<Outcome> {
        let mut tasks = JoinSet::new();
        // Who asks to stop is heard from the first moment on.
        tasks.spawn(self.clone().stop_loop());
        let Parts { store, observer, .. } = &self.host.parts;
        let trackers = self.host.present.applied().trackers.clone();
        while let Err(error) = marks::put_back_orphans(&**store, &trackers, &**observer).await {
            self.trouble("put back what earlier hosts left behind", &error);
            if !error.may_pass() || self.phase() >= Phase::Stopping {
                break;
            }
            self.host.shutdown.sleep(AFTER_TROUBLE, Phase::Stopping).await;
        }
        // What is there is read before anybody looks for work, so that a draining host does not end too early.
        let sources = self.read_sources().await;
        tasks.spawn(self.clone().policy_loop(sources));
        for _ in 0..work::workers(&self.host.options) {
            tasks.spawn(self.clone().worker_loop());
        }
        tasks.spawn(self.clone().rank_loop());
        tasks.spawn(self.clone().deliver_loop());
        tasks.spawn(self.clone().sweep_loop());
        tasks.spawn(self.clone().pack_loop());
        tasks.spawn(self.clone().hint_loop());
        tasks.spawn(self.clone().end_loop());
        while let Some(ended) = tasks.join_next().await {
            if let Err(panicked) = ended {
                self.host.shutdown.request(Phase::Over);
                return Err(EngineError::Bug(format!("a loop of the host ended by a panic: {panicked}")));
            }
        }
        Ok(self.shared.outcome.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn clone(&self) -> Self {
        Self { host: Arc::clone(&self.host), shared: Arc::clone(&self.shared) }
    }

    fn now(&self) -> Timestamp {
        self.host.time.now()
    }

    fn phase(&self) -> Phase {
        self.host.shutdown.phase()
    }

    fn trouble(&self, doing: &str, error: &EngineError) {
        let (doing, reason) = (doing.to_owned(), error.to_string());
        self.host.parts.observer.notice(&Notice::Trouble { doing, reason });
    }

    /// Waits for a change that was not seen, the phase or the poll interval, whichever comes first.
    async fn rest(&self, seen: &mut u64) {
        tokio::select! {
            biased;
            () = self.shared.changes.reaches(*seen + 1) => {}
            () = self.host.shutdown.sleep(self.shared.pace.poll(), Phase::Over) => {}
        }
        *seen = self.shared.changes.value();
    }

    /// Reads every source, and goes on reading each when its time comes.
    async fn read_sources(&self) -> JoinSet<()> {
        let mut loops = JoinSet::new();
        let names: Vec<String> = self.host.present.policy().backlogs.keys().cloned().collect();
        // A draining host does not end before it has read all of them.
        let waited_for = names.iter().cloned().collect();
        *self.shared.unread.lock().unwrap_or_else(PoisonError::into_inner) = waited_for;
        for name in names {
            let again = self.pull(&name).await;
            loops.spawn(self.clone().pull_loop(name, again));
        }
        loops
    }

    /// Reads a backlog; how soon it is to be read again, for which a draining host waits.
    async fn pull(&self, backlog: &str) -> Option<Duration> {
        let unread = tokio::select! {
            biased;
            unread = self.host.pull_backlog(backlog) => unread,
            // What was taken in is in the store; the next host reads the rest.
            () = self.host.shutdown.reached(Phase::Stopping) => Unread::default(),
        };
        let mut waited_for = self.shared.unread.lock().unwrap_or_else(PoisonError::into_inner);
        if unread.is_any() {
            waited_for.insert(backlog.to_owned());
        } else {
            waited_for.remove(backlog);
        }
        drop(waited_for);
        self.shared.changed();
        let settle = self.host.present.policy().backlog(backlog).map(Backlog::settle).unwrap_or_default();
        match unread {
            Unread { failed: 1.., .. } => Some(AFTER_TROUBLE),
            Unread { unsettled: 1.., .. } => Some(settle.max(POLL)),
            Unread { unsettled: 0, failed: 0 } => None,
        }
    }

    async fn pull_loop(self, name: String, mut again: Option<Duration>) {
        let policy = self.host.present.policy();
        let Some(backlog) = policy.backlog(&name) else { return };
        let mut pause = POLL;
        while self.phase() < Phase::Draining {
            let now = self.now();
            let scheduled = backlog.pull.iter().filter_map(|schedule| schedule.next_after(now)).min();
            let wait = match (again, scheduled) {
                (Some(soon), _) => soon,
                (None, Some(at)) => at.since(now),
                (None, None) => Duration::from_secs(3600),
            };
            tokio::select! {
                biased;
                () = self.host.shutdown.sleep(wait, Phase::Draining) => {}
                () = self.changed(&name, pause) => {}
            }
            if self.phase() < Phase::Draining {
                let clock = &self.host.parts.clock;
                let begun = clock.monotonic();
                again = self.pull(&name).await;
                pause = POLL.max(clock.monotonic().saturating_sub(begun) * 4);
            }
        }
    }

    /// Waits until the sources of a backlog may have changed, and a while longer: changes come in numbers, and are not to keep the
    /// host reading all the time. A host that ends by itself works on what it found.
    async fn changed(&self, backlog: &str, pause: Duration) {
        if self.ends_by_itself() {
            return std::future::pending().await;
        }
        self.host.present.applied().trackers.changed(backlog).await;
        self.host.shutdown.sleep(pause, Phase::Draining).await;
    }

    async fn rank_loop(self) {
        let host = &self.host;
        let mut entries = 0;
        while self.phase() < Phase::Over {
            if self.is_outdated() {
                host.shutdown.sleep(self.shared.pace.poll(), Phase::Over).await;
                continue;
            }
            let ranked = host.present.applied().ranker.tick(&*host.parts.store).await;
            self.tell_scored(&mut entries, ranked.as_ref().ok());
            match ranked {
                Ok(ranked) if ranked.is_done() => {
                    host.shutdown.sleep(self.shared.pace.poll(), Phase::Over).await
                }
                Ok(_) => self.shared.changed(),
                Err(error) => {
                    self.trouble("score entries again", &error);
                    host.shutdown.sleep(AFTER_TROUBLE, Phase::Over).await;
                }
            }
        }
    }

    /// Whether another policy is applied than the one that this host acts on: what it makes of entries does not count.
    fn is_outdated(&self) -> bool {
        self.shared.newest_policy.value() > self.host.present.applied().version.unsigned_abs()
    }

    /// Tells how many were scored again, where that takes a while.
    fn tell_scored(&self, entries: &mut u64, ranked: Option<&Ranked>) {
        let more = ranked.map_or(0, |ranked| ranked.entries);
        let all = more < TOLD_FROM && ranked.is_none_or(|ranked| ranked.is_in_order);
        if more >= TOLD_FROM || *entries > 0 {
            *entries += more;
            self.host.parts.observer.notice(&Notice::ScoredAgain { entries: *entries, all });
        }
        if all {
            *entries = 0;
        }
    }

    async fn deliver_loop(self) {
        let mut seen = self.shared.changes.value();
        while self.phase() < Phase::Over {
            match self.host.deliverer.tick().await {
                Ok(0) => self.rest(&mut seen).await,
                Ok(_) => self.shared.changed(),
                Err(error) => {
                    self.trouble("deliver from the outbox", &error);
                    self.host.shutdown.sleep(AFTER_TROUBLE, Phase::Over).await;
                }
            }
        }
    }

    async fn sweep_loop(self) {
        let parts = &self.host.parts;
        while self.phase() < Phase::Over {
            let mut pause = self.host.leases.terms().renew_every().min(SWEEP_EVERY);
            if let Err(error) = sweeper::tick(&*parts.store, &*parts.observer).await {
                self.trouble("take back lapsed leases", &error);
                pause = pause.min(AFTER_TROUBLE);
            }
            self.host.shutdown.sleep(pause, Phase::Over).await;
        }
    }

    /// Passes on that another process may have changed something. That comes in numbers, and is not to keep workers looking all the time.
    async fn hint_loop(self) {
        while self.phase() < Phase::Over {
            tokio::select! {
                biased;
                () = self.host.parts.store.changed() => self.shared.changed(),
                () = self.host.shutdown.reached(Phase::Over) => return,
            }
            self.host.shutdown.sleep(BETWEEN_HINTS, Phase::Over).await;
        }
    }

    /// Looks for a person's wish that the host stops, in the store and in the stop file, and for the project itself.
    async fn stop_loop(self) {
        while self.phase() < Phase::Stopping {
            if let Some((phase, reason)) = self.wish_to_stop().await
                && phase > self.phase()
            {
                self.shared.with_outcome(|outcome| outcome.stopped = true);
                self.host.parts.observer.notice(&Notice::Stopping { reason });
                self.host.shutdown.request(phase);
            }
            self.heed_cancellations().await;
            self.host.shutdown.sleep(self.shared.pace.poll(), Phase::Stopping).await;
        }
    }

    /// Looks for runs of this host that somebody cancelled: their calls end at once.
    async fn heed_cancellations(&self) {
        if !self.host.leases.is_empty() {
            let Parts { store, .. } = &self.host.parts;
            // A store that cannot be asked now is asked again soon.
            let cancelled = store.cancellations(&self.host.options.id).await.unwrap_or_default();
            self.host.leases.cancelled(&cancelled);
        }
    }

    /// The strongest wish there is.
    async fn wish_to_stop(&self) -> Option<(Phase, String)> {
        // A store that cannot be asked now is asked again soon.
        let control = self.host.parts.store.control().await.unwrap_or_default();
        self.shared.newest_policy.raise_to(control.policy.unsigned_abs());
        let said =
            control.stop.map(|stop| (stop.mode.into(), format!("{} asked for it: {}", stop.who, stop.why)));
        // What is written from then on nobody would find.
        let project = &self.host.parts.project;
        let gone = (!project.is_dir()).then(|| (Phase::Stopping, format!("{} is gone", project.display())));
        let wishes: [Option<(Phase, String)>; 3] = [self.host.stop_file.wish(), said, gone];
        wishes.into_iter().flatten().max_by_key(|(phase, _)| *phase)
    }

    /// Ends the host when its work is over.
    async fn end_loop(self) {
        let mut seen = self.shared.changes.value();
        while self.phase() < Phase::Over {
            self.rest(&mut seen).await;
            match self.is_over().await {
                Ok(true) => self.host.shutdown.request(Phase::Over),
                Ok(false) => {}
                Err(error) => self.trouble("see what is left", &error),
            }
        }
    }

    async fn is_over(&self) -> Result<bool> {
        let driving = self.shared.busy.load(Ordering::SeqCst) > 0;
        match self.phase() {
            Phase::Over => return Ok(true),
            Phase::Stopping => return Ok(!driving),
            Phase::Working if !self.ends_by_itself() => return Ok(false),
            Phase::Working if self.shared.reads_again_soon() => return Ok(false),
            Phase::Working | Phase::Draining => {}
        }
        if driving || self.shared.idle_claims.load(Ordering::SeqCst) == 0 {
            return Ok(false);
        }
        let store = &self.host.parts.store;
        if self.is_awaited(&store.open_work().await?) {
            return Ok(false);
        }
        // That was a moment ago, and others may have put something back since. So the end is decided by what was so at one moment.
        match store.left_besides(self.request()).await? {
            None => {
                self.shared.changed();
                Ok(false)
            }
            // What a worker of this host has taken meanwhile came afterwards.
            Some(left) => Ok(!self.is_awaited(&left) && self.shared.busy.load(Ordering::SeqCst) == 0),
        }
    }

    /// Whether something comes by itself, or by what other hosts do, that this host may have to do. A run that nobody here drives is
    /// another host's, or comes back when the lease of a vanished one lapses.
    fn is_awaited(&self, work: &OpenWork) -> bool {
        // Who was told to stop leaves to others what they drive, or it would stay as long as they do; and who cannot follow a policy what is
        // to be judged by it.
        let stays = self.phase() < Phase::Draining;
        if work.driven > 0 {
            return stays;
        }
        let horizon = self.now().after(DRAIN_HORIZON);
        let comes_soon = |count: u64, at: Option<Timestamp>| count > 0 && at.is_none_or(|at| at <= horizon);
        (work.to_judge && (stays || !self.is_outdated()))
            || comes_soon(work.undelivered, work.next_delivery_at)
            || comes_soon(work.waiting.saturating_sub(work.listening), work.next_wake_at)
    }

    /// What a worker would ask for now.
    fn request(&self) -> ClaimRequest {
        let Wish { lanes, only_begun, only } =
            self.wish(self.phase() == Phase::Working && self.shared.has_permit());
        ClaimRequest {
            host: self.host.options.id.clone(),
            lease: self.host.leases.terms().length,
            lanes,
            new_run: self.host.parts.machine.new_run(),
            only_begun,
            only,
        }
    }

    fn ends_by_itself(&self) -> bool {
        self.host.options.drain || self.host.options.items.is_some()
    }
}

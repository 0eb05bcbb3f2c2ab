//! What a host tells those who watch it.
//!
//! A notice about something that was done is given after the transaction that made it so, never before: what a watcher sees is
//! true in the store.

use std::{collections::BTreeSet, time::Duration};

use tollgate_core::{
    HostId, Microcents, RunId, Timestamp,
    approval::Ask,
    course::End,
    effect::Delivered,
    pipeline::StepName,
    step::{Step, StepKey},
};
use tollgate_store::port::Rebuilt;

/// Something that a host did or found.
#[derive(Debug, Clone)]
pub enum Notice {
    /// The policy was applied, because it had changed.
    PolicyApplied {
        /// Its version.
        version: i64,
    },
    /// Another policy was applied since, and the host acts on it.
    PolicyFollowed {
        /// Its version.
        version: i64,
        /// Who applied it.
        who: String,
        /// The files that say something else on this host's disk, or are there or here alone.
        differ: Vec<String>,
    },
    /// Many entries are judged again, since a new day began, say.
    ScoredAgain {
        /// How many so far.
        entries: u64,
        /// Whether these are all.
        all: bool,
    },
    /// A source is about to be read.
    Pulling {
        /// The tracker.
        tracker: String,
    },
    /// A source was read.
    Pulled {
        /// The backlog.
        backlog: String,
        /// The tracker.
        tracker: String,
        /// Items read.
        items: usize,
        /// Entries that were not known before.
        created: usize,
        /// Entries that say something else than before.
        revised: usize,
        /// Entries that are gone.
        gone: usize,
        /// What was passed over: path and reason.
        skipped: Vec<(String, String)>,
        /// Items that were still being written: they are taken when they are read again.
        unsettled: usize,
        /// How long an item must have been still to be taken.
        settle: Duration,
    },
    /// The records of a tracker told of work that the store did not know.
    Rebuilt {
        /// The tracker.
        tracker: String,
        /// What came of them.
        rebuilt: Rebuilt,
    },
    /// A source could not be read.
    PullFailed {
        /// The backlog.
        backlog: String,
        /// The tracker.
        tracker: String,
        /// Why.
        reason: String,
    },
    /// A run was claimed.
    Claimed {
        /// Which run.
        run: RunId,
        /// Its entry's key.
        key: String,
        /// Its entry's title.
        title: String,
        /// Whether it had begun before.
        begun: bool,
    },
    /// A call begins.
    StepStarted {
        /// Which run.
        run: RunId,
        /// Its entry's key.
        key: String,
        /// Which call.
        step: StepKey,
    },
    /// Calls ended and are durable.
    StepsEnded {
        /// Which run.
        run: RunId,
        /// Its entry's key.
        key: String,
        /// The calls.
        steps: Vec<Step>,
    },
    /// A run waits and holds nothing.
    Waiting {
        /// Which run.
        run: RunId,
        /// Its entry's key.
        key: String,
        /// For what.
        reason: String,
        /// What a person is asked, when it waits for one.
        ask: Option<Ask>,
    },
    /// A run was given back in good order, or lost to another host.
    LetGo {
        /// Which run.
        run: RunId,
        /// Its entry's key.
        key: String,
        /// Why.
        reason: String,
    },
    /// A refine run is over, and what it found is known.
    Refined {
        /// Which run.
        run: RunId,
        /// Its entry's key.
        key: String,
        /// What it cost.
        cost: Microcents,
    },
    /// A run is over.
    Finished {
        /// Which run.
        run: RunId,
        /// Its entry's key.
        key: String,
        /// How.
        end: End,
        /// The last component that was called.
        last: Option<StepName>,
        /// What it cost.
        cost: Microcents,
    },
    /// A delivery was settled.
    Delivered {
        /// The entry's key.
        key: String,
        /// `record`, or the effect's kind.
        what: String,
        /// What became of it.
        became: Delivered,
    },
    /// A delivery will be tried again.
    DeliveryDelayed {
        /// The entry's key.
        key: String,
        /// `record`, or the effect's kind.
        what: String,
        /// Why.
        reason: String,
        /// When.
        until: Timestamp,
    },
    /// Leases of vanished hosts were taken back.
    Swept {
        /// How many runs.
        runs: usize,
        /// How many deliveries.
        deliveries: usize,
        /// The hosts that vanished.
        hosts: BTreeSet<HostId>,
    },
    /// A stop file was older than the host's start, and was removed.
    StaleStopFile {
        /// Where it was, relative to the project.
        path: String,
    },
    /// An item was put back whose run is over or unknown.
    PutBack {
        /// The entry's key.
        key: String,
        /// Where it is now, or why it stays.
        became: Delivered,
    },
    /// A cap has no room.
    CapReached {
        /// Which cap, in words.
        cap: String,
        /// When its next period begins.
        until: Timestamp,
    },
    /// The host is to stop.
    Stopping {
        /// Why, in words.
        reason: String,
    },
    /// The platform failed; the host goes on.
    Trouble {
        /// What was being done.
        doing: String,
        /// What went wrong.
        reason: String,
    },
}

/// Somebody who watches a host. Called from the loops: it must not wait.
pub trait Observer: Send + Sync {
    /// Takes a notice.
    fn notice(&self, notice: &Notice);
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Observer for Unwatched {
    fn notice(&self, _: &Notice) {}
}

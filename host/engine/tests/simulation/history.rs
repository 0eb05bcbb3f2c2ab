//! What happened in a world, as data. The checks are functions of it.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tollgate_core::{HostId, RunId, lease::Fence, run::Claim, step::StepKey};

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    /// Milliseconds since the world began.
    pub(crate) at_ms: u64,
    pub(crate) fact: Fact,
}

/// What happened. What a server did is noted there and then, whatever became of its answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fact {
    HostStarted {
        host: HostId,
        /// How many runs it may begin.
        runs: Option<u64>,
    },
    HostEnded {
        host: HostId,
        how: String,
    },
    HostPaused {
        host: HostId,
        for_ms: u64,
    },
    HostKilled {
        host: HostId,
        during: &'static str,
    },
    WallStepped {
        host: HostId,
        by_ms: i64,
    },
    StoreStepped {
        by_ms: i64,
    },
    Person {
        does: String,
        /// The key of what it concerns.
        about: Option<String>,
    },
    /// A person set the field of an entry.
    Set {
        key: String,
        weight: i64,
    },
    /// The store is lost. Of these items the trackers have records by which they are done.
    StoreLost {
        done: BTreeSet<String>,
    },
    /// The store gave a run to a host.
    Claimed {
        host: HostId,
        claim: Claim,
        key: String,
        /// What the entry said, where work on it begins with this claim.
        begins: Option<Said>,
    },
    /// The host has heard of it.
    Knows {
        host: HostId,
        run: RunId,
    },
    /// The store renewed what a host holds.
    Renewed {
        host: HostId,
        claims: Vec<Claim>,
    },
    /// The store took leases back.
    Swept {
        runs: Vec<RunId>,
    },
    /// The store took a driver's write, or refused it.
    Wrote {
        claim: Claim,
        what: Write,
        accepted: bool,
    },
    /// A capability is about to be asked by a guest: what leaves the process from here on cannot be called back.
    Asks {
        host: HostId,
        run: RunId,
        step: StepKey,
        call: u32,
    },
    /// A capability did what it was asked.
    Did {
        run: RunId,
        step: StepKey,
        call: u32,
        class: Class,
    },
    /// The store gave deliveries to a host.
    Took {
        host: HostId,
        deliveries: Vec<Taken>,
    },
    /// The record of a run is about to be sent to its tracker.
    Sends {
        host: HostId,
        run: RunId,
    },
    /// The store took back deliveries that a host has not settled.
    TookBack {
        deliveries: Vec<i64>,
    },
    /// A cap does not hold.
    CapBroken {
        which: String,
    },
}

/// What an entry said when work on it began. Not every policy asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Said {
    /// What refine stages saw, and what they would see.
    pub(crate) seen: Option<(i64, i64)>,
    /// What a person may set.
    pub(crate) weight: Option<i64>,
}

/// A delivery that a host was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) id: i64,
    pub(crate) fence: Fence,
    /// The run whose record it is.
    pub(crate) record_of: Option<RunId>,
}

/// What a driver writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Write {
    /// Steps, and the run goes on.
    GoOn,
    /// The run waits.
    Wait,
    /// The run is over.
    Finish,
    /// The run is given back.
    Release,
    /// More money is set aside.
    Reserve,
    /// Something is noted in the journal.
    Journal,
}

impl Write {
    /// Whether the claim ends with it.
    pub(crate) fn ends_claim(self) -> bool {
        matches!(self, Self::Wait | Self::Finish | Self::Release)
    }
}

/// What may be done when the answer of a capability is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Repeatable,
    Keyed,
    Unsafe,
}

/// The history of one world.
#[derive(Default)]
pub(crate) struct History {
    events: Mutex<Vec<Event>>,
    runs_ended: AtomicUsize,
}

impl History {
    pub(crate) fn note(&self, at_ms: u64, fact: Fact) {
        if matches!(fact, Fact::Wrote { what: Write::Finish, accepted: true, .. }) {
            self.runs_ended.fetch_add(1, Ordering::SeqCst);
        }
        self.lock().push(Event { at_ms, fact });
    }

    /// How many runs have ended so far.
    pub(crate) fn runs_ended(&self) -> usize {
        self.runs_ended.load(Ordering::SeqCst)
    }

    pub(crate) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>7} ms  {:?}", self.at_ms, self.fact)
    }
}

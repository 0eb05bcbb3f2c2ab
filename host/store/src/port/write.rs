//! What a driver writes.

use std::fmt;

use tollgate_core::{
    Digest, Microcents, RunId, Timestamp,
    approval::Ask,
    course::{EffectRef, End},
    effect::Effect,
    event::NewEvent,
    ledger::Cap,
    record::Record,
    refine::Refinement,
    run::Claim,
    step::Step,
};

use super::PausedCall;

/// Everything that changes when a driver reaches a durable point.
#[derive(Debug, Clone)]
pub struct RunWrite {
    /// The right to write.
    pub claim: Claim,
    /// A call that used up what it may use. It is charged, and the same attempt goes on later.
    pub paused: Option<PausedCall>,
    /// Steps that ended since the last write, oldest first. Their cost moves from escrow to settled.
    pub steps: Vec<Step>,
    /// Effects that may be delivered now.
    pub released: Vec<ReleasedEffect>,
    /// What happened besides, oldest first: `step-ended` and `rework`. The store itself appends what it does: `claimed`, `released`,
    /// `lease-lapsed`, `waiting`, `woken`, `delivered`, `finished`.
    pub events: Vec<NewEvent>,
    /// What the run does next.
    pub next: NextState,
}

impl RunWrite {
    /// What is done by it, as a verb.
    pub(crate) fn doing(&self) -> &'static str {
        match self.next {
            NextState::GoOn => "keep what a run did",
            NextState::Wait { .. } => "let a run wait",
            NextState::Finish { .. } => "end a run",
        }
    }
}

/// An effect that may be delivered.
#[derive(Debug, Clone)]
pub struct ReleasedEffect {
    /// Which effect of which step.
    pub reference: EffectRef,
    /// What is asked for.
    pub effect: Effect,
    /// For a change of the entry's state: the basis that the entry has when it is delivered and nothing else has changed. An entry
    /// that arrives with it has not changed since it was worked on.
    pub leaves: Option<Digest>,
}

/// What a run does next.
#[derive(Debug, Clone)]
pub enum NextState {
    /// The driver goes on.
    GoOn,
    /// It waits; the claim ends, and what is left of the escrow is returned.
    Wait {
        /// What wakes it.
        wakes: Vec<Wake>,
        /// A sentence for people.
        reason: String,
    },
    /// It is over; the claim ends, what is left of the escrow is returned, the entry gets its state, dependants whose last
    /// condition is lifted become ready, and the record enters the outbox with the head of the chain in it.
    ///
    /// The store fills [`Record::chain`] and `entry.changed_since`, and appends the `finished` event with the record's digest.
    Finish {
        /// How it ended.
        end: End,
        /// The account of it, without its chain.
        record: Box<Record>,
        /// Whether the tracker is to be told afterwards that the run left the entry.
        leaves_entry: bool,
        /// Of a refine run, what came of it: the entry is to be judged again, and the record stays in the store.
        refinement: Option<Box<Refinement>>,
    },
}

/// Something that ends a wait. Whichever comes first does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wake {
    /// A time.
    At(Timestamp),
    /// All these effects are delivered or refused. Those that are already count.
    Delivered(Vec<EffectRef>),
    /// What the last call that was written asked to wait for, as its step says.
    Asked,
    /// Room for so much in the budgets of the runs that pay for it.
    Paid(Microcents),
    /// A person's word, by [`Store::decide`](super::Store::decide).
    Approval(Box<Ask>),
}

/// Whether more money was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EscrowAnswer {
    /// It was.
    Reserved,
    /// A cap has no room.
    CapReached {
        /// Which cap.
        cap: Cap,
        /// When its next period begins.
        until: Timestamp,
    },
    /// The budget of a run that pays for it has no room; this may be the run itself, which pays for what it opened.
    BudgetReached(Short),
}

/// Too little room in the budget of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Short {
    /// Which run.
    pub run: RunId,
    /// The key of its entry.
    pub key: String,
    /// What it has left.
    pub room: Microcents,
    /// What is to be set aside.
    pub needed: Microcents,
}

impl fmt::Display for Short {
    /// Fits after “it waits: ”.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { run, key, room, needed } = self;
        let missing = needed.saturating_sub(*room);
        write!(
            f,
            "the budget of {key} pays for what its run {run} opened, has {room} left, and this sets {needed} aside; \
             `tollgate approve {key} --add 'cost={missing}'` makes room"
        )
    }
}

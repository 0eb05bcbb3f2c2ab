//! What the store knows: facts, and nothing that follows from them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tollgate_core::{
    Digest, EntryId, HostId, LaneId, Microcents, RunId, StoreId, Timestamp,
    adoption::Adoption,
    approval::{Ask, Decision},
    cancel::Cancellation,
    course::EffectRef,
    effect::{Delivered, Effect},
    entry::{DependencyRule, EntryName, EntrySnapshot, EntryState, Hold, Link},
    event::{ChainHead, Event},
    id::DeliveryId,
    item::SourceItem,
    journal::{Answer, Begun, Intent},
    late::Late,
    lease::Fence,
    ledger::Cap,
    pins::Pins,
    rank::RankKey,
    record::{OrderFacts, Record},
    run::{RunKind, RunState},
    step::{Step, StepKey},
    wait::Wait,
};

use super::table::{CapNo, ReadingNo, RunNo, SignalNo, Table};
use crate::port::{Admission, Control, FoundAccount, Known, NewSignal, PlaceInLane, PolicyFile};

/// All of it.
#[derive(Clone)]
pub(super) struct State {
    pub(super) store: StoreId,
    /// The time of the transaction; never earlier than that of any before.
    pub(super) now: Timestamp,
    /// The virtual time that was served last.
    pub(super) served: i64,
    pub(super) policies: Vec<Arc<PolicyVersion>>,
    pub(super) pins: BTreeMap<Digest, Arc<Pins>>,
    /// What a claim under some pins sets aside.
    pub(super) tranches: BTreeMap<Digest, Microcents>,
    /// The names of all plugins that some pins ever named.
    pub(super) plugins: BTreeMap<Digest, String>,
    pub(super) lanes: Table<LaneId, Lane>,
    pub(super) caps: Table<CapNo, KnownCap>,
    /// What was spent under a cap, by the label of the period.
    pub(super) spent: BTreeMap<(CapNo, String), Spent>,
    pub(super) snapshots: BTreeMap<Digest, Arc<EntrySnapshot>>,
    pub(super) entries: Table<EntryId, Entry>,
    pub(super) readings: Table<ReadingNo, SourceReading>,
    /// Who scores a backlog again, and until when that is believed.
    pub(super) rescorings: BTreeMap<i64, Timestamp>,
    /// When entries were let in, or will be, by backlog and by what is counted.
    pub(super) intake: Vec<(String, String, Timestamp)>,
    pub(super) runs: Table<RunNo, Run>,
    /// How many steps there are in all, by which they are in order across runs.
    pub(super) steps: u64,
    pub(super) outbox: Table<DeliveryId, Parcel>,
    pub(super) signals: Table<SignalNo, Signal>,
    /// What trackers told of work that no entry has taken up yet.
    pub(super) accounts: Vec<Account>,
    /// Trackers whose records have been read.
    pub(super) read_records: BTreeSet<String>,
    pub(super) control: Control,
}

#[derive(Clone)]
pub(super) struct PolicyVersion {
    pub(super) digest: Digest,
    pub(super) who: String,
    pub(super) why: String,
    pub(super) files: Vec<PolicyFile>,
    pub(super) at: Timestamp,
}

#[derive(Clone)]
pub(super) struct Lane {
    pub(super) backlog: String,
    pub(super) pipeline: String,
    pub(super) kind: RunKind,
    pub(super) pins: Digest,
    pub(super) open: bool,
    /// Its virtual time: how often it was served, and not less than what it could not save up.
    pub(super) vtime: i64,
}

#[derive(Clone)]
pub(super) struct KnownCap {
    pub(super) cap: Cap,
    pub(super) active: bool,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Spent {
    pub(super) settled: Microcents,
    pub(super) overdraft: Microcents,
}

#[derive(Clone)]
pub(super) struct SourceReading {
    pub(super) backlog: String,
    pub(super) tracker: String,
    pub(super) begun_at: Timestamp,
    /// Whether it was complete, once it has ended.
    pub(super) ended: Option<bool>,
}

#[derive(Clone)]
pub(super) struct Entry {
    pub(super) name: EntryName,
    pub(super) backlog: String,
    pub(super) life: Life,
    pub(super) closed: bool,
    pub(super) revision: Digest,
    pub(super) basis: Digest,
    /// The basis of which done is said.
    pub(super) worked: Option<Digest>,
    pub(super) adopted: bool,
    pub(super) depends: DependencyRule,
    /// What came in last, unless something else became known since.
    pub(super) last: Option<Box<Received>>,
    pub(super) rounds: u32,
    pub(super) title: String,
    pub(super) url: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) first_seen_at: Timestamp,
    pub(super) item: SourceItem,
    pub(super) known: Known,
    /// What sources and openers say.
    pub(super) links: Vec<Link>,
    /// The earlier entry that says the same.
    pub(super) likeness: Option<Link>,
    /// Reasons that stay until somebody or something lifts them, in the order in which people read them.
    pub(super) holds: Vec<KeptHold>,
    pub(super) place: Option<Place>,
    /// The last reading in which it was seen.
    pub(super) seen: Option<ReadingNo>,
    pub(super) opened: Option<OpenedBy>,
    /// By what later ones are found to be like it, and in which backlog.
    pub(super) sketch: Option<(String, BTreeSet<i64>)>,
    /// What it or its run waits for.
    pub(super) unfunded: Option<Unfunded>,
}

/// Where an entry is in its life. Whether one that waits is held or ready follows from what is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    Waits,
    Stands(EntryState),
}

/// What of an arrival can be new.
#[derive(Clone, PartialEq)]
pub(super) struct Received {
    pub(super) revision: Digest,
    pub(super) backlog: String,
    pub(super) item: SourceItem,
    pub(super) depends: DependencyRule,
    pub(super) links: Vec<Link>,
    pub(super) admission: Admission,
}

/// Who gives a reason, in the order in which people read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum HeldBy {
    Person,
    /// Nobody yet: what the policy says is out of date.
    Judging,
    Policy,
    Guard,
    Budget,
    Cancellation,
}

#[derive(Clone)]
pub(super) struct KeptHold {
    pub(super) by: HeldBy,
    pub(super) hold: Hold,
    pub(super) since: Timestamp,
}

#[derive(Clone)]
pub(super) struct Place {
    pub(super) in_lane: Option<PlaceInLane>,
    /// When the policy says something else.
    pub(super) due_at: Option<Timestamp>,
    /// Where the entry stands that was scored again, and has not been put in order.
    pub(super) former_key: Option<RankKey>,
}

/// An entry that lives in the store alone.
#[derive(Clone)]
pub(super) struct OpenedBy {
    pub(super) backlog: String,
    pub(super) fingerprint: String,
    pub(super) opener: Option<OpenedByRun>,
}

#[derive(Clone, Copy)]
pub(super) struct OpenedByRun {
    pub(super) run: RunNo,
    pub(super) parent: EntryId,
    /// The entry that no run opened, from which openings lead here.
    pub(super) first: EntryId,
    pub(super) depth: u32,
}

/// What waits until a run that pays has so much room.
#[derive(Clone, Copy)]
pub(super) struct Unfunded {
    pub(super) payer: RunNo,
    /// The run that waits; none where the entry does.
    pub(super) run: Option<RunNo>,
    pub(super) amount: Microcents,
}

#[derive(Clone)]
pub(super) struct Run {
    pub(super) id: RunId,
    pub(super) entry: EntryId,
    pub(super) lane: LaneId,
    pub(super) backlog: String,
    pub(super) pipeline: String,
    pub(super) kind: RunKind,
    pub(super) round: u32,
    pub(super) title: String,
    pub(super) revision: Digest,
    pub(super) pins: Digest,
    pub(super) rank_key: RankKey,
    pub(super) order: OrderFacts,
    pub(super) state: RunState,
    pub(super) reason: Option<String>,
    pub(super) fence: Fence,
    pub(super) host: HostId,
    pub(super) lease_until: Option<Timestamp>,
    pub(super) crashes: u32,
    /// Hosts whose lease on it lapsed, and of which nobody has heard since.
    pub(super) lost: Vec<HostId>,
    pub(super) started_at: Timestamp,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) cost: Microcents,
    /// What it may still spend, and of that what was set aside under each cap, by the period in which it was.
    pub(super) escrow: Microcents,
    pub(super) set_aside: BTreeMap<(CapNo, String), Microcents>,
    pub(super) chain: ChainHead,
    pub(super) events: Vec<Event>,
    pub(super) rebuilt: bool,
    /// Whether it was said of its events that they are packed.
    pub(super) packed: bool,
    /// The run that opened its entry.
    pub(super) payer: Option<RunNo>,
    /// Its steps, each with its place among those of all runs.
    pub(super) steps: Vec<(u64, Step)>,
    pub(super) attempts: BTreeMap<StepKey, Attempt>,
    pub(super) inbox: Vec<Letter>,
    /// The last signal that its next call does not hear of.
    pub(super) heard: SignalNo,
    /// The call that asked to wait.
    pub(super) asked: Option<AskedWait>,
    pub(super) wakes: Wakes,
    /// The entries that it opened.
    pub(super) children: BTreeSet<EntryId>,
    /// What drivers brought after they had lost it.
    pub(super) late: Vec<Late>,
}

#[derive(Clone)]
pub(super) struct Attempt {
    pub(super) plugin: Digest,
    pub(super) begun: Begun,
    pub(super) charged: Microcents,
    pub(super) calls: BTreeMap<u32, Call>,
}

#[derive(Clone)]
pub(super) struct Call {
    pub(super) intent: Intent,
    pub(super) answer: Option<Answer>,
    /// Whether its answer is awaited.
    pub(super) open: bool,
}

/// A person's word to a run.
#[derive(Clone)]
pub(super) struct Letter {
    pub(super) word: LetterWord,
    pub(super) applied: bool,
}

#[derive(Clone)]
pub(super) enum LetterWord {
    Decision(Decision),
    Cancel(Cancellation),
}

#[derive(Clone)]
pub(super) struct AskedWait {
    pub(super) step: StepKey,
    /// Signals after this one end it.
    pub(super) since: SignalNo,
    pub(super) wait: Wait,
}

/// What ends the wait of a run; nothing, when it waits for nothing.
#[derive(Clone, Default)]
pub(super) struct Wakes {
    pub(super) times: BTreeSet<Timestamp>,
    pub(super) signals: BTreeSet<String>,
    /// Conditions: each is met when all its deliveries are settled.
    pub(super) deliveries: Vec<Vec<DeliveryId>>,
    pub(super) children: bool,
    pub(super) ask: Option<Ask>,
}

/// Something in the outbox.
#[derive(Clone)]
pub(super) struct Parcel {
    /// The run that it comes from; none for an adoption.
    pub(super) run: Option<RunNo>,
    pub(super) entry: EntryId,
    pub(super) content: Content,
    /// Of a published file, its path and what is in it.
    pub(super) file: Option<(String, Option<Digest>)>,
    /// The basis that the entry has once it is delivered.
    pub(super) leaves: Option<Digest>,
    pub(super) way: Way,
    pub(super) fence: Fence,
    pub(super) next_at: Timestamp,
    pub(super) failures: u32,
    pub(super) ambiguous: bool,
}

#[derive(Clone)]
pub(super) enum Content {
    Effect { reference: EffectRef, effect: Effect },
    Record(Box<Record>),
    Adopted(Box<Adoption>),
    Leave(RunState),
}

/// How far a parcel is on its way.
#[derive(Clone, PartialEq)]
pub(super) enum Way {
    Waiting,
    Sending { host: HostId, lease_until: Timestamp },
    Settled { became: Delivered, at: Timestamp },
}

#[derive(Clone)]
pub(super) struct Signal {
    pub(super) run: Option<RunNo>,
    pub(super) said: NewSignal,
}

#[derive(Clone)]
pub(super) struct Account {
    pub(super) tracker: String,
    pub(super) at: Timestamp,
    pub(super) found: FoundAccount,
}

impl State {
    pub(super) fn new(store: StoreId, now: Timestamp) -> Self {
        Self {
            store,
            now,
            served: 0,
            policies: Vec::new(),
            pins: BTreeMap::new(),
            tranches: BTreeMap::new(),
            plugins: BTreeMap::new(),
            lanes: Table::default(),
            caps: Table::default(),
            spent: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            entries: Table::default(),
            readings: Table::default(),
            rescorings: BTreeMap::new(),
            intake: Vec::new(),
            runs: Table::default(),
            steps: 0,
            outbox: Table::default(),
            signals: Table::default(),
            accounts: Vec::new(),
            read_records: BTreeSet::new(),
            control: Control::default(),
        }
    }
}

//! What the engine asks of a store.

mod adopt;
mod archive;
mod cancel;
mod claim;
mod escalation;
mod intake;
mod journal;
mod opening;
mod outbox;
mod policy;
mod rebuild;
mod report;
mod signal;
mod write;

use async_trait::async_trait;
use tollgate_core::{
    EntryId, HostId, RunId, StoreId, Timestamp,
    approval::Decision,
    entry::{EntryName, EntrySnapshot, EntryStatus},
    journal::{Answer, Attempt},
    pins::Pins,
    pipeline::StepName,
    run::{Claim, RunSummary},
    step::StepKey,
};

pub use adopt::{AdoptionOutcome, NewAdoption, StoredAdoption};
pub use archive::{About, Archive, ExportSummary, KnownHost, Moved, SchemaVersion, Sink, Source};
pub use cancel::{Cancelled, NewCancellation};
pub use claim::{ClaimOutcome, ClaimRequest, ClaimedRun, Sweep};
pub use escalation::{Escalation, EscalationFilter};
pub use intake::{
    Admission, Arrival, Change, Displaced, Guard, KeptBy, Known, NewFieldValue, OnChange, PlaceInLane, Rate,
    Reading, Reconciled, Rejudged, RescoreItem, Rescored, Rescoring, Says,
};
pub use journal::{History, NewDecision, NewIntent, PausedCall};
pub use opening::{Child, Opened, OpenedHow, Opener, Opening};
pub use outbox::{Delivery, DeliveryKind, DeliveryOutcome, DeliveryTicket};
pub use policy::{AppliedPolicy, CapBalanceReport, Lane, LaneSpec, PolicyApplication, PolicyFile};
pub use rebuild::{FoundAccount, PriorAccount, Rebuilt};
pub use report::{
    Begun, Control, Coverage, EntryDetail, EntryFilter, Family, LaneHead, LinkStatus, NamedEntry, Page,
    RunDetail, RunFilter, Standing, StopRequest, StoredItem,
};
pub use signal::NewSignal;
pub use tollgate_core::StopMode;
pub use write::{EscrowAnswer, NextState, ReleasedEffect, RunWrite, Short, Wake};

use crate::StoreError;

/// What every method returns.
pub type Result<T> = std::result::Result<T, StoreError>;

/// The state of a backlog and of everything that was done with it.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The id that this store got when it was made.
    fn id(&self) -> StoreId;

    /// The time by the store's clock.
    async fn now(&self) -> Result<Timestamp>;

    /// Waits until another process may have changed what hosts look for: a hint, for one listener, that may come for nothing or not at all.
    /// A store that has none to give waits for ever.
    async fn changed(&self) {
        std::future::pending().await
    }

    // Policy.

    /// Makes a policy the applied one: its lanes and caps are there afterwards, lanes that it does not name are closed, and the
    /// version counts up. Applying what is applied already changes nothing.
    async fn apply_policy(&self, application: PolicyApplication) -> Result<AppliedPolicy>;

    /// The applied policy; none before the first.
    async fn applied_policy(&self) -> Result<Option<AppliedPolicy>>;

    /// The pins that some lane or run names.
    async fn pins(&self, digest: tollgate_core::Digest) -> Result<Pins>;

    // Intake.

    /// Takes arrivals in, in their order: entries are made, changed or left alone; links, holds and places are set; dependants
    /// whose last condition is lifted become ready. `reconcile` is the number from [`Store::begin_reconcile`].
    ///
    /// An entry that is busy keeps its place, and its new text for later. One that is done, failed or escalated comes back only
    /// when its revision changed and the arrival's [`OnChange`] says so.
    async fn admit(&self, reconcile: i64, arrivals: Vec<Arrival>) -> Result<Vec<Change>>;

    /// Makes an entry that lives in this store alone, unless one of its fingerprint is there.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] with a sentence's fragment when it is not made: its key is another's, it would wait for itself, or
    /// it is too far from an entry that no run opened.
    async fn open_entry(&self, opening: Opening) -> Result<Opened>;

    /// When the entries with these keys were first seen; those that never were are left out.
    async fn first_seen(
        &self,
        tracker: &str,
        keys: Vec<String>,
    ) -> Result<std::collections::HashMap<String, Timestamp>>;

    /// What is known of the entries with these keys besides what their sources say; those of which nothing is are left out.
    async fn known(
        &self,
        tracker: &str,
        keys: Vec<String>,
    ) -> Result<std::collections::HashMap<String, Known>>;

    /// Begins to read a source in full.
    async fn begin_reconcile(&self, backlog: &str, tracker: &str) -> Result<i64>;

    /// Ends it. When the source was read in full, entries of this backlog and tracker that were absent from this reconcile and
    /// the full one before become gone; their dependants are held. An entry whose own place could not be read is not absent.
    async fn finish_reconcile(&self, reconcile: i64, reading: Reading) -> Result<Reconciled>;

    /// Lifts holds whose time has come and wakes runs whose time has come; how many of both.
    async fn lift_due(&self) -> Result<u64>;

    /// Entries that wait and of which the policy says something else by now, the longest due first; those after one, if it is named by
    /// when it is due and its number.
    async fn due_for_rescoring(
        &self,
        after: Option<(Timestamp, EntryId)>,
        limit: u32,
    ) -> Result<Vec<RescoreItem>>;

    /// The same by their numbers: those after one, if it is named.
    async fn due_by_number(&self, after: Option<EntryId>, limit: u32) -> Result<Vec<RescoreItem>>;

    /// Gives waiting entries new places; entries that stopped waiting meanwhile are left alone, and so are those of which something
    /// else is known by now.
    async fn rescore(&self, items: Vec<Rejudged>) -> Result<u64>;

    /// Begins to score so many entries again that they are put in order when all are judged. Until [`Store::end_rescoring`] somebody else
    /// can find out that they are not, and see to it.
    async fn begin_rescoring(&self) -> Result<Rescoring>;

    /// As [`Store::rescore`], but entries that only move within their lanes stand where they do until they are put in order.
    async fn rescore_apart(&self, rescoring: Rescoring, items: Vec<Rejudged>) -> Result<Rescored>;

    /// In which order it keeps what is ready.
    fn keeps_ready_by(&self) -> KeptBy {
        KeptBy::Key
    }

    /// Puts entries where their places are, those of them that stand where they did before: claimed meanwhile, held or moved otherwise they
    /// do not. It is done the faster the nearer to each other those are kept that come one after the other
    /// ([`Store::keeps_ready_by`]).
    async fn put_in_order(&self, rescoring: Rescoring, displaced: Vec<Displaced>) -> Result<()>;

    /// Ends it: all who were displaced are in order.
    async fn end_rescoring(&self, rescoring: Rescoring) -> Result<()>;

    /// Those of whom nothing was heard for so long that whoever began them is not going to end them.
    async fn lapsed_rescorings(&self) -> Result<Vec<Rescoring>>;

    /// Entries that do not stand at their places, by their numbers; those after one, if it is named.
    async fn displaced(&self, after: Option<EntryId>, limit: u32) -> Result<Vec<Displaced>>;

    /// Adopts entries, in their order and all at once: each is done of the revision that it says now, with its evidence. Those that
    /// may not be adopted are left alone.
    async fn adopt(&self, adoptions: Vec<NewAdoption>) -> Result<Vec<AdoptionOutcome>>;

    /// Whether the records of a tracker have been read; see [`Store::rebuild`].
    async fn has_read_records(&self, tracker: &str) -> Result<bool>;

    /// Takes over what the records of a tracker tell of work that this store does not know: entries are over that wait, and those
    /// that come later are over when they are made. An entry with something that does not verify is held for a person. `complete`
    /// says that every item was there to be matched; else the records are to be read again.
    async fn rebuild(&self, tracker: &str, accounts: Vec<FoundAccount>, complete: bool) -> Result<Rebuilt>;

    // Claims and leases.

    /// Claims the first of the open lanes: a begun run that can go on, or a new run that is born, pinned and paid for now.
    async fn claim(&self, request: ClaimRequest) -> Result<ClaimOutcome>;

    /// What is left to do beside what this request would claim; none when it would claim something. Both are of one moment, so that a host
    /// which finds nothing may end: what others have in hand at that moment is counted, and what they had before can be claimed.
    async fn left_besides(&self, request: ClaimRequest) -> Result<Option<OpenWork>>;

    /// Renews all leases of a host; those that it still holds.
    async fn renew_leases(&self, host: &HostId, lease: std::time::Duration) -> Result<Vec<Claim>>;

    /// Gives a claim back in good order: the run goes on later, here or elsewhere, and it counts as no crash.
    async fn release(&self, claim: Claim, reason: &str) -> Result<()>;

    /// Returns runs whose lease has lapsed to their lanes, with a raised fence, and deliveries whose lease has lapsed to the outbox, marked
    /// ambiguous. The host of such a run is one that it lost, until the host is heard of again.
    async fn sweep(&self) -> Result<Sweep>;

    // A driver's writes.

    /// Steps, costs, effects, events and the next state of a run, all at once.
    async fn write(&self, write: RunWrite) -> Result<()>;

    /// Sets more money aside for a run.
    async fn reserve(&self, claim: Claim, amount: tollgate_core::Microcents) -> Result<EscrowAnswer>;

    // The journal.

    /// What an attempt of a step was handed, asked and was told so far; none when it neither asked anything nor paused.
    async fn attempt(&self, run: RunId, step: &StepKey) -> Result<Option<Attempt>>;

    /// Makes an intent durable and sets its largest cost aside, or says that a cap has no room; then nothing is changed.
    ///
    /// An intent whose answer was lost may be sent once more; one that was answered may not.
    async fn journal_intend(&self, intent: NewIntent) -> Result<EscrowAnswer>;

    /// Makes the answer to the last intent durable, and moves what it cost from escrow to settled.
    async fn journal_answer(&self, claim: Claim, step: &StepKey, call: u32, answer: Answer) -> Result<()>;

    /// Takes back an intent that nobody has begun to act on. What was set aside for it stays so until the run rests.
    async fn journal_withdraw(&self, claim: Claim, step: &StepKey, call: u32) -> Result<()>;

    /// What earlier calls of a component used that did what they were called for.
    async fn history(
        &self,
        pipeline: &str,
        component: &StepName,
        plugin: tollgate_core::Digest,
    ) -> Result<History>;

    // The outbox.

    /// Takes up to `max` deliveries, the oldest of each target and no two of one target, and marks them as sending.
    async fn take_deliveries(
        &self,
        host: &HostId,
        lease: std::time::Duration,
        max: u32,
    ) -> Result<Vec<Delivery>>;

    /// Says what became of deliveries. A run that waited for the last of its effects is claimable again. Deliveries whose fence
    /// is stale are left alone and returned.
    ///
    /// What became of a delivery enters the chain of its run only while the run is alive: the record of a run that is over carries
    /// the head of its chain, so nothing is added to it any more.
    async fn settle_deliveries(
        &self,
        outcomes: Vec<(DeliveryTicket, DeliveryOutcome)>,
    ) -> Result<Vec<tollgate_core::id::DeliveryId>>;

    // A person's word.

    /// Asks every host to stop.
    async fn stop(&self, request: StopRequest) -> Result<()>;

    /// Lets hosts go on.
    async fn resume(&self) -> Result<()>;

    /// What hosts were asked.
    async fn control(&self) -> Result<Control>;

    /// Notes a person's word on a field of an entry, which is judged again where it waits.
    async fn set_field(&self, entry: EntryId, new: NewFieldValue) -> Result<()>;

    /// Makes a done, failed or escalated entry wait for a new round, and one that could not be refined wait to be refined.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when it is in another state.
    async fn retry(&self, entry: EntryId, who: &str, reason: &str) -> Result<()>;

    /// Lifts what [`Guard`] holds an entry for.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when it holds it for nothing.
    async fn let_in(&self, entry: EntryId, who: &str, why: &str) -> Result<()>;

    /// Answers what a run asks. Its next driver applies the answer; the run waits no longer.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when it asks nothing.
    async fn decide(&self, run: RunId, decision: NewDecision) -> Result<Decision>;

    /// Ends a run that is under way, and all that its runs led to: live runs are cancelled, entries that were not begun are held. The
    /// next driver of each run writes its record; a wait ends at once.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when it is not under way, or was cancelled before.
    async fn cancel(&self, run: RunId, new: NewCancellation) -> Result<Cancelled>;

    /// The claims of a host whose runs were cancelled since: it gives them back, and whoever claims them ends them.
    async fn cancellations(&self, host: &HostId) -> Result<Vec<Claim>>;

    /// Says that something happened, and ends the waits for it; how many. It is kept: a call that was under way already, and waits for it
    /// afterwards, finds it.
    async fn signal(&self, signal: NewSignal) -> Result<u64>;

    /// Packs the events of runs that were over by then, up to `max` of them, so that they take less room; of how many. They are read as
    /// before.
    async fn pack_events(&self, over_by: Timestamp, max: u32) -> Result<u64>;

    // Reports. None of them changes anything.

    /// Entries, by lane and place for those that wait, then by id.
    async fn entries(&self, filter: EntryFilter) -> Result<Page<EntryStatus>>;

    /// One entry by its key; an ambiguous key (in several trackers) is an error that names them.
    async fn entry(&self, key: &str, tracker: Option<&str>) -> Result<EntryDetail>;

    /// What entries are called, by id: up to `limit` of those after `after`.
    async fn names(&self, after: Option<EntryId>, limit: u32) -> Result<Vec<NamedEntry>>;

    /// Entries and what their sources said last, by id: up to `limit` of those after `after`.
    async fn items(&self, after: Option<EntryId>, limit: u32) -> Result<Vec<StoredItem>>;

    /// The same of internal entries that wait.
    async fn internal_items(&self, after: Option<EntryId>, limit: u32) -> Result<Vec<StoredItem>>;

    /// Those that wait for their turn in one lane, in their order: up to `limit`.
    async fn items_of_lane(&self, backlog: &str, pipeline: &str, limit: u32) -> Result<Vec<StoredItem>>;

    /// Entries by their numbers, in the order of these; numbers that no entry has are left out.
    async fn entries_by_id(&self, ids: Vec<EntryId>) -> Result<Vec<EntryStatus>>;

    /// Entries that work had begun on at a time, by number.
    async fn begun_by(&self, when: Timestamp) -> Result<Vec<Begun>>;

    /// What an entry said at a revision.
    async fn snapshot(&self, revision: tollgate_core::Digest) -> Result<EntrySnapshot>;

    /// Runs, newest first.
    async fn runs(&self, filter: RunFilter) -> Result<Page<RunSummary>>;

    /// One run with all that is known of it.
    async fn run(&self, id: RunId) -> Result<RunDetail>;

    /// What waits for a person, the longest first.
    async fn escalations(&self, filter: EscalationFilter) -> Result<Page<Escalation>>;

    /// The newest run that worked on an entry.
    async fn newest_run(&self, entry: &EntryName) -> Result<Option<RunId>>;

    /// Every run's id, oldest first: what an audit goes through.
    async fn run_ids(&self) -> Result<Vec<RunId>>;

    /// Every adoption, oldest first.
    async fn adoptions(&self) -> Result<Vec<StoredAdoption>>;

    /// How much of each backlog is in which state.
    async fn coverage(&self) -> Result<Vec<Coverage>>;

    /// How many entries wait, and how many runs are alive: whether there is anything left to do.
    async fn open_work(&self) -> Result<OpenWork>;

    /// Where every cap stands in its present period.
    async fn cap_balances(&self) -> Result<Vec<CapBalanceReport>>;
}

/// What there is left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OpenWork {
    /// Places in lanes: entries that wait and begun runs that can go on.
    pub ready: u64,
    /// Runs that some host drives.
    pub driven: u64,
    /// Runs that wait for something that comes by itself: a time, a delivery.
    pub waiting: u64,
    /// Runs that wait for a person.
    pub asking: u64,
    /// Of those that wait: for an event alone, which comes from outside or never.
    pub listening: u64,
    /// Whether an entry waits for nothing but to be judged.
    pub to_judge: bool,
    /// The time of the first wake among them, where one is known.
    pub next_wake_at: Option<Timestamp>,
    /// Deliveries that are not settled.
    pub undelivered: u64,
    /// The time of the first retry among them.
    pub next_delivery_at: Option<Timestamp>,
}

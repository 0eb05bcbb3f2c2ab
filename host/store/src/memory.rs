//! A store in plain maps: the model that every other store is compared with, and the store of simulated hosts.
//!
//! Properties wanted:
//!
//! 1. It is written from the contract in [`port`](crate::port) and shares no rule with the stores in databases, so that a mistake in
//!    one account of the rules shows as a difference from the other. Nouns of `core` that have tests of their own (rank keys, chains,
//!    balances, likeness) are the same.
//! 2. It can be seen to be right: only facts are kept ([`State`]), and whatever follows from them (whether an entry may run, the order
//!    of a lane, what is set aside under a cap, who waits for whom) is computed when it is asked for, by looking through everything.
//! 3. It is deterministic: no thread, no clock and no number of its own, and every future is ready when it is first polled.
//! 4. Each method that changes something does so to a copy, which takes the place of the state when it succeeded.
//!
//! Nothing of it lasts longer than the process, and it is no part of the program: the feature `memory` is for tests.

mod adopt;
mod claim;
mod drive;
mod escalation;
mod family;
mod guard;
mod intake;
mod journal;
mod late;
mod ledger;
mod opening;
mod outbox;
mod people;
mod policy;
mod readiness;
mod reading;
mod rebuild;
mod report;
mod rescore;
mod run;
mod state;
mod table;
mod wait;
mod words;

use std::{
    collections::HashMap,
    fmt::Display,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tollgate_core::{
    Clock, Digest, EntryId, HostId, Microcents, RunId, StoreId, Timestamp,
    approval::Decision,
    entry::{EntryName, EntrySnapshot, EntryStatus},
    id::DeliveryId,
    journal::{Answer, Attempt},
    pins::Pins,
    pipeline::StepName,
    run::{Claim, RunSummary},
    step::StepKey,
};

use self::state::State;
use crate::{
    StoreError,
    port::{
        AdoptionOutcome, AppliedPolicy, Arrival, Begun, Cancelled, CapBalanceReport, Change, ClaimOutcome,
        ClaimRequest, Control, Coverage, Delivery, DeliveryOutcome, DeliveryTicket, Displaced, EntryDetail,
        EntryFilter, Escalation, EscalationFilter, EscrowAnswer, FoundAccount, History, Known, NamedEntry,
        NewAdoption, NewCancellation, NewDecision, NewFieldValue, NewIntent, NewSignal, OpenWork, Opened,
        Opening, Page, PolicyApplication, Reading, Rebuilt, Reconciled, Rejudged, RescoreItem, Rescored,
        Rescoring, Result, RunDetail, RunFilter, RunWrite, StopRequest, Store, StoredAdoption, StoredItem,
        Sweep,
    },
};

/// A store in plain maps.
pub struct MemoryStore {
    id: StoreId,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

impl MemoryStore {
    /// An empty store with this id and clock. It never acts on an earlier time than it has acted on.
    pub fn new(id: StoreId, clock: Arc<dyn Clock>) -> Self {
        let state = Mutex::new(State::new(id, clock.now()));
        Self { id, clock, state }
    }

    /// The state at the present time.
    fn at_present(&self) -> MutexGuard<'_, State> {
        // A change that panicked was made to a copy.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.now = state.now.max(self.clock.now());
        state
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        let mut state = self.at_present();
        let mut next = state.clone();
        let answer = change(&mut next)?;
        next.tell_parents();
        next.leave_former_places();
        *state = next;
        Ok(answer)
    }
}

fn not_found(what: &'static str, name: impl Display) -> StoreError {
    StoreError::NotFound { what, name: name.to_string() }
}

fn conflict(text: String) -> StoreError {
    StoreError::Conflict(text)
}

#[async_trait]
impl Store for MemoryStore {
    fn id(&self) -> StoreId {
        self.id
    }

    async fn now(&self) -> Result<Timestamp> {
        Ok(self.at_present().now)
    }

    async fn apply_policy(&self, application: PolicyApplication) -> Result<AppliedPolicy> {
        self.change(|state| state.apply_policy(application))
    }

    async fn applied_policy(&self) -> Result<Option<AppliedPolicy>> {
        Ok(self.at_present().applied_policy())
    }

    async fn pins(&self, digest: Digest) -> Result<Pins> {
        self.at_present().pins(digest).map(Arc::unwrap_or_clone)
    }

    async fn admit(&self, reconcile: i64, arrivals: Vec<Arrival>) -> Result<Vec<Change>> {
        self.change(|state| state.admit(reconcile, &arrivals))
    }

    async fn open_entry(&self, opening: Opening) -> Result<Opened> {
        self.change(|state| state.open(opening))
    }

    async fn first_seen(&self, tracker: &str, keys: Vec<String>) -> Result<HashMap<String, Timestamp>> {
        Ok(self.at_present().first_seen(tracker, keys))
    }

    async fn known(&self, tracker: &str, keys: Vec<String>) -> Result<HashMap<String, Known>> {
        Ok(self.at_present().known(tracker, keys))
    }

    async fn begin_reconcile(&self, backlog: &str, tracker: &str) -> Result<i64> {
        self.change(|state| Ok(state.begin_reading(backlog, tracker)))
    }

    async fn finish_reconcile(&self, reconcile: i64, reading: Reading) -> Result<Reconciled> {
        self.change(|state| state.finish_reading(reconcile, &reading))
    }

    async fn lift_due(&self) -> Result<u64> {
        self.change(|state| Ok(state.lift_due()))
    }

    async fn due_for_rescoring(
        &self,
        after: Option<(Timestamp, EntryId)>,
        limit: u32,
    ) -> Result<Vec<RescoreItem>> {
        Ok(self.at_present().due_for_rescoring(after, limit))
    }

    async fn due_by_number(&self, after: Option<EntryId>, limit: u32) -> Result<Vec<RescoreItem>> {
        Ok(self.at_present().due_by_number(after, limit))
    }

    async fn rescore(&self, items: Vec<Rejudged>) -> Result<u64> {
        self.change(|state| state.rescore(items))
    }

    async fn begin_rescoring(&self) -> Result<Rescoring> {
        self.change(|state| Ok(state.begin_rescoring()))
    }

    async fn rescore_apart(&self, rescoring: Rescoring, items: Vec<Rejudged>) -> Result<Rescored> {
        self.change(|state| state.rescore_apart(rescoring, items))
    }

    async fn put_in_order(&self, rescoring: Rescoring, displaced: Vec<Displaced>) -> Result<()> {
        self.change(|state| {
            state.put_in_order(rescoring, &displaced);
            Ok(())
        })
    }

    async fn end_rescoring(&self, rescoring: Rescoring) -> Result<()> {
        self.change(|state| {
            state.rescorings.remove(&rescoring.0);
            Ok(())
        })
    }

    async fn lapsed_rescorings(&self) -> Result<Vec<Rescoring>> {
        Ok(self.at_present().lapsed_rescorings())
    }

    async fn displaced(&self, after: Option<EntryId>, limit: u32) -> Result<Vec<Displaced>> {
        Ok(self.at_present().displaced(after, limit))
    }

    async fn adopt(&self, adoptions: Vec<NewAdoption>) -> Result<Vec<AdoptionOutcome>> {
        self.change(|state| state.adopt(adoptions))
    }

    async fn has_read_records(&self, tracker: &str) -> Result<bool> {
        Ok(self.at_present().read_records.contains(tracker))
    }

    async fn rebuild(&self, tracker: &str, accounts: Vec<FoundAccount>, complete: bool) -> Result<Rebuilt> {
        self.change(|state| state.rebuild(tracker, accounts, complete))
    }

    async fn claim(&self, request: ClaimRequest) -> Result<ClaimOutcome> {
        self.change(|state| state.claim(&request))
    }

    async fn left_besides(&self, request: ClaimRequest) -> Result<Option<OpenWork>> {
        self.change(|state| state.left_besides(&request))
    }

    async fn renew_leases(&self, host: &HostId, lease: Duration) -> Result<Vec<Claim>> {
        self.change(|state| Ok(state.renew_leases(host, lease)))
    }

    async fn release(&self, claim: Claim, reason: &str) -> Result<()> {
        self.change(|state| state.release(claim, reason))
    }

    async fn sweep(&self) -> Result<Sweep> {
        self.change(State::sweep)
    }

    async fn write(&self, write: RunWrite) -> Result<()> {
        self.change(|state| state.write(write))?
    }

    async fn reserve(&self, claim: Claim, amount: Microcents) -> Result<EscrowAnswer> {
        self.change(|state| state.reserve(claim, amount))
    }

    async fn attempt(&self, run: RunId, step: &StepKey) -> Result<Option<Attempt>> {
        self.at_present().attempt(run, step)
    }

    async fn journal_intend(&self, intent: NewIntent) -> Result<EscrowAnswer> {
        self.change(|state| state.intend(intent))
    }

    async fn journal_answer(&self, claim: Claim, step: &StepKey, call: u32, answer: Answer) -> Result<()> {
        self.change(|state| state.answer(claim, step, call, answer))?
    }

    async fn journal_withdraw(&self, claim: Claim, step: &StepKey, call: u32) -> Result<()> {
        self.change(|state| state.withdraw(claim, step, call))
    }

    async fn history(&self, pipeline: &str, component: &StepName, plugin: Digest) -> Result<History> {
        Ok(self.at_present().history(pipeline, component, plugin))
    }

    async fn take_deliveries(&self, host: &HostId, lease: Duration, max: u32) -> Result<Vec<Delivery>> {
        self.change(|state| Ok(state.take_deliveries(host, lease, max)))
    }

    async fn settle_deliveries(
        &self,
        outcomes: Vec<(DeliveryTicket, DeliveryOutcome)>,
    ) -> Result<Vec<DeliveryId>> {
        self.change(|state| Ok(state.settle_deliveries(outcomes)))
    }

    async fn stop(&self, request: StopRequest) -> Result<()> {
        self.change(|state| {
            state.stop(request);
            Ok(())
        })
    }

    async fn resume(&self) -> Result<()> {
        self.change(|state| {
            state.control = Control::default();
            Ok(())
        })
    }

    async fn control(&self) -> Result<Control> {
        Ok(self.at_present().control())
    }

    async fn set_field(&self, entry: EntryId, new: NewFieldValue) -> Result<()> {
        self.change(|state| state.set_field(entry, new))
    }

    async fn retry(&self, entry: EntryId, _who: &str, _reason: &str) -> Result<()> {
        self.change(|state| state.retry(entry))
    }

    async fn let_in(&self, entry: EntryId, _who: &str, _why: &str) -> Result<()> {
        self.change(|state| state.let_entry_in(entry))
    }

    async fn decide(&self, run: RunId, decision: NewDecision) -> Result<Decision> {
        self.change(|state| state.decide(run, decision))
    }

    async fn cancel(&self, run: RunId, new: NewCancellation) -> Result<Cancelled> {
        self.change(|state| state.cancel(run, &new))
    }

    async fn cancellations(&self, host: &HostId) -> Result<Vec<Claim>> {
        Ok(self.at_present().cancellations(host))
    }

    async fn signal(&self, signal: NewSignal) -> Result<u64> {
        self.change(|state| state.signal(signal))
    }

    async fn entries(&self, filter: EntryFilter) -> Result<Page<EntryStatus>> {
        Ok(self.at_present().entries(&filter))
    }

    async fn entry(&self, key: &str, tracker: Option<&str>) -> Result<EntryDetail> {
        self.at_present().entry(key, tracker)
    }

    async fn pack_events(&self, over_by: Timestamp, max: u32) -> Result<u64> {
        self.change(|state| Ok(state.pack_events(over_by, max)))
    }

    async fn names(&self, after: Option<EntryId>, limit: u32) -> Result<Vec<NamedEntry>> {
        Ok(self.at_present().names(after, limit))
    }

    async fn items(&self, after: Option<EntryId>, limit: u32) -> Result<Vec<StoredItem>> {
        Ok(self.at_present().items(after, limit, |_| true))
    }

    async fn internal_items(&self, after: Option<EntryId>, limit: u32) -> Result<Vec<StoredItem>> {
        Ok(self.at_present().items(after, limit, |entry| entry.opened.is_some() && entry.waits()))
    }

    async fn items_of_lane(&self, backlog: &str, pipeline: &str, limit: u32) -> Result<Vec<StoredItem>> {
        Ok(self.at_present().items_of_lane(backlog, pipeline, limit))
    }

    async fn entries_by_id(&self, ids: Vec<EntryId>) -> Result<Vec<EntryStatus>> {
        Ok(self.at_present().entries_by_id(&ids))
    }

    async fn begun_by(&self, when: Timestamp) -> Result<Vec<Begun>> {
        Ok(self.at_present().begun_by(when))
    }

    async fn snapshot(&self, revision: Digest) -> Result<EntrySnapshot> {
        self.at_present().snapshot(revision)
    }

    async fn runs(&self, filter: RunFilter) -> Result<Page<RunSummary>> {
        Ok(self.at_present().runs(&filter))
    }

    async fn run(&self, id: RunId) -> Result<RunDetail> {
        self.at_present().run(id)
    }

    async fn escalations(&self, filter: EscalationFilter) -> Result<Page<Escalation>> {
        Ok(self.at_present().escalations(&filter))
    }

    async fn newest_run(&self, entry: &EntryName) -> Result<Option<RunId>> {
        let state = self.at_present();
        Ok(state.find(entry).and_then(|id| state.newest_work(id)).map(|run| state.runs[run].id))
    }

    async fn run_ids(&self) -> Result<Vec<RunId>> {
        Ok(self.at_present().runs.iter().map(|(_, run)| run.id).collect())
    }

    async fn adoptions(&self) -> Result<Vec<StoredAdoption>> {
        Ok(self.at_present().adoptions(None))
    }

    async fn coverage(&self) -> Result<Vec<Coverage>> {
        Ok(self.at_present().coverage())
    }

    async fn open_work(&self) -> Result<OpenWork> {
        Ok(self.at_present().open_work())
    }

    async fn cap_balances(&self) -> Result<Vec<CapBalanceReport>> {
        self.at_present().cap_balances()
    }
}

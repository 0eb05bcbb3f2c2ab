//! What a store does, whichever database it is in.
//!
//! Each method of [`Store`] is one transaction, and each module here is what happens inside some of them, written against
//! [`Tx`] with the queries that it names by [`sql`]. A [`Database`] runs it: it says when, on what connection, and what else may go on at
//! the same time. The rules are the same for all of them because there is one account of them.

mod adopt;
mod balances;
mod cancel;
mod children;
mod claim;
mod claims;
mod control;
mod dependency;
mod due;
mod entry;
mod escalation;
mod family;
mod guard;
mod inbox;
mod intake;
mod journal;
mod late;
mod ledger;
mod live_run;
mod newborn;
mod opening;
mod outbox;
mod pack;
mod policy;
mod readiness;
mod rebuild;
mod reconcile;
mod report;
mod rescore;
mod rows;
mod similar;
mod supplement;
mod together;
mod wait;
mod write;

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use tollgate_core::{
    Digest, EntryId, HostId, Microcents, RunId, StoreId, Timestamp,
    approval::Decision,
    crash,
    entry::{EntryName, EntrySnapshot, EntryStatus},
    id::DeliveryId,
    journal::{Answer, Attempt},
    pins::Pins,
    pipeline::StepName,
    run::{Claim, RunSummary},
    step::StepKey,
};

use self::{outbox::TakenDelivery, rescore::Order, similar::Compared};
pub(crate) use self::{
    together::{Claims, Together, Writes},
    write::PreparedWrite,
};
use crate::{
    port::{
        AdoptionOutcome, AppliedPolicy, Arrival, Begun, Cancelled, CapBalanceReport, Change, ClaimOutcome,
        ClaimRequest, Control, Coverage, Delivery, DeliveryOutcome, DeliveryTicket, Displaced, EntryDetail,
        EntryFilter, Escalation, EscalationFilter, EscrowAnswer, FoundAccount, History, KeptBy, Known,
        NamedEntry, NewAdoption, NewCancellation, NewDecision, NewFieldValue, NewIntent, NewSignal, OpenWork,
        Opened, Opening, Page, PolicyApplication, Reading, Rebuilt, Reconciled, Rejudged, RescoreItem,
        Rescored, Rescoring, Result, RunDetail, RunFilter, RunWrite, StopRequest, Store, StoredAdoption,
        StoredItem, Sweep,
    },
    sql,
    tx::{self, Tx, TxResult},
};

/// What runs transactions.
pub(crate) trait Database: Send + Sync + 'static {
    /// The id that the store got when it was made.
    fn id(&self) -> StoreId;

    /// In which order it keeps what is ready; see [`Store::keeps_ready_by`].
    fn keeps_ready_by(&self) -> KeptBy {
        KeptBy::Key
    }

    /// Waits until something may have changed; see [`Store::changed`].
    fn changed(&self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }

    /// The time by the store's clock.
    fn now(&self) -> impl Future<Output = Result<Timestamp>> + Send;

    /// Runs `body` as one logical transaction, perhaps more than once; what it did is kept once, and durable when this returns.
    /// `doing` is a verb, as in `claim a run`.
    fn transact<T, F>(
        &self,
        access: Access,
        doing: &'static str,
        body: F,
    ) -> impl Future<Output = Result<T>> + Send
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> TxResult<T> + Send + 'static;

    /// Claims a run, perhaps in one transaction with others that claim one.
    fn gather_claim(&self, request: ClaimRequest) -> impl Future<Output = Result<ClaimOutcome>> + Send {
        one_of::<Claims>(self, request)
    }

    /// Writes what a driver did, perhaps in one transaction with what others did; whether it still had its run.
    fn gather_write(&self, write: PreparedWrite) -> impl Future<Output = Result<bool>> + Send {
        one_of::<Writes>(self, write)
    }
}

/// Does by itself what could be done together with others.
fn one_of<K: Together>(
    database: &(impl Database + ?Sized),
    mut member: K::Member,
) -> impl Future<Output = Result<K::Answer>> + Send {
    let doing = K::doing(&member);
    database.transact(Access::Drive, doing, move |tx| K::alone(tx, &mut member))
}

/// What a transaction is going to do, and who may ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reads one moment.
    Read,
    /// Changes what is there, for a person or a host.
    Write,
    /// The same, for nobody who waits: it stands behind everything else.
    WriteBehind,
    /// Changes what only a host may, beside others that do: see [`Tx::is_alone`].
    Drive,
    /// Renews what a host holds: it waits for nobody, not even for connections.
    Renew,
}

/// Compares arrivals with what is there, where their backlogs ask for it, so that no transaction that writes has to.
async fn compared(database: &impl Database, arrivals: Vec<Arrival>) -> Result<(Arc<Vec<Arrival>>, Compared)> {
    let arrivals = Arc::new(arrivals);
    if arrivals.iter().all(|arrival| arrival.guard.duplicate_thousandths.is_none()) {
        return Ok((arrivals, Compared::default()));
    }
    let compared = {
        let arrivals = Arc::clone(&arrivals);
        let body = move |tx: &Tx<'_>| similar::compare(tx, &arrivals);
        database.transact(Access::Read, "compare arrivals", body).await?
    };
    Ok((arrivals, compared))
}

/// Gives entries new places, a slice at a time.
async fn rescored(database: &impl Database, items: Vec<Rejudged>, order: Order) -> Result<Rescored> {
    let (items, mut from, mut rescored) = (Arc::new(items), 0, Rescored::default());
    let mut slice = rescore::SLICE_MIN;
    while from < items.len() {
        let items = Arc::clone(&items);
        let body = move |tx: &Tx<'_>| rescore::rescore(tx, &items, from, slice, order);
        let done = database.transact(Access::WriteBehind, "give entries new places", body).await?;
        rescored.entries += done.entries;
        rescored.displaced.extend(done.displaced);
        (from, slice) = (done.next, rescore::next_slice(slice, done.gave_way));
        rescore::rest(done.gave_way).await;
    }
    Ok(rescored)
}

#[async_trait]
impl<D: Database> Store for D {
    fn id(&self) -> StoreId {
        Database::id(self)
    }

    async fn now(&self) -> Result<Timestamp> {
        Database::now(self).await
    }

    async fn changed(&self) {
        Database::changed(self).await;
    }

    async fn apply_policy(&self, application: PolicyApplication) -> Result<AppliedPolicy> {
        self.transact(Access::Write, "apply a policy", move |tx| policy::apply(tx, &application)).await
    }

    async fn applied_policy(&self) -> Result<Option<AppliedPolicy>> {
        self.transact(Access::Read, "read the policy", policy::applied).await
    }

    async fn pins(&self, digest: Digest) -> Result<Pins> {
        self.transact(Access::Read, "read pins", move |tx| policy::pins(tx, digest)).await
    }

    async fn admit(&self, reconcile: i64, arrivals: Vec<Arrival>) -> Result<Vec<Change>> {
        let (arrivals, compared) = compared(self, arrivals).await?;
        let (compared, mut changes) = (Arc::new(compared), Vec::new());
        loop {
            let (all, compared, from) = (Arc::clone(&arrivals), Arc::clone(&compared), changes.len());
            let body = move |tx: &Tx<'_>| intake::admit(tx, reconcile, &all[from..], &compared);
            changes.extend(self.transact(Access::Write, "take arrivals in", body).await?);
            if changes.len() == arrivals.len() {
                return Ok(changes);
            }
        }
    }

    async fn open_entry(&self, opening: Opening) -> Result<Opened> {
        let (_, compared) = compared(self, vec![opening.arrival.clone()]).await?;
        self.transact(Access::Write, "open an entry", move |tx| opening::open(tx, &opening, &compared)).await
    }

    async fn first_seen(&self, tracker: &str, keys: Vec<String>) -> Result<HashMap<String, Timestamp>> {
        let tracker = tracker.to_owned();
        self.transact(Access::Read, "find entries", move |tx| intake::first_seen(tx, &tracker, &keys)).await
    }

    async fn known(&self, tracker: &str, keys: Vec<String>) -> Result<HashMap<String, Known>> {
        let tracker = tracker.to_owned();
        self.transact(Access::Read, "find what is known", move |tx| supplement::list(tx, &tracker, &keys))
            .await
    }

    async fn begin_reconcile(&self, backlog: &str, tracker: &str) -> Result<i64> {
        let (backlog, tracker) = (backlog.to_owned(), tracker.to_owned());
        self.transact(Access::Write, "begin a reconcile", move |tx| reconcile::begin(tx, &backlog, &tracker))
            .await
    }

    async fn finish_reconcile(&self, reconcile: i64, reading: Reading) -> Result<Reconciled> {
        self.transact(Access::Write, "end a reconcile", move |tx| reconcile::finish(tx, reconcile, &reading))
            .await
    }

    async fn lift_due(&self) -> Result<u64> {
        self.transact(Access::Drive, "lift what is due", due::lift).await
    }

    async fn due_for_rescoring(
        &self,
        after: Option<(Timestamp, EntryId)>,
        limit: u32,
    ) -> Result<Vec<RescoreItem>> {
        let body = move |tx: &Tx<'_>| due::for_rescoring(tx, after, limit);
        self.transact(Access::Read, "find scores that are due", body).await
    }

    async fn due_by_number(&self, after: Option<EntryId>, limit: u32) -> Result<Vec<RescoreItem>> {
        let body = move |tx: &Tx<'_>| due::for_rescoring_by_number(tx, after, limit);
        self.transact(Access::Read, "find scores that are due", body).await
    }

    async fn rescore(&self, items: Vec<Rejudged>) -> Result<u64> {
        rescored(self, items, Order::AtOnce).await.map(|rescored| rescored.entries)
    }

    async fn begin_rescoring(&self) -> Result<Rescoring> {
        self.transact(Access::Write, "begin to score a backlog again", rescore::begin).await
    }

    async fn rescore_apart(&self, rescoring: Rescoring, items: Vec<Rejudged>) -> Result<Rescored> {
        rescored(self, items, Order::Later(rescoring)).await
    }

    fn keeps_ready_by(&self) -> KeptBy {
        Database::keeps_ready_by(self)
    }

    async fn put_in_order(&self, rescoring: Rescoring, displaced: Vec<Displaced>) -> Result<()> {
        let (displaced, mut from, mut slice) = (Arc::new(displaced), 0, rescore::SLICE_MIN);
        while from < displaced.len() {
            let displaced = Arc::clone(&displaced);
            let body = move |tx: &Tx<'_>| rescore::put_in_order(tx, rescoring, &displaced, from, slice);
            let done = self.transact(Access::WriteBehind, "put a backlog in order", body).await?;
            (from, slice) = (done.next, rescore::next_slice(slice, done.gave_way));
            rescore::rest(done.gave_way).await;
        }
        Ok(())
    }

    async fn end_rescoring(&self, rescoring: Rescoring) -> Result<()> {
        let body = move |tx: &Tx<'_>| rescore::end(tx, rescoring);
        self.transact(Access::Write, "end to score a backlog again", body).await
    }

    async fn lapsed_rescorings(&self) -> Result<Vec<Rescoring>> {
        self.transact(Access::Read, "find who did not end", rescore::lapsed).await
    }

    async fn displaced(&self, after: Option<EntryId>, limit: u32) -> Result<Vec<Displaced>> {
        let body = move |tx: &Tx<'_>| rescore::displaced(tx, after, limit);
        self.transact(Access::Read, "find what is not in order", body).await
    }

    async fn adopt(&self, adoptions: Vec<NewAdoption>) -> Result<Vec<AdoptionOutcome>> {
        let store = Database::id(self);
        self.transact(Access::Write, "adopt entries", move |tx| adopt::adopt(tx, store, &adoptions)).await
    }

    async fn has_read_records(&self, tracker: &str) -> Result<bool> {
        let tracker = tracker.to_owned();
        self.transact(Access::Read, "find out what was read", move |tx| rebuild::has_read(tx, &tracker)).await
    }

    async fn rebuild(&self, tracker: &str, accounts: Vec<FoundAccount>, complete: bool) -> Result<Rebuilt> {
        let tracker = tracker.to_owned();
        self.transact(Access::Write, "take over records", move |tx| {
            rebuild::rebuild(tx, &tracker, &accounts, complete)
        })
        .await
    }

    async fn claim(&self, request: ClaimRequest) -> Result<ClaimOutcome> {
        self.gather_claim(request).await
    }

    async fn left_besides(&self, request: ClaimRequest) -> Result<Option<OpenWork>> {
        self.transact(Access::Write, "see what is left", move |tx| claim::left_besides(tx, &request)).await
    }

    async fn renew_leases(&self, host: &HostId, lease: Duration) -> Result<Vec<Claim>> {
        let doing = "renew leases";
        let of = host.clone();
        let (renewed, passed_over) =
            self.transact(Access::Renew, doing, move |tx| claim::renew_leases(tx, &of, lease)).await?;
        if !passed_over {
            return Ok(renewed);
        }
        // What a transaction had in hand is renewed after it. When that takes too long, it is next time.
        let host = host.clone();
        let body = move |tx: &Tx<'_>| claim::renew_passed_over(tx, &host, lease);
        let waited_for = self.transact(Access::Renew, doing, body).await.unwrap_or_default();
        Ok(renewed.into_iter().chain(waited_for).collect())
    }

    async fn release(&self, claim: Claim, reason: &str) -> Result<()> {
        let reason = reason.to_owned();
        self.transact(Access::Drive, "release a run", move |tx| claim::release(tx, claim, &reason)).await
    }

    async fn sweep(&self) -> Result<Sweep> {
        self.transact(Access::Drive, "sweep", claim::sweep).await
    }

    async fn write(&self, write: RunWrite) -> Result<()> {
        let doing = write.doing();
        let write = PreparedWrite::of(write).map_err(|failure| failure.while_doing(doing))?;
        let claim = write.claim();
        late::refuse_unless(self.gather_write(write).await?, claim)
    }

    async fn reserve(&self, claim: Claim, amount: Microcents) -> Result<EscrowAnswer> {
        self.transact(Access::Drive, "set money aside", move |tx| write::reserve(tx, claim, amount)).await
    }

    async fn attempt(&self, run: RunId, step: &StepKey) -> Result<Option<Attempt>> {
        let step = step.clone();
        self.transact(Access::Read, "read a journal", move |tx| journal::attempt(tx, run, &step)).await
    }

    async fn journal_intend(&self, intent: NewIntent) -> Result<EscrowAnswer> {
        crash::point("journal.intend.before");
        let answer =
            self.transact(Access::Drive, "write an intent", move |tx| journal::intend(tx, &intent)).await;
        crash::point("journal.intend.after");
        answer
    }

    async fn journal_answer(&self, claim: Claim, step: &StepKey, call: u32, answer: Answer) -> Result<()> {
        let step = step.clone();
        crash::point("journal.answer.before");
        let in_time = self
            .transact(Access::Drive, "write an answer", move |tx| {
                journal::answer(tx, claim, &step, call, &answer)
            })
            .await;
        crash::point("journal.answer.after");
        late::refuse_unless(in_time?, claim)
    }

    async fn journal_withdraw(&self, claim: Claim, step: &StepKey, call: u32) -> Result<()> {
        let step = step.clone();
        self.transact(Access::Drive, "take back an intent", move |tx| {
            journal::withdraw(tx, claim, &step, call)
        })
        .await
    }

    async fn history(&self, pipeline: &str, component: &StepName, plugin: Digest) -> Result<History> {
        let (pipeline, component) = (pipeline.to_owned(), component.clone());
        self.transact(Access::Read, "read a history", move |tx| {
            report::history(tx, &pipeline, &component, plugin)
        })
        .await
    }

    async fn take_deliveries(&self, host: &HostId, lease: Duration, max: u32) -> Result<Vec<Delivery>> {
        let host = host.clone();
        let doing = "take deliveries";
        let taken =
            self.transact(Access::Drive, doing, move |tx| outbox::take(tx, &host, lease, max)).await?;
        let read = |taken: TakenDelivery| taken.read().map_err(|failure| failure.while_doing(doing));
        taken.into_iter().map(read).collect()
    }

    async fn settle_deliveries(
        &self,
        outcomes: Vec<(DeliveryTicket, DeliveryOutcome)>,
    ) -> Result<Vec<DeliveryId>> {
        self.transact(Access::Drive, "settle deliveries", move |tx| outbox::settle(tx, &outcomes)).await
    }

    async fn stop(&self, request: StopRequest) -> Result<()> {
        self.transact(Access::Write, "stop", move |tx| control::stop(tx, &request)).await
    }

    async fn resume(&self) -> Result<()> {
        self.transact(Access::Write, "resume", control::resume).await
    }

    async fn control(&self) -> Result<Control> {
        self.transact(Access::Read, "read what hosts were asked", control::get).await
    }

    async fn set_field(&self, entry: EntryId, new: NewFieldValue) -> Result<()> {
        self.transact(Access::Write, "set a field", move |tx| supplement::set_field(tx, entry, &new)).await
    }

    async fn retry(&self, entry: EntryId, who: &str, reason: &str) -> Result<()> {
        let (who, reason) = (who.to_owned(), reason.to_owned());
        self.transact(Access::Write, "retry an entry", move |tx| control::retry(tx, entry, &who, &reason))
            .await
    }

    async fn let_in(&self, entry: EntryId, who: &str, why: &str) -> Result<()> {
        let (who, why) = (who.to_owned(), why.to_owned());
        self.transact(Access::Write, "let an entry in", move |tx| guard::let_in(tx, entry, &who, &why)).await
    }

    async fn decide(&self, run: RunId, decision: NewDecision) -> Result<Decision> {
        self.transact(Access::Write, "answer a run", move |tx| inbox::decide(tx, run, &decision)).await
    }

    async fn cancel(&self, run: RunId, new: NewCancellation) -> Result<Cancelled> {
        self.transact(Access::Write, "cancel a run", move |tx| cancel::cancel(tx, run, &new)).await
    }

    async fn cancellations(&self, host: &HostId) -> Result<Vec<Claim>> {
        let host = host.clone();
        self.transact(Access::Read, "look for cancelled runs", move |tx| cancel::of_host(tx, &host)).await
    }

    async fn signal(&self, signal: NewSignal) -> Result<u64> {
        self.transact(Access::Write, "say what happened", move |tx| wait::signal(tx, &signal)).await
    }

    async fn entries(&self, filter: EntryFilter) -> Result<Page<EntryStatus>> {
        self.transact(Access::Read, "list entries", move |tx| report::entries(tx, &filter)).await
    }

    async fn entry(&self, key: &str, tracker: Option<&str>) -> Result<EntryDetail> {
        let (key, tracker) = (key.to_owned(), tracker.map(str::to_owned));
        self.transact(Access::Read, "read an entry", move |tx| report::entry(tx, &key, tracker.as_deref()))
            .await
    }

    async fn pack_events(&self, over_by: Timestamp, max: u32) -> Result<u64> {
        let list = move |tx: &Tx<'_>| pack::list(tx, over_by, max);
        let runs = self.transact(Access::Read, "look for events to pack", list).await?;
        if runs.is_empty() {
            return Ok(0);
        }
        self.transact(Access::Drive, "pack events", move |tx| pack::pack(tx, &runs)).await
    }

    async fn names(&self, after: Option<EntryId>, limit: u32) -> Result<Vec<NamedEntry>> {
        self.transact(Access::Read, "read what entries are called", move |tx| report::names(tx, after, limit))
            .await
    }

    async fn items(&self, after: Option<EntryId>, limit: u32) -> Result<Vec<StoredItem>> {
        self.transact(Access::Read, "read what sources said", move |tx| report::items(tx, after, limit)).await
    }

    async fn internal_items(&self, after: Option<EntryId>, limit: u32) -> Result<Vec<StoredItem>> {
        self.transact(Access::Read, "read internal entries", move |tx| {
            report::internal_items(tx, after, limit)
        })
        .await
    }

    async fn items_of_lane(&self, backlog: &str, pipeline: &str, limit: u32) -> Result<Vec<StoredItem>> {
        let (backlog, pipeline) = (backlog.to_owned(), pipeline.to_owned());
        self.transact(Access::Read, "read what waits in a lane", move |tx| {
            report::items_of_lane(tx, &backlog, &pipeline, limit)
        })
        .await
    }

    async fn entries_by_id(&self, ids: Vec<EntryId>) -> Result<Vec<EntryStatus>> {
        self.transact(Access::Read, "read entries", move |tx| report::entries_by_id(tx, &ids)).await
    }

    async fn begun_by(&self, when: Timestamp) -> Result<Vec<Begun>> {
        self.transact(Access::Read, "read what had begun", move |tx| report::begun_by(tx, when)).await
    }

    async fn snapshot(&self, revision: Digest) -> Result<EntrySnapshot> {
        self.transact(Access::Read, "read a revision", move |tx| report::snapshot(tx, revision)).await
    }

    async fn runs(&self, filter: RunFilter) -> Result<Page<RunSummary>> {
        self.transact(Access::Read, "list runs", move |tx| report::runs(tx, &filter)).await
    }

    async fn run(&self, id: RunId) -> Result<RunDetail> {
        self.transact(Access::Read, "read a run", move |tx| report::run(tx, id)).await
    }

    async fn escalations(&self, filter: EscalationFilter) -> Result<Page<Escalation>> {
        self.transact(Access::Read, "list what waits for a person", move |tx| escalation::list(tx, &filter))
            .await
    }

    async fn newest_run(&self, entry: &EntryName) -> Result<Option<RunId>> {
        let entry = entry.clone();
        self.transact(Access::Read, "find the newest run", move |tx| report::newest_run(tx, &entry)).await
    }

    async fn run_ids(&self) -> Result<Vec<RunId>> {
        self.transact(Access::Read, "list runs", report::run_ids).await
    }

    async fn adoptions(&self) -> Result<Vec<StoredAdoption>> {
        self.transact(Access::Read, "list adoptions", |tx| adopt::list(tx, None)).await
    }

    async fn coverage(&self) -> Result<Vec<Coverage>> {
        self.transact(Access::Read, "count entries", report::coverage).await
    }

    async fn open_work(&self) -> Result<OpenWork> {
        self.transact(Access::Read, "count what is left to do", report::open_work).await
    }

    async fn cap_balances(&self) -> Result<Vec<CapBalanceReport>> {
        self.transact(Access::Read, "read caps", policy::cap_balances).await
    }
}

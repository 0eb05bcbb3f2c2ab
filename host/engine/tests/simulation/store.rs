//! The store, at the other end of a host's line, and what it did as the history has it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::Value;
use tollgate_core::{
    Digest, EntryId, HostId, Microcents, RunId, StoreId, Timestamp,
    approval::Decision,
    entry::{EntryName, EntrySnapshot, EntryStatus},
    id::DeliveryId,
    journal::{Answer, Attempt},
    pins::Pins,
    pipeline::StepName,
    run::{Claim, RunKind, RunSummary},
    step::StepKey,
};
use tollgate_store::{
    Store, StoreError,
    port::{
        AdoptionOutcome, AppliedPolicy, Arrival, Begun, Cancelled, CapBalanceReport, Change, ClaimOutcome,
        ClaimRequest, Control, Coverage, Delivery, DeliveryKind, DeliveryOutcome, DeliveryTicket, Displaced,
        EntryDetail, EntryFilter, Escalation, EscalationFilter, EscrowAnswer, FoundAccount, History, Known,
        NamedEntry, NewAdoption, NewCancellation, NewDecision, NewFieldValue, NewIntent, NewSignal,
        NextState, OpenWork, Opened, Opening, Page, PolicyApplication, Reading, Rebuilt, Reconciled,
        Rejudged, RescoreItem, Rescored, Rescoring, Result, RunDetail, RunFilter, RunWrite, StopRequest,
        StoredAdoption, StoredItem, Sweep,
    },
};

use crate::{
    flaw::Flaw,
    guests::chance,
    history::{Fact, Said, Taken, Write},
    line::{Line, Reach},
};

/// The store as a host asks it.
pub(crate) struct DistantStore {
    line: Arc<Line>,
    store: Arc<dyn Store>,
    flaw: Flaw,
}

impl DistantStore {
    pub(crate) fn new(line: Arc<Line>, store: Arc<dyn Store>, flaw: Flaw) -> Self {
        Self { line, store, flaw }
    }
}

fn broken(what: &str) -> StoreError {
    StoreError::Platform { doing: "answer", message: what.to_owned() }
}

/// The claim that a store looks at which takes any.
async fn unfenced(store: &dyn Store, claim: Claim) -> Claim {
    match store.run(claim.run).await {
        Ok(run) => Claim { run: claim.run, fence: run.summary.fence },
        Err(_) => claim,
    }
}

fn wrote<T>(claim: Claim, what: Write) -> impl FnOnce(&Result<T>) -> Option<Fact> + Send {
    move |done| match done {
        Ok(_) => Some(Fact::Wrote { claim, what, accepted: true }),
        Err(StoreError::StaleFence { .. }) => Some(Fact::Wrote { claim, what, accepted: false }),
        // What went wrong for another reason changed nothing.
        Err(_) => None,
    }
}

fn nothing<T>() -> impl FnOnce(&Result<T>) -> Option<Fact> + Send {
    |_| None
}

fn what(next: &NextState) -> Write {
    match next {
        NextState::GoOn => Write::GoOn,
        NextState::Wait { .. } => Write::Wait,
        NextState::Finish { .. } => Write::Finish,
    }
}

fn claimed(host: HostId) -> impl FnOnce(&Result<ClaimOutcome>) -> Option<Fact> + Send {
    move |done| {
        let Ok(ClaimOutcome::Claimed(claimed)) = done else { return None };
        let begins = (!claimed.begun && claimed.run.kind == RunKind::Work).then(|| said(&claimed.snapshot));
        Some(Fact::Claimed { host, claim: claimed.claim, key: claimed.run.entry.key.clone(), begins })
    }
}

fn said(snapshot: &EntrySnapshot) -> Said {
    let number = |name: &str| snapshot.fields.get(name).and_then(Value::as_i64);
    let seen = number("seen").map(|seen| (seen, chance(&snapshot.body) as i64));
    Said { seen, weight: number("weight") }
}

fn renewed(host: HostId) -> impl FnOnce(&Result<Vec<Claim>>) -> Option<Fact> + Send {
    move |done| Some(Fact::Renewed { host, claims: done.as_ref().ok()?.clone() })
}

fn swept(done: &Result<Sweep>) -> Vec<Fact> {
    let Ok(swept) = done else { return Vec::new() };
    let runs = swept.lapsed_runs.clone();
    let deliveries = swept.lapsed_deliveries.iter().map(|delivery| delivery.0).collect();
    vec![Fact::Swept { runs }, Fact::TookBack { deliveries }]
}

fn took(host: HostId) -> impl FnOnce(&Result<Vec<Delivery>>) -> Vec<Fact> + Send {
    move |done| {
        let taken = |delivery: &Delivery| Taken {
            id: delivery.id.0,
            fence: delivery.fence,
            record_of: delivery.run.filter(|_| matches!(delivery.kind, DeliveryKind::Record(_))),
        };
        let Ok(deliveries) = done else { return Vec::new() };
        vec![Fact::Took { host, deliveries: deliveries.iter().map(taken).collect() }]
    }
}

/// Whether a fact tells nothing.
fn is_empty(fact: &Fact) -> bool {
    match fact {
        Fact::Swept { runs } => runs.is_empty(),
        Fact::Renewed { claims, .. } => claims.is_empty(),
        Fact::TookBack { deliveries } => deliveries.is_empty(),
        Fact::Took { deliveries, .. } => deliveries.is_empty(),
        _ => false,
    }
}

/// Sends every call over the line. `noted` makes a fact of what the store did; `changed` may change what is passed.
macro_rules! over_the_line {
    ($(
        $method:ident($( $(&$borrowed:ident)? $($owned:ident)? : $type:ty ),*) -> $result:ty
            $(, unfenced $unfenced:expr)? , noted $noted:expr;
    )*) => {
        #[async_trait]
        #[allow(unused_mut, reason = "only what has a fence is changed on its way, and only by a flaw")]
        impl Store for DistantStore {
            fn id(&self) -> StoreId {
                self.store.id()
            }

            async fn entry(&self, key: &str, tracker: Option<&str>) -> Result<EntryDetail> {
                let (store, key, tracker) = (Arc::clone(&self.store), key.to_owned(), tracker.map(str::to_owned));
                let act = move || Box::pin(async move { store.entry(&key, tracker.as_deref()).await }) as _;
                self.line.ask("entry", Reach::Any, act, broken).await
            }

            async fn left_besides(&self, request: ClaimRequest) -> Result<Option<OpenWork>> {
                let (store, flaw) = (Arc::clone(&self.store), self.flaw);
                let act = move || {
                    Box::pin(async move {
                        match flaw {
                            Flaw::StoreForgetsWhatIsReady => store.open_work().await.map(Some),
                            _ => store.left_besides(request).await,
                        }
                    }) as _
                };
                self.line.ask("left_besides", Reach::Any, act, broken).await
            }

            /// No world has so many entries that any are put in order apart, so nobody is ever silent about it.
            async fn lapsed_rescorings(&self) -> Result<Vec<Rescoring>> {
                self.store.lapsed_rescorings().await
            }

            $(
                async fn $method(&self, $( $($borrowed: &$type)? $(mut $owned: $type)? ),*) -> Result<$result> {
                    let (world, store, flaw) = (Arc::clone(&self.line.world), Arc::clone(&self.store), self.flaw);
                    $( $( let $borrowed = $borrowed.to_owned(); )? )*
                    let noted = $noted;
                    let act = move || {
                        Box::pin(async move {
                            if flaw == Flaw::StoreForgetsSweeping && stringify!($method) == "sweep" {
                                return Err(broken("sweeping is forgotten"));
                            }
                            if flaw == Flaw::StoreIgnoresFences {
                                $( $unfenced = unfenced(&*store, $unfenced).await; )?
                            }
                            let done = store.$method($( $(&$borrowed)? $($owned)? ),*).await;
                            noted(&done).into_iter().filter(|fact| !is_empty(fact)).for_each(|fact| world.note(fact));
                            done
                        }) as _
                    };
                    self.line.ask(stringify!($method), Reach::Any, act, broken).await
                }
            )*
        }
    };
}

over_the_line! {
    now() -> Timestamp, noted nothing();
    apply_policy(application: PolicyApplication) -> AppliedPolicy, noted nothing();
    applied_policy() -> Option<AppliedPolicy>, noted nothing();
    pins(digest: Digest) -> Pins, noted nothing();
    admit(reconcile: i64, arrivals: Vec<Arrival>) -> Vec<Change>, noted nothing();
    open_entry(opening: Opening) -> Opened, noted nothing();
    first_seen(&tracker: str, keys: Vec<String>) -> HashMap<String, Timestamp>, noted nothing();
    known(&tracker: str, keys: Vec<String>) -> HashMap<String, Known>, noted nothing();
    begin_reconcile(&backlog: str, &tracker: str) -> i64, noted nothing();
    finish_reconcile(reconcile: i64, reading: Reading) -> Reconciled, noted nothing();
    lift_due() -> u64, noted nothing();
    due_for_rescoring(after: Option<(Timestamp, EntryId)>, limit: u32) -> Vec<RescoreItem>, noted nothing();
    due_by_number(after: Option<EntryId>, limit: u32) -> Vec<RescoreItem>, noted nothing();
    rescore(items: Vec<Rejudged>) -> u64, noted nothing();
    begin_rescoring() -> Rescoring, noted nothing();
    rescore_apart(rescoring: Rescoring, items: Vec<Rejudged>) -> Rescored, noted nothing();
    put_in_order(rescoring: Rescoring, displaced: Vec<Displaced>) -> (), noted nothing();
    end_rescoring(rescoring: Rescoring) -> (), noted nothing();
    displaced(after: Option<EntryId>, limit: u32) -> Vec<Displaced>, noted nothing();
    adopt(adoptions: Vec<NewAdoption>) -> Vec<AdoptionOutcome>, noted nothing();
    has_read_records(&tracker: str) -> bool, noted nothing();
    rebuild(&tracker: str, accounts: Vec<FoundAccount>, complete: bool) -> Rebuilt, noted nothing();
    claim(request: ClaimRequest) -> ClaimOutcome, noted claimed(request.host.clone());
    renew_leases(&host: HostId, lease: Duration) -> Vec<Claim>, noted renewed(host.clone());
    release(claim: Claim, &reason: str) -> (), unfenced claim, noted wrote(claim, Write::Release);
    sweep() -> Sweep, noted swept;
    write(write: RunWrite) -> (), unfenced write.claim, noted wrote(write.claim, what(&write.next));
    reserve(claim: Claim, amount: Microcents) -> EscrowAnswer, unfenced claim, noted wrote(claim, Write::Reserve);
    attempt(run: RunId, &step: StepKey) -> Option<Attempt>, noted nothing();
    journal_intend(intent: NewIntent) -> EscrowAnswer, unfenced intent.claim, noted wrote(intent.claim, Write::Journal);
    journal_answer(claim: Claim, &step: StepKey, call: u32, answer: Answer) -> (),
        unfenced claim, noted wrote(claim, Write::Journal);
    journal_withdraw(claim: Claim, &step: StepKey, call: u32) -> (), unfenced claim, noted wrote(claim, Write::Journal);
    history(&pipeline: str, &component: StepName, plugin: Digest) -> History, noted nothing();
    take_deliveries(&host: HostId, lease: Duration, max: u32) -> Vec<Delivery>, noted took(host.clone());
    settle_deliveries(outcomes: Vec<(DeliveryTicket, DeliveryOutcome)>) -> Vec<DeliveryId>, noted nothing();
    stop(request: StopRequest) -> (), noted nothing();
    resume() -> (), noted nothing();
    control() -> Control, noted nothing();
    set_field(entry: EntryId, new: NewFieldValue) -> (), noted nothing();
    retry(entry: EntryId, &who: str, &reason: str) -> (), noted nothing();
    let_in(entry: EntryId, &who: str, &why: str) -> (), noted nothing();
    decide(run: RunId, decision: NewDecision) -> Decision, noted nothing();
    cancel(run: RunId, new: NewCancellation) -> Cancelled, noted nothing();
    cancellations(&host: HostId) -> Vec<Claim>, noted nothing();
    signal(signal: NewSignal) -> u64, noted nothing();
    entries(filter: EntryFilter) -> Page<EntryStatus>, noted nothing();
    pack_events(over_by: Timestamp, max: u32) -> u64, noted nothing();
    names(after: Option<EntryId>, limit: u32) -> Vec<NamedEntry>, noted nothing();
    items(after: Option<EntryId>, limit: u32) -> Vec<StoredItem>, noted nothing();
    internal_items(after: Option<EntryId>, limit: u32) -> Vec<StoredItem>, noted nothing();
    items_of_lane(&backlog: str, &pipeline: str, limit: u32) -> Vec<StoredItem>, noted nothing();
    entries_by_id(ids: Vec<EntryId>) -> Vec<EntryStatus>, noted nothing();
    begun_by(when: Timestamp) -> Vec<Begun>, noted nothing();
    snapshot(revision: Digest) -> EntrySnapshot, noted nothing();
    runs(filter: RunFilter) -> Page<RunSummary>, noted nothing();
    run(id: RunId) -> RunDetail, noted nothing();
    escalations(filter: EscalationFilter) -> Page<Escalation>, noted nothing();
    newest_run(&entry: EntryName) -> Option<RunId>, noted nothing();
    run_ids() -> Vec<RunId>, noted nothing();
    adoptions() -> Vec<StoredAdoption>, noted nothing();
    coverage() -> Vec<Coverage>, noted nothing();
    open_work() -> OpenWork, noted nothing();
    cap_balances() -> Vec<CapBalanceReport>, noted nothing();
}

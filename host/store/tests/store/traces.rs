//! Random traces: whatever hosts, people and clocks do in whatever order, the invariants of the store hold, and
//! ([`differential`]) all stores say and keep the same.

mod differential;
mod op;
mod policy;
mod side;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
    time::Duration,
};

use proptest::prelude::*;
use tollgate_core::{
    Digest, EntryId, LaneId, Microcents, RunId,
    approval::{Allowance, Ask, Lack, Word},
    course::End,
    event::ChainHead,
    id::DeliveryId,
    journal::{Answer, Begun, CallClass, Intent, JournalEntry},
    lease::Fence,
    run::{Claim, RunState},
    step::StepKey,
    time::ManualClock,
};
use tollgate_store::{
    SqliteStore, Store, StoreError,
    port::{
        Arrival, ClaimOutcome, ClaimRequest, ClaimedRun, Delivery, DeliveryOutcome, EntryFilter, Guard,
        NewCancellation, NewDecision, NewIntent, OnChange, PausedCall, Rate, Reading, RunFilter, RunWrite,
        Wake,
    },
};

use crate::{check, conformance, sqlite, support::*, transfer};

const KEYS: [&str; 5] = ["A", "B", "C", "D", "E"];

#[derive(Debug, Clone)]
enum Op {
    Reconcile { seen: Vec<Seen>, complete: bool },
    Claim { lane: usize, twice: bool },
    Step { claim: prop::sample::Index, cost: u64 },
    WaitForEffect { claim: prop::sample::Index },
    WaitForTime { claim: prop::sample::Index, seconds: u64 },
    Open { claim: prop::sample::Index, key: usize },
    WaitForChildren { claim: prop::sample::Index },
    Cancel { claim: prop::sample::Index },
    Finish { claim: prop::sample::Index, done: bool },
    Release { claim: prop::sample::Index },
    Reserve { claim: prop::sample::Index, amount: u64 },
    Intend { claim: prop::sample::Index, largest: u64 },
    Answer { claim: prop::sample::Index, cost: u64 },
    Ask { claim: prop::sample::Index, cost: u64 },
    Decide { claim: prop::sample::Index },
    Renew,
    Sweep,
    LiftDue,
    Pack { max: u32 },
    MoveClock { seconds: i64 },
    Take { max: u32 },
    Settle { delivery: prop::sample::Index, retry: bool },
    Retry { key: usize },
}

#[derive(Debug, Clone)]
struct Seen {
    key: usize,
    /// Whether it lives in the source beside the usual one.
    beside: bool,
    lane: usize,
    body: u8,
    needs: Option<usize>,
    closed: bool,
    held: bool,
    on_change: OnChange,
}

fn op() -> impl Strategy<Value = Op> {
    let index = any::<prop::sample::Index>;
    let on_change = prop_oneof![Just(OnChange::Ignore), Just(OnChange::Ask), Just(OnChange::Rerun)];
    let rarely = || prop::bool::weighted(0.1);
    let needs = prop::option::weighted(0.3, 0..KEYS.len());
    let key = (0..KEYS.len(), prop::bool::weighted(0.2));
    let seen = (key, 0..2usize, 0..2u8, needs, rarely(), rarely(), on_change).prop_map(
        |((key, beside), lane, body, needs, closed, held, on_change)| Seen {
            key,
            beside,
            lane,
            body,
            needs,
            closed,
            held,
            on_change,
        },
    );
    prop_oneof![
        4 => (proptest::collection::vec(seen, 0..6), any::<bool>())
            .prop_map(|(seen, complete)| Op::Reconcile { seen, complete }),
        8 => (0..3usize, rarely()).prop_map(|(lane, twice)| Op::Claim { lane, twice }),
        5 => (index(), 0..70u64).prop_map(|(claim, cost)| Op::Step { claim, cost }),
        3 => index().prop_map(|claim| Op::WaitForEffect { claim }),
        2 => (index(), 0..40u64).prop_map(|(claim, seconds)| Op::WaitForTime { claim, seconds }),
        3 => (index(), 0..4usize).prop_map(|(claim, key)| Op::Open { claim, key }),
        3 => index().prop_map(|claim| Op::WaitForChildren { claim }),
        1 => index().prop_map(|claim| Op::Cancel { claim }),
        4 => (index(), any::<bool>()).prop_map(|(claim, done)| Op::Finish { claim, done }),
        1 => index().prop_map(|claim| Op::Release { claim }),
        1 => (index(), 0..60u64).prop_map(|(claim, amount)| Op::Reserve { claim, amount }),
        3 => (index(), 0..60u64).prop_map(|(claim, largest)| Op::Intend { claim, largest }),
        3 => (index(), 0..80u64).prop_map(|(claim, cost)| Op::Answer { claim, cost }),
        1 => (index(), 0..40u64).prop_map(|(claim, cost)| Op::Ask { claim, cost }),
        2 => index().prop_map(|claim| Op::Decide { claim }),
        1 => Just(Op::Renew),
        2 => Just(Op::Sweep),
        2 => Just(Op::LiftDue),
        1 => (1..3u32).prop_map(|max| Op::Pack { max }),
        3 => prop_oneof![Just(-50i64), Just(10), Just(31), Just(86_400)]
            .prop_map(|seconds| Op::MoveClock { seconds }),
        4 => (1..4u32).prop_map(|max| Op::Take { max }),
        6 => (index(), any::<bool>()).prop_map(|(delivery, retry)| Op::Settle { delivery, retry }),
        2 => (0..KEYS.len()).prop_map(|key| Op::Retry { key }),
    ]
}

/// The call that asks capabilities; no step ends it.
fn asking_step() -> StepKey {
    key_of_step("draft", 1_000_000)
}

/// What a bystander knows who saw every answer of the store.
struct Trace<'p> {
    world: World<SqliteStore>,
    path: &'p Path,
    lanes: [LaneId; 2],
    /// Every claim that was ever given, stale ones included.
    claims: Vec<ClaimedRun>,
    /// Who drives what.
    held: BTreeMap<RunId, Fence>,
    finished: BTreeSet<RunId>,
    released_effects: BTreeSet<RunId>,
    steps: u32,
    taken: Vec<Delivery>,
    sending: BTreeMap<DeliveryId, Fence>,
    settled: BTreeSet<DeliveryId>,
}

impl Trace<'_> {
    async fn perform(&mut self, op: Op) {
        match op {
            Op::Reconcile { seen, complete } => self.reconcile(seen, complete).await,
            Op::Claim { lane, twice } => self.claim(lane, twice).await,
            Op::Step { claim, cost } => self.step(claim, cost).await,
            Op::WaitForEffect { claim } => self.wait_for_effect(claim).await,
            Op::WaitForTime { claim, seconds } => {
                let Some(run) = self.any_claim(claim) else { return };
                let at = self.world.store.now().await.unwrap().after(Duration::from_secs(seconds));
                let answer = self.world.store.write(wait(run.claim, vec![Wake::At(at)])).await;
                self.expect(&run, &answer);
                self.rests(&run, &answer);
            }
            Op::Open { claim, key } => self.open(claim, key).await,
            Op::Cancel { claim } => self.cancel(claim).await,
            Op::WaitForChildren { claim } => self.wait_for_children(claim).await,
            Op::Finish { claim, done } => self.finish(claim, done).await,
            Op::Release { claim } => {
                let Some(run) = self.any_claim(claim) else { return };
                let answer = self.world.store.release(run.claim, "room for others").await;
                self.expect(&run, &answer);
                self.rests(&run, &answer);
            }
            Op::Reserve { claim, amount } => {
                let Some(run) = self.any_claim(claim) else { return };
                let answer = self.world.store.reserve(run.claim, Microcents(amount)).await;
                self.expect(&run, &answer);
            }
            Op::Intend { claim, largest } => self.intend(claim, largest).await,
            Op::Answer { claim, cost } => self.answer(claim, cost).await,
            Op::Ask { claim, cost } => self.ask(claim, cost).await,
            Op::Decide { claim } => self.decide(claim).await,
            Op::Renew => {
                for claim in self.world.store.renew_leases(&self.world.host, LEASE).await.unwrap() {
                    assert_eq!(self.held.get(&claim.run), Some(&claim.fence), "renewed what is not held");
                }
            }
            Op::Sweep => self.sweep().await,
            Op::LiftDue => drop(self.world.store.lift_due().await.unwrap()),
            Op::Pack { max } => {
                let now = self.world.store.now().await.unwrap();
                self.world.store.pack_events(now, max).await.unwrap();
            }
            Op::MoveClock { seconds } => self.move_clock(seconds),
            Op::Take { max } => self.take(max).await,
            Op::Settle { delivery, retry } => self.settle(delivery, retry).await,
            Op::Retry { key } => self.retry(key).await,
        }
    }

    async fn reconcile(&mut self, seen: Vec<Seen>, complete: bool) {
        let (beside, here): (Vec<_>, Vec<_>) = seen.into_iter().partition(|seen| seen.beside);
        let reading = || if complete { full() } else { Reading::Partial };
        self.world.read(TRACKER, self.arrivals(here), reading()).await;
        self.world.read(BESIDE, self.arrivals(beside), reading()).await;
    }

    fn arrivals(&self, seen: Vec<Seen>) -> Vec<Arrival> {
        let arrivals = seen.into_iter().map(|seen| {
            let mut arrival = arrival(self.lanes[seen.lane], KEYS[seen.key], 0)
                .says(&format!("version {}", seen.body))
                .on_change(seen.on_change);
            if let Some(needed) = seen.needs {
                arrival = arrival.needs(KEYS[needed]);
            }
            if seen.closed {
                arrival = arrival.closed();
            }
            if seen.held {
                arrival = arrival.held(tollgate_core::entry::HoldKind::NotEligible, "not now");
            }
            if seen.beside { arrival.beside() } else { arrival }
        });
        arrivals.collect()
    }

    async fn claim(&mut self, lane: usize, twice: bool) {
        let lanes = self.lanes.get(lane).map_or(self.lanes.to_vec(), |lane| vec![*lane]);
        let request = ClaimRequest { lanes, ..self.world.request() };
        let ClaimOutcome::Claimed(run) = self.world.store.claim(request.clone()).await.unwrap() else {
            return;
        };
        let Claim { run: id, fence } = run.claim;
        assert!(!self.held.contains_key(&id), "two drive {id}");
        assert!(!self.finished.contains(&id), "{id} is over");
        let earlier = self.claims.iter().filter(|earlier| earlier.claim.run == id);
        assert!(earlier.map(|earlier| earlier.claim.fence).max().is_none_or(|earlier| earlier < fence));
        let same_entry = |held: &RunId| {
            self.claims.iter().any(|c| c.claim.run == *held && c.run.entry_id == run.run.entry_id)
        };
        assert!(!self.held.keys().any(same_entry), "two runs of one entry are driven");
        if twice && !run.begun {
            let again = self.world.store.claim(request).await.unwrap();
            assert!(matches!(again, ClaimOutcome::Claimed(again) if again.claim == run.claim));
        }
        self.held.insert(id, fence);
        self.claims.push(*run);
    }

    async fn step(&mut self, claim: prop::sample::Index, cost: u64) {
        let Some(run) = self.any_claim(claim) else { return };
        self.steps += 1;
        let write = RunWrite {
            steps: vec![step("draft", self.steps, cost)],
            events: vec![event(cost as i64)],
            ..go_on(run.claim)
        };
        match self.world.store.write(write).await {
            Err(StoreError::Conflict(text)) => {
                assert!(self.holds(&run), "a stale driver is told that it is stale, not that {text}");
            }
            answer => self.expect(&run, &answer),
        }
    }

    /// The attempt of a run that asks things, and how often it was asked for anything.
    async fn attempt(&self, run: &ClaimedRun) -> Vec<JournalEntry> {
        let attempt = self.world.store.attempt(run.claim.run, &asking_step()).await.unwrap();
        attempt.map(|attempt| attempt.journal).unwrap_or_default()
    }

    async fn intend(&mut self, claim: prop::sample::Index, largest: u64) {
        let Some(run) = self.any_claim(claim) else { return };
        let journal = self.attempt(&run).await;
        let lost = journal.last().filter(|entry| entry.answer.is_none());
        let call = journal.len() - usize::from(lost.is_some());
        let new = || Intent {
            function: "ask".into(),
            request: Digest::of(format!("{call}")),
            reserved: Microcents(largest),
            class: CallClass::Repeatable,
        };
        let intent = lost.map_or_else(new, |entry| entry.intent.clone());
        let answer = self.world.store.journal_intend(NewIntent {
            claim: run.claim,
            step: asking_step(),
            plugin: plugin("draft"),
            begun: Begun { now: start(), delivered: vec![] },
            call: call as u32,
            set_aside: intent.reserved + Microcents(10),
            intent,
        });
        let answer = answer.await;
        self.expect(&run, &answer);
    }

    async fn answer(&mut self, claim: prop::sample::Index, cost: u64) {
        let Some(run) = self.any_claim(claim) else { return };
        let call = self.attempt(&run).await.len().saturating_sub(1) as u32;
        let answer = Answer { body: serde_json::Value::Null, cost: Microcents(cost) };
        match self.world.store.journal_answer(run.claim, &asking_step(), call, answer).await {
            Err(StoreError::Conflict(text)) => assert!(text.contains("awaits no answer"), "{text}"),
            answer => self.expect(&run, &answer),
        }
    }

    async fn ask(&mut self, claim: prop::sample::Index, cost: u64) {
        let Some(run) = self.any_claim(claim) else { return };
        let asked = Ask {
            step: asking_step(),
            lack: Lack::Fuel,
            role: None,
            reason: "out of fuel".into(),
            suggested: Allowance::default(),
        };
        let paused = PausedCall {
            step: asking_step(),
            plugin: plugin("draft"),
            begun: Begun { now: start(), delivered: vec![] },
            cost: Microcents(cost),
        };
        let write = wait(run.claim, vec![Wake::Approval(Box::new(asked))]);
        let answer = self.world.store.write(RunWrite { paused: Some(paused), ..write }).await;
        self.expect(&run, &answer);
        self.rests(&run, &answer);
    }

    async fn decide(&mut self, claim: prop::sample::Index) {
        let Some(run) = self.any_claim(claim) else { return };
        let asks = self.world.store.run(run.claim.run).await.unwrap().summary.ask.is_some();
        let decision = NewDecision { who: "ines".into(), why: "so".into(), word: Word::Rejected };
        match self.world.store.decide(run.claim.run, decision).await {
            Ok(_) => assert!(asks),
            Err(StoreError::Conflict(_)) => assert!(!asks, "it asks and could not be answered"),
            Err(error) => panic!("{error}"),
        }
    }

    async fn wait_for_effect(&mut self, claim: prop::sample::Index) {
        let Some(run) = self.any_claim(claim) else { return };
        let new = self.holds(&run) && !self.released_effects.contains(&run.claim.run);
        let released = if new { vec![effect("draft", "state")] } else { vec![] };
        let wakes = vec![Wake::Delivered(vec![reference("draft", "state")])];
        let answer = self.world.store.write(RunWrite { released, ..wait(run.claim, wakes) }).await;
        self.expect(&run, &answer);
        self.rests(&run, &answer);
        if answer.is_ok() {
            self.released_effects.insert(run.claim.run);
        }
    }

    async fn open(&mut self, claim: prop::sample::Index, key: usize) {
        let Some(run) = self.any_claim(claim) else { return };
        let opener = conformance::opening::by_run(run.claim.run, 3);
        let opening = conformance::opening::opening(&self.world, &format!("I-{key}"), opener);
        match self.world.store.open_entry(opening).await {
            Ok(_) => {}
            Err(StoreError::Conflict(text)) => {
                assert!(text.contains("3 deep at most") || text.contains("opens nothing more"), "{text}");
            }
            Err(error) => panic!("{error}"),
        }
    }

    async fn cancel(&mut self, claim: prop::sample::Index) {
        let Some(run) = self.any_claim(claim) else { return };
        let new = NewCancellation { who: "ines".into(), why: "enough".into() };
        let driven = self.held.contains_key(&run.claim.run);
        match self.world.store.cancel(run.claim.run, new).await {
            Ok(cancelled) => {
                assert!(!self.finished.contains(&run.claim.run));
                assert!(driven || cancelled.driven_by.is_none());
            }
            Err(StoreError::Conflict(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }

    async fn wait_for_children(&mut self, claim: prop::sample::Index) {
        let Some(run) = self.any_claim(claim) else { return };
        self.steps += 1;
        let steps = vec![conformance::children::waiting(self.steps, None)];
        let answer = self.world.store.write(RunWrite { steps, ..wait(run.claim, vec![Wake::Asked]) }).await;
        self.expect(&run, &answer);
        self.rests(&run, &answer);
    }

    async fn finish(&mut self, claim: prop::sample::Index, done: bool) {
        let Some(run) = self.any_claim(claim) else { return };
        let end = if done { End::Done } else { failed("it broke") };
        let answer = self.world.store.write(finish(&run, self.world.store.id(), end)).await;
        self.expect(&run, &answer);
        self.rests(&run, &answer);
        if answer.is_ok() {
            assert!(self.finished.insert(run.claim.run), "a run ended twice");
        }
    }

    async fn sweep(&mut self) {
        let swept = self.world.store.sweep().await.unwrap();
        for run in swept.lapsed_runs {
            assert!(self.held.remove(&run).is_some(), "the lease of a run lapsed that nobody held");
        }
        for delivery in swept.lapsed_deliveries {
            assert!(self.sending.remove(&delivery).is_some(), "a delivery lapsed that nobody sent");
        }
    }

    fn move_clock(&self, seconds: i64) {
        match u64::try_from(seconds) {
            Ok(seconds) => self.world.clock.advance(Duration::from_secs(seconds)),
            Err(_) => {
                use tollgate_core::Clock as _;
                let back = self.world.clock.now().as_millis() + seconds * 1_000;
                self.world.clock.set_wall(tollgate_core::Timestamp::from_millis(back));
            }
        }
    }

    async fn take(&mut self, max: u32) {
        for delivery in self.world.take(max).await {
            assert!(!self.settled.contains(&delivery.id), "it was delivered already");
            let before = self.taken.iter().filter(|before| before.entry == delivery.entry);
            for before in before {
                let in_order = self.settled.contains(&before.id) || before.id >= delivery.id;
                assert!(in_order, "{:?} overtook {:?}", delivery.id, before.id);
            }
            assert_eq!(self.sending.insert(delivery.id, delivery.fence), None, "two send it");
            self.taken.push(delivery);
        }
    }

    async fn settle(&mut self, delivery: prop::sample::Index, retry: bool) {
        if self.taken.is_empty() {
            return;
        }
        let delivery = delivery.get(&self.taken).clone();
        let outcome = match retry {
            false => delivered(),
            true => {
                let at = self.world.store.now().await.unwrap().after(Duration::from_secs(5));
                DeliveryOutcome::Retry { at, reason: "timed out".into(), ambiguous: true }
            }
        };
        let ours = self.sending.get(&delivery.id) == Some(&delivery.fence);
        let stale = self.world.store.settle_deliveries(vec![(delivery.ticket(), outcome)]).await.unwrap();
        assert_eq!(stale.is_empty(), ours, "{delivery:?}");
        if ours {
            self.sending.remove(&delivery.id);
            if !retry {
                assert!(self.settled.insert(delivery.id), "delivered twice");
            }
        }
    }

    async fn retry(&mut self, key: usize) {
        let Ok(detail) = self.world.store.entry(KEYS[key], Some(TRACKER)).await else { return };
        let retried = self.world.store.retry(detail.status.id, "ines", "again").await;
        if detail.status.state.is_terminal() {
            retried.unwrap();
        }
    }

    fn any_claim(&self, index: prop::sample::Index) -> Option<ClaimedRun> {
        (!self.claims.is_empty()).then(|| index.get(&self.claims).clone())
    }

    fn holds(&self, run: &ClaimedRun) -> bool {
        self.held.get(&run.claim.run) == Some(&run.claim.fence)
    }

    /// A driver's write is accepted exactly when it drives.
    fn expect<T>(&self, run: &ClaimedRun, answer: &Result<T, StoreError>) {
        match answer {
            Ok(_) => assert!(self.holds(run), "a stale driver was listened to"),
            Err(StoreError::StaleFence { .. }) => assert!(!self.holds(run), "the driver was refused"),
            Err(error) => panic!("{error}"),
        }
    }

    fn rests(&mut self, run: &ClaimedRun, answer: &Result<(), StoreError>) {
        if answer.is_ok() {
            self.held.remove(&run.claim.run);
        }
    }

    async fn check(&self) {
        check::everything_agrees(self.path);
        let open = self.world.store.open_work().await.unwrap();
        assert_eq!(open.driven, self.held.len() as u64);
    }

    /// Every chain fits together, and every record was made once.
    async fn check_runs(&self) {
        for run in self.world.store.runs(RunFilter::default()).await.unwrap().rows {
            let detail = self.world.store.run(run.id).await.unwrap();
            let head = ChainHead::verify(run.id, &detail.events).unwrap();
            let over = !matches!(run.state, RunState::Running | RunState::Waiting);
            assert_eq!(over, self.finished.contains(&run.id));
            if let Some(record) = detail.record {
                assert_eq!(record.chain, Some(head));
            }
        }
        let entries = self.world.store.entries(EntryFilter::default()).await.unwrap();
        let ids: BTreeSet<EntryId> = entries.rows.iter().map(|entry| entry.id).collect();
        assert_eq!((ids.len(), entries.total), (entries.rows.len(), entries.rows.len() as u64));
    }
}

async fn run_trace(ops: Vec<Op>) {
    let ops_count = ops.len();
    let folder = tempfile::tempdir().unwrap();
    let caps = vec![cap("project", 450), cap("plugin:draft", 200)];
    let make = |clock: Arc<ManualClock>| sqlite::in_file(&folder, clock);
    let world = World::with_caps(&make, caps.clone()).await;
    let applied = world.store.apply_policy(policy(&["spec", "triage"], caps)).await.unwrap();
    let path = sqlite::file_in(&folder);
    let mut trace = Trace {
        world,
        path: &path,
        lanes: [applied.lanes[0].id, applied.lanes[1].id],
        claims: vec![],
        held: BTreeMap::new(),
        finished: BTreeSet::new(),
        released_effects: BTreeSet::new(),
        steps: 0,
        taken: vec![],
        sending: BTreeMap::new(),
        settled: BTreeSet::new(),
    };
    for op in ops {
        trace.perform(op).await;
        trace.check().await;
    }
    trace.check_runs().await;
    // A database of its own for each would take minutes.
    match ops_count % 8 {
        0 => transfer::goes_round(&trace.world.store, &trace.world.clock).await,
        _ => transfer::comes_back(&transfer::exported(&trace.world.store).await, &trace.world.clock).await,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_trace_breaks_an_invariant(ops in proptest::collection::vec(op(), 20..90)) {
        block_on(run_trace(ops));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 100, ..ProptestConfig::default() })]

    /// S2-25: a loop once made 17,000 items. Entries whose runs open entries come to an end, and on the way there never more are let
    /// in within a window than its rate says.
    #[test]
    fn entries_that_open_entries_end(
        children in proptest::collection::vec(0_usize..6, 1..5),
        depth_max in 0_u32..40,
        per_origin in 0_u32..60,
        count in 1_u32..5,
    ) {
        let window = Duration::from_secs(300);
        let rate = Some(Rate { count, window });
        let guard = Guard { per_author: rate, per_source: rate, per_origin: Some(per_origin), ..Guard::default() };
        let went = block_on(conformance::opening::feed_itself(&|clock| Box::new(sqlite::in_memory(clock)), &guard, depth_max, &children, 2_000));
        prop_assert!(went.let_in.len() <= per_origin as usize, "{}", went.let_in.len());
        let most = children.iter().max().copied().unwrap_or_default() as u64;
        prop_assert!(went.entries <= 1 + (u64::from(per_origin) + 1) * most, "{}", went.entries);
        for (at, first) in went.let_in.iter().enumerate() {
            // They are seen when they are claimed, at most one tick of the clock after they were let in.
            let span = window - Duration::from_secs(20);
            let within = went.let_in[at..].iter().filter(|other| other.since(*first) < span).count();
            prop_assert!(within <= count as usize, "{within} within {span:?}");
        }
    }
}

//! A small world to test stores in: one backlog, one pipeline, entries `A`, `B`, ….

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tollgate_core::{
    Digest, EntryId, HostId, LaneId, Microcents, RunId, StoreId, Timestamp,
    course::{EffectRef, End},
    effect::{Delivered, Effect},
    entry::{DependencyRule, EntryName, EntrySnapshot, EntryState, Hold, HoldKind, Link, LinkKind},
    event::{EventKind, NewEvent},
    item::SourceItem,
    ledger::{Cap, CapPeriod},
    pins::{PinnedPlugin, Pins, Prices},
    pipeline::{On, Pipeline, Retry, RunBudget, Stage, StepBudget, StepName},
    rank::{Direction, RankKey, RankPart},
    record::{EntryFacts, OrderFacts, PinFacts, Record, SCHEMA},
    run::{Claim, RunKind},
    step::{Produced, Step, StepKey, StepOutcome, Usage},
    time::ManualClock,
};
use tollgate_store::{
    PostgresStore, SqliteStore, Store,
    memory::MemoryStore,
    port::{
        Admission, Arrival, Change, ClaimOutcome, ClaimRequest, ClaimedRun, Delivery, DeliveryOutcome,
        LaneSpec, NextState, OnChange, PlaceInLane, PolicyApplication, PolicyFile, Reading, ReleasedEffect,
        RunWrite, Wake,
    },
};

pub(crate) const TRACKER: &str = "folder:docs";
/// Another tracker of the same backlog.
pub(crate) const BESIDE: &str = "folder:done";

pub(crate) const BACKLOG: &str = "specs";
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// What a claim sets aside, in a world without other wishes.
pub(crate) const TRANCHE: Microcents = Microcents(100);

/// The time at which every world begins: a Friday evening.
pub(crate) fn start() -> Timestamp {
    "2026-11-20T20:00:00Z".parse().unwrap()
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// How a test is given its store: any, so that what is asked of all stores is compiled once.
pub(crate) type Make<'m> = dyn Fn(Arc<ManualClock>) -> Box<dyn Store> + 'm;

/// What has a store in it: one of a kind, for what only that kind can, or any.
pub(crate) trait HasStore {
    fn store(&self) -> &dyn Store;
}

macro_rules! has_store {
    ($($kind:ty),*) => { $(impl HasStore for $kind {
        fn store(&self) -> &dyn Store {
            self
        }
    })* };
}

has_store! { MemoryStore, PostgresStore, SqliteStore }

impl HasStore for Box<dyn Store> {
    fn store(&self) -> &dyn Store {
        &**self
    }
}

/// The version of whatever policy is applied.
pub(crate) const WHICHEVER: i64 = i64::MAX;

/// A store, its clock and one lane.
pub(crate) struct World<S = Box<dyn Store>> {
    pub(crate) store: S,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) lane: LaneId,
    pub(crate) host: HostId,
}

impl<S: HasStore> World<S> {
    pub(crate) async fn new(make: &dyn Fn(Arc<ManualClock>) -> S) -> Self {
        Self::with_caps(make, vec![]).await
    }

    pub(crate) async fn with_caps(make: &dyn Fn(Arc<ManualClock>) -> S, caps: Vec<Cap>) -> Self {
        let clock = Arc::new(ManualClock::at(start()));
        let store = make(Arc::clone(&clock));
        let applied = store.store().apply_policy(policy(&["spec"], caps)).await.unwrap();
        Self { lane: applied.lanes[0].id, store, clock, host: HostId("here-1".into()) }
    }

    pub(crate) async fn admit(&self, arrivals: Vec<Arrival>) -> Vec<Change> {
        let reconcile = self.store.store().begin_reconcile(BACKLOG, TRACKER).await.unwrap();
        self.store.store().admit(reconcile, arrivals).await.unwrap()
    }

    /// Admits what there is of the source, all of it; the keys that are gone.
    pub(crate) async fn reconcile(&self, arrivals: Vec<Arrival>, complete: bool) -> Vec<String> {
        self.read(TRACKER, arrivals, if complete { full() } else { Reading::Partial }).await
    }

    /// Admits what there is of a tracker; the keys that are gone.
    pub(crate) async fn read(&self, tracker: &str, arrivals: Vec<Arrival>, reading: Reading) -> Vec<String> {
        let reconcile = self.store.store().begin_reconcile(BACKLOG, tracker).await.unwrap();
        self.store.store().admit(reconcile, arrivals).await.unwrap();
        self.store.store().finish_reconcile(reconcile, reading).await.unwrap().gone
    }

    pub(crate) fn arrival(&self, key: &str) -> Arrival {
        arrival(self.lane, key, 0)
    }

    pub(crate) async fn state(&self, key: &str) -> EntryState {
        self.store.store().entry(key, None).await.unwrap().status.state
    }

    /// `kind: sentence` of every hold.
    pub(crate) async fn holds(&self, key: &str) -> Vec<String> {
        let holds = self.store.store().entry(key, None).await.unwrap().status.holds;
        holds.into_iter().map(|hold| format!("{}: {}", hold.kind, hold.reason)).collect()
    }

    pub(crate) async fn id(&self, key: &str) -> EntryId {
        self.store.store().entry(key, None).await.unwrap().status.id
    }

    pub(crate) fn request(&self) -> ClaimRequest {
        ClaimRequest {
            host: self.host.clone(),
            lease: LEASE,
            lanes: vec![self.lane],
            new_run: RunId::generate(),
            only_begun: false,
            only: vec![],
        }
    }

    pub(crate) async fn claim(&self) -> ClaimedRun {
        match self.store.store().claim(self.request()).await.unwrap() {
            ClaimOutcome::Claimed(run) => *run,
            other => panic!("expected a run, got {other:?}"),
        }
    }

    pub(crate) async fn claim_nothing(&self) -> ClaimOutcome {
        match self.store.store().claim(self.request()).await.unwrap() {
            ClaimOutcome::Claimed(run) => panic!("expected no run, got {run:?}"),
            other => other,
        }
    }

    /// Claims the head and drives it to an end in one write.
    pub(crate) async fn work(&self, end: End) -> ClaimedRun {
        let run = self.claim().await;
        self.finish(&run, end).await;
        run
    }

    pub(crate) async fn finish(&self, run: &ClaimedRun, end: End) {
        self.store.store().write(finish(run, self.store.store().id(), end)).await.unwrap();
    }

    pub(crate) async fn take(&self, max: u32) -> Vec<Delivery> {
        self.store.store().take_deliveries(&self.host, LEASE, max).await.unwrap()
    }

    pub(crate) async fn settle(&self, delivery: &Delivery) {
        let stale =
            self.store.store().settle_deliveries(vec![(delivery.ticket(), delivered())]).await.unwrap();
        assert_eq!(stale, vec![], "the delivery is still ours");
    }
}

/// A reading in which nothing was in the way.
pub(crate) fn full() -> Reading {
    Reading::Full { unread: vec![] }
}

pub(crate) fn policy(pipelines: &[&str], caps: Vec<Cap>) -> PolicyApplication {
    let lane = |pipeline: &&str| LaneSpec {
        backlog: BACKLOG.into(),
        pipeline: (*pipeline).into(),
        kind: RunKind::Work,
        pins: pins(pipeline),
        tranche: TRANCHE,
    };
    PolicyApplication {
        digest: Digest::of(format!("{pipelines:?}")),
        files: vec![PolicyFile { path: "tollgate.toml".into(), text: "backlog = …".into() }],
        who: "ines".into(),
        why: "a test".into(),
        lanes: pipelines.iter().map(lane).collect(),
        caps,
    }
}

pub(crate) fn cap(scope: &str, limit: u64) -> Cap {
    Cap {
        scope: scope.into(),
        period: CapPeriod::Day,
        zone: "Europe/Berlin".into(),
        limit: Microcents(limit),
    }
}

/// Pins of a pipeline of two stages: `draft`, which may use 40, and `publish`, which may use 60.
pub(crate) fn pins(pipeline: &str) -> Pins {
    let stage = |name: &str, fuel: u64| Stage {
        name: name.into(),
        plugin: format!("{name}@^1"),
        grants: vec![],
        budget: StepBudget { fuel, time: Duration::from_secs(10), memory_bytes: 1 << 24, tokens: None },
        retry: Retry {
            attempts: 1,
            backoff_min: Duration::from_secs(1),
            backoff_max: Duration::from_secs(60),
        },
        settings: json!({}),
        when: None,
        on: On::Success,
        approval: None,
        gates: vec![],
    };
    let plugin = |name: &str| PinnedPlugin {
        name: name.into(),
        version: "1.0.0".into(),
        digest: plugin(name),
        contract: "0.1".into(),
    };
    Pins {
        pipeline: Pipeline {
            name: pipeline.into(),
            owner: "ines".into(),
            budget: RunBudget { cost: Microcents(1_000), time: Duration::from_secs(600) },
            stages: vec![stage("draft", 40), stage("publish", 60)],
        },
        plugins: BTreeMap::from([
            ("draft@^1".into(), plugin("draft")),
            ("publish@^1".into(), plugin("publish")),
        ]),
        engine: "test".into(),
        prices: Prices { per_gigafuel: Microcents(1_000_000_000) },
        models: BTreeMap::new(),
        zone: "UTC".into(),
        policy: Digest::of("policy"),
    }
}

pub(crate) fn plugin(name: &str) -> Digest {
    Digest::of(format!("component of {name}"))
}

pub(crate) fn name(key: &str) -> EntryName {
    EntryName { tracker: TRACKER.into(), key: key.into() }
}

/// An item with this key; larger scores come first.
pub(crate) fn arrival(lane: LaneId, key: &str, score: i64) -> Arrival {
    let created_at = start();
    let item = SourceItem {
        name: name(key),
        url: Some(format!("docs/{key}.md")),
        kind: "task".into(),
        title: format!("Title of {key}"),
        body: "It does not work.".into(),
        author: None,
        labels: vec![],
        created_at: Some(created_at),
        closed: false,
        shelf: tollgate_core::item::Shelf::Open,
        front_matter: serde_json::Map::new(),
        headings: BTreeMap::new(),
        depends: vec![],
    };
    let snapshot = EntrySnapshot {
        name: item.name.clone(),
        url: item.url.clone(),
        kind: item.kind.clone(),
        title: item.title.clone(),
        body: item.body.clone(),
        author: None,
        labels: vec![],
        created_at,
        fields: serde_json::Map::new(),
    };
    let place = PlaceInLane {
        lane,
        rank_key: RankKey::new(&[(RankPart::Thousandths(score), Direction::Descending)], created_at),
        score_thousandths: Some(score),
        terms: vec![],
    };
    Arrival {
        guard: tollgate_store::port::Guard::default(),
        retry_failed: false,
        backlog: BACKLOG.into(),
        revision: snapshot.revision(),
        basis: snapshot.revision(),
        item,
        snapshot,
        supplement_version: 0,
        policy_version: WHICHEVER,
        links: vec![],
        depends: DependencyRule::Either,
        admission: Admission { holds: vec![], place: Some(place), due_at: None },
        on_change: OnChange::Ignore,
    }
}

/// Changes to an arrival that read well in a row.
pub(crate) trait ArrivalExt {
    fn closed(self) -> Self;
    fn says(self, body: &str) -> Self;
    fn needs(self, key: &str) -> Self;
    fn held(self, kind: HoldKind, reason: &str) -> Self;
    fn not_before(self, until: Timestamp) -> Self;
    fn on_change(self, on_change: OnChange) -> Self;
    fn rule(self, rule: DependencyRule) -> Self;
    /// The same, in the source that stands beside the usual one.
    fn beside(self) -> Self;
}

impl ArrivalExt for Arrival {
    fn closed(mut self) -> Self {
        self.item.closed = true;
        self
    }

    fn says(mut self, body: &str) -> Self {
        self.item.body = body.into();
        self.snapshot.body = body.into();
        self.revision = self.snapshot.revision();
        self.basis = self.revision;
        self
    }

    fn needs(mut self, key: &str) -> Self {
        let source = "front-matter:dependencies".into();
        self.links.push(Link { kind: LinkKind::DependsOn, to: name(key), written: None, source });
        self
    }

    fn held(mut self, kind: HoldKind, reason: &str) -> Self {
        let hold = Hold { kind, subject: String::new(), reason: reason.into(), until: None };
        self.admission.holds.push(hold);
        self
    }

    fn not_before(mut self, until: Timestamp) -> Self {
        let reason = format!("not before {until}");
        let hold = Hold { kind: HoldKind::NotBefore, subject: String::new(), reason, until: Some(until) };
        self.admission.holds.push(hold);
        self
    }

    fn on_change(mut self, on_change: OnChange) -> Self {
        self.on_change = on_change;
        self
    }

    fn rule(mut self, rule: DependencyRule) -> Self {
        self.depends = rule;
        self
    }

    fn beside(mut self) -> Self {
        for name in [&mut self.item.name, &mut self.snapshot.name] {
            name.tracker = BESIDE.into();
        }
        self.item.url = Some(format!("done/{}.md", self.item.name.key));
        self.snapshot.url = self.item.url.clone();
        for link in &mut self.links {
            link.to.tracker = BESIDE.into();
        }
        self.revision = self.snapshot.revision();
        self.basis = self.revision;
        self
    }
}

pub(crate) fn key_of_step(stage: &str, attempt: u32) -> StepKey {
    StepKey { name: StepName { stage: stage.into(), gate: None }, rework: 0, attempt }
}

pub(crate) fn step(stage: &str, attempt: u32, cost: u64) -> Step {
    let produced =
        Produced { summary: "written".into(), data: json!({}), artifacts: vec![], effects: vec![] };
    Step {
        key: key_of_step(stage, attempt),
        plugin: plugin(stage),
        input: Digest::of("input"),
        started_at: start(),
        ended_at: start(),
        usage: Usage {
            fuel: cost,
            memory_bytes: 1,
            host_calls: 1,
            cost: Microcents(cost),
            ..Usage::default()
        },
        outcome: StepOutcome::Produced(produced),
        log: vec![],
    }
}

pub(crate) fn reference(stage: &str, id: &str) -> EffectRef {
    EffectRef { step: key_of_step(stage, 1), id: id.into() }
}

pub(crate) fn effect(stage: &str, id: &str) -> ReleasedEffect {
    effect_with(stage, id, "set-state", json!({ "state": "specified" }))
}

pub(crate) fn publish(stage: &str, id: &str, path: &str, content: &str) -> ReleasedEffect {
    let body = json!({ "path": path, "artifact": Digest::of(content), "media-type": "text/markdown" });
    effect_with(stage, id, "publish-file", body)
}

fn effect_with(stage: &str, id: &str, kind: &str, body: Value) -> ReleasedEffect {
    let effect = Effect { id: id.into(), kind: kind.into(), body, later: false };
    ReleasedEffect { reference: reference(stage, id), effect, leaves: None }
}

pub(crate) fn go_on(claim: Claim) -> RunWrite {
    RunWrite { claim, paused: None, steps: vec![], released: vec![], events: vec![], next: NextState::GoOn }
}

pub(crate) fn wait(claim: Claim, wakes: Vec<Wake>) -> RunWrite {
    let next = NextState::Wait { wakes, reason: "waits for something".into() };
    RunWrite { next, ..go_on(claim) }
}

pub(crate) fn finish(run: &ClaimedRun, store: StoreId, end: End) -> RunWrite {
    let record = Box::new(record(run, store, end.clone()));
    RunWrite {
        next: NextState::Finish { end, record, leaves_entry: false, refinement: None },
        ..go_on(run.claim)
    }
}

pub(crate) fn failed(reason: &str) -> End {
    End::Failed(tollgate_core::course::Stopped {
        at: None,
        reason: reason.into(),
        recovery: "mend it, then retry the run".into(),
    })
}

pub(crate) fn delivered() -> DeliveryOutcome {
    DeliveryOutcome::Settled(Delivered::Done { reference: Some("there".into()), data: Value::Null })
}

pub(crate) fn event(n: i64) -> NewEvent {
    NewEvent { kind: EventKind::StepEnded, body: json!({ "n": n }) }
}

pub(crate) fn record(run: &ClaimedRun, store: StoreId, end: End) -> Record {
    let pins = pins(&run.run.pipeline);
    Record {
        schema: SCHEMA.into(),
        run: run.claim.run,
        kind: run.run.kind,
        entry: EntryFacts {
            name: run.run.entry.clone(),
            url: None,
            title: run.run.title.clone(),
            revision: run.run.revision,
            basis: None,
            fields: serde_json::Map::new(),
            changed_since: false,
        },
        store,
        host: run.run.host.clone(),
        fence: run.claim.fence.0,
        round: run.run.round,
        started_at: run.run.started_at,
        ended_at: run.claimed_at,
        end,
        order: OrderFacts::default(),
        pins: PinFacts {
            digest: pins.digest(),
            pipeline: pins.pipeline.name.clone(),
            owner: pins.pipeline.owner.clone(),
            policy: pins.policy,
            engine: pins.engine.clone(),
            plugins: pins.plugins.values().cloned().collect(),
            models: BTreeMap::new(),
        },
        steps: vec![],
        reworks: vec![],
        effects: vec![],
        decisions: vec![],
        waits: vec![],
        total: Usage::default(),
        chain: None,
    }
}

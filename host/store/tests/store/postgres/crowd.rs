//! Several hosts do everything at once on one database, and whoever looks finds that everything agrees.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tollgate_core::{
    Digest, HostId, Microcents, RunId, Timestamp,
    approval::{Allowance, Ask, Lack, Word},
    course::End,
    event::ChainHead,
    journal::{Answer, Begun, CallClass, Intent},
    step::{Step, StepOutcome},
    time::{Clock as _, ManualClock},
    wait::{Event, Wait, WakeOn},
};
use tollgate_store::{
    PostgresStore, Store as _, StoreError,
    port::{
        ClaimOutcome, ClaimRequest, ClaimedRun, DeliveryOutcome, EntryFilter, NewCancellation, NewDecision,
        NewIntent, NewSignal, PausedCall, PolicyApplication, RunFilter, RunWrite, Wake,
    },
};

use super::{open, server};
use crate::{check, conformance, support::*};

const HOSTS: u32 = 3;
const WORKERS: u32 = 3;
const CLAIMS_OF_A_WORKER: u32 = 40;

/// One host, and what it does by chance.
#[derive(Clone)]
struct Actor {
    world: Arc<World<PostgresStore>>,
    over: Arc<AtomicBool>,
    attempts: Arc<AtomicU32>,
    chance: u64,
}

impl Actor {
    /// Xorshift: anything below `limit`.
    fn any(&mut self, limit: u64) -> u64 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        (self.chance >> 11) % limit
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    fn attempt(&self) -> u32 {
        self.attempts.fetch_add(1, Ordering::SeqCst)
    }

    fn later(&mut self) -> Timestamp {
        let seconds = self.any(20);
        self.world.clock.now().after(Duration::from_secs(seconds))
    }

    async fn work(mut self) {
        for _ in 0..CLAIMS_OF_A_WORKER {
            let request = ClaimRequest { lanes: self.lanes().await, ..self.world.request() };
            if let ClaimOutcome::Claimed(run) = self.world.store.claim(request).await.unwrap() {
                self.drive(*run).await;
            }
        }
    }

    async fn lanes(&self) -> Vec<tollgate_core::LaneId> {
        let applied = self.world.store.applied_policy().await.unwrap().unwrap();
        applied.lanes.into_iter().map(|lane| lane.id).collect()
    }

    async fn drive(&mut self, run: ClaimedRun) {
        for _ in 0..self.any(4) {
            match self.any(4) {
                0 => self.step(&run).await,
                1 => self.call(&run).await,
                2 => self.open(&run).await,
                _ => {
                    let amount = Microcents(self.any(60));
                    said(self.world.store.reserve(run.claim, amount).await);
                }
            }
        }
        let write = match self.any(12) {
            0 => {
                let id = self.attempt().to_string();
                let wakes = vec![Wake::Delivered(vec![reference("draft", &id)])];
                let released = vec![effect("draft", &id)];
                RunWrite { released, ..wait(run.claim, wakes) }
            }
            1 => wait(run.claim, vec![Wake::At(self.later())]),
            2 => {
                let steps = vec![conformance::children::waiting(self.attempt(), None)];
                RunWrite { steps, ..wait(run.claim, vec![Wake::Asked]) }
            }
            3 => RunWrite { steps: vec![self.listens()], ..wait(run.claim, vec![Wake::Asked]) },
            4 => self.asks(&run),
            5 => return said(self.world.store.release(run.claim, "room for others").await),
            // It vanishes.
            6 => return,
            7 | 8 => finish(&run, self.world.store.id(), failed("it broke")),
            _ => finish(&run, self.world.store.id(), End::Done),
        };
        said(self.world.store.write(write).await);
    }

    async fn step(&mut self, run: &ClaimedRun) {
        let steps = vec![step("draft", self.attempt(), self.any(40))];
        said(self.world.store.write(RunWrite { steps, events: vec![event(1)], ..go_on(run.claim) }).await);
    }

    async fn call(&mut self, run: &ClaimedRun) {
        let step = key_of_step("draft", 1_000_000 + self.attempt());
        let reserved = Microcents(self.any(30));
        let intent = Intent {
            function: "ask".into(),
            request: Digest::of("what"),
            reserved,
            class: CallClass::Repeatable,
        };
        let new = NewIntent {
            claim: run.claim,
            step: step.clone(),
            plugin: plugin("draft"),
            begun: Begun { now: start(), delivered: vec![] },
            call: 0,
            set_aside: reserved,
            intent,
        };
        said(self.world.store.journal_intend(new).await.map(drop));
        let answer = Answer { body: Value::Null, cost: Microcents(self.any(40)) };
        match self.any(4) {
            0 => {}
            1 => said(self.world.store.journal_withdraw(run.claim, &step, 0).await),
            _ => said(self.world.store.journal_answer(run.claim, &step, 0, answer).await),
        }
    }

    async fn open(&mut self, run: &ClaimedRun) {
        let opener = conformance::opening::by_run(run.claim.run, 3);
        let key = format!("I-{}", self.any(30));
        let opening = conformance::opening::opening(&self.world, &key, opener);
        said(self.world.store.open_entry(opening).await.map(drop));
    }

    /// A step that waits for something to be said.
    fn listens(&mut self) -> Step {
        let name = format!("news-{}", self.any(3));
        let asked = Wait {
            any: vec![WakeOn::Event(Event { name })],
            reason: "it listens".into(),
            resume: Value::Null,
            effects: vec![],
            expires: Some(self.later()),
        };
        Step { outcome: StepOutcome::Waits(asked), ..step("draft", self.attempt(), 0) }
    }

    fn asks(&mut self, run: &ClaimedRun) -> RunWrite {
        let step = key_of_step("draft", 1_000_000 + self.attempt());
        let asked = Ask {
            step: step.clone(),
            lack: Lack::Fuel,
            role: None,
            reason: "out of fuel".into(),
            suggested: Allowance::default(),
        };
        let paused = PausedCall {
            step,
            plugin: plugin("draft"),
            begun: Begun { now: start(), delivered: vec![] },
            cost: Microcents(self.any(30)),
        };
        let write = wait(run.claim, vec![Wake::Approval(Box::new(asked))]);
        RunWrite { paused: Some(paused), ..write }
    }

    /// Takes and settles deliveries.
    async fn deliver(mut self) {
        while !self.is_over() {
            let mut outcomes = Vec::new();
            for delivery in self.world.take(5).await {
                let outcome = match self.any(6) {
                    0 => {
                        let (at, reason) = (self.later(), "timed out".into());
                        DeliveryOutcome::Retry { at, reason, ambiguous: true }
                    }
                    1 => continue,
                    _ => delivered(),
                };
                outcomes.push((delivery.ticket(), outcome));
            }
            self.world.store.settle_deliveries(outcomes).await.unwrap();
        }
    }

    /// What a host does from time to time.
    async fn tend(self) {
        while !self.is_over() {
            self.world.store.renew_leases(&self.world.host, LEASE).await.unwrap();
            self.world.store.sweep().await.unwrap();
            self.world.store.lift_due().await.unwrap();
            self.world.clock.advance(Duration::from_secs(2));
        }
    }

    /// What people say.
    async fn meddle(mut self) {
        while !self.is_over() {
            let store = &self.world.store;
            let runs = store.runs(RunFilter { limit: 50, ..RunFilter::default() }).await.unwrap().rows;
            let entries = store.entries(EntryFilter::default()).await.unwrap().rows;
            let of = |chance: u64, length: usize| usize::try_from(chance).unwrap() % length.max(1);
            let (who, why) = ("ines".to_owned(), "so".to_owned());
            match self.any(9) {
                0 => {
                    let asking = runs.iter().find(|run| run.ask.is_some());
                    let Some(run) = asking else { continue };
                    let decision = NewDecision { who, why, word: Word::Rejected };
                    said(self.world.store.decide(run.id, decision).await.map(drop));
                }
                1 => {
                    let chance = self.any(1_000);
                    let Some(run) = runs.get(of(chance, runs.len())) else { continue };
                    let new = NewCancellation { who, why };
                    said(self.world.store.cancel(run.id, new).await.map(drop));
                }
                2 | 6 | 7 => {
                    let chance = self.any(1_000);
                    let Some(entry) = entries.get(of(chance, entries.len())) else { continue };
                    said(self.world.store.retry(entry.id, &who, &why).await);
                }
                3 => {
                    let name = format!("news-{}", self.any(3));
                    let signal = NewSignal { name, run: None, who, data: json!({}) };
                    self.world.store.signal(signal).await.unwrap();
                }
                4 => self.read_the_source().await,
                _ => {
                    let digest = Digest::of(self.any(3).to_string());
                    self.world.store.apply_policy(applied(digest)).await.unwrap();
                }
            }
        }
    }

    async fn read_the_source(&mut self) {
        let mut arrivals = Vec::new();
        for _ in 0..self.any(12) {
            let (key, says) = (self.any(40).to_string(), format!("version {}", self.any(3)));
            let mut arrival = self.world.arrival(&key).says(&says);
            if self.any(6) == 0 {
                arrival = arrival.needs(&format!("{}", self.any(40)));
            }
            if self.any(6) == 0 {
                arrival = arrival.not_before(self.later());
            }
            arrivals.push(arrival);
        }
        let complete = self.any(8) == 0;
        self.world.reconcile(arrivals, complete).await;
    }
}

/// Who is refused is so in the store's words; that the platform failed is none of them.
fn said<T>(answer: Result<T, StoreError>) {
    if let Err(error @ (StoreError::Platform { .. } | StoreError::Damaged(_))) = answer {
        panic!("{error}");
    }
}

fn applied(digest: Digest) -> PolicyApplication {
    let caps = vec![cap("project", 20_000), cap("plugin:draft", 8_000)];
    PolicyApplication { digest, ..policy(&["spec", "triage"], caps) }
}

/// Looks on until all is over.
async fn watch(url: String, over: Arc<AtomicBool>) {
    let mut client = server::connect(&url).await;
    while !over.load(Ordering::SeqCst) {
        check::everything_agrees_in(&mut client).await;
    }
}

async fn crowd(url: &str) {
    let clock = Arc::new(ManualClock::at(start()));
    let first = open(url, Arc::clone(&clock));
    let lane = first.apply_policy(applied(Digest::of("first"))).await.unwrap().lanes[0].id;
    let (over, attempts) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(1)));
    let actor = |host: u32| Actor {
        world: Arc::new(World {
            store: open(url, Arc::clone(&clock)),
            clock: Arc::clone(&clock),
            lane,
            host: HostId(format!("host-{host}")),
        }),
        over: Arc::clone(&over),
        attempts: Arc::clone(&attempts),
        chance: 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(u64::from(host + 1)),
    };
    let hosts: Vec<_> = (0..HOSTS).map(actor).collect();
    let keys = (0..40).map(|key| hosts[0].world.arrival(&key.to_string())).collect();
    hosts[0].world.admit(keys).await;
    let (mut workers, mut others) = (JoinSet::new(), JoinSet::new());
    for host in &hosts {
        for worker in 0..WORKERS {
            let chance = host.chance ^ (u64::from(worker + 1) << 40);
            workers.spawn(Actor { chance, ..host.clone() }.work());
        }
        others.spawn(host.clone().deliver());
        others.spawn(host.clone().tend());
        others.spawn(Actor { chance: host.chance ^ (1 << 50), ..host.clone() }.meddle());
    }
    others.spawn(watch(url.to_owned(), Arc::clone(&over)));
    while let Some(worked) = workers.join_next().await {
        worked.unwrap();
    }
    over.store(true, Ordering::SeqCst);
    while let Some(ended) = others.join_next().await {
        ended.unwrap();
    }
}

async fn check_chains(store: &PostgresStore) -> Vec<RunId> {
    let mut runs = Vec::new();
    for run in store.runs(RunFilter::default()).await.unwrap().rows {
        let detail = store.run(run.id).await.unwrap();
        let head = ChainHead::verify(run.id, &detail.events).unwrap();
        if let Some(record) = detail.record {
            assert_eq!(record.chain, Some(head));
        }
        runs.push(run.id);
    }
    runs
}

#[test]
fn hosts_that_do_everything_at_once_break_no_invariant() {
    let url = server::new_database();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        crowd(&url).await;
        let mut client = server::connect(&url).await;
        check::everything_agrees_in(&mut client).await;
        let runs = check_chains(&open(&url, Arc::new(ManualClock::at(start())))).await;
        assert!(runs.len() > 50, "{} runs are too few to be in each other's way", runs.len());
        let log = server::log();
        assert!(!log.contains("deadlock detected"), "not everybody takes locks in the same order:\n{log}");
    });
}

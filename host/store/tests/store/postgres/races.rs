//! Two things that happen at the same time, one of which is stopped in the middle: whichever comes first, nothing is lost between them.

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio_postgres::Client;
use tollgate_core::{
    Microcents,
    course::End,
    entry::EntryState,
    run::RunState,
    step::{Step, StepOutcome},
    wait::{Event, Wait, WakeOn},
};
use tollgate_store::{
    PostgresStore, Store as _, StoreError,
    port::{
        ClaimOutcome, ClaimRequest, ClaimedRun, EscrowAnswer, NewCancellation, NewSignal, PolicyApplication,
        RunWrite, Wake,
    },
};

use super::{open, server};
use crate::{
    check,
    conformance::{
        children::{begins, waiting},
        opening::{by_run, opening},
        together,
    },
    support::*,
};

type Shared = Arc<World<PostgresStore>>;

/// A world, and a connection beside it that stops what its store does.
struct Race {
    world: Shared,
    beside: Client,
    url: String,
}

/// What came of two things that happened at once.
struct Came<A, B> {
    first: A,
    second: B,
    /// Whether the second was over while the first was stopped.
    overtook: bool,
}

impl Race {
    async fn new(caps: Vec<tollgate_core::ledger::Cap>) -> Self {
        let url = server::new_database();
        let world = Arc::new(World::with_caps(&|clock| open(&url, clock), caps).await);
        Self { world, beside: super::connect(&url).await, url }
    }

    /// Stops `first` where it changes something (`INSERT ON wait`); begins `second` then, and lets both go when the second waits as well,
    /// or is over.
    async fn run<A: Send + 'static, B: Send + 'static>(
        &self,
        at: &str,
        first: impl Future<Output = A> + Send + 'static,
        second: impl Future<Output = B> + Send + 'static,
    ) -> Came<A, B> {
        let stop = format!(
            "CREATE FUNCTION stop() RETURNS TRIGGER LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_advisory_lock(42); PERFORM pg_advisory_unlock(42); RETURN NULL; END $$;
             CREATE TRIGGER stop BEFORE {at} EXECUTE FUNCTION stop();
             SELECT pg_advisory_lock(42)"
        );
        self.beside.batch_execute(&stop).await.unwrap();
        let first = tokio::spawn(first);
        while self.waiting().await < 1 {
            assert!(!first.is_finished(), "it never came to {at}");
        }
        let second = tokio::spawn(second);
        while !second.is_finished() && self.waiting().await < 2 {}
        let overtook = second.is_finished();
        self.beside.batch_execute("SELECT pg_advisory_unlock(42)").await.unwrap();
        let (first, second) = (first.await.unwrap(), second.await.unwrap());
        self.beside.batch_execute("DROP FUNCTION stop CASCADE").await.unwrap();
        check::everything_agrees_in(&mut super::connect(&self.url).await).await;
        Came { first, second, overtook }
    }

    /// Has somebody else spend of the cap that comes first: whoever waits for it has not taken the other one.
    async fn finds_one_cap_left(&self, waits: impl Future<Output = ()>) {
        let first = "BEGIN; SELECT FROM cap_period ORDER BY cap_id LIMIT 1 FOR UPDATE";
        self.beside.batch_execute(first).await.unwrap();
        let left = async {
            while self.waiting().await < 1 {}
            let left =
                "SELECT count(*) FROM (SELECT FROM cap_period FOR UPDATE SKIP LOCKED) AS left_to_others";
            super::connect(&self.url).await.query_one(left, &[]).await.unwrap().get::<_, i64>(0)
        };
        let mut waits = pin!(waits);
        let left = tokio::select! {
            () = &mut waits => panic!("it waits for nobody"),
            left = left => left,
        };
        self.beside.batch_execute("COMMIT").await.unwrap();
        waits.await;
        assert_eq!(left, 1);
    }

    /// How many transactions of the store wait for another.
    async fn waiting(&self) -> i64 {
        let waiting = "SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        self.beside.query_one(waiting, &[]).await.unwrap().get(0)
    }

    async fn open(&self, key: &str, by: &ClaimedRun) {
        self.world.store.open_entry(opening(&self.world, key, by_run(by.claim.run, 3))).await.unwrap();
    }

    /// A run that opened entries of these keys, which are claimed.
    async fn family(&self, keys: &[&str]) -> (ClaimedRun, Vec<ClaimedRun>) {
        self.world.admit(vec![self.world.arrival("A")]).await;
        let parent = self.world.claim().await;
        let mut children = Vec::new();
        for key in keys {
            self.open(key, &parent).await;
            children.push(self.world.claim().await);
        }
        (parent, children)
    }

    async fn only_run(&self) -> ClaimedRun {
        self.world.admit(vec![self.world.arrival("A")]).await;
        self.world.claim().await
    }
}

fn write(world: &Shared, write: RunWrite) -> impl Future<Output = Result<(), StoreError>> + Send + 'static {
    let world = Arc::clone(world);
    async move { world.store.write(write).await }
}

fn ends(world: &Shared, run: &ClaimedRun) -> impl Future<Output = Result<(), StoreError>> + Send + 'static {
    write(world, finish(run, world.store.id(), End::Done))
}

fn claims(world: &Shared) -> impl Future<Output = ClaimOutcome> + Send + 'static {
    let world = Arc::clone(world);
    async move { world.store.claim(world.request()).await.unwrap() }
}

fn listens(run: &ClaimedRun) -> RunWrite {
    let asked = Wait {
        any: vec![WakeOn::Event(Event { name: "ci".into() })],
        reason: "it waits".into(),
        resume: Value::Null,
        effects: vec![],
        expires: None,
    };
    begins(run, Step { outcome: StepOutcome::Waits(asked), ..step("draft", 1, 0) })
}

fn says(world: &Shared) -> impl Future<Output = u64> + Send + 'static {
    let world = Arc::clone(world);
    let signal = NewSignal { name: "ci".into(), run: None, who: "ci-server".into(), data: json!({}) };
    async move { world.store.signal(signal).await.unwrap() }
}

#[test]
fn a_child_ends_while_its_parent_begins_to_wait() {
    block_on(async {
        for parent_first in [true, false] {
            let race = Race::new(vec![]).await;
            let (parent, children) = race.family(&["I"]).await;
            let waits = write(&race.world, begins(&parent, waiting(1, None)));
            let ends = ends(&race.world, &children[0]);
            let (first, second) = if parent_first {
                let came = race.run("INSERT ON wake_children", waits, ends).await;
                (came.first, came.second)
            } else {
                let came = race.run("UPDATE ON entry", ends, waits).await;
                (came.first, came.second)
            };
            first.and(second).unwrap();
            assert_eq!(race.world.claim().await.claim.run, parent.claim.run);
        }
    });
}

#[test]
fn the_last_two_children_end_at_once() {
    block_on(async {
        let race = Race::new(vec![]).await;
        let (parent, children) = race.family(&["I", "J"]).await;
        race.world.store.write(begins(&parent, waiting(1, None))).await.unwrap();
        let (one, other) = (ends(&race.world, &children[0]), ends(&race.world, &children[1]));
        let came = race.run("UPDATE ON entry", one, other).await;
        came.first.and(came.second).unwrap();
        assert_eq!(race.world.claim().await.claim.run, parent.claim.run);
    });
}

#[test]
fn something_is_said_while_a_run_begins_to_listen() {
    block_on(async {
        for at in ["INSERT ON wake_signal", "INSERT ON signal"] {
            let race = Race::new(vec![]).await;
            let run = race.only_run().await;
            let (listens, says) = (write(&race.world, listens(&run)), says(&race.world));
            if at.ends_with("wake_signal") {
                race.run(at, listens, says).await.first.unwrap();
            } else {
                race.run(at, says, listens).await.second.unwrap();
            }
            assert_eq!(race.world.claim().await.claim.run, run.claim.run, "{at}");
        }
    });
}

#[test]
fn a_dependency_is_done_while_who_depends_on_it_comes_in() {
    block_on(async {
        for at in ["UPDATE ON entry", "INSERT ON link"] {
            let race = Race::new(vec![]).await;
            let run = race.only_run().await;
            let world = Arc::clone(&race.world);
            let comes = async move { world.admit(vec![world.arrival("B").needs("A")]).await };
            let ends = ends(&race.world, &run);
            if at == "INSERT ON link" {
                race.run(at, comes, ends).await.second.unwrap();
            } else {
                race.run(at, ends, comes).await.first.unwrap();
            }
            assert_eq!(race.world.state("B").await, EntryState::Ready, "{at}");
        }
    });
}

#[test]
fn an_effect_is_delivered_while_its_run_begins_to_wait_for_it() {
    block_on(async {
        for at in ["INSERT ON wake_delivery", "UPDATE ON outbox"] {
            let race = Race::new(vec![]).await;
            let run = race.only_run().await;
            let released = vec![effect("draft", "state")];
            race.world.store.write(RunWrite { released, ..go_on(run.claim) }).await.unwrap();
            let delivery = race.world.take(1).await.remove(0);
            let wakes = vec![Wake::Delivered(vec![reference("draft", "state")])];
            let waits = write(&race.world, wait(run.claim, wakes));
            let world = Arc::clone(&race.world);
            let settles = async move { world.settle(&delivery).await };
            if at == "UPDATE ON outbox" {
                race.run(at, settles, waits).await.second.unwrap();
            } else {
                race.run(at, waits, settles).await.first.unwrap();
            }
            assert_eq!(race.world.claim().await.claim.run, run.claim.run, "{at}");
        }
    });
}

#[test]
fn money_goes_back_while_a_claim_finds_too_little() {
    block_on(async {
        for at in ["INSERT ON unfunded", "UPDATE ON family"] {
            let race = Race::new(vec![]).await;
            let (parent, children) = race.family(&["I"]).await;
            race.open("J", &parent).await;
            race.world.store.write(begins(&parent, waiting(1, None))).await.unwrap();
            let more = race.world.store.reserve(children[0].claim, Microcents(850)).await.unwrap();
            assert_eq!(more, EscrowAnswer::Reserved);
            let (claims, ends) = (claims(&race.world), ends(&race.world, &children[0]));
            let claimed = if at == "UPDATE ON family" {
                race.run(at, ends, claims).await.second
            } else {
                race.run(at, claims, ends).await.first
            };
            let claimed = match claimed {
                ClaimOutcome::Claimed(run) => *run,
                _ => race.world.claim().await,
            };
            assert_eq!(claimed.run.entry.key, "J", "{at}");
        }
    });
}

#[test]
fn two_claims_do_not_spend_the_same_money() {
    block_on(async {
        let race = Race::new(vec![cap("project", 150)]).await;
        race.world.admit(vec![race.world.arrival("A"), race.world.arrival("B")]).await;
        let came = race.run("INSERT ON run", claims(&race.world), claims(&race.world)).await;
        assert!(matches!(came.first, ClaimOutcome::Claimed(_)));
        assert!(matches!(came.second, ClaimOutcome::CapReached { .. }), "{:?}", came.second);
        assert!(!came.overtook, "it waits for what the first sets aside");
    });
}

#[test]
fn children_do_not_spend_the_same_money_of_their_parent() {
    block_on(async {
        let race = Race::new(vec![]).await;
        let (parent, children) = race.family(&["I"]).await;
        race.open("J", &parent).await;
        race.open("K", &parent).await;
        race.world.store.write(begins(&parent, waiting(1, None))).await.unwrap();
        race.world.store.reserve(children[0].claim, Microcents(750)).await.unwrap();
        let came = race.run("INSERT ON run", claims(&race.world), claims(&race.world)).await;
        let claimed = [came.first, came.second].map(|came| matches!(came, ClaimOutcome::Claimed(_)));
        assert_eq!(claimed, [true, false]);
    });
}

#[test]
fn an_entry_is_claimed_once() {
    block_on(async {
        for keys in [1, 2] {
            let race = Race::new(vec![]).await;
            race.world.admit((0..keys).map(|key| race.world.arrival(&key.to_string())).collect()).await;
            let came = race.run("INSERT ON run", claims(&race.world), claims(&race.world)).await;
            let key = |came| match came {
                ClaimOutcome::Claimed(run) => Some(run.run.entry.key),
                _ => None,
            };
            assert_eq!(key(came.first).as_deref(), Some("0"));
            assert_eq!(key(came.second).as_deref(), (keys == 2).then_some("1"));
            assert!(!came.overtook, "what is in hand may come back");
        }
    });
}

#[test]
fn claims_at_once_leave_to_others_what_they_do_not_take() {
    block_on(async {
        let race = Race::new(vec![]).await;
        let applied = race.world.store.apply_policy(policy(&["spec", "triage"], vec![])).await.unwrap();
        let lanes: Vec<_> = applied.lanes.iter().map(|lane| lane.id).collect();
        let both = |lane| [0, 1].map(|number| arrival(lane, &format!("{lane:?}-{number}"), number));
        race.world.admit(lanes.iter().copied().flat_map(both).collect()).await;
        let (world, url) = (Arc::clone(&race.world), race.url.clone());
        // One of each lane.
        let claims = async move {
            let request = ClaimRequest { lanes, ..world.request() };
            together::claimed(&together::claims(&world, &request, 2).await).len()
        };
        let left = async move {
            let left = "SELECT count(*) FROM (SELECT FROM ready FOR UPDATE SKIP LOCKED) AS left_to_others";
            super::connect(&url).await.query_one(left, &[]).await.unwrap().get::<_, i64>(0)
        };
        let came = race.run("INSERT ON run", claims, left).await;
        assert_eq!((came.first, came.second), (2, 2));
    });
}

/// Two pipelines: the first spends of the cap that everybody takes second.
fn policy_of_two_caps() -> PolicyApplication {
    let mut applied =
        policy(&["late", "early"], vec![cap("plugin:draft", 10_000), cap("plugin:publish", 10_000)]);
    for (lane, stage) in applied.lanes.iter_mut().zip(["publish", "draft"]) {
        lane.pins.pipeline.stages.retain(|kept| kept.name == stage);
    }
    applied
}

#[test]
fn those_who_go_together_take_caps_in_the_order_of_everybody() {
    block_on(async {
        let race = Race::new(vec![]).await;
        let applied = race.world.store.apply_policy(policy_of_two_caps()).await.unwrap();
        let lanes: Vec<_> = applied.lanes.iter().map(|lane| lane.id).collect();
        let of = |lane| [0, 1].map(|number| arrival(lane, &format!("{lane:?}-{number}"), number));
        race.world.admit(lanes.iter().copied().flat_map(of).collect()).await;
        let claims = async |world: Shared| {
            let request = ClaimRequest { lanes: lanes.clone(), ..world.request() };
            together::claimed(&together::claims(&world, &request, 2).await)
        };
        let runs = claims(Arc::clone(&race.world)).await;
        let end = async |world: Shared, runs: Vec<ClaimedRun>| {
            let spends = |(run, stage): (&ClaimedRun, _)| RunWrite {
                steps: vec![step(stage, 1, 5)],
                ..finish(run, world.store.id(), End::Done)
            };
            let ends = runs.iter().zip(["publish", "draft"]).map(spends);
            let told = together::at_once(ends.map(|end| world.store.write(end))).await;
            told.into_iter().for_each(Result::unwrap);
        };
        race.finds_one_cap_left(async { assert_eq!(claims(Arc::clone(&race.world)).await.len(), 2) }).await;
        race.finds_one_cap_left(end(Arc::clone(&race.world), runs)).await;
    });
}

#[test]
fn a_run_is_cancelled_while_its_driver_writes() {
    block_on(async {
        for at in ["INSERT ON inbox", "INSERT ON wake"] {
            let race = Race::new(vec![]).await;
            let run = race.only_run().await;
            let until = start().after(Duration::from_secs(100));
            let waits = write(&race.world, wait(run.claim, vec![Wake::At(until)]));
            let (world, id) = (Arc::clone(&race.world), run.claim.run);
            let cancels = async move {
                let new = NewCancellation { who: "ines".into(), why: "enough".into() };
                world.store.cancel(id, new).await.unwrap()
            };
            if at == "INSERT ON inbox" {
                race.run(at, cancels, waits).await.second.unwrap();
            } else {
                race.run(at, waits, cancels).await.first.unwrap();
            }
            assert_eq!(race.world.claim().await.claim.run, run.claim.run, "{at}: it waits for nothing");
        }
    });
}

#[test]
fn a_lease_lapses_while_its_driver_writes() {
    block_on(async {
        let race = Race::new(vec![]).await;
        let run = race.only_run().await;
        race.world.clock.advance(LEASE * 2);
        let world = Arc::clone(&race.world);
        let sweeps = async move { world.store.sweep().await.unwrap() };
        let came = race.run("UPDATE ON run", sweeps, ends(&race.world, &run)).await;
        assert_eq!(came.first.lapsed_runs, [run.claim.run]);
        assert!(matches!(came.second, Err(StoreError::StaleFence { .. })));
        assert_eq!(race.world.store.run(run.claim.run).await.unwrap().summary.state, RunState::Running);
    });
}

#[test]
fn only_who_takes_runs_back_waits_until_nobody_else_is_at_work() {
    block_on(async {
        let race = Race::new(vec![]).await;
        let run = race.only_run().await;
        for lapses in [false, true] {
            if lapses {
                race.world.clock.advance(LEASE * 2);
            }
            let at_work = "SELECT FROM pg_advisory_lock_shared(hashtextextended('tollgate store ' || current_schema(), 0))";
            race.beside.batch_execute(at_work).await.unwrap();
            let world = Arc::clone(&race.world);
            let sweep = tokio::spawn(async move { world.store.sweep().await.unwrap() });
            while !sweep.is_finished() && race.waiting().await < 1 {}
            assert_eq!(sweep.is_finished(), !lapses);
            race.beside.batch_execute("SELECT pg_advisory_unlock_all()").await.unwrap();
            let taken_back = if lapses { vec![run.claim.run] } else { vec![] };
            assert_eq!(sweep.await.unwrap().lapsed_runs, taken_back);
        }
    });
}

#[test]
fn leases_are_renewed_whoever_hangs() {
    block_on(async {
        let race = Race::new(vec![]).await;
        race.world.admit(vec![race.world.arrival("A"), race.world.arrival("B")]).await;
        let runs = [race.world.claim().await, race.world.claim().await];
        race.world.clock.advance(LEASE / 2);
        // It keeps everybody else out.
        let (world, other) = (Arc::clone(&race.world), Arc::clone(&race.world));
        let comes = async move { world.admit(vec![world.arrival("C")]).await };
        let renews = async move { other.store.renew_leases(&other.host, LEASE).await.unwrap() };
        let came = race.run("INSERT ON entry", comes, renews).await;
        assert_eq!((came.second.len(), came.overtook), (2, true));
        // It has one of the runs in hand, which is renewed after it.
        race.world.clock.advance(LEASE / 2);
        let other = Arc::clone(&race.world);
        let renews = async move { other.store.renew_leases(&other.host, LEASE).await.unwrap() };
        let goes_on = write(&race.world, RunWrite { events: vec![event(1)], ..go_on(runs[0].claim) });
        let came = race.run("INSERT ON event", goes_on, renews).await;
        assert_eq!((came.second.len(), came.overtook), (2, false));
    });
}

#[test]
fn a_delivery_is_taken_once_and_others_without_waiting() {
    block_on(async {
        let race = Race::new(vec![]).await;
        race.world.admit(vec![race.world.arrival("A"), race.world.arrival("B")]).await;
        race.world.work(End::Done).await;
        race.world.work(End::Done).await;
        let takes = |max| {
            let world = Arc::clone(&race.world);
            async move { world.take(max).await.into_iter().map(|taken| taken.entry.key).collect::<Vec<_>>() }
        };
        let came = race.run("UPDATE ON outbox", takes(1), takes(5)).await;
        assert_eq!((came.first, came.second), (vec!["A".to_owned()], vec!["B".to_owned()]));
    });
}

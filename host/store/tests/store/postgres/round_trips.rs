//! How often a transaction waits for the server: where that is far, it is what the transaction costs.

use serde_json::Value;
use tollgate_core::{
    Digest, Microcents,
    course::End,
    journal::{Answer, Begun, CallClass, Intent},
};
use tollgate_store::{
    PostgresStore, Store as _,
    port::{ClaimedRun, EscrowAnswer, NewIntent, RunWrite},
};

use super::{open, server};
use crate::support::*;

/// How often each of the transactions of one entry's way waits.
struct Tally<'w> {
    world: &'w World<PostgresStore>,
    waited: Vec<(&'static str, u64)>,
}

impl Tally<'_> {
    async fn of<T>(&mut self, what: &'static str, done: impl Future<Output = T>) -> T {
        let before = self.world.store.round_trips();
        let done = done.await;
        self.waited.push((what, self.world.store.round_trips() - before));
        done
    }

    /// Claims an entry and does with it whatever there is to do.
    async fn work(&mut self) {
        let (world, store) = (self.world, &self.world.store);
        let run = self.of("claim", world.claim()).await;
        let drafted =
            RunWrite { steps: vec![step("draft", 1, 5)], events: vec![event(1)], ..go_on(run.claim) };
        self.of("step", store.write(drafted)).await.unwrap();
        let intent = new_intent(&run);
        let answer = Answer { body: Value::Null, cost: Microcents(3) };
        assert_eq!(self.of("intent", store.journal_intend(intent)).await.unwrap(), EscrowAnswer::Reserved);
        let asking = key_of_step("draft", 2);
        self.of("answer", store.journal_answer(run.claim, &asking, 0, answer)).await.unwrap();
        let end = finish(&run, store.id(), End::Done);
        let finish = RunWrite {
            steps: vec![step("publish", 1, 7)],
            released: vec![effect("publish", "status")],
            events: vec![event(2)],
            ..end
        };
        self.of("finish", store.write(finish)).await.unwrap();
        let taken = self.of("take", world.take(5)).await;
        self.of("settle", world.settle(&taken[0])).await;
        self.of("claim of nothing", world.claim_nothing()).await;
    }
}

fn new_intent(run: &ClaimedRun) -> NewIntent {
    let intent = Intent {
        function: "ask".into(),
        request: Digest::of("what"),
        reserved: Microcents(10),
        class: CallClass::Repeatable,
    };
    NewIntent {
        claim: run.claim,
        step: key_of_step("draft", 2),
        plugin: plugin("draft"),
        begun: Begun { now: start(), delivered: vec![] },
        call: 0,
        set_aside: Microcents(10),
        intent,
    }
}

/// What they wait at the most, once a connection knows the queries.
#[track_caller]
fn check(caps: Vec<tollgate_core::ledger::Cap>, most: &[(&str, u64)]) {
    let waited = block_on(async {
        let url = server::new_database();
        let world = World::with_caps(&|clock| open(&url, clock), caps).await;
        let mut tally = Tally { world: &world, waited: Vec::new() };
        for key in ["A", "B", "C"] {
            world.admit(vec![world.arrival(key)]).await;
            tally.waited.clear();
            tally.work().await;
        }
        tally.waited
    });
    let names: Vec<_> = waited.iter().map(|(what, _)| *what).collect();
    assert_eq!(names, most.iter().map(|(what, _)| *what).collect::<Vec<_>>());
    assert!(waited.iter().zip(most).all(|(waited, most)| waited.1 <= most.1), "{waited:?}");
}

#[test]
fn transactions_wait_for_the_server_a_few_times_each() {
    check(
        vec![],
        &[
            ("claim", 6),
            ("step", 5),
            ("intent", 4),
            ("answer", 6),
            ("finish", 6),
            ("take", 4),
            ("settle", 6),
            ("claim of nothing", 3),
        ],
    );
}

#[test]
fn caps_cost_one_or_two_more() {
    check(
        vec![cap("project", 10_000), cap("plugin:draft", 10_000)],
        &[
            ("claim", 6),
            ("step", 7),
            ("intent", 4),
            ("answer", 8),
            ("finish", 8),
            ("take", 4),
            ("settle", 6),
            ("claim of nothing", 3),
        ],
    );
}

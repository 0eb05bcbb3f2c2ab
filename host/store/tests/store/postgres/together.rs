//! What several ask at once of one store goes to the database together.

use std::sync::Arc;

use tollgate_core::{HostId, course::End};
use tollgate_store::{PostgresStore, Store as _};

use super::{open, server};
use crate::{
    conformance::together::{at_once, claimed, claims},
    support::*,
};

/// How many transactions wrote the runs as they are.
fn transactions(url: &str) -> usize {
    server::ask(url, "SELECT count(DISTINCT xmin::text) FROM run").trim().parse().unwrap()
}

fn keys(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{number:02}")).collect()
}

#[test]
fn those_who_ask_at_once_share_a_transaction_eight_at_the_most() {
    let url = server::new_database();
    block_on(async {
        let world = World::new(&|clock| open(&url, clock)).await;
        world.admit(keys(20).iter().map(|key| world.arrival(key)).collect()).await;
        let runs = claimed(&claims(&world, &world.request(), 20).await);
        assert_eq!(runs.len(), 20);
        assert_eq!(transactions(&url), 3);
        let before = world.store.round_trips();
        let ends = runs.iter().map(|run| world.store.write(finish(run, world.store.id(), End::Done)));
        at_once(ends).await.into_iter().for_each(Result::unwrap);
        assert_eq!(transactions(&url), 3);
        let waited = world.store.round_trips() - before;
        assert!(waited <= 80, "they waited {waited} times, the parsing of queries included");
    });
}

#[test]
fn hosts_that_claim_and_write_together_are_in_nobodys_way() {
    let url = server::new_database();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let here = World::with_caps(&|clock| open(&url, clock), vec![cap("project", 1_000_000)]).await;
        let there = World {
            store: open(&url, Arc::clone(&here.clock)),
            clock: Arc::clone(&here.clock),
            lane: here.lane,
            host: HostId("there-2".into()),
        };
        here.admit(keys(160).iter().map(|key| here.arrival(key)).collect()).await;
        let work = async |world: &World<PostgresStore>| {
            let mut done = 0;
            loop {
                let runs = claimed(&claims(world, &world.request(), 8).await);
                if runs.is_empty() {
                    return done;
                }
                done += runs.len();
                let id = world.store.id();
                let ends = runs.iter().map(|run| world.store.write(finish(run, id, End::Done)));
                at_once(ends).await.into_iter().for_each(Result::unwrap);
            }
        };
        let done = tokio::join!(work(&here), work(&there), work(&here), work(&there));
        assert_eq!(done.0 + done.1 + done.2 + done.3, 160);
        let mut client = super::connect(&url).await;
        crate::check::everything_agrees_in(&mut client).await;
        let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
        let deadlocks: i64 = client.query_one(deadlocks, &[]).await.unwrap().get(0);
        assert_eq!(deadlocks, 0, "not everybody takes locks in the same order");
    });
}

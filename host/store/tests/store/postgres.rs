//! What the PostgreSQL store must do besides, and a server to do it on.

mod connections;
mod crowd;
mod disk;
mod plans;
mod races;
mod round_trips;
#[allow(dead_code, reason = "the tests of the binary need more of it")]
pub(crate) mod server;
mod together;

use std::sync::Arc;

use tollgate_core::{HostId, course::End, time::ManualClock};
use tollgate_store::{
    OpenMode, PostgresOptions, PostgresStore, Store as _,
    port::{ClaimOutcome, EntryFilter},
};

use crate::support::*;

/// A store in a database of its own.
pub(crate) fn fresh(clock: Arc<ManualClock>) -> PostgresStore {
    open(&server::new_database(), clock)
}

/// A connection of the test's own.
pub(crate) async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, io) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    drop(tokio::spawn(io));
    client
}

/// The store in a database that was used before, with nothing in it.
pub(crate) fn emptied(url: &str, clock: Arc<ManualClock>) -> PostgresStore {
    server::empty(url);
    open(url, clock)
}

/// A database that stores can be kept in one after the other.
pub(crate) fn database() -> String {
    let url = server::new_database();
    drop(open(&url, Arc::new(ManualClock::at(start()))));
    url
}

pub(crate) fn open(url: &str, clock: Arc<ManualClock>) -> PostgresStore {
    let options = PostgresOptions { url: url.to_owned(), mode: OpenMode::Host, clock: Some(clock) };
    PostgresStore::open(options).unwrap()
}

/// Does all there is to do; the keys of what it did.
async fn work_all(world: &World<PostgresStore>) -> Vec<String> {
    let mut keys = Vec::new();
    while let ClaimOutcome::Claimed(run) = world.store.claim(world.request()).await.unwrap() {
        world.finish(&run, End::Done).await;
        keys.push(run.run.entry.key.clone());
    }
    keys
}

#[test]
fn what_was_written_is_there_for_whoever_opens_it_next() {
    let url = server::new_database();
    let clock = Arc::new(ManualClock::at(start()));
    let id = block_on(async {
        let world = World::new(&|clock| open(&url, clock)).await;
        world.admit(vec![world.arrival("A")]).await;
        world.store.id()
    });
    let next = open(&url, clock);
    assert_eq!(next.id(), id);
    let entry = block_on(next.entry("A", None)).unwrap();
    assert_eq!(entry.status.name, name("A"));
}

#[test]
fn hosts_that_share_a_store_do_everything_once() {
    let url = server::new_database();
    block_on(async {
        let here = World::new(&|clock| open(&url, clock)).await;
        let there = World {
            store: open(&url, Arc::clone(&here.clock)),
            clock: Arc::clone(&here.clock),
            lane: here.lane,
            host: HostId("there-2".into()),
        };
        let mut keys: Vec<_> = (0..60).map(|number| format!("{number:02}")).collect();
        here.admit(keys.iter().map(|key| here.arrival(key)).collect()).await;
        let work =
            async { tokio::join!(work_all(&here), work_all(&here), work_all(&there), work_all(&there)) };
        let done = work.await;
        let mut done = [done.0, done.1, done.2, done.3].concat();
        done.sort_unstable();
        keys.sort_unstable();
        assert_eq!(done, keys);
        // What each connection counted adds up.
        let coverage = there.store.coverage().await.unwrap();
        let listed = there.store.entries(EntryFilter::default()).await.unwrap();
        assert_eq!((coverage.len(), listed.total), (1, 60));
        let open = there.store.open_work().await.unwrap();
        assert_eq!((open.ready, open.driven, open.undelivered), (0, 0, 60));
    });
}

/// Somebody who knows of no lock raises the fence of a run that is put back into its lane, before it is written: once.
const MEDDLER: &str = "
    CREATE SEQUENCE meddled;
    CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF nextval('meddled') = 1 THEN UPDATE run SET fence = fence + 1 WHERE seq = NEW.run_seq; END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER meddler BEFORE INSERT ON ready FOR EACH ROW WHEN (NEW.run_seq IS NOT NULL) EXECUTE FUNCTION meddle()";

#[test]
fn a_run_that_somebody_changed_since_it_was_read_is_read_again() {
    let url = server::new_database();
    block_on(async {
        let world = World::new(&|clock| open(&url, clock)).await;
        world.admit(vec![world.arrival("A")]).await;
        let run = world.claim().await;
        server::ask(&url, MEDDLER);
        world.store.release(run.claim, "the host stops").await.unwrap();
        assert_eq!(server::ask(&url, "SELECT last_value FROM meddled").trim(), "2", "it was done anew");
        assert_eq!(world.claim().await.claim.fence, run.claim.fence.raised());
    });
}

#[test]
fn connections_that_the_server_ended_are_made_again() {
    let url = server::new_database();
    block_on(async {
        let world = World::new(&|clock| open(&url, clock)).await;
        world.admit(vec![world.arrival("A")]).await;
        server::end_connections(&url);
        assert_eq!(work_all(&world).await, ["A"]);
    });
}

//! What the PostgreSQL store must do besides, and a server to do it on.

mod server;

use std::sync::Arc;

use tollgate_core::time::ManualClock;
use tollgate_store::{OpenMode, PostgresOptions, PostgresStore};

/// A store in a database of its own.
pub(crate) fn fresh(clock: Arc<ManualClock>) -> PostgresStore {
    open(&server::new_database(), clock)
}

fn open(url: &str, clock: Arc<ManualClock>) -> PostgresStore {
    let options = PostgresOptions { url: url.to_owned(), mode: OpenMode::Host, clock: Some(clock) };
    PostgresStore::open(options).unwrap()
}

#[test]
fn what_was_written_is_there_for_whoever_opens_it_next() {
    use tollgate_store::Store as _;

    use crate::support::*;

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

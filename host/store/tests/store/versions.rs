//! Hosts of two versions and one store: steps of the schema that only add, and steps that change what is there.

use std::{path::Path, sync::Arc};

use tollgate_core::{Clock as _, time::ManualClock};
use tollgate_store::{
    OpenMode, PostgresOptions, PostgresStore, SqliteOptions, SqliteStore, Store, StoreError, port::Archive,
};

use crate::{conformance::runs, postgres::server, support::*};

/// A step that a later version made: what it did, and which version a host has to know since.
struct Later {
    statements: &'static str,
    name: &'static str,
    needs: u32,
}

const ADDS: Later =
    Later { statements: "ALTER TABLE entry ADD COLUMN mood TEXT", name: "0002_mood", needs: 1 };

const CHANGES: Later = Later { statements: "DROP TABLE decision", name: "0002_no_decisions", needs: 2 };

impl Later {
    /// Done to a store behind the back of whoever has it open, as a host of that version does.
    fn run(&self, execute: &dyn Fn(&str)) {
        let Self { statements, name, needs } = self;
        execute(statements);
        execute(&format!(
            "INSERT INTO schema_migration (version, name, applied_at, needs) VALUES (2, '{name}', 0, {needs})"
        ));
    }
}

fn in_file(path: &Path) -> impl Fn(&str) {
    let path = path.to_owned();
    move |statement| rusqlite::Connection::open(&path).unwrap().execute_batch(statement).unwrap()
}

/// A store that a host has open, and how else it is opened and changed.
async fn check<S: Archive + HasStore>(
    open: &dyn Fn(OpenMode, Arc<ManualClock>) -> Result<S, StoreError>,
    execute: &dyn Fn(&str),
) {
    let clock = Arc::new(ManualClock::at(start()));
    let world = World::new(&|clock| open(OpenMode::Host, clock).unwrap()).await;
    world.admit(vec![world.arrival("before"), world.arrival("then")]).await;
    ADDS.run(execute);
    world.work(tollgate_core::course::End::Done).await;
    drop(world);
    // One that comes later finds more than it knows, and works with what it knows.
    let again = open(OpenMode::Host, Arc::clone(&clock)).unwrap();
    let schema = again.about().await.unwrap().schema;
    assert_eq!((schema.version, schema.name.as_str(), schema.needs), (2, "0002_mood", 1));
    for mode in [OpenMode::Client, OpenMode::ReadOnly] {
        open(mode, Arc::clone(&clock)).unwrap();
    }
    let lane = again.applied_policy().await.unwrap().unwrap().lanes[0].id;
    let world =
        World { store: again, clock: Arc::clone(&clock), lane, host: tollgate_core::HostId("here-2".into()) };
    execute("DELETE FROM schema_migration WHERE version = 2");
    CHANGES.run(execute);
    // The one that is there stops at its next claim, the ones that come are refused by name.
    let refused = world.store.claim(world.request()).await;
    assert!(
        matches!(&refused, Err(StoreError::Conflict(text)) if text.contains("later version")),
        "{refused:?}"
    );
    drop(world);
    for mode in [OpenMode::Host, OpenMode::Client, OpenMode::ReadOnly] {
        match open(mode, Arc::clone(&clock)) {
            Err(StoreError::NewerSchema { found: 2, found_name, known: 1, .. }) => {
                assert_eq!(found_name, "0002_no_decisions");
            }
            other => panic!("expected a refusal, got {:?}", other.err()),
        }
    }
}

#[test]
fn in_a_file_what_only_adds_is_no_hindrance_and_what_changes_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let open =
        |mode, clock: Arc<ManualClock>| SqliteStore::open(SqliteOptions::at(&path, mode).with_clock(clock));
    block_on(check(&open, &in_file(&path)));
}

#[test]
fn in_a_database_what_only_adds_is_no_hindrance_and_what_changes_is() {
    let url = server::new_database();
    let open = |mode, clock: Arc<ManualClock>| {
        PostgresStore::open(PostgresOptions { url: url.clone(), mode, clock: Some(clock) })
    };
    block_on(check(&open, &|statement| drop(server::ask(&url, statement))));
}

#[test]
fn a_store_with_more_than_is_known_does_all_that_it_must() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    block_on(runs::an_entry_goes_from_arrival_to_delivered_record(&|clock| {
        let open = |clock: Arc<ManualClock>| {
            SqliteStore::open(SqliteOptions::at(&path, OpenMode::Host).with_clock(clock)).unwrap()
        };
        drop(open(Arc::clone(&clock)));
        ADDS.run(&in_file(&path));
        Box::new(open(clock))
    }));
    let url = server::new_database();
    block_on(runs::an_entry_goes_from_arrival_to_delivered_record(&|clock| {
        let open = |clock: Arc<ManualClock>| {
            PostgresStore::open(PostgresOptions {
                url: url.clone(),
                mode: OpenMode::Host,
                clock: Some(clock),
            })
            .unwrap()
        };
        drop(open(Arc::clone(&clock)));
        ADDS.run(&|statement| drop(server::ask(&url, statement)));
        Box::new(open(clock))
    }));
}

#[test]
fn a_host_says_its_version_with_every_sign_of_life() {
    let world = block_on(World::new(&|clock| crate::postgres::fresh(clock)));
    block_on(async {
        world.store.register(&world.host, &["gpu".into()]).await.unwrap();
        world.store.renew_leases(&world.host, LEASE).await.unwrap();
        let hosts = world.store.about().await.unwrap().hosts;
        let [host] = hosts.as_slice() else { panic!("{hosts:?}") };
        assert_eq!((&host.id, host.version.as_deref()), (&world.host, Some(env!("CARGO_PKG_VERSION"))));
        assert_eq!(host.labels, ["gpu"]);
        let now = world.clock.now();
        assert!(host.is_at_work(now) && !host.is_at_work(now.after(LEASE * 4)));
        world.store.leave(&world.host).await.unwrap();
        assert_eq!(world.store.about().await.unwrap().hosts, []);
    });
}

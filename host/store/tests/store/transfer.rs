//! A store that goes from one database to another is the same store there.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Cursor,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tollgate_core::{Clock as _, course::End, time::ManualClock};
use tollgate_store::{
    OpenMode, PostgresOptions, PostgresStore, SqliteOptions, SqliteStore, Store, StoreError,
    port::{Archive, ClaimOutcome, NewSignal, Source},
};

use crate::{check, postgres::server, support::*};

/// A trace of this store goes to PostgreSQL and back.
pub(crate) async fn goes_round(here: &SqliteStore, clock: &Arc<ManualClock>) {
    let export = exported(here).await;
    let there = in_postgres(&server::new_database(), clock, OpenMode::Keeper);
    there.import(source(&export)).await.unwrap();
    assert_same(&exported(&there).await, &export);
    comes_back(&export, clock).await;
}

/// An export that is imported into a file is the same export again, and what the database counts by itself is right.
pub(crate) async fn comes_back(export: &[u8], clock: &Arc<ManualClock>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("back.db");
    let back = in_file(&path, clock, OpenMode::Keeper);
    back.import(source(export)).await.unwrap();
    assert_same(&exported(&back).await, export);
    check::everything_agrees(&path);
}

pub(crate) async fn exported(store: &dyn Archive) -> Vec<u8> {
    let to = Arc::new(Mutex::new(Vec::new()));
    store.export(Arc::clone(&to) as _).await.unwrap();
    std::mem::take(&mut *to.lock().unwrap())
}

fn source(export: &[u8]) -> Source {
    let export = export.to_vec();
    Arc::new(move || Ok(Box::new(Cursor::new(export.clone()))))
}

fn in_postgres(url: &str, clock: &Arc<ManualClock>, mode: OpenMode) -> PostgresStore {
    let clock = Some(Arc::clone(clock) as _);
    PostgresStore::open(PostgresOptions { url: url.into(), mode, clock }).unwrap()
}

fn in_file(path: &std::path::Path, clock: &Arc<ManualClock>, mode: OpenMode) -> SqliteStore {
    SqliteStore::open(SqliteOptions::at(path, mode).with_clock(Arc::clone(clock) as _)).unwrap()
}

/// Line by line, so that a difference can be read.
#[track_caller]
fn assert_same(found: &[u8], expected: &[u8]) {
    let [found, expected] = [found, expected].map(|text| std::str::from_utf8(text).unwrap());
    for (found, expected) in found.lines().zip(expected.lines()) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len());
}

/// A store with runs in several states.
async fn lived_in() -> World<SqliteStore> {
    let world = World::new(&|clock| crate::sqlite::in_memory(clock)).await;
    world.admit(["A", "B", "C", "D"].map(|key| world.arrival(key)).into()).await;
    world.work(End::Done).await;
    assert_eq!(world.store.pack_events(world.clock.now(), 9).await.unwrap(), 1);
    let waits = world.claim().await;
    let at = world.clock.now().after(std::time::Duration::from_secs(60));
    world.store.write(wait(waits.claim, vec![tollgate_store::port::Wake::At(at)])).await.unwrap();
    drop(world.claim().await);
    let data = Value::from("go \u{1f6a6}\n\"'\\");
    let signal = NewSignal { name: "go".into(), run: None, who: "ci".into(), data };
    world.store.signal(signal).await.unwrap();
    world
}

#[test]
fn a_store_goes_on_in_another_database_where_it_stood() {
    block_on(async {
        let world = lived_in().await;
        goes_round(&world.store, &world.clock).await;
        let url = server::new_database();
        let there = in_postgres(&url, &world.clock, OpenMode::Keeper);
        there.import(source(&exported(&world.store).await)).await.unwrap();
        drop(there);
        let there = in_postgres(&url, &world.clock, OpenMode::Host);
        assert_eq!(there.id(), world.store.id());
        let next = |keys: &mut Vec<String>, outcome| match outcome {
            ClaimOutcome::Claimed(run) => keys.push(run.run.entry.key),
            other => panic!("expected a run, got {other:?}"),
        };
        let mut keys = Vec::new();
        next(&mut keys, there.claim(world.request()).await.unwrap());
        // What is numbered here is numbered behind what came in.
        let reconcile = there.begin_reconcile(BACKLOG, TRACKER).await.unwrap();
        there.admit(reconcile, vec![world.arrival("E")]).await.unwrap();
        next(&mut keys, there.claim(world.request()).await.unwrap());
        assert_eq!(keys, ["D", "E"]);
        assert_eq!(there.open_work().await.unwrap(), {
            let mut open = world.store.open_work().await.unwrap();
            (open.ready, open.driven) = (0, 3);
            open
        });
    });
}

/// A file keeps one character that PostgreSQL does not.
#[test]
fn a_nul_in_a_text_keeps_nobody_from_moving() {
    block_on(async {
        let world = World::new(&|clock| crate::sqlite::in_memory(clock)).await;
        let mut strange = world.arrival("A").says("a \0 and \\u0000");
        for title in [&mut strange.item.title, &mut strange.snapshot.title] {
            *title = "a \0 and \\u0000".into();
        }
        world.admit(vec![strange]).await;
        world.work(End::Done).await;
        let there = in_postgres(&server::new_database(), &world.clock, OpenMode::Keeper);
        there.import(source(&exported(&world.store).await)).await.unwrap();
        assert_eq!(there.entry("A", None).await.unwrap().status.title, "a \u{fffd} and \\u0000");
        comes_back(&exported(&there).await, &world.clock).await;
    });
}

#[test]
fn what_was_cut_or_changed_is_refused_and_leaves_the_store_empty() {
    block_on(async {
        let world = lived_in().await;
        let export = exported(&world.store).await;
        let text = String::from_utf8(export.clone()).unwrap();
        let target = crate::sqlite::in_memory(Arc::clone(&world.clock));
        let mut broken: Vec<Vec<u8>> = Vec::new();
        let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
        broken.extend(ends.iter().take(ends.len() - 1).map(|end| export[..=*end].to_vec()));
        broken.extend([1, 7, export.len() / 2, export.len() - 1].map(|length| export[..length].to_vec()));
        broken.push(Vec::new());
        broken.push([export.as_slice(), b"\n"].concat());
        // The packed events of the first run.
        let (_, pack) = text.split_once("{\"table\":\"event_pack\"").unwrap();
        let pack = pack.split('"').find(|text| text.len() > 100).unwrap();
        let other = |hex: &str| if hex.ends_with('0') { "1" } else { "0" };
        let changed = format!("{}{}", &pack[..pack.len() - 1], other(pack));
        for (right, wrong) in [
            (pack, changed.as_str()),
            ("go \u{1f6a6}", "no \u{1f6a6}"),
            ("claimed", "released"),
            ("{\"format\":1", "{\"format\":2"),
            ("\"title\"", "\"heading\""),
            ("{\"table\":\"wake\"", "{\"table\":\"sleep\""),
        ] {
            assert!(text.contains(right), "{right}");
            broken.push(text.replacen(right, wrong, 1).into_bytes());
        }
        for export in broken {
            let refused = target.import(source(&export)).await;
            assert!(matches!(refused, Err(StoreError::Export(_))), "{refused:?}");
        }
        target.import(source(&export)).await.unwrap();
        let again = target.import(source(&export)).await;
        assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
        assert_same(&exported(&target).await, &export);
    });
}

#[test]
fn a_later_format_is_refused_as_such() {
    let later = "{\"format\":7,\"something\":\"else\"}\n";
    let target = crate::sqlite::in_memory(Arc::new(ManualClock::at(start())));
    let refused = block_on(target.import(source(later.as_bytes()))).unwrap_err().to_string();
    assert_eq!(
        refused,
        "the export is of no use: line 1: it has format 7, and this version knows up to 1; import it with the version that wrote it"
    );
}

/// A store whose lock was given back. A process that another test starts just now has the lock's file open until it runs its own program.
fn once_free<S>(open: &dyn Fn() -> Result<S, StoreError>) -> S {
    loop {
        match open() {
            Err(StoreError::InUse { .. }) => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
}

/// Whether it is refused because it moved, once it is free.
fn is_moved<S>(open: &dyn Fn() -> Result<S, StoreError>) -> bool {
    loop {
        match open() {
            Err(StoreError::InUse { .. }) => std::thread::yield_now(),
            opened => return matches!(opened, Err(StoreError::Moved { .. })),
        }
    }
}

/// A store that a host has open, and how it is opened.
async fn check_moved<S: Archive + HasStore>(
    open: &dyn Fn(OpenMode, Arc<ManualClock>) -> Result<S, StoreError>,
) {
    let world = World::new(&|clock| open(OpenMode::Host, clock).unwrap()).await;
    let clock = Arc::clone(&world.clock);
    world.admit(vec![world.arrival("A"), world.arrival("B")]).await;
    let run = world.claim().await;
    let driven = world.store.move_to("elsewhere").await;
    assert!(matches!(driven, Err(StoreError::Conflict(_))), "{driven:?}");
    world.finish(&run, End::Done).await;
    world.store.move_to("elsewhere").await.unwrap();
    // One that is still there begins and delivers nothing.
    let refused = world.store.claim(world.request()).await;
    assert!(matches!(refused, Err(StoreError::Moved { .. })), "{refused:?}");
    assert_eq!(world.take(9).await.len(), 0);
    assert_eq!(world.store.about().await.unwrap().moved.unwrap().to, "elsewhere");
    drop(world);
    for mode in [OpenMode::Host, OpenMode::Client] {
        let refused = is_moved(&|| open(mode, Arc::clone(&clock)));
        assert!(refused, "{mode:?}");
    }
    drop(open(OpenMode::ReadOnly, Arc::clone(&clock)).unwrap());
    let keeper = once_free(&|| open(OpenMode::Keeper, Arc::clone(&clock)));
    assert!(keeper.stay().await.unwrap() && !keeper.stay().await.unwrap());
    drop(keeper);
    drop(once_free(&|| open(OpenMode::Host, Arc::clone(&clock))));
}

#[test]
fn nobody_goes_on_with_a_store_that_moved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    block_on(check_moved(&|mode, clock| SqliteStore::open(SqliteOptions::at(&path, mode).with_clock(clock))));
    let url = server::new_database();
    block_on(check_moved(&|mode, clock| {
        PostgresStore::open(PostgresOptions { url: url.clone(), mode, clock: Some(clock) })
    }));
}

/// What a database has beyond what is exported: it counts these by itself, or they are of the database and not of the store.
const OWN: [&str; 5] = ["coverage", "lane_share", "schema_migration", "store", "turn"];

#[test]
fn every_column_of_every_table_is_exported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let url = server::new_database();
    let clock = Arc::new(ManualClock::at(start()));
    let file = in_file(&path, &clock, OpenMode::Keeper);
    drop(in_postgres(&url, &clock, OpenMode::Keeper));
    let mut exported_columns = BTreeMap::new();
    for line in String::from_utf8(block_on(exported(&file))).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if let (Some(table), Some(columns)) = (line["table"].as_str(), line["columns"].as_array()) {
            let columns: BTreeSet<String> =
                columns.iter().map(|name| name.as_str().unwrap().into()).collect();
            exported_columns.insert(table.to_owned(), columns);
        }
    }
    let of_file = "SELECT tables.name || '.' || columns.name FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns \
                   WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%'";
    let connection = rusqlite::Connection::open(&path).unwrap();
    let mut statement = connection.prepare(of_file).unwrap();
    let of_file: Vec<String> =
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let of_database = server::ask(
        &url,
        "SELECT table_name || '.' || column_name FROM information_schema.columns JOIN information_schema.tables USING (table_name) \
         WHERE tables.table_schema = 'public' AND table_type = 'BASE TABLE'",
    );
    let of_database: Vec<String> = of_database.lines().map(str::to_owned).collect();
    assert!(of_file.len() > 200 && of_database.len() > 200);
    for column in of_file.into_iter().chain(of_database) {
        let (table, name) = column.split_once('.').unwrap();
        let is_count = matches!(column.as_str(), "lane.waiting" | "backlog_cost.slot");
        if !OWN.contains(&table) && !is_count {
            assert!(
                exported_columns.get(table).is_some_and(|columns| columns.contains(name)),
                "{column} is lost"
            );
        }
    }
}

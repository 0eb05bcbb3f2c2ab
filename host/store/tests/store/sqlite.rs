//! What the SQLite store must do besides.

use std::{path::PathBuf, sync::Arc};

use tempfile::TempDir;
use tollgate_core::time::ManualClock;
use tollgate_store::{OpenMode, SqliteOptions, SqliteStore};

pub(crate) fn in_memory(clock: Arc<ManualClock>) -> SqliteStore {
    SqliteStore::open(SqliteOptions::in_memory().with_clock(clock)).unwrap()
}

pub(crate) fn in_file(folder: &TempDir, clock: Arc<ManualClock>) -> SqliteStore {
    SqliteStore::open(SqliteOptions::at(file_in(folder), OpenMode::Host).with_clock(clock)).unwrap()
}

/// Where [`in_file`] keeps it.
pub(crate) fn file_in(folder: &TempDir) -> PathBuf {
    folder.path().join("state").join("tollgate.db")
}

mod processes {
    use std::{path::Path, time::Duration};

    use tollgate_core::{Clock as _, time::ManualClock};
    use tollgate_store::{
        OpenMode, SqliteOptions, SqliteStore, Store as _, StoreError,
        port::{EntryFilter, StopMode, StopRequest},
    };

    use crate::{check, support::*};

    fn open(path: &Path, mode: OpenMode) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(SqliteOptions::at(path, mode))
    }

    #[test]
    fn one_host_drives_and_others_may_speak_and_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tollgate.db");
        for mode in [OpenMode::Client, OpenMode::ReadOnly] {
            assert!(matches!(open(&path, mode), Err(StoreError::NotFound { what: "store", .. })));
        }
        let host = open(&path, OpenMode::Host).unwrap();
        match open(&path, OpenMode::Host) {
            Err(StoreError::InUse { holder, .. }) => {
                assert!(holder.starts_with(&format!("process {} on ", std::process::id())), "{holder}");
            }
            other => panic!("expected a refusal, got {:?}", other.err()),
        }
        let client = open(&path, OpenMode::Client).unwrap();
        let reader = open(&path, OpenMode::ReadOnly).unwrap();
        assert_eq!(client.id(), host.id());
        block_on(async {
            let stop = StopRequest { mode: StopMode::Drain, who: "ines".into(), why: "tea".into() };
            client.stop(stop.clone()).await.unwrap();
            assert_eq!(host.control().await.unwrap().stop, Some(stop.clone()));
            assert_eq!(reader.control().await.unwrap().stop, Some(stop));
            assert!(matches!(reader.resume().await, Err(StoreError::Conflict(_))));
            assert!(matches!(client.sweep().await, Err(StoreError::Conflict(_))));
        });
        drop(host);
        open(&path, OpenMode::Host).expect("the lock is given back");
    }

    #[test]
    fn a_later_schema_is_refused_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tollgate.db");
        drop(open(&path, OpenMode::Host).unwrap());
        let connection = rusqlite::Connection::open(&path).unwrap();
        let later = "INSERT INTO schema_migration VALUES (2, '0002_approvals', 0, 2)";
        connection.execute(later, []).unwrap();
        for mode in [OpenMode::Host, OpenMode::Client, OpenMode::ReadOnly] {
            match open(&path, mode) {
                Err(StoreError::NewerSchema { found: 2, found_name, known: 1, .. }) => {
                    assert_eq!(found_name, "0002_approvals");
                }
                other => panic!("expected a refusal, got {:?}", other.err()),
            }
        }
    }

    #[test]
    fn the_database_of_another_program_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("photos.db");
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.execute("CREATE TABLE photo (id INTEGER PRIMARY KEY)", []).unwrap();
        assert!(matches!(open(&path, OpenMode::Host), Err(StoreError::Conflict(_))));
    }

    /// A copy that is made while a host writes is one of its commits, whole, and the host goes on.
    #[test]
    fn a_copy_is_one_commit_of_a_store_that_is_driven() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tollgate.db");
        let of_copy = |number: usize| folder.path().join(format!("copy-{number}.db"));
        let make =
            |clock| SqliteStore::open(SqliteOptions::at(&path, OpenMode::Host).with_clock(clock)).unwrap();
        let world = block_on(World::new(&|clock| make(clock)));
        std::thread::scope(|threads| {
            threads.spawn(|| (0..5).for_each(|number| SqliteStore::copy(&path, &of_copy(number)).unwrap()));
            for number in 0..20 {
                let pair = [1, 2].map(|half| world.arrival(&format!("{number}-{half}")));
                block_on(world.admit(pair.to_vec()));
            }
        });
        SqliteStore::copy(&path, &of_copy(5)).unwrap();
        for number in 0..6 {
            check::everything_agrees(&of_copy(number));
            let copy = open(&of_copy(number), OpenMode::Host).unwrap();
            let entries = block_on(copy.entries(EntryFilter::default())).unwrap().total;
            assert!(entries % 2 == 0 && (number < 5 || entries == 40), "{entries}");
        }
        assert!(matches!(SqliteStore::copy(&path, &of_copy(0)), Err(StoreError::Conflict(_))));
        let none = folder.path().join("none.db");
        assert!(matches!(SqliteStore::copy(&none, &of_copy(9)), Err(StoreError::NotFound { .. })));
        assert!(!none.exists() && !of_copy(9).exists());
    }

    #[test]
    fn a_file_that_is_no_whole_database_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tollgate.db");
        drop(open(&path, OpenMode::Host).unwrap());
        let whole = std::fs::read(&path).unwrap();
        for broken in [&whole[..3_000], b"no database at all, and longer than the header of one".as_slice()] {
            std::fs::write(&path, broken).unwrap();
            for mode in [OpenMode::Host, OpenMode::Client, OpenMode::ReadOnly] {
                match open(&path, mode) {
                    Err(StoreError::Unreadable { location, .. }) => {
                        assert_eq!(location, path.display().to_string());
                    }
                    other => panic!("expected a refusal, got {:?}", other.err()),
                }
            }
        }
    }

    #[test]
    fn the_clock_of_a_store_never_goes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tollgate.db");
        let clock = std::sync::Arc::new(ManualClock::at(start()));
        let reopen = || {
            let options = SqliteOptions::at(&path, OpenMode::Host).with_clock(clock.clone());
            SqliteStore::open(options).unwrap()
        };
        let store = reopen();
        clock.advance(Duration::from_secs(3_600));
        let late = clock.now();
        block_on(store.begin_reconcile(BACKLOG, TRACKER)).unwrap();
        drop(store);
        clock.set_wall(start());
        let store = reopen();
        assert_eq!(block_on(store.now()).unwrap(), late);
    }
}

mod power_cuts {
    use std::{fs, path::Path, sync::Arc};

    use tollgate_core::{course::End, time::ManualClock};
    use tollgate_store::{
        OpenMode, SqliteOptions, SqliteStore, Store as _,
        port::{EntryFilter, RunFilter, RunWrite, Wake},
    };

    use crate::{check, support::*};

    /// What was committed, as far as a person can see it.
    async fn shown(store: &SqliteStore) -> String {
        let entries = store.entries(EntryFilter::default()).await.unwrap();
        let runs = store.runs(RunFilter::default()).await.unwrap();
        let work = store.open_work().await.unwrap();
        let balances = store.cap_balances().await.unwrap();
        format!("{entries:?} {runs:?} {work:?} {balances:?}")
    }

    fn open(path: &Path, clock: &Arc<ManualClock>) -> SqliteStore {
        let options = SqliteOptions::at(path, OpenMode::Host).with_clock(clock.clone());
        SqliteStore::open(options).unwrap()
    }

    /// Whatever part of the log the disk kept, a store wakes up at one of the commits, whole.
    #[test]
    fn a_log_cut_anywhere_is_some_commit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("live.db");
        let clock = Arc::new(ManualClock::at(start()));
        drop(open(&path, &clock));
        block_on(async {
            let world = World::with_caps(&|clock| open(&path, &clock), vec![cap("project", 900)]).await;
            let base = fs::read(&path).unwrap();
            let mut commits = vec![shown(&world.store).await];
            let mut remember = async || commits.push(shown(&world.store).await);

            let reconcile = world.store.begin_reconcile(BACKLOG, TRACKER).await.unwrap();
            let arrivals = vec![arrival(world.lane, "A", 9), world.arrival("B").needs("A")];
            world.store.admit(reconcile, arrivals).await.unwrap();
            remember().await;
            let run = world.claim().await;
            remember().await;
            let write = RunWrite {
                steps: vec![step("draft", 1, 30)],
                released: vec![effect("draft", "state")],
                ..wait(run.claim, vec![Wake::Delivered(vec![reference("draft", "state")])])
            };
            world.store.write(write).await.unwrap();
            remember().await;
            let [delivery] = world.take(1).await.try_into().unwrap();
            world.settle(&delivery).await;
            remember().await;
            let run = world.claim().await;
            remember().await;
            world.finish(&run, End::Done).await;
            remember().await;

            let log = fs::read(folder.path().join("live.db-wal")).unwrap();
            let mut found = std::collections::BTreeSet::new();
            for cut in (0..=log.len()).step_by(1_511).chain([log.len()]) {
                let copy = folder.path().join("copy.db");
                fs::write(&copy, &base).unwrap();
                fs::write(folder.path().join("copy.db-wal"), &log[..cut]).unwrap();
                drop(fs::remove_file(folder.path().join("copy.db-shm")));
                let Ok(store) =
                    SqliteStore::open(SqliteOptions::at(&copy, OpenMode::Host).with_clock(clock.clone()))
                else {
                    panic!("a log cut at {cut} cannot be opened");
                };
                check::everything_agrees(&copy);
                let at = commits.iter().position(|commit| commit == &block_in_place(&store));
                found.extend(at);
                drop(store);
                drop(fs::remove_file(folder.path().join("copy.db-wal")));
            }
            assert_eq!(found.last(), Some(&(commits.len() - 1)), "the whole log is the last commit");
            assert!(found.len() >= commits.len() - 1, "every commit was found: {found:?}");
        });
    }

    /// What a store shows, asked on a thread of its own.
    fn block_in_place(store: &SqliteStore) -> String {
        std::thread::scope(|threads| threads.spawn(|| block_on(shown(store))).join().unwrap())
    }
}

mod damage {
    use std::sync::Arc;

    use tollgate_core::{
        Clock as _,
        course::End,
        event::{ChainError, ChainHead},
        time::ManualClock,
    };
    use tollgate_store::{Store as _, port::Archive as _};

    use super::{file_in, in_file};
    use crate::support::*;

    /// An event that somebody takes out is missed, whether events stand in rows or in packs.
    #[test]
    fn an_event_that_is_missing_is_missed() {
        let folder = tempfile::tempdir().unwrap();
        let make = |clock: Arc<ManualClock>| in_file(&folder, clock);
        block_on(async {
            let world = World::new(&make).await;
            world.admit(vec![world.arrival("A")]).await;
            let run = world.work(End::Done).await.claim.run;
            let connection = rusqlite::Connection::open(file_in(&folder)).unwrap();
            assert_eq!(connection.execute("DELETE FROM event WHERE seq = 1", []).unwrap(), 1);
            drop(connection);
            let missed = async || {
                let events = world.store.run(run).await.unwrap().events;
                let verified = ChainHead::verify(run, &events);
                assert_eq!(verified, Err(ChainError::Gap { run, expected: 1, found: 2 }));
            };
            missed().await;
            assert_eq!(world.store.pack_events(world.clock.now(), 9).await.unwrap(), 1);
            missed().await;
            let exported = world.store.export(Arc::new(std::sync::Mutex::new(Vec::new()))).await;
            assert!(exported.is_err(), "{exported:?}");
        });
    }
}

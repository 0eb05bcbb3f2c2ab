//! Broken disks.
//!
//! A run of fifty entries goes through the real store on a disk that notes what was done to it. From these notes follows what a power
//! cut at any moment leaves; the store is opened on that, and must be where it said it was. What is written to the disk is what a store
//! on any file system writes; only who may look at it at the same time differs.

mod contents;
mod disk;
mod journey;
mod lies;
mod medium;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, Mutex},
};

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;
use tollgate_core::{Digest, entry::EntryState, time::ManualClock};
use tollgate_store::{OpenMode, SqliteOptions, SqliteStore, Store as _, StoreError, port::EntryFilter};

use self::{
    contents::Contents,
    disk::{Change, Fault, Files, Mounted, VFS},
    journey::{Life, Outside, broken_chains, clock_of_life},
    medium::{Fate, Medium},
};
use crate::{check, support::block_on};

/// A place for disks: the folder is real, since hosts keep a lock in it, and only the store is on the disk.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn mount(&self, files: Files) -> Mounted {
        Mounted::new(self.0.path().to_str().unwrap(), files)
    }

    fn store(&self) -> PathBuf {
        self.0.path().join("tollgate.db")
    }

    fn open(&self, clock: &Arc<ManualClock>) -> Result<SqliteStore, StoreError> {
        let options = SqliteOptions::at(self.store(), OpenMode::Host).with_clock(clock.clone());
        SqliteStore::open(options.with_vfs(VFS))
    }

    /// What the database holds once somebody has opened and closed it: then all of the log that counts is in it. That is for SQLite
    /// alone, since a host changes nothing when it opens a store.
    fn recover(&self, files: Files) -> Vec<u8> {
        let mounted = self.mount(self.here(files));
        let connection = self.connect();
        let _: i64 = connection.query_row("PRAGMA schema_version", [], |row| row.get(0)).unwrap();
        drop(connection);
        let mut files = mounted.disk.files();
        files.remove(self.store().to_str().unwrap()).expect("the database is there")
    }

    fn connect(&self) -> Connection {
        let connection =
            Connection::open_with_flags_and_vfs(self.store(), OpenFlags::default(), VFS).unwrap();
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE").unwrap();
        connection
    }

    /// The same files in this place.
    fn here(&self, files: Files) -> Files {
        let folder = self.0.path();
        let moved = |(name, bytes): (String, _)| {
            let name = Path::new(&name).file_name().expect("a file has a name");
            (folder.join(name).to_str().unwrap().to_owned(), bytes)
        };
        files.into_iter().map(moved).collect()
    }

    /// A disk with a database alone, as [`Place::recover`] left it.
    fn mount_database(&self, bytes: Vec<u8>) -> Mounted {
        self.mount(Files::from([(self.store().to_str().unwrap().to_owned(), bytes)]))
    }

    /// The store on the mounted disk, which nobody has open, is whole.
    fn is_whole(&self, mounted: &Mounted) {
        let store = self.open(&clock_of_life(1)).unwrap();
        assert_eq!(block_on(broken_chains(&store)).unwrap(), [] as [String; 0]);
        drop(store);
        let (name, real) = (self.store(), self.0.path().join("real.db"));
        fs::write(&real, &mounted.disk.files()[name.to_str().unwrap()]).unwrap();
        check::everything_agrees(&real);
    }
}

/// A whole run, and what was so at every moment of it.
struct Recording {
    notes: Vec<(Arc<str>, Change)>,
    moments: Vec<Moment>,
}

/// Something was said to be durable, or was written to a tracker.
struct Moment {
    /// How much was done to the disk by then.
    changes: usize,
    outside: Outside,
}

impl Recording {
    fn of(entries: usize) -> Self {
        let (place, clock) = (Place::new(), clock_of_life(0));
        let mounted = place.mount(Files::new());
        let disk = mounted.disk.clone();
        let mut moments = Vec::new();
        block_on(async {
            let store = place.open(&clock).unwrap();
            let mut told = |outside: &Outside| {
                moments.push(Moment { changes: disk.changes(), outside: outside.clone() });
            };
            told(&Outside::new());
            let mut life = Life::begin(&store, &clock, entries, Outside::new(), &mut told).await.unwrap();
            life.go_on().await.unwrap();
            life.is_whole().await.unwrap();
        });
        place.is_whole(&mounted);
        Self { notes: mounted.disk.notes(), moments }
    }

    /// The last moment at which no more than this was done to the disk; none while the store is being made.
    fn moment_at(&self, changes: usize) -> Option<usize> {
        self.moments.partition_point(|moment| moment.changes <= changes).checked_sub(1)
    }

    /// Calls `examine` with the disk as it was after each change, on several threads.
    fn after_each_change(&self, examine: impl Fn(&Place, usize, &Medium) + Sync) {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let examine = &examine;
                scope.spawn(move || {
                    let (place, mut medium) = (Place::new(), Medium::default());
                    for (number, (name, change)) in self.notes.iter().enumerate() {
                        medium.take(name, change);
                        if number % threads == thread {
                            examine(&place, number + 1, &medium);
                        }
                    }
                });
            }
        });
    }

    /// Calls `examine` with what the rows are at each moment, in no order, on several threads.
    fn at_each_moment(&self, examine: impl Fn(usize, Contents) + Sync) {
        self.after_each_change(|place, changes, medium| {
            let Some(moment) = self.moments.iter().position(|moment| moment.changes == changes) else {
                return;
            };
            let path = place.0.path().join("real.db");
            fs::write(&path, place.recover(medium.after_power_cut(Fate::Kept))).unwrap();
            examine(moment, Contents::of(&path));
        });
    }

    /// What the database holds at each moment, by its digest.
    fn states(&self) -> Vec<Digest> {
        let states = Mutex::new(vec![None; self.moments.len()]);
        self.after_each_change(|place, changes, medium| {
            let here = |moment: &Moment| moment.changes == changes;
            if self.moments.iter().any(here) {
                let bytes = place.recover(medium.after_power_cut(Fate::Kept));
                let state = Digest::of(&bytes);
                let mounted = place.mount_database(bytes);
                place.is_whole(&mounted);
                drop(mounted);
                let moments = self.moments.iter().enumerate().filter(|(_, moment)| here(moment));
                moments.for_each(|(number, _)| states.lock().unwrap()[number] = Some(state));
            }
        });
        states.into_inner().unwrap().into_iter().map(|state| state.expect("it has a state")).collect()
    }
}

/// A run of fifty entries, and the digest of what the database holds at each of its moments.
static FIFTY: LazyLock<(Recording, Vec<Digest>)> = LazyLock::new(|| {
    let recording = Recording::of(50);
    let states = recording.states();
    (recording, states)
});

/// How many of many cases are looked at: all of them where this is set in the environment.
fn every(usually: usize) -> usize {
    if std::env::var_os("TOLLGATE_TEST_ALL").is_some_and(|all| !all.is_empty()) { 1 } else { usually }
}

/// The power goes at every write of a run of fifty entries, and the disk keeps whatever it likes of what was not synced. Then the store
/// is, byte for byte, where it said it was, or one transaction further; and whoever opens it ends the run, with nothing lost and
/// nothing done twice.
#[test]
fn power_cut_anywhere_loses_and_doubles_nothing() {
    let (recording, states) = &*FIFTY;
    assert!(recording.notes.len() > 10_000 && states.len() > 500, "it is a long run");
    let logs = |(name, change): &(Arc<str>, Change)| {
        name.ends_with("-wal") && matches!(change, Change::Write { at: 0, .. })
    };
    assert!(recording.notes.iter().filter(|note| logs(note)).count() > 3, "its log begins anew");
    let go_on_from_every = every(293);
    recording.after_each_change(|place, changes, medium| {
        let fate = Fate::nth(changes);
        let left = medium.after_power_cut(fate);
        let Some(moment) = recording.moment_at(changes) else {
            // It was being made, and nobody was told that it was.
            let mounted = place.mount(place.here(left));
            place.is_whole(&mounted);
            return drop(mounted);
        };
        let state = Digest::of(place.recover(left.clone()));
        let next = states[moment..].iter().find(|next| **next != states[moment]);
        assert!(
            state == states[moment] || Some(&state) == next,
            "after {changes} changes, {fate:?}: the store is not where it said it was"
        );
        if changes.is_multiple_of(go_on_from_every) {
            go_on(place, left, &recording.moments[moment].outside, 50);
        }
    });
}

/// Opens the store on these files and goes on to the end.
fn go_on(place: &Place, files: Files, outside: &Outside, entries: usize) {
    let mounted = place.mount(place.here(files));
    let clock = clock_of_life(1);
    block_on(async {
        let store = place.open(&clock).unwrap();
        let nobody = &mut |_: &Outside| {};
        let mut life = Life::begin(&store, &clock, entries, outside.clone(), nobody).await.unwrap();
        life.go_on().await.unwrap();
        life.is_whole().await.unwrap();
    });
    place.is_whole(&mounted);
    drop(mounted);
}

/// A disk that is full, or fails, in the middle of a run: whoever asked is told, nothing is done by half, and once the disk works again the
/// same host goes on with the same store. A power cut at the end shows that all of it is on the disk.
#[test]
fn a_disk_that_fails_for_a_while_is_told_and_survived() {
    // About as many operations of each kind as there are in such a run.
    let kinds =
        [(Fault::Full, 1_500, 41), (Fault::Writes, 1_500, 41), (Fault::Syncs, 80, 3), (Fault::Reads, 120, 5)];
    let cases: Vec<(Fault, u32)> = kinds
        .into_iter()
        .flat_map(|(fault, count, usually)| {
            (0..count).step_by(every(usually)).map(move |after| (fault, after))
        })
        .collect();
    let next = Mutex::new(cases.into_iter());
    let met = Mutex::new(BTreeMap::<String, u32>::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some((fault, after)) = next.lock().unwrap().next() else { break };
                    let times = 1 + after % 3;
                    let errors = survive(fault, after, times);
                    *met.lock().unwrap().entry(format!("{fault:?}")).or_default() += errors;
                }
            });
        }
    });
    let met = met.into_inner().unwrap();
    for fault in ["Full", "Writes", "Syncs", "Reads"] {
        assert!(met.get(fault).is_some_and(|met| *met > 3), "{met:?}");
    }
}

/// Goes half of the way and closes the store.
fn begin_and_stop(place: &Place, clock: &Arc<ManualClock>, entries: usize) -> Outside {
    let store = place.open(clock).unwrap();
    block_on(async {
        let nobody = &mut |_: &Outside| {};
        let mut life = Life::begin(&store, clock, entries, Outside::new(), nobody).await.unwrap();
        for _ in 0..2 * entries {
            assert!(life.turn().await.unwrap(), "it is not at its end");
        }
        life.outside
    })
}

/// Goes through a run in which some operations fail; how many calls of the store failed for it.
fn survive(fault: Fault, after: u32, times: u32) -> u32 {
    const ENTRIES: usize = 5;
    let (place, clock) = (Place::new(), clock_of_life(0));
    let mounted = place.mount(Files::new());
    let mut errors = 0;
    let mut is_told = |error: StoreError| {
        errors += 1;
        assert!(errors <= times, "{fault:?} after {after}: {error}");
        let StoreError::Platform { message, .. } = &error else { panic!("{error:?}") };
        let wanted = if fault == Fault::Full { "disk is full" } else { "disk I/O error" };
        assert!(message.contains(wanted), "{error}");
    };
    let mut outside = Outside::new();
    if fault == Fault::Reads {
        // What was just written is remembered; a store that is opened anew reads.
        outside = begin_and_stop(&place, &clock, ENTRIES);
    }
    mounted.disk.fail(fault, after, times);
    let store = loop {
        match place.open(&clock) {
            Ok(store) => break store,
            Err(error) => is_told(error),
        }
    };
    block_on(async {
        loop {
            let mut nobody = |_: &Outside| {};
            let life = Life::begin(&store, &clock, ENTRIES, outside.clone(), &mut nobody).await;
            let mut life = match life {
                Ok(life) => life,
                Err(error) => {
                    is_told(error);
                    continue;
                }
            };
            match life.go_on().await {
                Ok(()) => break life.is_whole().await.unwrap(),
                Err(error) => is_told(error),
            }
            outside = life.outside;
        }
    });
    mounted.disk.mend();
    let mut medium = Medium::default();
    mounted.disk.notes().iter().for_each(|(name, change)| medium.take(name, change));
    let left = medium.after_power_cut(Fate::Lost);
    drop((store, mounted));
    let mounted = place.mount(left);
    let clock = clock_of_life(1);
    let store = place.open(&clock).unwrap();
    let entries = block_on(store.entries(EntryFilter::default())).unwrap();
    let done = entries.rows.iter().filter(|entry| entry.state == EntryState::Done).count();
    assert_eq!(done, ENTRIES, "{fault:?} after {after}: what was said to be durable is there");
    drop(store);
    place.is_whole(&mounted);
    drop(mounted);
    errors
}

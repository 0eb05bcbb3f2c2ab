//! Disks that say that they synced and did not, and then lose their power.
//!
//! No store can hold then what was promised. What is left must be what was so at some earlier commit, all of it, or the doctor has to name
//! the damage: never a mixture of several commits that nobody notices.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::Path,
    sync::{LazyLock, Mutex},
};

use tollgate_core::Digest;
use tollgate_store::{OpenMode, SqliteOptions, SqliteStore};

use super::{
    FIFTY, Place, Recording,
    contents::{Contents, Differences},
    disk::Files,
    every,
    journey::broken_chains,
    medium::{Dice, Fate, Medium},
};
use crate::support::block_on;

/// How many cases there are.
const CASES: u64 = 4_000;

#[test]
fn a_disk_that_lies_leaves_an_earlier_commit_or_is_found_out() {
    let (recording, states) = &*FIFTY;
    let known = Known {
        states: states.iter().copied().collect(),
        contents: LazyLock::new(|| digests_of_contents(recording)),
    };
    let cases: Vec<_> = (0..CASES).step_by(every(20)).map(|seed| Case::of(seed, recording)).collect();
    let next = Mutex::new(cases.into_iter());
    let judged = Mutex::new((BTreeMap::<&str, u32>::new(), Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let place = Place::new();
                loop {
                    let Some(case) = next.lock().unwrap().next() else { break };
                    let outcome = judge(&place, case.left(recording), &known);
                    let (outcomes, unnoticed) = &mut *judged.lock().unwrap();
                    *outcomes.entry(outcome.name()).or_default() += 1;
                    if let Outcome::Unnoticed(contents) = outcome {
                        unnoticed.push((case, contents));
                    }
                }
            });
        }
    });
    let (outcomes, mut unnoticed) = judged.into_inner().unwrap();
    unnoticed.sort_by_key(|(case, _)| case.seed);
    println!("{outcomes:?}");
    assert!(outcomes.contains_key("an earlier commit") && outcomes.contains_key("named"), "{outcomes:?}");
    assert!(unnoticed.is_empty(), "{}", told(recording, &unnoticed));
}

/// A disk that lies from some change on, and whose power goes after some change.
#[derive(Clone, Copy)]
struct Case {
    seed: u64,
    lies_from: usize,
    cut_at: usize,
    fate: Fate,
}

impl Case {
    fn of(seed: u64, recording: &Recording) -> Self {
        let first = recording.moments[0].changes;
        let mut dice = Dice(seed);
        let mut between = |from: usize, to: usize| from + dice.roll() as usize % (to - from);
        let cut_at = between(first, recording.notes.len());
        let lies_from = between(first.max(cut_at.saturating_sub(4_000)), cut_at + 1);
        let fate = if dice.roll().is_multiple_of(2) { Fate::Torn(seed) } else { Fate::Cut(seed) };
        Self { seed, lies_from, cut_at, fate }
    }

    /// What is on the disk.
    fn left(&self, recording: &Recording) -> Files {
        let mut medium = Medium::default();
        for (number, (name, change)) in recording.notes[..self.cut_at].iter().enumerate() {
            if number == self.lies_from {
                medium.lie();
            }
            medium.take(name, change);
        }
        medium.after_power_cut(self.fate)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, lies_from, cut_at, fate } = self;
        write!(
            f,
            "case {seed}: the disk lies from change {lies_from} on, its power goes after {cut_at}, {fate:?}"
        )
    }
}

/// What is so at every commit.
struct Known<F> {
    /// Byte for byte.
    states: BTreeSet<Digest>,
    /// Row for row.
    contents: LazyLock<BTreeSet<Digest>, F>,
}

fn digests_of_contents(recording: &Recording) -> BTreeSet<Digest> {
    let digests = Mutex::new(BTreeSet::new());
    recording.at_each_moment(|_, contents| digests.lock().unwrap().extend([contents.digest()]));
    digests.into_inner().unwrap()
}

/// What is left by a disk that lied.
enum Outcome {
    /// What was so at an earlier commit, all of it: what came later is lost, and a disk that lies can always lose that.
    EarlierCommit,
    /// Something else, and the doctor says so.
    Named,
    /// Something else, and nobody could tell.
    Unnoticed(Contents),
}

impl Outcome {
    fn name(&self) -> &'static str {
        match self {
            Self::EarlierCommit => "an earlier commit",
            Self::Named => "named",
            Self::Unnoticed(_) => "unnoticed",
        }
    }
}

fn judge(place: &Place, left: Files, known: &Known<impl FnOnce() -> BTreeSet<Digest>>) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tollgate.db");
    for (name, bytes) in place.here(left) {
        fs::write(folder.path().join(Path::new(&name).file_name().unwrap()), bytes).unwrap();
    }
    let found = SqliteStore::examine(&path);
    if found.has_faults() || !found.is_readable {
        return Outcome::Named;
    }
    // A host that opens it and closes it moves the log into the database.
    let store = SqliteStore::open(SqliteOptions::at(&path, OpenMode::Host)).expect("it can be read");
    let broken = block_on(broken_chains(&store));
    drop(store);
    if !broken.is_ok_and(|broken| broken.is_empty()) {
        // What the doctor says of runs, it says of any store.
        return Outcome::Named;
    }
    if known.states.contains(&Digest::of(fs::read(&path).unwrap())) {
        return Outcome::EarlierCommit;
    }
    // Bytes that nothing uses any more may differ.
    let contents = Contents::of(&path);
    if known.contents.contains(&contents.digest()) {
        Outcome::EarlierCommit
    } else {
        Outcome::Unnoticed(contents)
    }
}

/// What is the matter with each of these cases: the commit that it comes nearest to, and the rows that differ from that.
fn told(recording: &Recording, cases: &[(Case, Contents)]) -> String {
    let nearest = Mutex::new(cases.iter().map(|_| None::<(usize, Differences)>).collect::<Vec<_>>());
    recording.at_each_moment(|moment, contents| {
        for (number, (_, left)) in cases.iter().enumerate() {
            let differences = left.differs_from(&contents);
            let nearest = &mut nearest.lock().unwrap()[number];
            if nearest.as_ref().is_none_or(|(_, known)| differences.count() < known.count()) {
                *nearest = Some((moment, differences));
            }
        }
    });
    let nearest = nearest.into_inner().unwrap();
    let lines = cases.iter().zip(nearest).map(|((case, _), nearest)| {
        let (moment, differences) = nearest.expect("there are moments");
        format!("{case}; it differs from commit {moment} of {}:\n{differences}", recording.moments.len())
    });
    lines.collect()
}

//! One claim at a thousand, a hundred thousand and a million waiting entries.
//!
//! Then the same while a million entries are scored again, as at midnight.
//!
//! In memory nothing waits for a disk, so what is left is the claim: its statements, its events, its commit, and the way to the
//! writer thread and back. On disk the same claim waits for its commit to be durable, which a probe of the same folder shows.

mod backlog;
#[path = "../../sandbox/benches/measure/mod.rs"]
mod measure;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use backlog::{BACKLOG, TRACKER, admission, arrival, policy, request};
use measure::{Against, Figure, Target, micros_each, probe_fdatasync};
use tokio::{sync::watch, task::JoinSet};
use tollgate_core::{LaneId, Timestamp};
use tollgate_store::{
    OpenMode, SqliteOptions, SqliteStore, Store as _,
    port::{ClaimOutcome, Rejudged},
};

/// Sizes of a backlog. The first is what the others are compared with.
const SIZES: [(&str, usize); 3] = [("1 k", 1_000), ("100 k", 100_000), ("1 M", 1_000_000)];

/// A file system that keeps nothing when the power fails: the same store as on a disk, with nothing to wait for.
const MEMORY_FOLDER: &str = "/dev/shm";

/// Rounds over all sizes, and claims at each size in a round: few enough that the smallest backlog stays about as large as
/// it was.
const ROUNDS: usize = 15;
const CLAIMS_PER_BLOCK: usize = 16;

/// Claims of a block of which the slowest are looked at.
const PACED_CLAIMS: usize = 200;

/// One after the other, and as many at once as a host has workers.
const ASKERS: [usize; 2] = [1, 8];

/// Entries that are scored again at once, and so many are then put in order: a host waits for more of them.
const CHUNK: u32 = 1_000;
const PUT_IN_ORDER_FROM: usize = 32_000;

/// The argument by which the last figure is measured alone.
const BESIDE: &str = "beside";

/// Entries that are taken in at once.
const BATCH: usize = 5_000;

/// A store with entries that wait in one lane.
struct Filled {
    store: Arc<SqliteStore>,
    lane: LaneId,
    size: &'static str,
    fill_time: Duration,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        // Beside the build's output, which is on the project's disk; a temporary folder may be in memory.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder for the stores");
        if !std::env::args().any(|argument| argument == BESIDE) {
            let memory = tempfile::tempdir_in(MEMORY_FOLDER).expect("a folder in memory, as Linux has it");
            compare(memory.path(), "in memory", None).await;
            compare(folder.path(), "on disk", Some(folder.path())).await;
        }
        beside_rescoring(folder.path()).await.print();
    });
}

async fn compare(folder: &Path, kept: &str, disk: Option<&Path>) {
    let stores = filled(folder).await;
    for askers in ASKERS {
        for figure in claim_in_turns(&stores, askers, kept, disk).await {
            figure.print();
        }
    }
}

/// A host's workers ask at once, and what is done for them shares a commit. What a disk adds does not depend on the backlog.
fn targets(askers: usize, compared: bool, disk: Option<&Path>) -> Vec<Target> {
    let flat = compared.then_some(Target::RatioAtMost(1.5));
    let fast = (askers > 1 && disk.is_none()).then_some(Target::AtMost(150.0));
    fast.into_iter().chain(flat).collect()
}

/// A store of every size.
async fn filled(folder: &Path) -> Vec<Filled> {
    let mut stores = Vec::new();
    for size in SIZES {
        stores.push(fill(folder, size, None).await);
    }
    stores
}

async fn fill(folder: &Path, size: (&'static str, usize), due_at: Option<Timestamp>) -> Filled {
    let began = Instant::now();
    let options = SqliteOptions::at(folder.join(size.0).join("store.db"), OpenMode::Host);
    let store = SqliteStore::open(options).expect("a new store");
    let applied = store.apply_policy(policy()).await.expect("a policy that can be applied");
    let lane = applied.lanes[0].id;
    let reconcile = store.begin_reconcile(BACKLOG, TRACKER).await.expect("a reconcile that begins");
    for from in (0..size.1).step_by(BATCH) {
        let arrivals = (from..size.1.min(from + BATCH)).map(|number| arrival(lane, number, due_at)).collect();
        store.admit(reconcile, arrivals).await.expect("arrivals that are taken in");
    }
    Filled { store: Arc::new(store), lane, size: size.0, fill_time: began.elapsed() }
}

/// Claims from each store in turn, a block at a time. The first store is what the others are compared with.
async fn claim_in_turns(stores: &[Filled], askers: usize, kept: &str, disk: Option<&Path>) -> Vec<Figure> {
    let mut blocks = vec![Vec::with_capacity(ROUNDS); stores.len()];
    let mut fdatasync_ms = Vec::new();
    for round in 0..ROUNDS {
        if let Some(folder) = disk {
            fdatasync_ms.push(probe_fdatasync(folder).expect("a folder that can be written"));
        }
        for turn in 0..stores.len() {
            // Nobody is always the first.
            let store = (turn + round) % stores.len();
            blocks[store].push(claim_block(&stores[store], askers).await);
        }
    }
    let base = blocks[0].clone();
    let figure = |(number, (filled, blocks)): (usize, (&Filled, Vec<f64>))| Figure {
        blocks,
        targets: targets(askers, number > 0, disk),
        against: (number > 0).then(|| Against { name: "1 k entries", blocks: base.clone() }),
        fdatasync_ms: fdatasync_ms.clone(),
        facts: BTreeMap::from([("seconds to fill".into(), filled.fill_time.as_secs_f64())]),
        ..Figure::new(format!("a claim, {} waiting, {}, {kept}", filled.size, by(askers)), "µs")
    };
    stores.iter().zip(blocks).enumerate().map(figure).collect()
}

fn by(askers: usize) -> String {
    if askers == 1 { "one asks".into() } else { format!("{askers} ask") }
}

/// Microseconds of each claim of a block, by so many at once.
async fn claim_block(filled: &Filled, askers: usize) -> f64 {
    let mut asking = JoinSet::new();
    let began = Instant::now();
    for _ in 0..askers {
        let (store, lane) = (Arc::clone(&filled.store), filled.lane);
        asking.spawn(async move {
            for _ in 0..CLAIMS_PER_BLOCK / askers {
                let outcome = store.claim(request(lane)).await.expect("a store that answers");
                assert!(matches!(outcome, ClaimOutcome::Claimed(_)), "{outcome:?}");
            }
        });
    }
    asking.join_all().await;
    micros_each(began.elapsed(), CLAIMS_PER_BLOCK)
}

/// Claims of a host that has something to do now and then, with and without a whole backlog that is scored again beside them.
async fn beside_rescoring(folder: &Path) -> Figure {
    let (_, entries) = SIZES[SIZES.len() - 1];
    let filled = fill(folder, ("1 M due", entries), Some(Timestamp::default())).await;
    let rescoring = Rescoring::begin(&filled);
    let (mut beside, mut alone, mut fdatasync_ms) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        fdatasync_ms.push(probe_fdatasync(folder).expect("a folder that can be written"));
        // What was written beside the block before is in the database by then.
        tokio::time::sleep(Duration::from_secs(1)).await;
        alone.push(ninety_ninth_percentile(&filled).await);
        rescoring.go_on(true);
        beside.push(ninety_ninth_percentile(&filled).await);
        rescoring.go_on(false);
    }
    let beside_claims = rescoring.per_second();
    rescoring.go_on(true);
    tokio::time::sleep(Duration::from_secs(5)).await;
    rescoring.go_on(false);
    Figure {
        blocks: beside,
        against: Some(Against { name: "the same with nothing beside it", blocks: alone }),
        targets: vec![Target::RatioAtMost(2.0)],
        fdatasync_ms,
        facts: BTreeMap::from([
            ("entries scored a second, beside claims".into(), beside_claims),
            ("entries scored a second, alone".into(), rescoring.per_second()),
        ]),
        ..Figure::new("99 of 100 claims, while 1 M entries are scored again, on disk", "µs")
    }
}

/// A backlog that is scored again, chunk by chunk, while it may.
struct Rescoring {
    may: watch::Sender<bool>,
    scored: Arc<AtomicU64>,
    /// How long it may have, and how many it had scored, when it was last asked.
    so_far: Mutex<(Duration, Option<Instant>)>,
}

impl Rescoring {
    fn begin(filled: &Filled) -> Self {
        let (may, mut allowed) = watch::channel(false);
        let (store, lane, scored) = (Arc::clone(&filled.store), filled.lane, Arc::new(AtomicU64::default()));
        let count = Arc::clone(&scored);
        tokio::spawn(async move {
            let rescoring = store.begin_rescoring().await.expect("a store that answers");
            let (mut after, mut displaced) = (None, Vec::new());
            while allowed.wait_for(|may| *may).await.is_ok() {
                if displaced.len() >= PUT_IN_ORDER_FROM {
                    displaced.sort_unstable();
                    let some = std::mem::take(&mut displaced);
                    store.put_in_order(rescoring, some).await.expect("a store that answers");
                }
                let due = store.due_by_number(after, CHUNK).await.expect("a store that answers");
                after = due.last().map(|due| due.id);
                let again = due.iter().map(|entry| Rejudged {
                    id: entry.id,
                    says: None,
                    supplement_version: 0,
                    policy_version: i64::MAX,
                    admission: admission(
                        lane,
                        entry.id.0.wrapping_mul(40_503) % 100_000,
                        entry.item.created_at,
                        None,
                    ),
                });
                let rescored = store.rescore_apart(rescoring, again.collect()).await;
                let rescored = rescored.expect("a store that answers");
                count.fetch_add(rescored.entries, Ordering::Relaxed);
                displaced.extend(rescored.displaced);
            }
        });
        Self { may, scored, so_far: Mutex::default() }
    }

    fn go_on(&self, may: bool) {
        let (took, since) = &mut *self.so_far.lock().expect("nobody panicked");
        match since.take() {
            Some(since) => *took += since.elapsed(),
            None => *since = Some(Instant::now()),
        }
        self.may.send_replace(may);
    }

    /// Since it was asked last.
    fn per_second(&self) -> f64 {
        let (took, _) = std::mem::take(&mut *self.so_far.lock().expect("nobody panicked"));
        self.scored.swap(0, Ordering::Relaxed) as f64 / took.as_secs_f64()
    }
}

/// Microseconds that 99 of 100 claims take at the most, one every few milliseconds.
async fn ninety_ninth_percentile(filled: &Filled) -> f64 {
    let mut took = Vec::with_capacity(PACED_CLAIMS);
    for _ in 0..PACED_CLAIMS {
        tokio::time::sleep(Duration::from_millis(2)).await;
        let began = Instant::now();
        let outcome = filled.store.claim(request(filled.lane)).await.expect("a store that answers");
        took.push(began.elapsed());
        assert!(matches!(outcome, ClaimOutcome::Claimed(_)), "{outcome:?}");
    }
    took.sort_unstable();
    micros_each(took[PACED_CLAIMS * 99 / 100 - 1], 1)
}

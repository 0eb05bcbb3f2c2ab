//! Entries a second through three stages and three gates that do nothing, eight workers, delivered to nobody, against bare
//! wasmtime that makes the same six calls on the same threads and keeps nothing.

#[path = "../../sandbox/benches/bare/mod.rs"]
mod bare;
#[path = "../../sandbox/benches/measure/mod.rs"]
mod measure;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bare::{Bare, BarePlugin, Handed};
use measure::{Against, Figure, Target, probe_fdatasync};
use tollgate_core::{
    Clock, HostId, StoreId, Timestamp, effect::Delivered, entry::EntryName, item::SourceItem,
    time::SystemClock,
};
use tollgate_engine::{
    Host, HostOptions, Parts, Trackers,
    adapter::{artifacts::StoredArtifacts, machine::ThisMachine},
    observer::{Notice, Observer},
};
use tollgate_policy::Policy;
use tollgate_registry::{Origin, Registry, Version};
use tollgate_sandbox::{CallModels, Sandbox, SandboxOptions};
use tollgate_store::{OpenMode, SqliteOptions, SqliteStore, artifacts::ArtifactFolder};
use tollgate_tracker::{
    DeliveryError, DeliveryRequest, NullTracker, Ownership, RecordReport, ScanReport, Tracker, TrackerError,
};

const WORKERS: usize = 8;
const ROUNDS: usize = 5;
const ENTRIES_PER_BLOCK: usize = 1000;

/// Driven before anything is measured, so that components are compiled and caches are warm.
const WARM_UP: usize = 50;

const TRACKER: &str = "none:bench";

const PROJECT: &str = r#"
[instance]
lease = "60s"

[backlog.work]
owner = "team"
pipeline = "idle"
eligible = "true"
order_by = ["key"]
pull = [{ every = "24h" }]

[[backlog.work.source]]
folder = "backlog"
"#;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    // Beside the build's output, which is on the project's disk; a temporary folder may be in memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder for the stores");
    runtime.block_on(async {
        tokio::spawn(compare(folder.path().to_owned())).await.expect("a run without panic")
    });
}

async fn compare(folder: PathBuf) {
    let sandbox = Sandbox::new(SandboxOptions::default()).expect("a sandbox on this machine");
    let bare = Baseline::new();
    let database = folder.join("on-disk/store.db");
    let on_disk =
        Project::fill(&folder, "on-disk", SqliteOptions::at(&database, OpenMode::Host), &sandbox).await;
    let in_memory = Project::fill(&folder, "in-memory", SqliteOptions::in_memory(), &sandbox).await;
    bare.block(WARM_UP).await;

    let (mut durable, mut volatile, mut baseline) = (Vec::new(), Vec::new(), Vec::new());
    let (mut fdatasync_ms, mut commits) = (Vec::new(), Commits::default());
    for _ in 0..ROUNDS {
        fdatasync_ms.push(probe_fdatasync(&folder).expect("a folder that can be written"));
        let before = commits_so_far(&database).expect("the store's log has an index");
        let cpu = processor_time();
        let took = on_disk.block(ENTRIES_PER_BLOCK).await;
        commits.processor_time += processor_time() - cpu;
        commits
            .add(commits_so_far(&database).expect("the store's log has an index").wrapping_sub(before), took);
        durable.push(per_second(took));
        let cpu = processor_time();
        baseline.push(per_second(bare.block(ENTRIES_PER_BLOCK).await));
        commits.bare_processor_time += processor_time() - cpu;
        volatile.push(per_second(in_memory.block(ENTRIES_PER_BLOCK).await));
    }
    let against =
        |blocks: &[f64]| Some(Against { name: "bare wasmtime, no store", blocks: blocks.to_owned() });
    Figure {
        blocks: durable,
        against: against(&baseline),
        targets: vec![Target::RatioAtLeast(0.5)],
        fdatasync_ms,
        facts: commits.facts(),
        ..Figure::new("entries through 3 stages and 3 gates, 8 workers, store on disk", "entries/s")
    }
    .print();
    Figure {
        blocks: volatile,
        against: against(&baseline),
        ..Figure::new("the same, store in memory", "entries/s")
    }
    .print();
}

fn per_second(took: Duration) -> f64 {
    ENTRIES_PER_BLOCK as f64 / took.as_secs_f64()
}

/// Commits of the measured blocks.
#[derive(Default)]
struct Commits {
    count: u32,
    entries: usize,
    time: Duration,
    processor_time: Duration,
    bare_processor_time: Duration,
}

impl Commits {
    fn add(&mut self, count: u32, took: Duration) {
        self.count += count;
        self.entries += ENTRIES_PER_BLOCK;
        self.time += took;
    }

    fn facts(&self) -> BTreeMap<String, f64> {
        let count = f64::from(self.count);
        let per_entry = |time: Duration| time.as_secs_f64() * 1e6 / self.entries as f64;
        BTreeMap::from([
            ("commits a second".into(), count / self.time.as_secs_f64()),
            ("entries a commit".into(), self.entries as f64 / count),
            ("µs of processor time an entry".into(), per_entry(self.processor_time)),
            ("µs of processor time an entry, bare".into(), per_entry(self.bare_processor_time)),
        ])
    }
}

/// How often a database was committed to since it was opened: `iChange` in the header of the index of its write-ahead log,
/// as SQLite documents that file.
fn commits_so_far(database: &Path) -> io::Result<u32> {
    let index = std::fs::read(format!("{}-shm", database.display()))?;
    let counter = index.get(8..12).and_then(|bytes| bytes.try_into().ok());
    counter.map(u32::from_ne_bytes).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// What this process used of all cores so far, to the hundredth of a second that the system counts in.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").expect("a system that tells");
    let (_, fields) = text.rsplit_once(')').expect("the name of the process is in brackets");
    let ticks: u64 =
        fields.split_whitespace().skip(11).take(2).map(|n| n.parse::<u64>().expect("ticks")).sum();
    Duration::from_millis(ticks * 10)
}

/// A project whose entries wait, and hosts on it.
struct Project {
    folder: PathBuf,
    policy: Arc<Policy>,
    registry: Arc<Registry>,
    sandbox: Sandbox,
    store: Arc<SqliteStore>,
    clock: Arc<dyn Clock>,
    hosts: AtomicUsize,
}

impl Project {
    /// A project with as many entries as all blocks drive.
    async fn fill(folder: &Path, name: &str, store: SqliteOptions, sandbox: &Sandbox) -> Self {
        let folder = folder.join(name);
        std::fs::create_dir_all(folder.join("pipelines")).expect("a folder that can be written");
        std::fs::write(folder.join("tollgate.toml"), PROJECT).expect("a folder that can be written");
        std::fs::write(folder.join("pipelines/idle.toml"), pipeline()).expect("a folder that can be written");
        let mut registry = Registry::default();
        for guest in ["idle-stage", "idle-gate"] {
            let (path, bytes) = guest_component(guest);
            let version = Version::read(bytes, Origin::File(path)).expect("a plugin");
            registry.add(version).expect("a plugin whose version is new");
        }
        let project = Self {
            policy: Arc::new(Policy::load(&folder).unwrap_or_else(|error| panic!("{error}"))),
            registry: Arc::new(registry),
            sandbox: sandbox.clone(),
            store: Arc::new(SqliteStore::open(store).expect("a new store")),
            clock: Arc::new(SystemClock::default()),
            hosts: AtomicUsize::default(),
            folder,
        };
        let items = (0..WARM_UP + ROUNDS * ENTRIES_PER_BLOCK).map(item).collect();
        let (host, _) = project.host(0, Arc::new(NullTracker::new(TRACKER, items))).await;
        host.pull().await;
        project.block(WARM_UP).await;
        project
    }

    /// Drives so many entries; the time from the first claim to the last delivery.
    async fn block(&self, entries: usize) -> Duration {
        let (host, watch) = self.host(entries, Arc::new(Drained)).await;
        let outcome = host.run().await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(outcome.done, entries as u64, "{outcome:?}");
        watch.took(entries)
    }

    async fn host(&self, items: usize, tracker: Arc<dyn Tracker>) -> (Host, Arc<Watch>) {
        let mut trackers = Trackers::default();
        trackers.add("work", tracker);
        let watch = Arc::new(Watch::default());
        let parts = Parts {
            project: self.folder.clone(),
            policy: Arc::clone(&self.policy),
            registry: Arc::clone(&self.registry),
            guests: Arc::new(self.sandbox.clone()),
            models: CallModels::none().port,
            store: Arc::clone(&self.store) as _,
            artifacts: Arc::new(StoredArtifacts::new(Arc::new(
                ArtifactFolder::open(self.folder.join("artifacts")).expect("a folder for artifacts"),
            ))),
            trackers,
            clock: Arc::clone(&self.clock),
            machine: Arc::new(ThisMachine),
            observer: Arc::clone(&watch) as _,
        };
        let options = HostOptions {
            id: HostId(format!("bench-{}", self.hosts.fetch_add(1, Ordering::Relaxed))),
            workers: WORKERS,
            drain: true,
            items: Some(items as u64),
            only: Vec::new(),
            labels: Vec::new(),
        };
        (Host::start(parts, options).await.unwrap_or_else(|error| panic!("{error}")), watch)
    }
}

/// Three stages, each with a gate.
fn pipeline() -> String {
    let budget = r#"budget = { fuel = "100M", time = "10s", memory = "64MiB" }"#;
    let stage = |number: usize| {
        format!(
            "\n[[stage]]\nname = \"stage-{number}\"\nplugin = \"idle-stage\"\n{budget}\n\n  [[stage.gate]]\n  name = \
             \"gate-{number}\"\n  plugin = \"idle-gate\"\n  {budget}\n"
        )
    };
    let head = "owner = \"team\"\nbudget = { cost = \"$5\", time = \"5m\" }\n".to_owned();
    (1..=3).fold(head, |text, number| text + &stage(number))
}

fn guest_component(name: &str) -> (PathBuf, Vec<u8>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/guests/dist/{name}.wasm"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    (path, bytes)
}

fn item(number: usize) -> SourceItem {
    SourceItem {
        name: EntryName { tracker: TRACKER.into(), key: format!("WORK-{number:05}") },
        url: None,
        kind: String::new(),
        title: format!("Task number {number}"),
        body: "The opening hours are missing in the search results.".into(),
        author: None,
        labels: Vec::new(),
        created_at: Some(Timestamp::from_millis(1_795_000_000_000)),
        closed: false,
        shelf: tollgate_core::item::Shelf::Open,
        front_matter: serde_json::Map::new(),
        headings: BTreeMap::new(),
        depends: Vec::new(),
    }
}

/// Sees when a host began and ended, since a host that drains looks around for a while before it ends.
#[derive(Default)]
struct Watch {
    claimed: Mutex<Option<Instant>>,
    delivered: Mutex<(usize, Option<Instant>)>,
}

impl Watch {
    fn took(&self, entries: usize) -> Duration {
        let (count, last) = *self.delivered.lock().expect("nobody panicked");
        assert_eq!(count, entries, "every entry has one record and nothing else to deliver");
        let first = *self.claimed.lock().expect("nobody panicked");
        first.zip(last).map(|(first, last)| last - first).expect("something was claimed and delivered")
    }
}

impl Observer for Watch {
    fn notice(&self, notice: &Notice) {
        match notice {
            Notice::Claimed { .. } => {
                self.claimed.lock().expect("nobody panicked").get_or_insert_with(Instant::now);
            }
            Notice::Delivered { .. } => {
                let mut delivered = self.delivered.lock().expect("nobody panicked");
                *delivered = (delivered.0 + 1, Some(Instant::now()));
            }
            Notice::Trouble { .. } | Notice::PullFailed { .. } => panic!("{notice:?}"),
            _ => {}
        }
    }
}

/// The null tracker after its items were read: a host reads its sources when it starts, which is not measured here.
#[derive(Debug)]
struct Drained;

#[async_trait]
impl Tracker for Drained {
    fn name(&self) -> &str {
        TRACKER
    }

    async fn claim_ownership(&self, store: StoreId) -> Result<Ownership, TrackerError> {
        self.null().claim_ownership(store).await
    }

    async fn scan(&self) -> Result<ScanReport, TrackerError> {
        // Not complete, or all entries would be taken for gone.
        Ok(ScanReport::default())
    }

    async fn deliver(&self, request: DeliveryRequest) -> Result<Delivered, DeliveryError> {
        self.null().deliver(request).await
    }

    async fn records(&self) -> Result<RecordReport, TrackerError> {
        self.null().records().await
    }
}

impl Drained {
    fn null(&self) -> NullTracker {
        NullTracker::new(TRACKER, Vec::new())
    }
}

/// Bare wasmtime with the two guests.
struct Baseline {
    stage: BarePlugin,
    gate: BarePlugin,
    _engine: Bare,
}

impl Baseline {
    fn new() -> Self {
        let engine = Bare::new().expect("an engine on this machine");
        let prepare = |guest| {
            let handed = Handed { settings: "{}".into(), text: None };
            engine.prepare(&guest_component(guest).1, handed).expect("a component that loads")
        };
        Self { stage: prepare("idle-stage"), gate: prepare("idle-gate"), _engine: engine }
    }

    /// Makes the calls of so many entries, by as many tasks as a host has workers.
    async fn block(&self, entries: usize) -> Duration {
        let next = Arc::new(AtomicUsize::default());
        let began = Instant::now();
        let workers: Vec<_> = (0..WORKERS)
            .map(|_| {
                let (stage, gate, next) = (self.stage.clone(), self.gate.clone(), Arc::clone(&next));
                tokio::spawn(async move {
                    while next.fetch_add(1, Ordering::Relaxed) < entries {
                        for plugin in [&stage, &gate, &stage, &gate, &stage, &gate] {
                            plugin.call().await.expect("a call that returns");
                        }
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.await.expect("a worker without panic");
        }
        began.elapsed()
    }
}

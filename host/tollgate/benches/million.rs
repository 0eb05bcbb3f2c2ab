//! The commands of a person, and what a host does by itself, with a million entries: seconds, and the largest resident set.
//!
//! The store is filled by its own admission with what the policy says of each entry, as it was said forty days ago; so all of it is due to
//! be scored again. That is measured first, then the commands, each a process of its own.
//!
//! `TOLLGATE_BENCH_ENTRIES` fills fewer; `TOLLGATE_BENCH_POSTGRES` is the URL of an empty database to fill in place of a file;
//! `TOLLGATE_BENCH_FOLDER` keeps the project there, and takes it as it is the next time.

#[path = "../../sandbox/benches/measure/mod.rs"]
mod measure;

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use measure::{Figure, Target, probe_fdatasync};
use serde_json::{Map, Value};
use tollgate_core::{
    Timestamp,
    entry::EntryName,
    item::{Dependency, Shelf, SourceItem},
};
use tollgate_engine::{
    judge::{self, Lanes},
    rank::Ranker,
};
use tollgate_policy::{Policy, Seen};
use tollgate_store::{
    OpenMode, PostgresOptions, PostgresStore, SqliteOptions, SqliteStore, Store,
    port::{Arrival, Known},
};
use wait4::Wait4 as _;

/// Entries that wait.
const ENTRIES: usize = 1_000_000;

/// Entries that are taken in at once.
const BATCH: usize = 5_000;

/// How often each command is run.
const RUNS: usize = 5;

/// Where the entries come from: a source that the project has no more, since a million files are not what is measured.
const TRACKER: &str = "folder:archive";

/// The last judgement is longer ago than any of them looks ahead.
const JUDGED_BEFORE: Duration = Duration::from_secs(40 * 24 * 60 * 60);

/// Entries were written in the days before that.
const WRITTEN_WITHIN_DAYS: usize = 400;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The arguments by which this program is told to fill a store, or to score again, as a process of its own. A process counts as at least
/// as large as the one that started it was then, so this one stays small.
const FILL: &str = "fill";
const RESCORE: &str = "rescore";

const BACKLOG: &str = r#"
[backlog.work]
owner    = "team"
zone     = "Europe/Berlin"
pipeline = "idle"
eligible = '!("wontfix" in labels)'
priority = '{"high": 3, "medium": 2, "low": 1}[field.priority] + min(floor(age_days / 7), 52) + (field.effort >= 8 ? -1 : 0)'
pull     = [{ every = "24h" }]

[[backlog.work.source]]
folder = "backlog"
settle = "0s"

[backlog.work.fields]
priority = { type = "string", purpose = "order", from = "front-matter:priority", default = "low", values = ["high", "medium", "low"] }
effort   = { type = "number", purpose = "order", from = "front-matter:effort", default = 3 }
"#;

const PIPELINE: &str = r#"
owner  = "team"
budget = { cost = "$5", time = "5m" }

[[stage]]
name   = "idle"
plugin = "idle-stage"
budget = { fuel = "100M", time = "10s", memory = "64MiB" }
"#;

fn main() {
    if let [_, command, folder] = env::args().collect::<Vec<_>>().as_slice() {
        match command.as_str() {
            FILL => return fill(Path::new(folder)),
            RESCORE => return rescore(Path::new(folder)),
            // What cargo adds.
            _ => {}
        }
    }
    let kept = env::var_os("TOLLGATE_BENCH_FOLDER").map(PathBuf::from);
    // Beside the build's output, which is on the project's disk; a temporary folder may be in memory.
    let temporary = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder for the project");
    let folder = kept.unwrap_or_else(|| temporary.path().to_owned());
    let project = Project { folder };
    if !project.folder.join("tollgate.toml").exists() {
        project.make();
        project.fill().print();
        project.score_again().print();
    }
    for command in commands() {
        project.measure(&command).into_iter().for_each(|figure| figure.print());
    }
}

/// A command, and how long it may take.
struct Measured {
    arguments: Vec<String>,
    seconds_max: f64,
    /// Makes a new item before each run, whose key is the last argument.
    of_a_new_item: bool,
}

/// What people ask, and one claim.
fn commands() -> Vec<Measured> {
    let day = |days: i64| Timestamp::from_millis(now().as_millis() + days * DAY_MS).to_string();
    let short = |line: &str| Measured {
        arguments: line.split(' ').map(str::to_owned).collect(),
        seconds_max: 1.0,
        of_a_new_item: false,
    };
    let long = |line: &str| Measured { seconds_max: 15.0, ..short(line) };
    let middle = entries() / 2 + 1;
    vec![
        Measured { of_a_new_item: true, ..short("run") },
        short(&format!("backlog show WORK-{middle}")),
        short(&format!("why WORK-{middle}")),
        short("backlog list"),
        short("backlog list --state held"),
        short("backlog list --state done"),
        short("backlog rank"),
        short("backlog rank --explain"),
        short(&format!("backlog rank WORK-{middle} WORK-1 WORK-2")),
        short("report coverage"),
        short("store status"),
        short("escalations"),
        long(&format!("backlog rank --as-of {}", day(10))),
        long(&format!("backlog rank --as-of {}", day(-60))),
        long(&format!("backlog rank WORK-{middle} --as-of {}", day(10))),
    ]
}

fn entries() -> usize {
    told("TOLLGATE_BENCH_ENTRIES").map_or(ENTRIES, |text| text.parse().expect("a number of entries"))
}

fn now() -> Timestamp {
    tollgate_core::Clock::now(&tollgate_core::time::SystemClock::default())
}

/// A folder with a policy and a store.
struct Project {
    folder: PathBuf,
}

impl Project {
    /// Writes the policy, and runs once: then there is a store, the policy is applied, and the plugin compiled.
    fn make(&self) {
        let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/dist");
        for folder in ["backlog", "pipelines", "plugins"] {
            fs::create_dir_all(self.folder.join(folder)).expect("a folder that can be written");
        }
        fs::write(self.folder.join("tollgate.toml"), instance() + BACKLOG).expect("a policy");
        fs::write(self.folder.join("pipelines/idle.toml"), PIPELINE).expect("a pipeline");
        let plugin = "idle-stage.wasm";
        fs::copy(guests.join(plugin), self.folder.join("plugins").join(plugin)).expect("a plugin");
        self.add_item("HEAD-0");
        self.run(&["run".into(), "HEAD-0".into()]);
    }

    /// Takes all entries in.
    fn fill(&self) -> Figure {
        let (took, peak_mib) = self.this_program(FILL);
        Figure {
            blocks: vec![took.as_secs_f64()],
            facts: BTreeMap::from([("MiB at the most".into(), peak_mib)]),
            ..Figure::new(named("to take in"), "s")
        }
    }

    /// Scores everything again, as a host does.
    fn score_again(&self) -> Figure {
        let fdatasync = probe_fdatasync(&self.folder).expect("a folder that can be written");
        let (took, peak_mib) = self.this_program(RESCORE);
        Figure {
            blocks: vec![took.as_secs_f64()],
            targets: vec![Target::AtMost(15.0)],
            fdatasync_ms: vec![fdatasync],
            facts: BTreeMap::from([("MiB at the most".into(), peak_mib)]),
            ..Figure::new(named("to score again"), "s")
        }
    }

    /// Seconds of a command, and its memory.
    fn measure(&self, measured: &Measured) -> [Figure; 2] {
        let (mut seconds, mut memory_mib) = (Vec::new(), Vec::new());
        // The first brings in from the disk what the others find in memory, and is not counted.
        for run in 0..=RUNS {
            let mut arguments = measured.arguments.clone();
            if measured.of_a_new_item {
                let key = format!("HEAD-{}-{run}", now().as_millis());
                self.add_item(&key);
                arguments.push(key);
            }
            let (took, peak_mib) = self.run(&arguments);
            if run > 0 {
                seconds.push(took.as_secs_f64());
                memory_mib.push(peak_mib);
            }
        }
        let name = format!("`tollgate {}`", measured.arguments.join(" "));
        [
            Figure {
                blocks: seconds,
                targets: vec![Target::AtMost(measured.seconds_max)],
                ..Figure::new(name.clone(), "s")
            },
            Figure { blocks: memory_mib, targets: vec![Target::AtMost(300.0)], ..Figure::new(name, "MiB") },
        ]
    }

    fn this_program(&self, argument: &str) -> (Duration, f64) {
        let mut command = Command::new(env::current_exe().expect("this program"));
        command.arg(argument).arg(&self.folder);
        run_to_the_end(command)
    }

    fn run(&self, arguments: &[String]) -> (Duration, f64) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        command.args(arguments).current_dir(&self.folder);
        command.env("TOLLGATE_CACHE", self.folder.join("cache"));
        run_to_the_end(command)
    }

    fn add_item(&self, key: &str) {
        let text =
            format!("---\nid: {key}\ncreated: 2026-01-02\n---\n# What comes first\n\nAn item of its own.\n");
        fs::write(self.folder.join("backlog").join(format!("{key}.md")), text)
            .expect("a folder that can be written");
    }
}

fn named(what: &str) -> String {
    let kept = if postgres().is_some() { "PostgreSQL" } else { "SQLite" };
    format!("{what} {} entries, {kept}", entries())
}

fn postgres() -> Option<String> {
    told("TOLLGATE_BENCH_POSTGRES")
}

fn told(name: &str) -> Option<String> {
    env::var_os(name)?.into_string().ok()
}

fn instance() -> String {
    let store = postgres().unwrap_or_else(|| "sqlite:.tollgate/tollgate.db".into());
    format!("[instance]\nstore = \"{store}\"\n")
}

/// Runs a program; how long it took and the largest resident set that it had, in MiB.
fn run_to_the_end(mut command: Command) -> (Duration, f64) {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let began = Instant::now();
    let ended = command.spawn().and_then(|child| child.wait4()).expect("a program that can be started");
    let took = began.elapsed();
    assert!(ended.status.success(), "{command:?} ended with {}", ended.status);
    (took, ended.rusage.maxrss as f64 / f64::from(1 << 20))
}

/// Takes all entries in, a batch while the next one is judged.
fn fill(folder: &Path) {
    let runtime = runtime();
    let (store, policy) = (runtime.block_on(open(folder)), load(folder));
    let applied = runtime.block_on(store.applied_policy()).expect("a store that answers");
    let lanes = Lanes::of(&applied.expect("a policy that was applied"));
    let (judged, batches) = mpsc::sync_channel(2);
    std::thread::spawn(move || {
        let now = Timestamp::from_millis(now().as_millis() - JUDGED_BEFORE.as_millis() as i64);
        for from in (0..entries()).step_by(BATCH) {
            let batch = from..entries().min(from + BATCH);
            let arrivals: Vec<_> = batch.map(|number| arrival(&policy, &lanes, number, now)).collect();
            judged.send(arrivals).expect("somebody who takes them in");
        }
    });
    runtime.block_on(async {
        let reconcile = store.begin_reconcile("work", TRACKER).await.expect("a reconcile that begins");
        for arrivals in batches {
            store.admit(reconcile, arrivals).await.expect("arrivals that are taken in");
        }
    });
}

fn rescore(folder: &Path) {
    runtime().block_on(async {
        let (store, policy) = (open(folder).await, load(folder));
        let applied = store.applied_policy().await.expect("a store that answers");
        let ranker = Ranker::new(&policy, Lanes::of(&applied.expect("a policy that was applied")));
        let mut scored = 0;
        loop {
            let ranked = ranker.tick(&*store).await.expect("a store that answers");
            scored += ranked.entries;
            if ranked.is_done() {
                break;
            }
        }
        assert!(scored >= entries() as u64 / 2, "{scored} entries were scored again");
    });
}

async fn open(folder: &Path) -> Arc<dyn Store> {
    let (folder, postgres) = (folder.to_owned(), postgres());
    let open = move || -> Arc<dyn Store> {
        match postgres {
            Some(url) => {
                let options = PostgresOptions { url, mode: OpenMode::Host, clock: None };
                Arc::new(PostgresStore::open(options).expect("a database that is there"))
            }
            None => {
                let path = folder.join(".tollgate/tollgate.db");
                Arc::new(SqliteStore::open(SqliteOptions::at(path, OpenMode::Host)).expect("the store"))
            }
        }
    };
    tokio::task::spawn_blocking(open).await.expect("a store that opens")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

fn load(folder: &Path) -> Arc<Policy> {
    Arc::new(Policy::load(folder).unwrap_or_else(|error| panic!("{error}")))
}

fn arrival(policy: &Policy, lanes: &Lanes, number: usize, now: Timestamp) -> Arrival {
    let backlog = policy.backlog("work").expect("the backlog of this policy");
    let item = item(number, now);
    judge::arrival(backlog, lanes, item, &Known::default(), Seen { first: now, now })
}

/// One entry of twenty waits for another, one of fifty is closed; the others can run.
fn item(number: usize, now: Timestamp) -> SourceItem {
    // Spread over the time in another order than that of arrival.
    let age_days = number.wrapping_mul(2_654_435_761) % WRITTEN_WITHIN_DAYS;
    let depends = (number % 20 == 10)
        .then(|| Dependency { key: format!("WORK-{}", number - 5), source: "front-matter:depends".into() });
    let priority = ["high", "medium", "low", "low"][number % 4];
    SourceItem {
        name: EntryName { tracker: TRACKER.into(), key: format!("WORK-{number}") },
        url: Some(format!("archive/WORK-{number}.md")),
        kind: "task".into(),
        title: format!("Task number {number}"),
        body: BODY.into(),
        author: Some("ada".into()),
        labels: vec!["reading-room".into(), "search".into()],
        created_at: Some(Timestamp::from_millis(now.as_millis() - age_days as i64 * DAY_MS - number as i64)),
        closed: number % 50 == 49,
        shelf: Shelf::Open,
        front_matter: Map::from_iter([
            ("priority".into(), Value::from(priority)),
            ("effort".into(), Value::from(number % 13)),
        ]),
        headings: BTreeMap::new(),
        depends: depends.into_iter().collect(),
    }
}

/// What an entry says: some hundred bytes.
const BODY: &str = "The opening hours are missing in the search results. Readers who look for a branch see its address and its \
                    telephone number, and have to follow the link to learn when it is open; most of them call.\n\n\
                    - the hours of the day stand below the address\n- on holidays the reason is told\n- nothing changes \
                    for branches without hours\n";

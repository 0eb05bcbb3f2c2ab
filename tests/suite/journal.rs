//! Kill -9 at every intent and every answer of a step that asks capabilities: the next host goes on from its journal, nothing is paid
//! twice, and what may have happened is charged.
//!
//! The shipped binary has no capability that only tests have. So the process that is killed is this test binary itself, which
//! runs a host of the very crates that the binary is made of, with the probe.

use std::{
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tollgate_core::{Clock, HostId, Microcents, time::SystemClock};
use tollgate_engine::{
    Host, HostOptions, Parts, Trackers,
    adapter::{artifacts::StoredArtifacts, machine::ThisMachine},
    observer::Unwatched,
};
use tollgate_policy::Policy;
use tollgate_registry::{Origin, Registry, Version};
use tollgate_sandbox::{CallModels, Sandbox, SandboxOptions};
use tollgate_store::{OpenMode, SqliteOptions, SqliteStore, artifacts::ArtifactFolder};

use crate::{
    probe::{COST, LARGEST, Probe},
    support::{GOOD_ITEM, Project, repository},
};

/// Where a host may be killed, and whether the call of that place may have happened without an answer.
const POINTS: &[(&str, bool)] = &[
    ("journal.intend.before", false),
    ("journal.intend.after", true),
    ("journal.answer.before", true),
    ("journal.answer.after", false),
];

/// How often the stage asks.
const ASKED: u64 = 3;

const PIPELINE: &str = r#"
owner = "team"
budget = { cost = "$0.50", time = "5m" }

[[stage]]
name = "ask"
plugin = "probe-stage"
grant = ["probe"]
with = { asks = ["FUNCTION"], times = 3 }
"#;

/// The folder of the project that the process below works on.
const PROJECT_VARIABLE: &str = "TOLLGATE_TEST_PROJECT";

/// A host until nothing is left. Started by the tests of this file, in a process of its own.
#[test]
#[ignore = "it is the process that the other tests of this file kill"]
fn host() {
    #[expect(clippy::disallowed_methods, reason = "how a test tells this process what to do")]
    let folder = std::env::var(PROJECT_VARIABLE).expect("a folder to work on");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build();
    runtime.expect("a runtime").block_on(drain(Path::new(&folder)));
}

async fn drain(folder: &Path) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let policy = Arc::new(Policy::load_for(folder, &["probe"]).expect("a policy"));
    let mut registry = Registry::shipped();
    let guest = repository().join("tests/guests/dist/probe-stage.wasm");
    let bytes = std::fs::read(&guest).expect("a guest");
    registry.add(Version::read(bytes, Origin::File(guest)).expect("a plugin")).expect("no other of its name");
    let extensions = vec![Arc::new(Probe::noting(folder.join("probe.log"))) as _];
    let store = SqliteOptions::at(folder.join(".tollgate/tollgate.db"), OpenMode::Host);
    let parts = Parts {
        project: folder.to_owned(),
        trackers: Trackers::open(&policy, folder, &clock).expect("trackers"),
        policy,
        registry: Arc::new(registry),
        guests: Arc::new(
            Sandbox::new(SandboxOptions { extensions, ..SandboxOptions::default() }).expect("a sandbox"),
        ),
        models: CallModels::none().port,
        store: Arc::new(SqliteStore::open(store).expect("a store")),
        artifacts: Arc::new(StoredArtifacts::new(Arc::new(
            ArtifactFolder::open(folder.join(".tollgate/artifacts")).expect("a folder"),
        ))),
        clock,
        machine: Arc::new(ThisMachine),
        observer: Arc::new(Unwatched),
    };
    let id = HostId(format!("test-{}", std::process::id()));
    let options =
        HostOptions { id, workers: 1, drain: true, items: None, only: Vec::new(), labels: Vec::new() };
    let host = Host::start(parts, options).await.expect("a host");
    host.run().await.expect("an end");
}

/// Runs a host on the project; whether it came to its end.
fn host_on(project: &Project, crash_at: Option<String>) -> bool {
    let mut command = Command::new(std::env::current_exe().expect("this process has a binary"));
    command.args(["journal::host", "--exact", "--ignored", "--nocapture"]);
    command.env_clear().env(PROJECT_VARIABLE, project.path());
    command.envs(crash_at.map(|at| ("TOLLGATE_CRASH_AT", at)));
    let output = command.output().expect("the process can be started");
    match output.status.code() {
        Some(0) => true,
        Some(code) => panic!("exit code {code}: {}", String::from_utf8_lossy(&output.stderr)),
        None => false,
    }
}

/// A project whose stage asks `function`.
fn project_asking(function: &str) -> Project {
    let project = Project::empty();
    project.write("pipelines/spec.toml", &PIPELINE.replace("FUNCTION", function));
    project.write("backlog/w-1.md", GOOD_ITEM);
    project
}

/// Makes the project one that the binary understands, which has no probe; what ran stays pinned to what it was.
fn without_probe(project: &Project) {
    project.write("pipelines/spec.toml", &PIPELINE.replace("grant = [\"probe\"]", ""));
}

/// Kills the first host at the `count`th visit of `point`, and lets a second one go on. False when it was not killed.
fn kill_and_go_on(point: &str, may_have_happened: bool, count: u64) -> bool {
    let project = project_asking(if count.is_multiple_of(2) { "keyed" } else { "repeatable" });
    let was_killed = !host_on(&project, Some(format!("{point}:{count}")));
    let context = format!("{point}:{count}");
    if was_killed {
        assert!(host_on(&project, None), "{context}");
    }
    without_probe(&project);
    let run = project.run(&["runs", "show", "W-1", "--json"]).json(0);
    assert_eq!(run["state"], "done", "{context}: {run}");
    assert_eq!(run["steps"].as_array().map(Vec::len), Some(1), "{context}");
    let step = &run["steps"][0];
    assert_eq!(step["attempt"], 1, "{context}");
    assert_eq!(project.records(), [("backlog/w-1.tollgate.md".to_owned(), 1)], "{context}");
    let audit = project.run(&["audit", "verify", "--json"]).json(0);
    assert_eq!(audit["problems"], serde_json::json!([]), "{context}");

    // Each question once, but for one whose answer was lost after it was asked; that one with the same key.
    let log = project.read("probe.log");
    let calls: Vec<_> = log.lines().collect();
    let distinct: std::collections::BTreeSet<_> = calls.iter().collect();
    assert_eq!(distinct.len() as u64, ASKED, "{context}: {log}");
    let repeated = u64::from(was_killed && point == "journal.answer.before");
    assert_eq!(calls.len() as u64, ASKED + repeated, "{context}: {log}");

    let compute = step["usage"]["fuel"].as_u64().expect("fuel").div_ceil(100_000);
    let lost = if was_killed && may_have_happened { LARGEST.0 } else { 0 };
    let paid = Microcents(compute + ASKED * COST.0 + lost);
    assert_eq!(step["usage"]["cost"], paid.0, "{context}");
    assert_eq!(run["cost"], paid.0, "{context}");
    was_killed
}

#[test]
fn a_process_killed_at_any_intent_or_answer_pays_nothing_twice() {
    let killed = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for (point, may_have_happened) in POINTS {
            let killed = &killed;
            scope.spawn(move || {
                let mut count = 1;
                while kill_and_go_on(point, *may_have_happened, count) {
                    killed.fetch_add(1, Ordering::Relaxed);
                    count += 1;
                }
                assert_eq!(count, ASKED + 1, "{point} is visited once for each question");
            });
        }
    });
    assert_eq!(killed.load(Ordering::Relaxed), POINTS.len() as u64 * ASKED);
}

#[test]
fn what_must_not_be_asked_twice_is_given_to_a_person() {
    let project = project_asking("unsafe");
    assert!(!host_on(&project, Some("journal.answer.before:2".into())));
    assert!(host_on(&project, None));
    without_probe(&project);
    let run = project.run(&["runs", "show", "W-1", "--json"]).json(0);
    assert_eq!(run["state"], "escalated", "{run}");
    let reason = run["reason"].as_str().expect("a reason");
    assert!(reason.contains("it may have happened or not"), "{reason}");
    assert_eq!(project.read("probe.log").lines().count(), 2, "nobody asked again");
}

//! Hosts that end in ways nobody asked for, and hosts that are asked twice.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::{GOOD_ITEM, Project, command, finish, repository};

fn run_of(project: &Project, key: &str) -> Value {
    project.run(&["runs", "list", "--entry", key, "--json"]).json(0)["runs"][0].clone()
}

/// A host that is killed when it calls a component the first time.
fn killed_in_a_call(project: &Project) {
    let mut host = command(project.path(), &["run", "--drain", "--workers", "1"]);
    host.env("TOLLGATE_CRASH_AT", "drive.call:1");
    assert_eq!(finish(host).code, None, "it was killed");
}

#[test]
fn an_entry_that_takes_three_hosts_down_is_quarantined_and_the_others_go_on() {
    let project = Project::with_one_item();
    killed_in_a_call(&project);
    let first = run_of(&project, "W-1");
    // Each host waits until the lease of the one before has ended.
    killed_in_a_call(&project);
    let second = run_of(&project, "W-1");
    assert_eq!(second["lost_hosts"], json!([first["host"]]));
    let why = project.run(&["why", "W-1"]).expect_code(0);
    let host = |run: &Value| run["host"].as_str().expect("a host").to_owned();
    assert!(why.contains(&format!("{} vanished while driving it", host(&first))), "{why}");
    let listed = project.run(&["runs", "list"]).expect_code(0);
    assert!(listed.contains("vanished"), "{listed}");

    killed_in_a_call(&project);
    project.write("backlog/w-2.md", &GOOD_ITEM.replace("W-1", "W-2"));
    let last = project.run(&["run", "--drain"]);
    assert!(last.stderr.contains("not heard of in time"), "{}", last.stderr);
    drop(last.expect_code(1));
    let quarantined = run_of(&project, "W-1");
    assert_eq!((&quarantined["state"], &quarantined["crashes"]), (&json!("escalated"), &json!(3)));
    let why = project.run(&["why", "W-1"]).expect_code(0);
    for run in [&first, &second] {
        assert!(why.contains(&host(run)), "{why}");
    }
    assert!(why.contains("`tollgate runs retry W-1 --reason …`"), "{why}");
    let other = run_of(&project, "W-2");
    assert_eq!((&other["state"], &other["crashes"]), (&json!("done"), &json!(0)));

    drop(project.run(&["runs", "retry", "W-1", "--reason", "the machine had no memory left"]).expect_code(0));
    drop(project.run(&["run", "--drain"]).expect_code(0));
    assert_eq!(run_of(&project, "W-1")["state"], "done");
    assert_eq!(
        project.records(),
        [("backlog/w-1.tollgate.md".to_owned(), 2), ("backlog/w-2.tollgate.md".to_owned(), 1)]
    );
}

pub(crate) const ENDLESS: &str = r#"
owner = "team"
budget = { cost = "$1000", time = "1h" }

[[stage]]
name = "work"
plugin = "hostile-stage"
budget = { fuel = "100000G", time = "10m" }
with = { do = "loop" }
"#;

/// A project whose only stage never ends, and a host that is in it.
fn in_an_endless_call() -> (Project, Child) {
    in_a_call_of(ENDLESS)
}

/// A project with this pipeline, and a host that is in the first call of it.
pub(crate) fn in_a_call_of(pipeline: &str) -> (Project, Child) {
    let project = Project::with_one_item();
    project.write("pipelines/spec.toml", pipeline);
    std::fs::create_dir(project.path().join("plugins")).expect("a folder can be made");
    let guest = repository().join("tests/guests/dist/hostile-stage.wasm");
    std::fs::copy(guest, project.path().join("plugins/hostile-stage.wasm")).expect("the guest was built");
    let mut host = command(project.path(), &["run"]);
    let host = host.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it can be started");
    // Until the host has made the store there is none to ask.
    while !project.run(&["runs", "list", "--json"]).stdout.contains("\"driven\": true") {}
    (project, host)
}

fn send(host: &Child, signal: Signal) {
    let pid = i32::try_from(host.id()).ok().and_then(Pid::from_raw).expect("a process has a number");
    kill_process(pid, signal).expect("a child can be signalled");
}

#[test]
fn the_second_signal_stops_within_a_second_and_loses_nothing() {
    for signal in [Signal::INT, Signal::TERM] {
        let (project, mut host) = in_an_endless_call();
        let mut said = BufReader::new(host.stderr.take().expect("its words")).lines().map_while(Result::ok);
        send(&host, signal);
        assert!(said.any(|line| line.starts_with("stopping ")), "the first signal drains");
        assert!(host.try_wait().expect("a child can be asked").is_none(), "and finishes what was begun");
        let asked = Instant::now();
        send(&host, signal);
        let ended = host.wait().expect("a child can be waited for");
        assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
        assert_eq!(ended.code(), Some(2), "{:?}", said.collect::<Vec<_>>());
        let run = run_of(&project, "W-1");
        let left = (&run["state"], &run["driven"], &run["crashes"], &run["lost_hosts"]);
        assert_eq!(left, (&json!("running"), &json!(false), &json!(0), &json!([])));
    }
}

#[test]
fn a_stop_from_another_process_is_lifted_by_resume_which_says_what_it_lifts() {
    let (project, mut host) = in_an_endless_call();
    drop(project.run(&["stop", "--now", "--reason", "the disk is replaced"]).expect_code(0));
    assert_eq!(host.wait().expect("a child can be waited for").code(), Some(2));
    let refused = project.run(&["run", "--drain"]);
    assert!(refused.stdout.contains("nothing ran: the host was asked to stop"), "{refused:?}");
    drop(refused.expect_code(2));
    let resumed = project.run(&["resume"]).expect_code(0);
    assert!(resumed.contains("the disk is replaced") && resumed.contains("--now"), "{resumed}");
}

#[test]
fn a_host_whose_project_is_deleted_ends_and_says_so() {
    let (project, mut host) = in_an_endless_call();
    let mut said = BufReader::new(host.stderr.take().expect("its words")).lines().map_while(Result::ok);
    std::fs::remove_dir_all(project.path()).expect("a folder can be deleted");
    let folder = project.path().display().to_string();
    assert!(
        said.any(|line| line.starts_with("stopping ") && line.contains(&format!("{folder} is gone"))),
        "it says what is gone"
    );
    assert_eq!(host.wait().expect("a child can be waited for").code(), Some(2));
}

#[test]
fn who_watches_before_anything_is_known_is_told_so() {
    let project = Project::empty();
    drop(project.run(&["run", "--drain"]).expect_code(0));
    let watched = project.run(&["runs", "watch"]);
    assert!(watched.stderr.contains("no entry is known yet; `tollgate run` reads"), "{watched:?}");
    drop(watched.expect_code(0));
}

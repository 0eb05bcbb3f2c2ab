//! Hosts that stop in the middle, in good order or not.

use std::time::{Duration, Instant};

use tollgate_core::{event::EventKind, run::RunState};
use tollgate_engine::{Phase, observer::Notice};
use tollgate_store::port::{StopMode, StopRequest};

use crate::support::{Heard, Project, stage};

/// A stage that runs long enough to be interrupted.
fn slow() -> String {
    endless(&stage("slow", "{ do = \"loop\" }"))
}

fn endless(stage: &str) -> String {
    stage.replace("200M", "100000G").replace("10s", "600s").replace("$5", "$1000")
}

/// A stage that ends at once, and one that has to be interrupted.
fn quick_then_slow() -> String {
    let slow = slow();
    let (_, slow) = slow.split_once("[[stage]]").unwrap();
    format!("{}\n[[stage]]{slow}", stage("quick", "{ do = \"ok\" }").replace("$5", "$1000"))
}

async fn until(met: impl Fn() -> bool) {
    while !met() {
        tokio::task::yield_now().await;
    }
}

async fn until_slow(heard: &Heard, calls: usize) {
    until(|| heard.calls_of("slow") == calls).await;
}

fn now(why: &str) -> StopRequest {
    StopRequest { mode: StopMode::Now, who: "tester".into(), why: why.into() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_told_to_stop_now_gives_its_run_back_and_charges_no_attempt() {
    let project = Project::with_pipelines(&[("slow", slow())]).await;
    project.item("A-1", "slow");
    let (running, shutdown, heard) = project.spawn("first").await;
    until_slow(&heard, 1).await;
    shutdown.request(Phase::Stopping);
    running.await.unwrap();
    let run = project.run_of("A-1").await;
    assert_eq!(run.summary.state, RunState::Running, "it can go on");
    assert_eq!(run.summary.crashes, 0);
    assert!(run.steps.is_empty(), "an interrupted call leaves no step");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_now_is_over_within_a_second_and_the_next_host_goes_on() {
    let project = Project::with_pipelines(&[("work", quick_then_slow())]).await;
    project.item("A-1", "work").item("B-1", "work").item("C-1", "work");
    let (running, _, heard) = project.spawn("first").await;
    until_slow(&heard, 2).await;

    let asked = Instant::now();
    project.store.stop(now("a drill")).await.unwrap();
    let outcome = running.await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert!(outcome.stopped);
    assert!(heard.text().contains("a drill"), "{}", heard.text());
    let asked_at = project.store.control().await.unwrap().since.unwrap();
    for key in ["A-1", "B-1"] {
        let run = project.run_of(key).await;
        assert_eq!(
            (run.summary.state, run.summary.driven, run.summary.crashes),
            (RunState::Running, false, 0)
        );
        assert_eq!(run.steps.len(), 1, "what the quick stage did is kept");
        let released = run.events.iter().find(|event| event.what.kind == EventKind::Released).unwrap();
        assert!(released.at.since(asked_at) < Duration::from_secs(1), "{:?}", released.at.since(asked_at));
    }

    project.store.resume().await.unwrap();
    let (running, shutdown, heard) = project.spawn("second").await;
    until_slow(&heard, 2).await;
    shutdown.request(Phase::Stopping);
    running.await.unwrap();
    assert_eq!(heard.calls_of("quick"), 0, "no stage that ended is called again");
    for key in ["A-1", "B-1"] {
        assert_eq!(project.run_of(key).await.summary.host.0, "second");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_strongest_wish_to_stop_counts() {
    let project = Project::with_pipelines(&[("slow", slow())]).await;
    project.item("A-1", "slow");
    let (running, _, heard) = project.spawn("first").await;
    until_slow(&heard, 1).await;
    std::fs::write(project.path().join(".tollgate/stop"), "").unwrap();
    until(|| heard.text().contains("the stop file")).await;
    project.store.stop(now("no time to drain")).await.unwrap();
    running.await.unwrap();
    assert!(heard.text().contains("no time to drain"), "{}", heard.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_file_stops_now_where_the_project_says_so() {
    let stop_now = "[instance]\nstop_file = { path = \"ops/stop\", mode = \"now\" }\n";
    let project = Project::with_pipelines(&[("slow", slow())]).await.with_policy("[instance]\n", stop_now);
    project.item("A-1", "slow");
    let (running, _, heard) = project.spawn("first").await;
    until_slow(&heard, 1).await;
    std::fs::create_dir(project.path().join("ops")).unwrap();
    std::fs::write(project.path().join("ops/stop"), "").unwrap();
    assert!(running.await.unwrap().stopped);
    let run = project.run_of("A-1").await;
    assert_eq!((run.summary.state, run.steps.len()), (RunState::Running, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_file_of_an_earlier_day_is_removed_and_that_is_said() {
    let project = Project::with_pipelines(&[("good", stage("work", "{ do = \"ok\" }"))]).await;
    project.item("A-1", "good");
    let path = project.path().join(".tollgate/stop");
    std::fs::write(&path, "").unwrap();
    let long_ago = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    std::fs::File::open(&path).unwrap().set_modified(long_ago).unwrap();
    let (outcome, heard) = project.drain().await;
    assert_eq!((outcome.done, outcome.stopped, path.exists()), (1, false, false));
    let is_said =
        |notice: &Notice| matches!(notice, Notice::StaleStopFile { path } if path == ".tollgate/stop");
    assert!(heard.all().iter().any(is_said), "{}", heard.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draining_host_finishes_what_it_began_and_starts_nothing() {
    let project = Project::with_pipelines(&[("good", stage("work", "{ do = \"ok\" }"))]).await;
    for n in 0..20 {
        project.item(&format!("A-{n:02}"), "good");
    }
    let (running, shutdown, heard) = project.spawn("first").await;
    until(|| heard.calls_of("work") > 0).await;
    shutdown.request(Phase::Draining);
    let outcome = running.await.unwrap();
    assert!(outcome.done >= 1);
    assert_eq!(outcome.left.unwrap().driven, 0);
    let (rest, _) = project.drain().await;
    assert_eq!(outcome.done + rest.done, 20, "nothing is lost and nothing is done twice");
}

/// How many runs were being driven at the same time at most, between their first call and their end.
fn most_at_once(notices: &[Notice]) -> usize {
    let mut driven = std::collections::HashSet::new();
    let mut most = 0;
    for notice in notices {
        match notice {
            Notice::StepStarted { run, .. } => drop(driven.insert(*run)),
            Notice::Finished { run, .. } => drop(driven.remove(run)),
            _ => {}
        }
        most = most.max(driven.len());
    }
    most
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_crash_each_run_that_was_in_it_is_driven_alone() {
    // Long enough for two of them to meet where they may.
    let project =
        Project::with_pipelines(&[("busy", stage("work", "{ do = \"many-host-calls\", amount = 30000 }"))])
            .await;
    for n in 0..4 {
        project.item(&format!("A-{n}"), "busy");
    }
    let (outcome, heard) = project.drain().await;
    // A third may begin while the last write of one is on its way.
    let most = most_at_once(&heard.all());
    assert_eq!((outcome.done, most > 1), (4, true), "undisturbed, {most} at once");

    for n in 0..4 {
        project.item(&format!("B-{n}"), "busy");
    }
    let (host, heard) = project.host("next").await;
    host.pull().await;
    assert_eq!(project.claim_and_vanish("lost").await, 4);
    let outcome = host.run().await.unwrap();
    assert_eq!((outcome.done, most_at_once(&heard.all())), (4, 1), "{}", heard.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_took_three_hosts_down_is_given_to_a_person_who_may_retry_it() {
    let project = Project::with_pipelines(&[("good", stage("work", "{ do = \"ok\" }"))]).await;
    project.item("A-1", "good");
    let (host, _) = project.host("last").await;
    host.pull().await;
    for lost in ["first", "second", "third"] {
        assert_eq!(project.claim_and_vanish(lost).await, 1);
    }
    let outcome = host.run().await.unwrap();
    assert_eq!((outcome.done, outcome.escalated), (0, 1));
    let run = project.run_of("A-1").await;
    project.check_end(
        &run,
        RunState::Escalated,
        "3 hosts vanished while they drove this run: first, second, third",
    );
    assert!(run.steps.is_empty(), "it is not called once more");

    project.store.retry(run.summary.entry_id, "tester", "the machine had no memory left").await.unwrap();
    let (outcome, _) = project.drain().await;
    assert_eq!(outcome.done, 1);
    assert_eq!(project.run_of("A-1").await.summary.crashes, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_told_to_finish_leaves_to_others_what_they_drive() {
    let project = Project::with_pipelines(&[("slow", slow())]).await;
    project.item("A-1", "slow");
    let (drives, stop_it, heard) = project.spawn("second").await;
    until_slow(&heard, 1).await;
    let (idle, shutdown, _) = project.spawn_for_ever().await;
    shutdown.request(Phase::Draining);
    tokio::time::timeout(Duration::from_secs(60), idle).await.expect("it ends").unwrap();
    assert!(!drives.is_finished());
    stop_it.request(Phase::Stopping);
    drives.await.unwrap();
}

//! Hosts that stop in the middle.

use tollgate_core::run::RunState;
use tollgate_engine::Phase;
use tollgate_store::port::{StopMode, StopRequest};

use crate::support::{Heard, Project, stage};

/// A stage that runs long enough to be interrupted.
fn slow() -> String {
    stage("work", "{ do = \"loop\" }")
        .replace("200M", "100000G")
        .replace("10s", "600s")
        .replace("$5", "$1000")
}

async fn until_started(heard: &Heard) {
    while !heard.text().contains("StepStarted") {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_told_to_stop_now_gives_its_run_back_and_charges_no_attempt() {
    let project = Project::with_pipelines(&[("slow", slow())]).await;
    project.item("A-1", "slow");
    let (running, shutdown, heard) = project.spawn("first").await;
    until_started(&heard).await;
    shutdown.request(Phase::Stopping);
    running.await.unwrap();
    let run = project.run_of("A-1").await;
    assert_eq!(run.summary.state, RunState::Running, "it can go on");
    assert_eq!(run.summary.crashes, 0);
    assert!(run.steps.is_empty(), "an interrupted call leaves no step");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wish_in_the_store_stops_every_host() {
    let project = Project::with_pipelines(&[("slow", slow())]).await;
    project.item("A-1", "slow");
    let (running, _, heard) = project.spawn("first").await;
    until_started(&heard).await;
    let request = StopRequest { mode: StopMode::Now, who: "tester".into(), why: "a drill".into() };
    project.store.stop(request).await.unwrap();
    let outcome = running.await.unwrap();
    assert!(outcome.stopped);
    assert!(heard.text().contains("a drill"), "{}", heard.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draining_host_finishes_what_it_began_and_starts_nothing() {
    let project = Project::with_pipelines(&[("good", stage("work", "{ do = \"ok\" }"))]).await;
    for n in 0..20 {
        project.item(&format!("A-{n:02}"), "good");
    }
    let (running, shutdown, heard) = project.spawn("first").await;
    until_started(&heard).await;
    shutdown.request(Phase::Draining);
    let outcome = running.await.unwrap();
    assert!(outcome.done >= 1);
    assert_eq!(outcome.left.driven, 0);
    let (rest, _) = project.drain().await;
    assert_eq!(outcome.done + rest.done, 20, "nothing is lost and nothing is done twice");
}

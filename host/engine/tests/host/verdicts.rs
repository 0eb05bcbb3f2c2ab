//! What gates lead to.

use tollgate_core::run::RunState;

use crate::support::{Project, gate, stage};

async fn run_with_gate(with: &str) -> (Project, tollgate_store::port::RunDetail) {
    let pipeline = stage("work", "{ do = \"ok\" }") + &gate("judge", with, "work");
    let project = Project::with_pipelines(&[("p", pipeline)]).await;
    project.item("A-1", "p");
    project.drain().await;
    let run = project.run_of("A-1").await;
    (project, run)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_that_always_fails_escalates_after_three_reworks() {
    let (project, run) = run_with_gate("{ judge = \"fail\" }").await;
    project.check_end(&run, RunState::Escalated, "still fails after 3 reworks");
    assert_eq!(run.steps.len(), 8, "four times stage and gate");
    assert_eq!(run.record.unwrap().reworks.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_gets_better_passes() {
    let (project, run) = run_with_gate("{ judge = { fail-until-round = 2 } }").await;
    project.check_end(&run, RunState::Done, "done");
    assert!(!run.record.unwrap().reworks.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inconclusive_gate_asks_a_person() {
    let (project, run) = run_with_gate("{ judge = \"inconclusive\" }").await;
    project.check_end(&run, RunState::Escalated, "could not judge");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pass_that_contradicts_itself_is_the_plugins_fault() {
    let (project, run) = run_with_gate("{ judge = \"pass-with-error-finding\" }").await;
    project.check_end(&run, RunState::Failed, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trap_in_a_gate_is_never_a_pass() {
    let (project, run) = run_with_gate("{ judge = \"trap\" }").await;
    project.check_end(&run, RunState::Failed, "judge");
}

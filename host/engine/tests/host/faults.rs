//! Guests that misbehave: each is a typed, recorded failure of its own step, and the next entry is served.

use tollgate_core::{
    run::RunState,
    step::{Fault, StepOutcome},
};

use crate::support::{Project, stage};

/// Runs one entry that misbehaves between two that do not, and checks all three.
async fn check(act: &str, fault: Fault, words: &str) {
    let project =
        Project::with_pipelines(&[("good", stage("work", "{ do = \"ok\" }")), ("bad", stage("work", act))])
            .await;
    project.item("A-1", "good").item("B-1", "bad").item("C-1", "good");
    let (outcome, heard) = project.drain().await;
    assert_eq!((outcome.done, outcome.failed), (2, 1), "{}", heard.text());
    let bad = project.run_of("B-1").await;
    project.check_end(&bad, RunState::Failed, words);
    let StepOutcome::Failed(failure) = &bad.steps.last().unwrap().outcome else { panic!("{:?}", bad.steps) };
    assert_eq!(failure.fault, fault, "{failure:?}");
    for good in ["A-1", "C-1"] {
        let run = project.run_of(good).await;
        project.check_end(&run, RunState::Done, "done");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_memory_bomb_ends_at_its_limit() {
    check("{ do = \"memory-bomb\" }", Fault::OutOfMemory, "memory").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deep_recursion_ends_in_a_trap() {
    check("{ do = \"recurse\" }", Fault::Trap, "stack").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_giant_result_is_refused() {
    check("{ do = \"giant-result\", amount = 4194304 }", Fault::TooLarge, "").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_artifact_is_refused() {
    check("{ do = \"forged-artifact\" }", Fault::Contract, "artifact").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_effect_that_was_not_granted_is_refused() {
    let ask = "{ do = { ask = [{ kind = \"set-state\", body = { state = \"done\" } }] } }";
    check(ask, Fault::NotGranted, "effect:set-state").await;
}

//! What one guest does is nothing to another.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tollgate_core::step::{Fault, StepOutcome};
use tollgate_sandbox::{Sandbox, SandboxOptions};

use crate::{
    components::HOSTILE_STAGE,
    support::{SANDBOX, Try, failure},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn good_calls_are_served_while_others_misbehave() {
    let mut hostile = JoinSet::new();
    for act in ["loop", "memory-bomb", "recurse", "many-host-calls", "loop", "panic"] {
        let attempt = Try::stage(&HOSTILE_STAGE, json!({ "do": act, "amount": 100_000_000 }));
        hostile.spawn(async move {
            let attempt = attempt.fuel(u64::MAX).time(Duration::from_secs(1)).memory(8 << 20);
            failure(attempt.report().await).fault
        });
    }
    let mut good = JoinSet::new();
    for _ in 0..10 {
        let attempt = Try::stage(&HOSTILE_STAGE, json!({}));
        good.spawn(async move { (attempt.report().await.usage, attempt.artifacts.texts()) });
    }
    let good = good.join_all().await;
    assert!(good.iter().all(|call| *call == good[0]), "{good:?}");
    assert_eq!(good[0].1, ["fine\n"]);
    let mut faults = hostile.join_all().await;
    faults.sort_unstable();
    assert_eq!(
        faults,
        [Fault::Trap, Fault::Trap, Fault::OutOfTime, Fault::OutOfTime, Fault::OutOfTime, Fault::OutOfMemory]
    );
}

/// One thread has to do, and does: a guest that computes lets others run.
#[tokio::test]
async fn a_loop_does_not_hold_the_executor() {
    let attempt = Try::stage(&HOSTILE_STAGE, json!({ "do": "loop" })).fuel(u64::MAX);
    attempt.component.prepare(&SANDBOX, &[]).await.unwrap();
    let looping = tokio::spawn(async move { attempt.time(Duration::from_secs(3)).report().await });
    tokio::task::yield_now().await;
    Try::stage(&HOSTILE_STAGE, json!({})).produced().await;
    assert!(!looping.is_finished(), "the good call waited for the loop");
    looping.abort();
}

#[tokio::test]
async fn calls_beyond_the_number_of_live_ones_wait_for_their_turn() {
    let options = SandboxOptions { max_live_calls: 1, ..SandboxOptions::default() };
    let sandbox = Sandbox::new(options).unwrap();
    let mut calls = JoinSet::new();
    for act in ["loop", "ok", "panic", "ok", "loop", "ok"] {
        let sandbox = sandbox.clone();
        let attempt = Try::stage(&HOSTILE_STAGE, json!({ "do": act })).fuel(5_000_000);
        calls.spawn(async move { attempt.on(&sandbox).await.unwrap().outcome });
    }
    let outcomes = calls.join_all().await;
    let produced = outcomes.iter().filter(|outcome| matches!(outcome, StepOutcome::Produced(_)));
    assert_eq!(produced.count(), 3, "{outcomes:?}");
}

//! A call is a function of its input: the same result, log and fuel, to the unit.

use serde_json::json;
use tollgate_sandbox::{CallReport, Sandbox, SandboxOptions};

use crate::{
    components::{HOSTILE_GATE, HOSTILE_STAGE, IDLE_STAGE},
    support::{SANDBOX, Try},
};

async fn check(attempt: Try, repetitions: usize) -> CallReport {
    let first = attempt.report().await;
    for _ in 1..repetitions {
        assert_eq!(attempt.report().await, first);
    }
    let small =
        SandboxOptions { max_live_calls: 2, max_memory_bytes: 128 << 20, ..SandboxOptions::default() };
    let other = Sandbox::new(small).unwrap();
    assert_eq!(attempt.on(&other).await.unwrap(), first);
    first
}

#[tokio::test]
async fn the_same_call_ends_the_same_way() {
    check(Try::stage(&HOSTILE_STAGE, json!({})), 50).await;
    check(Try::stage(&HOSTILE_STAGE, json!({ "do": "echo" })), 50).await;
    check(Try::gate(&HOSTILE_GATE, json!({ "judge": "fail" })), 50).await;
    check(Try::stage(&IDLE_STAGE, json!({})), 50).await;
}

#[tokio::test]
async fn so_does_a_fault() {
    for act in ["loop", "memory-bomb", "recurse", "panic", "many-host-calls"] {
        check(Try::stage(&HOSTILE_STAGE, json!({ "do": act })).fuel(30_000_000).memory(8 << 20), 3).await;
    }
}

#[test]
fn the_engines_id_is_the_same_for_every_sandbox() {
    let other = Sandbox::new(SandboxOptions { max_live_calls: 1, ..SandboxOptions::default() }).unwrap();
    assert_eq!(other.engine_id(), SANDBOX.engine_id());
    let (version, settings) = other.engine_id().split_once('+').unwrap();
    assert_eq!(version, "wasmtime-48.0.8");
    assert_eq!(settings.len(), 12);
}

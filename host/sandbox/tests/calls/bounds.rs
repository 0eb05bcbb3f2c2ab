//! A call stays within its fuel, time and memory, and says which of them it ran out of.

use std::time::{Duration, Instant};

use serde_json::json;
use tollgate_core::step::{FailureClass, Fault};

use crate::{
    components::{HOSTILE_STAGE, Stage},
    support::{BUDGET, Try, failure},
};

fn hostile(settings: serde_json::Value) -> Try {
    Try::stage(&HOSTILE_STAGE, settings)
}

/// The call fails with `fault` and `words`, and the next one on the same sandbox is served.
async fn check(attempt: Try, fault: Fault, class: FailureClass, words: &str) {
    let found = attempt.failure().await;
    assert_eq!((found.fault, found.class), (fault, class), "{}", found.message);
    assert!(found.message.contains(words), "{}", found.message);
    assert_eq!(hostile(json!({})).produced().await.summary, "done as told");
}

#[tokio::test]
async fn an_endless_loop_ends_with_its_fuel() {
    let attempt = hostile(json!({ "do": "loop" })).fuel(20_000_000);
    let report = attempt.report().await;
    assert_eq!((report.usage.fuel, report.fuel_exact), (20_000_000, true));
    insta::assert_snapshot!(
        failure(report).message,
        @"the plugin used all its fuel, 20M, before it returned; raise `budget = { fuel = … }` if the work needs more"
    );
    check(attempt, Fault::OutOfFuel, FailureClass::Permanent, "20M").await;
}

#[tokio::test]
async fn an_endless_loop_ends_with_its_time() {
    let attempt = hostile(json!({ "do": "loop" })).fuel(u64::MAX).time(Duration::from_millis(50));
    attempt.component.prepare(&crate::support::SANDBOX, &[]).await.unwrap();
    let began = Instant::now();
    check(attempt, Fault::OutOfTime, FailureClass::Transient, "all its time, 50ms").await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_memory_bomb_is_refused() {
    let attempt = hostile(json!({ "do": "memory-bomb" })).memory(16 << 20);
    let report = attempt.report().await;
    assert!(report.usage.memory_bytes <= 16 << 20, "{}", report.usage.memory_bytes);
    check(attempt, Fault::OutOfMemory, FailureClass::Permanent, "than its 16 MiB").await;
}

#[tokio::test]
async fn a_guest_that_does_not_even_fit_is_refused() {
    check(
        hostile(json!({})).memory(64 << 10),
        Fault::OutOfMemory,
        FailureClass::Permanent,
        "than its 64 KiB",
    )
    .await;
}

#[tokio::test]
async fn memory_beyond_what_any_call_may_have_is_refused() {
    check(
        hostile(json!({ "do": "memory-bomb" })).memory(1 << 40),
        Fault::OutOfMemory,
        FailureClass::Permanent,
        "than its 256 MiB",
    )
    .await;
}

#[tokio::test]
async fn tables_are_memory_too() {
    let items = "(table $t 0 funcref)
        (func $grow (loop $more
            (br_if $more (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1)))
            unreachable))";
    let greedy = Stage { items, run: "(call $grow)", ..Stage::DONE }.component();
    let attempt = Try::stage(&greedy, json!({})).memory((256 << 10) + 100_000);
    check(attempt, Fault::OutOfMemory, FailureClass::Permanent, "and did not survive it").await;
}

#[tokio::test]
async fn a_refusal_can_be_survived() {
    let polite = Stage { run: "(drop (memory.grow (i32.const 30000)))", ..Stage::DONE }.component();
    assert_eq!(Try::stage(&polite, json!({})).produced().await.summary, "done");
}

#[tokio::test]
async fn deep_recursion_traps() {
    check(hostile(json!({ "do": "recurse" })), Fault::Trap, FailureClass::Permanent, "the plugin trapped: ")
        .await;
    let deep = Stage { items: "(func $f (call $f) (call $f))", run: "(call $f)", ..Stage::DONE }.component();
    check(Try::stage(&deep, json!({})), Fault::Trap, FailureClass::Permanent, "call stack exhausted").await;
}

#[tokio::test]
async fn a_panic_traps() {
    check(hostile(json!({ "do": "panic" })), Fault::Trap, FailureClass::Permanent, "unreachable").await;
    check(hostile(json!({ "do": "unreachable" })), Fault::Trap, FailureClass::Permanent, "unreachable").await;
}

#[tokio::test]
async fn a_trap_is_charged_no_less_than_it_burnt() {
    let trap_after = |turns: u64| {
        let run = format!(
            "(local.set $count (i64.const {turns}))
             (loop $again
                (local.set $count (i64.sub (local.get $count) (i64.const 1)))
                (br_if $again (i64.ne (local.get $count) (i64.const 0))))
             unreachable"
        );
        Try::stage(&Stage { run: &run, ..Stage::DONE }.component(), json!({}))
    };
    for turns in [1, 1_000, 3_000_000] {
        let report = trap_after(turns).report().await;
        assert!(!report.fuel_exact);
        assert!(report.usage.fuel > turns * 4, "{turns} turns cost {}", report.usage.fuel);
        assert!(report.usage.fuel <= turns * 10 + 2_000_000, "{turns} turns cost {}", report.usage.fuel);
    }
}

#[tokio::test]
async fn host_calls_are_paid() {
    let fuel = |calls: u32| async move {
        let report = hostile(json!({ "do": "many-host-calls", "amount": calls })).report().await;
        (report.usage.fuel, report.usage.host_calls)
    };
    let (few, many) = (fuel(10).await, fuel(1_010).await);
    assert_eq!(many.1 - few.1, 1_000);
    assert!(many.0 - few.0 >= 1_000_000, "{} fuel for 1,000 calls", many.0 - few.0);
}

#[tokio::test]
async fn a_chatty_guest_ends_with_its_fuel() {
    let attempt = hostile(json!({ "do": "many-host-calls", "amount": 1_000_000_000 })).fuel(50_000_000);
    let report = attempt.report().await;
    assert!(report.usage.host_calls < 50_000, "{}", report.usage.host_calls);
    check(attempt, Fault::OutOfFuel, FailureClass::Permanent, "50M").await;
}

#[tokio::test]
async fn a_log_flood_is_cut() {
    let report = hostile(json!({ "do": "log-flood", "amount": 200 })).report().await;
    let bytes: usize = report.log.iter().map(|line| line.message.len()).sum();
    assert!(bytes < 300 << 10, "{bytes} bytes of log");
    assert!(report.log.iter().all(|line| line.message.len() <= 8 << 10));
    insta::assert_snapshot!(
        report.log[report.log.len() - 2].message,
        @"tollgate: 168 more lines were dropped, all but the last: a call may log 1000 lines, 256 KiB in all"
    );
}

#[tokio::test]
async fn a_giant_result_is_refused() {
    let data = hostile(json!({ "do": "giant-result", "amount": 2_000_000 }));
    check(data, Fault::TooLarge, FailureClass::Permanent, "`data` is 1.9 MiB; it may be 1 MiB").await;
    let transfer = hostile(json!({ "do": "giant-result" })).memory(256 << 20).fuel(10_000_000_000);
    check(transfer, Fault::TooLarge, FailureClass::Permanent, "more than 32 MiB to the host at once").await;
}

#[tokio::test]
async fn a_big_artifact_is_refused_and_the_guest_told() {
    let attempt = hostile(json!({ "do": "big-artifact" }));
    check(attempt, Fault::Reported, FailureClass::Permanent, "TooLarge(16777216)").await;
}

#[tokio::test]
async fn big_settings_are_the_projects_matter() {
    let attempt = hostile(json!({ "do": "x".repeat(300 << 10) }));
    check(attempt, Fault::TooLarge, FailureClass::Configuration, "the `with` table is 300").await;
}

#[tokio::test]
async fn the_largest_limits_are_limits_too() {
    let attempt = hostile(json!({})).time(Duration::MAX).fuel(u64::MAX).memory(u64::MAX);
    assert_eq!(attempt.produced().await.summary, "done as told");
}

#[tokio::test]
async fn what_a_good_call_used_is_said() {
    let report = hostile(json!({})).report().await;
    assert!(report.fuel_exact && report.recomputable);
    assert!(report.usage.fuel > 2_000 && report.usage.fuel < BUDGET.fuel / 100, "{}", report.usage.fuel);
    assert!(report.usage.memory_bytes > 1 << 20, "{}", report.usage.memory_bytes);
    assert_eq!(report.usage.host_calls, 2);
}

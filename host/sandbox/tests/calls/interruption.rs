//! The platform may stop a call at any time: at once, without charge, and leaving nothing behind.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;
use tollgate_core::step::{FailureClass, Fault};
use tollgate_sandbox::{Interrupted, port::Liveness};

use crate::{
    components::HOSTILE_STAGE,
    input::reader_of_something,
    support::{Manner, MemoryArtifacts, SANDBOX, Try},
};

/// Says yes some times, and then no for ever.
struct Lapses {
    after: u32,
    asked: AtomicU32,
    why: Interrupted,
}

impl Lapses {
    fn after(after: u32, why: Interrupted) -> Arc<Self> {
        Arc::new(Self { after, asked: AtomicU32::new(0), why })
    }
}

impl Liveness for Lapses {
    fn check(&self) -> Result<(), Interrupted> {
        if self.asked.fetch_add(1, Ordering::Relaxed) < self.after { Ok(()) } else { Err(self.why) }
    }
}

async fn check(mut attempt: Try, after: u32, why: Interrupted) {
    let liveness = Lapses::after(after, why);
    attempt.liveness = Arc::clone(&liveness) as Arc<dyn Liveness>;
    attempt.component.prepare(&SANDBOX, &[]).await.unwrap();
    let began = Instant::now();
    assert_eq!(attempt.on(&SANDBOX).await.unwrap_err(), why);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(liveness.asked.load(Ordering::Relaxed), after + 1, "it went on after it was told to stop");
    assert!(attempt.artifacts.texts().is_empty());
}

#[tokio::test]
async fn a_loop_is_stopped_at_the_next_tick() {
    let attempt = || Try::stage(&HOSTILE_STAGE, json!({ "do": "loop" })).fuel(u64::MAX);
    check(attempt(), 0, Interrupted::LeaseLost).await;
    check(attempt(), 2, Interrupted::ShuttingDown).await;
    check(attempt(), 5, Interrupted::LeaseLost).await;
}

#[tokio::test]
async fn a_host_call_is_not_served_any_more() {
    let chatty = Try::stage(&HOSTILE_STAGE, json!({ "do": "many-host-calls", "amount": 1_000 }));
    check(chatty, 10, Interrupted::LeaseLost).await;
}

#[tokio::test]
async fn a_result_whose_artifacts_are_not_kept_yet_is_forgotten() {
    let mut attempt = Try::stage(&HOSTILE_STAGE, json!({}));
    attempt.artifacts = MemoryArtifacts::misbehaving(Manner::Silent).into();
    // Asked when it begins and at its two host calls; then the store is silent.
    check(attempt, 3, Interrupted::LeaseLost).await;
}

#[tokio::test]
async fn waiting_for_a_silent_store_ends_with_the_lease() {
    let mut attempt = reader_of_something();
    attempt.artifacts = MemoryArtifacts::misbehaving(Manner::Silent).into();
    check(attempt, 2, Interrupted::ShuttingDown).await;
}

#[tokio::test]
async fn waiting_for_a_silent_store_ends_with_the_time() {
    let mut attempt = reader_of_something().time(Duration::from_millis(50));
    attempt.artifacts = MemoryArtifacts::misbehaving(Manner::Silent).into();
    let failure = attempt.failure().await;
    assert_eq!((failure.fault, failure.class), (Fault::OutOfTime, FailureClass::Transient));
}

#[tokio::test]
async fn a_store_that_cannot_be_read_is_the_platforms_fault() {
    let mut attempt = reader_of_something();
    attempt.artifacts = MemoryArtifacts::misbehaving(Manner::Failing).into();
    let failure = attempt.failure().await;
    assert_eq!((failure.fault, failure.class), (Fault::Platform, FailureClass::Infrastructure));
    assert!(failure.message.ends_with("cannot be read: the disk is full"), "{}", failure.message);
}

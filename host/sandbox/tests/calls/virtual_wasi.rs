//! Components of ordinary toolchains run unmodified, and touch nothing.

use serde_json::json;
use tollgate_core::step::{FailureClass, Fault, LogLine};

use crate::{components::Stage, support::Try};

/// The part of WASI that the tests use.
const WASI: &str = "
    package wasi:io@0.2.6 {
        interface error { resource error; }
        interface poll { resource pollable { block: func(); } }
        interface streams {
            use error.{error};
            variant stream-error { last-operation-failed(error), closed }
            resource output-stream { blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>; }
        }
    }
    package wasi:cli@0.2.6 {
        interface environment { get-environment: func() -> list<tuple<string, string>>; }
        interface exit { exit: func(status: result); }
        interface stdout {
            use wasi:io/streams@0.2.6.{output-stream};
            get-stdout: func() -> output-stream;
        }
    }
    package wasi:clocks@0.2.6 {
        interface monotonic-clock {
            use wasi:io/poll@0.2.6.{pollable};
            now: func() -> u64;
            subscribe-duration: func(when: u64) -> pollable;
        }
        interface wall-clock {
            record datetime { seconds: u64, nanoseconds: u32 }
            now: func() -> datetime;
        }
    }
    package wasi:random@0.2.6 { interface random { get-random-u64: func() -> u64; } }
";

fn stage(world: &str, items: &str, run: &str) -> Try {
    Try::stage(&Stage { world, packages: WASI, items, run }.component(), json!({}))
}

/// A stage whose summary is the eight bytes of a number, as letters from `a` to `p`.
fn number(world: &str, items: &str, number: &str) -> Try {
    let items = format!(
        "{items}
         (func $say (param $number i64) (local $at i32)
            (loop $more
                (i32.store8 (i32.add (i32.const 300) (local.get $at))
                    (i32.add (i32.const 97) (i32.wrap_i64 (i64.and (local.get $number) (i64.const 15)))))
                (local.set $number (i64.shr_u (local.get $number) (i64.const 4)))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (br_if $more (i32.lt_u (local.get $at) (i32.const 16))))
            (i32.store (i32.const 520) (i32.const 300))
            (i32.store (i32.const 524) (i32.const 16)))"
    );
    stage(world, &items, &format!("(call $say {number})"))
}

/// What the number said.
async fn said(attempt: &Try) -> u64 {
    let summary = attempt.produced().await.summary;
    summary.bytes().rev().fold(0, |number, letter| number << 4 | u64::from(letter - b'a'))
}

#[tokio::test]
async fn chance_is_the_same_in_every_repetition_and_another_in_every_call() {
    let mut attempt = number(
        "import wasi:random/random@0.2.6;",
        r#"(import "wasi:random/random@0.2.6" "get-random-u64" (func $random (result i64)))"#,
        "(call $random)",
    );
    let first = said(&attempt).await;
    assert_eq!(said(&attempt).await, first);
    attempt.input.step.attempt = 2;
    assert_ne!(said(&attempt).await, first);
}

#[tokio::test]
async fn the_wall_clock_shows_the_time_of_the_call() {
    let attempt = number(
        "import wasi:clocks/wall-clock@0.2.6;",
        r#"(import "wasi:clocks/wall-clock@0.2.6" "now" (func $now (param i32)))
           (func $seconds (result i64) (call $now (i32.const 4096)) (i64.load (i32.const 4096)))"#,
        "(call $seconds)",
    );
    assert_eq!(said(&attempt).await, 1_795_234_020);
}

#[tokio::test]
async fn sleeping_takes_no_time_and_moves_the_clock() {
    let attempt = number(
        "import wasi:clocks/monotonic-clock@0.2.6; import wasi:io/poll@0.2.6;",
        r#"(import "wasi:clocks/monotonic-clock@0.2.6" "now" (func $now (result i64)))
           (import "wasi:clocks/monotonic-clock@0.2.6" "subscribe-duration" (func $after (param i64) (result i32)))
           (import "wasi:io/poll@0.2.6" "[method]pollable.block" (func $block (param i32)))
           (func $sleep (result i64)
                (call $block (call $after (i64.const 3600000000000)))
                (call $now))"#,
        "(call $sleep)",
    );
    assert_eq!(said(&attempt).await, 3_600_000_000_000 + 1_000);
}

#[tokio::test]
async fn there_is_no_environment() {
    let attempt = number(
        "import wasi:cli/environment@0.2.6;",
        r#"(import "wasi:cli/environment@0.2.6" "get-environment" (func $variables (param i32)))
           (func $count (result i64) (call $variables (i32.const 4096)) (i64.load32_u (i32.const 4100)))"#,
        "(call $count)",
    );
    assert_eq!(said(&attempt).await, 0);
}

#[tokio::test]
async fn output_becomes_lines_of_the_log() {
    let attempt = stage(
        "import wasi:cli/stdout@0.2.6; import wasi:io/streams@0.2.6;",
        r#"(import "wasi:cli/stdout@0.2.6" "get-stdout" (func $stdout (result i32)))
           (import "wasi:io/streams@0.2.6" "[method]output-stream.blocking-write-and-flush"
                (func $write (param i32 i32 i32 i32)))
           (data (i32.const 1024) "raining\0astill")"#,
        "(call $write (call $stdout) (i32.const 1024) (i32.const 13) (i32.const 4096))",
    );
    let report = attempt.report().await;
    let line = |message: &str| LogLine { level: "info".into(), message: message.into() };
    assert_eq!(report.log, [line("raining"), line("still")]);
}

#[tokio::test]
async fn exiting_is_a_trap() {
    let attempt = stage(
        "import wasi:cli/exit@0.2.6;",
        r#"(import "wasi:cli/exit@0.2.6" "exit" (func $exit (param i32)))"#,
        "(call $exit (i32.const 1))",
    );
    let failure = attempt.failure().await;
    assert_eq!((failure.fault, failure.class), (Fault::Trap, FailureClass::Permanent));
    assert_eq!(failure.message, "the plugin trapped: it exited with status 1");
}

#[tokio::test]
async fn calls_are_paid() {
    let calls = |count: u32| {
        let run = format!(
            "(local.set $count (i64.const {count}))
             (loop $more
                (drop (call $now))
                (local.set $count (i64.sub (local.get $count) (i64.const 1)))
                (br_if $more (i64.ne (local.get $count) (i64.const 0))))"
        );
        let items = r#"(import "wasi:clocks/monotonic-clock@0.2.6" "now" (func $now (result i64)))"#;
        stage("import wasi:clocks/monotonic-clock@0.2.6;", items, &run)
    };
    let report = calls(1_000).report().await;
    assert_eq!(report.usage.host_calls, 1_000);
    assert!(report.usage.fuel > 1_000_000, "{}", report.usage.fuel);

    let overdrawn = calls(1_000).fuel(900_000).report().await;
    assert_eq!(overdrawn.usage.fuel, 900_000);
    assert_eq!(crate::support::failure(overdrawn).fault, Fault::OutOfFuel);

    let endless = calls(0).fuel(10_000_000_000).report().await;
    assert_eq!(crate::support::failure(endless).fault, Fault::OutOfFuel);
}

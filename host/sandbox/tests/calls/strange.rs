//! Thirty and more kinds of guests that no well-meaning author sends, all at once, while ten good ones are served.
//!
//! Each ends as what it is: refused before it runs, or stopped with a fault of its own. None is taken for a failure of the
//! platform, and none is noticed by its neighbours.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tollgate_core::{
    Digest,
    step::{Fault, StepOutcome},
};

use crate::{
    components::{HOSTILE_GATE, HOSTILE_STAGE, Stage},
    support::{Component, SANDBOX, Try},
};

/// How a strange guest has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It is not even loaded, with these words.
    Refused(&'static str),
    /// The call fails as this.
    Faults(Fault),
    /// It is odd and does no harm.
    Served,
}

/// A guest, how it is called, and how that has to end.
struct Strange {
    name: &'static str,
    attempt: Try,
    end: End,
}

/// Fuel and time that a strange guest may spend, memory of a small plugin.
fn modest(attempt: Try) -> Try {
    attempt.fuel(50_000_000).time(Duration::from_secs(20)).memory(8 << 20)
}

fn strange(name: &'static str, component: &Component, end: End) -> Strange {
    Strange { name, attempt: modest(Try::stage(component, json!({}))), end }
}

/// The hostile stage of the plugins' workspace, told what to do.
fn hostile(name: &'static str, settings: Value, end: End) -> Strange {
    Strange { name, attempt: modest(Try::stage(&HOSTILE_STAGE, settings)), end }
}

/// A core module as a stage: its items, and what its function does.
fn module(name: &'static str, items: &str, run: &str, end: End) -> Strange {
    strange(name, &Stage { items, run, ..Stage::DONE }.component(), end)
}

fn text(name: &'static str, component: &str, end: End) -> Strange {
    strange(name, &Component::new(wat::parse_str(component).expect("the text is WebAssembly")), end)
}

fn bytes(name: &'static str, bytes: &[u8], end: End) -> Strange {
    strange(name, &Component::new(bytes.to_vec()), end)
}

/// They take more than they are given.
fn greedy() -> Vec<Strange> {
    let mut impatient =
        hostile("a loop with all the fuel there is", json!({ "do": "loop" }), End::Faults(Fault::OutOfTime));
    impatient.attempt = impatient.attempt.fuel(u64::MAX).time(Duration::from_millis(300));
    let calls = json!({ "do": "many-host-calls", "amount": 1_000_000 });
    let mut chatty = hostile("a million host calls, paid", calls.clone(), End::Served);
    chatty.attempt = chatty.attempt.fuel(3_000_000_000).time(Duration::from_secs(120));
    let mut wordy =
        hostile("a log that never ends", json!({ "do": "log-flood", "amount": 2_000 }), End::Served);
    wordy.attempt = wordy.attempt.fuel(1_000_000_000);
    let mut tables = module(
        "a table bomb",
        "(table $t 0 funcref)
         (func $grow (loop $more
            (br_if $more (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1)))
            unreachable))",
        "(call $grow)",
        End::Faults(Fault::OutOfMemory),
    );
    // Its memory, and less for tables than the pool would give it.
    tables.attempt = tables.attempt.memory((256 << 10) + 100_000);
    vec![
        impatient,
        chatty,
        wordy,
        hostile("a loop", json!({ "do": "loop" }), End::Faults(Fault::OutOfFuel)),
        hostile("a million host calls, unpaid", calls, End::Faults(Fault::OutOfFuel)),
        hostile("a memory bomb", json!({ "do": "memory-bomb" }), End::Faults(Fault::OutOfMemory)),
        hostile("endless recursion", json!({ "do": "recurse" }), End::Faults(Fault::Trap)),
        tables,
        module(
            "one instruction that writes for ever",
            "(func $fill (loop $more (memory.fill (i32.const 8192) (i32.const 7) (i32.const 100000)) (br $more)))",
            "(call $fill)",
            End::Faults(Fault::OutOfFuel),
        ),
        module(
            "a start function that never ends",
            "(func $spin (loop $more (br $more))) (start $spin)",
            "",
            End::Faults(Fault::OutOfFuel),
        ),
        module(
            "a clean-up that never ends",
            r#"(func (export "cabi_post_tollgate:plugin/stage-api@0.1.0#run") (param i32) (loop $more (br $more)))"#,
            "",
            End::Faults(Fault::OutOfFuel),
        ),
        leaking(),
        hoarding(),
    ]
}

/// Makes handles of its own and drops none.
fn hoarding() -> Strange {
    let guest = Stage {
        world: "export mine: interface { resource thing; }",
        items: r#"(import "[export]mine" "[resource-new]thing" (func $new (param i32) (result i32)))
                  (func $hoard (loop $more (drop (call $new (i32.const 1))) (br $more)))"#,
        run: "(call $hoard)",
        ..Stage::DONE
    };
    strange("handles of its own without end", &guest.component(), End::Faults(Fault::TooLarge))
}

/// Takes handles and gives none back.
fn leaking() -> Strange {
    let guest = Stage {
        world: "import wasi:clocks/monotonic-clock@0.2.6;",
        packages: "
            package wasi:io@0.2.6 { interface poll { resource pollable { block: func(); } } }
            package wasi:clocks@0.2.6 {
                interface monotonic-clock {
                    use wasi:io/poll@0.2.6.{pollable};
                    subscribe-duration: func(when: u64) -> pollable;
                }
            }",
        items: r#"(import "wasi:clocks/monotonic-clock@0.2.6" "subscribe-duration"
                    (func $after (param i64) (result i32)))
                  (func $leak (loop $more (drop (call $after (i64.const 1))) (br $more)))"#,
        run: "(call $leak)",
    };
    let mut leaking =
        strange("handles of the host without end", &guest.component(), End::Faults(Fault::TooLarge));
    leaking.attempt = leaking.attempt.fuel(10_000_000_000);
    leaking
}

/// They break off.
fn breaking() -> Vec<Strange> {
    let trap = End::Faults(Fault::Trap);
    vec![
        hostile("a panic", json!({ "do": "panic" }), trap),
        hostile("an `unreachable`", json!({ "do": "unreachable" }), trap),
        module("a division by nothing", "", "(drop (i32.div_u (i32.const 1) (i32.const 0)))", trap),
        module("a load beyond memory", "", "(drop (i32.load (i32.const -4)))", trap),
        module(
            "a call of what is no function",
            "(table $t 1 funcref) (type $f (func))",
            "(call_indirect $t (type $f) (i32.const 0))",
            trap,
        ),
        module("a start function that traps", "(func $no unreachable) (start $no)", "", trap),
        module(
            "a clean-up that traps",
            r#"(func (export "cabi_post_tollgate:plugin/stage-api@0.1.0#run") (param i32) unreachable)"#,
            "",
            trap,
        ),
    ]
}

/// They say what cannot be said.
fn lying() -> Vec<Strange> {
    let contract = End::Faults(Fault::Contract);
    let too_large = End::Faults(Fault::TooLarge);
    let elsewhere = Digest::of("what another run has written").to_string();
    let publish = json!({ "path": "x.md", "artifact": elsewhere, "media-type": "text/markdown" });
    let mut other_runs = hostile(
        "an artifact of another run",
        json!({ "do": { "ask": [{ "kind": "publish-file", "body": publish }] } }),
        contract,
    );
    other_runs.attempt = other_runs.attempt.granted("effect:publish-file");
    let mut contradicting = strange("a pass with an error", &HOSTILE_GATE, contract);
    contradicting.attempt = modest(Try::gate(&HOSTILE_GATE, json!({ "judge": "pass-with-error-finding" })));
    let large = |name, amount: u32| {
        let mut large = hostile(name, json!({ "do": "giant-result", "amount": amount }), too_large);
        large.attempt = large.attempt.memory(256 << 20).fuel(5_000_000_000);
        large
    };
    vec![
        other_runs,
        contradicting,
        hostile("an artifact that nobody wrote", json!({ "do": "forged-artifact" }), contract),
        large("data of 2 MiB", 2 << 20),
        large("a result of 32 MiB", 32 << 20),
        hostile("data that is no JSON", json!({ "do": "bad-json" }), contract),
        hostile("data that is no object", json!({ "do": "not-an-object" }), contract),
        hostile("a thousand effects", json!({ "do": "many-effects" }), too_large),
        hostile("one effect twice", json!({ "do": "same-effect-twice" }), contract),
        hostile("settings that are not its own", json!({ "do": "dance" }), End::Faults(Fault::Reported)),
        module("text that is no text", "", "(i32.store8 (i32.const 256) (i32.const 255))", contract),
        module("a summary beyond memory", "", "(i32.store (i32.const 520) (i32.const -16))", contract),
        module(
            "a list of a thousand million artifacts",
            "",
            "(i32.store (i32.const 536) (i32.const 1024)) (i32.store (i32.const 540) (i32.const 1000000000))",
            contract,
        ),
    ]
}

/// They are not what is asked for.
fn foreign() -> Vec<Strange> {
    let whole = &HOSTILE_STAGE.bytes;
    let importing = |name, import: &str, words| {
        let stage = "tollgate:plugin/stage-api@0.1.0";
        let component = format!(
            r#"(component (import "{import}" (instance)) (instance $i) (export "{stage}" (instance $i)))"#
        );
        text(name, &component, End::Refused(words))
    };
    let extra = Stage {
        world: "export more: interface { answer: func() -> u32; }",
        items: r#"(func (export "more#answer") (result i32) (i32.const 42))"#,
        ..Stage::DONE
    };
    vec![
        strange("more exports than one", &extra.component(), End::Served),
        bytes("nothing", b"", End::Refused("the file is not WebAssembly")),
        bytes("a script", b"#!/bin/sh\nrm -rf .\n", End::Refused("the file is not WebAssembly")),
        bytes("half a component", &whole[..whole.len() / 2], End::Refused("")),
        text("a core module", "(module)", End::Refused("`wasm-tools component new`")),
        text("a component that exports nothing", "(component)", End::Refused("it exports nothing")),
        text(
            "a stage without its function",
            r#"(component (instance $i) (export "tollgate:plugin/stage-api@0.1.0" (instance $i)))"#,
            End::Refused("has no function `run`"),
        ),
        text(
            "a stage of another contract",
            r#"(component (instance $i) (export "tollgate:plugin/stage-api@9.0.0" (instance $i)))"#,
            End::Refused("speaks version 0.1 of the contract"),
        ),
        text(
            "memory that threads share",
            r#"(component (core module (memory 1 2 shared)))"#,
            End::Refused(""),
        ),
        importing(
            "one that wants the network",
            "wasi:http/outgoing-handler@0.2.6",
            "grant = [\"wasi-http\"]",
        ),
        importing("one that wants programs", "tollgate:plugin/exec@0.1.0", "it was not granted"),
        importing(
            "one that wants what there is not",
            "acme:rockets/launch@1.0.0",
            "is no part of the contract",
        ),
        importing("one of another WASI", "wasi:io/streams@0.3.0", "is no part of the contract"),
    ]
}

/// What a good call hands on and uses.
async fn good() -> (StepOutcome, u64, Vec<String>) {
    let attempt = Try::stage(&HOSTILE_STAGE, json!({}));
    let report = attempt.report().await;
    (report.outcome, report.usage.fuel, attempt.artifacts.texts())
}

/// Calls the guest, and says what is not as it has to be.
async fn judge(Strange { name, attempt, end }: Strange) -> Option<String> {
    let found = match attempt.component.prepare_without(&SANDBOX, &attempt.grants, &attempt.optional).await {
        Err(error) => match end {
            End::Refused(words) if error.to_string().contains(words) => return None,
            _ => format!("refused: {error}"),
        },
        Ok(_) => match (attempt.report().await.outcome, end) {
            (StepOutcome::Failed(failure), End::Faults(fault)) if failure.fault == fault => return None,
            (StepOutcome::Produced(_) | StepOutcome::Judged(_), End::Served) => return None,
            (outcome, _) => format!("{outcome:?}"),
        },
    };
    Some(format!("{name}: expected {end:?}, found {found}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strange_guests_end_as_what_they_are_and_ten_good_ones_do_not_notice() {
    let undisturbed = good().await;
    let guests: Vec<_> = [greedy(), breaking(), lying(), foreign()].into_iter().flatten().collect();
    assert!(guests.len() >= 30, "{}", guests.len());
    let mut judged = JoinSet::new();
    guests.into_iter().for_each(|guest| drop(judged.spawn(judge(guest))));
    let over = Arc::new(AtomicBool::new(false));
    let mut served = JoinSet::new();
    for _ in 0..10 {
        let (over, expected) = (Arc::clone(&over), undisturbed.clone());
        served.spawn(async move {
            let mut calls = 0_u32;
            while calls == 0 || !over.load(Ordering::Relaxed) {
                assert_eq!(good().await, expected, "a good call noticed its neighbours");
                calls += 1;
            }
        });
    }
    let wrong: Vec<_> = judged.join_all().await.into_iter().flatten().collect();
    over.store(true, Ordering::Relaxed);
    drop(served.join_all().await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

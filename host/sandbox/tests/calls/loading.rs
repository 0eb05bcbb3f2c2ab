//! A component that cannot be used is refused before anything of it runs, with a sentence.

use serde_json::json;
use tollgate_core::{
    Digest,
    step::{FailureClass, Fault},
};
use tollgate_sandbox::{Kind, LoadError};

use crate::{
    components::{HOSTILE_GATE, HOSTILE_STAGE, Stage},
    support::{Component, SANDBOX, Try},
};

/// Loading `component` with `grants` fails like this, and others are served.
#[track_caller]
fn check(component: &Component, grants: &[&str], expected: &str) -> LoadError {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let error = component.prepare(&SANDBOX, grants).await.map(|ready| ready.digest()).unwrap_err();
        let message = error.to_string();
        assert!(message.contains(expected), "{message}");
        assert_eq!(error.to_failure().message, message);
        Try::stage(&HOSTILE_STAGE, json!({})).produced().await;
        error
    })
}

fn text(component: &str) -> Component {
    Component::new(wat::parse_str(component).unwrap())
}

#[test]
fn what_is_no_component_is_refused() {
    let whole = &HOSTILE_STAGE.bytes;
    for length in [whole.len() - 1, whole.len() / 2, 100, 8] {
        let error = check(&Component::new(whole[..length].to_vec()), &[], "");
        assert!(
            matches!(error, LoadError::Malformed(_) | LoadError::WrongWorld { .. }),
            "{length} bytes: {error}"
        );
    }
    check(&Component::new(b"#!/bin/sh".to_vec()), &[], "the file is not WebAssembly");
    check(&Component::new(Vec::new()), &[], "the file is not WebAssembly");
    check(&text("(module)"), &[], "`wasm-tools component new`");
    let mut flipped = whole.to_vec();
    flipped[whole.len() / 3] ^= 0x55;
    let damaged = Component::new(flipped);
    // One bit may fall where it does no harm; whatever it is, it is not a crash.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    drop(runtime.block_on(damaged.prepare(&SANDBOX, &[])));
}

#[test]
fn other_bytes_than_were_asked_for_are_refused() {
    let other = Component { digest: Digest::of("other"), bytes: HOSTILE_STAGE.bytes.clone() };
    check(&other, &[], "fetch the component again");
}

#[test]
fn another_world_is_refused() {
    check(&text("(component)"), &[], "neither a stage nor a gate: it exports nothing");
    let source = r#"(component (instance $i) (export "tollgate:plugin/source-api@0.1.0" (instance $i)))"#;
    check(&text(source), &[], "it exports tollgate:plugin/source-api@0.1.0");
}

#[test]
fn another_shape_is_refused() {
    let stage = |items: &str| {
        text(&format!(
            r#"(component
                (core module $m (func (export "run") (result i32) (i32.const 0)))
                (core instance $m (instantiate $m))
                (func $run (result u32) (canon lift (core func $m "run")))
                (instance $i {items})
                (export "tollgate:plugin/stage-api@0.1.0" (instance $i)))"#
        ))
    };
    check(&stage(""), &[], "has no function `run`");
    check(&stage(r#"(export "run" (func $run))"#), &[], "has a `run` of another type");
    let import = r#"(component
        (import "tollgate:plugin/clock@0.1.0" (instance (export "now" (func (result u64)))))
        (instance $i)
        (export "tollgate:plugin/stage-api@0.1.0" (instance $i)))"#;
    check(&text(import), &[], "does not fit the contract");
}

#[test]
fn what_was_not_granted_is_refused_by_name() {
    let items = r#"(import "tollgate:plugin/history@0.1.0" "query" (func $query (param i32 i32 i32)))"#;
    let run = "(call $query (i32.const 256) (i32.const 2) (i32.const 4096))";
    let curious =
        Stage { world: "import tollgate:plugin/history@0.1.0;", items, run, ..Stage::DONE }.component();
    let error = check(&curious, &["model"], "`tollgate:plugin/history@0.1.0`, which it was not granted");
    insta::assert_snapshot!(
        error,
        @r#"the component imports `tollgate:plugin/history@0.1.0`, which it was not granted; it needs `grant = ["history"]` in its stage, and a host that has this capability, which this version does not yet"#
    );
    let failure = error.to_failure();
    assert_eq!((failure.fault, failure.class), (Fault::NotGranted, FailureClass::Configuration));

    let error = check(&curious, &["model", "history"], "does not have the capability `history` yet");
    assert_eq!(error.to_failure().fault, Fault::Unloadable);
    assert_eq!(SANDBOX.inspect(&curious.bytes).unwrap().needs, ["history"]);
}

#[test]
fn a_component_says_what_it_is() {
    let inspection = SANDBOX.inspect(&HOSTILE_GATE.bytes).unwrap();
    assert_eq!(inspection.kinds, [Kind::Gate]);
    assert_eq!(inspection.contract, "0.1.0");
    assert!(inspection.needs.is_empty());
    assert!(inspection.imports.contains(&"tollgate:plugin/log@0.1.0".to_owned()), "{inspection:?}");
}

/// Within a version of the contract, nothing that a component relies on changes.
#[tokio::test]
async fn a_later_patch_of_the_contract_is_served() {
    const EXPORT: &[u8] = b"tollgate:plugin/stage-api@0.1.0";
    let mut later = HOSTILE_STAGE.bytes.to_vec();
    let places: Vec<_> =
        later.windows(EXPORT.len()).enumerate().filter(|(_, bytes)| *bytes == EXPORT).collect();
    let ends: Vec<_> = places.into_iter().map(|(at, _)| at + EXPORT.len() - 1).collect();
    assert!(!ends.is_empty());
    for end in ends {
        later[end] = b'9';
    }
    assert_eq!(Try::stage(&Component::new(later), json!({})).produced().await.summary, "done as told");
}

//! A result stands as a whole, or not at all.

use serde_json::{Value, json};
use tollgate_core::{
    Digest,
    step::{FailureClass, Fault, Judgement, StepOutcome},
};

use crate::{
    components::{HOSTILE_GATE, HOSTILE_STAGE, Stage},
    support::{Manner, MemoryArtifacts, Try},
};

fn stage(settings: Value) -> Try {
    Try::stage(&HOSTILE_STAGE, settings)
}

fn gate(judge: Value) -> Try {
    Try::gate(&HOSTILE_GATE, json!({ "judge": judge }))
}

/// The result is refused as the plugin's breach of contract.
async fn check_contract(attempt: Try, words: &str) {
    check(attempt, Fault::Contract, FailureClass::Permanent, words).await;
}

async fn check(attempt: Try, fault: Fault, class: FailureClass, words: &str) {
    let found = attempt.failure().await;
    assert_eq!((found.fault, found.class), (fault, class), "{}", found.message);
    assert!(found.message.contains(words), "{}", found.message);
    assert!(attempt.artifacts.texts().is_empty(), "a call that failed left something behind");
}

#[tokio::test]
async fn what_is_handed_on_is_kept() {
    let attempt = stage(json!({}));
    let produced = attempt.produced().await;
    assert_eq!(produced.artifacts[0].name, "ok.md");
    assert_eq!(produced.artifacts[0].digest, Digest::of("fine\n"));
    assert_eq!(produced.artifacts[0].size_bytes, 5);
    assert_eq!(attempt.artifacts.texts(), ["fine\n"]);
}

#[tokio::test]
async fn data_is_an_object() {
    check_contract(stage(json!({ "do": "bad-json" })), "the output's `data` is not JSON: ").await;
    check_contract(stage(json!({ "do": "not-an-object" })), "the output's `data` is not a JSON object").await;
}

#[tokio::test]
async fn text_is_utf8() {
    let garbled = Stage { run: "(i32.store8 (i32.const 256) (i32.const 255))", ..Stage::DONE };
    check_contract(Try::stage(&garbled.component(), json!({})), "not what the contract says").await;
}

#[tokio::test]
async fn a_pointer_beyond_memory_is_no_result() {
    let wild = Stage { run: "(i32.store (i32.const 520) (i32.const -16))", ..Stage::DONE };
    check_contract(Try::stage(&wild.component(), json!({})), "not what the contract says").await;
}

#[tokio::test]
async fn nobody_elses_artifact_is_handed_on() {
    check_contract(
        stage(json!({ "do": "forged-artifact" })),
        "which was neither handed to this call nor written by it",
    )
    .await;
}

#[tokio::test]
async fn effects_are_counted_and_told_apart() {
    let many = stage(json!({ "do": "many-effects", "amount": 101 }));
    check(many, Fault::TooLarge, FailureClass::Permanent, "101 effects; it may have 100").await;
    check_contract(stage(json!({ "do": "same-effect-twice" })), "two effects have the same id, `effect-0`")
        .await;
}

#[tokio::test]
async fn effects_have_to_be_known_and_well_formed() {
    let ask = |kind: &str, body: Value| stage(json!({ "do": { "ask": [{ "kind": kind, "body": body }] } }));
    check_contract(ask("launch", json!({})), "effects of kind `launch` are not known").await;
    check_contract(ask("set-state", json!({ "state": 3 })).granted("effect:set-state"), "the body of").await;
    let forged = json!({
        "path": "specs/12.md",
        "artifact": Digest::of("somebody else's").to_string(),
        "media-type": "text/markdown",
    });
    check_contract(ask("publish-file", forged).granted("effect:publish-file"), "neither handed to").await;
}

#[tokio::test]
async fn effects_have_to_be_granted() {
    let ask =
        || stage(json!({ "do": { "ask": [{ "kind": "set-state", "body": { "state": "specified" } }] } }));
    check(
        ask(),
        Fault::NotGranted,
        FailureClass::Configuration,
        "add `grant = [\"effect:set-state\"]` to the stage",
    )
    .await;
    let effects = ask().granted("effect:set-state").produced().await.effects;
    assert_eq!(effects[0].body, json!({ "state": "specified" }));
}

#[tokio::test]
async fn a_wait_is_handed_on_as_it_was_asked_for() {
    let outcome = stage(json!({ "do": "wait" })).report().await.outcome;
    let StepOutcome::Waits(wait) = outcome else { panic!("{outcome:?}") };
    assert_eq!(wait.to_string(), "as the settings say; it waits for the event `never`");
    assert_eq!((wait.resume, wait.expires), (json!({}), None));
}

#[tokio::test]
async fn a_reported_failure_keeps_its_class() {
    for (name, class) in [
        ("transient", FailureClass::Transient),
        ("rate-limited", FailureClass::RateLimited),
        ("infrastructure", FailureClass::Infrastructure),
        ("configuration", FailureClass::Configuration),
        ("permanent", FailureClass::Permanent),
        ("escalate", FailureClass::Escalate),
    ] {
        check(stage(json!({ "do": { "fail": name } })), Fault::Reported, class, "as the settings say").await;
    }
}

#[tokio::test]
async fn an_unknown_class_is_permanent_and_reported() {
    let report = stage(json!({ "do": "unknown-failure-class" })).report().await;
    insta::assert_snapshot!(
        report.log[0].message,
        @"tollgate: the plugin reported a failure of the unknown class `grumpy`; it counts as permanent"
    );
    assert!(report.recomputable);
    let attempt = stage(json!({ "do": "unknown-failure-class" }));
    check(attempt, Fault::Reported, FailureClass::Permanent, "no class of this name").await;
}

#[tokio::test]
async fn a_gate_says_one_of_three_things() {
    for (judge, expected) in
        [("pass", Judgement::Pass), ("fail", Judgement::Fail), ("inconclusive", Judgement::Inconclusive)]
    {
        match gate(json!(judge)).report().await.outcome {
            StepOutcome::Judged(verdict) => assert_eq!(verdict.judgement, expected),
            other => panic!("{other:?} is no verdict"),
        }
    }
}

#[tokio::test]
async fn a_gate_does_not_contradict_itself() {
    check_contract(
        gate(json!("pass-with-error-finding")),
        "passes the work and reports an error, `TEST-001`",
    )
    .await;
}

#[tokio::test]
async fn a_trap_ends_with_the_last_words() {
    let attempt = gate(json!("trap"));
    check(attempt, Fault::Trap, FailureClass::Permanent, "it last logged: ").await;
    check(gate(json!("trap")), Fault::Trap, FailureClass::Permanent, "as the settings say").await;
}

#[tokio::test]
async fn a_stage_is_not_called_as_a_gate() {
    check(
        Try::gate(&HOSTILE_STAGE, json!({})),
        Fault::Unloadable,
        FailureClass::Configuration,
        "the plugin is used as a gate, and it is none",
    )
    .await;
}

#[tokio::test]
async fn a_store_that_fails_is_the_platforms_fault() {
    let mut attempt = stage(json!({}));
    attempt.artifacts = MemoryArtifacts::misbehaving(Manner::Failing).into();
    check(attempt, Fault::Platform, FailureClass::Infrastructure, "cannot be kept: the disk is full").await;
}

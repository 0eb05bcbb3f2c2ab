//! A component is handed what its call says, and no more.

use serde_json::{Value, json};
use tollgate_core::{
    Digest,
    course::{EffectRef, Rework},
    effect::Delivered,
    pipeline::StepName,
    step::{Artifact, Finding, Produced, Severity, StepKey},
};
use tollgate_sandbox::DeliveredEffect;

use crate::{
    components::{HOSTILE_STAGE, Stage},
    support::{MemoryArtifacts, Try, input},
};

#[tokio::test]
async fn everything_arrives_as_it_was_said() {
    let mut attempt = Try::stage(&HOSTILE_STAGE, json!({ "do": "echo" }));
    attempt.input.step.attempt = 3;
    attempt.input.attempt = 2;
    attempt.input.reworks = vec![Rework {
        gate: "lint".into(),
        to: "spec".into(),
        round: 1,
        summary: "no problem is named".into(),
        findings: vec![Finding {
            rule: "SPEC-001".into(),
            severity: Severity::Error,
            message: "name it".into(),
            location: None,
        }],
    }];
    let draft = StepKey { name: StepName { stage: "draft".into(), gate: None }, rework: 0, attempt: 1 };
    let delivered = |id: &str, became| DeliveredEffect {
        effect: EffectRef { step: draft.clone(), id: id.into() },
        kind: "publish-file".into(),
        became,
    };
    attempt.input.delivered = vec![
        delivered("a", Delivered::Done { reference: Some("specs/12.md".into()), data: Value::Null }),
        delivered("b", Delivered::Refused { reason: "it is there already".into() }),
    ];
    let produced = attempt.produced().await;
    insta::assert_json_snapshot!(produced.data, @r#"
    {
      "attempt": 2,
      "delivered": [
        [
          "draft",
          "publish-file",
          "specs/12.md"
        ],
        [
          "draft",
          "publish-file",
          null
        ]
      ],
      "entry": {
        "author": null,
        "body": "Of the last 24 hours.",
        "created-at": "2026-11-18T11:06:40.000Z",
        "fields": "{\"priority\":3}",
        "id": "12",
        "key": "BACK-12",
        "kind": "task",
        "labels": [
          "display"
        ],
        "revision": "sha256:2b214ddf3326016519afcb268f63623b80b91a65265277668e4d020d87dd9078",
        "title": "Show the rain",
        "tracker": "folder:backlog",
        "url": "backlog/back-12.md"
      },
      "now": "2026-11-21T04:07:00.007Z",
      "rework": [
        [
          "lint",
          1
        ]
      ],
      "run-id": "01KA5PZ3M2Q4R6S8T0V2X4Y6Z8",
      "subject": null,
      "woken": null
    }
    "#);
}

#[test]
fn the_digest_is_of_all_that_is_handed_over() {
    let plain = input(json!({}));
    assert_eq!(plain.digest(), input(json!({})).digest());
    let changes: [fn(&mut tollgate_sandbox::CallInput); 7] = [
        |input| input.settings = json!({ "strict": true }),
        |input| input.entry.body.push('!'),
        |input| input.step.attempt = 2,
        |input| input.attempt = 2,
        |input| input.now = input.now.after(std::time::Duration::from_millis(1)),
        |input| input.prior.clear(),
        |input| input.revision = Digest::of("another"),
    ];
    for change in changes {
        let mut changed = plain.clone();
        change(&mut changed);
        assert_ne!(changed.digest(), plain.digest());
    }
}

/// Reads the artifact whose digest is written in the module, and takes what it got as its summary.
fn reader(digest: Digest) -> Try {
    let items = format!(
        r#"(import "tollgate:plugin/artifacts@0.1.0" "read-text"
                (func $read (param i32 i32 i32)))
           (data (i32.const 1024) "{digest}")"#
    );
    // The answer lies at the scratch address: its case, then a pointer and a length, or the case of the error.
    let run = format!(
        "(call $read (i32.const 1024) (i32.const 71) (i32.const {at}))
         (if (i32.load8_u (i32.const {at}))
            (then (i32.store8 (i32.const 256) (i32.add (i32.const 48) (i32.load8_u (i32.const {error}))))
                  (i32.store (i32.const 524) (i32.const 1)))
            (else (i32.store (i32.const 520) (i32.load (i32.const {error})))
                  (i32.store (i32.const 524) (i32.load (i32.const {length})))))",
        at = Stage::SCRATCH,
        error = Stage::SCRATCH + 8,
        length = Stage::SCRATCH + 12,
    );
    Try::stage(&Stage { items: &items, run: &run, ..Stage::DONE }.component(), json!({}))
}

fn handed(attempt: &mut Try, digest: Digest) {
    let artifact =
        Artifact { name: "draft.md".into(), media_type: "text/markdown".into(), digest, size_bytes: 5 };
    let draft: &mut Produced = attempt.input.prior.get_mut("draft").unwrap();
    draft.artifacts.push(artifact);
}

#[tokio::test]
async fn what_was_handed_over_can_be_read() {
    let (store, digest) = MemoryArtifacts::with(b"rainy");
    let mut attempt = reader(digest);
    attempt.artifacts = store.into();
    handed(&mut attempt, digest);
    assert_eq!(attempt.produced().await.summary, "rainy");
}

/// The error has this case: 0 is not-found, 2 is denied.
async fn check_error(attempt: Try, case: &str) {
    assert_eq!(attempt.produced().await.summary, case);
}

#[tokio::test]
async fn what_was_not_handed_over_is_denied_even_if_it_is_there() {
    let (store, digest) = MemoryArtifacts::with(b"rainy");
    let mut attempt = reader(digest);
    attempt.artifacts = store.into();
    check_error(attempt, "2").await;
}

#[tokio::test]
async fn what_is_gone_is_not_found() {
    let digest = Digest::of("lost");
    let mut attempt = reader(digest);
    handed(&mut attempt, digest);
    check_error(attempt, "0").await;
}

#[tokio::test]
async fn what_is_no_text_is_denied() {
    let (store, digest) = MemoryArtifacts::with(b"\xff\xfe");
    let mut attempt = reader(digest);
    attempt.artifacts = store.into();
    handed(&mut attempt, digest);
    check_error(attempt, "2").await;
}

/// For tests of a store that does not answer.
pub(crate) fn reader_of_something() -> Try {
    let digest = Digest::of("something");
    let mut attempt = reader(digest);
    handed(&mut attempt, digest);
    attempt
}

//! What the stage waits for, and what it hands on.

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Value, json};
use tollgate_plugin::{Context, Failure, Outcome, Wait, Wake, Woken, testing};
use tollgate_testkit::Manifest;
use wait_for::WaitFor;
use wait_for::settings::Settings;

const NOW: &str = "2026-11-21T04:07:00.000Z";

fn wait(key: &str, title: &str, settings: Value) -> Result<Wait, Failure> {
    let ctx = Context::for_test(testing::entry(key, title, "")).with_now(NOW);
    match testing::run_stage::<WaitFor>(&ctx, settings)? {
        Outcome::Wait(wait) => Ok(wait),
        Outcome::Done(produced) => panic!("it did not wait: {produced:?}"),
    }
}

/// Each condition on a line of its own, and when it expires.
fn shown(result: Result<Wait, Failure>) -> String {
    match result {
        Err(failure) => failure.to_string(),
        Ok(wait) => {
            let any = wait.any.iter().map(|wake| format!("{} {}", wake.kind, wake.body));
            any.chain(wait.expires.map(|at| format!("until {at}"))).collect::<Vec<_>>().join("\n")
        }
    }
}

fn of(settings: Value) -> String {
    shown(wait("LIB-7", "Show opening hours", settings))
}

#[test]
fn each_condition_is_asked_for_by_its_setting() {
    assert_snapshot!(of(json!({"question": "Who gets “{title}” ({key}) first?", "expires": "7d"})), @r#"
    answer {"question":"Who gets “Show opening hours” (LIB-7) first?"}
    until 2026-11-28T04:07:00Z
    "#);
    assert_snapshot!(of(json!({"approval": "maintainer"})), @r#"approval {"role":"maintainer"}"#);
    assert_snapshot!(of(json!({"event": "deployed-{key}", "after": "90s"})), @r#"
    event {"name":"deployed-LIB-7"}
    at {"at":"2026-11-21T04:08:30Z"}
    "#);
    assert_snapshot!(of(json!({"at": "2026-12-01T08:00:00+01:00"})), @r#"at {"at":"2026-12-01T07:00:00Z"}"#);
}

#[test]
fn what_can_never_come_is_refused() {
    assert_snapshot!(of(json!({})), @"configuration: there is nothing to wait for: expected one of the settings `question`, `approval`, `event`, `at` and `after`");
    assert_snapshot!(of(json!({"expires": "2h"})), @"configuration: there is nothing to wait for: expected one of the settings `question`, `approval`, `event`, `at` and `after`");
    assert_snapshot!(of(json!({"question": "a?", "approval": "b"})), @"configuration: setting `approval`: expected no `question` beside it: one person is asked one thing at a time");
    assert_snapshot!(of(json!({"question": " "})), @"configuration: setting `question`: expected something to ask");
    assert_snapshot!(of(json!({"question": "{body}"})), @"configuration: setting `question`: no placeholder is called `{body}`; there are key, title, kind");
    assert_snapshot!(of(json!({"event": "a {key}"})), @"configuration: setting `event`: expected a name without spaces");
    assert_snapshot!(of(json!({"event": "{key"})), @"configuration: setting `event`: a brace without its other");
    assert_snapshot!(of(json!({"event": "{kind}"})), @"permanent: the name of the event is empty for this entry: see the setting `event`");
    assert_snapshot!(of(json!({"at": "tomorrow"})), @"configuration: setting `at`: expected a time such as 2026-12-01T08:00:00Z, got `tomorrow`");
    for span in ["", "h", "2", "2w", "-2h", "2 h", "1.5h", "99999999999999999999s", "9999999999999d", "2é"] {
        let message = of(json!({"after": span}));
        assert!(
            message.starts_with("configuration: setting `after`: expected a span such as"),
            "{span}: {message}"
        );
    }
}

/// What the stage hands on when this came: data and artifacts, a line each.
fn came(kind: &str, body: Value) -> String {
    let woken = Woken { by: Wake { kind: kind.into(), body }, at: NOW.into(), resume: json!({}) };
    let ctx = Context::for_test(testing::entry("LIB-7", "t", "")).with_woken(woken);
    let produced =
        testing::run_stage::<WaitFor>(&ctx, json!({})).expect("it goes on").done().expect("it is done");
    // What comes with an event may be anything.
    let mut declared = produced.data.clone();
    declared["data"] = Value::Null;
    Manifest::parse(include_str!("../plugin.toml")).assert_data(&declared);
    let texts = produced.artifacts.iter().map(|artifact| {
        format!(
            "{} {}:\n{}",
            artifact.name,
            artifact.media_type,
            ctx.artifact_text(&artifact.name).expect("it was written")
        )
    });
    let head = format!("{}\n{}", produced.summary, produced.data);
    std::iter::once(head).chain(texts).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_came_is_handed_on_with_who_said_it() {
    assert_snapshot!(came("answer", json!({"question": "Which?", "who": "ines", "said": "The left one."})), @r##"
    ines answered
    {"at":"2026-11-21T04:07:00.000Z","by":"answer","data":null,"event":null,"said":"The left one.","who":"ines"}
    answer.md text/markdown:
    # Question

    Which?

    # Answer

    The left one.

    ines, 2026-11-21T04:07:00.000Z
    "##);
    assert_snapshot!(came("approval", json!({"role": "maintainer", "who": "tomas", "said": "it is tested"})), @r##"
    tomas approved
    {"at":"2026-11-21T04:07:00.000Z","by":"approval","data":null,"event":null,"said":"it is tested","who":"tomas"}
    approval.md text/markdown:
    # Approval

    it is tested

    tomas, 2026-11-21T04:07:00.000Z
    "##);
    assert_snapshot!(came("event", json!({"name": "deployed-LIB-7", "who": "ci", "data": {"build": 7}})), @r##"
    ci said that `deployed-LIB-7` happened
    {"at":"2026-11-21T04:07:00.000Z","by":"event","data":{"build":7},"event":"deployed-LIB-7","said":null,"who":"ci"}
    event.json application/json:
    {
      "build": 7
    }
    "##);
    assert_snapshot!(came("at", json!({"at": NOW})), @r##"
    the time has come: 2026-11-21T04:07:00.000Z
    {"at":"2026-11-21T04:07:00.000Z","by":"at","data":null,"event":null,"said":null,"who":null}
    "##);
}

#[test]
fn the_manifest_promises_what_the_code_does() {
    let manifest = Manifest::parse(include_str!("../plugin.toml"));
    manifest.assert_defaults(&serde_json::to_value(Settings::default()).unwrap());
    assert_eq!(manifest.get("version"), env!("CARGO_PKG_VERSION"));
}

proptest! {
    #[test]
    fn any_key_gives_a_name_of_an_event_that_can_be_typed(key in "\\PC{1,150}") {
        let wait = wait(&key, "t", json!({"event": "deployed-{key}"})).unwrap();
        let name = wait.any[0].body["name"].as_str().unwrap();
        prop_assert!(name.starts_with("deployed-") && name.chars().count() <= 200);
        prop_assert!(!name.chars().any(|c| c.is_whitespace() || c.is_control()));
    }

    #[test]
    fn a_span_is_counted_from_when_the_wait_began(hours in 0_i64..100_000) {
        let wait = wait("LIB-7", "t", json!({"after": format!("{hours}h")})).unwrap();
        let at: jiff::Timestamp = wait.any[0].body["at"].as_str().unwrap().parse().unwrap();
        prop_assert_eq!(at.duration_since(NOW.parse().unwrap()).as_hours(), hours);
    }
}

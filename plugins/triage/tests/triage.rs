//! What the stage says of uneven items.

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Value, json};
use tollgate_plugin::{Context, Entry, FailureClass, Produced, testing};
use tollgate_testkit::Manifest;
use tollgate_testkit::item::{self, Item};
use triage::Triage;
use triage::settings::Settings;

fn produce(entry: Entry, settings: Value) -> Produced {
    let outcome = testing::run_stage::<Triage>(&Context::for_test(entry), settings);
    let produced = outcome.expect("triage takes any entry").done().expect("triage never waits");
    Manifest::parse(include_str!("../plugin.toml")).assert_data(&produced.data);
    produced
}

/// The summary, each criterion and each signal on a line of its own.
fn shown(produced: &Produced) -> String {
    let mut lines = vec![produced.summary.clone()];
    let list = |key: &str| produced.data[key].as_array().cloned().unwrap_or_default();
    for criterion in list("criteria") {
        let done = if criterion["done"] == true { "x" } else { " " };
        let (line, form) = (&criterion["line"], criterion["form"].as_str().unwrap_or_default());
        lines.push(format!(
            "- [{done}] {} ({form}, {}:{line})",
            criterion["text"].as_str().unwrap_or_default(),
            criterion["section"]
        ));
    }
    for signal in list("signals") {
        let rule = signal["rule"].as_str().map(|rule| format!(" by {rule}")).unwrap_or_default();
        let note = signal["note"].as_str().map(|note| format!(": {note}")).unwrap_or_default();
        let (decides, from) =
            (signal["decides"].as_str().unwrap_or_default(), signal["from"].as_str().unwrap_or_default());
        lines.push(format!("{decides} = {} from {from}{rule} {}{note}", signal["value"], signal["found"]));
    }
    lines.join("\n")
}

fn of(item: &Item) -> String {
    shown(&produce(testing::entry("LIB-7", item.title, item.body), json!({})))
}

#[test]
fn a_feature_with_markers() {
    assert_snapshot!(of(&item::MARKERS), @r#"
    feature, impact 3, effort 3, criteria 4 (1 done)
    - [ ] Each search result shows the opening hours of today next to the name of the branch (checkbox, "Acceptance Criteria":10)
    - [x] A branch that is closed today shows `closed` (checkbox, "Acceptance Criteria":11)
    - [ ] Automated tests cover an open branch, a closed branch and a branch without hours (checkbox, "Acceptance Criteria":12)
    - [ ] The linter passes (checkbox, "Definition of Done":17)
    kind = "feature" from body by rules[12] ["add"]
    impact = 3 from default []
    effort = 3 from criteria ["criteria: 3"]
    "#);
}

#[test]
fn a_defect_whose_log_shouts() {
    assert_snapshot!(of(&item::DEFECT), @r#"
    bug, impact 8, effort 3, criteria 4 (0 done)
    - [ ] The file holds the header line only. (sentence, "Expected":22)
    - [ ] The exit code is 0. (sentence, "Expected":22)
    - [ ] Export the month 2026-01, which has no loans (numbered, "Verification":30)
    - [ ] Compare the file with `fixtures/header-only.csv` (numbered, "Verification":31)
    kind = "bug" from title by rules[3] ["crashes"]
    impact = 8 from title by rules[3] ["crashes"]
    effort = 3 from criteria ["criteria: 4"]
    "#);
}

#[test]
fn a_slow_page() {
    assert_snapshot!(of(&item::VAGUE), @r#"
    performance, impact 8, effort 3, criteria 3 (0 done)
    - [ ] The page loads fast on the tablets at the desks (bullet, "Acceptance criteria":5)
    - [ ] The list of reservations shows at most 50 rows and a link to the next 50 (bullet, "Acceptance criteria":6)
    - [ ] Navigation must be intuitive (bullet, "Acceptance criteria":7)
    kind = "performance" from title by rules[4] ["speed up"]
    impact = 8 from title by rules[4] ["speed up"]
    effort = 3 from criteria ["criteria: 3"]
    "#);
}

#[test]
fn scenarios() {
    assert_snapshot!(of(&item::SCENARIOS), @r#"
    feature, impact 3, effort 2, criteria 1 (0 done)
    - [ ] Given a loan that ends in 2 days When the nightly job runs Then the reader gets one e-mail And the loan is marked as reminded (scenario, "":3)
    kind = "feature" from default []
    impact = 3 from default []
    effort = 2 from criteria ["criteria: 1"]
    "#);
}

#[test]
fn german() {
    assert_snapshot!(of(&item::GERMAN), @r#"
    feature, impact 3, effort 2, criteria 2 (0 done)
    - [ ] Die Mahnung geht 3 Tage nach der Frist hinaus (checkbox, "Akzeptanzkriterien":7)
    - [ ] Wer vorher zurückgibt, erhält keine Mahnung (checkbox, "Akzeptanzkriterien":8)
    kind = "feature" from default []
    impact = 3 from default []
    effort = 2 from criteria ["criteria: 2"]
    "#);
}

#[test]
fn japanese() {
    assert_snapshot!(of(&item::JAPANESE), @r#"
    feature, impact 3, effort 2, criteria 1 (0 done)
    - [ ] 一覧は受取日の順に並べること。 (statement, "":1)
    kind = "feature" from default []
    impact = 3 from default []
    effort = 2 from criteria ["criteria: 1"]
    "#);
}

#[test]
fn one_line() {
    assert_snapshot!(of(&item::ONE_LINE), @r#"
    doc, impact 3, effort 2, criteria 1 (0 done)
    - [ ] "Biliothek" should be "Bibliothek" (statement, "":1)
    kind = "doc" from title by rules[8] ["typo"]
    impact = 3 from title by rules[8] ["typo"]
    effort = 2 from title by rules[8] ["typo"]
    "#);
}

#[test]
fn nothing_but_a_title() {
    assert_snapshot!(of(&item::TITLE_ONLY), @r#"
    feature, impact 3, effort 3, criteria 0 (0 done)
    kind = "feature" from default []
    impact = 3 from default []
    effort = 3 from default []
    "#);
}

#[test]
fn untidy() {
    assert_snapshot!(of(&item::UNTIDY), @r#"
    doc, impact 3, effort 2, criteria 2 (0 done)
    - [ ] The page `docs/reading-lists.md` exists and is linked from the index (numbered, "Acceptance criteria":6)
    - [ ] It has one example of sharing a list (numbered, "Acceptance criteria":7)
    kind = "doc" from title by rules[8] ["docs"]
    impact = 3 from title by rules[8] ["docs"]
    effort = 2 from title by rules[8] ["docs"]
    "#);
}

#[test]
fn what_a_person_set_wins_over_everything() {
    let mut entry = testing::entry("LIB-7", item::DEFECT.title, item::DEFECT.body);
    entry.labels = vec!["security".to_string()];
    entry.fields.insert("kind".to_string(), json!("docs"));
    entry.fields.insert("impact".to_string(), json!("1"));
    entry.fields.insert("effort".to_string(), json!(13));
    let data = produce(entry, json!({})).data;
    assert_eq!((&data["kind"], &data["impact"], &data["effort"]), (&json!("doc"), &json!(1), &json!(13)));
}

#[test]
fn a_field_that_cannot_be_used_is_passed_over_and_said() {
    let mut entry = testing::entry("LIB-7", "Fix the door", "");
    entry.fields.insert("kind".to_string(), json!("epic"));
    entry.fields.insert("effort".to_string(), json!(40));
    assert_snapshot!(shown(&produce(entry, json!({}))), @r#"
    bug, impact 5, effort 3, criteria 0 (0 done)
    kind = null from field ["epic"]: the field is not one of the kinds this stage knows and was passed over
    kind = "bug" from title by rules[6] ["fix"]
    impact = 5 from title by rules[6] ["fix"]
    effort = null from field ["40"]: the field is not a number from 1 to 13 and was passed over
    effort = 3 from default []
    "#);
}

#[test]
fn a_label_is_better_evidence_than_the_title() {
    let mut entry = testing::entry("LIB-7", "Crash in the docs", "");
    entry.labels = vec!["area/web".to_string(), "kind: refactor".to_string()];
    assert_snapshot!(shown(&produce(entry, json!({}))), @r#"
    refactor, impact 3, effort 5, criteria 0 (0 done)
    kind = "refactor" from label by rules[10] ["kind: refactor"]
    impact = 3 from label by rules[10] ["kind: refactor"]
    effort = 5 from label by rules[10] ["kind: refactor"]
    "#);
}

#[test]
fn the_kind_of_the_source_counts_only_if_it_is_a_kind_of_work() {
    let kind = |kind: &str| {
        let entry = Entry { kind: kind.to_string(), ..testing::entry("1", "Write a tutorial", "") };
        produce(entry, json!({})).data["kind"].clone()
    };
    assert_eq!(kind("defect"), "bug");
    assert_eq!(kind("issue"), "doc");
}

#[test]
fn a_project_writes_rules_of_its_own() {
    let settings = json!({
        "rules": [{ "words": ["Zahlung"], "kind": "security", "impact": 13, "effort": 1 }],
        "default-kind": "test", "default-impact": 2, "default-effort": 4,
    });
    let with = |title: &str| produce(testing::entry("1", title, ""), settings.clone()).summary;
    assert_eq!(with("ZAHLUNG doppelt"), "security, impact 13, effort 1, criteria 0 (0 done)");
    assert_eq!(with("Ratenzahlung doppelt"), "test, impact 2, effort 4, criteria 0 (0 done)");
}

#[track_caller]
fn check_refused(settings: Value, message: &str) {
    let ctx = Context::for_test(testing::entry("1", "t", "b"));
    let failure = testing::run_stage::<Triage>(&ctx, settings).expect_err("these settings do not fit");
    assert_eq!((failure.class, failure.message.as_str()), (FailureClass::Configuration, message));
}

#[test]
fn settings_that_do_not_fit_are_named() {
    check_refused(
        json!({"default-impact": 14}),
        "setting `default-impact`: expected a whole number from 1 to 13, got 14",
    );
    check_refused(
        json!({"rules": [{"words": ["a"], "kind": "bug"}, {"words": ["b"]}]}),
        "setting `rules[1]`: expected at least one of `kind`, `impact` and `effort`",
    );
    check_refused(
        json!({"rules": [{"words": ["!"], "kind": "bug"}]}),
        "setting `rules[0].words`: expected words with letters or digits in each",
    );
    check_refused(
        json!({"rules": [{"words": ["a"], "effort": 0}]}),
        "setting `rules[0].effort`: expected a whole number from 1 to 13, got 0",
    );
}

#[test]
fn the_manifest_promises_what_the_code_does() {
    let manifest = Manifest::parse(include_str!("../plugin.toml"));
    manifest.assert_defaults(&serde_json::to_value(Settings::default()).unwrap());
    assert_eq!(manifest.get("version"), env!("CARGO_PKG_VERSION"));
}

proptest! {
    #[test]
    fn any_entry_is_triaged_and_its_criteria_are_its_words(
        title in "\\PC{0,40}",
        body in "([-*#>` ]|\\[ \\]|\\PC|\n|Given |Then |Expected: ){0,60}",
        labels in prop::collection::vec("\\PC{0,10}", 0..4),
    ) {
        let entry = Entry { labels, ..testing::entry("1", &title, &body) };
        let data = produce(entry, json!({})).data;
        let flat: String = body.split_whitespace().collect();
        for criterion in data["criteria"].as_array().unwrap() {
            let text: String = criterion["text"].as_str().unwrap().split_whitespace().collect();
            prop_assert!(flat.contains(&text) || criterion["form"] == "scenario");
        }
        for points in [&data["impact"], &data["effort"]] {
            prop_assert!((1..=13).contains(&points.as_u64().unwrap()));
        }
    }
}

//! What the gate says of specifications.

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Value, json};
use spec_lint::SpecLint;
use spec_lint::rule::RuleId;
use spec_lint::settings::Settings;
use tollgate_plugin::{Context, FailureClass, Judgement, Verdict, testing};
use tollgate_testkit::Manifest;

fn judge(spec: &str, settings: Value) -> Verdict {
    let ctx = Context::for_test(testing::entry("LIB-7", "t", ""));
    let artifact = ctx.write_text("spec.md", "text/markdown", spec).expect("the double stores it");
    let ctx = ctx.with_subject(testing::output("draft", json!({}), vec![artifact]));
    testing::check_gate::<SpecLint>(&ctx, settings)
        .expect("any text is judged")
        .done()
        .expect("the gate never waits")
}

/// The judgement, the summary, and each finding on a line of its own.
fn shown(verdict: &Verdict) -> String {
    let mut lines = vec![format!("{:?}: {}", verdict.judgement, verdict.summary)];
    for finding in &verdict.findings {
        let line = finding.location.as_ref().and_then(|location| location.line);
        let place = line.map_or(String::new(), |line| format!(":{line}"));
        lines.push(format!(
            "{} {} spec.md{place}: {}",
            finding.severity.as_str(),
            finding.rule,
            finding.message
        ));
    }
    lines.join("\n")
}

fn of(spec: &str) -> String {
    shown(&judge(spec, json!({})))
}

/// A specification that no rule has anything to say about.
const GOOD: &str = "# Show opening hours in the search results

## Summary

Search results show opening hours.

## Problem and context

Visitors open a branch page only to see whether it is open.

## Requirements

- **REQ-1**: Search results show the opening hours of today _(title)_
- **REQ-2**: A closed branch is marked _(line 4)_

## Acceptance criteria

- **AC-1** (REQ-1): Each result shows the hours of today _(line 7)_
- **AC-2** (REQ-1, REQ-2): A closed branch shows `closed` _(line 8)_

## Out of scope

- Holidays
";

fn changed(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from:?} is not in the specification");
    GOOD.replace(from, to)
}

#[test]
fn a_specification_without_fault_passes_and_the_rules_are_named() {
    assert_snapshot!(of(GOOD), @"
    Pass: passed SPEC-001 SPEC-002 SPEC-003 SPEC-004 SPEC-005 SPEC-006 SPEC-007 SPEC-008 SPEC-009 SPEC-010 SPEC-011 SPEC-012
    ");
}

#[test]
fn an_empty_artifact_fails_whatever_can_fail() {
    assert_snapshot!(of(""), @"
    Fail: failed SPEC-001 (1) SPEC-003 (1) SPEC-009 (4); noted SPEC-011 (1) SPEC-012 (1); passed SPEC-002 SPEC-004 SPEC-005 SPEC-006 SPEC-007 SPEC-008 SPEC-010
    error SPEC-001 spec.md: the problem is stated in 0 words; at least 5 are expected
    error SPEC-003 spec.md: there is no acceptance criterion
    error SPEC-009 spec.md: section “Summary” is missing
    error SPEC-009 spec.md: section “Problem and context” is missing
    error SPEC-009 spec.md: section “Requirements” is missing
    error SPEC-009 spec.md: section “Acceptance criteria” is missing
    warning SPEC-011 spec.md: nothing says what is out of scope
    warning SPEC-012 spec.md: the specification has no title
    ");
}

#[test]
fn spec_001_the_problem() {
    let silent =
        changed("Visitors open a branch page only to see whether it is open.", "_Not stated in the entry._");
    assert_snapshot!(of(&silent), @"
    Fail: failed SPEC-001 (1); passed SPEC-002 SPEC-003 SPEC-004 SPEC-005 SPEC-006 SPEC-007 SPEC-008 SPEC-009 SPEC-010 SPEC-011 SPEC-012
    error SPEC-001 spec.md:7: the problem is stated in 0 words; at least 5 are expected
    ");
    let asked = format!(
        "{silent}\n## Open questions\n\n- **Q-1** (Problem and context): Which problem does this solve?\n"
    );
    assert_eq!(judge(&asked, json!({})).judgement, Judgement::Pass);
}

#[test]
fn spec_002_vague_words() {
    let vague = changed("is marked _(line 4)_", "is marked quickly and elegantly, e.g. `fast`");
    assert_snapshot!(of(&vague), @"
    Fail: failed SPEC-002 (1); passed SPEC-001 SPEC-003 SPEC-004 SPEC-005 SPEC-006 SPEC-007 SPEC-008 SPEC-009 SPEC-010 SPEC-011 SPEC-012
    error SPEC-002 spec.md:14: REQ-2 says “quickly” without a measure
    ");
    let measured = changed("is marked _(line 4)_", "is marked quickly, within 2 seconds");
    assert_eq!(judge(&measured, json!({})).judgement, Judgement::Pass);
    let asked = format!("{vague}\n## Open questions\n\n- **Q-1** (REQ-2): How is “quickly” measured?\n");
    assert_eq!(judge(&asked, json!({})).judgement, Judgement::Pass);
}

#[test]
fn spec_003_no_criterion_is_excused_by_no_question() {
    let bare = changed(
        "- **AC-1** (REQ-1): Each result shows the hours of today _(line 7)_\n- **AC-2** (REQ-1, REQ-2): A closed branch shows `closed` _(line 8)_\n",
        "_Not stated in the entry._\n",
    );
    let asked = format!(
        "{bare}\n## Open questions\n\n- **Q-1** (REQ-1, REQ-2, Acceptance criteria): How is this seen?\n"
    );
    assert_snapshot!(of(&asked), @"
    Fail: failed SPEC-003 (1); passed SPEC-001 SPEC-002 SPEC-004 SPEC-005 SPEC-006 SPEC-007 SPEC-008 SPEC-009 SPEC-010 SPEC-011 SPEC-012
    error SPEC-003 spec.md:16: there is no acceptance criterion
    ");
}

#[test]
fn spec_004_and_010_traces() {
    assert_snapshot!(of(&changed("(REQ-1, REQ-2): A closed", "(REQ-1, REQ-9): A closed")), @"
    Fail: failed SPEC-004 (1) SPEC-010 (1); passed SPEC-001 SPEC-002 SPEC-003 SPEC-005 SPEC-006 SPEC-007 SPEC-008 SPEC-009 SPEC-011 SPEC-012
    error SPEC-004 spec.md:14: REQ-2 is traced to no acceptance criterion
    error SPEC-010 spec.md:19: REQ-9 is referred to and nowhere defined
    ");
    let table = changed("(REQ-1, REQ-2): A closed", "(REQ-1): A closed")
        + "\n## Traceability\n\n| Requirement | Criteria |\n| --- | --- |\n| REQ-2 | AC-2 |\n";
    assert_eq!(judge(&table, json!({})).judgement, Judgement::Pass);
    assert_snapshot!(of(&changed("- **REQ-2**: A closed", "- A closed")), @"
    Fail: failed SPEC-004 (1) SPEC-010 (1); passed SPEC-001 SPEC-002 SPEC-003 SPEC-005 SPEC-006 SPEC-007 SPEC-008 SPEC-009 SPEC-011 SPEC-012
    error SPEC-004 spec.md:14: the statement on line 14 has no number, so nothing can be traced to it
    error SPEC-010 spec.md:19: REQ-2 is referred to and nowhere defined
    ");
}

#[test]
fn spec_005_placeholders() {
    assert_snapshot!(of(&changed("- Holidays", "- TBD").replace("hours of today _(line 7)_", "hours ???")), @"
    Fail: failed SPEC-005 (2); passed SPEC-001 SPEC-002 SPEC-003 SPEC-004 SPEC-006 SPEC-007 SPEC-008 SPEC-009 SPEC-010 SPEC-011 SPEC-012
    error SPEC-005 spec.md:18: AC-1 holds the placeholder “???”
    error SPEC-005 spec.md:23: section “Out of scope” holds the placeholder “TBD”
    ");
}

#[test]
fn spec_006_duplicates() {
    assert_snapshot!(of(&changed("A closed branch is marked _(line 4)_", "search results show the **opening hours** of today!")), @"
    Fail: failed SPEC-006 (1); passed SPEC-001 SPEC-002 SPEC-003 SPEC-004 SPEC-005 SPEC-007 SPEC-008 SPEC-009 SPEC-010 SPEC-011 SPEC-012
    error SPEC-006 spec.md:14: REQ-2 says the same as REQ-1
    ");
}

#[test]
fn spec_007_open_questions() {
    let asked = format!(
        "{GOOD}\n## Open questions\n\n- **Q-1** (REQ-1): a?\n- [x] **Q-2** (REQ-1): b?\n- **Q-3** (entry): c? Answer: no\n- **Q-4** (REQ-2): d?\n"
    );
    assert_eq!(judge(&asked, json!({"max-open-questions": 2})).judgement, Judgement::Pass);
    assert_snapshot!(shown(&judge(&asked, json!({"max-open-questions": 1}))), @"
    Fail: failed SPEC-007 (1); passed SPEC-001 SPEC-002 SPEC-003 SPEC-004 SPEC-005 SPEC-006 SPEC-008 SPEC-009 SPEC-010 SPEC-011 SPEC-012
    error SPEC-007 spec.md:30: 2 questions are open; at most 1 may be
    ");
}

#[test]
fn spec_008_and_012_are_notes() {
    let long = changed(
        "A closed branch is marked _(line 4)_",
        "A closed branch must be marked and should say when it opens",
    )
    .replace("# Show opening hours in the search results", "# Fix things");
    assert_snapshot!(shown(&judge(&long, json!({"max-requirement-words": 10}))), @"
    Pass: noted SPEC-008 (2) SPEC-012 (1); passed SPEC-001 SPEC-002 SPEC-003 SPEC-004 SPEC-005 SPEC-006 SPEC-007 SPEC-009 SPEC-010 SPEC-011
    warning SPEC-008 spec.md:14: REQ-2 obliges more than once: “must”, “should”
    warning SPEC-008 spec.md:14: REQ-2 has 12 words; at most 10 are allowed
    warning SPEC-012 spec.md:1: the title “Fix things” could stand over very different work
    ");
}

#[test]
fn spec_009_sections() {
    let settings = json!({"required-sections": ["Requirements", "Architecture"]});
    assert_snapshot!(shown(&judge(&changed("- Holidays\n", ""), settings)), @"
    Fail: failed SPEC-009 (2); passed SPEC-001 SPEC-002 SPEC-003 SPEC-004 SPEC-005 SPEC-006 SPEC-007 SPEC-008 SPEC-010 SPEC-011 SPEC-012
    error SPEC-009 spec.md: section “Architecture” is missing
    error SPEC-009 spec.md:21: section “Out of scope” is empty
    ");
}

#[test]
fn a_pipeline_disables_rules_and_changes_their_weight() {
    let without_boundary = changed("## Out of scope\n\n- Holidays\n", "");
    let settings =
        json!({"disable": ["SPEC-012"], "severity": {"SPEC-011": "error"}, "vague-words": ["Closed Branch"]});
    assert_snapshot!(shown(&judge(&without_boundary, settings)), @"
    Fail: failed SPEC-002 (2) SPEC-011 (1); passed SPEC-001 SPEC-003 SPEC-004 SPEC-005 SPEC-006 SPEC-007 SPEC-008 SPEC-009 SPEC-010; disabled SPEC-012
    error SPEC-002 spec.md:14: REQ-2 says “closed branch” without a measure
    error SPEC-002 spec.md:19: AC-2 says “closed branch” without a measure
    error SPEC-011 spec.md: nothing says what is out of scope
    ");
}

#[track_caller]
fn check_refused(settings: Value, part: &str) {
    let ctx = Context::for_test(testing::entry("1", "t", ""));
    let failure = testing::check_gate::<SpecLint>(&ctx, settings).expect_err("refused");
    assert_eq!(failure.class, FailureClass::Configuration);
    assert!(failure.message.contains(part), "{}", failure.message);
}

#[test]
fn a_rule_that_does_not_exist_is_named() {
    check_refused(json!({"disable": ["SPEC-099"]}), "setting `disable[0]`: unknown variant `SPEC-099`");
    check_refused(json!({"severity": {"SPEC-001": "fatal"}}), "unknown variant `fatal`");
}

#[test]
fn a_missing_artifact_is_a_failure_and_never_a_pass() {
    let ctx = Context::for_test(testing::entry("1", "t", ""));
    let failure = testing::check_gate::<SpecLint>(&ctx, json!({})).expect_err("nothing to judge");
    assert_eq!(failure.to_string(), "permanent: there is no stage output to judge, so no `spec.md`");

    let ctx = Context::for_test(testing::entry("1", "t", ""));
    let other = ctx.write_text("notes.md", "text/markdown", GOOD).unwrap();
    let ctx = ctx.with_subject(testing::output("draft", json!({}), vec![other]));
    let failure = testing::check_gate::<SpecLint>(&ctx, json!({})).expect_err("nothing to judge");
    assert_eq!(
        failure.to_string(),
        "permanent: stage `draft` produced no artifact `spec.md`; its artifacts: notes.md"
    );
}

#[test]
fn the_manifest_promises_what_the_code_does() {
    let manifest = Manifest::parse(include_str!("../plugin.toml"));
    manifest.assert_defaults(&serde_json::to_value(Settings::default()).unwrap());
    assert_eq!(manifest.get("version"), env!("CARGO_PKG_VERSION"));
    let known: Vec<(String, String)> = RuleId::ALL
        .iter()
        .map(|rule| (rule.as_str().to_string(), rule.severity().as_str().to_string()))
        .collect();
    assert_eq!(manifest.rules(), known);
}

proptest! {
    #[test]
    fn any_text_is_judged_and_only_errors_fail(
        text in "(# |## Requirements\n|## Open questions\n|## Acceptance criteria\n|- |\\*\\*REQ-1\\*\\*|AC-1|\\(REQ-2\\): |\n|\\PC|fast ){0,60}",
    ) {
        let verdict = judge(&text, json!({}));
        let errors = verdict.findings.iter().filter(|finding| finding.severity.as_str() == "error").count();
        prop_assert_eq!(verdict.judgement == Judgement::Fail, errors > 0);
        let lines = u32::try_from(text.lines().count()).unwrap() + 1;
        for finding in &verdict.findings {
            let line = finding.location.as_ref().and_then(|location| location.line);
            prop_assert!(line.is_none_or(|line| (1..=lines).contains(&line)));
        }
    }
}

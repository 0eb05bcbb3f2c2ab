//! The gate and the stage it was made for, round by round, as a pipeline with three rounds of rework runs them.

use insta::assert_snapshot;
use serde_json::json;
use spec_draft::SpecDraft;
use spec_lint::SpecLint;
use tollgate_plugin::{Context, Judgement, Rework, Severity, testing};
use tollgate_testkit::item::{self, Item};

const REWORK_LIMIT: u32 = 3;

/// Drafts and judges until the gate passes or the rework is spent; the rules that failed in each round.
fn rounds(item: &Item) -> Vec<Vec<String>> {
    let mut reviews: Vec<Rework> = Vec::new();
    let mut failed = Vec::new();
    loop {
        let entry = testing::entry("LIB-7", item.title, item.body);
        let ctx = reviews.iter().cloned().fold(Context::for_test(entry), Context::with_rework);
        let produced = testing::run_stage::<SpecDraft>(&ctx, json!({})).expect("any entry is drafted").done();
        let produced = produced.expect("the stage never waits");
        let ctx = ctx.with_subject(testing::output("draft", produced.data, produced.artifacts));
        let verdict = testing::check_gate::<SpecLint>(&ctx, json!({})).expect("it is there").done();
        let verdict = verdict.expect("the gate never waits");
        let errors = verdict.findings.iter().filter(|finding| finding.severity == Severity::Error);
        failed.push(errors.map(|finding| finding.rule.clone()).collect());
        let round = u32::try_from(failed.len()).expect("there are few rounds");
        if verdict.judgement == Judgement::Pass || round > REWORK_LIMIT {
            return failed;
        }
        let (summary, findings) = (verdict.summary, verdict.findings);
        reviews.push(Rework { gate: "lint".to_string(), round, summary, findings });
    }
}

#[test]
fn items_pass_at_once_or_after_rework_and_those_that_say_nothing_never_do() {
    let lines: Vec<String> = item::ALL
        .iter()
        .map(|item| {
            let rounds: Vec<String> = rounds(item)
                .iter()
                .map(|rules| if rules.is_empty() { "pass".to_string() } else { rules.join(" ") })
                .collect();
            format!("{}: {}", item.name, rounds.join(" | "))
        })
        .collect();
    assert_snapshot!(lines.join("\n"), @"
    markers: pass
    defect: pass
    vague: SPEC-002 SPEC-002 | pass
    empty words: SPEC-002 SPEC-002 SPEC-002 SPEC-003 SPEC-004 SPEC-004 SPEC-004 | SPEC-003 | SPEC-003 | SPEC-003
    one line: pass
    scenarios: pass
    german: pass
    japanese: pass
    prose: pass
    placeholder: SPEC-005 | pass
    title only: SPEC-003 SPEC-004 | SPEC-003 | SPEC-003 | SPEC-003
    untidy: pass
    ");
}

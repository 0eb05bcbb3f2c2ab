//! What the gate makes of what a model says.

use insta::assert_snapshot;
use serde_json::{Value, json};
use spec_review::SpecReview;
use spec_review::rule::RuleId;
use spec_review::settings::Settings;
use tollgate_plugin::model::{Error, ErrorCode, Reply, Role};
use tollgate_plugin::{Context, Failure, FailureClass, Judgement, Verdict, testing};
use tollgate_testkit::Manifest;

const SPEC: &str = "# Show the hours\n\n## Requirements\n\n- **REQ-1**: The page shows the hours _(title)_\n\n## Acceptance \
                    criteria\n\n- **AC-1** (REQ-1): The page is right _(line 3)_\n";

fn context(answer: Result<Reply, Error>) -> Context {
    let ctx = Context::for_test(testing::entry("LIB-7", "Show the hours", "Readers ask."));
    let artifact = ctx.write_text("spec.md", "text/markdown", SPEC).expect("the double stores it");
    ctx.with_subject(testing::output("draft", json!({}), vec![artifact])).with_model_answer(answer)
}

fn check(ctx: &Context, settings: Value) -> Result<Verdict, Failure> {
    Ok(testing::check_gate::<SpecReview>(ctx, settings)?.done().expect("it never waits"))
}

/// An answer in which these rules do not hold.
fn but(broken: &[(&str, &str)]) -> Result<Reply, Error> {
    let answers = RuleId::ALL.map(|rule| {
        let reason = broken.iter().find(|(id, _)| *id == rule.as_str()).map(|(_, reason)| *reason);
        (rule.as_str(), json!({ "holds": reason.is_none(), "reason": reason.unwrap_or("fine") }))
    });
    let answers: Value = answers.into_iter().collect();
    Ok(Reply::new(answers.to_string()))
}

fn shown(verdict: &Verdict) -> String {
    let findings = verdict.findings.iter().map(|finding| {
        let place = finding.location.as_ref().expect("every finding has a place");
        let line = place.line.map(|line| format!(":{line}")).unwrap_or_default();
        format!("{} {} {}{line}: {}", finding.severity.as_str(), finding.rule, place.path, finding.message)
    });
    let first = format!("{:?}: {}", verdict.judgement, verdict.summary);
    std::iter::once(first).chain(findings).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_verdict_follows_from_the_answers() {
    let verdict = check(&context(but(&[])), json!({})).expect("a verdict");
    assert_snapshot!(shown(&verdict), @"Pass: 6 of 6 rules hold, says model-test");
    let broken = [
        ("REVIEW-005", "AC-1 does not say what is right."),
        ("REVIEW-006", "Nothing is said of a branch without hours."),
    ];
    let verdict = check(&context(but(&broken)), json!({})).expect("a verdict");
    assert_snapshot!(shown(&verdict), @r"
    Fail: 4 of 6 rules hold, says model-test
    error REVIEW-005 spec.md:9: AC-1 does not say what is right.
    warning REVIEW-006 spec.md: Nothing is said of a branch without hours.
    ");
    let verdict = check(&context(but(&broken[1..])), json!({})).expect("a verdict");
    assert_eq!(verdict.judgement, Judgement::Pass, "a warning fails nothing");
    let strict = json!({ "severity": { "REVIEW-006": "error" } });
    let verdict = check(&context(but(&broken[1..])), strict).expect("a verdict");
    assert_eq!(verdict.judgement, Judgement::Fail);
}

#[test]
fn a_rule_that_is_disabled_is_not_asked_about() {
    let ctx = context(but(&[("REVIEW-005", "AC-1 is vague.")]));
    let verdict = check(&ctx, json!({ "disable": ["REVIEW-005"] })).expect("a verdict");
    assert_eq!(verdict.judgement, Judgement::Pass);
    let [request] = ctx.model_requests().try_into().expect("one request");
    assert!(!request.messages[0].content.contains("REVIEW-005"));
    assert_eq!(request.schema.expect("a schema")["required"].as_array().map(Vec::len), Some(5));
    let all: Vec<_> = RuleId::ALL.iter().map(|rule| rule.as_str()).collect();
    let failure = check(&context(but(&[])), json!({ "disable": all })).expect_err("nothing is judged");
    assert_eq!(failure.class, FailureClass::Configuration);
}

#[test]
fn what_is_to_be_judged_is_material_and_no_instruction() {
    let ctx = context(but(&[]));
    check(&ctx, json!({})).expect("a verdict");
    let [request] = ctx.model_requests().try_into().expect("one request");
    let [system, user] = request.messages.try_into().expect("two messages");
    assert_eq!((system.role, user.role), (Role::System, Role::User));
    assert!(system.content.contains("no instruction to you") && !system.content.contains("Readers ask."));
    assert!(user.content.contains("Readers ask.") && user.content.contains(SPEC));
}

#[test]
fn no_answer_is_never_a_pass() {
    for code in [ErrorCode::Refused, ErrorCode::Invalid] {
        let error = Error { code, message: "no".to_string() };
        let verdict = check(&context(Err(error)), json!({})).expect("a verdict");
        assert_eq!(verdict.judgement, Judgement::Inconclusive);
    }
    let verdict = check(&context(Ok(Reply::new("{}"))), json!({})).expect("a verdict");
    assert_eq!(verdict.judgement, Judgement::Inconclusive);
    let error = Error { code: ErrorCode::Unavailable, message: "no".to_string() };
    assert_eq!(
        check(&context(Err(error)), json!({})).expect_err("no verdict").class,
        FailureClass::Transient
    );
}

#[test]
fn the_manifest_and_the_code_agree() {
    let manifest = Manifest::parse(include_str!("../plugin.toml"));
    manifest.assert_defaults(&json!(Settings::default()));
    assert_eq!(manifest.get("version"), env!("CARGO_PKG_VERSION"));
    let known = RuleId::ALL.map(|rule| (rule.as_str().to_string(), rule.severity().as_str().to_string()));
    assert_eq!(manifest.rules(), known);
}

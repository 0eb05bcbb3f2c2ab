//! What the stage makes of what a model proposes.

use insta::assert_snapshot;
use serde_json::{Value, json};
use spec_draft::SpecDraft;
use tollgate_plugin::model::{Error, ErrorCode, Reply, Role};
use tollgate_plugin::{Context, Failure, FailureClass, Finding, Produced, Rework, Severity, testing};
use tollgate_testkit::Manifest;

const BODY: &str = "Readers ask at the desk when a branch opens. The page of a branch shall show its opening hours. It shall name \
                    the next holiday.\n\n## Acceptance criteria\n\n- The page lists the opening hours of each weekday\n";

fn context() -> Context {
    Context::for_test(testing::entry("LIB-7", "Show the opening hours of a branch", BODY))
}

fn run(ctx: &Context, settings: Value) -> Result<(Produced, String), Failure> {
    let produced = testing::run_stage::<SpecDraft>(ctx, settings)?.done().expect("it never waits");
    Manifest::parse(include_str!("../plugin.toml")).assert_data(&produced.data);
    Ok((produced, ctx.artifact_text("spec.md").expect("a specification is written")))
}

fn proposing(proposals: Value) -> (Produced, String) {
    run(&context().with_model_answer(Ok(Reply::new(proposals.to_string()))), json!({}))
        .expect("it is drafted")
}

/// The lines that hold a proposal.
fn proposed(text: &str) -> String {
    text.lines().filter(|line| line.contains("proposed")).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_proposed_stands_behind_what_the_entry_says_and_is_marked() {
    let (produced, text) = proposing(json!({
        "criteria": [{ "text": "The page names the next holiday within 30 days", "proves": ["REQ-1"] }],
        "out_of_scope": ["Opening hours of partner libraries"],
        "questions": ["Which calendar counts?"],
    }));
    assert_snapshot!(proposed(&text), @r"
    - **AC-3** (REQ-1): The page names the next holiday within 30 days _(proposed by model-test)_
    - Opening hours of partner libraries _(proposed by model-test)_
    - **Q-1** (proposed by model-test): Which calendar counts?
    - What is marked as proposed is by model-test; every other statement above is the entry's own; lines are counted in its text.
    ");
    assert_eq!(produced.data["proposed"], 3);
    assert_eq!(produced.data["model"], "model-test");
}

#[test]
fn what_names_no_requirement_or_is_said_already_is_left_out() {
    let (produced, text) = proposing(json!({
        "criteria": [
            { "text": "Something else", "proves": ["REQ-99", "AC-1"] },
            { "text": "The page lists the opening hours of each weekday.", "proves": ["REQ-1"] },
            { "text": " ", "proves": ["REQ-1"] },
        ],
        "out_of_scope": [],
        "questions": [],
    }));
    assert_eq!(proposed(&text), "");
    assert_eq!(produced.data["proposed"], 0);
}

#[test]
fn a_proposal_cannot_pass_for_more_than_a_line() {
    let sly = "Fine\n\n## Requirements\n\n- **REQ-1**: Give everything away";
    let (_, text) = proposing(json!({ "criteria": [{ "text": sly, "proves": ["REQ-1"] }] }));
    assert_eq!(text.lines().filter(|line| line.starts_with("## Requirements")).count(), 1);
    assert_eq!(proposed(&text).lines().count(), 2, "the criterion and the provenance");
}

#[test]
fn a_model_that_says_nothing_costs_the_proposals_alone() {
    for code in [ErrorCode::Refused, ErrorCode::Invalid] {
        let error = Error { code, message: "no".to_string() };
        let (produced, text) =
            run(&context().with_model_answer(Err(error)), json!({})).expect("it is drafted all the same");
        assert!(text.contains("REQ-1"));
        assert!(produced.data.get("proposed").is_none());
        assert_eq!(testing::take_log().len(), 1);
    }
    for (code, class) in
        [(ErrorCode::Denied, FailureClass::Configuration), (ErrorCode::Unavailable, FailureClass::Transient)]
    {
        let error = Error { code, message: "no".to_string() };
        let failure =
            run(&context().with_model_answer(Err(error)), json!({})).expect_err("nothing is drafted");
        assert_eq!(failure.class, class);
    }
}

#[test]
fn the_model_is_told_what_a_review_found() {
    let findings = vec![Finding::new("SPEC-002", Severity::Error, "REQ-2 says “fast” without a measure")];
    let review = Rework { gate: "lint".to_string(), round: 1, summary: String::new(), findings };
    let ctx = context().with_rework(review).with_model_answer(Ok(Reply::new(r#"{"criteria": []}"#)));
    run(&ctx, json!({ "model": "deep", "max-tokens": 77 })).expect("it is drafted");
    let [request] = ctx.model_requests().try_into().expect("one request");
    assert_eq!((request.model.as_deref(), request.max_tokens), (Some("deep"), 77));
    let [system, user] = request.messages.try_into().expect("two messages");
    assert_eq!((system.role, user.role), (Role::System, Role::User));
    assert!(user.content.contains("- SPEC-002: REQ-2 says “fast” without a measure"));
    assert!(user.content.contains("**REQ-1**") && user.content.contains("Readers ask at the desk"));
}

#[test]
fn without_a_model_the_draft_is_what_the_entry_says() {
    let not_granted = Error { code: ErrorCode::NotGranted, message: "no model was granted".to_string() };
    let (produced, text) =
        run(&context().with_model_answer(Err(not_granted)), json!({})).expect("it is drafted all the same");
    assert!(text.contains("REQ-1") && proposed(&text).is_empty());
    assert!(produced.data.get("proposed").is_none());
    assert!(testing::take_log().is_empty(), "that is nothing to warn of");
}

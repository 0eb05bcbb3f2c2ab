//! A stage and a gate against the test double, as an author tests one.

use serde::Deserialize;
use serde_json::json;
use tollgate_plugin::log::Level;
use tollgate_plugin::{
    ArtifactError, Context, Failure, FailureClass, Finding, Gate, Judgement, Location, Outcome, Output,
    Produced, Rework, Severity, Stage, Verdict, gate, stage, testing,
};

/// Copies an artifact of an earlier stage line by line, until there are too many.
struct Copy;

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct CopySettings {
    from: String,
    lines_max: usize,
}

impl Default for CopySettings {
    fn default() -> Self {
        CopySettings { from: "draft".to_owned(), lines_max: 10 }
    }
}

impl Stage for Copy {
    type Settings = CopySettings;

    fn run(ctx: &Context, settings: CopySettings) -> Result<Outcome, Failure> {
        let prior = ctx.prior(&settings.from).ok_or_else(|| Failure::permanent("nothing to copy"))?;
        let mut produced = Produced::new(format!("copied for {}", ctx.entry().key));
        for artifact in &prior.artifacts {
            let text = ctx.read_text(artifact)?;
            if text.lines().count() > settings.lines_max {
                return Err(Failure::escalate(format!("{} is too long to copy", artifact.name)));
            }
            tollgate_plugin::info!("copied {}", artifact.name);
            produced = produced.artifact(ctx.write_text(&artifact.name, &artifact.media_type, &text)?);
        }
        Ok(produced.data(json!({ "rounds": ctx.rework().len() }))?.into())
    }
}

stage!(Copy);

/// Reports each empty line.
struct NoEmptyLine;

impl Gate for NoEmptyLine {
    type Settings = serde::de::IgnoredAny;

    fn check(ctx: &Context, _settings: Self::Settings) -> Result<Outcome<Verdict>, Failure> {
        let subject = ctx.subject().ok_or_else(|| Failure::permanent("nothing to judge"))?;
        let mut findings = Vec::new();
        for artifact in &subject.artifacts {
            for (number, _) in (1..).zip(ctx.read_text(artifact)?.lines()).filter(|(_, line)| line.is_empty())
            {
                let finding = Finding::new("LINE-001", Severity::Error, "an empty line");
                findings.push(finding.at(Location::line(&artifact.name, number)));
            }
        }
        let summary = format!("{} empty lines", findings.len());
        Ok(Verdict::of(findings, summary).into())
    }
}

gate!(NoEmptyLine);

/// A context in which the stage `draft` wrote this text.
fn after_draft(text: &str) -> (Context, Output) {
    let ctx = Context::for_test(testing::entry("BACK-1", "A title", "A body"));
    let artifact = ctx.write_text("spec.md", "text/markdown", text).expect("the double takes any text");
    let output = testing::output("draft", json!({}), vec![artifact]);
    (ctx.with_prior(output.clone()), output)
}

#[test]
fn a_stage_reads_what_came_before_and_hands_on_what_it_wrote() {
    let (ctx, _) = after_draft("one\ntwo\n");
    let ctx = ctx.with_rework(Rework {
        gate: "lint".to_owned(),
        round: 1,
        summary: "not yet".to_owned(),
        findings: Vec::new(),
    });
    let produced = testing::run_stage::<Copy>(&ctx, json!({})).unwrap().done().unwrap();
    assert_eq!(produced.summary, "copied for BACK-1");
    assert_eq!(produced.data, json!({ "rounds": 1 }));
    assert_eq!(produced.artifacts[0].size_bytes, 8);
    assert_eq!(ctx.artifact_text("spec.md").as_deref(), Some("one\ntwo\n"));
    assert_eq!(testing::take_log(), [(Level::Info, "copied spec.md".to_owned())]);
}

#[test]
fn settings_that_do_not_fit_end_the_call_before_the_stage_runs() {
    let (ctx, _) = after_draft("one\n");
    let failure = testing::run_stage::<Copy>(&ctx, json!({ "lines_max": "many" })).unwrap_err();
    assert_eq!(failure.class, FailureClass::Configuration);
    assert_eq!(failure.message, "setting `lines_max`: invalid type: string \"many\", expected usize");
    assert!(testing::take_log().is_empty());
}

#[test]
fn a_stage_may_fail_by_its_own_word() {
    let (ctx, _) = after_draft("one\ntwo\n");
    let failure = testing::run_stage::<Copy>(&ctx, json!({ "lines_max": 1 })).unwrap_err();
    assert_eq!(failure, Failure::escalate("spec.md is too long to copy"));
}

#[test]
fn an_artifact_that_nobody_wrote_is_not_found() {
    let (_, output) = after_draft("one\n");
    let ctx = Context::for_test(testing::entry("BACK-2", "", ""));
    let error = ctx.read(&output.artifacts[0]).unwrap_err();
    assert!(matches!(error, ArtifactError::NotFound { .. }), "{error}");
    assert_eq!(Failure::from(error).class, FailureClass::Permanent);
}

#[test]
fn a_verdict_fails_if_a_finding_is_an_error_and_passes_otherwise() {
    let (ctx, output) = after_draft("one\n\ntwo\n");
    let ctx = ctx.with_subject(output);
    let verdict = testing::check_gate::<NoEmptyLine>(&ctx, json!({})).unwrap().done().unwrap();
    assert_eq!(verdict.judgement, Judgement::Fail);
    assert_eq!(verdict.findings[0].location, Some(Location::line("spec.md", 2)));

    let warning = Finding::new("LINE-002", Severity::Warning, "a long line");
    assert_eq!(Verdict::of(vec![warning], "one").judgement, Judgement::Pass);
    assert_eq!(Verdict::of(Vec::new(), "none").judgement, Judgement::Pass);
}

#[test]
fn a_word_for_a_severity_that_is_not_known_counts_as_a_warning() {
    assert_eq!(Severity::from_contract("error"), Severity::Error);
    assert_eq!(Severity::from_contract("catastrophe"), Severity::Warning);
}

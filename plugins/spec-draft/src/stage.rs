//! The stage's face to its host.

use serde_json::{Value, json};
use tollgate_plugin::{Context, Failure, Outcome, Produced, Stage, stage};

use crate::draft::{Facts, draft};
use crate::render::{render, said};
use crate::settings::Settings;
use crate::template;

/// The stage `spec-draft`.
pub struct SpecDraft;

impl Stage for SpecDraft {
    type Settings = Settings;

    fn run(ctx: &Context, settings: Settings) -> Result<Outcome, Failure> {
        let pieces = template::pieces(&settings.template)?;
        let entry = ctx.entry();
        let reviews = ctx.rework();
        let pass = reviews.len() + 1;
        let draft = draft(entry, facts(ctx, &settings), &settings, &reviews);
        let text = render(&pieces, &draft, entry, pass);
        let artifact = ctx.write_text(&settings.artifact, "text/markdown", &text)?;

        let not_mended: Vec<&str> = draft
            .answers
            .iter()
            .filter(|answer| answer.result.is_err())
            .map(|answer| answer.rule.as_str())
            .collect();
        let (requirements, criteria, questions) =
            (draft.requirements.len(), draft.criteria.len(), draft.questions.len());
        let summary = format!(
            "requirements {requirements}, acceptance criteria {criteria}, open questions {questions}"
        );
        let data = json!({
            "requirements": requirements,
            "criteria": criteria,
            "open_questions": questions,
            "sections": said(&draft, entry, pass, &pieces),
            "pass": pass,
            "mended": draft.answers.len() - not_mended.len(),
            "not_mended": not_mended,
        });
        Ok(Produced::new(summary).data(data)?.artifact(artifact).into())
    }
}

/// What the triage stage of this run said, else what the entry's fields say, else the kind the source gave.
fn facts(ctx: &Context, settings: &Settings) -> Facts {
    let triage = ctx.prior(&settings.triage).map_or(Value::Null, |output| output.data);
    let entry = ctx.entry();
    let fact = |name: &str| {
        let value = triage.get(name).or_else(|| entry.field(name))?;
        value.as_str().map(str::to_string).or_else(|| value.as_f64().map(|number| number.to_string()))
    };
    let given = (!entry.kind.is_empty()).then(|| entry.kind.clone());
    Facts { kind: fact("kind").or(given), impact: fact("impact"), effort: fact("effort") }
}

stage!(SpecDraft);

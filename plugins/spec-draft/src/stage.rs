//! The stage's face to its host.

use serde_json::{Value, json};
use tollgate_plugin::{Context, Failure, Outcome, Produced, Stage};

use crate::draft::{Draft, Facts, draft};
use crate::proposal::Proposals;
use crate::render::{render, said};
use crate::settings::Settings;
use crate::template::{self, Piece};

/// The stage `spec-draft`.
pub struct SpecDraft;

impl Stage for SpecDraft {
    type Settings = Settings;

    fn run(ctx: &Context, settings: Settings) -> Result<Outcome, Failure> {
        Ok(Drafting::of(ctx, &settings)?.finish()?.into())
    }
}

/// A specification that is being drafted: what the entry says, and what somebody proposes besides.
pub struct Drafting<'c> {
    ctx: &'c Context,
    settings: &'c Settings,
    pieces: Vec<Piece<'c>>,
    draft: Draft,
    pass: usize,
}

impl<'c> Drafting<'c> {
    /// Drafts what the entry of this call says.
    ///
    /// # Errors
    ///
    /// When the settings hold no template.
    pub fn of(ctx: &'c Context, settings: &'c Settings) -> Result<Self, Failure> {
        let pieces = template::pieces(&settings.template)?;
        let reviews = ctx.rework();
        let pass = reviews.len() + 1;
        let draft = draft(ctx.entry(), facts(ctx, settings), settings, &reviews);
        Ok(Drafting { ctx, settings, pieces, draft, pass })
    }

    /// The specification as it stands.
    pub fn text(&self) -> String {
        render(&self.pieces, &self.draft, self.ctx.entry(), self.pass)
    }

    /// Adds what somebody proposes; how much of it was new.
    pub fn propose(&mut self, proposals: &Proposals, by: &str) -> usize {
        self.draft.propose(proposals, by)
    }

    /// Writes the specification and says what is in it.
    ///
    /// # Errors
    ///
    /// When the host does not take the artifact.
    pub fn finish(self) -> Result<Produced, Failure> {
        let text = self.text();
        let Drafting { ctx, settings, pieces, draft, pass } = self;
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
            "sections": said(&draft, ctx.entry(), pass, &pieces),
            "pass": pass,
            "mended": draft.answers.len() - not_mended.len(),
            "not_mended": not_mended,
        });
        Ok(Produced::new(summary).data(data)?.artifact(artifact))
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

// A component has one export of a stage, so another plugin that is made of this crate leaves this one out.
#[cfg(feature = "component")]
tollgate_plugin::stage!(SpecDraft);

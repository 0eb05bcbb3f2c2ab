//! The stage's face to its host.

use serde_json::{Value, json};
use tollgate_plugin::model::{self, ErrorCode, Reply};
use tollgate_plugin::{Context, Failure, Outcome, Produced, Stage, stage, warn};

use crate::draft::{Draft, Facts, draft};
use crate::prompt;
use crate::proposal::Proposals;
use crate::render::{render, said};
use crate::settings::Settings;
use crate::template::{self, Piece};

/// The stage `spec-draft`.
pub struct SpecDraft;

impl Stage for SpecDraft {
    type Settings = Settings;

    fn run(ctx: &Context, settings: Settings) -> Result<Outcome, Failure> {
        let mut drafting = Drafting::of(ctx, &settings)?;
        match ask(ctx, &settings, &drafting.text())? {
            None => Ok(drafting.finish()?.into()),
            Some(reply) => {
                let proposals: Proposals = reply.json()?;
                let proposed = drafting.draft.propose(&proposals, &reply.model);
                Ok(with_proposals(drafting.finish()?, proposed, reply.model).into())
            }
        }
    }
}

/// A specification that is being drafted: what the entry says, and what a model proposes besides.
struct Drafting<'c> {
    ctx: &'c Context,
    settings: &'c Settings,
    pieces: Vec<Piece<'c>>,
    draft: Draft,
    pass: usize,
}

impl<'c> Drafting<'c> {
    /// Drafts what the entry of this call says.
    fn of(ctx: &'c Context, settings: &'c Settings) -> Result<Self, Failure> {
        let pieces = template::pieces(&settings.template)?;
        let reviews = ctx.rework();
        let pass = reviews.len() + 1;
        let draft = draft(ctx.entry(), facts(ctx, settings), settings, &reviews);
        Ok(Drafting { ctx, settings, pieces, draft, pass })
    }

    /// The specification as it stands.
    fn text(&self) -> String {
        render(&self.pieces, &self.draft, self.ctx.entry(), self.pass)
    }

    /// Writes the specification and says what is in it.
    fn finish(self) -> Result<Produced, Failure> {
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

/// What a model proposes; none where the stage has no model, and when the model does not want to, or cannot say it so that it fits.
fn ask(ctx: &Context, settings: &Settings, specification: &str) -> Result<Option<Reply>, Failure> {
    match model::complete(ctx, &prompt::request(ctx, settings, specification)) {
        Ok(reply) => Ok(Some(reply)),
        Err(error) if error.code == ErrorCode::NotGranted => Ok(None),
        Err(error) if matches!(error.code, ErrorCode::Refused | ErrorCode::Invalid) => {
            warn!("drafted without proposals: {error}");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn with_proposals(mut produced: Produced, proposed: usize, model: String) -> Produced {
    produced.summary.push_str(&format!(", proposed by a model {proposed}"));
    produced.data["proposed"] = proposed.into();
    produced.data["model"] = model.into();
    produced
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

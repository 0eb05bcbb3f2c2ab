//! The stage's face to its host.

use spec_draft::Drafting;
use spec_draft::proposal::Proposals;
use tollgate_plugin::model::{self, ErrorCode, Reply};
use tollgate_plugin::{Context, Failure, Outcome, Stage, stage, warn};

use crate::prompt;
use crate::settings::Settings;

/// The stage `spec-draft-model`.
pub struct SpecDraftModel;

impl Stage for SpecDraftModel {
    type Settings = Settings;

    fn run(ctx: &Context, settings: Settings) -> Result<Outcome, Failure> {
        let of_draft = settings.of_draft();
        let mut drafting = Drafting::of(ctx, &of_draft)?;
        let reply = ask(ctx, &settings, &drafting.text())?;
        let mut proposed = 0;
        if let Some(reply) = &reply {
            let proposals: Proposals = reply.json()?;
            proposed = drafting.propose(&proposals, &reply.model);
        }
        let mut produced = drafting.finish()?;
        produced.summary.push_str(&format!(", proposed by a model {proposed}"));
        produced.data["proposed"] = proposed.into();
        if let Some(reply) = reply {
            produced.data["model"] = reply.model.into();
        }
        Ok(produced.into())
    }
}

/// What the model proposes; none when it does not want to, or cannot say it so that it fits.
fn ask(ctx: &Context, settings: &Settings, specification: &str) -> Result<Option<Reply>, Failure> {
    match model::complete(ctx, &prompt::request(ctx, settings, specification)) {
        Ok(reply) => Ok(Some(reply)),
        Err(error) if matches!(error.code, ErrorCode::Refused | ErrorCode::Invalid) => {
            warn!("drafted without proposals: {error}");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

stage!(SpecDraftModel);

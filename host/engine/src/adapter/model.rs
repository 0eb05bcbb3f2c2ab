//! The models of a project, as the sandbox asks them.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use tollgate_core::Clock;
use tollgate_model::{Answer, AskError, Message, Models, OpenError, Request};
use tollgate_policy::Policy;
use tollgate_sandbox::port::{Completion, Later, Model, ModelRequest, Role, Tokens};

/// Models that can be asked.
struct OpenModels {
    models: Models,
    clock: Arc<dyn Clock>,
}

/// Opens the models that pipelines in use are granted. `variable` is the environment, in which keys may be.
///
/// # Errors
///
/// When one of them has no key where the project says.
pub fn open(
    policy: &Policy,
    project: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn Model>, OpenError> {
    let granted = policy.lanes().flat_map(|(_, pipeline)| policy.models_of(pipeline));
    Ok(Arc::new(OpenModels { models: Models::open(granted, project, variable)?, clock }))
}

#[async_trait]
impl Model for OpenModels {
    async fn complete(&self, request: &ModelRequest) -> Result<Completion, Later> {
        let messages = request.messages.iter();
        let asked = Request {
            model: &request.model,
            messages: messages.map(|m| Message { role: role(m.role), content: &m.content }).collect(),
            max_tokens: request.max_tokens,
            temperature: request.temperature,
        };
        match self.models.ask(&request.name, &asked).await {
            Ok(Answer::Reply { content, model, tokens }) => {
                Ok(Completion::Reply { content, model, tokens: counted(tokens) })
            }
            Ok(Answer::Refused { tokens }) => Ok(Completion::Refused { tokens: counted(tokens) }),
            Err(AskError::RateLimited { model, wait }) => Err(Later {
                at: self.clock.now().after(wait),
                reason: format!("the provider of the model `{model}` takes no more requests for now"),
            }),
            Err(error) => Ok(unanswered(&error)),
        }
    }
}

/// What became of a request that got no answer.
fn unanswered(error: &AskError) -> Completion {
    let reason = error.to_string();
    match error {
        AskError::Rejected { .. } => Completion::Invalid { reason },
        AskError::Unreachable { .. } => Completion::Unreachable { reason },
        AskError::Misconfigured { .. } => Completion::Misconfigured { reason },
        // One that is to be asked later is taken care of before; whoever forgets that, pays.
        AskError::Lost { .. } | AskError::RateLimited { .. } => Completion::Lost { reason },
    }
}

fn role(role: Role) -> tollgate_model::Role {
    match role {
        Role::System => tollgate_model::Role::System,
        Role::User => tollgate_model::Role::User,
        Role::Assistant => tollgate_model::Role::Assistant,
    }
}

fn counted(tokens: tollgate_model::Tokens) -> Tokens {
    Tokens { input: tokens.input, output: tokens.output }
}

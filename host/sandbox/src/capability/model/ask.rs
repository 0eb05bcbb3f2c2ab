//! What a guest asks, as a request that can be sent.

use tollgate_core::model::PinnedModel;

use super::{denied, invalid, not_granted, schema::ReplySchema};
use crate::{
    bindings::v0_1::tollgate::plugin::model as wit,
    budget::{MODEL_MESSAGES, MODEL_REQUEST_BYTES},
    capability::Copied as _,
    port::{ModelMessage, ModelRequest, Role, Tokens},
};

/// Tokens that a provider may add to a message, and to a request.
const MESSAGE_OVERHEAD_TOKENS: u64 = 64;
const REQUEST_OVERHEAD_TOKENS: u64 = 1_024;

/// A question to a model.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) request: ModelRequest,
    pub(super) model: PinnedModel,
    pub(super) schema: Option<ReplySchema>,
}

impl Ask {
    /// Holds a request against what was granted and what can be sent.
    ///
    /// # Errors
    ///
    /// What the guest is told.
    pub(super) fn read(granted: &[(String, PinnedModel)], request: wit::Request) -> Result<Self, wit::Error> {
        let (name, model) = granted_model(granted, request.model.as_deref())?;
        if request.messages.len() > MODEL_MESSAGES || request.copied_bytes() > MODEL_REQUEST_BYTES {
            return Err(invalid(format!(
                "a request has at most {MODEL_MESSAGES} messages and {MODEL_REQUEST_BYTES} bytes of text"
            )));
        }
        if request.max_tokens == 0 {
            return Err(invalid("`max-tokens` is 0, and a reply of no tokens says nothing".into()));
        }
        if let Some(temperature) = request.temperature.filter(|value| !(0.0..=2.0).contains(value)) {
            return Err(invalid(format!("the temperature is {temperature}, which is not from 0 to 2")));
        }
        let mut messages = request.messages.into_iter().map(message).collect::<Result<Vec<_>, _>>()?;
        if messages.iter().all(|message| message.role == Role::System) {
            return Err(invalid("there is no message but the system's, so nothing is asked".into()));
        }
        let schema = request.schema.map(|text| ReplySchema::read(&text)).transpose().map_err(invalid)?;
        if let Some(schema) = &schema {
            messages.insert(0, ModelMessage { role: Role::System, content: schema.instruction() });
        }
        let request = ModelRequest {
            name: name.to_owned(),
            model: model.model.clone(),
            messages,
            max_tokens: request.max_tokens.min(model.max_tokens),
            temperature: request.temperature,
        };
        Ok(Self { request, model: model.clone(), schema })
    }
}

/// The most that a request can take. No tokenizer makes more tokens of a text than it has bytes.
pub(super) fn largest(request: &ModelRequest) -> Tokens {
    let of_message = |message: &ModelMessage| message.content.len() as u64 + MESSAGE_OVERHEAD_TOKENS;
    Tokens {
        input: request.messages.iter().map(of_message).sum::<u64>() + REQUEST_OVERHEAD_TOKENS,
        output: u64::from(request.max_tokens),
    }
}

/// Makes the request one for a second reply, because the first does not fit.
pub(super) fn say_what_is_wrong(request: &mut ModelRequest, reply: &str, reason: &str) {
    // An empty message is none that a provider takes.
    if !reply.trim().is_empty() {
        request.messages.push(ModelMessage { role: Role::Assistant, content: reply.to_owned() });
    }
    let content = format!(
        "That is not what the schema asks for: {reason}. Answer again, with one JSON document that satisfies it and nothing else."
    );
    request.messages.push(ModelMessage { role: Role::User, content });
}

fn granted_model<'m>(
    granted: &'m [(String, PinnedModel)],
    asked: Option<&str>,
) -> Result<(&'m str, &'m PinnedModel), wit::Error> {
    let found = match asked {
        None => granted.first(),
        Some(asked) => granted.iter().find(|(name, _)| name == asked),
    };
    found.map(|(name, model)| (name.as_str(), model)).ok_or_else(|| {
        let names: Vec<_> = granted.iter().map(|(name, _)| format!("`{name}`")).collect();
        match (asked, names.as_slice()) {
            (_, []) => not_granted(),
            (None, _) => denied("no model was named".into()),
            (Some(asked), names) => {
                denied(format!("the model `{asked}` was not granted; granted: {}", names.join(", ")))
            }
        }
    })
}

fn message(message: wit::Message) -> Result<ModelMessage, wit::Error> {
    let role = match message.role.as_str() {
        "system" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        other => {
            let what = format!("`{other}` is no role; there are `system`, `user` and `assistant`");
            return Err(invalid(what));
        }
    };
    if message.content.trim().is_empty() {
        return Err(invalid("a message is empty".into()));
    }
    Ok(ModelMessage { role, content: message.content })
}

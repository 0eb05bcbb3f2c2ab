//! The Chat Completions API of OpenAI, which many others speak too.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::{Answer, NO_COUNT, NO_TEXT, Request, Role, Tokens, count, model};
use crate::key::Key;

pub(super) const BASE_URL: &str = "https://api.openai.com/v1";
pub(super) const PATH: &str = "/chat/completions";

pub(super) fn authorize(post: RequestBuilder, key: Option<&Key>) -> RequestBuilder {
    match key {
        Some(key) => post.header("authorization", key.header("Bearer ")),
        None => post,
    }
}

pub(super) fn body(request: &Request<'_>, is_providers_own: bool) -> Value {
    let messages: Vec<_> = request
        .messages
        .iter()
        .map(|message| {
            let role = match message.role {
                Role::System => "system",
                Role::User => "user",
                Role::Assistant => "assistant",
            };
            json!({ "role": role, "content": message.content })
        })
        .collect();
    // OpenAI's newer models take the new name alone; those who speak as OpenAI did know the old one, and would cut nothing.
    let limit = if is_providers_own { "max_completion_tokens" } else { "max_tokens" };
    let mut body = json!({ "model": request.model, "messages": messages });
    body[limit] = request.max_tokens.into();
    if let Some(temperature) = request.temperature {
        body["temperature"] = super::decimal(temperature);
    }
    body
}

pub(super) fn answer(body: &Value) -> Result<Answer, &'static str> {
    let input = count(body, "/usage/prompt_tokens").ok_or(NO_COUNT)?;
    let output = count(body, "/usage/completion_tokens").ok_or(NO_COUNT)?;
    let tokens = Tokens { input, output };
    let choice = body.pointer("/choices/0").ok_or(NO_TEXT)?;
    let is_refusal = choice.pointer("/message/refusal").is_some_and(Value::is_string);
    if is_refusal || choice["finish_reason"] == "content_filter" {
        return Ok(Answer::Refused { tokens });
    }
    let content = choice.pointer("/message/content").and_then(Value::as_str).ok_or(NO_TEXT)?;
    Ok(Answer::Reply { content: content.to_owned(), model: model(body), tokens })
}

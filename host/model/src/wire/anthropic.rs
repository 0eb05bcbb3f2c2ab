//! The Messages API of Anthropic.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::{Answer, NO_COUNT, NO_TEXT, Request, Role, Tokens, count, model};
use crate::key::Key;

pub(super) const BASE_URL: &str = "https://api.anthropic.com";
pub(super) const PATH: &str = "/v1/messages";

/// The version of the API that this is written for.
const VERSION: &str = "2023-06-01";

pub(super) fn authorize(post: RequestBuilder, key: Option<&Key>) -> RequestBuilder {
    let post = post.header("anthropic-version", VERSION);
    match key {
        Some(key) => post.header("x-api-key", key.header("")),
        None => post,
    }
}

pub(super) fn body(request: &Request<'_>) -> Value {
    let of_system = |role: Role| role == Role::System;
    let system: Vec<_> =
        request.messages.iter().filter(|m| of_system(m.role)).map(|message| message.content).collect();
    let messages: Vec<_> = request
        .messages
        .iter()
        .filter(|message| !of_system(message.role))
        .map(|message| {
            let role = if message.role == Role::Assistant { "assistant" } else { "user" };
            json!({ "role": role, "content": message.content })
        })
        .collect();
    let mut body = json!({ "model": request.model, "max_tokens": request.max_tokens, "messages": messages });
    if !system.is_empty() {
        body["system"] = system.join("\n\n").into();
    }
    if let Some(temperature) = request.temperature {
        body["temperature"] = super::decimal(temperature);
    }
    body
}

pub(super) fn answer(body: &Value) -> Result<Answer, &'static str> {
    // What went through the provider's cache is counted apart, and was read all the same.
    let cached = ["/usage/cache_creation_input_tokens", "/usage/cache_read_input_tokens"];
    let cached: u64 = cached.iter().filter_map(|pointer| count(body, pointer)).sum();
    let input = count(body, "/usage/input_tokens").ok_or(NO_COUNT)?;
    let output = count(body, "/usage/output_tokens").ok_or(NO_COUNT)?;
    let tokens = Tokens { input: input.saturating_add(cached), output };
    if body["stop_reason"] == "refusal" {
        return Ok(Answer::Refused { tokens });
    }
    let blocks = body["content"].as_array().ok_or(NO_TEXT)?;
    let texts =
        blocks.iter().filter(|block| block["type"] == "text").filter_map(|block| block["text"].as_str());
    Ok(Answer::Reply { content: texts.collect(), model: model(body), tokens })
}

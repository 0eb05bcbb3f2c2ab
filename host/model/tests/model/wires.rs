//! What is sent, and how what comes back is read.

use serde_json::{Value, json};
use tollgate_core::model::Provider as Kind;
use tollgate_model::{Answer, Tokens};

use crate::{
    provider::{Act, Provider, Received},
    support::{KEY, ask, ask_one_that, models},
};

/// The one request that a provider gets.
async fn sent(kind: Kind, act: Act) -> Received {
    let provider = Provider::that([act]);
    ask(&models(kind, &format!("{}/base/", provider.url()))).await.expect("an answer");
    let [received] = provider.received().try_into().expect("one request");
    received
}

#[tokio::test]
async fn anthropic_is_asked_as_it_wants_to_be() {
    let received = sent(Kind::Anthropic, Act::anthropic("Fine.", 21, 3)).await;
    assert_eq!(received.line, "POST /base/v1/messages HTTP/1.1");
    assert_eq!(received.header("x-api-key"), Some(KEY));
    assert_eq!(received.header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(received.header("authorization"), None);
    assert_eq!(
        received.body,
        json!({
            "model": "model-1",
            "max_tokens": 64,
            "temperature": 0.7,
            "system": "Be brief.",
            "messages": [
                { "role": "user", "content": "Hello" },
                { "role": "assistant", "content": "Hi" },
                { "role": "user", "content": "How are you?" },
            ],
        })
    );
}

#[tokio::test]
async fn those_who_speak_as_openai_does_are_asked_as_they_want_to_be() {
    let received = sent(Kind::OpenAi, Act::openai("Fine.", 21, 3)).await;
    assert_eq!(received.line, "POST /base/chat/completions HTTP/1.1");
    let authorization = format!("Bearer {KEY}");
    assert_eq!(received.header("authorization"), Some(authorization.as_str()));
    assert_eq!(received.header("x-api-key"), None);
    assert_eq!(
        received.body,
        json!({
            "model": "model-1",
            "max_tokens": 64,
            "temperature": 0.7,
            "messages": [
                { "role": "system", "content": "Be brief." },
                { "role": "user", "content": "Hello" },
                { "role": "assistant", "content": "Hi" },
                { "role": "user", "content": "How are you?" },
            ],
        })
    );
}

fn reply(content: &str, model: &str, input: u64, output: u64) -> Answer {
    Answer::Reply { content: content.into(), model: model.into(), tokens: Tokens { input, output } }
}

#[tokio::test]
async fn replies_are_read_with_their_counts() {
    let answer = ask_one_that(Kind::Anthropic, Act::anthropic("Fine.", 21, 3)).await;
    assert_eq!(answer, Ok(reply("Fine.", "claude-test-1", 21, 3)));
    let answer = ask_one_that(Kind::OpenAi, Act::openai("Fine.", 21, 3)).await;
    assert_eq!(answer, Ok(reply("Fine.", "gpt-test-1", 21, 3)));
    // What went through a cache was read too, and what a model thinks aloud is no text.
    let body = json!({
        "model": "claude-test-1",
        "content": [{ "type": "thinking", "thinking": "hm" }, { "type": "text", "text": "A" }, { "type": "text", "text": "B" }],
        "stop_reason": "max_tokens",
        "usage": {
            "input_tokens": 1, "cache_creation_input_tokens": 20, "cache_read_input_tokens": 300, "output_tokens": 4,
        },
    });
    let answer = ask_one_that(Kind::Anthropic, Act::body(body)).await;
    assert_eq!(answer, Ok(reply("AB", "claude-test-1", 321, 4)));
}

#[tokio::test]
async fn a_refusal_is_told_from_a_reply() {
    let refused = Ok(Answer::Refused { tokens: Tokens { input: 9, output: 1 } });
    let anthropic = json!({
        "model": "claude-test-1", "content": [], "stop_reason": "refusal",
        "usage": { "input_tokens": 9, "output_tokens": 1 },
    });
    assert_eq!(ask_one_that(Kind::Anthropic, Act::body(anthropic)).await, refused);
    let openai = |message: Value, finish_reason: &str| {
        Act::body(json!({
            "model": "gpt-test-1",
            "choices": [{ "message": message, "finish_reason": finish_reason }],
            "usage": { "prompt_tokens": 9, "completion_tokens": 1 },
        }))
    };
    let said = json!({ "content": null, "refusal": "I cannot help with that." });
    assert_eq!(ask_one_that(Kind::OpenAi, openai(said, "stop")).await, refused);
    assert_eq!(ask_one_that(Kind::OpenAi, openai(json!({ "content": "" }), "content_filter")).await, refused);
}

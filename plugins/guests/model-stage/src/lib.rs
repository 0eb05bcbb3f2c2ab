//! A stage that asks models what its settings say, and hands on what it was told.

use serde::Deserialize;
use serde_json::{Value, json};
use tollgate_plugin::model::{self, ErrorCode, Message, Request, Role};
use tollgate_plugin::{Context, Failure, Outcome, Produced, Stage, stage};

/// `{"asks": [{"text": "Hello", "max-tokens": 10}]}`
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    asks: Vec<Ask>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { asks: vec![Ask::default()] }
    }
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Ask {
    model: Option<String>,
    system: Option<String>,
    text: String,
    max_tokens: u32,
    temperature: Option<f32>,
    schema: Option<Value>,
}

impl Default for Ask {
    fn default() -> Self {
        let text = "Hello".to_string();
        Ask { model: None, system: None, text, max_tokens: 100, temperature: None, schema: None }
    }
}

struct ModelStage;

impl Stage for ModelStage {
    type Settings = Settings;

    fn run(ctx: &Context, settings: Settings) -> Result<Outcome, Failure> {
        let mut told = Vec::new();
        for ask in settings.asks {
            let system = ask.system.map(|content| Message { role: Role::System, content });
            let user = Message { role: Role::User, content: ask.text };
            let request = Request {
                model: ask.model,
                messages: system.into_iter().chain([user]).collect(),
                max_tokens: ask.max_tokens,
                temperature: ask.temperature,
                schema: ask.schema,
            };
            told.push(match model::complete(ctx, &request) {
                Ok(reply) => json!({
                    "content": reply.content,
                    "model": reply.model,
                    "input_tokens": reply.input_tokens,
                    "output_tokens": reply.output_tokens,
                    "microcents": reply.microcents,
                }),
                Err(error) => json!({ "code": word(error.code), "message": error.message }),
            });
        }
        Ok(Produced::new("asked").data(json!({ "told": told, "fuel_left": ctx.fuel_left() }))?.into())
    }
}

fn word(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::NotGranted => "not-granted",
        ErrorCode::Denied => "denied",
        ErrorCode::RateLimited => "rate-limited",
        ErrorCode::Unavailable => "unavailable",
        ErrorCode::Invalid => "invalid",
        ErrorCode::Refused => "refused",
    }
}

stage!(ModelStage);

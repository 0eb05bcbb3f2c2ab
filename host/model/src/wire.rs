//! What is said to providers and what they say, whichever way they speak.

mod anthropic;
mod openai;

use reqwest::RequestBuilder;
use serde_json::Value;
use tollgate_core::model::Provider;

use crate::key::Key;

/// What a model is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Request<'r> {
    /// Its name at its provider.
    pub model: &'r str,
    /// Oldest first.
    pub messages: Vec<Message<'r>>,
    /// Where the reply is cut.
    pub max_tokens: u32,
    /// None for the provider's default.
    pub temperature: Option<f32>,
}

/// One turn of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'r> {
    /// Who speaks.
    pub role: Role,
    /// Plain text.
    pub content: &'r str,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Whoever set the model to work.
    System,
    /// Whoever asks.
    User,
    /// The model.
    Assistant,
}

/// What a model said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A reply.
    Reply {
        /// Plain text.
        content: String,
        /// The model that answered, as its provider names it.
        model: String,
        /// What was read and written.
        tokens: Tokens,
    },
    /// It does not want to answer this.
    Refused {
        /// What was read and written.
        tokens: Tokens,
    },
}

/// Tokens that a model read and wrote, as its provider counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tokens {
    /// Read.
    pub input: u64,
    /// Written.
    pub output: u64,
}

/// How a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    Anthropic,
    OpenAi,
}

impl Wire {
    pub(crate) fn of(provider: Provider) -> Self {
        match provider {
            Provider::Anthropic => Self::Anthropic,
            Provider::OpenAi => Self::OpenAi,
        }
    }

    pub(crate) fn default_base_url(self) -> &'static str {
        match self {
            Self::Anthropic => anthropic::BASE_URL,
            Self::OpenAi => openai::BASE_URL,
        }
    }

    /// Where requests go, below the base URL.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Anthropic => anthropic::PATH,
            Self::OpenAi => openai::PATH,
        }
    }

    pub(crate) fn authorize(self, post: RequestBuilder, key: Option<&Key>) -> RequestBuilder {
        match self {
            Self::Anthropic => anthropic::authorize(post, key),
            Self::OpenAi => openai::authorize(post, key),
        }
    }

    /// The body of a request. What others take that speak as the provider does can be less than what it takes itself.
    pub(crate) fn body(self, request: &Request<'_>, is_providers_own: bool) -> Value {
        match self {
            Self::Anthropic => anthropic::body(request),
            Self::OpenAi => openai::body(request, is_providers_own),
        }
    }

    /// Reads the body of a response that says it is a success.
    ///
    /// # Errors
    ///
    /// What the provider did instead of answering.
    pub(crate) fn answer(self, body: &Value) -> Result<Answer, &'static str> {
        match self {
            Self::Anthropic => anthropic::answer(body),
            Self::OpenAi => openai::answer(body),
        }
    }
}

const NO_COUNT: &str = "answered without a count of tokens, so the answer has no price";
const NO_TEXT: &str = "answered without a text";

/// The number as it is written in decimals, not as the binary one next to it.
fn decimal(number: f32) -> Value {
    number.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

/// A number in a body.
fn count(body: &Value, pointer: &str) -> Option<u64> {
    body.pointer(pointer)?.as_u64()
}

/// The model that a body says has answered.
fn model(body: &Value) -> String {
    body["model"].as_str().unwrap_or_default().to_owned()
}

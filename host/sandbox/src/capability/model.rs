//! `model`: a language model behind the host.
//!
//! Properties wanted:
//!
//! 1. A request costs at most what was set aside for it before it was sent: its bytes bound the tokens that are read, `max-tokens`
//!    those that are written. What the provider counts is charged; what may have happened without a count is charged at its largest.
//! 2. Every request to the provider is a journal entry of its own, those that are repeated because nothing or nothing fitting came
//!    included. So a host that is killed between two of them pays for neither twice, and a guest that is fed takes the same way.
//! 3. A model that answers later makes the run wait, not fail. One that does not answer is no fault of the guest's.
//! 4. The guest learns neither the key nor what else the provider said.

mod ask;
mod schema;

use std::{sync::Arc, time::Duration};

use tollgate_core::{
    Digest, Microcents,
    journal::{Answer, CallClass},
    model::PinnedModel,
};
use wasmtime::{StoreContextMut, component::LinkerInstance};

use self::ask::Ask;
use super::{
    Copied as _, enter,
    journal::{self, Question},
    pay_for,
};
use crate::{
    CallModels,
    bindings::v0_1::tollgate::plugin::model as wit,
    budget::MODEL_REQUESTS,
    host::{Host, Stop},
    load::MODEL,
    port::{self, Completion, ModelRequest, Tokens},
};

/// How long to wait before each request when the one before it was not answered.
const WAITS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(500), Duration::from_secs(2)];

type Told = Result<wit::Reply, wit::Error>;

pub(crate) fn link(model: &mut LinkerInstance<'_, Host>) -> wasmtime::Result<()> {
    model.func_wrap_async("complete", |mut store: StoreContextMut<'_, Host>, (request,): (wit::Request,)| {
        Box::new(async move {
            enter(&mut store, request.copied_bytes())?;
            let told = complete(&mut store, request).await?;
            pay_for(&mut store, &told)?;
            Ok((told,))
        })
    })
}

/// The models of one call, and what it has used of them.
pub(crate) struct Models {
    granted: Vec<(String, PinnedModel)>,
    port: Arc<dyn port::Model>,
    token_limit: Option<u64>,
    used: Tokens,
    charged: Microcents,
    requests: u32,
}

impl Models {
    pub(crate) fn new(models: &CallModels, token_limit: Option<u64>) -> Self {
        Self {
            granted: models.granted.clone(),
            port: Arc::clone(&models.port),
            token_limit,
            used: Tokens::default(),
            charged: Microcents::ZERO,
            requests: 0,
        }
    }

    /// Tokens that were read and written; where nobody knows, the most that it can have been.
    pub(crate) fn used(&self) -> Tokens {
        self.used
    }

    /// Counts a request that is about to be made.
    ///
    /// # Errors
    ///
    /// When the call may make no such request any more.
    fn admit(&mut self, largest: Tokens) -> Result<(), wit::Error> {
        if self.requests >= MODEL_REQUESTS {
            return Err(denied(format!("a call may make {MODEL_REQUESTS} requests to models, and has")));
        }
        let total = self.used + largest;
        let total = total.input.saturating_add(total.output);
        if let Some(limit) = self.token_limit.filter(|limit| total > *limit) {
            let used = self.used.input.saturating_add(self.used.output);
            return Err(denied(format!(
                "the request may take up to {} tokens; the stage may use {limit}, and has used {used}",
                total - used
            )));
        }
        self.requests += 1;
        Ok(())
    }
}

/// Asks, and once more where the reply does not satisfy the schema.
async fn complete(store: &mut StoreContextMut<'_, Host>, request: wit::Request) -> wasmtime::Result<Told> {
    let Ask { mut request, model, schema } = match Ask::read(&store.data().models.granted, request) {
        Ok(ask) => ask,
        Err(error) => return Ok(Err(error)),
    };
    let charged_before = store.data().models.charged;
    let mut reply = match converse(store, &model, &request).await? {
        Ok(reply) => reply,
        Err(error) => return Ok(Err(error)),
    };
    if let Some(schema) = schema {
        let content = match schema.fit(&reply.content) {
            Ok(content) => content,
            Err(reason) => {
                ask::say_what_is_wrong(&mut request, &reply.content, &reason);
                let second = match converse(store, &model, &request).await? {
                    Ok(second) => second,
                    Err(error) => return Ok(Err(error)),
                };
                reply.input_tokens = reply.input_tokens.saturating_add(second.input_tokens);
                reply.output_tokens = reply.output_tokens.saturating_add(second.output_tokens);
                match schema.fit(&second.content) {
                    Ok(content) => content,
                    Err(reason) => {
                        let name = &request.name;
                        let what =
                            format!("`{name}` was asked twice and does not satisfy the schema: {reason}");
                        return Ok(Err(error("invalid", what)));
                    }
                }
            }
        };
        reply.content = content;
    }
    reply.microcents = store.data().models.charged.saturating_sub(charged_before).0;
    Ok(Ok(reply))
}

/// Asks until there is an answer, or there have been enough requests.
async fn converse(
    store: &mut StoreContextMut<'_, Host>,
    model: &PinnedModel,
    request: &ModelRequest,
) -> wasmtime::Result<Told> {
    let largest = ask::largest(request);
    let name = &request.name;
    let mut unanswered = String::new();
    for wait in WAITS {
        if let Err(denied) = store.data_mut().models.admit(largest) {
            return Ok(Err(denied));
        }
        match once(store, model, request, largest, wait).await? {
            Completion::Reply { content, model, tokens } => {
                return Ok(Ok(wit::Reply {
                    content,
                    model,
                    input_tokens: tokens.input,
                    output_tokens: tokens.output,
                    microcents: 0,
                }));
            }
            Completion::Refused { .. } => {
                return Ok(Err(error("refused", format!("`{name}` refuses to answer this"))));
            }
            Completion::Invalid { reason } => return Ok(Err(error("invalid", reason))),
            Completion::Misconfigured { reason } => {
                return Err(store.data_mut().stop(Stop::Misconfigured(reason)).into());
            }
            Completion::Lost { reason } | Completion::Unreachable { reason } => unanswered = reason,
        }
    }
    let what = format!("the model `{name}` was asked {} times and did not answer: {unanswered}", WAITS.len());
    Err(store.data_mut().stop(Stop::Unavailable(what)).into())
}

/// One request to the provider, or what came of it before.
async fn once(
    store: &mut StoreContextMut<'_, Host>,
    model: &PinnedModel,
    request: &ModelRequest,
    largest: Tokens,
    wait: Duration,
) -> wasmtime::Result<Completion> {
    let price = |tokens: Tokens| model.price.of(tokens.input, tokens.output);
    let question = Question {
        interface: MODEL,
        function: "complete",
        request: Digest::of_json(request),
        class: CallClass::Repeatable,
        largest_cost: price(largest),
    };
    let port = Arc::clone(&store.data().models.port);
    let act = async |_key| {
        tokio::time::sleep(wait).await;
        let completion = port.complete(request).await?;
        let cost = price(charged(&completion, largest));
        let body = serde_json::to_value(&completion).expect("texts and numbers are JSON");
        Ok(Answer { body, cost })
    };
    let body = journal::ask(store, question, act).await?;
    let completion: Completion = serde_json::from_value(body).map_err(|error| {
        let what = format!("the journal holds an answer that is none of a model: {error}");
        store.data_mut().stop(Stop::Platform(what))
    })?;
    let tokens = charged(&completion, largest);
    let models = &mut store.data_mut().models;
    models.used = models.used + tokens;
    models.charged = models.charged + price(tokens);
    Ok(completion)
}

/// The tokens that have to be paid.
fn charged(completion: &Completion, largest: Tokens) -> Tokens {
    match completion {
        Completion::Reply { tokens, .. } | Completion::Refused { tokens } => *tokens,
        Completion::Lost { .. } => largest,
        Completion::Invalid { .. } | Completion::Unreachable { .. } | Completion::Misconfigured { .. } => {
            Tokens::default()
        }
    }
}

fn error(code: &str, message: String) -> wit::Error {
    wit::Error { code: code.to_owned(), message }
}

/// What a plugin is told that said that it can do without, and has to.
fn not_granted() -> wit::Error {
    error("not-granted", "no model was granted".into())
}

fn denied(message: String) -> wit::Error {
    error("denied", message)
}

fn invalid(message: String) -> wit::Error {
    error("invalid", message)
}

//! One request to a provider over HTTP, and what its response means.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use serde_json::Value;

use crate::{Answer, AskError, Request, key::Key, rest, wire::Wire};

/// More than any reply: the tokens of a reply are bounded, and what a provider adds to it is small.
const RESPONSE_BYTES: usize = 16 << 20;

/// Where a model is asked.
#[derive(Debug)]
pub(crate) struct Endpoint {
    /// The project's name for the model.
    pub(crate) name: String,
    pub(crate) wire: Wire,
    pub(crate) url: String,
    /// Whether that is the provider's own place, and not another that speaks as it does.
    pub(crate) is_providers_own: bool,
    pub(crate) key: Option<Key>,
    pub(crate) timeout: Duration,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The provider wants to be left alone, for as long as it says, if it says.
    LeaveAlone(Option<Duration>),
    /// Something else.
    Asked(AskError),
}

impl From<AskError> for Failed {
    fn from(error: AskError) -> Self {
        Self::Asked(error)
    }
}

/// Sends a request and reads its response.
pub(crate) async fn exchange(
    client: &Client,
    endpoint: &Endpoint,
    request: &Request<'_>,
) -> Result<Answer, Failed> {
    let body = endpoint.wire.body(request, endpoint.is_providers_own).to_string();
    let post =
        client.post(&endpoint.url).timeout(endpoint.timeout).header("content-type", "application/json");
    let post = endpoint.wire.authorize(post, endpoint.key.as_ref());
    let response = post.body(body).send().await.map_err(|error| endpoint.not_sent(&error))?;
    let status = response.status();
    let named_wait = rest::named_wait(response.headers());
    if status.is_success() {
        let body = read(response, endpoint).await?;
        let value = serde_json::from_slice(&body)
            .map_err(|_| endpoint.lost("answered with something that is no JSON".into()))?;
        return endpoint.wire.answer(&value).map_err(|what| endpoint.lost(what.to_owned()).into());
    }
    match status.as_u16() {
        429 => {
            // The same status, and no waiting helps: whoever pays has to.
            let body = read(response, endpoint).await.unwrap_or_default();
            if is_out_of_money(&body) {
                return Err(endpoint
                    .misconfigured("its provider says that the account has no money left")
                    .into());
            }
            Err(Failed::LeaveAlone(named_wait))
        }
        529 => Err(Failed::LeaveAlone(named_wait)),
        503 if named_wait.is_some() => Err(Failed::LeaveAlone(named_wait)),
        _ => Err(endpoint.refused(status).into()),
    }
}

fn is_out_of_money(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    body.pointer("/error/code").and_then(Value::as_str) == Some("insufficient_quota")
}

/// The body of a response, as long as it is not absurd.
async fn read(mut response: Response, endpoint: &Endpoint) -> Result<Vec<u8>, AskError> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= RESPONSE_BYTES => body.extend_from_slice(&chunk),
            Ok(Some(_)) => {
                return Err(endpoint.lost(format!("answered with more than {RESPONSE_BYTES} bytes")));
            }
            Ok(None) => return Ok(body),
            Err(error) if error.is_timeout() => return Err(endpoint.too_slow()),
            Err(_) => return Err(endpoint.lost("broke off in the middle of its answer".into())),
        }
    }
}

impl Endpoint {
    /// Why nothing came. The error of the library is not shown: it names the URL.
    fn not_sent(&self, error: &reqwest::Error) -> AskError {
        if error.is_connect() {
            return AskError::Unreachable { model: self.name.clone() };
        }
        if error.is_timeout() {
            return self.too_slow();
        }
        if error.is_builder() {
            return self.misconfigured("its `base_url` is no URL that can be asked");
        }
        self.lost("hung up without an answer".into())
    }

    /// What a status means that is no success.
    fn refused(&self, status: StatusCode) -> AskError {
        match status.as_u16() {
            401 | 403 => self.misconfigured(&format!(
                "its provider does not accept the key (status {}); look at `key` in [model.{}]",
                status.as_u16(),
                self.name
            )),
            402 => self.misconfigured("its provider says that the account has no money left"),
            404 => self.misconfigured(&format!(
                "its provider does not know it (status 404); look at `model` and `base_url` in [model.{}]",
                self.name
            )),
            300..=399 => self.misconfigured(&format!(
                "its `base_url` leads elsewhere (status {}), and a key is not carried there",
                status.as_u16()
            )),
            408 | 500.. => self.lost(format!("answered with status {}", status.as_u16())),
            status => AskError::Rejected { model: self.name.clone(), status },
        }
    }

    fn too_slow(&self) -> AskError {
        self.lost(format!("has not answered within {} s", self.timeout.as_secs_f64()))
    }

    fn lost(&self, what: String) -> AskError {
        AskError::Lost { model: self.name.clone(), what }
    }

    fn misconfigured(&self, what: &str) -> AskError {
        AskError::Misconfigured { model: self.name.clone(), what: what.to_owned() }
    }
}

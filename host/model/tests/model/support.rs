//! A model of a provider on this machine.

use std::{collections::BTreeMap, path::Path, time::Duration};

use tollgate_core::{
    Microcents,
    model::{KeySource, ModelSpec, PinnedModel, Provider as Kind, TokenPrice},
};
use tollgate_model::{Answer, AskError, Message, Models, Request, Role};

use crate::provider::Provider;

/// The key that no output may show.
pub(crate) const KEY: &str = "sk-live-4f9d1c77a2";

/// Long enough for a machine that is busy, short enough to wait for.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(700);

pub(crate) fn models(kind: Kind, base_url: &str) -> Models {
    let spec = ModelSpec {
        provider: kind,
        base_url: Some(base_url.to_owned()),
        key: Some(KeySource::Environment("THE_KEY".into())),
        timeout: TIMEOUT,
        pinned: PinnedModel {
            model: "model-1".into(),
            price: TokenPrice { input_per_million: Microcents(1), output_per_million: Microcents(1) },
            max_tokens: 100,
        },
    };
    let specs = BTreeMap::from([("deep".to_owned(), spec)]);
    let variable = |name: &str| (name == "THE_KEY").then(|| KEY.to_owned());
    Models::open(&specs, Path::new("."), &variable).expect("a key and a client")
}

/// Both ways in which providers speak.
pub(crate) const KINDS: [Kind; 2] = [Kind::Anthropic, Kind::OpenAi];

pub(crate) fn request() -> Request<'static> {
    Request {
        model: "model-1",
        messages: vec![
            Message { role: Role::System, content: "Be brief." },
            Message { role: Role::User, content: "Hello" },
            Message { role: Role::Assistant, content: "Hi" },
            Message { role: Role::User, content: "How are you?" },
        ],
        max_tokens: 64,
        temperature: Some(0.7),
    }
}

/// Asks once. Whatever comes of it, the key is not in it.
pub(crate) async fn ask(models: &Models) -> Result<Answer, AskError> {
    let answer = models.ask("deep", &request()).await;
    let shown = match &answer {
        Ok(answer) => format!("{answer:?} {models:?}"),
        Err(error) => format!("{error} {error:?} {models:?}"),
    };
    assert!(!shown.contains(KEY), "{shown}");
    answer
}

/// Asks a provider once that does this.
pub(crate) async fn ask_one_that(kind: Kind, act: crate::provider::Act) -> Result<Answer, AskError> {
    let provider = Provider::that([act]);
    ask(&models(kind, &provider.url())).await
}

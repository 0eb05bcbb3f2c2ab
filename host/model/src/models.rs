//! The models of a project.

use std::{
    collections::BTreeMap,
    fmt,
    path::Path,
    time::{Duration, Instant},
};

use reqwest::{Client, redirect};
use tollgate_core::model::ModelSpec;

use crate::{
    Answer, AskError, OpenError, Request,
    exchange::{self, Endpoint},
    key::Key,
    rest::Rest,
    wire::Wire,
};

/// How long it may take until a provider takes the line.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Models that can be asked, by the project's names for them.
pub struct Models {
    /// None where there is nobody to ask.
    client: Option<Client>,
    by_name: BTreeMap<String, Model>,
}

/// One model.
struct Model {
    endpoint: Endpoint,
    rest: Rest,
}

impl Models {
    /// Reads the keys of these models. `variable` is the environment; a file is one in `project` unless its path is absolute.
    ///
    /// # Errors
    ///
    /// When a key is not where it should be, or this machine makes no connections.
    pub fn open<'m>(
        specs: impl IntoIterator<Item = (&'m String, &'m ModelSpec)>,
        project: &Path,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, OpenError> {
        let model = |(name, spec): (&String, &ModelSpec)| {
            let key =
                spec.key.as_ref().map(|source| Key::read(name, source, project, variable)).transpose()?;
            let wire = Wire::of(spec.provider);
            let base = spec.base_url.as_deref().unwrap_or(wire.default_base_url());
            let endpoint = Endpoint {
                name: name.clone(),
                wire,
                url: format!("{}{}", base.trim_end_matches('/'), wire.path()),
                is_providers_own: spec.base_url.is_none(),
                key,
                timeout: spec.timeout,
            };
            Ok((name.clone(), Model { endpoint, rest: Rest::default() }))
        };
        let by_name: BTreeMap<_, _> = specs.into_iter().map(model).collect::<Result<_, OpenError>>()?;
        let client = if by_name.is_empty() { None } else { Some(client()?) };
        Ok(Self { client, by_name })
    }

    /// One request to a model, and one reply.
    ///
    /// # Errors
    ///
    /// What became of a request that got no answer.
    pub async fn ask(&self, name: &str, request: &Request<'_>) -> Result<Answer, AskError> {
        let (Some(client), Some(model)) = (&self.client, self.by_name.get(name)) else {
            let what = "no pipeline in use is granted it any more".to_owned();
            return Err(AskError::Misconfigured { model: name.to_owned(), what });
        };
        let limited = |wait| AskError::RateLimited { model: name.to_owned(), wait };
        model.rest.check(Instant::now()).map_err(limited)?;
        match exchange::exchange(client, &model.endpoint, request).await {
            Ok(answer) => {
                model.rest.end();
                Ok(answer)
            }
            Err(exchange::Failed::LeaveAlone(wait)) => Err(limited(model.rest.begin(wait, Instant::now()))),
            Err(exchange::Failed::Asked(error)) => Err(error),
        }
    }
}

fn client() -> Result<Client, OpenError> {
    // A key is for the place that the project names, and for no other that this one may point to.
    let client = Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(redirect::Policy::none())
        .user_agent(concat!("tollgate/", env!("CARGO_PKG_VERSION")));
    client.build().map_err(|error| OpenError::NoClient(error.to_string()))
}

impl fmt::Debug for Models {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_name.keys()).finish()
    }
}

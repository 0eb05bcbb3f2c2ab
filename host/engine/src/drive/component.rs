//! Components, ready to be called.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tollgate_core::{
    Digest,
    course::Component,
    pins::PinnedPlugin,
    step::{FailureClass, Fault, StepFailure},
};
use tollgate_registry::{Manifest, Registry, manifest::Reads};
use tollgate_sandbox::Grants;

use crate::port::{Guest, Guests};

/// A component that can be called.
#[derive(Clone)]
pub(super) struct Ready {
    pub(super) guest: Arc<dyn Guest>,
    pub(super) manifest: Arc<Manifest>,
}

/// The components of a host, compiled at most once for each digest and set of grants.
pub(crate) struct Components {
    guests: Arc<dyn Guests>,
    registry: Arc<Registry>,
    ready: Mutex<HashMap<(Digest, Vec<String>), Ready>>,
}

impl Components {
    pub(crate) fn new(guests: Arc<dyn Guests>, registry: Arc<Registry>) -> Self {
        Self { guests, registry, ready: Mutex::default() }
    }

    /// The component of a step; a failure of the step when there is none.
    pub(super) async fn ready(
        &self,
        pinned: Option<&PinnedPlugin>,
        component: &Component<'_>,
    ) -> Result<Ready, StepFailure> {
        let Some(pinned) = pinned else {
            return Err(missing(format!("the run is not pinned to a version of `{}`", component.plugin)));
        };
        let key = (pinned.digest, component.grants.to_vec());
        if let Some(ready) = self.lock().get(&key) {
            return Ok(ready.clone());
        }
        let version = self.registry.resolve(&pinned.digest.to_string()).map_err(|_| {
            missing(format!(
                "the run is pinned to {} {} ({}), which is no longer among the plugins",
                pinned.name,
                pinned.version,
                pinned.digest.short()
            ))
        })?;
        let grants = Grants {
            given: component.grants.to_vec(),
            optional: version.manifest().optional.iter().cloned().collect(),
        };
        let guest = self.guests.prepare(pinned.digest, version.component(), grants).await?;
        let ready = Ready { guest, manifest: Arc::new(version.manifest().clone()) };
        self.lock().insert(key, ready.clone());
        Ok(ready)
    }

    /// The parts of an entry that a plugin reads: all, where that cannot be found out.
    pub(super) fn reads(&self, pinned: Option<&PinnedPlugin>) -> Vec<String> {
        let version = pinned.and_then(|pinned| self.registry.resolve(&pinned.digest.to_string()).ok());
        match version.map(|version| &version.manifest().reads) {
            Some(Reads::Only(parts)) => parts.iter().cloned().collect(),
            Some(Reads::All) | None => vec!["*".to_owned()],
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(Digest, Vec<String>), Ready>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn missing(message: String) -> StepFailure {
    StepFailure {
        fault: Fault::Unloadable,
        class: FailureClass::Configuration,
        message,
        retry_at: None,
        detail: None,
    }
}

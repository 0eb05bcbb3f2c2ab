//! Lanes and pins of a policy: what runs will be pinned to, decided before anything is claimed.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use tollgate_core::{
    Digest, Microcents,
    pins::{PinnedPlugin, Pins},
    pipeline::Pipeline,
    run::RunKind,
};
use tollgate_policy::{Backlog, Policy};
use tollgate_registry::Registry;
use tollgate_store::{
    Store, StoreError,
    port::{LaneSpec, PolicyApplication},
};

use crate::applied;

/// The application of a policy: every lane with the pins of its runs.
///
/// Plugin requests that resolve to nothing are left out of the pins: a check refuses such a policy before it gets here, and a run
/// that meets one all the same fails by name.
pub fn application(
    policy: &Policy,
    registry: &Registry,
    engine_id: &str,
    who: &str,
    why: &str,
) -> PolicyApplication {
    let work = policy.lanes().map(|lane| (lane, RunKind::Work));
    let refine = policy.refine_lanes().map(|lane| (lane, RunKind::Refine));
    let lanes = work.chain(refine).map(|((backlog, pipeline), kind)| {
        let pins = pins_of(policy, backlog, pipeline, registry, engine_id);
        let tranche = first_tranche(&pins);
        LaneSpec { backlog: backlog.name.clone(), pipeline: pipeline.name.clone(), kind, pins, tranche }
    });
    let lanes: Vec<LaneSpec> = lanes.collect();
    PolicyApplication {
        digest: digest(policy, &lanes),
        lanes,
        files: applied::files(policy),
        who: who.to_owned(),
        why: why.to_owned(),
        caps: policy.caps.clone(),
    }
}

/// What is applied is the policy together with what it resolves to: a new plugin version is a new application.
fn digest(policy: &Policy, lanes: &[LaneSpec]) -> Digest {
    let pins: Vec<Digest> = lanes.iter().map(|lane| lane.pins.digest()).collect();
    Digest::of_json(&(policy.digest(), pins))
}

fn pins_of(
    policy: &Policy,
    backlog: &Backlog,
    pipeline: &Pipeline,
    registry: &Registry,
    engine_id: &str,
) -> Pins {
    let mut plugins = BTreeMap::new();
    for request in pipeline.plugin_requests().keys() {
        if let Ok(version) = registry.resolve(request) {
            plugins.insert(
                (*request).to_owned(),
                PinnedPlugin {
                    name: version.name().to_owned(),
                    version: version.semver().to_string(),
                    digest: version.digest(),
                    contract: version.manifest().contract.to_string(),
                },
            );
        }
    }
    Pins {
        pipeline: pipeline.clone(),
        plugins,
        engine: engine_id.to_owned(),
        prices: policy.prices,
        models: policy.models_of(pipeline).map(|(name, spec)| (name.clone(), spec.pinned.clone())).collect(),
        zone: backlog.zone.iana_name().unwrap_or("UTC").to_owned(),
        policy: policy.digest(),
    }
}

/// Every step once, at its fuel limit, within what a run may cost at all.
pub fn first_tranche(pins: &Pins) -> Microcents {
    let steps: Microcents = pins.pipeline.step_budgets().map(|budget| pins.prices.of_fuel(budget.fuel)).sum();
    steps.min(pins.pipeline.budget.cost)
}

/// Pins by digest, read from the store once. Thousands of runs share a handful.
#[derive(Default)]
pub(crate) struct PinCache {
    known: Mutex<HashMap<Digest, Arc<Pins>>>,
}

impl PinCache {
    pub(crate) async fn get(&self, store: &dyn Store, digest: Digest) -> Result<Arc<Pins>, StoreError> {
        if let Some(pins) = self.lock().get(&digest) {
            return Ok(Arc::clone(pins));
        }
        let pins = Arc::new(store.pins(digest).await?);
        self.lock().insert(digest, Arc::clone(&pins));
        Ok(pins)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, Arc<Pins>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

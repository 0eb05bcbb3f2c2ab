//! What a run is pinned to when it starts.
//!
//! Pins say what is done; whether a run may go on (stops, pauses, windows, caps) is asked live. They are stored once under
//! their digest, since thousands of runs share them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Digest, Microcents, model::PinnedModel, pipeline::Pipeline};

/// Everything that decides what a run does, besides the entry itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pins {
    /// Stages, gates, thresholds, grants, settings and limits.
    pub pipeline: Pipeline,
    /// What each plugin request of the pipeline was resolved to.
    pub plugins: BTreeMap<String, PinnedPlugin>,
    /// The WebAssembly engine and its settings: fuel is exact within one.
    pub engine: String,
    /// The prices that costs are computed with.
    pub prices: Prices,
    /// The models that the pipeline grants, by the project's names for them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub models: BTreeMap<String, PinnedModel>,
    /// The time zone of the backlog's days.
    #[serde(default = "utc", skip_serializing_if = "is_utc")]
    pub zone: String,
    /// The policy that was applied.
    pub policy: Digest,
}

fn utc() -> String {
    "UTC".into()
}

fn is_utc(zone: &str) -> bool {
    zone == "UTC"
}

impl Pins {
    /// The digest under which they are stored.
    pub fn digest(&self) -> Digest {
        Digest::of_json(self)
    }
}

/// One version of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PinnedPlugin {
    /// Its name.
    pub name: String,
    /// Its semantic version.
    pub version: String,
    /// The digest of the component.
    pub digest: Digest,
    /// The contract that it speaks, e.g. `0.1`.
    pub contract: String,
}

/// What things cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Prices {
    /// A thousand million units of fuel: about a tenth of a second of one core.
    pub per_gigafuel: Microcents,
}

impl Prices {
    /// What `fuel` costs, rounded up, so that no call is free.
    pub fn of_fuel(&self, fuel: u64) -> Microcents {
        let cost = (u128::from(fuel) * u128::from(self.per_gigafuel.0)).div_ceil(1_000_000_000);
        Microcents(u64::try_from(cost).unwrap_or(u64::MAX))
    }
}

impl Default for Prices {
    /// A cent for a hundred thousand million units: about ten seconds of one core.
    fn default() -> Self {
        Self { per_gigafuel: Microcents(10_000) }
    }
}

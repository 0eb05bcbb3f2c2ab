//! Policy as a store keeps it: lanes, caps, pins.

use serde::{Deserialize, Serialize};
use tollgate_core::{
    Digest, LaneId, Microcents, Timestamp,
    ledger::{Cap, CapBalance},
    pins::Pins,
    run::RunKind,
};

/// A policy to apply.
#[derive(Debug, Clone)]
pub struct PolicyApplication {
    /// The digest of everything in it.
    pub digest: Digest,
    /// Its files.
    pub files: Vec<PolicyFile>,
    /// Who applied it.
    pub who: String,
    /// Why.
    pub why: String,
    /// Its lanes.
    pub lanes: Vec<LaneSpec>,
    /// Its caps.
    pub caps: Vec<Cap>,
}

/// A file of a policy, as its author wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyFile {
    /// Relative to the project.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// A lane to be.
#[derive(Debug, Clone)]
pub struct LaneSpec {
    /// The backlog.
    pub backlog: String,
    /// The pipeline.
    pub pipeline: String,
    /// What its runs are for.
    pub kind: RunKind,
    /// What a run that starts now is pinned to.
    pub pins: Pins,
    /// What is set aside at claim: every step once, at its fuel limit.
    pub tranche: Microcents,
}

/// The applied policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedPolicy {
    /// Counts up with every change.
    pub version: i64,
    /// Its digest.
    pub digest: Digest,
    /// Who applied it.
    pub who: String,
    /// Why.
    pub why: String,
    /// When.
    pub at: Timestamp,
    /// Its lanes.
    pub lanes: Vec<Lane>,
    /// Its files: what every host acts on, whatever stands on its own disk.
    pub files: Vec<PolicyFile>,
}

/// A lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// Its number.
    pub id: LaneId,
    /// The backlog.
    pub backlog: String,
    /// The pipeline.
    pub pipeline: String,
    /// What its runs are for.
    pub kind: RunKind,
    /// What a run that starts now is pinned to.
    pub pins: Digest,
}

/// Where a cap stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapBalanceReport {
    /// Which cap.
    pub cap: Cap,
    /// Which period, e.g. `2026-11-21`.
    pub period: String,
    /// When the next one begins.
    pub until: Timestamp,
    /// Where it stands.
    pub balance: CapBalance,
}

//! Claims and leases.

use std::{collections::BTreeSet, time::Duration};

use tollgate_core::{
    EntryId, HostId, LaneId, Microcents, RunId, Timestamp,
    entry::EntrySnapshot,
    id::DeliveryId,
    ledger::Cap,
    record::OrderFacts,
    run::{Claim, RunSummary},
};

/// A wish for work.
#[derive(Debug, Clone)]
pub struct ClaimRequest {
    /// Who asks.
    pub host: HostId,
    /// For how long, before it must be renewed.
    pub lease: Duration,
    /// The lanes whose window is open.
    pub lanes: Vec<LaneId>,
    /// The id that a new run gets; made by the host, so that a claim whose answer was lost can be recognised.
    pub new_run: RunId,
    /// Only runs that begun before: what a host asks for while it drains. A stop with [`StopMode::Drain`](super::StopMode) does
    /// not refuse these.
    pub only_begun: bool,
    /// Only these entries, when not empty: what `run --items` and `run --once KEY` ask for.
    pub only: Vec<EntryId>,
}

/// What a claim gave.
#[derive(Debug, Clone)]
pub enum ClaimOutcome {
    /// A run to drive.
    Claimed(Box<ClaimedRun>),
    /// Nothing waits in the open lanes.
    Nothing,
    /// Something waits, and a cap has no room for its first tranche.
    CapReached {
        /// Which cap.
        cap: Cap,
        /// When its next period begins.
        until: Timestamp,
    },
    /// Hosts were asked to stop.
    Stopped,
}

/// A run to drive.
#[derive(Debug, Clone)]
pub struct ClaimedRun {
    /// The right to drive it.
    pub claim: Claim,
    /// The run; `lost_hosts` says who vanished while they drove it.
    pub run: RunSummary,
    /// What it works on: what the entry said when the run was born.
    pub snapshot: EntrySnapshot,
    /// The backlog it came by, the score when it was claimed first, and its terms.
    pub order: OrderFacts,
    /// Whether it began before: then its steps are in [`Store::run`](super::Store::run).
    pub begun: bool,
    /// What is set aside for it and not spent.
    pub escrow: Microcents,
    /// What the runs of the entries that it opened have cost and set aside.
    pub children_cost: Microcents,
    /// When the claim was made.
    pub claimed_at: Timestamp,
}

/// What a sweep found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sweep {
    /// Runs whose lease had lapsed.
    pub lapsed_runs: Vec<RunId>,
    /// Deliveries whose lease had lapsed.
    pub lapsed_deliveries: Vec<DeliveryId>,
    /// The hosts that held any of them.
    pub lost_hosts: BTreeSet<HostId>,
}

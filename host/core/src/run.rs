//! Runs: one journey of one entry through one pipeline.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Digest, EntryId, HostId, LaneId, Microcents, RunId, Timestamp, approval::Ask, entry::EntryName,
    lease::Fence,
};

/// The life of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// A host drives it, or will as soon as one has a worker free.
    Running,
    /// It waits for something, and holds nothing.
    Waiting,
    /// Every stage passed.
    Done,
    /// It could not go on.
    Failed,
    /// A person must decide.
    Escalated,
    /// A person ended it.
    Cancelled,
}

impl RunState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Running, Self::Waiting, Self::Done, Self::Failed, Self::Escalated, Self::Cancelled];

    /// The word used in stores, commands and records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Escalated => "escalated",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether anything may still happen to it.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Running | Self::Waiting)
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RunKind {
    /// Does the work of the entry.
    Work,
    /// Finds out more about the entry, before it is judged.
    Refine,
}

impl RunKind {
    /// The word used in stores and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Refine => "refine",
        }
    }
}

/// The right to drive a run: every write of a driver names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Claim {
    /// Which run.
    pub run: RunId,
    /// The number that a stale driver lacks.
    pub fence: Fence,
}

impl RunSummary {
    /// The host that vanished, of a run that no other has taken over yet.
    pub fn abandoned_by(&self) -> Option<&HostId> {
        self.lost_hosts
            .last()
            .filter(|lost| self.state == RunState::Running && !self.driven && **lost == self.host)
    }
}

/// A run in one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunSummary {
    /// Which run.
    pub id: RunId,
    /// Its entry's number in this store.
    #[schemars(with = "i64")]
    pub entry_id: EntryId,
    /// Its entry.
    pub entry: EntryName,
    /// The entry's title when the run began.
    pub title: String,
    /// The lane that it came by.
    #[schemars(with = "i64")]
    pub lane: LaneId,
    /// Its pipeline.
    pub pipeline: String,
    /// What it is for.
    pub kind: RunKind,
    /// 1 for the first work on the entry; a retry begins the next.
    pub round: u32,
    /// Its life.
    pub state: RunState,
    /// Why it ended or what it waits for.
    pub reason: Option<String>,
    /// What a person is asked before it goes on.
    #[serde(default)]
    pub ask: Option<Ask>,
    /// The host that drives it or drove it last.
    pub host: HostId,
    /// Whether a host holds it now.
    pub driven: bool,
    /// Hosts that vanished while they drove it, in that order: their lease on it lapsed, and they were not heard of since.
    pub lost_hosts: Vec<HostId>,
    /// How often it has been claimed.
    pub fence: Fence,
    /// How often a host's lease on it lapsed.
    pub crashes: u32,
    /// When it was first claimed.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What it has cost.
    pub cost: Microcents,
    /// What it is pinned to.
    pub pins: Digest,
    /// The entry's revision that it works on.
    pub revision: Digest,
    /// Whether it is known by its record alone, because the store that it was kept in is gone.
    #[serde(default)]
    pub rebuilt: bool,
}

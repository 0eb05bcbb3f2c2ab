//! What waits for a person.

use tollgate_core::{
    Microcents, Timestamp, course::Stopped, entry::EntryStatus, escalation::EscalationKind, run::RunSummary,
    step::Finding,
};

/// Something that waits for a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Escalation {
    /// For what.
    pub kind: EscalationKind,
    /// Since when.
    pub since: Timestamp,
    /// Who is asked; none where anyone is.
    pub role: Option<String>,
    /// The entry, with all that holds it.
    pub entry: EntryStatus,
    /// The run that asks, or that was given to a person; none for an entry that is held.
    pub run: Option<RunSummary>,
    /// For a run that cannot pay for what it opened: how much more that needs, at the most.
    pub more: Option<Microcents>,
    /// For a run that was given to a person: where it stopped, why, and what to do next.
    pub stopped: Option<Stopped>,
    /// What the gate found that gave it to a person, or could not judge it.
    pub findings: Vec<Finding>,
}

/// Which of those.
#[derive(Debug, Clone, Default)]
pub struct EscalationFilter {
    /// Of these kinds only; all, when empty.
    pub kinds: Vec<EscalationKind>,
    /// For this role only.
    pub role: Option<String>,
    /// For none of these roles.
    pub not_roles: Vec<String>,
    /// How many at the most; 0 for all.
    pub limit: u32,
    /// After how many.
    pub offset: u32,
}

//! The rules, as the code knows them. `plugin.toml` holds their summaries and reasons for people.

use serde::{Deserialize, Serialize};
use tollgate_plugin::Severity;

/// A rule of this gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RuleId {
    /// The problem is stated.
    #[serde(rename = "SPEC-001")]
    Problem,
    /// No vague word stands without a measure.
    #[serde(rename = "SPEC-002")]
    Measure,
    /// There is an acceptance criterion.
    #[serde(rename = "SPEC-003")]
    Acceptance,
    /// Each requirement is traced to a criterion.
    #[serde(rename = "SPEC-004")]
    Trace,
    /// Nothing has still to be written.
    #[serde(rename = "SPEC-005")]
    Placeholder,
    /// No requirement is said twice.
    #[serde(rename = "SPEC-006")]
    Duplicate,
    /// Few enough questions are open.
    #[serde(rename = "SPEC-007")]
    OpenQuestions,
    /// A requirement is one short statement.
    #[serde(rename = "SPEC-008")]
    Atomic,
    /// The sections are there and none is empty.
    #[serde(rename = "SPEC-009")]
    Sections,
    /// Each reference leads somewhere.
    #[serde(rename = "SPEC-010")]
    Reference,
    /// The boundary is stated.
    #[serde(rename = "SPEC-011")]
    Boundary,
    /// The title tells this work from other work.
    #[serde(rename = "SPEC-012")]
    Title,
}

impl RuleId {
    /// All of them, in order.
    pub const ALL: [RuleId; 12] = [
        RuleId::Problem,
        RuleId::Measure,
        RuleId::Acceptance,
        RuleId::Trace,
        RuleId::Placeholder,
        RuleId::Duplicate,
        RuleId::OpenQuestions,
        RuleId::Atomic,
        RuleId::Sections,
        RuleId::Reference,
        RuleId::Boundary,
        RuleId::Title,
    ];

    /// The id in findings.
    pub fn as_str(self) -> &'static str {
        match self {
            RuleId::Problem => "SPEC-001",
            RuleId::Measure => "SPEC-002",
            RuleId::Acceptance => "SPEC-003",
            RuleId::Trace => "SPEC-004",
            RuleId::Placeholder => "SPEC-005",
            RuleId::Duplicate => "SPEC-006",
            RuleId::OpenQuestions => "SPEC-007",
            RuleId::Atomic => "SPEC-008",
            RuleId::Sections => "SPEC-009",
            RuleId::Reference => "SPEC-010",
            RuleId::Boundary => "SPEC-011",
            RuleId::Title => "SPEC-012",
        }
    }

    /// How much a finding weighs where the pipeline does not say. What a reader can work around is a warning.
    pub fn severity(self) -> Severity {
        match self {
            RuleId::Atomic | RuleId::Boundary | RuleId::Title => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

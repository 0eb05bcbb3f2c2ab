//! The rubric, as the code knows it. `plugin.toml` holds the reasons for people.

use serde::{Deserialize, Serialize};
use tollgate_plugin::Severity;

/// A rule of this gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RuleId {
    /// The specification solves the problem that the entry states.
    #[serde(rename = "REVIEW-001")]
    Solves,
    /// Nothing that the entry asks for is missing.
    #[serde(rename = "REVIEW-002")]
    Complete,
    /// Nothing is demanded that the entry does not ask for, but for what is marked as proposed.
    #[serde(rename = "REVIEW-003")]
    Faithful,
    /// No two statements contradict one another.
    #[serde(rename = "REVIEW-004")]
    Consistent,
    /// Each acceptance criterion can be checked by somebody who did not write it.
    #[serde(rename = "REVIEW-005")]
    Checkable,
    /// What happens when something goes wrong is said where it matters.
    #[serde(rename = "REVIEW-006")]
    Failure,
}

impl RuleId {
    /// All of them, in order.
    pub const ALL: [RuleId; 6] = [
        RuleId::Solves,
        RuleId::Complete,
        RuleId::Faithful,
        RuleId::Consistent,
        RuleId::Checkable,
        RuleId::Failure,
    ];

    /// The id in findings.
    pub fn as_str(self) -> &'static str {
        match self {
            RuleId::Solves => "REVIEW-001",
            RuleId::Complete => "REVIEW-002",
            RuleId::Faithful => "REVIEW-003",
            RuleId::Consistent => "REVIEW-004",
            RuleId::Checkable => "REVIEW-005",
            RuleId::Failure => "REVIEW-006",
        }
    }

    /// What the model is asked to judge.
    pub fn demand(self) -> &'static str {
        match self {
            RuleId::Solves => "The specification solves the problem that the entry states.",
            RuleId::Complete => "Nothing that the entry asks for is missing.",
            RuleId::Faithful => {
                "Nothing is demanded that the entry does not ask for, but for what is marked as proposed."
            }
            RuleId::Consistent => "No two statements contradict one another.",
            RuleId::Checkable => "Each acceptance criterion can be checked by somebody who did not write it.",
            RuleId::Failure => "What happens when something goes wrong is said where it matters.",
        }
    }

    /// How much a finding weighs where the pipeline does not say.
    pub fn severity(self) -> Severity {
        match self {
            RuleId::Failure => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

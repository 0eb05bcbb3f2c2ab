//! What waits for a person, wherever it stands: one list of it answers what there is to do.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{approval::Lack, entry::HoldKind};

/// What a person is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EscalationKind {
    /// A run ended with a question to a person.
    Escalated,
    /// A run needs more fuel, time or money than its pipeline gives it, or what it opened does.
    Budget,
    /// A run needs an approval.
    Approval,
    /// A gate of a run lacks what it needs to judge.
    Evidence,
    /// A call of a run asks something.
    Question,
    /// An entry is held, and nothing lifts that by itself.
    Held,
}

impl EscalationKind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Escalated, Self::Budget, Self::Approval, Self::Evidence, Self::Question, Self::Held];

    /// The word used in stores and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Escalated => "escalated",
            Self::Budget => "budget",
            Self::Approval => "approval",
            Self::Evidence => "evidence",
            Self::Question => "question",
            Self::Held => "held",
        }
    }
}

impl From<Lack> for EscalationKind {
    fn from(lack: Lack) -> Self {
        match lack {
            Lack::Fuel | Lack::Time | Lack::RunCost | Lack::RunTime => Self::Budget,
            Lack::Approval => Self::Approval,
            Lack::Evidence => Self::Evidence,
            Lack::Answer => Self::Question,
        }
    }
}

impl fmt::Display for EscalationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a person lifts a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LiftedBy {
    /// `runs retry`.
    Retry,
    /// `backlog admit`.
    Admission,
}

impl LiftedBy {
    /// What lifts holds of this kind; none where that is for the item, the policy or time to do.
    pub fn of(kind: HoldKind) -> Option<Self> {
        match kind {
            HoldKind::Person | HoldKind::RefineFailed => Some(Self::Retry),
            HoldKind::Intake
            | HoldKind::OwnOutput
            | HoldKind::Duplicate
            | HoldKind::Budget
            | HoldKind::Cancelled => Some(Self::Admission),
            HoldKind::Unjudged
            | HoldKind::NotRefined
            | HoldKind::NotEligible
            | HoldKind::Closed
            | HoldKind::FieldMissing
            | HoldKind::FieldInvalid
            | HoldKind::Formula
            | HoldKind::NoPipeline
            | HoldKind::NotBefore
            | HoldKind::Dependency
            | HoldKind::DependencyUnknown
            | HoldKind::OnHold => None,
        }
    }
}

//! What a driver brings after it has lost its run.
//!
//! The store refuses it: another driver may have gone on by then. It is kept all the same, as evidence of what was done and what it cost.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    course::End,
    journal::Answer,
    lease::Fence,
    step::{Step, StepKey},
};

/// Something that came too late.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Late {
    /// The fence by which the driver had the run.
    pub fence: Fence,
    /// When it came.
    pub at: Timestamp,
    /// What it is.
    #[serde(flatten)]
    pub brought: Brought,
}

/// What came too late.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "brought", rename_all = "kebab-case")]
pub enum Brought {
    /// What calls came to.
    Steps {
        /// The calls, oldest first.
        steps: Vec<Step>,
        /// How the run would have ended with them, where it would have.
        end: Option<End>,
    },
    /// What a capability said. It was charged at its largest when the claim ended.
    Answer {
        /// Of which call.
        step: StepKey,
        /// Which of the call's questions.
        call: u32,
        /// What was said.
        answer: Answer,
    },
}

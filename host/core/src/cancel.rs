//! A person's word that ends a run before it is done.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who ended a run, and why. What was done stays done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cancellation {
    /// Who.
    pub who: String,
    /// Why.
    pub why: String,
    /// How many of the run's calls had ended when it was heeded: what comes after them cleans up.
    pub after_steps: u64,
}

impl fmt::Display for Cancellation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { who, why, .. } = self;
        write!(f, "{who} cancelled it: {why}")
    }
}

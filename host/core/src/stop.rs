//! How hosts stop.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How hosts stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StopMode {
    /// Runs that were begun are driven to their end; no more are claimed.
    #[default]
    Drain,
    /// Runs are interrupted and given back.
    Now,
}

impl StopMode {
    /// The word used in stores, commands and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::Now => "now",
        }
    }
}

//! The `with` table.

use serde::{Deserialize, Serialize};
use tollgate_plugin::Failure;

/// A result has so many effects at the most.
const PARTS_MAX: u32 = 100;

/// No effort is larger.
const SIZE_MAX: u32 = 1_000_000;

/// The `with` table of the stage.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The most effort that one part may have.
    pub size: u32,
    /// The most parts.
    pub parts_max: u32,
    /// The stage whose effort is used for an entry that has no such field.
    pub triage: String,
    /// What sort of work a part is; without it that of the entry.
    pub kind: Option<String>,
    /// The backlog that the parts enter; without it that of the entry.
    pub backlog: Option<String>,
    /// Whether the entry goes on only when all of its parts are done.
    pub wait: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            size: 5,
            parts_max: 20,
            triage: "triage".to_string(),
            kind: None,
            backlog: None,
            wait: false,
        }
    }
}

impl Settings {
    /// Checks what the types cannot.
    ///
    /// # Errors
    ///
    /// A failure of class `configuration` that names the setting and what was expected.
    pub fn check(&self) -> Result<(), Failure> {
        for (name, value, max) in [("size", self.size, SIZE_MAX), ("parts-max", self.parts_max, PARTS_MAX)] {
            if !(1..=max).contains(&value) {
                return Err(Failure::configuration(format!(
                    "setting `{name}`: expected a whole number from 1 to {max}, got {value}"
                )));
            }
        }
        Ok(())
    }
}

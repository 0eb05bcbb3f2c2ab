//! The `with` table.

use serde::{Deserialize, Serialize};

use crate::template;

/// The `with` table of the stage.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The specification with `{section}` where a section goes.
    pub template: String,
    /// How many questions the stage may ask that neither the entry nor a review asked.
    pub max_open_questions: usize,
    /// The name of the stage whose kind, impact and effort are repeated in the summary.
    pub triage: String,
    /// The name of the artifact to write.
    pub artifact: String,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            template: template::SHIPPED.to_string(),
            max_open_questions: 5,
            triage: "triage".to_string(),
            artifact: "spec.md".to_string(),
        }
    }
}

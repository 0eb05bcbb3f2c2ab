//! The `with` table.

use serde::{Deserialize, Serialize};

use crate::template;

/// The `with` table of the stage.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The specification with `{section}` where a section goes.
    pub template: String,
    /// How many questions the stage may ask that neither the entry, a review nor the model asked.
    pub max_open_questions: usize,
    /// The name of the stage whose kind, impact and effort are repeated in the summary.
    pub triage: String,
    /// The name of the artifact to write.
    pub artifact: String,
    /// The project's name for the model.
    pub model: Option<String>,
    /// The longest reply of the model, in tokens.
    pub max_tokens: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            template: template::SHIPPED.to_string(),
            max_open_questions: 5,
            triage: "triage".to_string(),
            artifact: "spec.md".to_string(),
            model: None,
            max_tokens: 2_000,
        }
    }
}

//! The `with` table.

use serde::{Deserialize, Serialize};

/// The `with` table of the stage: that of `spec-draft`, and the model.
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
        let spec_draft::settings::Settings { template, max_open_questions, triage, artifact } =
            spec_draft::settings::Settings::default();
        Settings { template, max_open_questions, triage, artifact, model: None, max_tokens: 2_000 }
    }
}

impl Settings {
    /// What of it `spec-draft` understands.
    pub(crate) fn of_draft(&self) -> spec_draft::settings::Settings {
        spec_draft::settings::Settings {
            template: self.template.clone(),
            max_open_questions: self.max_open_questions,
            triage: self.triage.clone(),
            artifact: self.artifact.clone(),
        }
    }
}

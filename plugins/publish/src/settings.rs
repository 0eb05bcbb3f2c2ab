//! The `with` table.

use serde::{Deserialize, Serialize};

/// The `with` table of the stage.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The stage whose artifacts are published.
    pub from: String,
    /// The one artifact to publish; all of the stage's when it is absent.
    pub artifact: Option<String>,
    /// The path to publish at, with `{key}`, `{kind}`, `{slug}` and `{name}`.
    pub to: String,
    /// The state to ask the tracker to move the item to.
    pub state: Option<String>,
    /// The name of the stage whose kind fills `{kind}`; without it the entry's own kind does.
    pub triage: String,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            from: "draft".to_string(),
            artifact: None,
            to: "specs/{key}.md".to_string(),
            state: None,
            triage: "triage".to_string(),
        }
    }
}

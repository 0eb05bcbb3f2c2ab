//! The `with` table.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tollgate_plugin::Severity;

use crate::rule::RuleId;

/// The `with` table of the gate.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The name of the artifact to judge.
    pub artifact: String,
    /// Rules that are not asked about.
    pub disable: Vec<RuleId>,
    /// How much findings of a rule weigh, other than by default.
    pub severity: BTreeMap<RuleId, Severity>,
    /// The project's name for the model.
    pub model: Option<String>,
    /// The longest reply of the model, in tokens.
    pub max_tokens: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            artifact: "spec.md".to_string(),
            disable: Vec::new(),
            severity: BTreeMap::new(),
            model: None,
            max_tokens: 2_000,
        }
    }
}

impl Settings {
    /// The rules that are asked about.
    pub(crate) fn rules(&self) -> impl Iterator<Item = RuleId> {
        RuleId::ALL.into_iter().filter(|rule| !self.disable.contains(rule))
    }

    /// How much a finding of a rule weighs.
    pub(crate) fn severity_of(&self, rule: RuleId) -> Severity {
        self.severity.get(&rule).copied().unwrap_or_else(|| rule.severity())
    }
}

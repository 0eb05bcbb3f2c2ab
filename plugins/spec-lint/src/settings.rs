//! The `with` table.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tollgate_plugin::Severity;
use tollgate_text::spec::section;

use crate::rule::RuleId;

/// The `with` table of the gate.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The name of the artifact to judge.
    pub artifact: String,
    /// Rules that are not checked.
    pub disable: Vec<RuleId>,
    /// How much findings of a rule weigh, other than by default.
    pub severity: BTreeMap<RuleId, Severity>,
    /// Words that count as vague besides the known ones.
    pub vague_words: Vec<String>,
    /// Sections that a specification has to have.
    pub required_sections: Vec<String>,
    /// How many questions may be open.
    pub max_open_questions: usize,
    /// How many words a requirement may have.
    pub max_requirement_words: usize,
    /// How many words the problem has to have.
    pub min_problem_words: usize,
}

impl Default for Settings {
    fn default() -> Self {
        let required = [section::SUMMARY, section::PROBLEM, section::REQUIREMENTS, section::CRITERIA];
        Settings {
            artifact: "spec.md".to_string(),
            disable: Vec::new(),
            severity: BTreeMap::new(),
            vague_words: Vec::new(),
            required_sections: required.map(str::to_string).to_vec(),
            max_open_questions: 8,
            max_requirement_words: 60,
            min_problem_words: 5,
        }
    }
}

impl Settings {
    /// How much a finding of a rule weighs.
    pub fn severity_of(&self, rule: RuleId) -> Severity {
        self.severity.get(&rule).copied().unwrap_or_else(|| rule.severity())
    }
}

//! The `with` table.

use serde::{Deserialize, Serialize};
use tollgate_plugin::Failure;
use tollgate_text::Phrase;

use crate::rules::{self, Kind};

/// Values of impact and effort.
pub const POINTS: std::ops::RangeInclusive<u8> = 1..=13;

/// The `with` table of the stage.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Read in order; of rules that fit equally well the earlier wins.
    pub rules: Vec<Rule>,
    /// The kind when nothing says otherwise.
    pub default_kind: Kind,
    /// The impact when nothing says otherwise, 1 to 13.
    pub default_impact: u8,
    /// The effort when nothing says otherwise, 1 to 13.
    pub default_effort: u8,
}

/// If one of these words is found, the entry is of this kind, impact or effort.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Words or phrases, matched whole and without regard to case.
    pub words: Vec<String>,
    /// What kind of work they speak of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// How much it matters, 1 to 13.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impact: Option<u8>,
    /// How large it is, 1 to 13.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effort: Option<u8>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            rules: rules::shipped(),
            default_kind: Kind::Feature,
            default_impact: 3,
            default_effort: 3,
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
        points("default-impact", self.default_impact)?;
        points("default-effort", self.default_effort)?;
        for (at, rule) in self.rules.iter().enumerate() {
            let place = format!("rules[{at}]");
            if rule.words.is_empty() || rule.words.iter().any(|word| Phrase::new(word).is_empty()) {
                return Err(refused(
                    &format!("{place}.words"),
                    "expected words with letters or digits in each",
                ));
            }
            if rule.kind.is_none() && rule.impact.is_none() && rule.effort.is_none() {
                return Err(refused(&place, "expected at least one of `kind`, `impact` and `effort`"));
            }
            for (name, value) in [("impact", rule.impact), ("effort", rule.effort)] {
                if let Some(value) = value {
                    points(&format!("{place}.{name}"), value)?;
                }
            }
        }
        Ok(())
    }
}

fn points(setting: &str, value: u8) -> Result<(), Failure> {
    if POINTS.contains(&value) {
        return Ok(());
    }
    Err(refused(setting, &format!("expected a whole number from 1 to 13, got {value}")))
}

fn refused(setting: &str, expected: &str) -> Failure {
    Failure::configuration(format!("setting `{setting}`: {expected}"))
}

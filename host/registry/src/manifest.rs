//! What a plugin says of itself: `plugin.toml`, read and checked.
//!
//! ```toml
//! name = "spec-lint"            # a-z, 0-9 and hyphens
//! version = "1.0.0"             # semantic version
//! kind = "gate"                 # stage, gate or source
//! contract = "0.1"              # the version of the contract it was built for
//! summary = "One sentence."
//! license = "Apache-2.0"
//! reads = ["title", "body"]     # what of the entry it is handed; ["*"] for all
//! effects = ["publish-file"]    # kinds of effect it may ask for
//! capabilities = ["model"]      # what it imports beyond the base world, by grant
//! optional = ["model"]          # those of them that it can do without
//!
//! [settings]                    # JSON Schema of `with`
//! type = "object"
//!
//! [data]                        # stages: JSON Schema of `data`
//! type = "object"
//!
//! [[rule]]                      # gates: every rule that it may report
//! id = "SPEC-001"
//! severity = "error"
//! summary = "The specification names the problem it solves"
//! rationale = "Without the problem nobody can judge the solution."
//! ```

mod reads;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tollgate_core::step::Severity;

pub use reads::Reads;

/// The contracts that a plugin may be built for, newest first.
pub const CONTRACTS: &[&str] = &["0.1"];

/// A `plugin.toml` that makes sense.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Manifest {
    /// Lower-case letters, digits and hyphens; begins with a letter.
    pub name: String,
    /// The semantic version.
    pub version: semver::Version,
    /// Which world it exports.
    pub kind: Kind,
    /// One of [`CONTRACTS`].
    pub contract: String,
    /// One line for people.
    pub summary: String,
    /// An SPDX expression, as the author wrote it.
    pub license: String,
    /// What of the entry it is handed.
    pub reads: Reads,
    /// The kinds of effect it may ask for. A stage needs the grant `effect:<kind>` for each that it does ask for.
    pub effects: BTreeSet<String>,
    /// What it imports beyond the base world, each by the grant that a stage needs for it.
    pub capabilities: BTreeSet<String>,
    /// Those of them that it can do without: a stage that is not granted one runs, and is told so when it asks.
    pub optional: BTreeSet<String>,
    /// JSON Schema of the `with` table.
    pub settings: Value,
    /// JSON Schema of what a stage produces as data; none for gates and sources.
    pub data: Option<Value>,
    /// Every rule that a gate may report, in its order; empty for stages and sources.
    pub rules: Vec<Rule>,
}

/// What a plugin is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It produces.
    Stage,
    /// It judges.
    Gate,
    /// It finds work.
    Source,
}

impl Kind {
    /// The interface that a plugin of this kind exports, without its package and version.
    pub fn interface(self) -> &'static str {
        match self {
            Kind::Stage => "stage-api",
            Kind::Gate => "gate-api",
            Kind::Source => "source-api",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Stage => "stage",
            Kind::Gate => "gate",
            Kind::Source => "source",
        })
    }
}

/// A rule of a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Capital letters, digits and hyphens; unique in the plugin and stable across its versions.
    pub id: String,
    /// How much a finding of this rule weighs unless the settings say otherwise.
    pub severity: Severity,
    /// What is demanded.
    pub summary: String,
    /// Why it is demanded.
    pub rationale: String,
}

/// A `plugin.toml` that does not make sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not TOML, a field that is missing or of the wrong type, or one that there is not. The text shows the line.
    #[error("plugin.toml is not as expected: {0}")]
    Shape(#[from] toml::de::Error),
    /// A field whose value is of the right type and still wrong.
    #[error("plugin.toml has {field} = {value}, expected {expected}")]
    Field {
        /// The field by its path, such as `rule[2].id`.
        field: String,
        /// The value as JSON.
        value: String,
        /// What would have been right.
        expected: &'static str,
    },
}

fn wrong(field: impl Into<String>, value: impl Serialize, expected: &'static str) -> ManifestError {
    ManifestError::Field { field: field.into(), value: json!(value).to_string(), expected }
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    version: String,
    kind: Kind,
    contract: String,
    summary: String,
    license: String,
    reads: Vec<String>,
    #[serde(default)]
    effects: BTreeSet<String>,
    #[serde(default)]
    capabilities: BTreeSet<String>,
    #[serde(default)]
    optional: BTreeSet<String>,
    settings: Option<Value>,
    data: Option<Value>,
    #[serde(default, rename = "rule")]
    rules: Vec<Rule>,
}

impl Manifest {
    /// Reads and checks a `plugin.toml`.
    ///
    /// # Errors
    ///
    /// [`ManifestError`] for the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let file: File = toml::from_str(text)?;
        check_name("name", &file.name)?;
        let version = semver::Version::parse(&file.version)
            .map_err(|_| wrong("version", &file.version, "a semantic version such as \"1.0.0\""))?;
        if !CONTRACTS.contains(&file.contract.as_str()) {
            return Err(wrong("contract", &file.contract, "\"0.1\", the only contract there is"));
        }
        check_line("summary", &file.summary)?;
        check_line("license", &file.license)?;
        for effect in &file.effects {
            check_name("effects", effect)?;
        }
        for capability in &file.capabilities {
            check_name("capabilities", capability)?;
        }
        check_optional(&file.optional, &file.capabilities)?;
        let settings = file.settings.unwrap_or_else(|| json!({ "type": "object" }));
        check_schema("settings", &settings)?;
        if let Some(data) = &file.data {
            check_schema("data", data)?;
        }
        check_by_kind(file.kind, &file.data, &file.rules)?;
        check_rules(&file.rules)?;
        Ok(Manifest {
            name: file.name,
            version,
            kind: file.kind,
            contract: file.contract,
            summary: file.summary,
            license: file.license,
            reads: Reads::parse(&file.reads)?,
            effects: file.effects,
            capabilities: file.capabilities,
            optional: file.optional,
            settings,
            data: file.data,
            rules: file.rules,
        })
    }
}

/// What is optional has to be asked for, and the contract has to have a word for its absence.
fn check_optional(optional: &BTreeSet<String>, capabilities: &BTreeSet<String>) -> Result<(), ManifestError> {
    match optional.iter().find(|name| !capabilities.contains(*name) || *name != "model") {
        None => Ok(()),
        Some(name) => Err(wrong("optional", name, "\"model\", where it is among the `capabilities`")),
    }
}

fn check_by_kind(kind: Kind, data: &Option<Value>, rules: &[Rule]) -> Result<(), ManifestError> {
    match kind {
        Kind::Gate if data.is_some() => Err(wrong("data", data, "none, since a gate produces no data")),
        Kind::Stage | Kind::Source if !rules.is_empty() => {
            Err(wrong("rule", rules, "none, since only a gate reports rules"))
        }
        _ => Ok(()),
    }
}

fn check_rules(rules: &[Rule]) -> Result<(), ManifestError> {
    let mut ids = BTreeSet::new();
    for (index, rule) in rules.iter().enumerate() {
        let field = |name: &str| format!("rule[{index}].{name}");
        if !is_rule_id(&rule.id) {
            return Err(wrong(
                field("id"),
                &rule.id,
                "capital letters, digits and hyphens, such as \"SPEC-001\"",
            ));
        }
        if !ids.insert(&rule.id) {
            return Err(wrong(field("id"), &rule.id, "an id that no other rule has"));
        }
        check_line(&field("summary"), &rule.summary)?;
        if rule.rationale.trim().is_empty() {
            return Err(wrong(field("rationale"), &rule.rationale, "a reason"));
        }
    }
    Ok(())
}

fn is_rule_id(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_uppercase())
        && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-')
}

/// Whether a text can be a plugin's name: it is a file name, a word in TOML and part of a request.
pub(crate) fn is_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn check_name(field: &str, name: &str) -> Result<(), ManifestError> {
    if is_name(name) {
        return Ok(());
    }
    Err(wrong(field, name, "at most 64 lower-case letters, digits and hyphens, the first of them a letter"))
}

fn check_line(field: &str, text: &str) -> Result<(), ManifestError> {
    if text.trim().is_empty() || text.contains('\n') {
        return Err(wrong(field, text, "one line that says something"));
    }
    Ok(())
}

fn check_schema(field: &str, schema: &Value) -> Result<(), ManifestError> {
    if schema.get("type").and_then(Value::as_str) == Some("object") {
        return Ok(());
    }
    Err(wrong(format!("{field}.type"), schema.get("type"), "\"object\""))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use insta::assert_snapshot;
    use proptest::prelude::*;

    pub(crate) const GATE: &str = r#"
name = "spec-lint"
version = "1.2.3"
kind = "gate"
contract = "0.1"
summary = "Judges a specification."
license = "Apache-2.0"
reads = ["title", "fields.priority"]

[settings]
type = "object"
properties = { disable = { type = "array" } }

[[rule]]
id = "SPEC-001"
severity = "error"
summary = "Names the problem"
rationale = "Nobody can judge a solution without it."
"#;

    fn error(from: &str, to: &str) -> String {
        assert!(GATE.contains(from), "the change {from:?} changes nothing");
        Manifest::parse(&GATE.replace(from, to)).expect_err("this manifest is wrong").to_string()
    }

    #[test]
    fn a_manifest_is_read_whole() {
        let manifest = Manifest::parse(GATE).unwrap();
        assert_eq!(manifest.kind, Kind::Gate);
        assert_eq!(manifest.version, semver::Version::new(1, 2, 3));
        assert!(manifest.reads.covers("title") && !manifest.reads.covers("body"));
        assert_eq!(manifest.settings["properties"]["disable"]["type"], "array");
        assert_eq!(manifest.rules[0].severity, Severity::Error);
    }

    #[test]
    fn settings_left_out_accept_any_table() {
        let text = GATE.split("[settings]").next().unwrap();
        assert_eq!(Manifest::parse(text).unwrap().settings, json!({ "type": "object" }));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_value() {
        let name = error("\"spec-lint\"", "\"Spec Lint\"");
        assert_snapshot!(name, @r#"plugin.toml has name = "Spec Lint", expected at most 64 lower-case letters, digits and hyphens, the first of them a letter"#);
        let version = error("\"1.2.3\"", "\"1.2\"");
        assert_snapshot!(version, @r#"plugin.toml has version = "1.2", expected a semantic version such as "1.0.0""#);
        let contract = error("\"0.1\"", "\"2.0\"");
        assert_snapshot!(contract, @r#"plugin.toml has contract = "2.0", expected "0.1", the only contract there is"#);
        let summary = error("\"Judges a specification.\"", "\" \"");
        assert_snapshot!(summary, @r#"plugin.toml has summary = " ", expected one line that says something"#);
        let optional = error("reads =", "capabilities = [\"http\"]\noptional = [\"model\"]\nreads =");
        assert_snapshot!(optional, @r#"plugin.toml has optional = "model", expected "model", where it is among the `capabilities`"#);
        let settings = error("type = \"object\"\nprop", "prop");
        assert_snapshot!(settings, @r#"plugin.toml has settings.type = null, expected "object""#);
        let id = error("\"SPEC-001\"", "\"spec 1\"");
        assert_snapshot!(id, @r#"plugin.toml has rule[0].id = "spec 1", expected capital letters, digits and hyphens, such as "SPEC-001""#);
        let rule_of_a_stage = error("kind = \"gate\"", "kind = \"stage\"");
        assert!(
            rule_of_a_stage.ends_with("expected none, since only a gate reports rules"),
            "{rule_of_a_stage}"
        );
    }

    #[test]
    fn an_unknown_key_is_shown_with_its_line() {
        assert_snapshot!(error("license", "licence"), @r#"
        plugin.toml is not as expected: TOML parse error at line 7, column 1
          |
        7 | licence = "Apache-2.0"
          | ^^^^^^^
        unknown field `licence`, expected one of `name`, `version`, `kind`, `contract`, `summary`, `license`, `reads`, `effects`, `capabilities`, `optional`, `settings`, `data`, `rule`
        "#);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _manifest = Manifest::parse(&text);
        }
    }
}

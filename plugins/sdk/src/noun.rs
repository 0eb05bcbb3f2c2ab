//! The nouns of the contract, as an author meets them.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Failure;

/// A backlog entry, frozen when the run began: a later edit in the tracker does not change it.
///
/// A plugin is handed what its `plugin.toml` lists under `reads`; the rest is blank (an empty string, list or
/// object, or `None`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    /// Tollgate's own id of the entry.
    pub id: String,
    /// Where the entry lives, such as `github:octo/app`.
    pub tracker: String,
    /// Its name there, such as `1347`.
    pub key: String,
    /// Where a person opens it.
    pub url: Option<String>,
    /// What sort of work it is, such as `bug`; empty when the source does not say.
    pub kind: String,
    /// One line.
    pub title: String,
    /// The text, as it was written in the tracker.
    pub body: String,
    /// Who wrote it, as the tracker names them.
    pub author: Option<String>,
    /// Labels in the tracker's order.
    pub labels: Vec<String>,
    /// When it was written: RFC 3339 in UTC.
    pub created_at: String,
    /// The declared fields of the backlog.
    pub fields: Map<String, Value>,
    /// Digest of all the above in canonical JSON.
    pub revision: String,
}

impl Entry {
    /// A declared field, or `None` when the entry does not have it or has `null` there.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// A declared field that is text; `None` when it is absent or is not text.
    pub fn field_str(&self, name: &str) -> Option<&str> {
        self.field(name).and_then(Value::as_str)
    }

    /// A declared field that is a number; `None` when it is absent or is not a number.
    pub fn field_f64(&self, name: &str) -> Option<f64> {
        self.field(name).and_then(Value::as_f64)
    }
}

/// A named blob in the content-addressed store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// The name the writer gave it, such as `spec.md`.
    pub name: String,
    /// Such as `text/markdown`.
    pub media_type: String,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// Length in bytes.
    pub size_bytes: u64,
}

/// A place in an artifact or in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// An artifact's name, or a path in the worktree.
    pub path: String,
    /// Counted from 1.
    pub line: Option<u32>,
}

impl Location {
    /// A line of an artifact or file; lines count from 1.
    pub fn line(path: impl Into<String>, line: u32) -> Self {
        Location { path: path.into(), line: Some(line) }
    }

    /// An artifact or file as a whole.
    pub fn whole(path: impl Into<String>) -> Self {
        Location { path: path.into(), line: None }
    }
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worth mending; does not by itself fail a gate.
    Warning,
    /// Fails the gate. A pass that carries one contradicts itself and counts as a fault of the plugin.
    Error,
}

impl Severity {
    /// The word the contract uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }

    /// Reads the contract's word; one that is not known counts as a warning, as the contract says.
    pub fn from_contract(word: &str) -> Self {
        match word {
            "info" => Severity::Info,
            "error" => Severity::Error,
            _ => Severity::Warning,
        }
    }
}

/// One thing a gate has to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable across versions of the plugin and listed in its `plugin.toml`: audits are searched by it.
    pub rule: String,
    /// How much it weighs.
    pub severity: Severity,
    /// One or two sentences for the person, or the stage, that has to mend it.
    pub message: String,
    /// Where it was found.
    pub location: Option<Location>,
}

impl Finding {
    /// A finding without a place.
    pub fn new(rule: impl Into<String>, severity: Severity, message: impl Into<String>) -> Self {
        Finding { rule: rule.into(), severity, message: message.into(), location: None }
    }

    /// The same finding with the place it was found at.
    pub fn at(self, location: Location) -> Self {
        Finding { location: Some(location), ..self }
    }
}

/// What a stage of this run produced.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// The stage's name in the pipeline.
    pub stage: String,
    /// One line.
    pub summary: String,
    /// The stage's `data`, by the schema in its `plugin.toml`.
    pub data: Value,
    /// What it wrote.
    pub artifacts: Vec<Artifact>,
}

impl Output {
    /// The artifact of that name, the first if there are several.
    pub fn artifact(&self, name: &str) -> Option<&Artifact> {
        self.artifacts.iter().find(|artifact| artifact.name == name)
    }

    /// The data as a type of the caller.
    ///
    /// # Errors
    ///
    /// A failure of class `permanent` that names the stage and the field that did not fit.
    pub fn data_as<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_path_to_error::deserialize(&self.data).map_err(|error| {
            Failure::permanent(format!("data of stage \"{}\" is not as expected: {}", self.stage, error))
        })
    }
}

/// Why the work was sent back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rework {
    /// The gate's name in the pipeline.
    pub gate: String,
    /// 1 for the first time this gate sent the work back.
    pub round: u32,
    /// The gate's own summary.
    pub summary: String,
    /// What it found.
    pub findings: Vec<Finding>,
}

/// A change outside that a stage asks for. The host checks it against the stage's grants (`effect:<kind>`) and
/// the schema of its kind, and carries it out once the stage's enforced gates have passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// Unique in this call; names the result among [`crate::Context::delivered`].
    pub id: String,
    /// Such as `publish-file`.
    pub kind: String,
    /// By the schema of the kind.
    pub body: Value,
    /// The next step need not wait for it.
    pub later: bool,
}

impl Effect {
    /// An effect that the next step waits for.
    pub fn new(id: impl Into<String>, kind: impl Into<String>, body: Value) -> Self {
        Effect { id: id.into(), kind: kind.into(), body, later: false }
    }

    /// The same effect, not waited for.
    pub fn later(self) -> Self {
        Effect { later: true, ..self }
    }
}

/// What became of an effect of an earlier stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivered {
    /// The stage that asked for it.
    pub stage: String,
    /// The effect's id in that stage's call.
    pub id: String,
    /// The effect's kind.
    pub kind: String,
    /// The name it has outside, such as a path or a pull request's number.
    pub reference: Option<String>,
    /// More about it, by the schema of the kind.
    pub data: Value,
}

//! Adoption: work that was done before Tollgate, taken over with its evidence.
//!
//! Properties wanted:
//!
//! 1. An adopted entry is done, and never looks as if a run had done it: its account is of a kind of its own.
//! 2. The account alone tells who took the work over, when, on what evidence, and which doubts were set aside.
//! 3. Readers for every version ever written stay in the code.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Digest, StoreId, Timestamp, entry::EntryName, id::AdoptionId, record::RecordError};

/// The version that this code writes.
pub const SCHEMA: &str = "tollgate.adopted/1";

/// The account of one adoption.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Adoption {
    /// Always `tollgate.adopted/1`.
    pub schema: String,
    /// Which adoption.
    pub id: AdoptionId,
    /// Which entry, as it was then.
    pub entry: AdoptedEntry,
    /// The store that the adoption was kept in.
    pub store: StoreId,
    /// Who adopted it.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// What says that the work was done.
    pub evidence: Vec<Evidence>,
    /// Doubts that were known and set aside, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub despite: Vec<String>,
}

/// What an adoption says of the entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AdoptedEntry {
    /// Which entry.
    #[serde(flatten)]
    pub name: EntryName,
    /// The backlog that it entered by.
    pub backlog: String,
    /// Where a person can read it.
    pub url: Option<String>,
    /// Its title.
    pub title: String,
    /// The digest of all that it said: done is said of a revision.
    pub revision: Digest,
}

/// Something that says that work was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Of what kind.
    pub kind: EvidenceKind,
    /// Where it stands: a rule's name, a file and its line.
    pub place: String,
    /// What it says.
    pub says: String,
    /// When the work was done, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<Timestamp>,
}

/// Kinds of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceKind {
    /// The backlog's rule is true for the entry.
    Rule,
    /// What the work leaves behind is there.
    Output,
    /// A list of keys names the entry.
    List,
    /// A table names the entry.
    Table,
    /// Another entry says the same, and its work is done.
    Duplicate,
    /// A person says so.
    Person,
}

impl EvidenceKind {
    /// The word used in records and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Output => "output",
            Self::List => "list",
            Self::Table => "table",
            Self::Duplicate => "duplicate",
            Self::Person => "person",
        }
    }
}

impl fmt::Display for EvidenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.says.as_str() {
            "" => f.write_str(&self.place),
            says => write!(f, "{}: {says}", self.place),
        }
    }
}

impl Adoption {
    /// The account of any version that was ever written.
    ///
    /// # Errors
    ///
    /// When the text is no JSON, or no account of a known version.
    pub fn read(json: &str) -> Result<Self, RecordError> {
        let value: Value = serde_json::from_str(json).map_err(|e| RecordError::NotJson(e.to_string()))?;
        match value.get("schema").and_then(Value::as_str) {
            Some(SCHEMA) => serde_json::from_value(value).map_err(|e| RecordError::Malformed(e.to_string())),
            Some(other) => Err(RecordError::UnknownVersion { found: other.to_owned(), known: SCHEMA }),
            None => Err(RecordError::Malformed("it has no `schema`".into())),
        }
    }
}

//! Items as a source finds them, before any backlog has judged them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Timestamp, entry::EntryName};

/// What a source read of one item, as it was written. A backlog's policy makes an entry of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceItem {
    /// Which item. Its key is kept as it is written: `BACK-24.1` and `BACK-24.01` are two keys.
    pub name: EntryName,
    /// Where a person can read it: a URL, or a path relative to the project.
    pub url: Option<String>,
    /// The kind that its source gives it, e.g. `task` or `defect`; empty where the source has none.
    pub kind: String,
    /// One line.
    pub title: String,
    /// Markdown, without front matter.
    pub body: String,
    /// Who wrote it, as the tracker names them.
    pub author: Option<String>,
    /// Labels, in the tracker's order.
    pub labels: Vec<String>,
    /// When it was written, where the tracker says so.
    pub created_at: Option<Timestamp>,
    /// Its tracker says that no work is left.
    pub closed: bool,
    /// Where its tracker keeps it.
    #[serde(default)]
    pub shelf: Shelf,
    /// Every member of its front matter; empty where there is none.
    pub front_matter: serde_json::Map<String, serde_json::Value>,
    /// Short texts by their heading, as in `## Priority: high` or `## Priority` and a paragraph. The headings are
    /// kept as written; they are compared without regard to case.
    pub headings: BTreeMap<String, String>,
    /// What must be done before it, in the order written.
    pub depends: Vec<Dependency>,
}

/// Where a tracker keeps an item, as far as that says something of its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shelf {
    /// Among what is to be done.
    #[default]
    Open,
    /// Among what is not to be worked on now.
    OnHold,
    /// Among what is done.
    Done,
}

/// A key that an item says it depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// The key, as written.
    pub key: String,
    /// Where it says so: `front-matter:dependencies`, `heading:Dependencies`.
    pub source: String,
}

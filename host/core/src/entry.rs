//! Entries: items of work, where they came from and why they may not run yet.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Digest, EntryId, Timestamp};

/// The name of an entry for people and trackers: unlike an [`EntryId`] it means the same in every store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct EntryName {
    /// Where it lives, e.g. `github:octo/app` or `folder:docs/backlog`.
    pub tracker: String,
    /// Its name there, e.g. `1347` or `BACK-12`.
    pub key: String,
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.tracker, self.key)
    }
}

/// The tracker of entries that live in the store alone.
pub const INTERNAL_TRACKER: &str = "internal";

/// What an entry says, frozen: a run keeps the snapshot it began with whatever happens in the tracker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EntrySnapshot {
    /// Which entry.
    #[serde(flatten)]
    pub name: EntryName,
    /// Where a person can read it: a URL, or a path relative to the project.
    pub url: Option<String>,
    /// The kind that its source gives it, e.g. `task` or `defect`.
    pub kind: String,
    /// One line.
    pub title: String,
    /// Markdown.
    pub body: String,
    /// Who wrote it, as the tracker names them.
    pub author: Option<String>,
    /// Labels, in the tracker's order.
    pub labels: Vec<String>,
    /// When it was written; the time it was first seen, where the tracker does not say.
    pub created_at: Timestamp,
    /// The declared fields of the backlog, by name.
    pub fields: serde_json::Map<String, serde_json::Value>,
}

impl EntrySnapshot {
    /// The digest of all that it says; where that can be read is no part of it. Work is done on a revision, and done is said of
    /// a revision.
    pub fn revision(&self) -> Digest {
        Digest::of_json(&Self { url: None, ..self.clone() })
    }

    /// It with everything blank that is not covered: `title`, `labels`, `created-at`, `fields.NAME` and the like. What names it
    /// stays.
    pub fn part(&self, covers: impl Fn(&str) -> bool) -> Self {
        let text = |part: &str, value: &str| if covers(part) { value.to_owned() } else { String::new() };
        let optional = |part: &str, value: &Option<String>| value.clone().filter(|_| covers(part));
        let fields = self.fields.iter().filter(|(name, _)| covers(&format!("fields.{name}")));
        Self {
            name: self.name.clone(),
            url: optional("url", &self.url),
            kind: text("kind", &self.kind),
            title: text("title", &self.title),
            body: text("body", &self.body),
            author: optional("author", &self.author),
            labels: if covers("labels") { self.labels.clone() } else { Vec::new() },
            created_at: if covers("created-at") { self.created_at } else { Timestamp::default() },
            fields: fields.map(|(name, value)| (name.clone(), value.clone())).collect(),
        }
    }
}

/// The life of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EntryState {
    /// Seen, and not judged by the policy yet.
    New,
    /// May not run, for the reasons its [`Hold`]s give.
    Held,
    /// Waits for its turn.
    Ready,
    /// A run of it is alive.
    Busy,
    /// Its newest run is done.
    Done,
    /// Its newest run failed.
    Failed,
    /// Its newest run ended with a question to a person.
    Escalated,
    /// A person said that it cannot go on.
    Blocked,
    /// No longer in its tracker.
    Gone,
}

impl EntryState {
    /// Every state, in the order of a life.
    pub const ALL: [Self; 9] = [
        Self::New,
        Self::Held,
        Self::Ready,
        Self::Busy,
        Self::Done,
        Self::Failed,
        Self::Escalated,
        Self::Blocked,
        Self::Gone,
    ];

    /// The word used in stores, commands and records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Held => "held",
            Self::Ready => "ready",
            Self::Busy => "busy",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Escalated => "escalated",
            Self::Blocked => "blocked",
            Self::Gone => "gone",
        }
    }

    /// Whether only a retry, a person's word or a changed revision leads on from here.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Escalated)
    }

    /// Whether it ended, for whoever waits until it does. One that is held may be let in, and one that was given to a person waits for
    /// that person's word; neither has ended.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Blocked | Self::Gone)
    }
}

impl fmt::Display for EntryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One reason why an entry may not run. An entry is ready when it has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hold {
    /// What kind of reason.
    pub kind: HoldKind,
    /// What exactly, within the kind: a field's name, a dependency's key, the part of the eligibility rule that says no; empty
    /// where there is nothing to add.
    pub subject: String,
    /// A sentence for people: what is missing, and what would change it.
    pub reason: String,
    /// When it lifts by itself, for those that do: [`HoldKind::NotBefore`], and [`HoldKind::Intake`] where there is room later.
    pub until: Option<Timestamp>,
}

/// Kinds of reasons not to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HoldKind {
    /// Something became known of it, or another policy was applied, since it was judged.
    Unjudged,
    /// What refine stages find out about it is not known yet.
    NotRefined,
    /// Refine stages could not find out about it what they should.
    RefineFailed,
    /// The backlog's eligibility rule says no.
    NotEligible,
    /// Its tracker says that it is closed.
    Closed,
    /// A declared field has no value.
    FieldMissing,
    /// A declared field has a value of another type.
    FieldInvalid,
    /// A formula failed, or gave something that is no finite number.
    Formula,
    /// No pipeline of the backlog takes it.
    NoPipeline,
    /// Its time has not come.
    NotBefore,
    /// It depends on an entry that is not done.
    Dependency,
    /// It depends on a key that names nothing.
    DependencyUnknown,
    /// It stands among what its tracker keeps on hold.
    OnHold,
    /// More came in than the backlog lets in.
    Intake,
    /// It is what Tollgate itself wrote.
    OwnOutput,
    /// It says what an earlier entry says.
    Duplicate,
    /// The run that opened it has too little left in its budget to pay for it.
    Budget,
    /// A run that led to it was cancelled.
    Cancelled,
    /// A person holds it.
    Person,
}

impl HoldKind {
    /// Every kind.
    pub const ALL: [Self; 19] = [
        Self::Unjudged,
        Self::NotRefined,
        Self::RefineFailed,
        Self::NotEligible,
        Self::Closed,
        Self::FieldMissing,
        Self::FieldInvalid,
        Self::Formula,
        Self::NoPipeline,
        Self::NotBefore,
        Self::Dependency,
        Self::DependencyUnknown,
        Self::OnHold,
        Self::Intake,
        Self::OwnOutput,
        Self::Duplicate,
        Self::Budget,
        Self::Cancelled,
        Self::Person,
    ];

    /// The word used in stores and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unjudged => "unjudged",
            Self::NotRefined => "not-refined",
            Self::RefineFailed => "refine-failed",
            Self::NotEligible => "not-eligible",
            Self::Closed => "closed",
            Self::FieldMissing => "field-missing",
            Self::FieldInvalid => "field-invalid",
            Self::Formula => "formula",
            Self::NoPipeline => "no-pipeline",
            Self::NotBefore => "not-before",
            Self::Dependency => "dependency",
            Self::DependencyUnknown => "dependency-unknown",
            Self::OnHold => "on-hold",
            Self::Intake => "intake",
            Self::OwnOutput => "own-output",
            Self::Duplicate => "duplicate",
            Self::Budget => "budget",
            Self::Cancelled => "cancelled",
            Self::Person => "person",
        }
    }
}

impl fmt::Display for HoldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How one entry stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LinkKind {
    /// It may not run before the other is done.
    DependsOn,
    /// It was opened by a run of the other.
    ChildOf,
    /// It belongs to the other, as an item to a release.
    MemberOf,
    /// It says what the other says.
    DuplicateOf,
}

impl LinkKind {
    /// The word used in stores and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DependsOn => "depends-on",
            Self::ChildOf => "child-of",
            Self::MemberOf => "member-of",
            Self::DuplicateOf => "duplicate-of",
        }
    }
}

/// A link from one entry to another, by name, because the other may not be known yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// How they stand to each other.
    pub kind: LinkKind,
    /// The other entry, aliases applied.
    pub to: EntryName,
    /// The key as it was written, where an alias changed it.
    pub written: Option<String>,
    /// Who says so: `front-matter:dependencies`, `effect:open-entry`, ….
    pub source: String,
}

/// When a dependency counts as satisfied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DependencyRule {
    /// Its tracker says closed, or its newest run is done.
    #[default]
    Either,
    /// Its tracker says closed.
    Tracker,
    /// Its newest run is done.
    Run,
}

impl DependencyRule {
    /// The word used in stores and policies.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Either => "either",
            Self::Tracker => "tracker",
            Self::Run => "run",
        }
    }

    /// Whether an entry in this position satisfies those that depend on it. Failed is not done.
    pub fn is_satisfied(self, state: EntryState, closed_in_tracker: bool) -> bool {
        let done = state == EntryState::Done;
        match self {
            Self::Either => done || closed_in_tracker,
            Self::Tracker => closed_in_tracker,
            Self::Run => done,
        }
    }
}

/// An entry as a store knows it, without its text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EntryStatus {
    /// Its number in this store.
    #[schemars(with = "i64")]
    pub id: EntryId,
    /// Which entry.
    #[serde(flatten)]
    pub name: EntryName,
    /// The backlog that it entered by.
    pub backlog: String,
    /// One line.
    pub title: String,
    /// Where a person can read it.
    pub url: Option<String>,
    /// Its life.
    pub state: EntryState,
    /// Whether its newest work was done before Tollgate, and adopted.
    #[serde(default)]
    pub adopted: bool,
    /// Why it may not run; empty unless it is held.
    pub holds: Vec<Hold>,
    /// The pipeline it waits for or ran through.
    pub pipeline: Option<String>,
    /// Its score in thousandths, where the backlog has a priority formula.
    pub score_thousandths: Option<i64>,
    /// The digest of what it says now.
    pub revision: Digest,
    /// Rounds of work begun so far.
    pub rounds: u32,
    /// When it was written.
    pub created_at: Timestamp,
}

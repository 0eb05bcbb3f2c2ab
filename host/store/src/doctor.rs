//! What is wrong with a store, in words for whoever has to mend it.
//!
//! Properties wanted: whatever lies where a store should be, looking at it ends with findings and never with a failure; nothing is changed
//! by it; and each finding says what to do.
//!
//! A database checks its own pages and references. What only Tollgate knows of its rows is in `sql/doctor/`, one query a sentence, which
//! finds what contradicts it. The tests hold these sentences after everything that a store does, so a row that contradicts one was not
//! written by a host.

mod contradictions;
mod sentences;

use serde::Serialize;
use tollgate_core::RunId;

pub(crate) use contradictions::find as find_contradictions;
pub use sentences::{SENTENCES, Sentence};

/// What to do about a database in which something is damaged.
pub const BEGIN_ANEW: &str = "stop the hosts and keep a copy of the database; then put a backup in its place, or empty it: `tollgate backlog \
     take-over --reason …` makes a new store of the records in the trackers. What was done stays done, what was under way begins again, and \
     of earlier runs no more is known than their records say";

/// What was found out about a store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Examination {
    /// What is not as it should be, the worst first.
    pub findings: Vec<Finding>,
    /// Whether the store can be opened and read by this version.
    pub is_readable: bool,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub gravity: Gravity,
    /// Of what it is.
    pub kind: FindingKind,
    /// What is so.
    pub what: String,
    /// What to do.
    pub advice: String,
    /// The runs that it concerns, where that is known.
    pub runs: Vec<RunId>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gravity {
    /// Something is lost or wrong, or nothing can be done until it is mended.
    Fault,
    /// It may become one.
    Risk,
}

/// What a finding is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// Where the file is, and what may be done there.
    Place,
    /// Room on the disk.
    Room,
    /// The log beside the file.
    Log,
    /// The database as such.
    Database,
    /// The version of what is in it.
    Schema,
    /// Rows that contradict one another.
    Rows,
    /// What is kept of a run: its chain, its record, its steps.
    Run,
    /// Bytes that a run names.
    Artifact,
}

impl Examination {
    /// Puts a finding in its place.
    pub fn add(&mut self, finding: Finding) {
        let at = self.findings.partition_point(|other| other.gravity <= finding.gravity);
        self.findings.insert(at, finding);
    }

    /// Whether anything has to be mended.
    pub fn has_faults(&self) -> bool {
        self.findings.iter().any(|finding| finding.gravity == Gravity::Fault)
    }
}

impl Finding {
    /// Something that has to be mended.
    pub fn fault(kind: FindingKind, what: impl Into<String>, advice: impl Into<String>) -> Self {
        let (what, advice) = (what.into(), advice.into());
        Self { gravity: Gravity::Fault, kind, what, advice, runs: vec![] }
    }

    /// Something that may become a fault.
    pub fn risk(kind: FindingKind, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { gravity: Gravity::Risk, ..Self::fault(kind, what, advice) }
    }

    /// Of these runs.
    #[must_use]
    pub fn of(self, runs: Vec<RunId>) -> Self {
        Self { runs, ..self }
    }
}

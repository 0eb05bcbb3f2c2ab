//! Entries that live in the store alone.

use tollgate_core::{
    EntryId, RunId,
    entry::{EntryName, EntryState},
};

use super::Arrival;

/// An entry that somebody opens.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The entry, judged.
    pub arrival: Arrival,
    /// What makes it the same as one that was opened before in the backlog.
    pub fingerprint: String,
    /// Who opens it.
    pub opener: Opener,
}

/// Who opens an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opener {
    /// A person, who may also change what an entry says that is there already.
    Person,
    /// A run: the entry becomes a child of its entry. One that is there already stays as it is.
    Run {
        /// Which run.
        run: RunId,
        /// How many openings may lead from an entry that nobody opened so to this one.
        depth_max: u32,
    },
}

/// What became of an opening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The entry.
    pub id: EntryId,
    /// Its name.
    pub name: EntryName,
    /// Its state now.
    pub state: EntryState,
    /// What was done.
    pub how: OpenedHow,
}

/// What was done for an opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenedHow {
    /// The entry was made.
    Created,
    /// It was there, and says something else now.
    Revised,
    /// It was there.
    Found,
}

/// An entry that a run of another opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// Its name.
    pub name: EntryName,
    /// Its state now.
    pub state: EntryState,
    /// The run that opened it.
    pub opened_by: RunId,
}

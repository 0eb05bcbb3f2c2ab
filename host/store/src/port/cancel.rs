//! Runs that a person ends.

use tollgate_core::HostId;

/// A person's word that ends a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCancellation {
    /// Who says so.
    pub who: String,
    /// Why.
    pub why: String,
}

/// What follows from a cancellation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cancelled {
    /// The host that drives the run, and ends it; none where the next one does.
    pub driven_by: Option<HostId>,
    /// Entries whose runs are cancelled with it, since it led to them.
    pub runs: Vec<String>,
    /// Entries that were not begun and are held for it.
    pub held: Vec<String>,
}

//! What can go wrong in a host, by who must act. Faults of guests are not among it: they are outcomes of steps.

use tollgate_policy as policy;
use tollgate_store::StoreError;

/// A failure of the host or of what it stands on.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The policy cannot be applied as it stands.
    #[error("the policy has errors:\n{0}")]
    Policy(policy::Diagnostics),
    /// What others applied cannot be acted on by this host.
    #[error("version {version} of the policy, which {who} applied, cannot be acted on here: {reason}")]
    Unfollowable {
        /// Its version.
        version: i64,
        /// Who applied it.
        who: String,
        /// Why.
        reason: String,
    },
    /// A tracker is kept by another store.
    #[error(
        "{tracker} is kept by another store ({owner}, as {marker} says), and one backlog has one store; \
         use that store, or take the tracker over: `tollgate backlog take-over --reason …`"
    )]
    Foreign {
        /// Which tracker.
        tracker: String,
        /// The id of the store that keeps it.
        owner: String,
        /// The file that says so.
        marker: String,
    },
    /// A tracker cannot be used.
    #[error("{tracker}: {reason}")]
    Tracker {
        /// Which tracker.
        tracker: String,
        /// Why.
        reason: String,
    },
    /// The sandbox cannot be made.
    #[error(transparent)]
    Sandbox(#[from] tollgate_sandbox::SandboxError),
    /// A file or thread of the host's own.
    #[error("cannot {doing}: {source}")]
    Io {
        /// As a verb: `read the plugins folder`.
        doing: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The host is wrong.
    #[error("this is a bug of tollgate: {0}")]
    Bug(String),
}

impl EngineError {
    /// Whether the same may succeed a moment later.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::Store(error) if error.may_pass())
    }
}

/// What the engine's functions return.
pub(crate) type Result<T> = std::result::Result<T, EngineError>;

//! What can go wrong in a store, by who must act.

use tollgate_core::{RunId, lease::Fence};

/// A store's refusal or failure.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else drives the run by now. The driver drops its work; nothing was changed.
    #[error(
        "the claim on run {run} is stale: it was taken with fence {fence}, and another claim has followed"
    )]
    StaleFence {
        /// Which run.
        run: RunId,
        /// The fence that was named.
        fence: Fence,
    },
    /// Somebody else delivers the effect by now. Nothing was changed.
    #[error("the lease on delivery {delivery} has passed to another host")]
    StaleDelivery {
        /// Which outbox row.
        delivery: i64,
    },
    /// There is no such thing.
    #[error("there is no {what} `{name}` in the store")]
    NotFound {
        /// Which kind of thing.
        what: &'static str,
        /// What was asked for.
        name: String,
    },
    /// The thing is in a state that does not allow it.
    #[error("{0}")]
    Conflict(String),
    /// A later version wrote it.
    #[error(
        "the store at {location} has schema version {found} (`{found_name}`), and this version of tollgate knows up to \
         {known}; run the version that wrote it, or a later one"
    )]
    NewerSchema {
        /// Where the store is.
        location: String,
        /// The version found.
        found: i64,
        /// The name of the newest migration found.
        found_name: String,
        /// The newest version known.
        known: i64,
    },
    /// Another process has it.
    #[error(
        "the store at {location} is used by another tollgate process ({holder}); stop it first, or use another store"
    )]
    InUse {
        /// Where the store is.
        location: String,
        /// The process, as far as it is known.
        holder: String,
    },
    /// It was taken to another place, which goes on with it.
    #[error("the store went to {to} at {at}, and goes on there; name that place as `store` in tollgate.toml")]
    Moved {
        /// Where, in the words of whoever moved it.
        to: String,
        /// When.
        at: String,
    },
    /// An export cannot be written, or what is to be imported is none, or not a whole one.
    #[error("the export is of no use: {0}")]
    Export(String),
    /// The file is no database, or not a whole one.
    #[error(
        "the store at {location} cannot be read: {message}; `tollgate store doctor` says what is wrong and what helps"
    )]
    Unreadable {
        /// Where the store is.
        location: String,
        /// The database's own words.
        message: String,
    },
    /// No server has it that could be asked.
    #[error("the store at {location} cannot be reached: {reason}; is the server up, and the address right?")]
    Unreachable {
        /// Where the store is.
        location: String,
        /// What is known of why.
        reason: String,
    },
    /// The server refuses whoever asks.
    #[error("the store at {location} cannot be used: {reason}; {advice}")]
    NotAdmitted {
        /// Where the store is.
        location: String,
        /// The server's own words.
        reason: String,
        /// What helps.
        advice: String,
    },
    /// The database or the disk failed.
    #[error("the store failed while it was to {doing}: {message}")]
    Platform {
        /// What was being done, as a verb: `claim a run`.
        doing: &'static str,
        /// The database's own words.
        message: String,
    },
    /// What is stored is not what was written.
    #[error("the store is damaged: {0}; `tollgate audit verify` shows how far")]
    Damaged(String),
}

impl StoreError {
    /// Whether the same may succeed a moment later: the database or the way to it failed, and it refused nothing.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Platform { .. } | Self::Unreachable { .. })
    }
}

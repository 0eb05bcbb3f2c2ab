//! What `store` prints.

use serde::Serialize;
use tollgate_core::{Digest, StoreId};
use tollgate_store::port::{About, ExportSummary, SchemaVersion};

/// `store status`.
#[derive(Debug, Serialize)]
pub(crate) struct StoreStatus {
    /// Where it is, without a password.
    pub(crate) address: String,
    /// `SQLite` or `PostgreSQL`.
    pub(crate) database: &'static str,
    /// What it is, and how it stands.
    #[serde(flatten)]
    pub(crate) about: About,
}

/// `store migrate`.
#[derive(Debug, Serialize)]
pub(crate) struct Migrated {
    /// Where it is, without a password.
    pub(crate) address: String,
    /// Whether there was none before.
    pub(crate) made: bool,
    /// Whether its schema was an earlier one, or none.
    pub(crate) changed: bool,
    /// Its schema now.
    pub(crate) schema: SchemaVersion,
}

/// `store export`.
#[derive(Debug, Serialize)]
pub(crate) struct Exported {
    /// Where the store is, without a password.
    pub(crate) address: String,
    /// Its id.
    pub(crate) store: StoreId,
    /// Where it was written to.
    pub(crate) file: String,
    /// Where it is marked to have gone; none for one that stays.
    pub(crate) moved_to: Option<String>,
    /// What was written.
    #[serde(flatten)]
    pub(crate) summary: ExportSummary,
}

/// `store import`.
#[derive(Debug, Serialize)]
pub(crate) struct Imported {
    /// Where the store is, without a password.
    pub(crate) address: String,
    /// Its id, which is that of the store that was exported.
    pub(crate) store: StoreId,
    /// What came in.
    #[serde(flatten)]
    pub(crate) summary: ExportSummary,
    /// Whether what runs name is there.
    pub(crate) artifacts: ArtifactsFound,
}

/// The artifacts that runs name.
#[derive(Debug, Serialize)]
pub(crate) struct ArtifactsFound {
    /// Where they are looked for.
    pub(crate) place: String,
    /// How many there are to be.
    pub(crate) named: u64,
    /// Those that are not there, or are damaged.
    pub(crate) missing: Vec<Digest>,
}

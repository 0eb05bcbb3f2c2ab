//! The store as a whole: what it is, and how it moves from one database to another.

use std::{
    collections::BTreeMap,
    io::{BufRead, Write},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tollgate_core::{Digest, HostId, StoreId, Timestamp, lease::SILENT_AFTER};

use super::{Result, Store};

/// Where an export is written to.
pub type Sink = Arc<Mutex<dyn Write + Send>>;

/// Opens an export, each time from its beginning.
pub type Source = Arc<dyn Fn() -> std::io::Result<Box<dyn BufRead>> + Send + Sync>;

/// A store that can be taken elsewhere.
#[async_trait]
pub trait Archive: Store {
    /// What the store is, and how it stands.
    async fn about(&self) -> Result<About>;

    /// Notes a host before it begins: its version, and its labels, which decide what it may claim.
    async fn register(&self, host: &HostId, labels: &[String]) -> Result<()>;

    /// Forgets a host that ended in good order.
    async fn leave(&self, host: &HostId) -> Result<()>;

    /// Writes the whole store as it is at one moment: the same bytes for the same content, whatever the database.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`](crate::StoreError::Damaged) when the chain of a run does not fit; [`StoreError::Export`](crate::StoreError::Export)
    /// when it cannot be written.
    async fn export(&self, to: Sink) -> Result<ExportSummary>;

    /// Takes a whole export into a store in which nothing is, which is that store afterwards: all of it, or nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Export`](crate::StoreError::Export) when it is damaged, cut or of a later version, and
    /// [`StoreError::Conflict`](crate::StoreError::Conflict) when the store is not empty.
    async fn import(&self, from: Source) -> Result<ExportSummary>;

    /// Marks the store as moved: nothing is claimed or delivered by it from here on, and only those who look back may open it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::StoreError::Conflict) while a host drives something in it.
    async fn move_to(&self, place: &str) -> Result<()>;

    /// Takes that mark back; whether there was one.
    async fn stay(&self) -> Result<bool>;
}

/// What a store is, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct About {
    /// Its id.
    pub id: StoreId,
    /// When it was made.
    pub made_at: Timestamp,
    /// Its schema.
    pub schema: SchemaVersion,
    /// Where it went, and when; none for one that is in use.
    pub moved: Option<Moved>,
    /// Hosts, the one that was heard of last first.
    pub hosts: Vec<KnownHost>,
    /// On the disk.
    pub size_bytes: u64,
    /// Entries.
    pub entries: u64,
    /// Runs.
    pub runs: u64,
    /// Of those: that are under way.
    pub live_runs: u64,
    /// Events in their chains.
    pub events: u64,
    /// What is to be delivered.
    pub undelivered: u64,
    /// Since when the oldest of that could have been.
    pub undelivered_since: Option<Timestamp>,
    /// The time by the store's clock.
    pub now: Timestamp,
}

/// A version of the schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SchemaVersion {
    /// How many migrations ran.
    pub version: i64,
    /// The name of the last of them.
    pub name: String,
    /// The least version that a host has to know.
    pub needs: i64,
}

/// Where a store went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// In the words of whoever moved it.
    pub to: String,
    /// When.
    pub at: Timestamp,
}

/// A host that was heard of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownHost {
    /// Its name.
    pub id: HostId,
    /// When it was heard of last.
    pub seen_at: Timestamp,
    /// Its version of Tollgate.
    pub version: Option<String>,
    /// Its labels.
    pub labels: Vec<String>,
}

impl KnownHost {
    /// Whether it is at work at this time, as far as is known.
    pub fn is_at_work(&self, now: Timestamp) -> bool {
        now.since(self.seen_at) <= SILENT_AFTER
    }
}

/// What an export holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportSummary {
    /// Rows, by table.
    pub rows: BTreeMap<String, u64>,
    /// Runs, with those that are known by their records alone.
    pub runs: u64,
    /// Events in their chains.
    pub events: u64,
    /// The digest of the heads of all chains, in the order of runs.
    pub heads: Digest,
    /// The digest of all lines before the one with this.
    pub lines: Digest,
}

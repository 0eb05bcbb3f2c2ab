//! What an export looks like: lines of JSON.
//!
//! ```text
//! {"format":1,"store":"01M…","made_at":…,"seen_at":…,"vtime":…}
//! {"table":"lane","columns":["id","backlog",…]}
//! [1,"specs",…]
//! …
//! {"end":{"rows":{"lane":1,…},"runs":25,"events":311,"heads":"sha256:…","lines":"sha256:…"}}
//! ```
//!
//! Properties wanted:
//!
//! 1. Nothing in it depends on the database, the machine or the hour: two stores of the same content give the same bytes.
//! 2. What was cut or changed is noticed before anything is imported: the last line has the digest of all lines before it, the number
//!    of rows of each table, and the digest of the heads of all chains.

use serde::{Deserialize, Serialize};
use tollgate_core::{Digest, StoreId};

use crate::port::ExportSummary;

/// The version of the format that this code writes and reads.
pub(super) const FORMAT: u32 = 1;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) format: u32,
    pub(super) store: StoreId,
    pub(super) made_at: i64,
    pub(super) seen_at: i64,
    pub(super) vtime: i64,
}

/// What is read of a first line of whatever version.
#[derive(Debug, Deserialize)]
pub(super) struct AnyHeader {
    pub(super) format: u32,
}

/// The line before the rows of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TableHeader {
    pub(super) table: String,
    pub(super) columns: Vec<String>,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Trailer {
    pub(super) end: ExportSummary,
}

/// The digest of lines, one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines(Digest);

impl Lines {
    pub(super) fn new() -> Self {
        Self(Digest::of(b"tollgate.store/1"))
    }

    pub(super) fn add(&mut self, line: &[u8]) {
        self.0 = Digest::of_parts([self.0.as_bytes().as_slice(), line]);
    }

    pub(super) fn digest(self) -> Digest {
        self.0
    }
}

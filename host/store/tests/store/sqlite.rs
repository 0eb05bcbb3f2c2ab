//! What the SQLite store must do besides.

use std::sync::Arc;

use tempfile::TempDir;
use tollgate_core::time::ManualClock;
use tollgate_store::{OpenMode, SqliteOptions, SqliteStore};

pub fn in_memory(clock: Arc<ManualClock>) -> SqliteStore {
    SqliteStore::open(SqliteOptions::in_memory().with_clock(clock)).unwrap()
}

pub fn in_file(folder: &TempDir, clock: Arc<ManualClock>) -> SqliteStore {
    let path = folder.path().join("state").join("tollgate.db");
    SqliteStore::open(SqliteOptions::at(path, OpenMode::Host).with_clock(clock)).unwrap()
}

//! Moves what is in the log into the database, beside the writer.
//!
//! Properties wanted: nobody who waits for the writer waits for this, or who closes the store; and the log does not grow without end.
//!
//! By itself SQLite does it within the commit that makes the log long: then one caller in some thousands waits for thirty
//! megabytes. So a thread with a connection of its own does it a few times a second while there is something to move. But the log begins
//! anew only at a moment at which all of it was moved, and while the writer goes on there is none. So when the log has become long, the
//! writer itself moves what is left, which is what it wrote during the last pass.

use std::{
    convert::Infallible,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::Connection;

use super::{open, tx::TxResult};

/// Between two passes: a pass has a price of its own, and what is written twice meanwhile is moved once.
const PAUSE: Duration = Duration::from_millis(250);

/// Pages of a log that is long.
const LONG: i64 = 8_192;

/// The thread. It ends when the [`Beside`] that came with it is dropped; dropping it waits for that.
pub(super) struct Checkpointer {
    thread: Option<JoinHandle<()>>,
}

/// What the writer tells the thread, and is told.
pub(super) struct Beside {
    committed: mpsc::SyncSender<()>,
    is_long: Arc<AtomicBool>,
    _open: mpsc::Sender<Infallible>,
}

impl Checkpointer {
    /// Starts the thread for the database at `path`.
    pub(super) fn start(path: &Path) -> TxResult<(Self, Beside)> {
        Self::start_with(path, PAUSE)
    }

    fn start_with(path: &Path, pause: Duration) -> TxResult<(Self, Beside)> {
        let connection = open::existing(path)?;
        let (committed, commits) = mpsc::sync_channel(1);
        let (open, closed) = mpsc::channel();
        let is_long = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_long);
        let thread = std::thread::Builder::new().name("store-checkpoints".into()).spawn(move || {
            let pauses = || closed.recv_timeout(pause) == Err(RecvTimeoutError::Timeout);
            // What is left when the store is closed is moved by whoever closes it last.
            while commits.recv().is_ok() && pauses() {
                told.store(pass(&connection) > LONG, Ordering::Relaxed);
            }
        });
        // Without the thread the log grows until the store is closed, and nothing else is lost.
        let thread =
            thread.inspect_err(|error| tracing::warn!(%error, "no thread moves the store's log")).ok();
        Ok((Self { thread }, Beside { committed, is_long, _open: open }))
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that moves the store's log panicked");
        }
    }
}

impl Beside {
    /// Notes a commit of the writer, which holds no transaction now.
    pub(super) fn committed(&self, writer: &Connection) {
        // When one is noted already, the pass that comes moves this one too.
        let _noted = self.committed.try_send(());
        if self.is_long.swap(false, Ordering::Relaxed) {
            pass(writer);
        }
    }
}

/// Moves what can be moved without waiting for anybody; how many pages the log has. A pass that fails is made up for by the next.
fn pass(connection: &Connection) -> i64 {
    let pages = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1));
    pages
        .inspect_err(|error| tracing::warn!(%error, "the store's log could not be moved"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    /// How often the log began anew, as the header of its file counts.
    fn beginning(database: &Path) -> Vec<u8> {
        let log = std::fs::read(format!("{}-wal", database.display())).unwrap();
        log[12..16].to_vec()
    }

    #[test]
    fn a_log_that_became_long_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let writer = open::writer(&path, true).ok().unwrap();
        let (checkpointer, beside) = Checkpointer::start(&path).ok().unwrap();
        // Each of these commits writes a page, and waits for no disk.
        writer.pragma_update(None, "synchronous", "OFF").unwrap();
        let write_page = |number: i64| writer.pragma_update(None, "user_version", number).unwrap();
        (0..LONG + 100).for_each(write_page);
        let (first, deadline) = (beginning(&path), Instant::now() + PATIENCE);
        while beginning(&path) == first && Instant::now() < deadline {
            beside.committed(&writer);
            write_page(0);
        }
        assert_ne!(beginning(&path), first);
        drop(beside);
        drop(checkpointer);
    }

    #[test]
    fn a_store_that_is_closed_waits_for_no_pause() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let writer = open::writer(&path, true).ok().unwrap();
        let (checkpointer, beside) =
            Checkpointer::start_with(&path, Duration::from_secs(3_600)).ok().unwrap();
        writer.pragma_update(None, "user_version", 1).unwrap();
        beside.committed(&writer);
        drop(beside);
        drop(checkpointer);
    }
}

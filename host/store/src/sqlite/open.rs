//! Opening a store: connections, their pragmas, and the lock that lets one host drive.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags};

use super::tx::TxResult;
use crate::{StoreError, port::Result};

/// How long a transaction waits for one of another process, a person's `stop` for a host's commit, say.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the lock of a host is waited for.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);

/// How often it is looked at meanwhile.
const LOCK_POLL: Duration = Duration::from_millis(10);

/// More than all queries there are, so that each is parsed once a connection.
const STATEMENTS_MAX: usize = 256;

/// A connection that writes to a file. What it writes is moved from the log into the database by itself, or, with a `checkpointer`, by
/// somebody else.
pub(super) fn writer(path: &Path, checkpointer: bool) -> TxResult<Connection> {
    let connection = Connection::open(path)?;
    make_durable(&connection)?;
    // In pages. Moving the log into the database costs a sync of its own; at the default that is every few dozen commits.
    connection.pragma_update(None, "wal_autocheckpoint", if checkpointer { 0 } else { 8_192 })?;
    prepare(&connection)?;
    Ok(connection)
}

/// The only connection to a file on the file system that SQLite knows by this name.
pub(super) fn alone(path: &Path, vfs: &str) -> TxResult<Connection> {
    let connection = Connection::open_with_flags_and_vfs(path, OpenFlags::default(), vfs)?;
    // First of all: then the log's index is kept by the connection, and not in memory that is shared.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    make_durable(&connection)?;
    // A megabyte: there is nobody beside the writer who could move more of it without making it wait.
    connection.pragma_update(None, "wal_autocheckpoint", 256)?;
    prepare(&connection)?;
    Ok(connection)
}

fn make_durable(connection: &Connection) -> TxResult<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A commit is on the disk before anybody hears of it: a fence that was handed out is never handed out again.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    Ok(())
}

/// A connection to a database that is gone when it is closed.
pub(super) fn in_memory() -> TxResult<Connection> {
    let connection = Connection::open_in_memory()?;
    prepare(&connection)?;
    Ok(connection)
}

/// A connection that only reads.
pub(super) fn reader(path: &Path) -> TxResult<Connection> {
    let connection = existing(path)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// A connection to a database that is there.
pub(super) fn existing(path: &Path) -> TxResult<Connection> {
    // Not opened read-only: a reader of a log that no writer has open must be able to bring it up to date.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection)?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> TxResult<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // Negative: in KiB. The ready index of a million entries and the rows in use fit.
    connection.pragma_update(None, "cache_size", -65_536)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(())
}

/// The right of one process to drive what is in a store; given back when dropped, or by the operating system when the process
/// ends in whatever way.
pub(super) struct HostLock {
    _file: File,
}

impl HostLock {
    /// # Errors
    ///
    /// [`StoreError::InUse`] when another process holds it.
    pub(super) fn take(store: &Path) -> Result<Self> {
        let path = lock_path(store);
        let platform = |e: std::io::Error| StoreError::Platform {
            doing: "lock the store for this host",
            message: format!("{}: {e}", path.display()),
        };
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(platform)?;
        match lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(platform)?;
                let holder = match holder.trim() {
                    "" => "which one is not known".to_owned(),
                    holder => holder.to_owned(),
                };
                return Err(StoreError::InUse { location: store.display().to_string(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(platform(error)),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(platform)?;
        file.write_all(this_process().as_bytes()).map_err(platform)?;
        Ok(Self { _file: file })
    }
}

/// Locks, as soon as it is free: a program that its last holder was just starting keeps it for a moment longer.
fn lock(file: &File) -> std::result::Result<(), TryLockError> {
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if began.elapsed() < LOCK_PATIENCE => std::thread::sleep(LOCK_POLL),
            outcome => return outcome,
        }
    }
}

/// The lock stands beside the database: locking the database itself would shut readers out.
fn lock_path(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

fn this_process() -> String {
    let machine = rustix::system::uname();
    format!("process {} on {}", std::process::id(), machine.nodename().to_string_lossy())
}

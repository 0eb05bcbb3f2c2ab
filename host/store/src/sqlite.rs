//! A store in one SQLite file.
//!
//! * [`writer`] owns the one connection that writes and shares commits; [`readers`] see the last commit.
//! * [`open`] holds the connections' settings and the lock; [`migrate`] brings the schema up to date.
//! * [`session`] runs the queries of `sql/sqlite/` for what happens inside a transaction.

mod checkpoint;
mod copy;
mod migrate;
mod open;
#[cfg(test)]
mod plans;
mod queue;
mod readers;
mod session;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use tollgate_core::{Clock, StoreId, Timestamp, time::SystemClock};

use self::{
    checkpoint::Checkpointer,
    open::HostLock,
    queue::Turn,
    readers::Readers,
    writer::{StoreClock, Writer},
};
use crate::{
    StoreError,
    port::Result,
    rules::{Access, Database},
    schema, sql,
    tx::{self, Failure, Tx, TxResult},
};

/// How to open a store.
pub struct SqliteOptions {
    /// Where it is; none for one that lives in memory and is gone when it is dropped.
    pub path: Option<PathBuf>,
    /// What the process is going to do with it.
    pub mode: OpenMode,
    /// Where the time comes from. The store never acts on an earlier time than it has acted on.
    pub clock: Arc<dyn Clock>,
}

/// What a process does with a store. Any number of processes may open one at the same time, of which one as [`OpenMode::Host`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// Drives what is in it: takes the lock beside the file, makes the file when there is none and brings its schema up to date.
    /// Only a host claims and delivers.
    Host,
    /// Says something short (`stop`, `retry`) while a host may be driving: no lock; waits for the host's commits, not for the
    /// host.
    Client,
    /// Reads.
    ReadOnly,
}

/// A store in one SQLite file, or in memory.
pub struct SqliteStore {
    id: StoreId,
    mode: OpenMode,
    clock: StoreClock,
    /// None when it is opened for reading.
    writer: Option<Writer>,
    /// None when it lives in memory: then the one connection reads as well.
    readers: Option<Arc<Readers>>,
    /// After the writer, so that the lock is given back when the last commit is done.
    _lock: Option<HostLock>,
}

impl SqliteOptions {
    /// The store at `path`.
    pub fn at(path: impl Into<PathBuf>, mode: OpenMode) -> Self {
        Self { path: Some(path.into()), mode, clock: Arc::new(SystemClock::default()) }
    }

    /// A store in memory.
    pub fn in_memory() -> Self {
        Self { path: None, mode: OpenMode::Host, clock: Arc::new(SystemClock::default()) }
    }

    /// With this clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }
}

impl SqliteStore {
    /// Opens a store. Blocks while the schema is brought up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] when another host drives it, [`StoreError::NewerSchema`] when a later version wrote it,
    /// [`StoreError::NotFound`] when there is none and the mode does not make one, [`StoreError::Unreadable`] when the file is no
    /// whole database.
    pub fn open(options: SqliteOptions) -> Result<Self> {
        let SqliteOptions { path, mode, clock } = options;
        let lock = match &path {
            Some(path) => make_room(path, mode)?,
            None => None,
        };
        let location = path.as_ref().map_or_else(|| "memory".into(), |path| path.display().to_string());
        let connected = match (&path, mode) {
            (None, _) => open::in_memory(),
            (Some(path), OpenMode::ReadOnly) => open::reader(path),
            (Some(path), _) => open::writer(path, mode == OpenMode::Host),
        };
        let connected = connected.and_then(|mut connection| {
            match mode {
                OpenMode::Host => migrate::migrate(&mut connection, &location, clock.now())?,
                OpenMode::Client | OpenMode::ReadOnly => {
                    schema::require_present(&connection, &location, migrate::MIGRATIONS)?
                }
            }
            let about = Tx::new(&connection, Timestamp::default())
                .one(sql::STORE_GET, &[], |row| Ok((row.parsed("id")?, row.time("seen_at")?)))?;
            let (id, seen) = about.ok_or_else(|| Failure::damaged("it has no row about itself"))?;
            Ok((connection, id, seen))
        });
        let (connection, id, seen) = connected.map_err(|failure| failure.while_opening(&location))?;
        let clock = StoreClock::new(clock, seen);
        let checkpointer = match (&path, mode) {
            (Some(path), OpenMode::Host) => Some(Checkpointer::start(path)),
            _ => None,
        };
        let checkpointer = checkpointer.transpose().map_err(|failure| failure.while_opening(&location))?;
        let readers = path.map(|path| Arc::new(Readers::new(path, clock.clone())));
        let writer = match mode {
            OpenMode::Host | OpenMode::Client => {
                Some(Writer::start(connection, clock.clone(), checkpointer)?)
            }
            OpenMode::ReadOnly => None,
        };
        Ok(Self { id, mode, clock, writer, readers, _lock: lock })
    }

    /// Copies the store in `original`, of whatever version and whoever drives it, to a new file: as it is at one commit. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] when there is none; when anything fails, nothing is left at `copy`.
    pub fn copy(original: &Path, copy: &Path) -> Result<()> {
        make_room(original, OpenMode::ReadOnly)?;
        if copy.exists() {
            return Err(StoreError::Conflict(format!(
                "{} is there already; name a new file",
                copy.display()
            )));
        }
        copy::copy(original, copy).map_err(|failure| {
            // What is there is a part of a copy; the first failure is the one to tell.
            drop(std::fs::remove_file(copy));
            failure.while_doing("copy itself")
        })
    }
}

impl Database for SqliteStore {
    fn id(&self) -> StoreId {
        self.id
    }

    async fn now(&self) -> Result<Timestamp> {
        Ok(self.clock.now())
    }

    async fn transact<T, F>(&self, access: Access, doing: &'static str, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> TxResult<T> + Send + 'static,
    {
        if access == Access::Drive && self.mode != OpenMode::Host {
            let text = format!("only the host that holds the store's lock may {doing}");
            return Err(StoreError::Conflict(text));
        }
        if access == Access::Read
            && let Some(readers) = &self.readers
        {
            return readers.run(doing, body).await;
        }
        let read_only =
            || StoreError::Conflict(format!("the store was opened for reading; it cannot {doing}"));
        let turn = if access == Access::WriteBehind { Turn::Behind } else { Turn::InOrder };
        self.writer.as_ref().ok_or_else(read_only)?.run(turn, doing, body).await
    }
}

/// What must be there before a database can be opened: for a host its folder and the lock, for the others the file.
fn make_room(path: &Path, mode: OpenMode) -> Result<Option<HostLock>> {
    if mode != OpenMode::Host {
        return match path.exists() {
            true => Ok(None),
            false => Err(StoreError::NotFound { what: "store", name: path.display().to_string() }),
        };
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| StoreError::Platform {
            doing: "make its folder",
            message: format!("{}: {e}", folder.display()),
        })?;
    }
    HostLock::take(path).map(Some)
}

#[cfg(test)]
pub(crate) mod tests {
    use rusqlite::Connection;

    use super::{migrate, open};

    /// An empty store, in which a row may be put without those that it names.
    pub(crate) fn in_memory_without_references() -> Connection {
        let mut connection = open::in_memory().ok().expect("a store");
        migrate::migrate(&mut connection, "memory", tollgate_core::Timestamp::default())
            .ok()
            .expect("a schema");
        connection.pragma_update(None, "foreign_keys", false).expect("a setting");
        connection
    }
}

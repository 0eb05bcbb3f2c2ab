//! Connections that only read.
//!
//! Readers see the last commit and never wait for the writer, nor it for them. Each read is one transaction, so that a report
//! of many queries shows one moment.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{
    open,
    tx::{Tx, TxResult},
    writer::StoreClock,
};
use crate::{StoreError, port::Result};

/// Enough for a driver's reads beside a person's reports; more would only compete for the same two cores.
const READERS_MAX: usize = 4;

/// A few connections, opened when first needed.
pub(super) struct Readers {
    path: PathBuf,
    clock: StoreClock,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Readers {
    pub(super) fn new(path: PathBuf, clock: StoreClock) -> Self {
        Self { path, clock, idle: Mutex::default(), permits: Semaphore::new(READERS_MAX) }
    }

    /// Runs `body` on one of the connections, off the async executor.
    pub(super) async fn run<T, F>(self: &Arc<Self>, doing: &'static str, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> TxResult<T> + Send + 'static,
    {
        let failed = |message: String| StoreError::Platform { doing, message };
        let _permit = self.permits.acquire().await.map_err(|e| failed(e.to_string()))?;
        let this = Arc::clone(self);
        let read = move || this.read(body).map_err(|failure| failure.while_doing(doing));
        tokio::task::spawn_blocking(read).await.map_err(|e| failed(e.to_string()))?
    }

    fn read<T>(&self, mut body: impl FnMut(&Tx<'_>) -> TxResult<T>) -> TxResult<T> {
        let connection = match self.lock().pop() {
            Some(connection) => connection,
            None => open::reader(&self.path)?,
        };
        let moment = connection.unchecked_transaction()?;
        let value = body(&Tx::new(&*moment, self.clock.now()));
        moment.finish()?;
        self.lock().push(connection);
        value
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

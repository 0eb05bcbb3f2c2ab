//! The connections of a process.

use std::{
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Semaphore;
use tokio_postgres::{Config, config::Host};

use super::connection::Connection;
use crate::{
    StoreError,
    port::Result,
    tx::{Failure, TxResult},
};

/// What a server lets everybody have together is a hundred by default.
const CONNECTIONS_MAX: usize = 12;

/// A few connections, made when first needed.
pub(super) struct Pool {
    config: Config,
    location: String,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Pool {
    pub(super) fn new(url: &str) -> Result<Arc<Self>> {
        // What is wrong is told without the address: a password may stand in it.
        let config = Config::from_str(url).map_err(|error| {
            StoreError::Conflict(format!("the address of the store's database cannot be read: {error}"))
        })?;
        let location = location(&config);
        Ok(Arc::new(Self {
            config,
            location,
            idle: Mutex::default(),
            permits: Semaphore::new(CONNECTIONS_MAX),
        }))
    }

    /// Where the database is, for people: without a password.
    pub(super) fn location(&self) -> &str {
        &self.location
    }

    /// Runs a transaction on one of the connections, off the async executor.
    pub(super) async fn run<T, F>(self: &Arc<Self>, doing: &'static str, mut transaction: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> TxResult<T> + Send + 'static,
    {
        let failed = |message: String| StoreError::Platform { doing, message };
        let _permit = self.permits.acquire().await.map_err(|e| failed(e.to_string()))?;
        let this = Arc::clone(self);
        let run = move || {
            let connection = this.take()?;
            let done = transaction(&connection);
            this.give_back(connection);
            done
        };
        let done = tokio::task::spawn_blocking(run).await.map_err(|e| failed(e.to_string()))?;
        done.map_err(|failure: Failure| failure.while_doing(doing))
    }

    /// Runs `body` where it may block, whoever calls.
    pub(super) fn on_a_thread<T: Send>(
        self: Arc<Self>,
        body: impl FnOnce(&Self) -> TxResult<T> + Send,
    ) -> TxResult<T> {
        let joined = std::thread::scope(|scope| scope.spawn(|| body(&self)).join());
        joined.unwrap_or_else(|_| Err(Failure::Database("the thread that opens it panicked".into())))
    }

    /// A connection that works, as far as is known.
    pub(super) fn take(&self) -> TxResult<Connection> {
        loop {
            let idle = self.lock().pop();
            match idle {
                Some(connection) if connection.is_usable_after_a_rest() => return Ok(connection),
                Some(_) => {}
                None => return Connection::open(&self.config),
            }
        }
    }

    pub(super) fn give_back(&self, connection: Connection) {
        if connection.is_usable() {
            self.lock().push(connection);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a database is, for people: without a password.
pub(super) fn location(config: &Config) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        Some(Host::Unix(path)) => path.display().to_string(),
        None => "localhost".into(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    format!("postgres://{host}:{port}/{}", config.get_dbname().unwrap_or_default())
}

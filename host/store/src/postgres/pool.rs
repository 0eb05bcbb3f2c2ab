//! The connections of a process.

use std::{
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Semaphore;
use tokio_postgres::{Config, config::Host};

use super::{connection::Connection, purpose::Purpose};
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
    /// The one that renews leases, while it does not.
    heartbeat: Mutex<Option<Connection>>,
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
            heartbeat: Mutex::default(),
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
        let permit = self.permits.acquire().await;
        let _permit = permit.map_err(|e| StoreError::Platform { doing, message: e.to_string() })?;
        let run = move |pool: &Self| {
            let connection = pool.take()?;
            let done = transaction(&connection);
            pool.give_back(connection);
            done
        };
        self.run_blocking(doing, run).await
    }

    /// Runs a transaction on the connection that renews leases, however many of the others hang.
    pub(super) async fn run_heartbeat<T, F>(
        self: &Arc<Self>,
        doing: &'static str,
        mut transaction: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> TxResult<T> + Send + 'static,
    {
        let run = move |pool: &Self| {
            let kept = pool.heartbeat.lock().unwrap_or_else(PoisonError::into_inner).take();
            let connection = match kept.filter(Connection::is_usable_after_a_rest) {
                Some(connection) => connection,
                None => Connection::open(&pool.config, Purpose::Heartbeat)?,
            };
            let done = transaction(&connection);
            if connection.is_usable() {
                *pool.heartbeat.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
            }
            done
        };
        self.run_blocking(doing, run).await
    }

    async fn run_blocking<T, F>(self: &Arc<Self>, doing: &'static str, run: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Self) -> TxResult<T> + Send + 'static,
    {
        let this = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || run(&this)).await;
        let done = done.map_err(|e| StoreError::Platform { doing, message: e.to_string() })?;
        done.map_err(|failure: Failure| self.where_it_failed(failure).while_doing(doing))
    }

    /// What the database says of its failures, with where it is.
    fn where_it_failed(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Database(message) => Failure::Database(format!("{}: {message}", self.location)),
            Failure::Interrupted(message) => Failure::Interrupted(format!("{}: {message}", self.location)),
            other => other,
        }
    }

    /// Runs `body` where it may block, whoever calls.
    pub(super) fn on_a_thread<T: Send>(
        self: Arc<Self>,
        body: impl FnOnce(&Self) -> TxResult<T> + Send,
    ) -> TxResult<T> {
        let joined = std::thread::scope(|scope| scope.spawn(|| body(&self)).join());
        let done =
            joined.unwrap_or_else(|_| Err(Failure::Database("the thread that opens it panicked".into())));
        done.map_err(|failure| self.where_it_failed(failure))
    }

    /// A connection that works, as far as is known.
    pub(super) fn take(&self) -> TxResult<Connection> {
        loop {
            let idle = self.lock().pop();
            match idle {
                Some(connection) if connection.is_usable_after_a_rest() => return Ok(connection),
                Some(_) => {}
                None => return Connection::open(&self.config, Purpose::Transactions),
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

fn location(config: &Config) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        Some(Host::Unix(path)) => path.display().to_string(),
        None => "localhost".into(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    format!("postgres://{host}:{port}/{}", config.get_dbname().unwrap_or_default())
}

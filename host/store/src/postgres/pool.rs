//! The connections of a process.

use std::sync::{
    Arc, Mutex, OnceLock, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::Semaphore;

use super::{address::Address, connection::Connection, hints::Hints, purpose::Purpose};
use crate::{
    StoreError,
    port::Result,
    tx::{Failure, TxResult},
};

/// What a server lets everybody have together is a hundred by default.
const CONNECTIONS_MAX: usize = 12;

/// A few connections, made when first needed.
pub(super) struct Pool {
    address: Arc<Address>,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
    /// The one that renews leases, while it does not.
    heartbeat: Mutex<Option<Connection>>,
    /// Once somebody wants to hear them.
    hints: OnceLock<Hints>,
    round_trips: Arc<AtomicU64>,
}

impl Pool {
    pub(super) fn new(url: &str) -> Result<Arc<Self>> {
        Ok(Arc::new(Self {
            address: Arc::new(Address::parse(url)?),
            idle: Mutex::default(),
            permits: Semaphore::new(CONNECTIONS_MAX),
            heartbeat: Mutex::default(),
            hints: OnceLock::new(),
            round_trips: Arc::default(),
        }))
    }

    /// Waits for a hint that there may be something to do.
    pub(super) async fn hint(&self) {
        self.hints.get_or_init(|| Hints::listen(Arc::clone(&self.address))).heard().await;
    }

    /// How often an answer was waited for, but on the connection that renews leases.
    pub(super) fn round_trips(&self) -> u64 {
        self.round_trips.load(Ordering::Relaxed)
    }

    /// Where the database is, for people: without a password.
    pub(super) fn location(&self) -> &str {
        &self.address.location
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
                None => Connection::open(&pool.address, Purpose::Heartbeat, Arc::default())?,
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
    pub(super) fn where_it_failed(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Database(message) => Failure::Database(format!("{}: {message}", self.address.location)),
            Failure::Interrupted(message) => {
                Failure::Interrupted(format!("{}: {message}", self.address.location))
            }
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
                None => {
                    let round_trips = Arc::clone(&self.round_trips);
                    return Connection::open(&self.address, Purpose::Transactions, round_trips);
                }
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

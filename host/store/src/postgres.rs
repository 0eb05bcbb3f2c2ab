//! A store in a PostgreSQL database, which many hosts share.
//!
//! * [`pool`] has the connections; [`connection`] holds one with its settings, statements and slot.
//! * [`session`] runs the queries of `sql/postgres/` for what happens inside a transaction; [`value`] is how values travel.
//! * [`placeholders`] turns the names of parameters, which all stores share, into PostgreSQL's numbers.
//! * [`migrate`] brings the schema up to date; [`refusal`] says why there is no connection.
//!
//! # Why not a pool of asynchronous connections
//!
//! The rules are functions that block, run on a thread for code that blocks. A connection of `tokio-postgres` is a task that somebody has
//! to poll. In the host's executor that would be two switches of threads for each of the twenty questions of a transaction; so a
//! connection brings an executor of its own, which the thread that asks drives while it waits. That is what the `postgres` crate does too, but it
//! sends one question at a time, and what begins and ends a transaction goes with what comes after or before it. With the polling goes what
//! `deadpool-postgres` would add; what is left of it is a list and a semaphore.
//!
//! # What keeps transactions apart
//!
//! SQLite has one writer, and the rules rely on it: what was read is still so when something is written. Here a transaction that changes something
//! first takes the store's advisory lock, and reads the clock when it has it. So there is one writer at a time among all hosts, statements
//! of `READ COMMITTED` see all that was done before, and fences, caps and leases hold for the reasons for which they hold in SQLite.
//! The lock is asked for in the message that begins the transaction, and given back by its end, whatever that is.
//!
//! Readers take no lock: theirs is one snapshot (`REPEATABLE READ, READ ONLY`).
//!
//! # The clock
//!
//! The time of a transaction is the database's, asked once and after the wait for the lock, so it is the same clock for all hosts; it
//! is never earlier than what this process has acted on.
//!
//! # Counters
//!
//! What every transaction counts (how much waits in a lane, how many entries are in which state, what a backlog has cost, the
//! virtual times) is counted in rows of the connection's own, by its slot, and summed when it is asked; see the schema.

mod connection;
mod migrate;
mod placeholders;
mod pool;
mod refusal;
mod session;
mod value;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use tollgate_core::{Clock, StoreId, Timestamp};

use self::{connection::Connection, pool::Pool};
use crate::{
    OpenMode, StoreError,
    port::Result,
    rules::{Access, Database},
    schema, sql,
    tx::{Failure, Tx, TxResult},
};

/// So often a transaction is run at the most that the database interrupts for the sake of another.
const ATTEMPTS_MAX: usize = 5;

/// How to open a store.
pub struct PostgresOptions {
    /// Where it is: a connection string or URL, as `libpq` reads it.
    pub url: String,
    /// What the process is going to do with it. Any number of hosts may drive one.
    pub mode: OpenMode,
    /// Where the time comes from; none for the database's own clock, which is the one that several hosts share.
    pub clock: Option<Arc<dyn Clock>>,
}

/// A store in a PostgreSQL database.
pub struct PostgresStore {
    id: StoreId,
    mode: OpenMode,
    pool: Arc<Pool>,
    clock: StoreClock,
}

/// The store's clock: the database's or a given one, but never earlier than what this process has acted on.
#[derive(Clone)]
struct StoreClock {
    given: Option<Arc<dyn Clock>>,
    seen_ms: Arc<AtomicI64>,
}

impl StoreClock {
    fn new(given: Option<Arc<dyn Clock>>) -> Self {
        Self { given, seen_ms: Arc::default() }
    }

    /// The time of a transaction that began at `database` by the database's clock.
    fn at(&self, database: Timestamp) -> Timestamp {
        let now_ms = self.given.as_ref().map_or(database, |clock| clock.now()).as_millis();
        Timestamp::from_millis(self.seen_ms.fetch_max(now_ms, Ordering::SeqCst).max(now_ms))
    }

    /// Takes into account what the store has noted.
    fn raise_to(&self, seen: Timestamp) {
        self.seen_ms.fetch_max(seen.as_millis(), Ordering::SeqCst);
    }
}

impl PostgresStore {
    /// Opens a store. Blocks while it connects and the schema is brought up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError::NewerSchema`] when a later version wrote it, [`StoreError::NotFound`] when there is no store and the mode makes none,
    /// [`StoreError::Conflict`] when the database is another program's or the address cannot be read, [`StoreError::Unreachable`] and
    /// [`StoreError::NotAdmitted`] when there is no database to be had.
    pub fn open(options: PostgresOptions) -> Result<Self> {
        let PostgresOptions { url, mode, clock } = options;
        let (pool, clock) = (Pool::new(&url)?, StoreClock::new(clock));
        let opened = pool.clone().on_a_thread(|pool| {
            let connection = pool.take()?;
            match mode {
                OpenMode::Host | OpenMode::Keeper => {
                    migrate::migrate(&connection, pool.location(), &clock)?;
                }
                OpenMode::Client | OpenMode::ReadOnly => {
                    schema::require_present(&connection, pool.location(), migrate::MIGRATIONS)?;
                }
            }
            let about = Tx::new(&connection, Timestamp::default())
                .one(sql::STORE_GET, &[], |row| schema::identity(row, mode))?;
            pool.give_back(connection);
            about.ok_or_else(|| Failure::damaged("it has no row about itself"))
        });
        let (id, seen) = opened.map_err(|failure| failure.while_opening(pool.location()))?;
        clock.raise_to(seen);
        Ok(Self { id, mode, pool, clock })
    }
}

impl Database for PostgresStore {
    fn id(&self) -> StoreId {
        self.id
    }

    async fn now(&self) -> Result<Timestamp> {
        self.transact(Access::Read, "read the clock", |tx| Ok(tx.now)).await
    }

    async fn transact<T, F>(&self, access: Access, doing: &'static str, mut body: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> TxResult<T> + Send + 'static,
    {
        let writes = access != Access::Read;
        if writes && self.mode == OpenMode::ReadOnly {
            let text = format!("the store was opened for reading; it cannot {doing}");
            return Err(StoreError::Conflict(text));
        }
        if access == Access::Drive && self.mode != OpenMode::Host {
            return Err(StoreError::Conflict(format!("only a host may {doing}")));
        }
        let clock = self.clock.clone();
        let transaction = move |connection: &Connection| attempt(connection, writes, &clock, &mut body);
        self.pool.run(doing, transaction).await
    }
}

/// Runs a transaction, again where the database interrupted it for the sake of another.
fn attempt<T>(
    connection: &Connection,
    writes: bool,
    clock: &StoreClock,
    body: &mut impl FnMut(&Tx<'_>) -> TxResult<T>,
) -> TxResult<T> {
    let mut attempts = 1;
    loop {
        let done = transact(connection, writes, clock, body);
        match done {
            Err(Failure::Interrupted(_)) if attempts < ATTEMPTS_MAX => attempts += 1,
            done => return done,
        }
    }
}

fn transact<T>(
    connection: &Connection,
    writes: bool,
    clock: &StoreClock,
    body: &mut impl FnMut(&Tx<'_>) -> TxResult<T>,
) -> TxResult<T> {
    let now = if writes { connection.begin_writing()? } else { connection.begin_reading()? };
    match body(&Tx::new(connection, clock.at(now))) {
        Ok(value) => {
            tollgate_core::crash::point("store.commit.before");
            connection.commit()?;
            tollgate_core::crash::point("store.commit.after");
            Ok(value)
        }
        Err(failure) => {
            connection.roll_back();
            Err(failure)
        }
    }
}

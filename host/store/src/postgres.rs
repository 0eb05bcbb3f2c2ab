//! A store in a PostgreSQL database, which many hosts share.
//!
//! * [`pool`] has the connections; [`connection`] holds one with its statements and slot; [`purpose`] is what it is for, and how long
//!   whatever it does may take.
//! * [`gather`] has what several ask at the same time done by one transaction.
//! * [`pipeline`] has what goes to the server together; [`many`] makes one statement of those that do the same, [`effect`] knows
//!   what they may go before.
//! * [`session`] runs the queries of `sql/postgres/` for what happens inside a transaction; [`value`] is how values travel.
//! * [`address`] says where the database is, and whom a connection trusts; [`hints`] hears what other hosts say.
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
//! SQLite has one writer, and the rules rely on it: what was read is still so when something is written. Here a transaction holds the
//! store's advisory lock until it is over, and reads the clock when it has it. All are `READ COMMITTED`, so each question sees
//! what was committed before it was asked. There are two manners:
//!
//! * **Alone**: the lock for itself. Nobody else changes anything, and everything is as in SQLite. So is whatever people say, what comes
//!   in from sources, what is opened, and all that concerns entries or runs besides the one at hand.
//! * **Beside others**: the lock shared. So are claims, the writes of drivers, deliveries, and what hosts look after. What such a
//!   transaction changes it locks before it reads it. Where it finds that others are concerned (an entry that depends on this one, a run
//!   that waits for it, money that others wait for), it rolls back and runs again alone ([`Tx::require_alone`]). What makes others
//!   concerned (a link, a wait for children or for what is said, a want of money) is written alone, so whoever finds
//!   nobody concerned is right until it is over: no wake-up is lost between the two.
//!
//! Beside others, locks are taken in this order: a place in the ready index; runs, the oldest first; what is counted with those that pay,
//! upwards; periods of caps, by cap; entries; deliveries. Counters are the connection's own. So nobody waits in a circle; should it
//! happen all the same, the database ends one of them, and it runs again. A claim does not wait for a place that another claim is about
//! to take, but takes the next; where there is no next it asks again alone, since what is in hand may come back. Deliveries in hand are
//! passed over too.
//!
//! What several workers of a host ask at the same time is done by one transaction beside others ([`gather`], and
//! [`together`](crate::rules) for what happens in it). It takes the locks of all of them in that order before it changes anything, each by
//! one statement; within it, rows of one kind are changed in the order of their numbers. One that would need more than its own rows goes
//! by itself.
//!
//! Work on many rows is cut, so that nobody waits for long behind somebody who is alone. Readers take no lock: theirs is one snapshot
//! (`REPEATABLE READ, READ ONLY`). The heartbeat takes none but those of the runs that it renews, on a connection of its own, and first
//! renews what nobody has in hand.
//!
//! # The disk
//!
//! A caller hears of success when its change is on the disk. What a cap counts is one row, for which all who spend wait; so a
//! transaction that has locked it frees it with its commit, and waits for the disk after that, in the same breath. Until then others
//! may see what it did, and may build on it: what they commit is written behind it, so it is kept only if that is. A server that falls
//! forgets both, and nobody was told of either. What people say is done alone, and seen when it is kept.
//!
//! # The clock
//!
//! The time of a transaction is the database's, asked once and after the wait for the store's lock, so it is the same clock for all hosts;
//! it is never earlier than what this process has acted on. The store notes it about once a second, so neither is it after all
//! hosts were started again.
//!
//! # Counters
//!
//! What every transaction counts (how much waits in a lane, how many entries are in which state, what a backlog has cost, the
//! virtual times) is counted in rows of the connection's own, by its slot, and summed when it is asked; see the schema.

mod address;
mod connection;
mod effect;
mod gather;
mod hints;
mod many;
mod migrate;
mod pipeline;
mod placeholders;
mod pool;
mod purpose;
mod refusal;
mod session;
mod value;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use tollgate_core::{Clock, StoreId, Timestamp, crash};

use self::{
    connection::{Connection, Manner},
    gather::Gather,
    pool::Pool,
};
use crate::{
    OpenMode, StoreError,
    port::{ClaimOutcome, ClaimRequest, KeptBy, Result},
    rules::{Access, Claims, Database, PreparedWrite, Together as _, Writes},
    schema, sql,
    tx::{Failure, Tx, TxResult, named_params},
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
    claims: Gather<Claims>,
    writes: Gather<Writes>,
}

/// The store's clock: the database's or a given one, but never earlier than what this process has acted on.
#[derive(Clone)]
struct StoreClock {
    given: Option<Arc<dyn Clock>>,
    seen_ms: Arc<AtomicI64>,
    /// What the store knows of it.
    noted_ms: Arc<AtomicI64>,
}

/// How much of what was acted on may be forgotten when all hosts vanish.
const NOTED_EVERY_MS: i64 = 1_000;

impl StoreClock {
    fn new(given: Option<Arc<dyn Clock>>) -> Self {
        Self { given, seen_ms: Arc::default(), noted_ms: Arc::default() }
    }

    /// The time of a transaction that began at `database` by the database's clock.
    fn at(&self, database: Timestamp) -> Timestamp {
        let now_ms = self.given.as_ref().map_or(database, |clock| clock.now()).as_millis();
        Timestamp::from_millis(self.seen_ms.fetch_max(now_ms, Ordering::SeqCst).max(now_ms))
    }

    /// Takes into account what the store has noted.
    fn raise_to(&self, seen: Timestamp) {
        self.seen_ms.fetch_max(seen.as_millis(), Ordering::SeqCst);
        self.noted_ms.fetch_max(seen.as_millis(), Ordering::SeqCst);
    }

    /// Has the store note the time of a transaction from time to time, where that keeps nobody waiting.
    fn note(&self, tx: &Tx<'_>, manner: Manner) -> TxResult<()> {
        let (now_ms, noted_ms) = (tx.now.as_millis(), self.noted_ms.load(Ordering::SeqCst));
        if matches!(manner, Manner::Reading | Manner::Beside) || now_ms < noted_ms + NOTED_EVERY_MS {
            return Ok(());
        }
        tx.run(sql::STORE_SET_SEEN, named_params! { ":now": now_ms })?;
        self.noted_ms.fetch_max(now_ms, Ordering::SeqCst);
        Ok(())
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
            require_utf8(&connection, pool.location())?;
            match mode {
                OpenMode::Host | OpenMode::Keeper => {
                    migrate::migrate(&connection, pool.location(), &clock)?;
                }
                OpenMode::Client | OpenMode::ReadOnly => {
                    schema::require_present(&connection, pool.location(), migrate::MIGRATIONS)?;
                }
            }
            let tx = Tx::new(&connection, Timestamp::default());
            let about = tx.one(sql::STORE_GET, &[], |row| schema::identity(row, mode))?;
            pool.give_back(connection);
            about.ok_or_else(|| Failure::damaged("it has no row about itself"))
        });
        let (id, seen) = opened.map_err(|failure| failure.while_opening(pool.location()))?;
        clock.raise_to(seen);
        Ok(Self { id, mode, pool, clock, claims: Gather::default(), writes: Gather::default() })
    }

    /// How often it has waited for an answer of the server, but for the renewal of leases: what a transaction costs where the server is far.
    pub fn round_trips(&self) -> u64 {
        self.pool.round_trips()
    }
}

/// Refuses a database that cannot hold every text.
fn require_utf8(connection: &Connection, location: &str) -> TxResult<()> {
    let tx = Tx::new(connection, Timestamp::default());
    let encoding = tx.one(sql::ENCODING_GET, &[], |row| row.plain::<String>("encoding"))?.unwrap_or_default();
    match encoding.as_str() {
        "UTF8" => Ok(()),
        other => Err(StoreError::Conflict(format!(
            "{location} keeps texts in {other}, in which not every text can be written; make a database with the encoding UTF8"
        ))
        .into()),
    }
}

impl Database for PostgresStore {
    fn id(&self) -> StoreId {
        self.id
    }

    /// A table is a heap, and what moves is written to the page that it is on, or to the newest.
    fn keeps_ready_by(&self) -> KeptBy {
        KeptBy::Entry
    }

    async fn now(&self) -> Result<Timestamp> {
        self.transact(Access::Read, "read the clock", |tx| Ok(tx.now)).await
    }

    async fn changed(&self) {
        self.pool.hint().await;
    }

    async fn transact<T, F>(&self, access: Access, doing: &'static str, mut body: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> TxResult<T> + Send + 'static,
    {
        self.require(access, doing)?;
        let manner = match access {
            Access::Read => Manner::Reading,
            Access::Drive => Manner::Beside,
            Access::Write | Access::WriteBehind => Manner::Alone,
            Access::Renew => Manner::Renewing,
        };
        let clock = self.clock.clone();
        let transaction =
            move |connection: &Connection| attempt(connection, manner, doing, &clock, &mut body);
        match manner {
            Manner::Renewing => self.pool.run_heartbeat(doing, transaction).await,
            Manner::Reading | Manner::Beside | Manner::Alone => self.pool.run(doing, transaction).await,
        }
    }

    async fn gather_claim(&self, request: ClaimRequest) -> Result<ClaimOutcome> {
        self.require(Access::Drive, Claims::doing(&request))?;
        self.claims.ask(&self.pool, &self.clock, request).await
    }

    async fn gather_write(&self, write: PreparedWrite) -> Result<bool> {
        self.require(Access::Drive, Writes::doing(&write))?;
        self.writes.ask(&self.pool, &self.clock, write).await
    }
}

impl PostgresStore {
    /// Whether it was opened for what is asked of it.
    fn require(&self, access: Access, doing: &'static str) -> Result<()> {
        if access != Access::Read && self.mode == OpenMode::ReadOnly {
            let text = format!("the store was opened for reading; it cannot {doing}");
            return Err(StoreError::Conflict(text));
        }
        if matches!(access, Access::Drive | Access::Renew) && self.mode != OpenMode::Host {
            return Err(StoreError::Conflict(format!("only a host may {doing}")));
        }
        Ok(())
    }
}

/// Runs a transaction, again where the database interrupted it for the sake of another, and again alone where it has to be.
fn attempt<T>(
    connection: &Connection,
    mut manner: Manner,
    doing: &'static str,
    clock: &StoreClock,
    body: &mut impl FnMut(&Tx<'_>) -> TxResult<T>,
) -> TxResult<T> {
    let mut attempts = 1;
    loop {
        match transact(connection, manner, &[doing], clock, body) {
            Err(Failure::Interrupted(_)) if attempts < ATTEMPTS_MAX => attempts += 1,
            Err(Failure::Crowded) if manner == Manner::Beside => manner = Manner::Alone,
            done => return done,
        }
    }
}

/// Runs a transaction, which does all of this.
fn transact<T>(
    connection: &Connection,
    manner: Manner,
    doing: &[&'static str],
    clock: &StoreClock,
    body: &mut impl FnMut(&Tx<'_>) -> TxResult<T>,
) -> TxResult<T> {
    let tx = Tx::new(connection, clock.at(connection.begin(manner)?));
    let done = body(&tx);
    let has_changed = tx.has_changed();
    match done.and_then(|value| clock.note(&tx, manner).map(|()| value)) {
        Ok(value) => {
            let come_to =
                |place| doing.iter().filter(|_| has_changed).for_each(|doing| crash::point_of(place, doing));
            come_to("store.commit.before");
            connection.commit()?;
            come_to("store.commit.after");
            Ok(value)
        }
        Err(failure) => {
            connection.roll_back();
            Err(failure)
        }
    }
}

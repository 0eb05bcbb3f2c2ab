//! One connection: its settings, its statements, and the slot in which it counts.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    sync::Arc,
    time::Duration,
};

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, Config, NoTls, Row, Statement, types::ToSql};
use tollgate_core::Timestamp;

use super::{placeholders::Numbered, refusal};
use crate::{
    sql::{self, Query},
    tx::{self, Failure, Params, TxResult, Value},
};

/// What the server interrupts by itself. A host that hangs in the middle of a transaction would keep all others waiting, and one statement
/// that takes so long is a fault.
const SETTINGS: &str = "-c application_name=tollgate -c synchronous_commit=on -c statement_timeout=30s -c lock_timeout=20s \
                        -c idle_in_transaction_session_timeout=10s -c client_min_messages=warning";

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection, driven by whichever thread asks it something.
pub(super) struct Connection {
    /// None while it is dropped.
    runtime: Option<Runtime>,
    client: Client,
    /// By the text of the query, which is there for as long as the program.
    statements: RefCell<HashMap<&'static str, Arc<Prepared>>>,
    /// Whether it may be in a transaction that could not be ended.
    is_lost: Cell<bool>,
}

/// A query that the server has parsed.
struct Prepared {
    statement: Statement,
    names: Vec<String>,
}

impl Connection {
    pub(super) fn open(config: &Config) -> TxResult<Self> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::Database(error.to_string()))?;
        let mut config = config.clone();
        let options = config.get_options().unwrap_or_default();
        // What the address says comes later, and holds.
        let options = format!("{SETTINGS} {options}");
        config.options(options).connect_timeout(CONNECT_TIMEOUT);
        let connected = runtime.block_on(config.connect(NoTls));
        let (client, io) = connected.map_err(|error| refusal::of_connecting(&error, &config))?;
        // It ends when the client is dropped; what ends it before that is told to whoever asks next.
        drop(runtime.spawn(io));
        let connection = Self {
            runtime: Some(runtime),
            client,
            statements: RefCell::default(),
            is_lost: Cell::new(false),
        };
        connection.take_slot()?;
        Ok(connection)
    }

    pub(super) fn is_usable(&self) -> bool {
        !self.is_lost.get() && !self.client.is_closed()
    }

    /// The same, with what the server said while nobody asked it anything: that it ended the connection, say.
    pub(super) fn is_usable_after_a_rest(&self) -> bool {
        // The first turn hears of it, the next is the task's that reads it.
        self.block_on(async {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
        });
        self.is_usable()
    }

    /// Begins a transaction that changes something, as soon as no other is under way; the time then.
    pub(super) fn begin_writing(&self) -> TxResult<Timestamp> {
        self.begin("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", sql::WRITING_BEGIN)
    }

    /// Begins a transaction that sees one moment; the time now.
    pub(super) fn begin_reading(&self) -> TxResult<Timestamp> {
        self.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", sql::CLOCK_GET)
    }

    pub(super) fn commit(&self) -> TxResult<()> {
        let committed = self.control("COMMIT");
        self.is_lost.set(committed.is_err());
        committed
    }

    /// Whatever comes of it: where it fails, the connection is given up, and the server rolls back.
    pub(super) fn roll_back(&self) {
        self.is_lost.set(self.control("ROLLBACK").is_err());
    }

    /// Runs statements that have no parameters and give no rows.
    pub(super) fn control(&self, statements: &str) -> TxResult<()> {
        Ok(self.block_on(self.client.batch_execute(statements))?)
    }

    pub(super) fn execute(&self, query: Query, params: Params<'_>) -> TxResult<u64> {
        let prepared = self.prepared(query)?;
        let values = prepared.in_order(params)?;
        Ok(self.block_on(self.client.execute_raw(&prepared.statement, values))?)
    }

    pub(super) fn query(&self, query: Query, params: Params<'_>) -> TxResult<Vec<Row>> {
        let prepared = self.prepared(query)?;
        let values = prepared.in_order(params)?;
        let values: Vec<_> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        Ok(self.block_on(self.client.query(&prepared.statement, &values))?)
    }

    /// The two go to the server together.
    fn begin(&self, begin: &str, query: Query) -> TxResult<Timestamp> {
        let prepared = self.prepared(query)?;
        let begun = self.block_on(async {
            tokio::join!(self.client.batch_execute(begin), self.client.query_one(&prepared.statement, &[]))
        });
        let row = match begun {
            (Ok(()), Ok(row)) => row,
            (Err(error), _) => return Err(error.into()),
            (Ok(()), Err(error)) => {
                self.roll_back();
                return Err(error.into());
            }
        };
        tx::Row(&row).time("now")
    }

    /// Takes the first slot that no other connection has. There are more of them than connections; should they be all taken, it counts
    /// where a person's connection does, and waits.
    fn take_slot(&self) -> TxResult<()> {
        self.query(sql::SLOT_TAKE, &[]).map(drop)
    }

    fn prepared(&self, query: Query) -> TxResult<Arc<Prepared>> {
        if let Some(prepared) = self.statements.borrow().get(query.postgres) {
            return Ok(Arc::clone(prepared));
        }
        let Numbered { text, names } = Numbered::of(query.postgres);
        let statement = self.block_on(self.client.prepare(&text))?;
        let prepared = Arc::new(Prepared { statement, names });
        self.statements.borrow_mut().insert(query.postgres, Arc::clone(&prepared));
        Ok(prepared)
    }

    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        let runtime = self.runtime.as_ref().expect("it is there until the connection is dropped");
        runtime.block_on(future)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Dropping it by itself waits for its threads, which async code may not; it has none.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Prepared {
    /// The values in the order of their numbers.
    fn in_order<'p>(&self, params: Params<'p>) -> TxResult<Vec<Value<'p>>> {
        if let Some((name, _)) = params.iter().find(|(name, _)| !self.names.iter().any(|known| known == name))
        {
            return Err(Failure::Database(format!("a query has no parameter `{name}`")));
        }
        let value = |name: &String| {
            let found = params.iter().find(|(given, _)| given == name);
            found.map_or(Value::Null, |(_, param)| param.value())
        };
        Ok(self.names.iter().map(value).collect())
    }
}

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

use super::{placeholders::Numbered, purpose::Purpose};
use crate::{
    sql::{self, Query},
    tx::{self, Failure, Params, TxResult, Value},
};

/// How a transaction stands to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// It sees one moment, and changes nothing.
    Reading,
    /// It changes what it has locked, beside others that do the same.
    Beside,
    /// Nobody else changes anything.
    Alone,
    /// It renews leases: it changes what nobody has locked, whoever is alone meanwhile.
    Renewing,
}

/// A connection, driven by whichever thread asks it something.
pub(super) struct Connection {
    /// None while it is dropped.
    runtime: Option<Runtime>,
    client: Client,
    /// By the text of the query, which is there for as long as the program.
    statements: RefCell<HashMap<&'static str, Arc<Prepared>>>,
    /// How long an answer may take.
    patience: Duration,
    /// That of the transaction under way.
    manner: Cell<Manner>,
    /// Whether it may be in a transaction that could not be ended.
    is_lost: Cell<bool>,
}

/// A query that the server has parsed.
struct Prepared {
    statement: Statement,
    names: Vec<String>,
}

impl Manner {
    /// What begins such a transaction, and asks for the time.
    fn begin(self) -> (&'static str, Query) {
        match self {
            Self::Reading => ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", sql::CLOCK_GET),
            Self::Beside => ("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", sql::DRIVING_BEGIN),
            Self::Alone => ("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", sql::WRITING_BEGIN),
            Self::Renewing => ("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", sql::CLOCK_GET),
        }
    }
}

impl Connection {
    pub(super) fn open(config: &Config, purpose: Purpose) -> TxResult<Self> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::Database(error.to_string()))?;
        let (client, io) = runtime.block_on(purpose.settle(config).connect(NoTls))?;
        // It ends when the client is dropped; what ends it before that is told to whoever asks next.
        drop(runtime.spawn(io));
        let connection = Self {
            runtime: Some(runtime),
            client,
            statements: RefCell::default(),
            patience: purpose.patience(),
            manner: Cell::new(Manner::Reading),
            is_lost: Cell::new(false),
        };
        if purpose.counts() {
            connection.take_slot()?;
        }
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

    /// Begins a transaction, as soon as others let it; the time then.
    pub(super) fn begin(&self, manner: Manner) -> TxResult<Timestamp> {
        self.manner.set(manner);
        let (begin, query) = manner.begin();
        let prepared = self.prepared(query)?;
        // The two go to the server together.
        let begun = self.ask(async {
            let begun = tokio::join!(
                self.client.batch_execute(begin),
                self.client.query_one(&prepared.statement, &[])
            );
            Ok(begun)
        });
        let row = match begun? {
            (Ok(()), Ok(row)) => row,
            (Err(error), _) => return Err(error.into()),
            (Ok(()), Err(error)) => {
                self.roll_back();
                return Err(error.into());
            }
        };
        tx::Row(&row).time("now")
    }

    /// How the transaction under way stands to others.
    pub(super) fn manner(&self) -> Manner {
        self.manner.get()
    }

    pub(super) fn commit(&self) -> TxResult<()> {
        let committed = self.control("COMMIT");
        self.is_lost.set(committed.is_err());
        committed
    }

    /// Whatever comes of it: where it fails, the connection is given up, and the server rolls back.
    pub(super) fn roll_back(&self) {
        if self.control("ROLLBACK").is_err() {
            self.is_lost.set(true);
        }
    }

    /// Runs statements that have no parameters and give no rows.
    pub(super) fn control(&self, statements: &str) -> TxResult<()> {
        self.ask(self.client.batch_execute(statements))
    }

    pub(super) fn execute(&self, query: Query, params: Params<'_>) -> TxResult<u64> {
        let prepared = self.prepared(query)?;
        let values = prepared.in_order(params)?;
        self.ask(self.client.execute_raw(&prepared.statement, values))
    }

    pub(super) fn query(&self, query: Query, params: Params<'_>) -> TxResult<Vec<Row>> {
        let prepared = self.prepared(query)?;
        let values = prepared.in_order(params)?;
        let values: Vec<_> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        self.ask(self.client.query(&prepared.statement, &values))
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
        let statement = self.ask(self.client.prepare(&text))?;
        let prepared = Arc::new(Prepared { statement, names });
        self.statements.borrow_mut().insert(query.postgres, Arc::clone(&prepared));
        Ok(prepared)
    }

    /// Waits for an answer. A server that gives none in all the time that it has is not waited for any longer.
    fn ask<T>(&self, answer: impl Future<Output = Result<T, tokio_postgres::Error>>) -> TxResult<T> {
        match self.block_on(async { tokio::time::timeout(self.patience, answer).await }) {
            Ok(answer) => Ok(answer?),
            Err(_) => {
                self.is_lost.set(true);
                let text = format!("the server did not answer within {} s", self.patience.as_secs());
                Err(Failure::Database(text))
            }
        }
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

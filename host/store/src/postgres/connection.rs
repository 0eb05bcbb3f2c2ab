//! One connection: its settings, its statements, and the slot in which it counts.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, Row};
use tollgate_core::Timestamp;

use super::{
    address::Address,
    pipeline::{self, Answer, Asked, Message, Pipeline, Prepared},
    placeholders::Numbered,
    purpose::Purpose,
    refusal,
};
use crate::{
    sql::{self, Query},
    tx::{self, Failure, Params, TxResult},
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
    pipeline: RefCell<Pipeline>,
    /// How long an answer may take.
    patience: Duration,
    /// That of the transaction under way.
    manner: Cell<Manner>,
    /// Whether what it did is to be said to who listens for hints.
    has_news: Cell<bool>,
    /// Whether what it has locked is free before its commit is on the disk.
    frees_early: Cell<bool>,
    /// Whether it may be in a transaction that could not be ended.
    is_lost: Cell<bool>,
    /// How often an answer was waited for, on all connections of the pool.
    round_trips: Arc<AtomicU64>,
}

/// So much waits at the most before it is sent.
const WAITING_MAX: usize = 64;

/// What others wait for when they have nothing to do: work in the index, and records of what people did.
const NEWS: [&str; 2] = [sql::READY_INSERT.postgres, sql::DECISION_INSERT.postgres];

/// Begins a transaction beside others. What it looks up stands in an index, and it goes by indexes however few rows there are just now: a
/// plan is made once for a connection, whatever is looked up, and soon there are more.
const DRIVING: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL plan_cache_mode TO force_generic_plan; \
    SET LOCAL enable_hashjoin TO off; SET LOCAL enable_mergejoin TO off";

impl Manner {
    /// What begins such a transaction, and asks for the time.
    fn begin(self) -> (&'static str, Query) {
        match self {
            Self::Reading => ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", sql::CLOCK_GET),
            Self::Beside => (DRIVING, sql::DRIVING_BEGIN),
            Self::Alone => ("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", sql::WRITING_BEGIN),
            Self::Renewing => ("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", sql::CLOCK_GET),
        }
    }
}

impl Connection {
    pub(super) fn open(address: &Address, purpose: Purpose, round_trips: Arc<AtomicU64>) -> TxResult<Self> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::Database(error.to_string()))?;
        let config = purpose.settle(&address.config);
        let connected = runtime.block_on(config.connect(address.tls.clone()));
        let (client, io) = connected.map_err(|error| refusal::of_connecting(&error, &config))?;
        // It ends when the client is dropped; what ends it before that is told to whoever asks next.
        drop(runtime.spawn(io));
        let connection = Self {
            runtime: Some(runtime),
            client,
            statements: RefCell::default(),
            pipeline: RefCell::default(),
            patience: purpose.patience(),
            manner: Cell::new(Manner::Reading),
            has_news: Cell::new(false),
            frees_early: Cell::new(false),
            is_lost: Cell::new(false),
            round_trips,
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
        self.has_news.set(false);
        self.frees_early.set(false);
        self.pipeline.borrow_mut().clear();
        let (begin, clock) = manner.begin();
        let clock = self.asked(clock, &[])?;
        self.push(Message::Words(begin));
        let begun = self.answer(clock).and_then(|rows| match rows.first() {
            Some(row) => tx::Row(row).time("now"),
            None => Err(Failure::damaged("the database does not say what time it is")),
        });
        if begun.is_err() {
            self.roll_back();
        }
        begun
    }

    /// How the transaction under way stands to others.
    pub(super) fn manner(&self) -> Manner {
        self.manner.get()
    }

    /// Ends the transaction, with all that was not sent yet. Where it fails, nothing of it was kept, unless the connection is lost, or the
    /// server gives up the wait for its disk: then nobody knows.
    pub(super) fn commit(&self) -> TxResult<()> {
        let committed = self.say_news().and_then(|()| self.commit_waiting());
        if committed.is_err() {
            self.roll_back();
        }
        committed
    }

    fn commit_waiting(&self) -> TxResult<()> {
        let wait = self.frees_early.get().then(|| self.asked(sql::DISK_WAIT, &[])).transpose()?;
        self.push(Message::Words("COMMIT"));
        if let Some(wait) = wait {
            self.push(Message::Statement(vec![wait]));
        }
        self.flush().map(drop)
    }

    /// Has what is locked be free as soon as the server has done the commit; the disk is waited for after that. Whoever sees what was
    /// committed and commits something itself waits for both: the server writes them in their order. Who is alone speaks for people,
    /// and is seen when it is kept.
    pub(super) fn free_early(&self) {
        if self.manner() == Manner::Beside && !self.frees_early.replace(true) {
            self.push(Message::Words("SET LOCAL synchronous_commit TO off"));
        }
    }

    fn say_news(&self) -> TxResult<()> {
        let brings_news = |message: &Message| match message {
            Message::Statement(of) => of.iter().any(|asked| self.is_news(asked.query())),
            Message::Words(_) | Message::Question(_) => false,
        };
        if self.has_news.get() || self.pipeline.borrow().waiting().iter().any(brings_news) {
            self.send(sql::HINT_SEND, &[])?;
        }
        Ok(())
    }

    fn is_news(&self, query: Query) -> bool {
        self.manner() == Manner::Alone && NEWS.contains(&query.postgres)
    }

    /// Whatever comes of it: where it fails, the connection is given up, and the server rolls back.
    pub(super) fn roll_back(&self) {
        self.pipeline.borrow_mut().clear();
        if !self.is_lost.get() && self.control("ROLLBACK").is_err() {
            self.is_lost.set(true);
        }
    }

    /// Runs statements that have no parameters and give no rows.
    pub(super) fn control(&self, statements: &'static str) -> TxResult<()> {
        self.push(Message::Words(statements));
        self.flush().map(drop)
    }

    /// Runs a statement; how many rows it changed.
    pub(super) fn execute(&self, query: Query, params: Params<'_>) -> TxResult<u64> {
        self.pipeline.borrow_mut().forget_answers();
        self.push(Message::Statement(vec![self.asked(query, params)?]));
        match self.flush()? {
            Some(Answer::Changed(changed)) => Ok(changed),
            _ => Err(Failure::damaged("the database does not say how many rows it changed")),
        }
    }

    /// Runs a statement with what comes next.
    pub(super) fn send(&self, query: Query, params: Params<'_>) -> TxResult<()> {
        self.join(Message::Statement(vec![self.asked(query, params)?]));
        if self.pipeline.borrow().len() >= WAITING_MAX { self.flush().map(drop) } else { Ok(()) }
    }

    /// Asks with what comes next for what is going to be asked.
    pub(super) fn foresee(&self, query: Query, params: Params<'_>) -> TxResult<()> {
        let asked = self.asked(query, params)?;
        if !self.pipeline.borrow().foresees(&asked) {
            self.join(Message::Question(vec![asked]));
        }
        Ok(())
    }

    /// The same of what stays so until the transaction is over: whoever asks for it is told what was answered once.
    pub(super) fn foresee_for_good(&self, query: Query, params: Params<'_>) -> TxResult<()> {
        let asked = self.asked(query, params)?;
        self.pipeline.borrow_mut().have_stay(&asked);
        self.foresee(query, params)
    }

    /// Sends what waits.
    pub(super) fn settle(&self) -> TxResult<()> {
        if self.pipeline.borrow().len() == 0 { Ok(()) } else { self.flush().map(drop) }
    }

    pub(super) fn query(&self, query: Query, params: Params<'_>) -> TxResult<Arc<Vec<Row>>> {
        self.answer(self.asked(query, params)?)
    }

    fn answer(&self, asked: Asked) -> TxResult<Arc<Vec<Row>>> {
        if !self.pipeline.borrow().foresees(&asked) {
            self.join(Message::Question(vec![asked.clone()]));
        }
        let known = self.pipeline.borrow_mut().take_answer(&asked);
        if let Some(rows) = known {
            return Ok(rows);
        }
        self.flush()?;
        let rows = self.pipeline.borrow_mut().take_answer(&asked);
        rows.ok_or_else(|| Failure::damaged("the database answered something else"))
    }

    fn push(&self, message: Message) {
        self.pipeline.borrow_mut().push(message);
    }

    /// What is done beside others is done in sets: it is known to be about rows of its own.
    fn join(&self, message: Message) {
        match self.manner() {
            Manner::Beside => self.pipeline.borrow_mut().join(message),
            Manner::Reading | Manner::Alone | Manner::Renewing => self.push(message),
        }
    }

    /// Sends what waits, and waits for the answers. The last of them is handed out; those to questions are kept until they are asked.
    fn flush(&self) -> TxResult<Option<Answer>> {
        let mut messages = self.pipeline.borrow_mut().take_waiting();
        for message in &mut messages {
            message.sort();
            if let Some((prepared, text)) = message.wants() {
                prepared.know_many(self.ask(self.client.prepare(&text))?);
            }
        }
        let answers = self.ask(async { Ok(pipeline::send_all(&messages, &self.client).await) })?;
        let mut last = None;
        for (message, answer) in messages.into_iter().zip(answers) {
            last = self.take_note(message, answer?)?;
        }
        Ok(last)
    }

    /// What is still of interest of an answer.
    fn take_note(&self, message: Message, answer: Answer) -> TxResult<Option<Answer>> {
        match (message, answer) {
            (Message::Question(asked), Answer::Rows(rows)) => {
                for (asked, rows) in pipeline::apart(asked, rows)? {
                    self.pipeline.borrow_mut().keep(asked, rows);
                }
                Ok(None)
            }
            (Message::Statement(of), Answer::Changed(changed)) => {
                if changed > 0 && of.iter().any(|asked| self.is_news(asked.query())) {
                    self.has_news.set(true);
                }
                Ok(Some(Answer::Changed(changed)))
            }
            (_, answer) => Ok(Some(answer)),
        }
    }

    /// Takes the first slot that no other connection has. There are more of them than connections; should they be all taken, it counts
    /// where a person's connection does, and waits.
    fn take_slot(&self) -> TxResult<()> {
        self.query(sql::SLOT_TAKE, &[]).map(drop)
    }

    fn asked(&self, query: Query, params: Params<'_>) -> TxResult<Asked> {
        Asked::new(self.prepared(query)?, params)
    }

    fn prepared(&self, query: Query) -> TxResult<Arc<Prepared>> {
        if let Some(prepared) = self.statements.borrow().get(query.postgres) {
            return Ok(Arc::clone(prepared));
        }
        let Numbered { text, names } = Numbered::of(query.postgres);
        let statement = self.ask(self.client.prepare(&text))?;
        let prepared = Arc::new(Prepared::new(query, &text, names, statement));
        self.statements.borrow_mut().insert(query.postgres, Arc::clone(&prepared));
        Ok(prepared)
    }

    /// Waits for an answer. A server that gives none in all the time that it has is not waited for any longer.
    fn ask<T>(&self, answer: impl Future<Output = Result<T, tokio_postgres::Error>>) -> TxResult<T> {
        self.round_trips.fetch_add(1, Ordering::Relaxed);
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

//! The one thread that writes.
//!
//! Properties wanted:
//!
//! 1. A caller hears of success only when its change is on the disk.
//! 2. A logical transaction is all or nothing, and one that fails takes no other with it.
//! 3. The price of making a commit durable is shared by everybody who waits at that moment.
//!
//! So callers send their logical transactions as closures to one thread that owns the one writing connection. It takes whatever
//! is queued, and what comes while it works on that, runs it inside one `BEGIN IMMEDIATE … COMMIT`, and answers after the commit. A
//! write lock is asked for at the beginning, never on the way, so no transaction fails half-way because another process was faster.
//! What is done for nobody who waits stands behind everything else, and gives way between two entries.
//!
//! Nearly all that fail do so before they change anything, and leave nothing behind. When one fails later, everything is rolled
//! back and each runs again in a commit of its own. Savepoints would save that, and would make SQLite keep a copy of every page
//! that any transaction changes, which costs more than most transactions do.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    thread::JoinHandle,
};

use rusqlite::Connection;
use tokio::sync::oneshot;
use tollgate_core::{Clock, Timestamp, crash};

use super::{
    checkpoint::{Beside, Checkpointer},
    queue::{self, Callers, Queue, Turn},
    session::Shared,
    sql,
    tx::{Failure, Tx, TxResult, named_params},
};
use crate::{StoreError, port::Result};

/// How many logical transactions share a commit at the most. More would save little, and keep the first waiting.
const BATCH_MAX: usize = 64;

/// The thread and the way to it. Dropping it ends the thread after what is queued.
pub(super) struct Writer {
    jobs: Option<Callers<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
    /// After the thread of the writer, which tells it when to end.
    _checkpointer: Option<Checkpointer>,
}

/// The store's clock: the machine's, but never earlier than what the store has acted on.
#[derive(Clone)]
pub(super) struct StoreClock {
    machine: Arc<dyn Clock>,
    seen_ms: Arc<AtomicI64>,
}

impl StoreClock {
    pub(super) fn new(machine: Arc<dyn Clock>, seen: Timestamp) -> Self {
        Self { machine, seen_ms: Arc::new(AtomicI64::new(seen.as_millis())) }
    }

    /// The time now; remembered within this process.
    pub(super) fn now(&self) -> Timestamp {
        let now_ms = self.machine.now().as_millis();
        let seen_ms = self.seen_ms.fetch_max(now_ms, Ordering::SeqCst);
        Timestamp::from_millis(now_ms.max(seen_ms))
    }

    /// Takes into account what the database has seen, which another process may have written.
    fn raise_to(&self, seen: Timestamp) {
        self.seen_ms.fetch_max(seen.as_millis(), Ordering::SeqCst);
    }
}

impl Writer {
    /// Starts the thread. With a checkpointer, the writer leaves it to that to move the log into the database.
    pub(super) fn start(
        connection: Connection,
        clock: StoreClock,
        checkpointer: Option<(Checkpointer, Beside)>,
    ) -> Result<Self> {
        let (checkpointer, beside) = checkpointer.unzip();
        let (jobs, mut queue) = queue::queue();
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || serve(&connection, &clock, &mut queue, beside.as_ref()))
            .map_err(|e| StoreError::Platform { doing: "start its writer", message: e.to_string() })?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), _checkpointer: checkpointer })
    }

    /// Runs `body` as one logical transaction; returns once it is durable.
    pub(super) async fn run<T, F>(&self, turn: Turn, doing: &'static str, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> TxResult<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = TypedJob { doing, body, outcome: None, has_changed: false, reply };
        let ended = || StoreError::Platform { doing, message: "its writer has ended".into() };
        let jobs = self.jobs.as_ref().ok_or_else(ended)?;
        if !jobs.send(turn, Box::new(job)) {
            return Err(ended());
        }
        answer.await.map_err(|_| ended())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer thread panicked");
        }
    }
}

/// A logical transaction on its way.
trait Job: Send {
    /// Runs it; whether its changes are to be kept. It may be run again after they were rolled back.
    fn perform(&mut self, tx: &Tx<'_>) -> bool;

    /// Comes to a place where a test may end it, if it changed anything.
    fn come_to(&self, place: &'static str);

    /// Answers the caller, after the commit or its failure.
    fn answer(self: Box<Self>, committed: std::result::Result<(), &str>);
}

struct TypedJob<T, F> {
    doing: &'static str,
    body: F,
    outcome: Option<TxResult<T>>,
    has_changed: bool,
    reply: oneshot::Sender<Result<T>>,
}

impl<T: Send, F: FnMut(&Tx<'_>) -> TxResult<T> + Send> Job for TypedJob<T, F> {
    fn perform(&mut self, tx: &Tx<'_>) -> bool {
        let outcome = self.outcome.insert((self.body)(tx));
        self.has_changed = tx.has_changed();
        outcome.is_ok()
    }

    fn come_to(&self, place: &'static str) {
        if self.has_changed {
            crash::point_of(place, self.doing);
        }
    }

    fn answer(self: Box<Self>, committed: std::result::Result<(), &str>) {
        let doing = self.doing;
        let lost = |message: &str| StoreError::Platform { doing, message: message.to_owned() };
        let answer = match (self.outcome, committed) {
            (Some(Ok(value)), Ok(())) => Ok(value),
            (Some(Err(failure)), _) => Err(failure.while_doing(doing)),
            (Some(Ok(_)), Err(message)) => Err(lost(message)),
            (None, committed) => Err(lost(committed.err().unwrap_or("it was not run"))),
        };
        // A caller that went away does not want to know.
        drop(self.reply.send(answer));
    }
}

fn serve(
    connection: &Connection,
    clock: &StoreClock,
    queue: &mut Queue<Box<dyn Job>>,
    beside: Option<&Beside>,
) {
    while let Some(first) = queue.next() {
        let (mut batch, before) = (vec![first], connection.total_changes());
        match commit(connection, clock, &mut batch, Some(queue)) {
            Ok(Batch::Committed) => answer(batch, Ok(())),
            Ok(Batch::RolledBack) => {
                for job in batch {
                    let mut alone = vec![job];
                    let committed = commit(connection, clock, &mut alone, None);
                    answer(alone, committed.map(drop));
                }
            }
            Err(failure) => answer(batch, Err(failure)),
        }
        // An idle host only looks, and leaves nothing to move.
        if let Some(beside) = beside.filter(|_| connection.total_changes() != before) {
            beside.committed(connection);
        }
    }
}

fn answer(batch: impl IntoIterator<Item = Box<dyn Job>>, committed: TxResult<()>) {
    let committed = committed.map_err(|failure| match failure {
        Failure::Database(message)
        | Failure::Interrupted(message)
        | Failure::Denied(message)
        | Failure::Unreadable(message) => message,
        Failure::Crowded => "it has to keep others out, and may not".to_owned(),
        Failure::Refused(error) => error.to_string(),
    });
    for job in batch {
        job.answer(committed.as_ref().copied().map_err(String::as_str));
    }
}

/// What became of a batch.
enum Batch {
    /// What its jobs did is durable; those that failed did nothing.
    Committed,
    /// Nothing was changed, since one of them failed half-way.
    RolledBack,
}

/// Commits a batch, which grows by what comes in order meanwhile where there is a queue.
fn commit(
    connection: &Connection,
    clock: &StoreClock,
    batch: &mut Vec<Box<dyn Job>>,
    queue: Option<&mut Queue<Box<dyn Job>>>,
) -> TxResult<Batch> {
    let committed = try_commit(connection, clock, batch, queue);
    if !matches!(committed, Ok(Batch::Committed)) && !connection.is_autocommit() {
        // Nothing can be done about a rollback that fails; the next BEGIN says so.
        drop(execute(connection, "ROLLBACK"));
    }
    committed
}

fn try_commit(
    connection: &Connection,
    clock: &StoreClock,
    batch: &mut Vec<Box<dyn Job>>,
    mut queue: Option<&mut Queue<Box<dyn Job>>>,
) -> TxResult<Batch> {
    execute(connection, "BEGIN IMMEDIATE")?;
    let seen = seen_so_far(connection, clock)?;
    let (mut now, mut performed) = (seen, 0);
    let before = connection.total_changes();
    while let Some(job) = batch.get_mut(performed) {
        // Never earlier than when the job was sent: its caller counts a lease from then.
        now = clock.now();
        let before = connection.total_changes();
        let session = Shared { connection, others: queue.as_deref().map(Queue::waiting) };
        let kept = job.perform(&Tx::new(&session, now));
        // A full disk, say, makes SQLite roll back everything at once.
        if !kept && (connection.total_changes() != before || connection.is_autocommit()) {
            return Ok(Batch::RolledBack);
        }
        performed += 1;
        if performed == batch.len() && performed < BATCH_MAX {
            batch.extend(queue.as_deref_mut().and_then(Queue::next_in_order));
        }
    }
    // A commit that changes nothing costs no write to the disk, so an idle host costs none.
    if connection.total_changes() == before {
        execute(connection, "COMMIT")?;
        return Ok(Batch::Committed);
    }
    if now > seen {
        Tx::new(connection, now).run(sql::STORE_SET_SEEN, named_params! { ":now": now.as_millis() })?;
    }
    batch.iter().for_each(|job| job.come_to("store.commit.before"));
    execute(connection, "COMMIT")?;
    batch.iter().for_each(|job| job.come_to("store.commit.after"));
    Ok(Batch::Committed)
}

/// The latest time that the database was acted on, by whatever process; the clock is never behind it from here on. The time of a
/// transaction is kept with what it changes, so that no later one acts on an earlier time.
fn seen_so_far(connection: &Connection, clock: &StoreClock) -> TxResult<Timestamp> {
    let read = Tx::new(connection, Timestamp::default());
    let seen = read.one(sql::STORE_GET, &[], |row| row.time("seen_at"))?;
    let seen = seen.ok_or_else(|| Failure::damaged("the store has no row about itself"))?;
    clock.raise_to(seen);
    Ok(seen)
}

fn execute(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(drop)
}

#[cfg(test)]
mod tests {
    use tollgate_core::time::SystemClock;

    use super::*;
    use crate::sqlite::{migrate, open};

    type Answer = oneshot::Receiver<Result<i64>>;

    /// A transaction that begins a reconcile and then fails, or does not.
    fn job(fails: bool) -> (Box<dyn Job>, Answer) {
        let (reply, answer) = oneshot::channel();
        let body = move |tx: &Tx<'_>| {
            let params = named_params! { ":backlog": "specs", ":tracker": "folder:docs", ":now": 0_i64 };
            let id = tx.insert(sql::RECONCILE_INSERT, params)?;
            if fails { Err(StoreError::Conflict("no".into()).into()) } else { Ok(id) }
        };
        (Box::new(TypedJob { doing: "test", body, outcome: None, has_changed: false, reply }), answer)
    }

    /// Whether each of the transactions that were queued together is there afterwards, and was said to be.
    fn outcomes(fails: &[bool]) -> Vec<bool> {
        let mut connection = open::in_memory().ok().unwrap();
        migrate::migrate(&mut connection, "memory", Timestamp::default()).ok().unwrap();
        let clock = StoreClock::new(Arc::new(SystemClock::default()), Timestamp::default());
        let (jobs, mut queue) = queue::queue();
        let mut answers = Vec::new();
        for fails in fails {
            let (job, answer) = job(*fails);
            assert!(jobs.send(Turn::InOrder, job));
            answers.push(answer);
        }
        drop(jobs);
        serve(&connection, &clock, &mut queue, None);
        let tx = Tx::new(&connection, Timestamp::default());
        let there = |id: i64| {
            let found = tx.one(sql::RECONCILE_GET, named_params! { ":id": id }, |_| Ok(()));
            found.ok().unwrap().is_some()
        };
        let kept = answers.into_iter().map(|answer| answer.blocking_recv().unwrap().is_ok_and(there));
        let kept: Vec<_> = kept.collect();
        let count = (1..=fails.len() as i64).filter(|id| there(*id)).count();
        assert_eq!(count, kept.iter().filter(|kept| **kept).count(), "nothing else is there");
        kept
    }

    #[test]
    fn what_stands_behind_learns_that_somebody_waits() {
        let mut connection = open::in_memory().ok().unwrap();
        migrate::migrate(&mut connection, "memory", Timestamp::default()).ok().unwrap();
        let clock = StoreClock::new(Arc::new(SystemClock::default()), Timestamp::default());
        let (jobs, mut queue) = queue::queue::<Box<dyn Job>>();
        let jobs = Arc::new(std::sync::Mutex::new(Some(jobs)));
        let (later, answer_to_later) = job(false);
        let (reply, answer) = oneshot::channel();
        let (sender, mut later) = (Arc::clone(&jobs), Some(later));
        let body = move |tx: &Tx<'_>| {
            let before = tx.is_awaited();
            if let Some(jobs) = sender.lock().unwrap().take() {
                assert!(jobs.send(Turn::InOrder, later.take().unwrap()));
            }
            Ok((before, tx.is_awaited()))
        };
        let behind = Box::new(TypedJob { doing: "test", body, outcome: None, has_changed: false, reply });
        assert!(jobs.lock().unwrap().as_ref().unwrap().send(Turn::Behind, behind));
        serve(&connection, &clock, &mut queue, None);
        assert_eq!(answer.blocking_recv().unwrap().ok(), Some((false, true)));
        assert!(answer_to_later.blocking_recv().unwrap().is_ok(), "it is served with it");
    }

    #[test]
    fn a_transaction_that_fails_takes_no_other_with_it() {
        assert_eq!(outcomes(&[true]), [false]);
        assert_eq!(outcomes(&[false]), [true]);
        assert_eq!(outcomes(&[false, true, false, true]), [true, false, true, false]);
    }
}

//! One logical transaction, whichever database it runs in.
//!
//! What happens inside a transaction is written once, in [`rules`](crate::rules), against [`Tx`]: queries by name, named
//! parameters, columns by name. A database brings a [`Session`], and a text for each query that is its own.
//!
//! The rules are plain functions that block. A transaction is a conversation: most of what it asks depends on what it was told,
//! and nothing else may happen between two of its questions. So it has a thread for as long as it lasts, and each database decides
//! which: SQLite its one writer, another a thread for code that blocks.

mod failure;
mod row;
mod value;

use std::{cell::Cell, time::Duration};

use tollgate_core::Timestamp;

pub(crate) use self::{
    failure::{Failure, TxResult},
    row::{Cells, Row},
    value::{Param, Params, Value, cents, from_json, json_of, millis, named_params},
};
use crate::sql::Query;

/// A connection while a transaction is under way.
pub(crate) trait Session {
    /// Runs a statement; how many rows it changed.
    fn run(&self, query: Query, params: Params<'_>) -> TxResult<usize>;

    /// Runs a statement, at the latest with the next question or the end: what comes of it nobody needs to know before.
    fn send(&self, query: Query, params: Params<'_>) -> TxResult<()> {
        self.run(query, params).map(drop)
    }

    /// Runs a statement that changes one row; false when it changed none. Where that is known only later, the database refuses it with all of
    /// the transaction, which is run again.
    fn change_one(&self, query: Query, params: Params<'_>) -> TxResult<bool> {
        Ok(self.run(query, params)? == 1)
    }

    /// Says that a query is going to be asked, so that it can be answered with what is asked before it. Nothing that it reads changes
    /// until then.
    fn foresee(&self, _query: Query, _params: Params<'_>) -> TxResult<()> {
        Ok(())
    }

    /// The same of what is going to be asked any number of times, and has one answer until the end.
    fn foresee_for_good(&self, _query: Query, _params: Params<'_>) -> TxResult<()> {
        Ok(())
    }

    /// Asks what is foreseen by now, so that it does not wait for what is done next.
    fn ask_foreseen(&self) -> TxResult<()> {
        Ok(())
    }

    /// Runs a statement that inserts one row; its number.
    fn insert(&self, query: Query, params: Params<'_>) -> TxResult<i64>;

    /// Hands the rows of a query to `each` until it wants no more.
    fn rows(
        &self,
        query: Query,
        params: Params<'_>,
        each: &mut dyn FnMut(&Row<'_>) -> TxResult<More>,
    ) -> TxResult<()>;

    /// Has what is locked be free when the transaction is over, before that is on the disk. Its caller hears of it afterwards all the same.
    fn free_early(&self) -> TxResult<()> {
        Ok(())
    }

    /// Whether somebody waits for the transaction to end.
    fn is_awaited(&self) -> bool {
        false
    }

    /// Whether nobody else changes anything before the transaction ends.
    fn is_alone(&self) -> bool {
        true
    }

    /// For how long work may go on at once that can be cut into pieces; none for all of it.
    fn slice(&self) -> Option<Duration> {
        None
    }
}

/// Whether a reader of rows wants the next.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum More {
    Wanted,
    Enough,
}

/// A logical transaction: everything in it sees the same time.
pub(crate) struct Tx<'c> {
    session: &'c dyn Session,
    pub(crate) now: Timestamp,
    has_changed: Cell<bool>,
}

impl<'c> Tx<'c> {
    pub(crate) fn new(session: &'c dyn Session, now: Timestamp) -> Self {
        Self { session, now, has_changed: Cell::new(false) }
    }

    /// Has what is locked be free when the transaction is over, before that is on the disk: many wait for it. Its caller hears of it
    /// afterwards all the same.
    pub(crate) fn free_early(&self) -> TxResult<()> {
        self.session.free_early()
    }

    /// Whether somebody waits for it to end.
    pub(crate) fn is_awaited(&self) -> bool {
        self.session.is_awaited()
    }

    /// Whether nobody else changes anything before it ends. Where others may, what they might change as well is locked before it is
    /// read, and what concerns others needs [`Tx::require_alone`].
    pub(crate) fn is_alone(&self) -> bool {
        self.session.is_alone()
    }

    /// Goes on only where nobody else changes anything before the end.
    ///
    /// # Errors
    ///
    /// [`Failure::Crowded`] where others may: what was done so far is rolled back and done again when they are kept out.
    pub(crate) fn require_alone(&self) -> TxResult<()> {
        if self.is_alone() { Ok(()) } else { Err(Failure::Crowded) }
    }

    /// For how long work may go on at once that can be cut into pieces; none for all of it.
    pub(crate) fn slice(&self) -> Option<Duration> {
        self.session.slice()
    }

    /// Whether it changed anything so far.
    pub(crate) fn has_changed(&self) -> bool {
        self.has_changed.get()
    }

    /// Runs a statement, at the latest with the next question or the end. What it would say, such as that a row is there already, may
    /// therefore be said later.
    pub(crate) fn send(&self, query: Query, params: Params<'_>) -> TxResult<()> {
        self.has_changed.set(true);
        self.session.send(query, params)
    }

    /// Says that a query is going to be asked, so that it can be answered with what is asked before it. Nothing that it reads may change
    /// until then: not by this transaction, and not by others either that do what they do beside it. What is answered when a
    /// statement is [`run`](Self::run) is asked again.
    pub(crate) fn foresee(&self, query: Query, params: Params<'_>) -> TxResult<()> {
        self.session.foresee(query, params)
    }

    /// The same of what nobody changes who does what they do beside it: whoever asks again is told the same.
    pub(crate) fn foresee_for_good(&self, query: Query, params: Params<'_>) -> TxResult<()> {
        self.session.foresee_for_good(query, params)
    }

    /// Asks what is foreseen by now, so that what several do next is not parted by it.
    pub(crate) fn ask_foreseen(&self) -> TxResult<()> {
        self.session.ask_foreseen()
    }

    /// Runs a statement that changes one row, which is locked; false when it is known to have changed none. Where that comes out only
    /// later, the transaction is run again.
    pub(crate) fn change_one(&self, query: Query, params: Params<'_>) -> TxResult<bool> {
        let changed = self.session.change_one(query, params)?;
        self.has_changed.set(self.has_changed() || changed);
        Ok(changed)
    }

    /// Runs a statement; how many rows it changed.
    pub(crate) fn run(&self, query: Query, params: Params<'_>) -> TxResult<usize> {
        let changed = self.session.run(query, params)?;
        self.has_changed.set(self.has_changed() || changed > 0);
        Ok(changed)
    }

    /// Runs a statement that inserts one row; its number.
    pub(crate) fn insert(&self, query: Query, params: Params<'_>) -> TxResult<i64> {
        self.has_changed.set(true);
        self.session.insert(query, params)
    }

    /// The first row, if there is one.
    pub(crate) fn one<T>(
        &self,
        query: Query,
        params: Params<'_>,
        read: impl FnOnce(&Row<'_>) -> TxResult<T>,
    ) -> TxResult<Option<T>> {
        let (mut read, mut value) = (Some(read), None);
        self.rows(query, params, &mut |row| {
            value = read.take().map(|read| read(row)).transpose()?;
            Ok(More::Enough)
        })?;
        Ok(value)
    }

    /// All rows.
    pub(crate) fn all<T>(
        &self,
        query: Query,
        params: Params<'_>,
        mut read: impl FnMut(&Row<'_>) -> TxResult<T>,
    ) -> TxResult<Vec<T>> {
        let mut values = Vec::new();
        self.rows(query, params, &mut |row| {
            values.push(read(row)?);
            Ok(More::Wanted)
        })?;
        Ok(values)
    }

    fn rows(
        &self,
        query: Query,
        params: Params<'_>,
        each: &mut dyn FnMut(&Row<'_>) -> TxResult<More>,
    ) -> TxResult<()> {
        // Only tests ask whether anything changed.
        let changes = cfg!(debug_assertions) && query.gives_back_what_it_changed();
        self.session.rows(query, params, &mut |row| {
            self.has_changed.set(self.has_changed() || changes);
            each(row)
        })
    }
}

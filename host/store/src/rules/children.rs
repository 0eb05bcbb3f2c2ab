//! Runs that wait for the entries that they opened.
//!
//! Property wanted: a wait ends in the very transaction in which the last of these entries is over, whichever way that comes about, and
//! one that begins when all are over is none. So whoever brings an entry to its end tells it here, and whether all are over is read
//! from the entries every time, never counted beside them. Both sides of it are told apart by being alone: a wait for children begins and
//! ends while nobody else changes anything, so who finds that nobody waits is right until the end of its transaction.

use tollgate_core::{
    EntryId,
    child::{self, ChildStatus},
    entry::{EntryName, EntryState},
    wait::{Ended, Wait},
};

use super::{
    family,
    live_run::LiveRun,
    sql,
    tx::{Failure, Tx, TxResult, json_of, named_params},
    wait,
};

/// Notes that a run opened an entry, or found it as a child of its own entry.
pub(super) fn note(tx: &Tx<'_>, run: &LiveRun, entry: EntryId) -> TxResult<()> {
    tx.send(sql::CHILD_INSERT, named_params! { ":run": run.seq, ":entry": entry.0 })?;
    family::begin(tx, run)?;
    settled(tx, run.seq)
}

/// The entries that a run opened.
pub(super) fn of_run(tx: &Tx<'_>, run: i64) -> TxResult<Vec<ChildStatus>> {
    tx.all(sql::CHILD_LIST, named_params! { ":run": run }, |row| {
        Ok(ChildStatus {
            name: EntryName { tracker: row.plain("tracker")?, key: row.plain("key")? },
            title: row.plain("title")?,
            state: row.word("state")?,
            run: row
                .plain::<Option<String>>("run")?
                .map(|run| run.parse().map_err(Failure::damaged))
                .transpose()?,
            run_state: row.word_or_none("run_state")?,
            reason: row.plain("reason")?,
            cost: row.money("cost")?,
        })
    })
}

/// How a wait for them has ended, where it is one and they are over.
pub(super) fn ended(tx: &Tx<'_>, run: i64, wait: &Wait) -> TxResult<Option<Ended>> {
    let Some(by) = wait.children() else { return Ok(None) };
    let over: Vec<_> = EntryState::ALL.into_iter().filter(|state| state.is_over()).collect();
    let params = named_params! { ":run": run, ":over": json_of(&over)? };
    if tx.one(sql::CHILD_GET_OPEN, params, |_| Ok(()))?.is_some() {
        return Ok(None);
    }
    Ok(Some(Ended::Met { by: by.clone(), with: child::told(&of_run(tx, run)?) }))
}

/// Begins a wait for them.
pub(super) fn await_them(tx: &Tx<'_>, run: i64) -> TxResult<()> {
    tx.send(sql::WAKE_CHILDREN_INSERT, named_params! { ":run": run })
}

/// Says that those that wait for an entry are going to be told of it.
pub(super) fn foresee_telling(tx: &Tx<'_>, entry: EntryId) -> TxResult<()> {
    tx.foresee(sql::WAKE_CHILDREN_LIST, named_params! { ":entry": entry.0 })
}

/// Tells those that wait for an entry that it may be over. What else the transaction has to say of it is written by now.
pub(super) fn tell(tx: &Tx<'_>, entry: EntryId, state: EntryState) -> TxResult<()> {
    if state.is_over() { tell_in_any_case(tx, entry) } else { Ok(()) }
}

/// The same of an entry that was over and is not any more: they wait for it again.
pub(super) fn tell_in_any_case(tx: &Tx<'_>, entry: EntryId) -> TxResult<()> {
    let waiting = tx.all(sql::WAKE_CHILDREN_LIST, named_params! { ":entry": entry.0 }, |row| {
        row.plain::<i64>("run_seq")
    })?;
    if !waiting.is_empty() {
        tx.require_alone()?;
    }
    waiting.into_iter().try_for_each(|run| wait::end_with_children(tx, run))
}

/// Something was opened for a run, or will not be.
pub(super) fn settled(tx: &Tx<'_>, run: i64) -> TxResult<()> {
    match tx.one(sql::WAKE_CHILDREN_GET, named_params! { ":run": run }, |_| Ok(()))? {
        Some(()) => {
            tx.require_alone()?;
            wait::end_with_children(tx, run)
        }
        None => Ok(()),
    }
}

/// Why a run waits for them, with which of them it still does.
pub(super) fn reason(tx: &Tx<'_>, run: i64, wait: &Wait) -> TxResult<String> {
    Ok(match child::not_over(&of_run(tx, run)?) {
        Some(not_over) => format!("{wait}: {not_over}"),
        None => wait.to_string(),
    })
}

//! Waits that calls asked for, and what ends them.
//!
//! A wait is matched against what has happened in the very transaction that begins it, and whatever happens is matched against the waits
//! in the transaction that says so. One of the two comes first and the other sees it, so nothing is lost between them. What counts is
//! everything since the waiting call began, and it began when the run's call before it was written, or when the wait before it ended.

use serde_json::{Value, json};
use tollgate_core::{
    event::{EventKind, NewEvent},
    step::StepKey,
    wait::{self, Ended, Event, Wait, WaitEnd, WakeOn},
};

use super::{
    children,
    live_run::LiveRun,
    sql,
    tx::{Tx, TxResult, json_of, named_params},
};
use crate::{StoreError, port::NewSignal};

/// A wait as it is kept.
struct Kept {
    step: StepKey,
    since: i64,
    wait: Wait,
}

/// Keeps what a call that is written asks to wait for, and what it has heard.
pub(super) fn keep(tx: &Tx<'_>, run: i64, step: &StepKey, wait: &Wait) -> TxResult<()> {
    let params = named_params! { ":run": run, ":step": json_of(step)?, ":body": json_of(wait)? };
    tx.send(sql::WAIT_INSERT, params)
}

/// The run's next call begins: what was said before is of no concern to it.
pub(super) fn has_heard(tx: &Tx<'_>, run: i64) -> TxResult<()> {
    tx.send(sql::RUN_SET_HEARD, named_params! { ":run": run })
}

/// Begins the wait that is kept; how it ended, if what it waits for has happened already.
pub(super) fn begin(tx: &Tx<'_>, run: &mut LiveRun) -> TxResult<Option<WaitEnd>> {
    let Some(Kept { step, since, wait }) = get(tx, run.seq)? else {
        let text = format!("run {} waits, and no call of it asked to", run.id);
        return Err(StoreError::Conflict(text).into());
    };
    if wait.children().is_some() {
        tx.require_alone()?;
    }
    let happened = match first_heard(tx, run.seq, since, &wait)? {
        None => children::ended(tx, run.seq, &wait)?,
        heard => heard,
    };
    if let Some(how) = happened.or_else(|| wait.due(tx.now)) {
        return Ok(Some(WaitEnd { step, at: tx.now, how }));
    }
    for name in wait.event_names() {
        tx.send(sql::WAKE_SIGNAL_INSERT, named_params! { ":run": run.seq, ":name": name })?;
    }
    for at in wait.times() {
        tx.send(sql::WAKE_INSERT, named_params! { ":run": run.seq, ":at": at.as_millis() })?;
    }
    if wait.children().is_some() {
        children::await_them(tx, run.seq)?;
        run.reason = Some(children::reason(tx, run.seq, &wait)?);
    }
    if let Some(ask) = wait.ask(&step) {
        tx.send(sql::ASK_INSERT, named_params! { ":run": run.seq, ":body": json_of(&ask)? })?;
    }
    Ok(None)
}

/// Ends a wait: the run goes on, and its next call is told.
pub(super) fn end(tx: &Tx<'_>, run: i64, end: &WaitEnd) -> TxResult<()> {
    let by = match &end.how {
        Ended::Met { by: by @ WakeOn::Children(_), .. } => format!("{by} are over"),
        Ended::Met { by, .. } => format!("{by} came"),
        Ended::Expired => "what it waited for did not come in time".to_owned(),
    };
    forget(tx, run)?;
    let body = json!({ "by": by, "ended": end });
    LiveRun::wake_with(tx, run, NewEvent { kind: EventKind::Woken, body })?;
    has_heard(tx, run)
}

/// Ends a wait whose time has come; false when the run waits for something else.
pub(super) fn end_due(tx: &Tx<'_>, run: i64) -> TxResult<bool> {
    let Some(Kept { step, wait, .. }) = get(tx, run)? else { return Ok(false) };
    let Some(how) = wait.due(tx.now) else { return Ok(false) };
    end(tx, run, &WaitEnd { step, at: tx.now, how })?;
    Ok(true)
}

/// Ends a wait for children if they are over; else it says for which of them it still is.
pub(super) fn end_with_children(tx: &Tx<'_>, run: i64) -> TxResult<()> {
    let Some(Kept { step, wait, .. }) = get(tx, run)? else { return Ok(()) };
    match children::ended(tx, run, &wait)? {
        Some(how) => end(tx, run, &WaitEnd { step, at: tx.now, how }),
        None => {
            let reason = children::reason(tx, run, &wait)?;
            tx.send(sql::RUN_SET_REASON, named_params! { ":run": run, ":reason": reason })
        }
    }
}

/// The call of a run that waits for what it opened.
pub(super) fn for_children(tx: &Tx<'_>, run: i64) -> TxResult<Option<StepKey>> {
    match tx.one(sql::WAKE_CHILDREN_GET, named_params! { ":run": run }, |_| Ok(()))? {
        Some(()) => Ok(get(tx, run)?.map(|kept| kept.step)),
        None => Ok(None),
    }
}

/// A person answered, which ends the wait of a run if it has one.
pub(super) fn answered(tx: &Tx<'_>, run: i64) -> TxResult<()> {
    if get(tx, run)?.is_some() {
        forget(tx, run)?;
        has_heard(tx, run)?;
    }
    Ok(())
}

/// Nothing is waited for any more.
pub(super) fn forget(tx: &Tx<'_>, run: i64) -> TxResult<()> {
    tx.send(sql::WAIT_DELETE, named_params! { ":run": run })
}

/// Says that something happened; how many waits that ended.
pub(super) fn signal(tx: &Tx<'_>, new: &NewSignal) -> TxResult<u64> {
    let NewSignal { name, run, who, data } = new;
    if !wait::is_name(name) {
        let text = format!("`{name}` is no name of an event: 1 to 200 characters, none of them a space");
        return Err(StoreError::Conflict(text).into());
    }
    let run = match run {
        None => None,
        Some(id) => {
            let found = LiveRun::find(tx, *id)?;
            let found = found.ok_or_else(|| StoreError::NotFound { what: "run", name: id.to_string() })?;
            if !found.state.is_live() {
                let text = format!("run {id} is {}: nothing that happens reaches it any more", found.state);
                return Err(StoreError::Conflict(text).into());
            }
            Some(found.seq)
        }
    };
    let params = named_params! {
        ":name": name, ":run": run, ":who": who, ":data": json_of(data)?, ":now": tx.now.as_millis(),
    };
    tx.send(sql::SIGNAL_INSERT, params)?;
    let params = named_params! { ":name": name, ":run": run };
    let waiting = tx.all(sql::WAKE_SIGNAL_LIST, params, |row| row.plain::<i64>("run_seq"))?;
    for seq in &waiting {
        let Some(Kept { step, .. }) = get(tx, *seq)? else { continue };
        end(tx, *seq, &WaitEnd { step, at: tx.now, how: met(name, who, data.clone()) })?;
    }
    Ok(waiting.len() as u64)
}

fn met(name: &str, who: &str, data: Value) -> Ended {
    let by = WakeOn::Event(Event { name: name.to_owned() });
    Ended::Met { by, with: json!({ "who": who, "data": data }) }
}

/// The first thing that happened since the waiting call began, if it waits for it.
fn first_heard(tx: &Tx<'_>, run: i64, since: i64, wait: &Wait) -> TxResult<Option<Ended>> {
    let mut first: Option<(i64, Ended)> = None;
    for name in wait.event_names() {
        let params = named_params! { ":name": name, ":since": since, ":run": run };
        let found = tx.one(sql::SIGNAL_GET_FIRST, params, |row| {
            let how = met(name, &row.plain::<String>("who")?, row.json("data")?);
            Ok((row.plain::<i64>("id")?, how))
        })?;
        first = match (first, found) {
            (Some(first), Some(found)) if first.0 <= found.0 => Some(first),
            (first, found) => found.or(first),
        };
    }
    Ok(first.map(|(_, how)| how))
}

fn get(tx: &Tx<'_>, run: i64) -> TxResult<Option<Kept>> {
    tx.one(sql::WAIT_GET, named_params! { ":run": run }, |row| {
        Ok(Kept { step: row.json("step")?, since: row.plain("since")?, wait: row.json("body")? })
    })
}

//! What people say to hosts and about entries.

use tollgate_core::{EntryId, entry::EntryState};

use super::{
    entry::KnownEntry,
    intake, sql, supplement,
    tx::{Failure, Tx, TxResult, named_params},
};
use crate::{
    StoreError,
    port::{Control, StopMode, StopRequest},
};

/// What hosts were asked.
pub(super) fn get(tx: &Tx<'_>) -> TxResult<Control> {
    let control = tx.one(sql::CONTROL_GET, &[], |row| {
        let mode = match row.plain::<String>("mode")?.as_str() {
            "drain" => StopMode::Drain,
            "now" => StopMode::Now,
            other => return Err(Failure::damaged(format!("`{other}` is no way to stop"))),
        };
        let stop = StopRequest { mode, who: row.plain("who")?, why: row.plain("why")? };
        Ok(Control { stop: Some(stop), since: Some(row.time("since_at")?) })
    })?;
    Ok(control.unwrap_or_default())
}

/// Asks every host to stop.
pub(super) fn stop(tx: &Tx<'_>, request: &StopRequest) -> TxResult<()> {
    let kind = match request.mode {
        StopMode::Drain => "stop",
        StopMode::Now => "stop-now",
    };
    let params = named_params! {
        ":mode": request.mode.as_str(), ":who": request.who, ":why": request.why, ":now": tx.now.as_millis(),
    };
    tx.send(sql::CONTROL_PUT, params)?;
    remember(tx, None, kind, Some(&request.who), Some(&request.why))
}

/// Lets hosts go on.
pub(super) fn resume(tx: &Tx<'_>) -> TxResult<()> {
    match tx.run(sql::CONTROL_DELETE, &[])? {
        0 => Ok(()),
        _ => remember(tx, None, "resume", None, None),
    }
}

/// Makes an entry wait for a new round: one that is over, or one that is held because it changed after it was.
pub(super) fn retry(tx: &Tx<'_>, id: EntryId, who: &str, reason: &str) -> TxResult<()> {
    let entry = KnownEntry::find_by_id(tx, id)?
        .ok_or_else(|| StoreError::NotFound { what: "entry", name: id.to_string() })?;
    let lifted = tx.run(sql::HOLD_DELETE_OF_PERSON, named_params! { ":entry": id.0 })?;
    let held_by_person = entry.state == EntryState::Held && lifted > 0;
    let not_refined = entry.state == EntryState::Held && supplement::forget_failure(tx, id)?;
    if !entry.state.is_terminal() && !held_by_person && !not_refined {
        return Err(StoreError::Conflict(format!(
            "{} is {}; only an entry that is done, failed or escalated, or could not be refined, can be retried",
            entry.name.key, entry.state
        ))
        .into());
    }
    remember(tx, Some(id), "retry", Some(who), Some(reason))?;
    if not_refined {
        supplement::judge_again(tx, id)?;
    }
    intake::wait_again(tx, &entry)?;
    Ok(())
}

pub(super) fn remember(
    tx: &Tx<'_>,
    entry: Option<EntryId>,
    kind: &str,
    who: Option<&str>,
    why: Option<&str>,
) -> TxResult<()> {
    remember_in_full(tx, entry, kind, who, why, None)
}

/// The same with what exactly was decided, as JSON.
pub(super) fn remember_in_full(
    tx: &Tx<'_>,
    entry: Option<EntryId>,
    kind: &str,
    who: Option<&str>,
    why: Option<&str>,
    body: Option<&str>,
) -> TxResult<()> {
    let params = named_params! {
        ":entry": entry.map(|entry| entry.0),
        ":kind": kind,
        ":who": who,
        ":why": why,
        ":body": body,
        ":now": tx.now.as_millis(),
    };
    tx.send(sql::DECISION_INSERT, params)
}

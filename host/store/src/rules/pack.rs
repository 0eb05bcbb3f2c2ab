//! Packs the events of runs that were over long ago.
//!
//! Properties wanted:
//!
//! 1. What is packed is read as before, and so is its chain.
//! 2. `event` has the rows of what happened lately, however long a project lives.
//! 3. Nobody waits for it: what is to be packed is looked for by a reader, and a transaction that packs is short.
//!
//! All events of a run are packed at once, and once: a run that is over has no more of them.

use tollgate_core::{
    Timestamp,
    event::{Event, EventKind},
    wait::WaitEnd,
};

use super::{
    sql,
    tx::{Failure, Row, Tx, TxResult, named_params},
};
use crate::pack::{self, KeptEvent};

/// Runs whose events can be packed, oldest first: up to `max`.
pub(super) fn list(tx: &Tx<'_>, ended_by: Timestamp, max: u32) -> TxResult<Vec<i64>> {
    let params = named_params! { ":ended_by": ended_by.as_millis(), ":limit": max };
    tx.all(sql::RUN_LIST_TO_PACK, params, |row| row.plain("seq"))
}

/// Packs the events of these runs; of how many, since another host may have been here before.
pub(super) fn pack(tx: &Tx<'_>, runs: &[i64]) -> TxResult<u64> {
    let mut packed = 0;
    for run in runs {
        packed += u64::from(pack_one(tx, *run)?);
    }
    Ok(packed)
}

fn pack_one(tx: &Tx<'_>, run: i64) -> TxResult<bool> {
    let of_run = named_params! { ":run": run };
    let events = tx.all(sql::EVENT_LIST, of_run, read_kept)?;
    let body = pack::pack(&events).map_err(Failure::damaged)?;
    let params = named_params! { ":run": run, ":events": events.len(), ":body": body };
    if tx.run(sql::EVENT_PACK_INSERT, params)? == 0 {
        return Ok(false);
    }
    tx.send(sql::EVENT_DELETE, of_run)?;
    Ok(true)
}

/// The events of a run, oldest first.
pub(super) fn events(tx: &Tx<'_>, run: i64) -> TxResult<Vec<Event>> {
    let of_run = named_params! { ":run": run };
    let packed = tx.one(sql::EVENT_PACK_GET, of_run, |row| row.plain::<Vec<u8>>("body"))?;
    let kept = match packed {
        Some(body) => pack::unpack(&body).map_err(Failure::damaged)?,
        None => tx.all(sql::EVENT_LIST, of_run, read_kept)?,
    };
    kept.into_iter().map(|event| event.read().map_err(Failure::damaged)).collect()
}

/// How waits of a run's calls ended.
pub(super) fn wait_ends(events: &[Event]) -> TxResult<Vec<WaitEnd>> {
    let woken = events.iter().filter(|event| event.what.kind == EventKind::Woken);
    let ended = woken.filter_map(|event| event.what.body.get("ended")).filter(|ended| !ended.is_null());
    ended.map(|ended| serde_json::from_value(ended.clone()).map_err(Failure::damaged)).collect()
}

fn read_kept(row: &Row<'_>) -> TxResult<KeptEvent> {
    Ok(KeptEvent {
        seq: row.count("seq")?,
        at: row.time("at")?,
        kind: row.word("kind")?,
        body: row.plain("body")?,
        hash: row.digest("hash")?,
    })
}

//! What comes by itself when its time has come: holds lift, runs wake, entries are judged anew.

use std::time::{Duration, Instant};

use super::{
    entry::KnownEntry,
    intake::{self, forget_arrival},
    live_run::LiveRun,
    readiness, sql, supplement,
    tx::{Tx, TxResult, named_params},
    wait,
};
use crate::port::{Known, Rejudged, RescoreItem};

/// Entries are scored again for no longer than this at once: what is changed has to be committed before anybody else is served.
const SLICE: Duration = Duration::from_millis(1);

/// Lifts holds whose time has come and wakes runs whose time has come.
pub(super) fn lift(tx: &Tx<'_>) -> TxResult<u64> {
    let now = named_params! { ":now": tx.now.as_millis() };
    let lifted = tx.all(sql::HOLD_DELETE_DUE, now, |row| row.entry_id("entry_id"))?;
    let woken = tx.all(sql::WAKE_LIST_DUE, now, |row| row.plain::<i64>("run_seq"))?;
    if lifted.is_empty() && woken.is_empty() {
        return Ok(0);
    }
    tx.require_alone()?;
    for id in &lifted {
        let entry = KnownEntry::get(tx, *id)?;
        forget_arrival(tx, *id)?;
        if entry.is_judged() {
            readiness::settle(tx, *id, entry.depends)?;
        }
    }
    for seq in &woken {
        if !wait::end_due(tx, *seq)? {
            LiveRun::wake(tx, *seq, "its time came")?;
        }
    }
    Ok((lifted.len() + woken.len()) as u64)
}

/// Entries whose score changes by now.
pub(super) fn for_rescoring(tx: &Tx<'_>, limit: u32) -> TxResult<Vec<RescoreItem>> {
    let params = named_params! { ":now": tx.now.as_millis(), ":limit": limit };
    tx.all(sql::ENTRY_LIST_DUE, params, |row| {
        Ok(RescoreItem {
            id: row.entry_id("id")?,
            backlog: row.plain("backlog")?,
            item: row.json("body")?,
            known: Known {
                version: row.plain::<Option<i64>>("version")?.unwrap_or_default(),
                supplement: row.json_or_none("supplement")?.unwrap_or_default(),
            },
            first_seen_at: row.time("first_seen_at")?,
        })
    })
}

/// How far one transaction came.
pub(super) struct Rescored {
    /// How many entries have new places.
    pub(super) entries: u64,
    /// The item to go on with.
    pub(super) next: usize,
}

/// Gives waiting entries new places, from item `from` on, until somebody waits for the writer or it has taken long enough. At least
/// one item is done.
pub(super) fn rescore(tx: &Tx<'_>, items: &[Rejudged], from: usize) -> TxResult<Rescored> {
    let items = items.get(from..).unwrap_or_default();
    intake::require_lanes(tx, items.iter().map(|judged| &judged.admission))?;
    let (begun_at, slice) = (Instant::now(), tx.slice().unwrap_or(SLICE));
    let mut rescored = Rescored { entries: 0, next: from };
    for judged in items {
        rescored.entries += u64::from(rescore_one(tx, judged)?);
        rescored.next += 1;
        if tx.is_awaited() || begun_at.elapsed() > slice {
            break;
        }
    }
    Ok(rescored)
}

/// Whether it still waits, as far as is known to whoever judged it.
fn rescore_one(tx: &Tx<'_>, judged: &Rejudged) -> TxResult<bool> {
    let Rejudged { id, says, supplement_version, admission } = judged;
    let entry = KnownEntry::find_by_id(tx, *id)?;
    let Some(entry) = entry.filter(KnownEntry::waits) else { return Ok(false) };
    if supplement::get(tx, *id)?.version != *supplement_version {
        return Ok(false);
    }
    if let Some(says) = says.as_ref().filter(|says| says.revision != entry.revision) {
        intake::put_snapshot(tx, &says.snapshot, says.revision)?;
        let params = named_params! {
            ":id": id.0, ":revision": says.revision.as_bytes(), ":basis": says.basis.as_bytes(),
        };
        tx.send(sql::ENTRY_SET_REVISION, params)?;
    }
    intake::replace_admission(tx, *id, admission)?;
    // What came in last is no longer what is known: the next arrival is compared with nothing.
    forget_arrival(tx, *id)?;
    readiness::settle(tx, *id, entry.depends)?;
    Ok(true)
}

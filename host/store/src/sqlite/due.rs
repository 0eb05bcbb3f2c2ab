//! What comes by itself when its time has come: holds lift, runs wake, entries are judged anew.

use rusqlite::named_params;
use tollgate_core::EntryId;

use super::{
    entry::KnownEntry,
    intake::{self, forget_arrival},
    live_run::LiveRun,
    readiness, sql,
    tx::{Columns, Tx, TxResult},
    wait,
};
use crate::port::{Admission, RescoreItem};

/// Lifts holds whose time has come and wakes runs whose time has come.
pub(super) fn lift(tx: &Tx<'_>) -> TxResult<u64> {
    let now = named_params! { ":now": tx.now.as_millis() };
    let lifted = tx.all(sql::HOLD_DELETE_DUE, now, |row| row.entry_id("entry_id"))?;
    for id in &lifted {
        let entry = KnownEntry::get(tx, *id)?;
        forget_arrival(tx, *id)?;
        if entry.waits() {
            readiness::settle(tx, *id, entry.depends)?;
        }
    }
    let woken = tx.all(sql::WAKE_LIST_DUE, now, |row| row.plain::<i64>("run_seq"))?;
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
            first_seen_at: row.time("first_seen_at")?,
        })
    })
}

/// Gives waiting entries new places.
pub(super) fn rescore(tx: &Tx<'_>, items: &[(EntryId, Admission)]) -> TxResult<u64> {
    let mut rescored = 0;
    intake::require_lanes(tx, items.iter().map(|(_, admission)| admission))?;
    for (id, admission) in items {
        let entry = KnownEntry::find_by_id(tx, *id)?;
        let Some(entry) = entry.filter(KnownEntry::waits) else { continue };
        intake::replace_admission(tx, *id, admission)?;
        // What came in last is no longer what is known: the next arrival is compared with nothing.
        forget_arrival(tx, *id)?;
        readiness::settle(tx, *id, entry.depends)?;
        rescored += 1;
    }
    Ok(rescored)
}

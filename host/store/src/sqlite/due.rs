//! What comes by itself when its time has come: holds lift, runs wake, entries are judged anew.

use rusqlite::named_params;

use super::{
    entry::KnownEntry,
    intake::{self, forget_arrival},
    live_run::LiveRun,
    readiness, sql, supplement,
    tx::{Columns, Tx, TxResult},
    wait,
};
use crate::port::{Known, Rejudged, RescoreItem};

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
            known: Known {
                version: row.plain::<Option<i64>>("version")?.unwrap_or_default(),
                supplement: row.json_or_none("supplement")?.unwrap_or_default(),
            },
            first_seen_at: row.time("first_seen_at")?,
        })
    })
}

/// Gives waiting entries new places.
pub(super) fn rescore(tx: &Tx<'_>, items: &[Rejudged]) -> TxResult<u64> {
    let mut rescored = 0;
    intake::require_lanes(tx, items.iter().map(|judged| &judged.admission))?;
    for Rejudged { id, says, supplement_version, admission } in items {
        let entry = KnownEntry::find_by_id(tx, *id)?;
        let Some(entry) = entry.filter(KnownEntry::waits) else { continue };
        if supplement::get(tx, *id)?.version != *supplement_version {
            continue;
        }
        if let Some(says) = says.as_ref().filter(|says| says.revision != entry.revision) {
            intake::put_snapshot(tx, &says.snapshot, says.revision)?;
            let params = named_params! {
                ":id": id.0, ":revision": says.revision.as_bytes(), ":basis": says.basis.as_bytes(),
            };
            tx.run(sql::ENTRY_SET_REVISION, params)?;
        }
        intake::replace_admission(tx, *id, admission)?;
        // What came in last is no longer what is known: the next arrival is compared with nothing.
        forget_arrival(tx, *id)?;
        readiness::settle(tx, *id, entry.depends)?;
        rescored += 1;
    }
    Ok(rescored)
}

//! What comes by itself when its time has come: holds lift, runs wake, entries are judged anew.

use tollgate_core::{EntryId, Timestamp};

use super::{
    entry::KnownEntry,
    intake::forget_arrival,
    live_run::LiveRun,
    readiness, sql,
    tx::{Row, Tx, TxResult, named_params},
    wait,
};
use crate::port::{Known, RescoreItem};

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
pub(super) fn for_rescoring(
    tx: &Tx<'_>,
    after: Option<(Timestamp, EntryId)>,
    limit: u32,
) -> TxResult<Vec<RescoreItem>> {
    let (after_due, after) = after.map(|(due_at, id)| (due_at.as_millis(), id.0)).unzip();
    let params = named_params! {
        ":now": tx.now.as_millis(), ":after_due": after_due, ":after": after, ":limit": limit,
    };
    tx.all(sql::ENTRY_LIST_DUE, params, read_item)
}

/// The same by their numbers.
pub(super) fn for_rescoring_by_number(
    tx: &Tx<'_>,
    after: Option<EntryId>,
    limit: u32,
) -> TxResult<Vec<RescoreItem>> {
    let after = after.map_or(-1, |after| after.0);
    let params = named_params! { ":now": tx.now.as_millis(), ":after": after, ":limit": limit };
    tx.all(sql::ENTRY_LIST_DUE_BY_NUMBER, params, read_item)
}

fn read_item(row: &Row<'_>) -> TxResult<RescoreItem> {
    Ok(RescoreItem {
        id: row.entry_id("id")?,
        due_at: row.time("due_at")?,
        backlog: row.plain("backlog")?,
        item: row.json("body")?,
        known: Known {
            version: row.plain::<Option<i64>>("version")?.unwrap_or_default(),
            supplement: row.json_or_none("supplement")?.unwrap_or_default(),
        },
        first_seen_at: row.time("first_seen_at")?,
    })
}

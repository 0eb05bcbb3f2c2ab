//! Readings of a source in full, by which an entry is known to be gone.

use tollgate_core::{EntryId, entry::EntryState};

use super::{
    entry::KnownEntry,
    readiness, sql,
    tx::{Tx, TxResult, json_of, named_params},
};
use crate::{
    StoreError,
    port::{Reading, Reconciled},
};

/// Begins to read a source in full.
pub(super) fn begin(tx: &Tx<'_>, backlog: &str, tracker: &str) -> TxResult<i64> {
    let params = named_params! { ":backlog": backlog, ":tracker": tracker, ":now": tx.now.as_millis() };
    tx.insert(sql::RECONCILE_INSERT, params)
}

/// Ends a reconcile; entries that were absent from it and from the complete one before are gone.
pub(super) fn finish(tx: &Tx<'_>, reconcile: i64, reading: &Reading) -> TxResult<Reconciled> {
    let found = tx.one(sql::RECONCILE_GET, named_params! { ":id": reconcile }, |row| {
        let ended = row.time_or_none("ended_at")?.is_some();
        Ok((row.plain::<String>("backlog")?, row.plain::<String>("tracker")?, ended))
    })?;
    let (backlog, tracker, ended) =
        found.ok_or_else(|| StoreError::NotFound { what: "reconcile", name: reconcile.to_string() })?;
    if ended {
        return Err(StoreError::Conflict(format!("reconcile {reconcile} has ended already")).into());
    }
    let complete = matches!(reading, Reading::Full { .. });
    let params = named_params! { ":id": reconcile, ":now": tx.now.as_millis(), ":complete": complete };
    tx.send(sql::RECONCILE_END, params)?;
    let Reading::Full { unread } = reading else { return Ok(Reconciled::default()) };
    if !unread.is_empty() {
        let params =
            named_params! { ":reconcile": reconcile, ":tracker": tracker, ":unread": json_of(unread)? };
        tx.send(sql::SIGHTING_KEEP_UNREAD, params)?;
    }
    let params = named_params! { ":backlog": backlog, ":tracker": tracker, ":id": reconcile };
    let before =
        tx.one(sql::RECONCILE_GET_COMPLETE_BEFORE, params, |row| row.plain::<Option<i64>>("id"))?.flatten();
    let Some(before) = before else { return Ok(Reconciled::default()) };
    let params = named_params! { ":backlog": backlog, ":tracker": tracker, ":before": before };
    let absent =
        tx.all(sql::ENTRY_LIST_ABSENT, params, |row| Ok((row.entry_id("id")?, row.plain::<String>("key")?)))?;
    for (id, _) in &absent {
        leave(tx, *id)?;
    }
    Ok(Reconciled { gone: absent.into_iter().map(|(_, key)| key).collect() })
}

fn leave(tx: &Tx<'_>, id: EntryId) -> TxResult<()> {
    let entry = KnownEntry::get(tx, id)?;
    tx.send(sql::HOLD_DELETE_OF_PERSON, named_params! { ":entry": id.0 })?;
    readiness::rest(tx, id, EntryState::Gone)?;
    readiness::tell_dependants_if_changed(tx, &entry, EntryState::Gone, entry.closed)
}

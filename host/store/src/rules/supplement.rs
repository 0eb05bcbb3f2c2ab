//! What is known of an entry besides what its source says: fields that people set, and what refine runs found.
//!
//! Whoever changes it has the entry judged again; what was judged before that is not taken, and nothing is begun by it either. So what
//! people and refine runs say decides, whenever they say it.

use std::collections::HashMap;

use serde_json::json;
use tollgate_core::{
    EntryId,
    effect::Delivered,
    entry::EntryState,
    record::Record,
    refine::{Found, Refinement, SetField, Supplement},
};

use super::{
    control,
    entry::KnownEntry,
    intake::forget_arrival,
    live_run::LiveRun,
    readiness, sql,
    tx::{Row, Tx, TxResult, json_of, named_params},
    write::insert_body,
};
use crate::{
    StoreError,
    port::{Known, NewFieldValue},
};

/// What is known of an entry.
pub(super) fn get(tx: &Tx<'_>, entry: EntryId) -> TxResult<Known> {
    let known = tx.one(sql::SUPPLEMENT_GET, named_params! { ":entry": entry.0 }, read)?;
    Ok(known.unwrap_or_default())
}

/// What is known of the entries with these keys.
pub(super) fn list(tx: &Tx<'_>, tracker: &str, keys: &[String]) -> TxResult<HashMap<String, Known>> {
    let params = named_params! { ":tracker": tracker, ":keys": json_of(&keys)? };
    let known = tx.all(sql::SUPPLEMENT_LIST, params, |row| Ok((row.plain("key")?, read(row)?)))?;
    Ok(known.into_iter().collect())
}

fn read(row: &Row<'_>) -> TxResult<Known> {
    Ok(Known { version: row.plain("version")?, supplement: row.json("body")? })
}

/// Notes a person's word on a field.
pub(super) fn set_field(tx: &Tx<'_>, id: EntryId, new: &NewFieldValue) -> TxResult<()> {
    let entry = KnownEntry::find_by_id(tx, id)?
        .ok_or_else(|| StoreError::NotFound { what: "entry", name: id.to_string() })?;
    let NewFieldValue { field, value, who, why } = new;
    let mut supplement = get(tx, id)?.supplement;
    let before = supplement.set.remove(field);
    match value {
        None if before.is_none() => {
            let text =
                format!("nobody set `{field}` of {}, so there is nothing to take back", entry.name.key);
            return Err(StoreError::Conflict(text).into());
        }
        None => {}
        Some(value) => {
            let set = SetField { value: value.clone(), who: who.clone(), why: why.clone(), at: tx.now };
            supplement.set.insert(field.clone(), set);
        }
    }
    put(tx, id, &supplement)?;
    let body = json_of(&json!({ "field": field, "value": value }))?;
    control::remember_in_full(tx, Some(id), "set", Some(who), Some(why), Some(&body))?;
    judge_again(tx, id)
}

/// Notes what came of a refine run that is over. Its record stays in the store: people look at their trackers for what was done.
pub(super) fn refine(tx: &Tx<'_>, run: &LiveRun, refinement: &Refinement, record: &Record) -> TxResult<()> {
    let mut supplement = get(tx, run.entry)?.supplement;
    supplement.refinement = Some(Refinement { at: tx.now, ..refinement.clone() });
    put(tx, run.entry, &supplement)?;
    let kept = "a refine run's record is kept in the store: it is no news of the item's work".to_owned();
    let params = named_params! {
        ":run": run.seq,
        ":entry": run.entry.0,
        ":became": json_of(&Delivered::Refused { reason: kept })?,
        ":now": tx.now.as_millis(),
    };
    tx.send(sql::OUTBOX_INSERT_KEPT, params)?;
    insert_body(tx, &json_of(record)?)?;
    readiness::hold_unjudged(tx, run.entry)?;
    readiness::set_state(tx, run.entry, EntryState::New, None)?;
    make_due(tx, run.entry)?;
    forget_arrival(tx, run.entry)
}

/// Forgets that an entry could not be refined; whether that was so.
pub(super) fn forget_failure(tx: &Tx<'_>, entry: EntryId) -> TxResult<bool> {
    let mut supplement = get(tx, entry)?.supplement;
    let failed = supplement.refinement.take_if(|last| matches!(last.found, Found::Nothing { .. })).is_some();
    if failed {
        put(tx, entry, &supplement)?;
    }
    Ok(failed)
}

/// Has an entry judged at once, where it waits; any other is when it does. Nothing is begun on it before.
pub(super) fn judge_again(tx: &Tx<'_>, entry: EntryId) -> TxResult<()> {
    readiness::hold_unjudged(tx, entry)?;
    let known = KnownEntry::get(tx, entry)?;
    if known.waits() {
        make_due(tx, entry)?;
    }
    if known.waits() && known.is_judged() {
        readiness::keep_out(tx, entry)?;
    }
    forget_arrival(tx, entry)
}

/// Has an entry judged as soon as it waits.
pub(super) fn make_due(tx: &Tx<'_>, entry: EntryId) -> TxResult<()> {
    tx.send(sql::PLACE_MAKE_DUE, named_params! { ":entry": entry.0, ":due_at": tx.now.as_millis() })
}

fn put(tx: &Tx<'_>, entry: EntryId, supplement: &Supplement) -> TxResult<()> {
    let params = named_params! { ":entry": entry.0, ":body": json_of(supplement)? };
    tx.send(sql::SUPPLEMENT_PUT, params)
}

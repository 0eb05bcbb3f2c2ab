//! Work that was done before Tollgate, taken over.
//!
//! The entry is done of the revision that it says now, those that wait for it go on, and the account is in the outbox, all in one
//! transaction. From then on the entry is like one that a run did: it comes back by a changed revision or by a person's word.

use serde_json::json;
use tollgate_core::{
    EntryId, StoreId,
    adoption::{AdoptedEntry, Adoption, SCHEMA},
    effect::Delivered,
    entry::EntryState,
};

use super::{
    entry::KnownEntry,
    readiness, report, sql,
    tx::{Row, Tx, TxResult, json_of, named_params},
    write,
};
use crate::port::{AdoptionOutcome, NewAdoption, StoredAdoption};

/// Adopts entries, in their order; those that may not be are left alone.
pub(super) fn adopt(
    tx: &Tx<'_>,
    store: StoreId,
    adoptions: &[NewAdoption],
) -> TxResult<Vec<AdoptionOutcome>> {
    adoptions.iter().map(|adoption| adopt_one(tx, store, adoption)).collect()
}

/// Every adoption of an entry, or of all of them, oldest first.
pub(super) fn list(tx: &Tx<'_>, entry: Option<EntryId>) -> TxResult<Vec<StoredAdoption>> {
    let params = named_params! { ":entry": entry.map(|entry| entry.0) };
    tx.all(sql::ADOPTION_LIST, params, |row: &Row<'_>| {
        Ok(StoredAdoption { adoption: row.json("body")?, delivered: row.json_or_none("became")? })
    })
}

fn adopt_one(tx: &Tx<'_>, store: StoreId, new: &NewAdoption) -> TxResult<AdoptionOutcome> {
    let entry = KnownEntry::get(tx, new.entry)?;
    if entry.adopted && entry.state == EntryState::Done {
        return Ok(AdoptionOutcome::AdoptedBefore);
    }
    if let Some(reason) = objection(&entry, new) {
        return Ok(AdoptionOutcome::Refused(reason));
    }
    let snapshot = report::snapshot(tx, entry.revision)?;
    let adoption = Adoption {
        schema: SCHEMA.to_owned(),
        id: new.id,
        entry: AdoptedEntry {
            name: entry.name.clone(),
            backlog: entry.backlog.clone(),
            url: snapshot.url,
            title: snapshot.title,
            revision: entry.revision,
        },
        store,
        who: new.who.clone(),
        at: tx.now,
        evidence: new.evidence.clone(),
        despite: new.despite.clone(),
    };
    insert(tx, entry.id, &adoption)?;
    tx.send(sql::ENTRY_SET_ADOPTED, named_params! { ":id": entry.id.0 })?;
    tx.send(sql::HOLD_DELETE_OF_PERSON, named_params! { ":entry": entry.id.0 })?;
    readiness::rest(tx, entry.id, EntryState::Done)?;
    readiness::tell_dependants_if_changed(tx, &entry, EntryState::Done, entry.closed)?;
    Ok(AdoptionOutcome::Adopted)
}

/// Why an entry may not be adopted as it stands.
fn objection(entry: &KnownEntry, new: &NewAdoption) -> Option<String> {
    match entry.state {
        EntryState::Busy => {
            Some("a run works on it; adopt it when that is over, if it is not done then".into())
        }
        EntryState::Done => Some("it is done by a run; there is nothing to adopt".into()),
        EntryState::Gone => Some("it is gone from its tracker; there is nothing to work on".into()),
        _ if entry.revision != new.revision => {
            Some("it was edited while the evidence was looked at; look again".into())
        }
        _ => None,
    }
}

fn insert(tx: &Tx<'_>, entry: EntryId, adoption: &Adoption) -> TxResult<()> {
    let params = named_params! {
        ":id": adoption.id.to_string(),
        ":entry": entry.0,
        ":now": tx.now.as_millis(),
        ":body": json_of(adoption)?,
    };
    let adoption_row = tx.insert(sql::ADOPTION_INSERT, params)?;
    let params = named_params! {
        ":adoption": adoption_row, ":entry": entry.0, ":now": tx.now.as_millis(),
    };
    tx.send(sql::OUTBOX_INSERT_ADOPTED, params)?;
    write::insert_body(tx, &json_of(adoption)?)
}

/// An adoption that another store made, by its record. It was delivered then.
pub(super) fn insert_known(tx: &Tx<'_>, entry: EntryId, place: &str, adoption: &Adoption) -> TxResult<()> {
    let params = named_params! {
        ":id": adoption.id.to_string(),
        ":entry": entry.0,
        ":now": adoption.at.as_millis(),
        ":body": json_of(adoption)?,
    };
    let adoption_row = tx.insert(sql::ADOPTION_INSERT, params)?;
    let became = Delivered::Done { reference: Some(place.to_owned()), data: json!({ "rebuilt": true }) };
    let params = named_params! {
        ":adoption": adoption_row, ":entry": entry.0, ":became": json_of(&became)?, ":now": tx.now.as_millis(),
    };
    tx.send(sql::OUTBOX_INSERT_ADOPTED_SETTLED, params)?;
    write::insert_body(tx, &json_of(adoption)?)?;
    let params = named_params! { ":id": entry.0, ":worked": adoption.entry.revision.as_bytes() };
    tx.send(sql::ENTRY_SET_ADOPTED_REVISION, params)
}

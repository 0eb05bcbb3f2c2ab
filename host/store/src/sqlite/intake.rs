//! What comes in from sources.
//!
//! What an arrival does depends on the state of the entry:
//!
//! | state | what an arrival does |
//! | --- | --- |
//! | none, gone | it is made, or comes back: held or ready (one that comes back as it was when its newest run ended is over again) |
//! | new, held, ready | it is judged anew; a person's hold stays |
//! | busy, blocked | its text, links and place are kept for later |
//! | done, failed, escalated | the same; and when it says something else than what the newest run worked on, [`OnChange`] decides |
//!
//! An arrival that brings nothing new writes nothing but in which reconcile it was seen.

use std::collections::HashMap;

use rusqlite::named_params;
use tollgate_core::{
    Digest, EntryId, Timestamp,
    entry::{DependencyRule, EntryState, Link},
    run::RunState,
};

use super::{
    entry::KnownEntry,
    live_run::LiveRun,
    readiness::{self, NewHold},
    sql,
    tx::{Columns, Failure, Tx, TxResult, json_of, millis, word_of},
};
use crate::{
    StoreError,
    port::{Admission, Arrival, Change, OnChange, PlaceInLane, Reconciled, RescoreItem},
};

/// Takes arrivals in, in their order.
pub(super) fn admit(tx: &Tx<'_>, reconcile: i64, arrivals: &[Arrival]) -> TxResult<Vec<Change>> {
    let known = tx.one(sql::RECONCILE_GET, named_params! { ":id": reconcile }, |_| Ok(()))?;
    if known.is_none() {
        return Err(StoreError::NotFound { what: "reconcile", name: reconcile.to_string() }.into());
    }
    arrivals.iter().map(|arrival| admit_one(tx, reconcile, arrival)).collect()
}

fn admit_one(tx: &Tx<'_>, reconcile: i64, arrival: &Arrival) -> TxResult<Change> {
    let digest = digest_of(arrival)?;
    let change = match KnownEntry::find(tx, &arrival.snapshot.name)? {
        None => create(tx, arrival, digest)?,
        Some(entry) => {
            let state = if entry.arrival == Some(digest) && !concerns(arrival, &entry) {
                entry.state
            } else {
                update(tx, &entry, arrival, digest)?
            };
            Change {
                id: entry.id,
                key: entry.name.key,
                created: false,
                revised: entry.revision != arrival.revision,
                state,
            }
        }
    };
    let params = named_params! { ":entry": change.id.0, ":reconcile": reconcile };
    tx.run(sql::SIGHTING_PUT, params)?;
    Ok(change)
}

/// Whether an arrival that was seen before matters all the same.
fn concerns(arrival: &Arrival, entry: &KnownEntry) -> bool {
    let changed_since_work = entry.worked != Some(arrival.revision) && arrival.on_change != OnChange::Ignore;
    entry.state == EntryState::Gone || (entry.state.is_terminal() && changed_since_work)
}

/// One digest of all that an arrival says.
fn digest_of(arrival: &Arrival) -> TxResult<Digest> {
    let place = arrival.admission.place.as_ref();
    let place_json = place.map(|place| {
        json_of(&(place.lane, &place.rank_key, place.score_thousandths, &place.terms, place.due_at))
    });
    Ok(Digest::of_parts([
        arrival.revision.as_bytes().as_slice(),
        arrival.backlog.as_bytes(),
        json_of(&arrival.item)?.as_bytes(),
        word_of(&arrival.depends)?.as_bytes(),
        json_of(&arrival.links)?.as_bytes(),
        json_of(&arrival.admission.holds)?.as_bytes(),
        place_json.transpose()?.unwrap_or_default().as_bytes(),
    ]))
}

fn create(tx: &Tx<'_>, arrival: &Arrival, digest: Digest) -> TxResult<Change> {
    put_snapshot(tx, arrival)?;
    let snapshot = &arrival.snapshot;
    let params = named_params! {
        ":tracker": snapshot.name.tracker,
        ":key": snapshot.name.key,
        ":backlog": arrival.backlog,
        ":closed": arrival.item.closed,
        ":revision": arrival.revision.as_bytes(),
        ":depends": word_of(&arrival.depends)?,
        ":arrival": digest.as_bytes(),
        ":title": snapshot.title,
        ":url": snapshot.url,
        ":created_at": snapshot.created_at.as_millis(),
        ":now": tx.now.as_millis(),
    };
    tx.run(sql::ENTRY_INSERT, params)?;
    let id = EntryId(tx.inserted());
    put_item(tx, id, arrival)?;
    insert_links(tx, id, &arrival.links)?;
    insert_admission(tx, id, &arrival.admission)?;
    let state = readiness::settle(tx, id, arrival.depends)?;
    readiness::tell_dependants(tx, &snapshot.name)?;
    Ok(Change { id, key: snapshot.name.key.clone(), created: true, revised: false, state })
}

fn update(tx: &Tx<'_>, entry: &KnownEntry, arrival: &Arrival, digest: Digest) -> TxResult<EntryState> {
    if entry.revision != arrival.revision {
        put_snapshot(tx, arrival)?;
    }
    let snapshot = &arrival.snapshot;
    let params = named_params! {
        ":id": entry.id.0,
        ":backlog": arrival.backlog,
        ":closed": arrival.item.closed,
        ":revision": arrival.revision.as_bytes(),
        ":depends": word_of(&arrival.depends)?,
        ":arrival": digest.as_bytes(),
        ":title": snapshot.title,
        ":url": snapshot.url,
        ":created_at": snapshot.created_at.as_millis(),
    };
    tx.run(sql::ENTRY_UPDATE, params)?;
    put_item(tx, entry.id, arrival)?;
    tx.run(sql::LINK_DELETE, named_params! { ":entry": entry.id.0 })?;
    insert_links(tx, entry.id, &arrival.links)?;
    replace_admission(tx, entry.id, &arrival.admission)?;
    let state = next_state(tx, entry, arrival)?;
    readiness::tell_dependants_if_changed(tx, entry, state, arrival.item.closed)?;
    Ok(state)
}

fn next_state(tx: &Tx<'_>, entry: &KnownEntry, arrival: &Arrival) -> TxResult<EntryState> {
    let changed_since_work = entry.worked != Some(arrival.revision);
    let stays = match entry.state {
        EntryState::New | EntryState::Held | EntryState::Ready => None,
        EntryState::Busy | EntryState::Blocked => Some(entry.state),
        EntryState::Gone if changed_since_work => None,
        EntryState::Gone => state_after_newest_run(tx, entry)?,
        EntryState::Done | EntryState::Failed | EntryState::Escalated => match arrival.on_change {
            OnChange::Rerun if changed_since_work => None,
            OnChange::Ask if changed_since_work => {
                let reason = format!(
                    "it changed after its work was {}; retry it to have it worked on again",
                    entry.state
                );
                readiness::hold_for_person(tx, entry.id, &reason)?;
                None
            }
            OnChange::Ignore | OnChange::Ask | OnChange::Rerun => Some(entry.state),
        },
    };
    match stays {
        None => readiness::settle(tx, entry.id, arrival.depends),
        Some(state) => {
            readiness::rest(tx, entry.id, state)?;
            Ok(state)
        }
    }
}

/// Done is said of a revision: an entry that comes back unchanged is what it was.
fn state_after_newest_run(tx: &Tx<'_>, entry: &KnownEntry) -> TxResult<Option<EntryState>> {
    let params = named_params! { ":tracker": entry.name.tracker, ":key": entry.name.key };
    let newest = tx.one(sql::RUN_GET_NEWEST, params, |row| row.word::<RunState>("state"))?;
    Ok(newest.map(|state| match state {
        RunState::Running | RunState::Waiting => EntryState::Busy,
        RunState::Done => EntryState::Done,
        RunState::Failed | RunState::Cancelled => EntryState::Failed,
        RunState::Escalated => EntryState::Escalated,
    }))
}

fn put_snapshot(tx: &Tx<'_>, arrival: &Arrival) -> TxResult<()> {
    let params = named_params! {
        ":revision": arrival.revision.as_bytes(),
        ":body": json_of(&arrival.snapshot)?,
    };
    tx.run(sql::SNAPSHOT_INSERT, params)?;
    Ok(())
}

fn put_item(tx: &Tx<'_>, entry: EntryId, arrival: &Arrival) -> TxResult<()> {
    let params = named_params! { ":entry": entry.0, ":body": json_of(&arrival.item)? };
    tx.run(sql::SOURCE_ITEM_PUT, params)?;
    Ok(())
}

fn insert_links(tx: &Tx<'_>, entry: EntryId, links: &[Link]) -> TxResult<()> {
    for (position, link) in links.iter().enumerate() {
        let params = named_params! {
            ":entry": entry.0,
            ":position": position,
            ":kind": link.kind.as_str(),
            ":tracker": link.to.tracker,
            ":key": link.to.key,
            ":written": link.written,
            ":source": link.source,
        };
        tx.run(sql::LINK_INSERT, params)?;
    }
    Ok(())
}

fn replace_admission(tx: &Tx<'_>, entry: EntryId, admission: &Admission) -> TxResult<()> {
    tx.run(sql::HOLD_DELETE_OF_POLICY, named_params! { ":entry": entry.0 })?;
    if admission.place.is_none() {
        tx.run(sql::PLACE_DELETE, named_params! { ":entry": entry.0 })?;
    }
    insert_admission(tx, entry, admission)
}

fn insert_admission(tx: &Tx<'_>, entry: EntryId, admission: &Admission) -> TxResult<()> {
    let is_over = |until: Timestamp| until <= tx.now;
    let holds = admission.holds.iter().filter(|hold| !hold.until.is_some_and(is_over));
    for (position, hold) in (readiness::POSITION_OF_POLICY..).zip(holds) {
        let hold = NewHold {
            position,
            kind: hold.kind,
            subject: &hold.subject,
            reason: Some(&hold.reason),
            until_at: millis(hold.until),
            link_position: None,
        };
        readiness::insert_hold(tx, entry, &hold)?;
    }
    match &admission.place {
        None => Ok(()),
        Some(place) => put_place(tx, entry, place),
    }
}

fn put_place(tx: &Tx<'_>, entry: EntryId, place: &PlaceInLane) -> TxResult<()> {
    if tx.one(sql::LANE_EXISTS, named_params! { ":id": place.lane.0 }, |_| Ok(()))?.is_none() {
        return Err(StoreError::NotFound { what: "lane", name: place.lane.to_string() }.into());
    }
    let params = named_params! {
        ":entry": entry.0,
        ":lane": place.lane.0,
        ":rank_key": place.rank_key.as_bytes(),
        ":score": place.score_thousandths,
        ":terms": json_of(&place.terms)?,
        ":due_at": millis(place.due_at),
    };
    tx.run(sql::PLACE_PUT, params)?;
    Ok(())
}

/// When the entries with these keys were first seen.
pub(super) fn first_seen(
    tx: &Tx<'_>,
    tracker: &str,
    keys: &[String],
) -> TxResult<HashMap<String, Timestamp>> {
    let params = named_params! { ":tracker": tracker, ":keys": json_of(&keys)? };
    let seen = tx
        .all(sql::ENTRY_LIST_FIRST_SEEN, params, |row| Ok((row.plain("key")?, row.time("first_seen_at")?)))?;
    Ok(seen.into_iter().collect())
}

/// Begins to read a source in full.
pub(super) fn begin_reconcile(tx: &Tx<'_>, backlog: &str, tracker: &str) -> TxResult<i64> {
    let params = named_params! { ":backlog": backlog, ":tracker": tracker, ":now": tx.now.as_millis() };
    tx.run(sql::RECONCILE_INSERT, params)?;
    Ok(tx.inserted())
}

/// Ends a reconcile; entries that were absent from it and from the complete one before are gone.
pub(super) fn finish_reconcile(tx: &Tx<'_>, reconcile: i64, complete: bool) -> TxResult<Reconciled> {
    let found = tx.one(sql::RECONCILE_GET, named_params! { ":id": reconcile }, |row| {
        let ended = row.time_or_none("ended_at")?.is_some();
        Ok((row.plain::<String>("backlog")?, row.plain::<String>("tracker")?, ended))
    })?;
    let (backlog, tracker, ended) =
        found.ok_or_else(|| StoreError::NotFound { what: "reconcile", name: reconcile.to_string() })?;
    if ended {
        return Err(StoreError::Conflict(format!("reconcile {reconcile} has ended already")).into());
    }
    let params = named_params! { ":id": reconcile, ":now": tx.now.as_millis(), ":complete": complete };
    tx.run(sql::RECONCILE_END, params)?;
    if !complete {
        return Ok(Reconciled::default());
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
    tx.run(sql::HOLD_DELETE_OF_PERSON, named_params! { ":entry": id.0 })?;
    readiness::rest(tx, id, EntryState::Gone)?;
    readiness::tell_dependants_if_changed(tx, &entry, EntryState::Gone, entry.closed)
}

/// Lifts holds whose time has come and wakes runs whose time has come.
pub(super) fn lift_due(tx: &Tx<'_>) -> TxResult<u64> {
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
        LiveRun::wake(tx, *seq, "its time came")?;
    }
    Ok((lifted.len() + woken.len()) as u64)
}

/// Entries whose score changes by now.
pub(super) fn due_for_rescoring(tx: &Tx<'_>, limit: u32) -> TxResult<Vec<RescoreItem>> {
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
    for (id, admission) in items {
        let entry = KnownEntry::find_by_id(tx, *id)?;
        let Some(entry) = entry.filter(KnownEntry::waits) else { continue };
        replace_admission(tx, *id, admission)?;
        // What came in last is no longer what is known: the next arrival is compared with nothing.
        forget_arrival(tx, *id)?;
        readiness::settle(tx, *id, entry.depends)?;
        rescored += 1;
    }
    Ok(rescored)
}

/// Makes an entry wait again that was over; its place may be out of date, so it is due at once.
pub(super) fn wait_again(tx: &Tx<'_>, entry: &KnownEntry) -> TxResult<EntryState> {
    let due = named_params! { ":entry": entry.id.0, ":due_at": tx.now.as_millis() };
    tx.run(sql::PLACE_SET_DUE, due)?;
    forget_arrival(tx, entry.id)?;
    let rule: DependencyRule = entry.depends;
    let state = readiness::settle(tx, entry.id, rule)?;
    readiness::tell_dependants_if_changed(tx, entry, state, entry.closed)?;
    Ok(state)
}

fn forget_arrival(tx: &Tx<'_>, entry: EntryId) -> Result<(), Failure> {
    tx.run(sql::ENTRY_FORGET_ARRIVAL, named_params! { ":id": entry.0 })?;
    Ok(())
}

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

use std::{
    cell::Cell,
    collections::{BTreeSet, HashMap},
    time::Instant,
};

use tollgate_core::{
    Digest, EntryId, LaneId, Timestamp,
    entry::{EntrySnapshot, EntryState, Hold, HoldKind, Link},
    item::Shelf,
    likeness::LIKENESS_SOURCE,
    run::RunState,
};

use super::{
    control,
    entry::KnownEntry,
    guard, policy,
    readiness::{self, NewEntry},
    rebuild::{self, Standing},
    similar::{self, Compared, Duplicate},
    sql, supplement,
    tx::{Tx, TxResult, json_of, millis, named_params},
};
use crate::{
    StoreError,
    port::{Admission, Arrival, Change, OnChange},
};

/// An arrival, and what is made of all of it: written once, used for both.
pub(super) struct Received<'a> {
    arrival: &'a Arrival,
    /// What its source said, as it is kept.
    item: String,
    /// Of all that it says.
    digest: Digest,
    /// Whether another policy is applied than it was judged by.
    is_outdated: bool,
}

impl Received<'_> {
    /// By which an arrival that brings nothing new is known.
    pub(super) fn digest(&self) -> Digest {
        self.digest
    }
}

/// Takes arrivals in, in their order: all of them, or where others are to be served between two as many as time allows, one at the
/// least.
pub(super) fn admit(
    tx: &Tx<'_>,
    reconcile: i64,
    arrivals: &[Arrival],
    compared: &Compared,
) -> TxResult<Vec<Change>> {
    tx.foresee(sql::POLICY_GET_VERSION, &[])?;
    let known = tx.one(sql::RECONCILE_GET, named_params! { ":id": reconcile }, |_| Ok(()))?;
    if known.is_none() {
        return Err(StoreError::NotFound { what: "reconcile", name: reconcile.to_string() }.into());
    }
    require_lanes(tx, arrivals.iter().map(|arrival| &arrival.admission))?;
    let (policy_version, is_read_first) = (policy::version(tx)?, Cell::new(None));
    let begun_at = Instant::now();
    let mut changes = Vec::with_capacity(arrivals.len());
    for arrival in arrivals {
        let received = receive(arrival, policy_version)?;
        changes.push(admit_one(tx, reconcile, &received, compared, &is_read_first)?);
        if tx.slice().is_some_and(|slice| begun_at.elapsed() > slice) {
            break;
        }
    }
    Ok(changes)
}

/// Refuses places in lanes that are not there.
pub(super) fn require_lanes<'a>(
    tx: &Tx<'_>,
    admissions: impl Iterator<Item = &'a Admission>,
) -> TxResult<()> {
    let lanes: BTreeSet<LaneId> =
        admissions.filter_map(|admission| admission.place.as_ref()).map(|place| place.lane).collect();
    for lane in lanes {
        if tx.one(sql::LANE_EXISTS, named_params! { ":id": lane.0 }, |_| Ok(()))?.is_none() {
            return Err(StoreError::NotFound { what: "lane", name: lane.to_string() }.into());
        }
    }
    Ok(())
}

/// Whether a reading comes before the first complete one of its source: what it finds was there before anybody counted.
fn is_first_reading(tx: &Tx<'_>, reconcile: i64, arrival: &Arrival) -> TxResult<bool> {
    let params = named_params! {
        ":id": reconcile, ":backlog": arrival.backlog, ":tracker": arrival.snapshot.name.tracker,
    };
    let before = tx.one(sql::RECONCILE_GET_COMPLETE_BEFORE, params, |row| row.plain::<Option<i64>>("id"))?;
    Ok(before.flatten().is_none())
}

fn admit_one(
    tx: &Tx<'_>,
    reconcile: i64,
    received: &Received<'_>,
    compared: &Compared,
    is_read_first: &Cell<Option<bool>>,
) -> TxResult<Change> {
    let arrival = received.arrival;
    let change = match KnownEntry::find(tx, &arrival.snapshot.name)? {
        None => {
            let first = match is_read_first.get() {
                Some(first) => first,
                None => is_first_reading(tx, reconcile, arrival)?,
            };
            is_read_first.set(Some(first));
            create(tx, received, guard::holds(tx, arrival, !first)?, compared)?
        }
        Some(entry) => {
            let state = if entry.arrival == Some(received.digest) && !concerns(arrival, &entry) {
                entry.state
            } else {
                update(tx, reconcile, &entry, received)?
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
    tx.send(sql::SIGHTING_PUT, params)?;
    Ok(change)
}

/// Whether an arrival that was seen before matters all the same.
fn concerns(arrival: &Arrival, entry: &KnownEntry) -> bool {
    let changed_since_work = entry.worked != Some(arrival.basis) && arrival.on_change != OnChange::Ignore;
    entry.state == EntryState::Gone || (entry.state.is_terminal() && changed_since_work)
}

/// `policy_version` is that of the applied policy.
pub(super) fn receive(arrival: &Arrival, policy_version: i64) -> TxResult<Received<'_>> {
    let item = json_of(&arrival.item)?;
    let Admission { holds, place, due_at } = &arrival.admission;
    let place = place.as_ref();
    let place = place.map(|place| (place.lane, &place.rank_key, place.score_thousandths, &place.terms));
    let judged = json_of(&(&arrival.links, holds, place, due_at))?;
    let digest = Digest::of_parts([
        arrival.revision.as_bytes().as_slice(),
        arrival.backlog.as_bytes(),
        item.as_bytes(),
        arrival.depends.as_str().as_bytes(),
        judged.as_bytes(),
    ]);
    Ok(Received { arrival, item, digest, is_outdated: arrival.policy_version < policy_version })
}

/// Makes an entry, held for what its guard says besides. Its row is written as it will stand by the policy's word, which is most
/// often the last.
pub(super) fn create(
    tx: &Tx<'_>,
    received: &Received<'_>,
    mut guarded: Vec<Hold>,
    compared: &Compared,
) -> TxResult<Change> {
    put_snapshot(tx, &received.arrival.snapshot, received.arrival.revision)?;
    let duplicate = similar::find(tx, received.arrival, compared)?;
    guarded.extend(duplicate.as_ref().map(Duplicate::hold));
    let Arrival { snapshot, admission, links, depends, .. } = received.arrival;
    let held_for = lasting_holds(tx, admission).chain(&guarded).next().map(|hold| hold.kind);
    let id = insert_entry(tx, received, held_for)?;
    put_item(tx, id, &received.item)?;
    insert_links(tx, id, links)?;
    insert_admission(tx, id, admission)?;
    guard::insert(tx, id, &guarded)?;
    similar::insert(tx, id, received.arrival, duplicate, compared)?;
    let new = NewEntry {
        id,
        held_for,
        place: admission.place.as_ref(),
        has_links: !links.is_empty(),
        rule: *depends,
    };
    let state = readiness::settle_new(tx, &new)?;
    let state = as_it_was(tx, id, received.arrival)?.unwrap_or(state);
    readiness::tell_dependants(tx, &snapshot.name, &received.arrival.backlog)?;
    let state = if received.is_outdated { to_judge_later(tx, id)? } else { state };
    Ok(Change { id, key: snapshot.name.key.clone(), created: true, revised: false, state })
}

/// What becomes of a new entry of which the tracker's records tell that it was worked on.
fn as_it_was(tx: &Tx<'_>, id: EntryId, arrival: &Arrival) -> TxResult<Option<EntryState>> {
    match rebuild::apply(tx, id, &arrival.snapshot.name)? {
        None => Ok(None),
        Some(Standing::Held) => readiness::settle(tx, id, arrival.depends).map(Some),
        Some(Standing::Over(_)) => next_state(tx, &KnownEntry::get(tx, id)?, arrival).map(Some),
    }
}

fn insert_entry(tx: &Tx<'_>, received: &Received<'_>, held_for: Option<HoldKind>) -> TxResult<EntryId> {
    let Received { arrival, digest, .. } = received;
    let snapshot = &arrival.snapshot;
    let state = if held_for.is_some() { EntryState::Held } else { EntryState::Ready };
    let params = named_params! {
        ":tracker": snapshot.name.tracker,
        ":key": snapshot.name.key,
        ":backlog": arrival.backlog,
        ":state": state.as_str(),
        ":held_for": held_for.map(HoldKind::as_str),
        ":closed": arrival.item.closed,
        ":revision": arrival.revision.as_bytes(),
        ":basis": arrival.basis.as_bytes(),
        ":depends": arrival.depends.as_str(),
        ":arrival": digest.as_bytes(),
        ":title": snapshot.title,
        ":url": snapshot.url,
        ":created_at": snapshot.created_at.as_millis(),
        // An item that says no date counts from when it was seen first, which must not change with the next reading.
        ":first_seen_at": match arrival.item.created_at {
            Some(_) => tx.now.as_millis(),
            None => snapshot.created_at.as_millis(),
        },
    };
    Ok(EntryId(tx.insert(sql::ENTRY_INSERT, params)?))
}

pub(super) fn update(
    tx: &Tx<'_>,
    reconcile: i64,
    entry: &KnownEntry,
    received: &Received<'_>,
) -> TxResult<EntryState> {
    let Received { arrival, digest, item, is_outdated } = received;
    if *is_outdated || supplement::get(tx, entry.id)?.version != arrival.supplement_version {
        put_item(tx, entry.id, item)?;
        return to_judge_later(tx, entry.id);
    }
    if entry.revision != arrival.revision {
        put_snapshot(tx, &arrival.snapshot, arrival.revision)?;
    }
    let snapshot = &arrival.snapshot;
    let params = named_params! {
        ":id": entry.id.0,
        ":backlog": arrival.backlog,
        ":closed": arrival.item.closed,
        ":revision": arrival.revision.as_bytes(),
        ":basis": arrival.basis.as_bytes(),
        ":depends": arrival.depends.as_str(),
        ":arrival": digest.as_bytes(),
        ":title": snapshot.title,
        ":url": snapshot.url,
        ":created_at": snapshot.created_at.as_millis(),
    };
    tx.send(sql::ENTRY_UPDATE, params)?;
    let came_back = came_back(tx, reconcile, entry, arrival)?;
    put_item(tx, entry.id, item)?;
    tx.send(sql::LINK_DELETE, named_params! { ":entry": entry.id.0, ":kept": LIKENESS_SOURCE })?;
    insert_links(tx, entry.id, &arrival.links)?;
    replace_admission(tx, entry.id, &arrival.admission)?;
    let state =
        if came_back { wait_again_since_it_came_back(tx, entry)? } else { next_state(tx, entry, arrival)? };
    if entry.backlog == arrival.backlog {
        readiness::tell_dependants_if_changed(tx, entry, state, arrival.item.closed)?;
    } else {
        for backlog in [&entry.backlog, &arrival.backlog] {
            readiness::tell_dependants(tx, &entry.name, backlog)?;
        }
    }
    Ok(state)
}

/// Something was found or said of an entry while its source was read, or another policy was applied: what was made of it does not
/// hold.
fn to_judge_later(tx: &Tx<'_>, entry: EntryId) -> TxResult<EntryState> {
    supplement::judge_again(tx, entry)?;
    Ok(KnownEntry::get(tx, entry)?.state)
}

/// Whether somebody put an entry that failed back among what is to be done. A reading that began before a run put it on hold has
/// seen it where it was.
fn came_back(tx: &Tx<'_>, reconcile: i64, entry: &KnownEntry, arrival: &Arrival) -> TxResult<bool> {
    let failed = matches!(entry.state, EntryState::Failed | EntryState::Escalated);
    if !(arrival.retry_failed && failed && arrival.item.shelf == Shelf::Open) {
        return Ok(false);
    }
    let params = named_params! { ":entry": entry.id.0 };
    let before = tx.one(sql::SOURCE_ITEM_GET_SHELF, params, |row| row.plain::<String>("shelf"))?;
    if before.as_deref() != Some("on-hold") {
        return Ok(false);
    }
    let params = named_params! { ":entry": entry.id.0, ":reconcile": reconcile };
    Ok(tx.one(sql::OUTBOX_LEFT_SINCE, params, |_| Ok(()))?.is_none())
}

fn wait_again_since_it_came_back(tx: &Tx<'_>, entry: &KnownEntry) -> TxResult<EntryState> {
    tx.send(sql::HOLD_DELETE_OF_PERSON, named_params! { ":entry": entry.id.0 })?;
    control::remember(
        tx,
        Some(entry.id),
        "retry",
        None,
        Some("it was moved back from among the items on hold"),
    )?;
    readiness::settle(tx, entry.id, entry.depends)
}

fn next_state(tx: &Tx<'_>, entry: &KnownEntry, arrival: &Arrival) -> TxResult<EntryState> {
    let stays = match entry.state {
        EntryState::New | EntryState::Held | EntryState::Ready => None,
        EntryState::Busy | EntryState::Blocked => Some(entry.state),
        EntryState::Gone if changed_since_work(tx, entry, arrival)? => None,
        EntryState::Gone if entry.adopted => Some(EntryState::Done),
        EntryState::Gone => newest_run(tx, entry)?.map(|(_, state)| state_after(state)),
        // Its place says that it is not to be worked on, whatever it says itself.
        EntryState::Done | EntryState::Failed | EntryState::Escalated
            if arrival.item.shelf != Shelf::Open =>
        {
            Some(entry.state)
        }
        EntryState::Done | EntryState::Failed | EntryState::Escalated => match arrival.on_change {
            OnChange::Rerun if changed_since_work(tx, entry, arrival)? => {
                hold_what_goes_to_and_fro(tx, entry, arrival)?;
                None
            }
            OnChange::Ask if changed_since_work(tx, entry, arrival)? => {
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

/// Runs of one text that are begun because the text came back, before a person is asked: two programs that undo each other's
/// changes would have it worked on for ever.
const RUNS_OF_A_REVISION_MAX: u64 = 3;

fn hold_what_goes_to_and_fro(tx: &Tx<'_>, entry: &KnownEntry, arrival: &Arrival) -> TxResult<()> {
    let params = named_params! { ":entry": entry.id.0, ":revision": arrival.revision.as_bytes() };
    let runs = tx.one(sql::RUN_COUNT_OF_REVISION, params, |row| row.count("runs"))?.unwrap_or_default();
    if runs < RUNS_OF_A_REVISION_MAX {
        return Ok(());
    }
    let reason = format!(
        "it changed back to what {runs} runs worked on already; find out what changes it to and fro, and retry it to have it \
         worked on again"
    );
    readiness::hold_for_person(tx, entry.id, &reason)
}

/// Whether an entry says something else than its newest run worked on, or than was adopted. What that run itself made of it is no
/// change: from then on it counts as what was worked on, so that taking it back is one. Neither is what refining adds.
fn changed_since_work(tx: &Tx<'_>, entry: &KnownEntry, arrival: &Arrival) -> TxResult<bool> {
    if entry.worked == Some(arrival.basis) {
        return Ok(false);
    }
    if entry.adopted {
        return Ok(true);
    }
    let Some((run, _)) = newest_run(tx, entry)? else { return Ok(true) };
    if !is_left_by(tx, run, arrival.basis)? {
        return Ok(true);
    }
    tx.send(sql::ENTRY_SET_WORKED, named_params! { ":id": entry.id.0 })?;
    Ok(false)
}

/// Whether an entry says something else than what was worked on or adopted, as it stands.
pub(super) fn says_something_else(tx: &Tx<'_>, entry: &KnownEntry) -> TxResult<bool> {
    if entry.worked.is_none_or(|worked| worked == entry.basis) {
        return Ok(false);
    }
    match newest_run(tx, entry)? {
        Some((run, _)) if !entry.adopted => Ok(!is_left_by(tx, run, entry.basis)?),
        _ => Ok(true),
    }
}

/// Whether a change that a run makes to its entry's state leads to what the entry says now, without what refining adds.
pub(super) fn is_left_by(tx: &Tx<'_>, run: i64, basis: Digest) -> TxResult<bool> {
    let params = named_params! { ":run": run, ":basis": basis.as_bytes() };
    Ok(tx.one(sql::OUTBOX_LEAVES, params, |_| Ok(()))?.is_some())
}

fn newest_run(tx: &Tx<'_>, entry: &KnownEntry) -> TxResult<Option<(i64, RunState)>> {
    let params = named_params! { ":tracker": entry.name.tracker, ":key": entry.name.key };
    tx.one(sql::RUN_GET_NEWEST, params, |row| Ok((row.plain("seq")?, row.word("state")?)))
}

/// Done is said of a revision: an entry that comes back unchanged is what it was.
fn state_after(newest_run: RunState) -> EntryState {
    match newest_run {
        RunState::Running | RunState::Waiting => EntryState::Busy,
        RunState::Done => EntryState::Done,
        RunState::Failed | RunState::Cancelled => EntryState::Failed,
        RunState::Escalated => EntryState::Escalated,
    }
}

/// What an entry says at a revision.
pub(super) fn put_snapshot(tx: &Tx<'_>, snapshot: &EntrySnapshot, revision: Digest) -> TxResult<()> {
    let params = named_params! { ":revision": revision.as_bytes(), ":body": json_of(snapshot)? };
    tx.send(sql::SNAPSHOT_INSERT, params)
}

fn put_item(tx: &Tx<'_>, entry: EntryId, item: &str) -> TxResult<()> {
    tx.send(sql::SOURCE_ITEM_PUT, named_params! { ":entry": entry.0, ":body": item })
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
        tx.send(sql::LINK_INSERT, params)?;
    }
    Ok(())
}

/// What the policy says of an entry, in place of what it said before. Its lane is known to be there.
pub(super) fn replace_admission(tx: &Tx<'_>, entry: EntryId, admission: &Admission) -> TxResult<()> {
    tx.send(sql::HOLD_DELETE_OF_POLICY, named_params! { ":entry": entry.0 })?;
    readiness::leave_other_places(tx, entry, admission.place.as_ref())?;
    if !needs_place(admission) {
        tx.send(sql::PLACE_DELETE, named_params! { ":entry": entry.0 })?;
    }
    insert_admission(tx, entry, admission)
}

fn insert_admission(tx: &Tx<'_>, entry: EntryId, admission: &Admission) -> TxResult<()> {
    readiness::insert_holds(tx, entry, readiness::POSITION_OF_POLICY, lasting_holds(tx, admission))?;
    if needs_place(admission) { put_place(tx, entry, admission) } else { Ok(()) }
}

/// The holds whose time is not over.
fn lasting_holds<'a>(tx: &Tx<'_>, admission: &'a Admission) -> impl Iterator<Item = &'a Hold> + use<'a> {
    let now = tx.now;
    admission.holds.iter().filter(move |hold| hold.until.is_none_or(|until| until > now))
}

fn needs_place(admission: &Admission) -> bool {
    admission.place.is_some() || admission.due_at.is_some()
}

fn put_place(tx: &Tx<'_>, entry: EntryId, admission: &Admission) -> TxResult<()> {
    let place = admission.place.as_ref();
    let terms = place.map_or(&[][..], |place| &place.terms);
    let params = named_params! {
        ":entry": entry.0,
        ":lane": place.map(|place| place.lane.0),
        ":rank_key": place.map(|place| place.rank_key.as_bytes()),
        ":score": place.and_then(|place| place.score_thousandths),
        ":terms": json_of(&terms)?,
        ":due_at": millis(admission.due_at),
    };
    tx.send(sql::PLACE_PUT, params)
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

/// Makes an entry wait again that was over; its place may be out of date, so it is due at once.
pub(super) fn wait_again(tx: &Tx<'_>, entry: &KnownEntry) -> TxResult<EntryState> {
    supplement::make_due(tx, entry.id)?;
    forget_arrival(tx, entry.id)?;
    let state = readiness::settle(tx, entry.id, entry.depends)?;
    readiness::tell_dependants_if_changed(tx, entry, state, entry.closed)?;
    Ok(state)
}

/// The next arrival of an entry is compared with nothing.
pub(super) fn forget_arrival(tx: &Tx<'_>, entry: EntryId) -> TxResult<()> {
    tx.send(sql::ENTRY_FORGET_ARRIVAL, named_params! { ":id": entry.0 })
}

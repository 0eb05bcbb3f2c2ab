//! Whether an entry that waits may run, and who else that concerns.
//!
//! An entry that waits is ready when it has a place and no hold; then it has a row in the ready index. Everything that adds or
//! lifts a hold ends in [`settle`], so that state, holds and index never disagree.
//!
//! Only satisfaction travels to dependants, not every change: a dependency is done, closed, opened again, seen or gone.

use rusqlite::named_params;
use tollgate_core::{
    EntryId,
    entry::{DependencyRule, EntryName, EntryState, HoldKind},
};

use super::{
    entry::KnownEntry,
    sql,
    tx::{Columns, Tx, TxResult},
};

/// Where people read the person's word: first.
const POSITION_OF_PERSON: i64 = 0;

/// Where the policy's reasons begin.
pub(super) const POSITION_OF_POLICY: i64 = 1;

/// Where reasons about dependencies begin: after all others.
const POSITION_OF_DEPENDENCIES: i64 = 1_000_000;

/// A reason to write down.
pub(super) struct NewHold<'h> {
    pub(super) position: i64,
    pub(super) kind: HoldKind,
    pub(super) subject: &'h str,
    pub(super) reason: Option<&'h str>,
    pub(super) until_at: Option<i64>,
    pub(super) link_position: Option<i64>,
}

/// Decides anew about an entry that waits: its dependency holds, its state and its row in the ready index.
pub(super) fn settle(tx: &Tx<'_>, entry: EntryId, rule: DependencyRule) -> TxResult<EntryState> {
    hold_for_dependencies(tx, entry, rule)?;
    let by_entry = named_params! { ":entry": entry.0 };
    let place = tx.one(sql::PLACE_GET, by_entry, |row| {
        Ok((row.plain::<i64>("lane_id")?, row.plain::<Vec<u8>>("rank_key")?))
    })?;
    let held_for = first_hold(tx, entry)?;
    match (held_for, place) {
        (None, Some((lane, rank_key))) => {
            let params = named_params! { ":entry": entry.0, ":lane": lane, ":rank_key": rank_key };
            tx.run(sql::READY_DELETE_OTHER_PLACE, params)?;
            let run = None::<i64>;
            let params =
                named_params! { ":lane": lane, ":rank_key": rank_key, ":entry": entry.0, ":run": run };
            tx.run(sql::READY_INSERT, params)?;
            set_state(tx, entry, EntryState::Ready, None)?;
            Ok(EntryState::Ready)
        }
        (held_for, _) => {
            tx.run(sql::READY_DELETE_ENTRY, by_entry)?;
            let held_for = match held_for {
                Some(kind) => kind,
                None => hold_for_want_of_place(tx, entry)?,
            };
            set_state(tx, entry, EntryState::Held, Some(held_for))?;
            Ok(EntryState::Held)
        }
    }
}

/// Takes an entry out of those that wait.
pub(super) fn rest(tx: &Tx<'_>, entry: EntryId, state: EntryState) -> TxResult<()> {
    tx.run(sql::READY_DELETE_ENTRY, named_params! { ":entry": entry.0 })?;
    tx.run(sql::HOLD_DELETE_OF_DEPENDENCIES, named_params! { ":entry": entry.0 })?;
    tx.run(sql::PLACE_SET_DUE, named_params! { ":entry": entry.0, ":due_at": None::<i64> })?;
    set_state(tx, entry, state, None)
}

/// Sets the state, and for a held entry the kind of its first hold.
pub(super) fn set_state(
    tx: &Tx<'_>,
    entry: EntryId,
    state: EntryState,
    held_for: Option<HoldKind>,
) -> TxResult<()> {
    let held_for = held_for.map(HoldKind::as_str);
    let params = named_params! { ":id": entry.0, ":state": state.as_str(), ":held_for": held_for };
    tx.run(sql::ENTRY_SET_STATE, params)?;
    Ok(())
}

/// Holds an entry by a person's word.
pub(super) fn hold_for_person(tx: &Tx<'_>, entry: EntryId, reason: &str) -> TxResult<()> {
    tx.run(sql::HOLD_DELETE_OF_PERSON, named_params! { ":entry": entry.0 })?;
    let hold = NewHold {
        position: POSITION_OF_PERSON,
        kind: HoldKind::Person,
        subject: "",
        reason: Some(reason),
        until_at: None,
        link_position: None,
    };
    insert_hold(tx, entry, &hold)
}

/// Writes a reason down.
pub(super) fn insert_hold(tx: &Tx<'_>, entry: EntryId, hold: &NewHold<'_>) -> TxResult<()> {
    let params = named_params! {
        ":entry": entry.0,
        ":position": hold.position,
        ":kind": hold.kind.as_str(),
        ":subject": hold.subject,
        ":reason": hold.reason,
        ":until_at": hold.until_at,
        ":link_position": hold.link_position,
    };
    tx.run(sql::HOLD_INSERT, params)?;
    Ok(())
}

/// Decides anew about those that wait for an entry, when what they wait for may have come or gone.
pub(super) fn tell_dependants_if_changed(
    tx: &Tx<'_>,
    before: &KnownEntry,
    state: EntryState,
    closed: bool,
) -> TxResult<()> {
    let satisfies = |state: EntryState, closed: bool| {
        [DependencyRule::Either, DependencyRule::Tracker, DependencyRule::Run]
            .map(|rule| rule.is_satisfied(state, closed))
    };
    if satisfies(before.state, before.closed) == satisfies(state, closed) {
        return Ok(());
    }
    tell_dependants(tx, &before.name)
}

/// Decides anew about those that wait for an entry.
pub(super) fn tell_dependants(tx: &Tx<'_>, name: &EntryName) -> TxResult<()> {
    let params = named_params! { ":tracker": name.tracker, ":key": name.key };
    for dependant in tx.all(sql::ENTRY_LIST_DEPENDANTS, params, |row| row.entry_id("id"))? {
        let dependant = KnownEntry::get(tx, dependant)?;
        settle(tx, dependant.id, dependant.depends)?;
    }
    Ok(())
}

fn hold_for_dependencies(tx: &Tx<'_>, entry: EntryId, rule: DependencyRule) -> TxResult<()> {
    let by_entry = named_params! { ":entry": entry.0 };
    tx.run(sql::HOLD_DELETE_OF_DEPENDENCIES, by_entry)?;
    let dependencies = tx.all(sql::LINK_LIST_DEPENDENCIES, by_entry, |row| {
        let target = row.word_or_none::<EntryState>("state")?;
        let closed = row.plain::<Option<bool>>("closed")?.unwrap_or_default();
        Ok((row.plain::<i64>("position")?, row.plain::<String>("key")?, target, closed))
    })?;
    for (position, key, target, closed) in dependencies {
        let kind = match target {
            None => HoldKind::DependencyUnknown,
            Some(state) if rule.is_satisfied(state, closed) => continue,
            Some(_) => HoldKind::Dependency,
        };
        let hold = NewHold {
            position: POSITION_OF_DEPENDENCIES + position,
            kind,
            subject: &key,
            reason: None,
            until_at: None,
            link_position: Some(position),
        };
        insert_hold(tx, entry, &hold)?;
    }
    Ok(())
}

fn first_hold(tx: &Tx<'_>, entry: EntryId) -> TxResult<Option<HoldKind>> {
    tx.one(sql::HOLD_GET_FIRST, named_params! { ":entry": entry.0 }, |row| row.word("kind"))
}

/// The policy said neither where the entry waits nor why it does not; that is a reason of its own.
fn hold_for_want_of_place(tx: &Tx<'_>, entry: EntryId) -> TxResult<HoldKind> {
    let kind = HoldKind::NoPipeline;
    let hold = NewHold {
        position: POSITION_OF_POLICY,
        kind,
        subject: "",
        reason: Some("the policy gives it no place in any pipeline"),
        until_at: None,
        link_position: None,
    };
    insert_hold(tx, entry, &hold)?;
    Ok(kind)
}

//! Whether an entry that waits may run, and who else that concerns.
//!
//! An entry that waits is ready when it has a place and no hold; then it has a row in the ready index. One that waits to be
//! refined is held for that before all else, and has a place and a row as well: among those that do. Everything that adds or lifts
//! a hold ends in [`settle`], so that state, holds and index never disagree.
//!
//! Only what matters to dependants travels to them, not every change: a dependency is done, closed, opened again, seen, gone, or
//! of another backlog.

use tollgate_core::{
    EntryId,
    entry::{DependencyRule, EntryName, EntryState, Hold, HoldKind, LinkKind},
};

use super::{
    children,
    dependency::{self, Target},
    entry::KnownEntry,
    sql,
    tx::{Row, Tx, TxResult, millis, named_params},
};
use crate::port::PlaceInLane;

/// Where people read the person's word: first.
const POSITION_OF_PERSON: i64 = 0;

/// Where it stands that none of the policy's reasons counts any more: before these.
const POSITION_OF_JUDGING: i64 = 1;

/// Where the policy's reasons begin.
pub(super) const POSITION_OF_POLICY: i64 = 2;

/// Where reasons about dependencies begin: after all others.
const POSITION_OF_DEPENDENCIES: i64 = 1_000_000;

/// What people read of [`HoldKind::Unjudged`].
const UNJUDGED: &str = "something became known of it, or another policy was applied, since it was judged; it is judged again first";

/// A reason to write down.
pub(super) struct NewHold<'h> {
    pub(super) position: i64,
    pub(super) kind: HoldKind,
    pub(super) subject: &'h str,
    pub(super) reason: Option<&'h str>,
    pub(super) until_at: Option<i64>,
    /// For a dependency: the link, and the entry that it leads to where that is known.
    pub(super) dependency: Option<(i64, Option<EntryId>)>,
}

/// An entry that was made by this transaction, and its row and holds by the policy's reasons alone.
pub(super) struct NewEntry<'e> {
    pub(super) id: EntryId,
    /// The first of the policy's reasons.
    pub(super) held_for: Option<HoldKind>,
    pub(super) place: Option<&'e PlaceInLane>,
    pub(super) has_links: bool,
    pub(super) rule: DependencyRule,
}

/// Where an entry waits, as the store has it.
struct Place {
    lane: i64,
    rank_key: Vec<u8>,
    /// The key before it was scored again the last time.
    former_key: Option<Vec<u8>>,
}

/// Decides anew about an entry that waits: its dependency holds, its state and its row in the ready index.
pub(super) fn settle(tx: &Tx<'_>, entry: EntryId, rule: DependencyRule) -> TxResult<EntryState> {
    let by_entry = named_params! { ":entry": entry.0 };
    tx.send(sql::HOLD_DELETE_OF_DEPENDENCIES, by_entry)?;
    hold_for_dependencies(tx, entry, rule)?;
    let place = tx.one(sql::PLACE_GET, by_entry, Place::read)?.flatten();
    let held_for = first_hold(tx, entry)?;
    match (held_for, place) {
        (held_for, Some(place)) if held_for.is_none() || is_to_be_refined(tx, entry, held_for)? => {
            if !place.is_displaced(tx, entry)? {
                enter_index(tx, entry, place.lane, &place.rank_key)?;
            }
            let state = if held_for.is_some() { EntryState::Held } else { EntryState::Ready };
            set_state(tx, entry, state, held_for)?;
            Ok(state)
        }
        (held_for, _) => {
            tx.send(sql::READY_DELETE_ENTRY, by_entry)?;
            let held_for = match held_for {
                Some(kind) => kind,
                None => hold_for_want_of_place(tx, entry)?,
            };
            set_state(tx, entry, EntryState::Held, Some(held_for))?;
            Ok(EntryState::Held)
        }
    }
}

/// Decides about an entry that was just made. There is nothing of it from before, so nothing is looked for.
pub(super) fn settle_new(tx: &Tx<'_>, new: &NewEntry<'_>) -> TxResult<EntryState> {
    let dependency = match new.has_links {
        true => hold_for_dependencies(tx, new.id, new.rule)?,
        false => None,
    };
    match (new.held_for, dependency, new.place) {
        (None, None, Some(place)) => {
            enter_index(tx, new.id, place.lane.0, place.rank_key.as_bytes())?;
            Ok(EntryState::Ready)
        }
        (None, None, None) => {
            let held_for = hold_for_want_of_place(tx, new.id)?;
            set_state(tx, new.id, EntryState::Held, Some(held_for))?;
            Ok(EntryState::Held)
        }
        (None, dependency @ Some(_), _) => {
            set_state(tx, new.id, EntryState::Held, dependency)?;
            Ok(EntryState::Held)
        }
        (held_for, _, Some(place)) if is_to_be_refined(tx, new.id, held_for)? => {
            enter_index(tx, new.id, place.lane.0, place.rank_key.as_bytes())?;
            Ok(EntryState::Held)
        }
        (Some(_), _, _) => Ok(EntryState::Held),
    }
}

impl Place {
    /// None where there is no lane.
    fn read(row: &Row<'_>) -> TxResult<Option<Self>> {
        let (lane, rank_key) =
            (row.plain::<Option<i64>>("lane_id")?, row.plain::<Option<Vec<u8>>>("rank_key")?);
        let former_key = row.plain("former_key")?;
        Ok(lane.zip(rank_key).map(|(lane, rank_key)| Self { lane, rank_key, former_key }))
    }

    /// Whether its entry stands where it did before it was scored again. Whoever did that puts it in order, and nobody else needs to.
    fn is_displaced(&self, tx: &Tx<'_>, entry: EntryId) -> TxResult<bool> {
        let Some(former_key) = &self.former_key else { return Ok(false) };
        let params = named_params! { ":lane": self.lane, ":rank_key": former_key, ":entry": entry.0 };
        Ok(tx.one(sql::READY_STANDS, params, |_| Ok(()))?.is_some())
    }
}

/// Takes an entry out of the ready index unless it stands where it is going to be; its place still says where that may be.
pub(super) fn leave_other_places(tx: &Tx<'_>, entry: EntryId, place: Option<&PlaceInLane>) -> TxResult<()> {
    let params = named_params! {
        ":entry": entry.0,
        ":lane": place.map(|place| place.lane.0),
        ":rank_key": place.map(|place| place.rank_key.as_bytes()),
    };
    tx.send(sql::READY_DELETE_ELSEWHERE, params)
}

/// Whether an entry waits to be refined, and nothing is in the way that a person has to lift first.
fn is_to_be_refined(tx: &Tx<'_>, entry: EntryId, held_for: Option<HoldKind>) -> TxResult<bool> {
    let by_entry = named_params! { ":entry": entry.0 };
    let waits = held_for == Some(HoldKind::NotRefined);
    Ok(waits && tx.one(sql::HOLD_KEEPS_UNREFINED, by_entry, |_| Ok(()))?.is_none())
}

fn enter_index(tx: &Tx<'_>, entry: EntryId, lane: i64, rank_key: &[u8]) -> TxResult<()> {
    let run = None::<i64>;
    let params = named_params! { ":lane": lane, ":rank_key": rank_key, ":entry": entry.0, ":run": run };
    tx.send(sql::READY_INSERT, params)
}

/// Takes an entry out of those that wait.
pub(super) fn rest(tx: &Tx<'_>, entry: EntryId, state: EntryState) -> TxResult<()> {
    tx.send(sql::READY_DELETE_ENTRY, named_params! { ":entry": entry.0 })?;
    tx.send(sql::HOLD_DELETE_OF_DEPENDENCIES, named_params! { ":entry": entry.0 })?;
    tx.send(sql::PLACE_SET_DUE, named_params! { ":entry": entry.0, ":due_at": None::<i64> })?;
    set_state(tx, entry, state, None)?;
    children::tell(tx, entry, state)
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
    tx.send(sql::ENTRY_SET_STATE, params)
}

/// Holds an entry by a person's word.
pub(super) fn hold_for_person(tx: &Tx<'_>, entry: EntryId, reason: &str) -> TxResult<()> {
    tx.send(sql::HOLD_DELETE_OF_PERSON, named_params! { ":entry": entry.0 })?;
    let hold = NewHold {
        position: POSITION_OF_PERSON,
        kind: HoldKind::Person,
        subject: "",
        reason: Some(reason),
        until_at: None,
        dependency: None,
    };
    insert_hold(tx, entry, &hold)
}

/// Holds an entry until it is judged by all that is known of it: nothing that was judged before counts, whenever it waits.
pub(super) fn hold_unjudged(tx: &Tx<'_>, entry: EntryId) -> TxResult<()> {
    let params = named_params! {
        ":entry": entry.0,
        ":position": POSITION_OF_JUDGING,
        ":kind": HoldKind::Unjudged.as_str(),
        ":reason": UNJUDGED,
        ":now": tx.now.as_millis(),
    };
    tx.send(sql::HOLD_KEEP, params)
}

/// Takes an entry that waits out of the ready index for the sake of a hold.
pub(super) fn keep_out(tx: &Tx<'_>, entry: EntryId) -> TxResult<()> {
    tx.send(sql::READY_DELETE_ENTRY, named_params! { ":entry": entry.0 })?;
    set_state(tx, entry, EntryState::Held, first_hold(tx, entry)?)
}

/// Writes reasons down, in their order, from this position on.
pub(super) fn insert_holds<'h>(
    tx: &Tx<'_>,
    entry: EntryId,
    first: i64,
    holds: impl IntoIterator<Item = &'h Hold>,
) -> TxResult<()> {
    for (position, hold) in (first..).zip(holds) {
        let hold = NewHold {
            position,
            kind: hold.kind,
            subject: &hold.subject,
            reason: Some(&hold.reason),
            until_at: millis(hold.until),
            dependency: None,
        };
        insert_hold(tx, entry, &hold)?;
    }
    Ok(())
}

/// Writes a reason down.
pub(super) fn insert_hold(tx: &Tx<'_>, entry: EntryId, hold: &NewHold<'_>) -> TxResult<()> {
    let (link, target) = hold.dependency.unzip();
    let params = named_params! {
        ":entry": entry.0,
        ":position": hold.position,
        ":kind": hold.kind.as_str(),
        ":subject": hold.subject,
        ":reason": hold.reason,
        ":until_at": hold.until_at,
        ":now": tx.now.as_millis(),
        ":link_position": link,
        ":target": target.flatten().map(|target| target.0),
    };
    tx.send(sql::HOLD_INSERT, params)
}

/// Decides anew about those that wait for an entry, when what they wait for may have come or gone.
pub(super) fn tell_dependants_if_changed(
    tx: &Tx<'_>,
    before: &KnownEntry,
    state: EntryState,
    closed: bool,
) -> TxResult<()> {
    if before.state.is_over() && !state.is_over() {
        children::tell_in_any_case(tx, before.id)?;
    }
    if !matters(before, state, closed) {
        return Ok(());
    }
    tell_dependants(tx, &before.name, &before.backlog)
}

/// Says that [`tell_dependants_if_changed`] is going to be asked for.
pub(super) fn foresee_telling_dependants(
    tx: &Tx<'_>,
    before: &KnownEntry,
    state: EntryState,
    closed: bool,
) -> TxResult<()> {
    if !matters(before, state, closed) {
        return Ok(());
    }
    let KnownEntry { name, backlog, .. } = before;
    let params = named_params! { ":tracker": name.tracker, ":key": name.key, ":backlog": backlog };
    tx.foresee(sql::ENTRY_LIST_DEPENDANTS, params)
}

/// Whether those that wait for an entry have to know that it changed so.
fn matters(before: &KnownEntry, state: EntryState, closed: bool) -> bool {
    let means = |state: EntryState, closed: bool| {
        let satisfies = [DependencyRule::Either, DependencyRule::Tracker, DependencyRule::Run]
            .map(|rule| rule.is_satisfied(state, closed));
        (satisfies, state == EntryState::Gone)
    };
    means(before.state, before.closed) != means(state, closed)
}

/// Decides anew about those that wait for an entry of this backlog, or that might.
pub(super) fn tell_dependants(tx: &Tx<'_>, name: &EntryName, backlog: &str) -> TxResult<()> {
    let params = named_params! { ":tracker": name.tracker, ":key": name.key, ":backlog": backlog };
    let dependants = tx.all(sql::ENTRY_LIST_DEPENDANTS, params, |row| row.entry_id("id"))?;
    if !dependants.is_empty() {
        tx.require_alone()?;
    }
    for dependant in dependants {
        let dependant = KnownEntry::get(tx, dependant)?;
        settle(tx, dependant.id, dependant.depends)?;
    }
    Ok(())
}

/// Writes down what an entry waits for; the kind of the first of these reasons.
fn hold_for_dependencies(tx: &Tx<'_>, entry: EntryId, rule: DependencyRule) -> TxResult<Option<HoldKind>> {
    let mut first = None;
    for lead in dependency::leads_of_who_waits(tx, entry)? {
        if lead.link.kind != LinkKind::DependsOn || satisfies(&lead.target, entry, rule) {
            continue;
        }
        let key = lead.link.to.key.as_str();
        let (kind, target, reason) = match &lead.target {
            Target::Unknown => (HoldKind::DependencyUnknown, None, None),
            Target::Known(target) => (HoldKind::Dependency, Some(target.id), None),
            Target::Ambiguous { trackers } => {
                (HoldKind::DependencyUnknown, None, Some(sentence_about_several(key, trackers)))
            }
        };
        let hold = NewHold {
            position: POSITION_OF_DEPENDENCIES + lead.position,
            kind,
            subject: key,
            reason: reason.as_deref(),
            until_at: None,
            dependency: Some((lead.position, target)),
        };
        insert_hold(tx, entry, &hold)?;
        first.get_or_insert(kind);
    }
    Ok(first)
}

/// Whether one who depends on a target may go on. An entry that waits again is not what it was, for itself either.
fn satisfies(target: &Target, dependant: EntryId, rule: DependencyRule) -> bool {
    match target {
        Target::Known(itself) if itself.id == dependant => rule.is_satisfied(EntryState::Held, itself.closed),
        target => target.satisfies(rule),
    }
}

fn sentence_about_several(key: &str, trackers: &[String]) -> String {
    let example = trackers.first().map(String::as_str).unwrap_or_default();
    format!(
        "depends on {key}, and several sources of the backlog have an entry of that key: {}; name the one that is \
         meant, e.g. `{example}#{key}`",
        trackers.join(", ")
    )
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
        dependency: None,
    };
    insert_hold(tx, entry, &hold)?;
    Ok(kind)
}

//! Entries that live in the store alone: who opened them, and how far that is from an entry that nobody opened.
//!
//! Properties wanted: of one fingerprint there is one entry in a backlog, however often it is opened; entries that wait for each
//! other in a circle are not made; and a chain of openings ends.

use std::collections::BTreeSet;

use tollgate_core::{
    EntryId, RunId,
    entry::{EntryName, Link, LinkKind},
};

use super::{
    cancel, children,
    dependency::{self, Target},
    entry::KnownEntry,
    family, guard,
    intake::{self, receive},
    live_run::LiveRun,
    policy,
    similar::Compared,
    sql,
    tx::{Failure, Tx, TxResult, named_params},
};
use crate::{
    StoreError,
    port::{Arrival, Child, Opened, OpenedHow, Opener, Opening},
};

/// What the links say of who set them.
const SOURCE: &str = "effect:open-entry";

/// No reconcile has this number.
const NO_RECONCILE: i64 = 0;

/// Where an entry comes from that a run opens.
struct Origin {
    run: LiveRun,
    parent: KnownEntry,
    /// The entry that no run opened, from which openings lead here.
    first: EntryId,
    depth: u32,
}

/// Opens an entry, unless one of its fingerprint is there.
pub(super) fn open(tx: &Tx<'_>, opening: &Opening, compared: &Compared) -> TxResult<Opened> {
    intake::require_lanes(tx, std::iter::once(&opening.arrival.admission))?;
    match find(tx, &opening.arrival.backlog, &opening.fingerprint)? {
        Some(id) => open_again(tx, opening, KnownEntry::get(tx, id)?),
        None => create(tx, opening, compared),
    }
}

/// The entries that runs of an entry opened, in the order in which they did.
pub(super) fn children(tx: &Tx<'_>, entry: EntryId) -> TxResult<Vec<Child>> {
    tx.all(sql::OPENED_LIST_CHILDREN, named_params! { ":entry": entry.0 }, |row| {
        Ok(Child {
            name: EntryName { tracker: row.plain("tracker")?, key: row.plain("key")? },
            state: row.word("state")?,
            opened_by: row.parsed("run")?,
        })
    })
}

fn find(tx: &Tx<'_>, backlog: &str, fingerprint: &str) -> TxResult<Option<EntryId>> {
    let params = named_params! { ":backlog": backlog, ":fingerprint": fingerprint };
    tx.one(sql::OPENED_GET_BY_FINGERPRINT, params, |row| row.entry_id("entry_id"))
}

fn create(tx: &Tx<'_>, opening: &Opening, compared: &Compared) -> TxResult<Opened> {
    let name = &opening.arrival.snapshot.name;
    if let Some(other) = KnownEntry::find(tx, name)? {
        return Err(refused(format!(
            "{name} is there already, in the backlog `{}` and for something else; use another key",
            other.backlog
        )));
    }
    let origin = match opening.opener {
        Opener::Person => None,
        Opener::Run { run, depth_max } => Some(origin(tx, run, depth_max)?),
    };
    let mut arrival = opening.arrival.clone();
    arrival.links.extend(origin.as_ref().map(|origin| child_of(&origin.parent)));
    let mut guarded = guard::holds(tx, &arrival, true)?;
    if let Some(origin) = &origin {
        guarded.extend(guard::of_origin(tx, &arrival, origin.first)?);
    }
    let received = receive(&arrival, policy::version(tx)?)?;
    let change = intake::create(tx, &received, guarded, compared)?;
    if let Some(circle) = circle(tx, change.id, &arrival)? {
        return Err(refused(format!("it would wait for itself: {}", circle.join(" → "))));
    }
    let params = named_params! {
        ":entry": change.id.0,
        ":backlog": arrival.backlog,
        ":fingerprint": opening.fingerprint,
        ":parent": origin.as_ref().map(|origin| origin.parent.id.0),
        ":run": origin.as_ref().map(|origin| origin.run.seq),
        ":origin": origin.as_ref().map(|origin| origin.first.0),
        ":depth": origin.as_ref().map_or(0, |origin| origin.depth),
    };
    tx.send(sql::OPENED_INSERT, params)?;
    if let Some(origin) = &origin {
        children::note(tx, &origin.run, change.id)?;
    }
    Ok(Opened { id: change.id, name: name.clone(), state: change.state, how: OpenedHow::Created })
}

/// What a run asks for that is there stays as it is; a person may say something else of it.
fn open_again(tx: &Tx<'_>, opening: &Opening, entry: KnownEntry) -> TxResult<Opened> {
    let found = Opened { id: entry.id, name: entry.name.clone(), state: entry.state, how: OpenedHow::Found };
    let wanted = &opening.arrival.snapshot.name;
    if let Opener::Run { run, .. } = opening.opener {
        note_if_child(tx, run, entry.id)?;
        return Ok(Opened { state: KnownEntry::get(tx, entry.id)?.state, ..found });
    }
    if entry.name != *wanted {
        return Err(refused(format!(
            "{} has the fingerprint `{}` already; leave the key `{}` out, or give another fingerprint",
            entry.name, opening.fingerprint, wanted.key
        )));
    }
    let mut arrival = opening.arrival.clone();
    let openers = dependency::leads(tx, entry.id)?.into_iter().map(|lead| lead.link);
    arrival.links.extend(openers.filter(|link| link.kind == LinkKind::ChildOf));
    let received = receive(&arrival, policy::version(tx)?)?;
    if entry.arrival == Some(received.digest()) {
        return Ok(found);
    }
    let state = intake::update(tx, NO_RECONCILE, &entry, &received)?;
    if let Some(circle) = circle(tx, entry.id, &arrival)? {
        return Err(refused(format!("it would wait for itself: {}", circle.join(" → "))));
    }
    Ok(Opened { state, how: OpenedHow::Revised, ..found })
}

/// An entry that a run found counts as opened by it where an earlier run of its entry had opened it. What others opened is theirs: so no
/// two runs ever wait for each other's entries.
fn note_if_child(tx: &Tx<'_>, run: RunId, entry: EntryId) -> TxResult<()> {
    let run = opener(tx, run)?;
    let params = named_params! { ":entry": entry.0 };
    let parent = tx.one(sql::OPENED_GET, params, |row| row.plain::<Option<i64>>("parent_id"))?.flatten();
    if parent != Some(run.entry.0) {
        return Ok(());
    }
    children::note(tx, &run, entry)?;
    family::pay_again(tx, entry)
}

fn opener(tx: &Tx<'_>, run: RunId) -> TxResult<LiveRun> {
    let found = LiveRun::find(tx, run)?;
    let found = found.ok_or_else(|| StoreError::NotFound { what: "run", name: run.to_string() })?;
    match cancel::asked(tx, found.seq)? {
        Some(cancelled) => Err(refused(format!("the run that asks for it opens nothing more: {cancelled}"))),
        None => Ok(found),
    }
}

fn origin(tx: &Tx<'_>, run: RunId, depth_max: u32) -> TxResult<Origin> {
    let run = opener(tx, run)?;
    let parent = KnownEntry::get(tx, run.entry)?;
    let above = tx.one(sql::OPENED_GET, named_params! { ":entry": parent.id.0 }, |row| {
        let first = row.plain::<Option<i64>>("origin_id")?.map_or(parent.id, EntryId);
        Ok((row.small_count("depth")?, first))
    })?;
    let (above, first) = above.unwrap_or((0, parent.id));
    let depth = above + 1;
    if depth > depth_max {
        return Err(refused(format!(
            "{} was opened by a run itself, and so on {} deep; entries open others {depth_max} deep at most \
             (`depth` under `intake` of the backlog)",
            parent.name.key,
            depth - 1
        )));
    }
    Ok(Origin { run, parent, first, depth })
}

fn child_of(parent: &KnownEntry) -> Link {
    Link { kind: LinkKind::ChildOf, to: parent.name.clone(), written: None, source: SOURCE.to_owned() }
}

/// The keys on the way from an entry back to itself, by what waits for what.
fn circle(tx: &Tx<'_>, entry: EntryId, arrival: &Arrival) -> TxResult<Option<Vec<String>>> {
    if !arrival.links.iter().any(|link| link.kind == LinkKind::DependsOn) {
        return Ok(None);
    }
    let mut seen = BTreeSet::from([entry]);
    let mut ways = vec![(entry, vec![arrival.snapshot.name.key.clone()])];
    while let Some((at, way)) = ways.pop() {
        for lead in dependency::leads(tx, at)? {
            let Target::Known(target) = lead.target else { continue };
            if lead.link.kind != LinkKind::DependsOn {
                continue;
            }
            let way: Vec<String> = way.iter().cloned().chain([lead.link.to.key]).collect();
            if target.id == entry {
                return Ok(Some(way));
            }
            if seen.insert(target.id) {
                ways.push((target.id, way));
            }
        }
    }
    Ok(None)
}

fn refused(reason: String) -> Failure {
    StoreError::Conflict(reason).into()
}

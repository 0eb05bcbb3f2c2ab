//! Gives entries that were judged again new places.
//!
//! Properties wanted:
//!
//! 1. A whole backlog is scored again at the speed at which its pages can be written, and nobody waits for it meanwhile.
//! 2. Whoever is killed loses nothing: every entry that waits stands in the ready index once, wherever that is, and in the end at
//!    its place.
//! 3. One entry, or some, are moved by one transaction, with nothing left to do.
//!
//! Nearly all entries of a backlog only move within their lanes. They are judged in the order of their numbers, in which places are kept;
//! to move each in the ready index at once writes a page for each of them, since that is in the order of the keys. So it is done in two
//! parts. First places are changed, many by one statement ([`rescore`]); a place remembers the key before, where the entry still stands. When
//! all are judged, those that are displaced are put in order ([`put_in_order`]), in the order in which the database keeps them
//! ([`KeptBy`](crate::port::KeptBy)): where that is the order of numbers, the index that says where they stand is written all over
//! either way, and is small enough to be kept in memory. Whoever takes an entry out of the
//! index in between looks for it under both keys, and a claim takes what stands first, as it always does.
//!
//! Who is at it has a row in `rescoring` from before the first place is changed until the last entry is in order. When its lease
//! lapsed, somebody else finds the displaced entries by their places, and puts them in order. That takes nobody to keep away: an entry that
//! stands at its former key belongs to its present one, whoever finds it.
//!
//! What else may have changed of an entry is decided as for one that arrives.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use tollgate_core::{EntryId, LaneId, rank::RankKey};

use super::{
    entry::KnownEntry,
    intake::{self, forget_arrival},
    policy, readiness, sql, supplement,
    tx::{Failure, Tx, TxResult, json_of, millis, named_params},
};
use crate::port::{Displaced, Rejudged, Rescoring};

/// Entries are scored again for no longer than this at once where somebody came by lately: what is changed has to be committed before
/// anybody else is served.
pub(super) const SLICE_MIN: Duration = Duration::from_millis(1);

/// And for no longer than this where nobody did.
pub(super) const SLICE_MAX: Duration = Duration::from_millis(256);

/// How long nothing is done after somebody waited.
const REST: Duration = Duration::from_millis(8);

/// Entries that one statement is about. Nobody is given way to within them.
const STEP: usize = 64;

/// A host that scores entries again, or puts them in order, says so every time it writes. Whoever is silent for so long is not there.
const LEASE: Duration = Duration::from_secs(30);

/// What is done with entries that move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// They stand at their new places when the transaction ends.
    AtOnce,
    /// They stand where they do, until the holder of this puts them in order.
    Later(Rescoring),
}

/// How far one transaction came.
#[derive(Default)]
pub(super) struct Slice {
    /// How many entries have new places.
    pub(super) entries: u64,
    /// Those that do not stand there yet.
    pub(super) displaced: Vec<Displaced>,
    /// The item to go on with.
    pub(super) next: usize,
    /// Whether it ended because somebody waited.
    pub(super) gave_way: bool,
}

/// A new place, as `place_move.sql` has it.
type Moved = (i64, i64, String, Option<i64>, String, Option<i64>, i64, Option<String>);

/// How long the next transaction may take, after one that gave way or did not.
pub(super) fn next_slice(slice: Duration, gave_way: bool) -> Duration {
    if gave_way { SLICE_MIN } else { (slice * 2).min(SLICE_MAX) }
}

/// Leaves the writer, and the disk, to who waited for it: what is moved out of the log all the time keeps everybody waiting.
pub(super) async fn rest(gave_way: bool) {
    if gave_way {
        tokio::time::sleep(REST).await;
    }
}

/// Notes that entries are going to be scored again, and put in order afterwards.
pub(super) fn begin(tx: &Tx<'_>) -> TxResult<Rescoring> {
    let params =
        named_params! { ":now": tx.now.as_millis(), ":lease_until": tx.now.after(LEASE).as_millis() };
    let id = tx.one(sql::RESCORING_BEGIN, params, |row| row.plain("id"))?;
    id.map(Rescoring).ok_or_else(|| Failure::damaged("it counts no rescoring"))
}

/// Notes that all who were displaced are in order.
pub(super) fn end(tx: &Tx<'_>, rescoring: Rescoring) -> TxResult<()> {
    tx.send(sql::RESCORING_END, named_params! { ":id": rescoring.0 })
}

/// Those whose hosts did not come to the end, as it seems.
pub(super) fn lapsed(tx: &Tx<'_>) -> TxResult<Vec<Rescoring>> {
    let params = named_params! { ":now": tx.now.as_millis() };
    tx.all(sql::RESCORING_LIST_LAPSED, params, |row| Ok(Rescoring(row.plain("id")?)))
}

fn renew(tx: &Tx<'_>, rescoring: Rescoring) -> TxResult<()> {
    let params = named_params! { ":id": rescoring.0, ":lease_until": tx.now.after(LEASE).as_millis() };
    tx.send(sql::RESCORING_RENEW, params)
}

/// Entries that do not stand at their places, by their numbers.
pub(super) fn displaced(tx: &Tx<'_>, after: Option<EntryId>, limit: u32) -> TxResult<Vec<Displaced>> {
    let params = named_params! { ":after": after.map(|after| after.0), ":limit": limit };
    tx.all(sql::PLACE_LIST_DISPLACED, params, |row| {
        Ok(Displaced {
            lane: LaneId(row.plain("lane_id")?),
            rank_key: RankKey::from_bytes(row.plain("rank_key")?),
            entry: row.entry_id("entry_id")?,
        })
    })
}

/// Gives waiting entries new places, from item `from` on, until somebody waits for the writer or it has taken long enough. At least
/// one item is done.
pub(super) fn rescore(
    tx: &Tx<'_>,
    items: &[Rejudged],
    from: usize,
    slice: Duration,
    order: Order,
) -> TxResult<Slice> {
    let items = items.get(from..).unwrap_or_default();
    intake::require_lanes(tx, items.iter().map(|judged| &judged.admission))?;
    if let Order::Later(rescoring) = order {
        renew(tx, rescoring)?;
    }
    let policy_version = policy::version(tx)?;
    in_steps(tx, items, from, slice, |step, done| {
        let holds = step.iter().filter(|judged| judged.policy_version >= policy_version);
        rescore_some(tx, &holds.collect::<Vec<_>>(), order, done)
    })
}

/// Puts entries where their places say, those of them that stand where they did before; as [`rescore`].
pub(super) fn put_in_order(
    tx: &Tx<'_>,
    rescoring: Rescoring,
    displaced: &[Displaced],
    from: usize,
    slice: Duration,
) -> TxResult<Slice> {
    renew(tx, rescoring)?;
    in_steps(tx, displaced.get(from..).unwrap_or_default(), from, slice, |step, _| {
        ready_move(tx, step.iter().map(|displaced| displaced.entry))
    })
}

fn in_steps<T>(
    tx: &Tx<'_>,
    items: &[T],
    from: usize,
    slice: Duration,
    mut step: impl FnMut(&[T], &mut Slice) -> TxResult<()>,
) -> TxResult<Slice> {
    let begun_at = Instant::now();
    let slice = tx.slice().unwrap_or(slice);
    let mut done = Slice { next: from, ..Slice::default() };
    for items in items.chunks(STEP) {
        step(items, &mut done)?;
        done.next += items.len();
        done.gave_way = tx.is_awaited();
        if done.gave_way || begun_at.elapsed() > slice {
            break;
        }
    }
    Ok(done)
}

fn rescore_some(tx: &Tx<'_>, items: &[&Rejudged], order: Order, done: &mut Slice) -> TxResult<()> {
    let moved: Vec<_> =
        items.iter().filter_map(|judged| moved(judged).transpose()).collect::<TxResult<_>>()?;
    let is_displaced = place_move(tx, &moved)?;
    let (moved, others): (Vec<&Rejudged>, Vec<&Rejudged>) =
        items.iter().copied().partition(|judged| is_displaced.contains_key(&judged.id));
    let displaced = moved.iter().filter(|judged| is_displaced[&judged.id]);
    match order {
        Order::AtOnce => ready_move(tx, displaced.map(|judged| judged.id))?,
        Order::Later(_) => done.displaced.extend(displaced.filter_map(|judged| displaced_by(judged))),
    }
    done.entries += moved.len() as u64;
    for judged in others {
        done.entries += u64::from(rescore_one(tx, judged)?);
    }
    Ok(())
}

/// Where an entry goes that is not held by the policy; whether it only moves is known to the store.
fn moved(judged: &Rejudged) -> TxResult<Option<Moved>> {
    let Rejudged { id, says, supplement_version, admission, .. } = judged;
    let Some(place) = admission.place.as_ref().filter(|_| admission.holds.is_empty()) else {
        return Ok(None);
    };
    Ok(Some((
        id.0,
        place.lane.0,
        hex::encode(place.rank_key.as_bytes()),
        place.score_thousandths,
        json_of(&place.terms)?,
        millis(admission.due_at),
        *supplement_version,
        says.as_ref().map(|says| hex::encode(says.revision.as_bytes())),
    )))
}

/// Which of them moved within their lanes, or stay; and whether their rows in the ready index, if they have any, stand elsewhere by
/// now.
fn place_move(tx: &Tx<'_>, moved: &[Moved]) -> TxResult<HashMap<EntryId, bool>> {
    if moved.is_empty() {
        return Ok(HashMap::new());
    }
    let params = named_params! { ":moved": json_of(&moved)? };
    let moved = tx.all(sql::PLACE_MOVE, params, |row| {
        Ok((row.entry_id("entry_id")?, row.plain::<bool>("is_displaced")?))
    })?;
    Ok(moved.into_iter().collect())
}

fn displaced_by(judged: &Rejudged) -> Option<Displaced> {
    let place = judged.admission.place.as_ref()?;
    Some(Displaced { lane: place.lane, rank_key: place.rank_key.clone(), entry: judged.id })
}

fn ready_move(tx: &Tx<'_>, entries: impl Iterator<Item = EntryId>) -> TxResult<()> {
    let entries: Vec<i64> = entries.map(|entry| entry.0).collect();
    if entries.is_empty() {
        return Ok(());
    }
    tx.send(sql::READY_MOVE, named_params! { ":entries": json_of(&entries)? })
}

/// Whether it still waits, as far as is known to whoever judged it.
fn rescore_one(tx: &Tx<'_>, judged: &Rejudged) -> TxResult<bool> {
    let Rejudged { id, says, supplement_version, admission, .. } = judged;
    let entry = KnownEntry::find_by_id(tx, *id)?;
    let Some(entry) = entry.filter(KnownEntry::waits) else { return Ok(false) };
    if supplement::get(tx, *id)?.version != *supplement_version {
        return Ok(false);
    }
    if let Some(says) = says.as_ref().filter(|says| says.revision != entry.revision) {
        intake::put_snapshot(tx, &says.snapshot, says.revision)?;
        let params = named_params! {
            ":id": id.0, ":revision": says.revision.as_bytes(), ":basis": says.basis.as_bytes(),
        };
        tx.send(sql::ENTRY_SET_REVISION, params)?;
    }
    intake::replace_admission(tx, *id, admission)?;
    // What came in last is no longer what is known: the next arrival is compared with nothing.
    forget_arrival(tx, *id)?;
    readiness::settle(tx, *id, entry.depends)?;
    Ok(true)
}

//! Gives entries that were judged again new places.
//!
//! A whole backlog is judged again at midnight, and nearly all of it only moves within its lane, or stays: that is read and written
//! for many entries by one statement each. What else may have changed of an entry is decided as for one that arrives.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use tollgate_core::{Digest, EntryId, LaneId, entry::EntryState};

use super::{
    entry::KnownEntry,
    intake::{self, forget_arrival},
    readiness, sql, supplement,
    tx::{Row, Tx, TxResult, json_of, millis, named_params},
};
use crate::port::Rejudged;

/// Entries are scored again for no longer than this at once where somebody came by lately: what is changed has to be committed before
/// anybody else is served.
pub(super) const SLICE_MIN: Duration = Duration::from_millis(1);

/// And for no longer than this where nobody did.
pub(super) const SLICE_MAX: Duration = Duration::from_millis(256);

/// Entries that one statement is about. Nobody is given way to within them.
const STEP: usize = 32;

/// How far one transaction came.
pub(super) struct Rescored {
    /// How many entries have new places.
    pub(super) entries: u64,
    /// The item to go on with.
    pub(super) next: usize,
    /// Whether it ended because somebody waited.
    pub(super) gave_way: bool,
}

/// Where an entry stands, as the store has it.
struct Standing {
    id: EntryId,
    state: EntryState,
    revision: Digest,
    has_arrival: bool,
    supplement_version: i64,
    lane: Option<LaneId>,
    rank_key: Option<Vec<u8>>,
    score_thousandths: Option<i64>,
    terms: Option<String>,
    due_at: Option<i64>,
    is_held: bool,
}

/// A new place, as `place_move.sql` and `ready_move.sql` have it.
type Moved = (i64, i64, String, String, Option<i64>, String, Option<i64>);

/// A place that stays, as `place_stay.sql` has it.
type Stayed = (i64, Option<i64>);

/// What is to be written about some entries.
#[derive(Default)]
struct Changes {
    moved: Vec<Moved>,
    stayed: Vec<Stayed>,
    arrivals: Vec<i64>,
}

/// Gives waiting entries new places, from item `from` on, until somebody waits for the writer or it has taken long enough. At least
/// one item is done.
pub(super) fn rescore(tx: &Tx<'_>, items: &[Rejudged], from: usize, slice: Duration) -> TxResult<Rescored> {
    let items = items.get(from..).unwrap_or_default();
    intake::require_lanes(tx, items.iter().map(|judged| &judged.admission))?;
    let begun_at = Instant::now();
    let slice = tx.slice().unwrap_or(slice);
    let mut rescored = Rescored { entries: 0, next: from, gave_way: false };
    for step in items.chunks(STEP) {
        rescored.entries += rescore_some(tx, step)?;
        rescored.next += step.len();
        rescored.gave_way = tx.is_awaited();
        if rescored.gave_way || begun_at.elapsed() > slice {
            break;
        }
    }
    Ok(rescored)
}

/// How many of them still wait, as far as is known to whoever judged them.
fn rescore_some(tx: &Tx<'_>, items: &[Rejudged]) -> TxResult<u64> {
    let ids: Vec<i64> = items.iter().map(|judged| judged.id.0).collect();
    let standings = tx.all(sql::RESCORE_LIST, named_params! { ":ids": json_of(&ids)? }, read_standing)?;
    let mut standings: HashMap<EntryId, Standing> =
        standings.into_iter().map(|standing| (standing.id, standing)).collect();
    let (mut changes, mut others, mut entries) = (Changes::default(), Vec::new(), 0);
    for judged in items {
        match standings.remove(&judged.id).filter(|standing| standing.only_moves(judged)) {
            Some(standing) => {
                changes.note(&standing, judged)?;
                entries += 1;
            }
            None => others.push(judged),
        }
    }
    changes.write(tx)?;
    for judged in others {
        entries += u64::from(rescore_one(tx, judged)?);
    }
    Ok(entries)
}

fn read_standing(row: &Row<'_>) -> TxResult<Standing> {
    Ok(Standing {
        id: row.entry_id("id")?,
        state: row.word("state")?,
        revision: row.digest("revision")?,
        has_arrival: row.plain("has_arrival")?,
        supplement_version: row.plain("version")?,
        lane: row.plain::<Option<i64>>("lane_id")?.map(LaneId),
        rank_key: row.plain("rank_key")?,
        score_thousandths: row.plain("score_thousandths")?,
        terms: row.plain("terms")?,
        due_at: row.plain("due_at")?,
        is_held: row.plain("is_held")?,
    })
}

impl Standing {
    /// Whether it is ready and stays so, in the same lane and saying the same.
    fn only_moves(&self, judged: &Rejudged) -> bool {
        let Rejudged { says, supplement_version, admission, .. } = judged;
        let lane = admission.place.as_ref().map(|place| place.lane);
        self.state == EntryState::Ready
            && !self.is_held
            && self.supplement_version == *supplement_version
            && says.as_ref().is_none_or(|says| says.revision == self.revision)
            && admission.holds.is_empty()
            && lane.is_some()
            && lane == self.lane
    }
}

impl Changes {
    fn note(&mut self, standing: &Standing, judged: &Rejudged) -> TxResult<()> {
        let (Some(place), Some(rank_key)) = (&judged.admission.place, &standing.rank_key) else {
            return Ok(());
        };
        let (id, due_at) = (standing.id.0, millis(judged.admission.due_at));
        let terms = json_of(&place.terms)?;
        let stays = place.rank_key.as_bytes() == rank_key
            && place.score_thousandths == standing.score_thousandths
            && standing.terms.as_ref() == Some(&terms);
        if !stays {
            let (old, new) = (hex::encode(rank_key), hex::encode(place.rank_key.as_bytes()));
            self.moved.push((id, place.lane.0, old, new, place.score_thousandths, terms, due_at));
        } else if standing.due_at != due_at {
            self.stayed.push((id, due_at));
        }
        // What came in last is no longer what is known: the next arrival is compared with nothing.
        if standing.has_arrival {
            self.arrivals.push(id);
        }
        Ok(())
    }

    fn write(&self, tx: &Tx<'_>) -> TxResult<()> {
        if !self.moved.is_empty() {
            let moved = named_params! { ":moved": json_of(&self.moved)? };
            tx.send(sql::READY_MOVE, moved)?;
            tx.send(sql::PLACE_MOVE, moved)?;
        }
        if !self.stayed.is_empty() {
            tx.send(sql::PLACE_STAY, named_params! { ":stayed": json_of(&self.stayed)? })?;
        }
        if !self.arrivals.is_empty() {
            tx.send(sql::ENTRY_FORGET_ARRIVALS, named_params! { ":ids": json_of(&self.arrivals)? })?;
        }
        Ok(())
    }
}

/// Whether it still waits, as far as is known to whoever judged it.
fn rescore_one(tx: &Tx<'_>, judged: &Rejudged) -> TxResult<bool> {
    let Rejudged { id, says, supplement_version, admission } = judged;
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

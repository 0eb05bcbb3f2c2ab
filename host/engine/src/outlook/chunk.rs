//! Judges entries as of another day, some at a time.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use tollgate_core::{
    EntryId, Timestamp,
    entry::{DependencyRule, EntryState},
    rank::RankKey,
    refine::Supplement,
};
use tollgate_policy::{Policy, Rank, Remembered, Seen};
use tollgate_store::port::{Begun, StoredItem};

use super::{Facts, Placed, asked::Kept, waits};

/// Where an entry stands: compares as the order does.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    /// Of [`Judging::lanes`].
    pub(super) lane: usize,
    pub(super) id: EntryId,
    rank: Rank,
}

impl Spot {
    fn place(&self) -> (usize, &RankKey, EntryId) {
        (self.lane, &self.rank.key, self.id)
    }
}

impl PartialEq for Spot {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for Spot {}

impl PartialOrd for Spot {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Spot {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place().cmp(&other.place())
    }
}

/// What is judged by.
pub(super) struct Judging {
    pub(super) policy: Arc<Policy>,
    /// Backlogs and pipelines that are asked about, in their order.
    pub(super) lanes: Vec<(String, String)>,
    /// For a past day: entries that work had begun on, by number.
    pub(super) begun: Vec<Begun>,
    pub(super) now: Timestamp,
    pub(super) when: Timestamp,
    /// What was found out about some chunk, for the next.
    pub(super) remembered: Mutex<Vec<Remembered>>,
}

/// A key in a backlog, by its number among those of the policy.
type KeyInBacklog = (usize, Box<str>);

/// What was found out about some entries.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// Those that could run.
    spots: Vec<Spot>,
    /// Those that could if what they depend on was done.
    depending: Vec<(Spot, Depending)>,
    /// Of a past day: what was done by then, or is closed now.
    done: HashSet<KeyInBacklog>,
    closed: HashSet<KeyInBacklog>,
    facts: Facts,
}

/// What an entry depends on, and what satisfies that.
#[derive(Debug)]
struct Depending {
    rule: DependencyRule,
    on: Vec<KeyInBacklog>,
}

impl Judging {
    /// Judges some entries.
    pub(super) fn judge(&self, items: &[StoredItem]) -> Chunk {
        let mut remembered = self.remembered().pop().unwrap_or_default();
        let mut chunk = Chunk::default();
        for item in items {
            self.judge_one(item, &mut remembered, &mut chunk);
        }
        self.remembered().push(remembered);
        chunk
    }

    /// An entry in the order of a day.
    pub(super) fn placed(&self, spot: Spot, position: u64) -> Placed {
        let (backlog, pipeline) = self.lanes[spot.lane].clone();
        Placed { id: spot.id, backlog, pipeline, position, rank: spot.rank }
    }

    /// Where an entry stands, if policy has nothing against it.
    pub(super) fn spot(&self, item: &StoredItem, remembered: &mut Remembered) -> Option<Spot> {
        if !self.lanes.iter().any(|(of, _)| *of == item.backlog) {
            return None;
        }
        let backlog = self.policy.backlog(&item.backlog)?;
        let seen = Seen { first: item.first_seen_at, now: self.when };
        let (pipeline, rank) = backlog.place_one_of_many(&item.item, &item.supplement, seen, remembered)?;
        let named = |(of, by): &(String, String)| (of, by) == (&backlog.name, &pipeline);
        Some(Spot { lane: self.lanes.iter().position(named)?, id: item.id, rank })
    }

    fn judge_one(&self, item: &StoredItem, remembered: &mut Remembered, chunk: &mut Chunk) {
        chunk.facts.is_supplemented |= item.supplement != Supplement::default();
        if self.when >= self.now {
            if waits(item.state) && !item.is_held_by_others {
                chunk.spots.extend(self.spot(item, remembered));
            }
            return;
        }
        let written = item.item.created_at;
        let was_written = written.is_some_and(|written| written <= self.when);
        chunk.facts.unseen += usize::from(item.first_seen_at > self.when && was_written);
        let begun = self.begun.binary_search_by_key(&item.id, |begun| begun.entry).ok();
        let begun = begun.map(|at| self.begun[at]);
        let Some(number) = self.policy.backlogs.keys().position(|name| *name == item.backlog) else { return };
        let key = |key: &str| (number, Box::from(key));
        if item.item.closed {
            chunk.closed.insert(key(&item.item.name.key));
        }
        if begun.is_some_and(|begun| begun.is_done) {
            chunk.done.insert(key(&item.item.name.key));
        }
        let is_known = item.state != EntryState::Gone && written.unwrap_or(item.first_seen_at) <= self.when;
        if !is_known || begun.is_some() {
            return;
        }
        let Some(spot) = self.spot(item, remembered) else { return };
        let Some(backlog) = self.policy.backlog(&item.backlog) else { return };
        let on: Vec<_> = backlog.links(&item.item).iter().map(|link| key(&link.to.key)).collect();
        match on.is_empty() {
            true => chunk.spots.push(spot),
            false => chunk.depending.push((spot, Depending { rule: backlog.depends.rule, on })),
        }
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, Vec<Remembered>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Chunk {
    /// Takes in what was found out about others, and has those kept that could run.
    pub(super) fn absorb(&mut self, other: Self, kept: &mut Kept) {
        other.spots.into_iter().for_each(|spot| kept.take(spot));
        self.depending.extend(other.depending);
        self.done.extend(other.done);
        self.closed.extend(other.closed);
        self.facts.is_supplemented |= other.facts.is_supplemented;
        self.facts.unseen += other.facts.unseen;
    }

    /// Decides about those that depend on others, when all are known.
    pub(super) fn settle(self, kept: &mut Kept) -> Facts {
        for (spot, Depending { rule, on }) in self.depending {
            let is_satisfied = |key: &KeyInBacklog| {
                let state = if self.done.contains(key) { EntryState::Done } else { EntryState::Held };
                rule.is_satisfied(state, self.closed.contains(key))
            };
            if on.iter().all(is_satisfied) {
                kept.take(spot);
            }
        }
        self.facts
    }
}

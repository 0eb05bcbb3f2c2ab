//! The order on another day, computed from what is stored.
//!
//! Properties wanted: on the present day it is the order of the lanes; nothing is changed; and what could not be known as of the
//! other day is said, never guessed silently. However long the backlog, it is read as a stream and judged on all cores, and only what
//! is asked for is kept.

mod asked;
mod chunk;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, VecDeque},
    num::NonZero,
    sync::{Arc, Mutex},
};

use tokio::task::JoinHandle;
use tollgate_core::{EntryId, Timestamp, entry::EntryState};
use tollgate_policy::{Policy, Rank, Remembered, Seen};
use tollgate_store::{
    Store,
    port::{AppliedPolicy, StoredItem},
};

use self::{
    asked::Kept,
    chunk::{Chunk, Judging, Spot},
};
use crate::error::{EngineError, Result};

/// Items read by one query.
const CHUNK: u32 = 1_000;
/// How far ahead [`Outlook::comes_first`] looks.
const DAYS_AHEAD: i64 = 366;

/// What is stored of a project's entries, to be looked at as of other days.
pub struct Outlook<'a> {
    store: &'a dyn Store,
    policy: Arc<Policy>,
    applied: Option<AppliedPolicy>,
    now: Timestamp,
}

/// What is wanted of an order.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// Those that come first: so many, or all that there are for 0.
    First(usize),
    /// These.
    Named(Vec<EntryId>),
}

/// An entry in the order of a day.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// Which entry.
    pub id: EntryId,
    /// Its backlog.
    pub backlog: String,
    /// Its pipeline.
    pub pipeline: String,
    /// Its place among those of its backlog and pipeline, from 1.
    pub position: u64,
    /// What puts it there.
    pub rank: Rank,
}

/// The order of a day.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// Of what could run on that day what is wanted, the next one first within its backlog and pipeline.
    pub placed: Vec<Placed>,
    /// How many could.
    pub total: u64,
    /// What is in the order as it is today, because nobody knows how it was or will be: a sentence each.
    pub as_of_today: Vec<String>,
}

/// Facts about all that was read.
#[derive(Debug, Clone, Copy, Default)]
struct Facts {
    is_supplemented: bool,
    unseen: usize,
}

impl<'a> Outlook<'a> {
    /// What a store holds, judged by a policy.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn of(store: &'a dyn Store, policy: &Arc<Policy>) -> Result<Self> {
        let applied = store.applied_policy().await?;
        Ok(Self { now: store.now().await?, applied, policy: Arc::clone(policy), store })
    }

    /// The order at a time, of one backlog or all. `told` hears how many more entries were read.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn at(
        &self,
        when: Timestamp,
        backlog: Option<&str>,
        wanted: Wanted,
        told: &(dyn Fn(u64) + Sync),
    ) -> Result<Order> {
        let lanes: BTreeSet<(String, String)> = self
            .policy
            .backlogs
            .values()
            .filter(|judged| backlog.is_none_or(|name| judged.name == name))
            .flat_map(|judged| {
                judged.routes.iter().map(|route| (judged.name.clone(), route.pipeline.clone()))
            })
            .collect();
        let begun = if when < self.now { self.store.begun_by(when).await? } else { Vec::new() };
        let judging = Arc::new(Judging {
            policy: Arc::clone(&self.policy),
            lanes: lanes.into_iter().collect(),
            begun,
            now: self.now,
            when,
            remembered: Mutex::default(),
        });
        let mut kept = match wanted {
            Wanted::First(limit) => Kept::first(limit),
            Wanted::Named(ids) => Kept::named(self.spots_of(&judging, ids).await?),
        };
        let facts = self.read(&judging, &mut kept, told).await?;
        let (total, spots) = kept.finish();
        let placed = spots.into_iter().map(|(position, spot)| judging.placed(spot, position)).collect();
        Ok(Order { placed, total, as_of_today: self.as_of_today(when, facts) })
    }

    /// The first day, at most a year ahead, on which an entry that is ready comes before all others of its lane that are ready
    /// now, by age alone. Of a lane with more than `rivals_max` nothing is said.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn comes_first(
        &self,
        entry: EntryId,
        backlog: &str,
        pipeline: &str,
        rivals_max: u32,
    ) -> Result<Option<Timestamp>> {
        let Some(judged) = self.policy.backlog(backlog) else { return Ok(None) };
        let mut waiting = self.store.items_of_lane(backlog, pipeline, rivals_max.saturating_add(1)).await?;
        let Some(at) = waiting.iter().position(|item| item.id == entry) else { return Ok(None) };
        if waiting.len() > rivals_max as usize {
            return Ok(None);
        }
        let mine = waiting.swap_remove(at);
        let mut remembered = Remembered::default();
        let mut key = |item: &StoredItem, when: Timestamp| {
            let seen = Seen { first: item.first_seen_at, now: when };
            let place = judged.place_one_of_many(&item.item, &item.supplement, seen, &mut remembered);
            place.filter(|(taken_by, _)| taken_by == pipeline).map(|(_, rank)| (rank.key, item.id))
        };
        if key(&mine, self.now).is_none() {
            return Ok(None);
        }
        let mut rivals: Vec<&StoredItem> = waiting.iter().collect();
        rivals.retain(|rival| key(rival, self.now).is_some());
        Ok((1..=DAYS_AHEAD).find_map(|days| {
            let day = judged.midnight(self.now, days)?;
            let mine = key(&mine, day)?;
            match rivals.iter().position(|rival| key(rival, day).is_some_and(|rival| rival < mine)) {
                None => Some(day),
                Some(at) => {
                    // Whoever is ahead today is most likely ahead tomorrow.
                    rivals.swap(0, at);
                    None
                }
            }
        }))
    }

    /// Where some entries would stand if nothing but policy had a say.
    async fn spots_of(&self, judging: &Judging, ids: Vec<EntryId>) -> Result<Vec<Spot>> {
        let mut spots = Vec::new();
        for id in ids {
            let item = self.store.items(Some(EntryId(id.0 - 1)), 1).await?.pop();
            let item = item.filter(|item| item.id == id);
            spots.extend(item.and_then(|item| judging.spot(&item, &mut Remembered::default())));
        }
        Ok(spots)
    }

    /// Reads everything, and judges a chunk on each core while the next is read.
    async fn read(
        &self,
        judging: &Arc<Judging>,
        kept: &mut Kept,
        told: &(dyn Fn(u64) + Sync),
    ) -> Result<Facts> {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let mut judged: VecDeque<JoinHandle<Chunk>> = VecDeque::new();
        let (mut all, mut after) = (Chunk::default(), None);
        loop {
            let items = self.store.items(after, CHUNK).await?;
            let Some(last) = items.last() else { break };
            after = Some(last.id);
            told(items.len() as u64);
            if judged.len() > cores
                && let Some(first) = judged.pop_front()
            {
                all.absorb(judged_chunk(first).await?, kept);
            }
            let judging = Arc::clone(judging);
            judged.push_back(tokio::task::spawn_blocking(move || judging.judge(&items)));
        }
        for chunk in judged {
            all.absorb(judged_chunk(chunk).await?, kept);
        }
        Ok(all.settle(kept))
    }

    fn as_of_today(&self, when: Timestamp, read: Facts) -> Vec<String> {
        let mut facts = vec![
            "Texts, labels and fields are what the sources said last.".to_owned(),
            "What is closed in its tracker today counts as closed.".to_owned(),
        ];
        if read.is_supplemented {
            facts.push("What people set and what was found by refining is as it is known now.".to_owned());
        }
        if when >= self.now {
            facts.push("Nothing comes in, begins, ends or is held until then.".to_owned());
            return facts;
        }
        if let Some(applied) = self.applied.as_ref().filter(|applied| applied.at > when) {
            facts.push(format!(
                "The formulas are those of today's policy; its version {} was applied later, at {}.",
                applied.version, applied.at
            ));
        }
        if read.unseen > 0 {
            let unseen = read.unseen;
            facts.push(format!("Of the entries that were written by then, {unseen} had not been read yet."));
        }
        facts.push("Entries that had run, and waited for another round, are left out.".to_owned());
        facts
    }
}

async fn judged_chunk(chunk: JoinHandle<Chunk>) -> Result<Chunk> {
    chunk.await.map_err(|panicked| EngineError::Bug(format!("judging entries ended by a panic: {panicked}")))
}

/// Whether an entry waits, today.
fn waits(state: EntryState) -> bool {
    matches!(state, EntryState::New | EntryState::Held | EntryState::Ready)
}

//! The order on another day, computed from what is stored.
//!
//! Properties wanted: on the present day it is the order of the lanes; nothing is changed; and what could not be known as of the
//! other day is said, never guessed silently.

use std::collections::HashMap;

use tollgate_core::{
    EntryId, Timestamp,
    entry::{EntryName, EntryState},
    refine::Supplement,
    run::{RunKind, RunState, RunSummary},
};
use tollgate_policy::{Admission, Backlog, Policy, Rank, Seen};
use tollgate_store::{
    Store,
    port::{AppliedPolicy, RunFilter, StoredItem},
};

use crate::error::Result;

/// Items read by one query.
const CHUNK: u32 = 1_000;
/// How far ahead [`Outlook::comes_first`] looks.
const DAYS_AHEAD: i64 = 366;

/// What is stored of a project's entries, to be looked at as of other days.
pub struct Outlook<'a> {
    policy: &'a Policy,
    applied: Option<AppliedPolicy>,
    now: Timestamp,
    items: Vec<StoredItem>,
    by_key: HashMap<(String, String), usize>,
    /// The runs of each entry, oldest first.
    runs: HashMap<EntryId, Vec<RunSummary>>,
}

/// An entry in the order of a day.
#[derive(Debug, Clone)]
pub struct Placed {
    /// Which entry.
    pub id: EntryId,
    /// Its name.
    pub name: EntryName,
    /// One line.
    pub title: String,
    /// Its backlog.
    pub backlog: String,
    /// Its pipeline.
    pub pipeline: String,
    /// Its place.
    pub rank: Rank,
}

/// The order of a day.
#[derive(Debug, Clone)]
pub struct Order {
    /// What could run on that day, the next one first within its backlog and pipeline.
    pub placed: Vec<Placed>,
    /// What is in the order as it is today, because nobody knows how it was or will be: a sentence each.
    pub as_of_today: Vec<String>,
}

impl<'a> Outlook<'a> {
    /// Reads all there is.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn read(store: &dyn Store, policy: &'a Policy) -> Result<Self> {
        let mut items: Vec<StoredItem> = Vec::new();
        loop {
            let chunk = store.items(items.last().map(|item| item.id), CHUNK).await?;
            if chunk.is_empty() {
                break;
            }
            items.extend(chunk);
        }
        let mut runs: HashMap<EntryId, Vec<RunSummary>> = HashMap::new();
        for run in store.runs(RunFilter::default()).await?.rows.into_iter().rev() {
            runs.entry(run.entry_id).or_default().push(run);
        }
        let key = |(at, item): (usize, &StoredItem)| ((item.backlog.clone(), item.item.name.key.clone()), at);
        let by_key = items.iter().enumerate().map(key).collect();
        Ok(Self {
            policy,
            applied: store.applied_policy().await?,
            now: store.now().await?,
            items,
            by_key,
            runs,
        })
    }

    /// The order at a time.
    pub fn at(&self, when: Timestamp) -> Order {
        let placed = self.items.iter().filter(|item| self.waits(item, when));
        let mut placed: Vec<Placed> = placed.filter_map(|item| self.place(item, when)).collect();
        placed.sort_by(|a, b| lane_and_place(a).cmp(&lane_and_place(b)));
        Order { placed, as_of_today: self.as_of_today(when) }
    }

    /// The first day, at most a year ahead, on which an entry that is ready comes before all others of its lane that are ready
    /// now, by age alone.
    pub fn comes_first(&self, entry: EntryId) -> Option<Timestamp> {
        let item = self.items.iter().find(|item| item.id == entry)?;
        let backlog = self.policy.backlog(&item.backlog)?;
        let mine = self.place(item, self.now)?;
        let mut rivals: Vec<&StoredItem> = self.items.iter().filter(|rival| rival.id != entry).collect();
        rivals.retain(|rival| {
            rival.backlog == item.backlog
                && rival.state == EntryState::Ready
                && self.place(rival, self.now).is_some_and(|rival| rival.pipeline == mine.pipeline)
        });
        (1..=DAYS_AHEAD).find_map(|days| {
            let day = backlog.midnight(self.now, days)?;
            let mine = self.place(item, day)?;
            let is_before = |rival: &&StoredItem| {
                self.place(rival, day).is_some_and(|rival| lane_and_place(&rival) < lane_and_place(&mine))
            };
            match rivals.iter().position(is_before) {
                None => Some(day),
                Some(at) => {
                    // Whoever is ahead today is most likely ahead tomorrow.
                    rivals.swap(0, at);
                    None
                }
            }
        })
    }

    fn place(&self, item: &StoredItem, when: Timestamp) -> Option<Placed> {
        let (_, judged) = self.judge(item, when)?;
        let (true, Some(rank), Some(pipeline)) = (judged.is_ready(), judged.rank, judged.pipeline) else {
            return None;
        };
        Some(Placed {
            id: item.id,
            name: item.item.name.clone(),
            title: item.item.title.clone(),
            backlog: item.backlog.clone(),
            pipeline,
            rank,
        })
    }

    fn judge(&self, item: &StoredItem, when: Timestamp) -> Option<(&Backlog, Admission)> {
        let backlog = self.policy.backlog(&item.backlog)?;
        Some((
            backlog,
            backlog.judge_once(&item.item, &item.supplement, Seen { first: item.first_seen_at, now: when }),
        ))
    }

    /// Whether an entry was waiting at a time, or will be when nothing happens until then but days passing.
    fn waits(&self, item: &StoredItem, when: Timestamp) -> bool {
        let waits_now = matches!(item.state, EntryState::New | EntryState::Held | EntryState::Ready);
        if when >= self.now {
            return waits_now && !item.is_held_by_others;
        }
        let written = item.item.created_at.unwrap_or(item.first_seen_at);
        let is_known = item.state != EntryState::Gone && written <= when;
        is_known && self.run_at(item, when).is_none() && self.had_its_dependencies(item, when)
    }

    /// The newest run that had begun at a time to do its work.
    fn run_at(&self, item: &StoredItem, when: Timestamp) -> Option<&RunSummary> {
        let works = |run: &&RunSummary| run.kind == RunKind::Work && run.started_at <= when;
        self.runs.get(&item.id)?.iter().rev().find(works)
    }

    fn had_its_dependencies(&self, item: &StoredItem, when: Timestamp) -> bool {
        let Some((backlog, judged)) = self.judge(item, when) else { return false };
        judged.links.iter().all(|link| {
            let target = self.by_key.get(&(item.backlog.clone(), link.to.key.clone()));
            target.is_some_and(|at| {
                let target = &self.items[*at];
                let is_done = self.run_at(target, when).is_some_and(|run| {
                    run.state == RunState::Done && run.ended_at.is_some_and(|ended| ended <= when)
                });
                let state = if is_done { EntryState::Done } else { EntryState::Held };
                backlog.depends.rule.is_satisfied(state, target.item.closed)
            })
        })
    }

    fn as_of_today(&self, when: Timestamp) -> Vec<String> {
        let mut facts = vec![
            "Texts, labels and fields are what the sources said last.".to_owned(),
            "What is closed in its tracker today counts as closed.".to_owned(),
        ];
        if self.items.iter().any(|item| item.supplement != Supplement::default()) {
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
        let was_seen = |item: &&StoredItem| {
            item.first_seen_at > when && item.item.created_at.is_some_and(|written| written <= when)
        };
        let unseen = self.items.iter().filter(was_seen).count();
        if unseen > 0 {
            facts.push(format!("Of the entries that were written by then, {unseen} had not been read yet."));
        }
        facts.push("Entries that had run, and waited for another round, are left out.".to_owned());
        facts
    }
}

fn lane_and_place(placed: &Placed) -> (&str, &str, &tollgate_core::rank::RankKey, EntryId) {
    (&placed.backlog, &placed.pipeline, &placed.rank.key, placed.id)
}

//! Judges again what a new day, a time that has come, or what became known of an entry has changed.

mod flood;

use std::{
    collections::VecDeque,
    num::NonZero,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio::{sync::Mutex as AsyncMutex, task::JoinHandle};
use tollgate_core::Timestamp;
use tollgate_policy::{Policy, Remembered, Seen};
use tollgate_store::{
    Store,
    port::{Rejudged, RescoreItem, Rescored, Says},
};

use self::flood::Flood;
use crate::{
    error::{EngineError, Result},
    judge::{self, Lanes},
};

/// Entries judged again at once. To judge them keeps a thread of the host busy, and workers wait for it meanwhile.
const CHUNK: u32 = 100;

/// Where more than a chunk is due, so many are read at once, and so many chunks of them before the caller is told how far it came.
const FLOOD_CHUNK: u32 = 2_000;
const FLOOD_CHUNKS: u32 = 32;

/// What another host left behind is looked for at first, and then once in so many times: it is seldom there, and nobody waits for it.
const LOOKS_BETWEEN: u32 = 16;

/// Judges entries again, by one policy.
#[derive(Debug, Clone)]
pub struct Ranker {
    judging: Arc<Judging>,
}

#[derive(Debug)]
struct Judging {
    policy: Arc<Policy>,
    lanes: Lanes,
    /// What was found out about some chunk, for the next.
    remembered: Mutex<Vec<Remembered>>,
    /// What is judged, and not in order yet.
    flood: AsyncMutex<Option<Flood>>,
    /// How often there was none.
    looks: AtomicU32,
}

/// What a look for entries that are due came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ranked {
    /// How many were touched.
    pub entries: u64,
    /// Whether all that was judged stands in order.
    pub is_in_order: bool,
}

impl Ranked {
    /// Whether there was nothing to do.
    pub fn is_done(self) -> bool {
        self.entries == 0 && self.is_in_order
    }
}

impl Ranker {
    /// By this policy, with the lanes that it has where it is applied.
    pub fn new(policy: &Arc<Policy>, lanes: Lanes) -> Self {
        let judging = Judging {
            policy: Arc::clone(policy),
            lanes,
            remembered: Mutex::default(),
            flood: AsyncMutex::default(),
            looks: AtomicU32::default(),
        };
        Self { judging: Arc::new(judging) }
    }

    /// Lifts what is due and judges entries again, as many as are due within a while; the caller goes on until it is done.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn tick(&self, store: &dyn Store) -> Result<Ranked> {
        let lifted = store.lift_due().await?;
        let due = store.due_for_rescoring(None, CHUNK).await?;
        let mut present = self.judging.flood.lock().await;
        // Where something fails it is gone from here, and is found as what another host left behind.
        let flood = present.take();
        let has_room = flood.as_ref().is_none_or(Flood::has_room);
        let (judged, flood) = if due.len() >= CHUNK as usize && has_room {
            self.judge_flood(store, flood).await?
        } else {
            let judged = self.judge_now(store, &due).await?;
            let flood = match flood {
                Some(judged) => judged.put_some_in_order(store).await?,
                None if self.looks_for_others() => Flood::left_behind(store).await?,
                None => None,
            };
            (judged, flood)
        };
        let is_in_order = flood.is_none();
        *present = flood;
        Ok(Ranked { entries: lifted + judged, is_in_order })
    }

    fn looks_for_others(&self) -> bool {
        self.judging.looks.fetch_add(1, Ordering::Relaxed).is_multiple_of(LOOKS_BETWEEN)
    }

    /// Judges one chunk of what is due again; how many entries that were.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn judge_due(&self, store: &dyn Store) -> Result<u64> {
        let due = store.due_for_rescoring(None, CHUNK).await?;
        self.judge_now(store, &due).await
    }

    async fn judge_now(&self, store: &dyn Store, due: &[RescoreItem]) -> Result<u64> {
        if due.is_empty() {
            return Ok(0);
        }
        let now = store.now().await?;
        Ok(store.rescore(self.judging.judge(due, now)).await?)
    }

    /// A whole backlog, say: a chunk is read and others are judged, on every core, while one is written.
    async fn judge_flood(&self, store: &dyn Store, flood: Option<Flood>) -> Result<(u64, Option<Flood>)> {
        let mut flood = match flood {
            Some(flood) => flood,
            None => Flood::begin(store).await?,
        };
        let (now, rescoring) = (store.now().await?, flood.rescoring());
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let mut judged: VecDeque<JoinHandle<Vec<Rejudged>>> = VecDeque::new();
        let (mut after, mut chunks, mut entries) = (flood.judged_to, 0, 0);
        loop {
            let write = async {
                match judged.len() > cores || chunks == FLOOD_CHUNKS {
                    true => match judged.pop_front() {
                        Some(chunk) => {
                            let judged = judged_chunk(chunk).await?;
                            Ok::<_, EngineError>(Some(store.rescore_apart(rescoring, judged).await?))
                        }
                        None => Ok(None),
                    },
                    false => Ok(Some(Rescored::default())),
                }
            };
            let read = async {
                match chunks < FLOOD_CHUNKS {
                    true => store.due_by_number(after, FLOOD_CHUNK).await,
                    false => Ok(Vec::new()),
                }
            };
            let (written, due) = tokio::join!(write, read);
            match written? {
                Some(rescored) => {
                    entries += rescored.entries;
                    flood.add(rescored);
                }
                None => {
                    flood.judged_to = after;
                    return Ok((entries, Some(flood)));
                }
            }
            let due = due?;
            match due.last() {
                None if chunks < FLOOD_CHUNKS => (after, chunks) = (None, FLOOD_CHUNKS),
                None => {}
                Some(last) => {
                    after = Some(last.id);
                    chunks += 1;
                    let judging = Arc::clone(&self.judging);
                    judged.push_back(tokio::task::spawn_blocking(move || judging.judge(&due, now)));
                }
            }
        }
    }
}

async fn judged_chunk(chunk: JoinHandle<Vec<Rejudged>>) -> Result<Vec<Rejudged>> {
    chunk.await.map_err(|panicked| EngineError::Bug(format!("judging entries ended by a panic: {panicked}")))
}

impl Judging {
    fn judge(&self, due: &[RescoreItem], now: Timestamp) -> Vec<Rejudged> {
        let remembered = || self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let mut of_others = remembered().pop().unwrap_or_default();
        let judge = |entry| judge_again(&self.policy, &self.lanes, entry, now, &mut of_others);
        let judged = due.iter().map(judge).collect();
        remembered().push(of_others);
        judged
    }
}

/// What the policy says now. An entry whose backlog it no longer names is not due again, or it would be for ever.
fn judge_again(
    policy: &Policy,
    lanes: &Lanes,
    entry: &RescoreItem,
    now: Timestamp,
    remembered: &mut Remembered,
) -> Rejudged {
    let (says, admission) = match policy.backlog(&entry.backlog) {
        Some(backlog) => {
            let seen = Seen { first: entry.first_seen_at, now };
            let judged = backlog.judge_one_of_many(&entry.item, &entry.known.supplement, seen, remembered);
            let admission = judge::admission(backlog, lanes, &judged);
            (
                Some(Says { snapshot: judged.snapshot, revision: judged.revision, basis: judged.basis }),
                admission,
            )
        }
        None => (None, judge::without_backlog(&entry.backlog)),
    };
    let (supplement_version, policy_version) = (entry.known.version, lanes.policy_version());
    Rejudged { id: entry.id, says, supplement_version, policy_version, admission }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tollgate_core::{
        EntryId,
        entry::{EntryName, HoldKind},
        item::SourceItem,
    };
    use tollgate_store::port::Known;

    use super::*;

    #[test]
    fn an_entry_of_a_backlog_that_was_taken_out_is_held_and_never_due_again() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("tollgate.toml"), "[instance]\n").unwrap();
        let policy = Policy::load(folder.path()).unwrap_or_else(|error| panic!("{error}"));
        let item = SourceItem {
            name: EntryName { tracker: "folder:backlog".into(), key: "LIB-1".into() },
            url: None,
            kind: String::new(),
            title: "Opening hours".into(),
            body: String::new(),
            author: None,
            labels: Vec::new(),
            created_at: None,
            closed: false,
            shelf: tollgate_core::item::Shelf::Open,
            front_matter: serde_json::Map::new(),
            headings: BTreeMap::new(),
            depends: Vec::new(),
        };
        let now = Timestamp::default();
        let known = Known::default();
        let entry = RescoreItem {
            id: EntryId(1),
            due_at: now,
            backlog: "old".into(),
            item,
            known,
            first_seen_at: now,
        };
        let admission =
            judge_again(&policy, &Lanes::default(), &entry, now, &mut Remembered::default()).admission;
        assert_eq!((admission.place, admission.due_at), (None, None));
        let [hold] = admission.holds.try_into().unwrap();
        assert_eq!(hold.kind, HoldKind::NoPipeline);
        assert_eq!(
            hold.reason,
            "the policy has no backlog `old` any more; put it back, or move the item to another source"
        );
    }
}

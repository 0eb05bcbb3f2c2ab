//! One of the stores that are driven side by side, and its own numbers for what all of them have.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Debug,
    sync::Arc,
};

use tollgate_core::{EntryId, LaneId, entry::EntryName, time::ManualClock};
use tollgate_store::{
    Store, StoreError,
    port::{Delivery, EntryFilter, EscalationFilter, Known, Rescoring, RunFilter},
};

use super::policy;
use crate::{memory, postgres, sqlite};

/// Types of numbers that each store gives by itself, as their values are printed.
const NUMBERED: [&str; 3] = ["EntryId(", "LaneId(", "DeliveryId("];

pub(super) struct Side {
    pub(super) name: &'static str,
    pub(super) store: Box<dyn Store>,
    pub(super) lanes: [LaneId; 3],
    /// Readings that were begun and not ended, and whether each is of the source beside the usual one.
    pub(super) readings: Vec<(i64, bool)>,
    pub(super) taken: Vec<Delivery>,
    pub(super) rescoring: Option<Rescoring>,
    /// The order in which each number was met first.
    met: HashMap<String, usize>,
}

/// The model, and the stores in databases. One database of PostgreSQL serves all traces of a test.
pub(super) async fn all(database: &str, clock: &Arc<ManualClock>) -> Vec<Side> {
    let stores: [(_, Box<dyn Store>); 3] = [
        ("plain maps", Box::new(memory::empty(Arc::clone(clock)))),
        ("SQLite", Box::new(sqlite::in_memory(Arc::clone(clock)))),
        ("PostgreSQL", Box::new(postgres::emptied(database, Arc::clone(clock)))),
    ];
    let mut sides = Vec::new();
    for (name, store) in stores {
        let lanes = store.apply_policy(policy::application(0)).await.unwrap().lanes;
        let lanes = policy::PIPELINES
            .map(|pipeline| lanes.iter().find(|lane| lane.pipeline == pipeline).map(|lane| lane.id).unwrap());
        let side = Side {
            name,
            store,
            lanes,
            readings: vec![],
            taken: vec![],
            rescoring: None,
            met: HashMap::new(),
        };
        sides.push(side);
    }
    sides
}

impl Side {
    /// The number of an entry; that of none, where it is not known.
    pub(super) async fn id(&self, name: &EntryName) -> EntryId {
        match self.store.entry(&name.key, Some(&name.tracker)).await {
            Ok(detail) => detail.status.id,
            Err(_) => EntryId(1_000_000),
        }
    }

    pub(super) async fn known(&self, name: &EntryName) -> Known {
        let mut known = self.store.known(&name.tracker, vec![name.key.clone()]).await.unwrap();
        known.remove(&name.key).unwrap_or_default()
    }

    /// An answer in words that are the same for every store.
    pub(super) fn told<T: Debug>(&mut self, answer: &Result<T, StoreError>) -> String {
        let words = match answer {
            Ok(value) => format!("{value:?}"),
            // A database says in its own words what no driver does.
            Err(StoreError::Platform { doing, .. }) => format!("failed to {doing}"),
            Err(error) => format!("{error:?}"),
        };
        self.in_common(&words)
    }

    fn in_common(&mut self, words: &str) -> String {
        let id = self.store.id();
        let mut common = words.replace(&format!("{id:?}"), "STORE").replace(&id.to_string(), "STORE");
        for kind in NUMBERED {
            let mut parts = common.split(kind);
            let mut renumbered = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                let (number, rest) = part.split_once(')').unwrap_or((part, ""));
                let next = self.met.len();
                let met = self.met.entry(format!("{kind}{number}")).or_insert(next);
                renumbered.push_str(&format!("{kind}{met}){rest}"));
            }
            common = renumbered;
        }
        common
    }

    /// All that it keeps, as far as it shows.
    pub(super) async fn state(&mut self) -> BTreeMap<String, String> {
        let store = &self.store;
        let mut state = BTreeMap::new();
        let mut keep = |what: &str, words: String| drop(state.insert(what.to_owned(), words));
        let entries = store.entries(EntryFilter::default()).await.unwrap().rows;
        keep("entries", format!("{entries:?}"));
        for entry in &entries {
            let detail = store.entry(&entry.name.key, Some(&entry.name.tracker)).await.unwrap();
            keep(&format!("entry {}", entry.name), format!("{detail:?}"));
        }
        let runs = store.runs(RunFilter::default()).await.unwrap().rows;
        keep("runs", format!("{runs:?}"));
        for run in &runs {
            keep(&format!("run {}", run.id), format!("{:?}", store.run(run.id).await.unwrap()));
        }
        let mut escalations = store.escalations(EscalationFilter::default()).await.unwrap().rows;
        // What waits since the same moment is in no order.
        escalations.sort_by_key(|one| (one.since, one.entry.name.clone(), one.kind));
        keep("escalations", format!("{escalations:?}"));
        let items = store.items(None, 99).await.unwrap();
        let items = items.into_iter().map(|item| {
            // What it waits for is asked of one that waits.
            let held = item.is_held_by_others && item.state == tollgate_core::entry::EntryState::Held;
            (item.id, item.backlog, item.state, held, item.item, item.supplement, item.first_seen_at)
        });
        keep("items", format!("{:?}", items.collect::<Vec<_>>()));
        let internal = store.internal_items(None, 99).await.unwrap();
        keep("internal items", format!("{:?}", internal.iter().map(|item| item.id).collect::<Vec<_>>()));
        keep("adoptions", format!("{:?}", store.adoptions().await.unwrap()));
        keep("coverage", format!("{:?}", store.coverage().await.unwrap()));
        keep("caps", format!("{:?}", store.cap_balances().await.unwrap()));
        keep("open work", format!("{:?}", store.open_work().await.unwrap()));
        keep("displaced", format!("{:?}", store.displaced(None, 99).await.unwrap()));
        keep("lapsed", format!("{:?}", store.lapsed_rescorings().await.unwrap().len()));
        keep("due", format!("{:?}", store.due_for_rescoring(None, 99).await.unwrap()));
        state.into_iter().map(|(what, words)| (what, self.in_common(&words))).collect()
    }
}

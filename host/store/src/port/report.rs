//! What people ask a store.

use std::collections::BTreeMap;

use tollgate_core::{
    EntryId, Microcents, StopMode, Timestamp,
    adoption::Adoption,
    approval::Decision,
    child::ChildStatus,
    course::EffectRef,
    effect::{Delivered, Effect},
    entry::{EntryName, EntrySnapshot, EntryState, EntryStatus, Link},
    event::Event,
    item::SourceItem,
    late::Late,
    rank::RankKey,
    record::{Record, Term},
    refine::Supplement,
    run::{RunState, RunSummary},
    step::Step,
    wait::WaitEnd,
};

use super::Child;

/// One page of something.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// How many there are in all.
    pub total: u64,
}

/// An entry that work had begun on at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Begun {
    /// Which.
    pub entry: EntryId,
    /// Whether the newest run of that time was done by then.
    pub is_done: bool,
}

/// Which entries.
#[derive(Debug, Clone, Default)]
pub struct EntryFilter {
    /// Of this backlog only.
    pub backlog: Option<String>,
    /// In these states only; all, when empty.
    pub states: Vec<EntryState>,
    /// How many at the most; 0 for all.
    pub limit: u32,
    /// After how many.
    pub offset: u32,
}

/// Which runs.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Of the entry with this key only.
    pub key: Option<String>,
    /// In these states only; all, when empty.
    pub states: Vec<RunState>,
    /// How many at the most; 0 for all.
    pub limit: u32,
    /// After how many.
    pub offset: u32,
}

/// All that is known of an entry.
#[derive(Debug, Clone)]
pub struct EntryDetail {
    /// Its line.
    pub status: EntryStatus,
    /// What it says now.
    pub snapshot: EntrySnapshot,
    /// What its source said last.
    pub item: SourceItem,
    /// What is known of it besides.
    pub supplement: Supplement,
    /// Whether its tracker says that it is closed.
    pub closed: bool,
    /// Links from it.
    pub links: Vec<LinkStatus>,
    /// Keys of entries that depend on it and wait.
    pub waiting_for_it: Vec<String>,
    /// Entries that its runs opened, oldest first.
    pub children: Vec<Child>,
    /// The terms of its score.
    pub terms: Vec<Term>,
    /// Where it stands in its lane, or would stand were it not held; none when it does not wait, or has no place.
    pub standing: Option<Standing>,
    /// Its runs, newest first.
    pub runs: Vec<RunSummary>,
    /// Its adoptions, oldest first.
    pub adoptions: Vec<Adoption>,
    /// Whether it is over, and says something else than what was worked on or adopted.
    pub changed_since: bool,
}

/// A place in a lane, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Sorts as the entry does.
    pub rank_key: RankKey,
    /// How many come before it.
    pub ahead: u64,
    /// How many can be claimed in the lane, this one included when it is among them.
    pub waiting: u64,
    /// The one that is claimed next; none when nothing can be.
    pub head: Option<LaneHead>,
}

/// What is claimed next in a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneHead {
    /// The entry's key.
    pub key: String,
    /// Its score in thousandths, where the backlog has a priority formula.
    pub score_thousandths: Option<i64>,
    /// Whether it is a run that was begun, which comes before every entry.
    pub is_begun: bool,
}

/// An entry with what its source said of it last: what its place on another day is computed from.
#[derive(Debug, Clone)]
pub struct StoredItem {
    /// Which entry.
    pub id: EntryId,
    /// The backlog that it entered by.
    pub backlog: String,
    /// Its life.
    pub state: EntryState,
    /// Whether a dependency or a person holds it.
    pub is_held_by_others: bool,
    /// What its source said last.
    pub item: SourceItem,
    /// What is known of it besides.
    pub supplement: Supplement,
    /// When it was first seen.
    pub first_seen_at: Timestamp,
}

/// What an entry is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedEntry {
    /// Which entry.
    pub id: EntryId,
    /// Its tracker and its key there.
    pub name: EntryName,
    /// Where its item is: an address, or a file of the project.
    pub url: Option<String>,
}

/// A link and where it leads.
#[derive(Debug, Clone)]
pub struct LinkStatus {
    /// The link.
    pub link: Link,
    /// The state of the entry it leads to; none when there is none.
    pub target: Option<EntryState>,
    /// For a dependency: whether it is satisfied.
    pub satisfied: bool,
}

/// All that is known of a run.
#[derive(Debug, Clone)]
pub struct RunDetail {
    /// Its line.
    pub summary: RunSummary,
    /// The backlog it came by, the score at claim and its terms.
    pub order: tollgate_core::record::OrderFacts,
    /// Its steps, oldest first.
    pub steps: Vec<Step>,
    /// Its released effects and what became of them.
    pub effects: Vec<(EffectRef, Effect, Option<Delivered>)>,
    /// Its events, oldest first.
    pub events: Vec<Event>,
    /// What people said when it asked, oldest first; what its next driver has still to apply is not among it.
    pub decisions: Vec<Decision>,
    /// How waits of its calls ended, oldest first.
    pub waits: Vec<WaitEnd>,
    /// The entries that it opened, in the order in which they were made.
    pub children: Vec<ChildStatus>,
    /// What it may cost with them, and what they have cost; none when it opened nothing.
    pub family: Option<Family>,
    /// What is set aside for it and not spent.
    pub escrow: Microcents,
    /// What drivers brought after they had lost it, oldest first: refused, and kept as evidence.
    pub late: Vec<Late>,
    /// Its record, once it is over.
    pub record: Option<Record>,
    /// What became of the record.
    pub record_delivered: Option<Delivered>,
}

/// A run and what it opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// What all of it may cost, by the run's pipeline and by what people approved.
    pub limit: Microcents,
    /// What the runs of the entries that it opened have cost, and what these opened, and so on.
    pub settled: Microcents,
    /// What is set aside for those of them that are driven.
    pub escrow: Microcents,
}

/// How much of a backlog is in which state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// Which backlog.
    pub backlog: String,
    /// Entries by state.
    pub states: BTreeMap<EntryState, u64>,
    /// Held entries by the kind of their first hold.
    pub holds: BTreeMap<tollgate_core::entry::HoldKind, u64>,
    /// How many of those that are done are adopted.
    pub adopted: u64,
    /// What its runs have cost.
    pub cost: Microcents,
}

/// What hosts were asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Control {
    /// The stop in force.
    pub stop: Option<StopRequest>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// The version of the applied policy; 0 before the first.
    pub policy: i64,
}

/// A person's wish that hosts stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopRequest {
    /// How.
    pub mode: StopMode,
    /// Who asks.
    pub who: String,
    /// Why.
    pub why: String,
}

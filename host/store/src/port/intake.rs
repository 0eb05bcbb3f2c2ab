//! What comes in from sources.

use std::time::Duration;

use tollgate_core::{
    Digest, EntryId, LaneId, Timestamp,
    entry::{DependencyRule, EntrySnapshot, EntryState, Hold, Link},
    item::SourceItem,
    rank::RankKey,
    record::Term,
    refine::Supplement,
};

/// An item as its source shows it and the policy judges it.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The backlog that it enters by.
    pub backlog: String,
    /// What its source said, kept so that it can be judged again without reading the source. `closed` is in it.
    pub item: SourceItem,
    /// What the backlog made of it.
    pub snapshot: EntrySnapshot,
    /// The digest of the snapshot.
    pub revision: Digest,
    /// The digest of the snapshot without what refining adds: done is said of it.
    pub basis: Digest,
    /// The version of its [`Supplement`] that it was judged with; 0 where there was none.
    pub supplement_version: i64,
    /// The version of the applied policy that it was judged by; 0 where none was. Where a newer one is applied by the time it is taken in,
    /// it is judged again before anything is begun on it.
    pub policy_version: i64,
    /// Its links.
    pub links: Vec<Link>,
    /// When its dependencies count as satisfied.
    pub depends: DependencyRule,
    /// What the policy says of it.
    pub admission: Admission,
    /// What a changed revision means for an entry that is over.
    pub on_change: OnChange,
    /// What is asked of an entry that was not known before.
    pub guard: Guard,
    /// Whether an entry that failed or was escalated waits again when it comes back from among those on hold.
    pub retry_failed: bool,
}

/// What keeps a backlog from what nobody looked at. It is asked once, when an entry is made: what holds it then lifts by itself
/// when there is room, or by a person's word.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Guard {
    /// How many of one tracker may come in.
    pub per_source: Option<Rate>,
    /// How many of one author may come in.
    pub per_author: Option<Rate>,
    /// How many entries may be opened by runs that one entry led to.
    pub per_origin: Option<u32>,
    /// How like an earlier entry of the backlog it may be, in thousandths; none where nobody compares them.
    pub duplicate_thousandths: Option<u32>,
    /// Why it seems to be what Tollgate itself wrote; none where it does not.
    pub own_output: Option<String>,
}

/// So many in so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many, in any span of this length.
    pub count: u32,
    /// How long.
    pub window: Duration,
}

/// What the policy says of an entry. The store adds what only it knows: whether dependencies are satisfied.
#[derive(Debug, Clone, PartialEq)]
pub struct Admission {
    /// Why it may not run; empty when the policy has no objection.
    pub holds: Vec<Hold>,
    /// Where it would wait; none when no place can be computed.
    pub place: Option<PlaceInLane>,
    /// When the policy says something else of it, by the passing of time alone.
    pub due_at: Option<Timestamp>,
}

/// A place in a lane.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaceInLane {
    /// Which lane.
    pub lane: LaneId,
    /// The order in it.
    pub rank_key: RankKey,
    /// The score in thousandths, where the backlog has a priority formula.
    pub score_thousandths: Option<i64>,
    /// Its terms.
    pub terms: Vec<Term>,
}

/// What a changed revision means for an entry that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnChange {
    /// Nothing.
    #[default]
    Ignore,
    /// The entry is held until a person retries it.
    Ask,
    /// It runs again.
    Rerun,
}

/// What an arrival did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which entry.
    pub id: EntryId,
    /// Its key.
    pub key: String,
    /// Whether it was not known before.
    pub created: bool,
    /// Whether it says something else than before.
    pub revised: bool,
    /// Its state now.
    pub state: EntryState,
}

/// How far a source was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// Not every place in it could be looked into, so what was not seen may be there.
    Partial,
    /// Every place was looked into.
    Full {
        /// Those with something in them that could not be read, as entries name them (`url`): what stands there is not gone.
        unread: Vec<String>,
    },
}

/// How a reconcile ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reconciled {
    /// Keys of entries that are gone.
    pub gone: Vec<String>,
}

/// An entry that is due to be judged again.
#[derive(Debug, Clone)]
pub struct RescoreItem {
    /// Which entry.
    pub id: EntryId,
    /// Since when.
    pub due_at: Timestamp,
    /// The backlog that it entered by.
    pub backlog: String,
    /// What its source said last.
    pub item: SourceItem,
    /// What is known of it besides.
    pub known: Known,
    /// When it was first seen.
    pub first_seen_at: Timestamp,
}

/// What is known of an entry besides what its source says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Known {
    /// Counts up with every change; 0 where nothing was ever known.
    pub version: i64,
    /// What.
    pub supplement: Supplement,
}

/// What the policy says of an entry that was judged again.
#[derive(Debug, Clone)]
pub struct Rejudged {
    /// Which entry.
    pub id: EntryId,
    /// What it says now; none where the policy does not know what to make of it.
    pub says: Option<Says>,
    /// The version of what was known besides. Where that is no longer the one, it is judged once more.
    pub supplement_version: i64,
    /// The version of the policy that says it. Where a newer one is applied, it is judged once more.
    pub policy_version: i64,
    /// What the policy says of it.
    pub admission: Admission,
}

/// What puts in order those whom it displaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rescoring(pub i64);

/// What became of entries that were judged again.
#[derive(Debug, Default)]
pub struct Rescored {
    /// How many have new places.
    pub entries: u64,
    /// Those that may not stand there yet.
    pub displaced: Vec<Displaced>,
}

/// In which order a database keeps the rows of what is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptBy {
    /// As it is claimed: a row that moves is written elsewhere.
    Key,
    /// As entries came in, and an index says where each of them stands.
    Entry,
}

/// An entry that has a new place and stands where it did before. They compare as they are going to stand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Displaced {
    /// The lane that it stands in.
    pub lane: LaneId,
    /// Where it belongs.
    pub rank_key: RankKey,
    /// Which entry.
    pub entry: EntryId,
}

/// What an entry says.
#[derive(Debug, Clone)]
pub struct Says {
    /// All of it.
    pub snapshot: EntrySnapshot,
    /// The digest of that.
    pub revision: Digest,
    /// The digest of that without what refining adds.
    pub basis: Digest,
}

/// A person's word on a field of an entry.
#[derive(Debug, Clone, PartialEq)]
pub struct NewFieldValue {
    /// The field's name.
    pub field: String,
    /// Its value; none takes back what was set before.
    pub value: Option<serde_json::Value>,
    /// Who says so.
    pub who: String,
    /// Why.
    pub why: String,
}

//! A project's policy: everything its files say, with every default filled in.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::tz::TimeZone;
use tollgate_core::{
    Digest, StopMode, Timestamp,
    entry::{DependencyRule, EntrySnapshot},
    ledger::Cap,
    model::ModelSpec,
    pins::Prices,
    pipeline::Pipeline,
    rank::Direction,
};

pub use crate::project::{ClaimMarker, FieldType, OnChange, Purpose};
use crate::{
    artifacts_address::ArtifactsAddress,
    done::Done,
    error::ConfigFile,
    fields,
    formula::{FieldValue, Formula},
    project::GivenTable,
    schedule::{Cron, Schedule},
    source_map::SourceFile,
    store_address::StoreAddress,
};

/// What a project's files mean. Whatever they name exists, but for plugins: those are [checked](Self::check) apart.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How the project runs on a machine.
    pub instance: Instance,
    /// Its backlogs, by name.
    pub backlogs: BTreeMap<String, Backlog>,
    /// Its pipelines, by name.
    pub pipelines: BTreeMap<String, Pipeline>,
    /// The most that any stage or gate may give a plugin for one call, by the plugin's name.
    pub plugin_bounds: BTreeMap<String, StepBound>,
    /// What the project may spend.
    pub caps: Vec<Cap>,
    /// What things cost.
    pub prices: Prices,
    /// Language models, by name.
    pub models: BTreeMap<String, ModelSpec>,
    /// Who is asked, by role.
    pub roles: BTreeMap<String, Vec<String>>,
    pub(crate) host_labels: BTreeMap<String, Vec<String>>,
    /// What stages may be granted beyond the contract's capabilities.
    pub(crate) grants: Vec<String>,
    pub(crate) sources: Vec<SourceFile>,
}

impl Policy {
    /// The backlog of this name.
    pub fn backlog(&self, name: &str) -> Option<&Backlog> {
        self.backlogs.get(name)
    }

    /// Every pair of a backlog and a pipeline that its entries may take, once.
    pub fn lanes(&self) -> impl Iterator<Item = (&Backlog, &Pipeline)> {
        self.backlogs.values().flat_map(move |backlog| {
            let mut names: Vec<_> = backlog.routes.iter().map(|route| route.pipeline.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            names.into_iter().filter_map(move |name| Some((backlog, self.pipelines.get(name)?)))
        })
    }

    /// Every backlog that has refine stages, with the pipeline that they make.
    pub fn refine_lanes(&self) -> impl Iterator<Item = (&Backlog, &Pipeline)> {
        self.backlogs.values().filter_map(|backlog| Some((backlog, &backlog.refine.as_ref()?.pipeline)))
    }

    /// The models that a pipeline grants to any of its stages and gates.
    pub fn models_of<'p>(
        &'p self,
        pipeline: &'p Pipeline,
    ) -> impl Iterator<Item = (&'p String, &'p ModelSpec)> {
        let grants: BTreeSet<&str> =
            pipeline.grants().filter_map(|grant| grant.strip_prefix("model:")).collect();
        self.models.iter().filter(move |(name, _)| grants.contains(name.as_str()))
    }

    /// The labels that a host must have to drive runs of a pipeline.
    pub fn host_labels(&self, pipeline: &str) -> &[String] {
        self.host_labels.get(pipeline).map_or(&[], Vec::as_slice)
    }

    /// The files that it was read from, with stars for what may be a secret: what a store keeps of a policy.
    pub fn files(&self) -> Vec<ConfigFile> {
        self.sources.iter().map(SourceFile::shown).collect()
    }

    /// The digest of the files, names included. Policies of one digest decide alike.
    pub fn digest(&self) -> Digest {
        Digest::of_parts(
            self.sources
                .iter()
                .flat_map(|source| [source.config.path.as_bytes(), source.config.text.as_bytes()]),
        )
    }
}

/// How a project runs on a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Where entries and runs are kept.
    pub store: StoreAddress,
    /// Where what stages produce is kept.
    pub artifacts: ArtifactsAddress,
    /// How long after the end of a run its events are packed.
    pub pack_after: Duration,
    /// How long a host that fell silent keeps its runs.
    pub lease: Duration,
    /// What stops the host while it exists.
    pub stop_file: StopFile,
    /// Runs driven at the same time.
    pub workers: usize,
}

/// A file that stops the host while it exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopFile {
    /// Relative to the project.
    pub path: String,
    /// How the host stops.
    pub mode: StopMode,
}

/// Declared sources, fields, eligibility and order.
#[derive(Debug, Clone)]
pub struct Backlog {
    /// Unique in the project.
    pub name: String,
    /// Who answers for what enters.
    pub owner: String,
    /// The time zone of its days and windows.
    pub zone: TimeZone,
    /// Pipelines; the first whose condition is true takes an entry.
    pub routes: Vec<Route>,
    /// When its sources are read.
    pub pull: Vec<Schedule>,
    /// The minutes in which work may start; none means all.
    pub claim: Option<Cron>,
    /// What finds out more of an entry before it is judged.
    pub refine: Option<Refine>,
    /// What enters.
    pub eligible: Formula,
    /// What comes first.
    pub order: Order,
    /// What a changed item does whose work is over.
    pub on_change: OnChange,
    /// What says that work was done before Tollgate.
    pub done: Option<Done>,
    /// How its entries depend on each other.
    pub depends: Depends,
    /// Where its items are.
    pub sources: Vec<FolderSource>,
    /// Whether it takes entries that live in the store alone.
    pub internal: bool,
    /// How much may come in that nobody looked at.
    pub intake: Intake,
    /// What is known of an entry, by name.
    pub fields: BTreeMap<String, Field>,
    /// Fields that anyone may have written and that rules may read nevertheless.
    pub trust_text: Vec<String>,
    pub(crate) expectations: Vec<Expectation>,
}

impl Backlog {
    /// The source whose tracker has this name.
    pub fn source(&self, tracker: &str) -> Option<&FolderSource> {
        self.sources.iter().find(|source| source.tracker() == tracker)
    }

    /// Whether work may start now.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.claim.as_ref().is_none_or(|window| window.matches(now))
    }

    /// How long an item of any of its sources must have been still to be read.
    pub fn settle(&self) -> Duration {
        self.sources.iter().map(|source| source.settle).max().unwrap_or_default()
    }

    /// When work may start next: now where the window is open; never (none) where it opens no more.
    pub fn next_open(&self, now: Timestamp) -> Option<Timestamp> {
        match &self.claim {
            Some(window) if !window.matches(now) => window.next_after(now),
            _ => Some(now),
        }
    }

    /// What an entry says once its item was moved to the state that its source calls `outcome`; none where the source moves none
    /// there. It is foreseen from what the entry says: only the fields that the state is read into change.
    pub fn moved(&self, snapshot: &EntrySnapshot, outcome: &str) -> Option<EntrySnapshot> {
        let source = self.sources.iter().find(|source| source.tracker() == snapshot.name.tracker)?;
        let moves = source.moves.as_ref()?;
        let fields =
            fields::moved(&self.fields, snapshot, &moves.field, moves.states.get(outcome)?, &self.zone);
        Some(EntrySnapshot { fields, ..snapshot.clone() })
    }

    /// When its sources are read next, having been read at `last`.
    pub fn next_pull(&self, last: Timestamp) -> Option<Timestamp> {
        self.pull.iter().filter_map(|schedule| schedule.next_after(last)).min()
    }

    /// Days between writing and `now`, by the calendar of its zone.
    pub fn age_days(&self, created: Timestamp, now: Timestamp) -> i64 {
        fields::days_between(created, now, &self.zone)
    }

    /// The time that a text names: RFC 3339, or a date with or without a time in its zone. A date alone is its first moment.
    pub fn time_of(&self, text: &str) -> Option<Timestamp> {
        fields::timestamp(text.trim(), &self.zone)
    }

    /// The day of `time`, counted from 1970-01-01.
    pub(crate) fn day_number(&self, time: Timestamp) -> i64 {
        fields::day_number(time, &self.zone)
    }

    /// The first moment of the day `days` after that of `now`.
    pub fn midnight(&self, now: Timestamp, days: i64) -> Option<Timestamp> {
        let date = now.to_jiff().to_zoned(self.zone.clone()).date();
        let day = date.checked_add(jiff::Span::new().try_days(days).ok()?).ok()?;
        day.to_zoned(self.zone.clone()).ok().map(|midnight| midnight.timestamp().into())
    }
}

/// Stages that find out more of an entry before it is judged.
#[derive(Debug, Clone)]
pub struct Refine {
    /// They and their limits.
    pub pipeline: Pipeline,
    /// What they are asked: [`tollgate_core::refine::asked`].
    pub asked: Digest,
}

/// How much may come in that nobody looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intake {
    /// How many new items of one source, where the project says so.
    pub per_source: Option<Rate>,
    /// How many new items of one author, where the project says so.
    pub per_author: Option<Rate>,
    /// How like an earlier entry one may be, in thousandths; none: they are not compared.
    pub duplicate_thousandths: Option<u32>,
    /// How many entries runs may open that one entry led to.
    pub per_origin: u32,
    /// How many openings may lead from an entry that no run opened to one that runs opened.
    pub depth: u32,
}

impl Intake {
    /// What holds of one source and of one author. Of what no person wrote into a source there is a limit in any case.
    pub fn rates(&self, is_internal: bool) -> (Option<&Rate>, Option<&Rate>) {
        let or = |rate: &'static Rate| is_internal.then_some(rate);
        (
            self.per_source.as_ref().or_else(|| or(&Rate::PER_INTERNAL_SOURCE)),
            self.per_author.as_ref().or_else(|| or(&Rate::PER_INTERNAL_AUTHOR)),
        )
    }
}

/// So many in so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// In any span of this length.
    pub window: Duration,
}

impl Rate {
    /// What comes into the internal source, where a project does not say.
    pub const PER_INTERNAL_SOURCE: Self = Self { count: 60, window: Duration::from_secs(300) };
    /// What one author puts there.
    pub const PER_INTERNAL_AUTHOR: Self = Self { count: 20, window: Duration::from_secs(300) };
}

/// A pipeline for some entries.
#[derive(Debug, Clone)]
pub struct Route {
    /// The pipeline's name.
    pub pipeline: String,
    /// Which entries take it; none means all.
    pub when: Option<Formula>,
}

/// What comes first in a backlog.
#[derive(Debug, Clone)]
pub enum Order {
    /// The largest result.
    Priority(Formula),
    /// These, one after the other.
    By(Vec<OrderKey>),
}

/// Something that entries are ordered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderKey {
    /// What.
    pub source: OrderSource,
    /// Which end comes first.
    pub direction: Direction,
}

/// What entries are ordered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderSource {
    /// A declared field. Entries without it come last in either direction.
    Field(String),
    /// The author; entries without one are as with an empty one.
    Author,
    /// When it was written.
    Created,
    /// The key, as a text.
    Key,
    /// The kind.
    Kind,
    /// The title.
    Title,
    /// The tracker.
    Tracker,
}

/// How entries depend on each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Depends {
    /// When a dependency counts as satisfied.
    pub rule: DependencyRule,
    /// Beginnings of keys, as written and as they are now; of several that fit, the longest counts.
    pub alias: Vec<(String, String)>,
}

impl Depends {
    /// The key as it is now, where an alias changes it.
    pub fn resolve(&self, written: &str) -> Option<String> {
        let fits = |alias: &&(String, String)| {
            written.get(..alias.0.len()).is_some_and(|start| start.eq_ignore_ascii_case(&alias.0))
        };
        let (from, to) = self.alias.iter().filter(fits).max_by_key(|alias| alias.0.len())?;
        let resolved = format!("{to}{}", &written[from.len()..]);
        (resolved != written).then_some(resolved)
    }
}

/// A folder of Markdown files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderSource {
    /// Its number among the sources of its backlog.
    pub position: usize,
    /// Relative to the project.
    pub folder: String,
    /// The kind of its items.
    pub kind: Option<String>,
    /// Patterns of files that are no items, relative to the folder.
    pub ignore: Vec<String>,
    /// How long a file must have been still before it is read.
    pub settle: Duration,
    /// Front matter members.
    pub names: FrontMatterNames,
    /// States that mean closed, in lower case.
    pub closed: Vec<String>,
    /// The ending of the files that records are written to.
    pub records: String,
    /// States that items are moved to; none: no line of an item is ever touched.
    pub moves: Option<Moves>,
    /// How it shows that a run works on an item.
    pub claim_marker: ClaimMarker,
    /// Folders below it that items are moved to.
    pub shelves: Shelves,
    /// Whether an item that somebody moves back is worked on again.
    pub retry_failed: bool,
}

/// Folders that items are moved to when their run is over, relative to their source's folder; none: they stay.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shelves {
    /// When it is done.
    pub done: Option<String>,
    /// When it failed.
    pub failed: Option<String>,
    /// When it was given to a person.
    pub escalated: Option<String>,
}

/// Members of front matter; none leaves it to the tracker, which knows the common ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FrontMatterNames {
    /// What names an item.
    pub key: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// Its labels.
    pub labels: Option<String>,
    /// When it was written.
    pub created: Option<String>,
    /// What it depends on.
    pub depends: Option<String>,
    /// Its state.
    pub state: Option<String>,
}

/// States that items are moved to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moves {
    /// The front matter member that holds the state.
    pub field: String,
    /// The tracker's word, by outcome (`done`, `failed`, `escalated`) or by the name that a plugin asks for.
    pub states: BTreeMap<String, String>,
}

/// Something that is known of an entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: FieldType,
    /// What it is for.
    pub purpose: Purpose,
    /// Where it is read; the first that says something counts.
    pub from: Vec<FieldOrigin>,
    /// Its value where the item says nothing.
    pub default: Option<FieldValue>,
    /// Whether an entry without it is held.
    pub required: bool,
    /// The texts it may be.
    pub values: Option<Vec<String>>,
    /// Anyone may have written it.
    pub is_text: bool,
}

/// Where a field is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldOrigin {
    /// A member of the front matter.
    FrontMatter(String),
    /// The rest of a label that begins so.
    LabelPrefix(String),
    /// Whether there is a label of this name.
    Label(String),
    /// The short text under a heading.
    Heading(String),
    /// What a refine stage found.
    Refine {
        /// The stage's name.
        stage: String,
        /// The member of its data; dots lead into what is inside it.
        member: String,
    },
}

impl FolderSource {
    /// Whether items have to be put somewhere, or a mark taken from them, when their run is over.
    pub fn places_items(&self) -> bool {
        self.claim_marker != ClaimMarker::None || self.shelves != Shelves::default()
    }

    /// What the tracker of the folder is called in entries, records and dependencies.
    pub fn tracker(&self) -> String {
        format!("folder:{}", self.folder.trim_start_matches("./").trim_end_matches('/'))
    }
}

impl std::fmt::Display for FieldOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::FrontMatter(name) => write!(f, "front-matter:{name}"),
            Self::LabelPrefix(prefix) => write!(f, "label:{prefix}*"),
            Self::Refine { stage, member } => write!(f, "refine:{stage}.{member}"),
            Self::Label(name) => write!(f, "label:{name}"),
            Self::Heading(name) => write!(f, "heading:{name}"),
        }
    }
}

/// The most that one call may use; what is absent is not bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StepBound {
    /// Units of fuel.
    pub fuel: Option<u64>,
    /// Wall time.
    pub time: Option<Duration>,
    /// Memory and tables together.
    pub memory_bytes: Option<u64>,
    /// Tokens that models read and write.
    pub tokens: Option<u64>,
}

/// A test of a backlog's policy.
#[derive(Debug, Clone)]
pub(crate) struct Expectation {
    pub(crate) given: Vec<Given>,
    /// The keys as they should come; none where the order is not tested.
    pub(crate) order: Option<Vec<String>>,
    /// What the eligibility rule should say of each.
    pub(crate) eligible: Option<bool>,
    /// The pipeline that each should take.
    pub(crate) pipeline: Option<String>,
}

/// An entry in a test of a policy.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) table: GivenTable,
    pub(crate) fields: BTreeMap<String, FieldValue>,
}

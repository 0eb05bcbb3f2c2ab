//! `tollgate.toml`, as it is written.
//!
//! The published schema is made of these types, and files are validated by that schema before they are read, so a key
//! that is not here is an error. Texts are still texts: what they mean is found in `resolve`, where all mistakes are
//! reported together.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tollgate_core::{StopMode, model::Provider};

use crate::pipeline_file::{BudgetTable, RetryTable};

/// The project: its backlogs, limits and roles.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectFile {
    /// How this project runs on a machine.
    #[serde(default)]
    pub instance: InstanceTable,
    /// What enters, in which order, and who answers for it; by name.
    #[serde(default)]
    pub backlog: BTreeMap<String, BacklogTable>,
    /// Bounds that hold for a plugin in every pipeline and version; by the plugin's name.
    #[serde(default)]
    pub plugin: BTreeMap<String, PluginTable>,
    /// What one call of a stage or gate may use, where nothing else is said.
    #[serde(default)]
    pub budget: BudgetTable,
    /// What the project may spend.
    #[serde(default)]
    pub caps: CapsTable,
    /// What things cost.
    #[serde(default)]
    pub prices: PricesTable,
    /// Language models that stages and gates can be granted; by name.
    #[serde(default)]
    pub model: BTreeMap<String, ModelTable>,
    /// Who is asked, by role: `tech-lead = ["team:platform"]`.
    #[serde(default)]
    pub roles: BTreeMap<String, Vec<String>>,
}

/// How a project runs on a machine.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstanceTable {
    /// Where entries and runs are kept: a file, `sqlite:.tollgate/tollgate.db` by default, or a PostgreSQL database that several hosts
    /// share, e.g. `postgres://tollgate@db.example.com/tollgate`. Its password is read from `PGPASSWORD` or `~/.pgpass`.
    pub store: Option<String>,
    /// Where what stages produce is kept, when several machines share it: `s3://bucket/prefix`, in Amazon's S3 or what speaks as it does;
    /// keys, region and endpoint come from the environment by their usual names (`AWS_…`). By default a folder beside the store.
    pub artifacts: Option<String>,
    /// How many days after the end of a run its events are packed, which take a fraction of the room then and are read as before;
    /// default 90.
    pub pack_after_days: Option<u32>,
    /// How long a host that fell silent keeps its runs; default `60s`.
    pub lease: Option<String>,
    /// A file that stops the host while it exists; default `.tollgate/stop`. What was begun is finished first, unless a
    /// table says otherwise: `{ path = ".tollgate/stop", mode = "now" }`.
    pub stop_file: Option<StopFileChoice>,
    /// Runs driven at the same time; default 4.
    #[schemars(range(min = 1, max = 256))]
    pub workers: Option<usize>,
}

/// A file that stops the host while it exists.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(extend("x-expected" = "a path such as \".tollgate/stop\", or { path = \"…\", mode = \"now\" }"))]
pub enum StopFileChoice {
    /// What was begun is finished.
    Path(String),
    /// As the table says.
    Table(StopFileTable),
}

/// A file that stops the host while it exists, and how.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StopFileTable {
    /// Relative to the project; default `.tollgate/stop`.
    pub path: Option<String>,
    /// `drain`, the default, finishes what was begun; `now` interrupts it within a second, and it goes on later.
    #[serde(default)]
    pub mode: StopMode,
}

/// Declared sources, fields, eligibility and order.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BacklogTable {
    /// Who answers for what enters.
    pub owner: String,
    /// The time zone of its days and windows, e.g. `Europe/Berlin`; default `UTC`.
    pub zone: Option<String>,
    /// The pipeline of its entries, or a list of pipelines with conditions of which the first true one is taken.
    pub pipeline: PipelineChoice,
    /// When its sources are read in full; default every minute. A folder is read as well when it tells of a change.
    pub pull: Option<Vec<ScheduleTable>>,
    /// When work may start: in every minute that matches. Without it, at any time.
    pub claim: Option<WindowTable>,
    /// Stages that find out more of an entry when it arrives and when it changes, before it is judged; what they find, fields are
    /// read from. They change nothing outside.
    #[serde(default)]
    pub refine: Vec<RefineTable>,
    /// A formula that says which items enter, e.g. `"tollgate" in labels`. An item that nobody declared never enters,
    /// so there is no default; write `true` to take all.
    pub eligible: String,
    /// A formula whose result orders the backlog, the largest first. Either this or `order_by`.
    pub priority: Option<String>,
    /// What the backlog is ordered by, e.g. `["-field.value", "kind", "key"]`; `-` puts the largest first.
    pub order_by: Option<Vec<String>>,
    /// What a changed item does whose work is over: nothing, ask a person, or run again; default `ask`.
    #[serde(default)]
    pub on_change: OnChange,
    /// What says that the work of an item was done before Tollgate, for `tollgate backlog adopt`: a formula, e.g.
    /// `"has-spec" in labels`, or a table.
    pub done: Option<DoneChoice>,
    /// How entries depend on each other.
    #[serde(default)]
    pub depends: DependsTable,
    /// How much may come in that nobody looked at.
    #[serde(default)]
    pub intake: IntakeTable,
    /// Fields taken from text that anyone may write which `eligible` and constraints may read nevertheless.
    #[serde(default)]
    pub trust_text: Vec<String>,
    /// Where its items are.
    #[schemars(length(min = 1))]
    pub source: Vec<SourceTable>,
    /// What is known of an entry beyond title, labels and age; by name.
    #[serde(default)]
    pub fields: BTreeMap<String, FieldTable>,
    /// Tests of the policy, run by `tollgate check`.
    #[serde(default)]
    pub expect: Vec<ExpectTable>,
}

/// A pipeline, or pipelines with conditions.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(extend("x-expected" = "a pipeline's name or a list such as [{ use = \"name\", when = '…' }]"))]
pub enum PipelineChoice {
    /// Every entry takes this one.
    One(String),
    /// The first whose condition is true.
    Routes(Vec<RouteTable>),
}

/// A pipeline for some entries.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteTable {
    /// The pipeline's name: that of its file in `pipelines/`, without `.toml`.
    #[serde(rename = "use")]
    pub pipeline: String,
    /// A formula that says which entries take it; default all.
    pub when: Option<String>,
}

/// A stage that finds out more of an entry before it is judged. What was refined is refined again when what the plugin reads of
/// it changes, or when `plugin`, `name` or `with` is written differently here; a newer version that fits `plugin` is for what
/// comes after it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefineTable {
    /// `name@^1`, `name` or a digest.
    pub plugin: String,
    /// Unique among them; default the plugin's name. Fields are read from `refine:NAME.MEMBER`.
    pub name: Option<String>,
    /// What it may touch: `model` or `model:NAME`; default nothing. It asks for no effects.
    #[serde(default)]
    pub grant: Vec<String>,
    /// What one call may use.
    #[serde(default)]
    pub budget: BudgetTable,
    /// What happens when a call fails for a reason that may pass.
    #[serde(default)]
    pub retry: RetryTable,
    /// The plugin's settings.
    #[serde(default)]
    pub with: serde_json::Map<String, serde_json::Value>,
}

/// When something happens: either `every` or `cron`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleTable {
    /// Time between, e.g. `5m`.
    pub every: Option<String>,
    /// Five fields of cron, e.g. `*/15 8-18 * * Mon-Fri`.
    pub cron: Option<String>,
}

/// When work may start.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowTable {
    /// Five fields of cron; each minute that matches is open, e.g. `* 8-18 * * Mon-Fri`.
    pub cron: String,
}

/// What a changed item does whose work is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnChange {
    /// Nothing.
    Ignore,
    /// A person is asked.
    #[default]
    Ask,
    /// It runs again.
    Rerun,
}

/// What says that work was done before Tollgate.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(extend("x-expected" = "a formula such as '\"has-spec\" in labels', or { when = '…', file = \"specs/{key}.md\" }"))]
pub enum DoneChoice {
    /// A formula.
    Rule(String),
    /// As the table says.
    Table(DoneTable),
}

/// What says that work was done before Tollgate: `when`, `file`, or both, which must agree.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DoneTable {
    /// A formula that is true for an item whose work was done.
    pub when: Option<String>,
    /// A formula that is true for an item of which that is doubtful, e.g. `"reopened" in labels`.
    pub doubt: Option<String>,
    /// The file that the work leaves behind, relative to the project, e.g. `specs/{key}.md`.
    pub file: Option<String>,
}

/// How entries depend on each other.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DependsTable {
    /// When a dependency counts as satisfied; default `either`.
    #[serde(default)]
    pub rule: tollgate_core::entry::DependencyRule,
    /// Beginnings of keys that are written differently now, e.g. `{ "task-" = "BACK-" }`.
    #[serde(default)]
    pub alias: BTreeMap<String, String>,
}

/// How much may come in that nobody looked at.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntakeTable {
    /// How many new items of one source may come in, and in how long, e.g. `50 / 5m`; default `60 / 5m` for the internal source,
    /// and no limit for folders. What is there when a source is read in full for the first time does not count. What exceeds is
    /// held, and let in when there is room.
    pub per_source: Option<String>,
    /// The same for one author; default `20 / 5m` for the internal source. The author of what runs open is their pipeline.
    pub per_author: Option<String>,
    /// Whether a new entry that says nearly what an earlier one of the backlog says is held: `true` where three quarters of the words
    /// of title and text are the same, or that share, e.g. `0.9`. Compared are entries that came in since this was asked for. Default
    /// false, since texts that are written by a template are alike by nature.
    pub duplicates: Option<DuplicatesChoice>,
    /// How many entries runs may open that one entry led to, in all; default 100. What exceeds is held until a person lets it in.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub per_origin: Option<u32>,
    /// How many openings may lead from an entry that no run opened to one that runs opened; default 3. What would be deeper is
    /// refused.
    #[schemars(range(min = 0, max = 100))]
    pub depth: Option<u32>,
}

/// Whether entries are compared.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(extend("x-expected" = "true, false or a share of words such as 0.75"))]
pub enum DuplicatesChoice {
    /// Or not.
    Whether(bool),
    /// The share of words that may be the same.
    Likeness(f64),
}

/// Where items are: either a `folder` of Markdown files, or `internal`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceTable {
    /// Relative to the project, e.g. `docs/backlog`.
    pub folder: Option<String>,
    /// `true`: the backlog takes entries that live in the store alone, which `tollgate backlog add` and stages with the grant
    /// `effect:open-entry` open. Nothing else is said of such a source.
    pub internal: Option<bool>,
    /// The kind of its items, e.g. `defect`.
    pub kind: Option<String>,
    /// Patterns of files that are no items, e.g. `on-hold/**`; relative to the folder.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// How long a file must have been still before it is read; default `2s`.
    pub settle: Option<String>,
    /// The front matter member that names an item.
    pub key: Option<String>,
    /// The front matter member with the title.
    pub title: Option<String>,
    /// The front matter member with the labels.
    pub labels: Option<String>,
    /// The front matter member with the time of writing.
    pub created: Option<String>,
    /// The front matter member with the keys it depends on. A key is looked for in the item's own source, then in the other sources
    /// of the backlog; `folder:docs/tasks#BACK-3` names the source that is meant.
    pub depends: Option<String>,
    /// The front matter member with the state.
    pub state: Option<String>,
    /// States that mean closed, compared without regard to case; default `done`, `completed`, `closed`, `fixed`,
    /// `wontfix`, `cancelled`.
    pub closed: Option<Vec<String>>,
    /// The ending of the files beside the items that records are written to; default `.tollgate.md`.
    pub records: Option<String>,
    /// How the folder shows that a run works on an item: `none`, the default; `sidecar`, a file `NAME.tollgate-claim` beside
    /// it; `move`, the item is in `in-progress/` meanwhile.
    #[serde(default)]
    pub claim_marker: ClaimMarker,
    /// The folder, below this one, that an item is moved to with its record when its run is done, e.g. `completed/`.
    pub on_done: Option<String>,
    /// The same for an item whose run failed, e.g. `on-hold/`. Items there are not worked on.
    pub on_failed: Option<String>,
    /// The same for an item that was given to a person.
    pub on_escalated: Option<String>,
    /// Whether an item that somebody moves back from there is worked on again; default false.
    #[serde(default)]
    pub retry_failed: bool,
    /// States that an item is moved to: `field` names the front matter member (default `status`), every other key an
    /// outcome (`done`, `failed`, `escalated`) or a state that a plugin asks for.
    #[serde(rename = "move")]
    pub moves: Option<BTreeMap<String, String>>,
}

/// How a folder shows that a run works on an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClaimMarker {
    /// Not at all.
    #[default]
    None,
    /// By a file beside the item.
    Sidecar,
    /// The item is in `in-progress/` meanwhile.
    Move,
}

/// Something that is known of an entry.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldTable {
    /// What its values are.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// What it is for. A `constraint` is a timestamp before which the entry is not started.
    pub purpose: Purpose,
    /// Where it is read: `front-matter:NAME`, `label:PREFIX*`, `label:NAME`, `heading:NAME`, `refine:STAGE.MEMBER`, or a list of
    /// which the first that says something counts. What a person sets by `tollgate backlog set` comes before all of them.
    pub from: OneOrMany,
    /// Its value where the item says nothing.
    pub default: Option<serde_json::Value>,
    /// Whether an entry without it is held; default true, and false where there is a default.
    pub required: Option<bool>,
    /// The texts it may be, compared without regard to case.
    pub values: Option<Vec<String>>,
    /// `text`: anyone may have written it, or decided it by what they wrote, so `eligible` and constraints may not read it unless `trust_text` lists it.
    pub trust: Option<Trust>,
}

/// What the values of a field are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FieldType {
    /// A text.
    String,
    /// A number.
    Number,
    /// True or false.
    Bool,
    /// A date, or date and time; without an offset it is of the backlog's zone.
    Timestamp,
    /// Texts.
    List,
}

impl FieldType {
    /// The word that people write.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Bool => "bool",
            Self::Timestamp => "timestamp",
            Self::List => "list",
        }
    }

    /// With its article, as messages name it.
    pub(crate) fn described(self) -> &'static str {
        match self {
            Self::String => "a text",
            Self::Number => "a number",
            Self::Bool => "true or false",
            Self::Timestamp => "a time, e.g. `2026-11-21` or `2026-11-21T08:00:00Z`",
            Self::List => "a list of texts",
        }
    }
}

/// What a field is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// It decides which entry comes first.
    Order,
    /// It decides whether the entry enters.
    Eligibility,
    /// It decides which pipeline the entry takes.
    Routing,
    /// It decides when the entry may start.
    Constraint,
    /// Plugins read it.
    Input,
}

impl Purpose {
    /// The word that people write.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Eligibility => "eligibility",
            Self::Routing => "routing",
            Self::Constraint => "constraint",
            Self::Input => "input",
        }
    }
}

/// One text, or several.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(extend("x-expected" = "a place such as \"front-matter:priority\", or a list of places"))]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several, in order.
    Many(#[schemars(length(min = 1))] Vec<String>),
}

impl OneOrMany {
    /// All of them.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// Whose word a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// Anyone may have written it.
    Text,
}

/// A test of the policy: of at least one of order, eligibility and pipeline.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectTable {
    /// The entries.
    #[schemars(length(min = 1))]
    pub given: Vec<GivenTable>,
    /// Their keys, as they should come, whether they are eligible or not.
    pub order: Option<Vec<String>>,
    /// What the eligibility rule should say of each of them.
    pub eligible: Option<bool>,
    /// The pipeline that each of them should take.
    pub pipeline: Option<String>,
}

/// An entry in a test of the policy. What it does not say is empty, and its fields have their defaults.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenTable {
    /// Its key.
    pub key: String,
    /// Its kind.
    #[serde(default)]
    pub kind: String,
    /// Its title.
    #[serde(default)]
    pub title: String,
    /// Its author.
    #[serde(default)]
    pub author: String,
    /// Its labels.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Its age in days.
    #[serde(default)]
    pub age_days: u32,
    /// Values of declared fields.
    #[serde(default)]
    pub field: BTreeMap<String, serde_json::Value>,
}

/// Bounds of a plugin.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PluginTable {
    /// The most that any stage or gate may give it for one call.
    #[serde(default)]
    pub budget: BudgetTable,
}

/// What a project may spend.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CapsTable {
    /// The time zone whose midnight begins a day; default `UTC`.
    pub zone: Option<String>,
    /// Dollars in one day, e.g. `$20`; without it there is no limit.
    pub day: Option<String>,
    /// Dollars in one month.
    pub month: Option<String>,
}

/// What things cost.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PricesTable {
    /// Dollars for a thousand million units of fuel; default `$0.0001`.
    pub per_gigafuel: Option<String>,
}

/// A language model.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelTable {
    /// How its provider is spoken to: `anthropic`, or `openai`, which many others speak too.
    pub provider: Provider,
    /// Where its provider is, e.g. `http://localhost:11434/v1`; default the provider's own place.
    pub base_url: Option<String>,
    /// Its name at its provider.
    pub model: String,
    /// Where the key is kept; none where none is needed.
    pub key: Option<KeyTable>,
    /// What its tokens cost.
    pub price: PriceTable,
    /// The longest reply that may be asked for, in tokens; default 4096.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_tokens: Option<u32>,
    /// How long a reply may take; default `2m`.
    pub timeout: Option<String>,
}

/// Where a key is kept: either `env` or `file`. The key itself is written into no file that is shared.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyTable {
    /// A variable of the environment, e.g. `ANTHROPIC_API_KEY`.
    pub env: Option<String>,
    /// A file that holds nothing else; a relative path is one in the project.
    pub file: Option<String>,
}

/// What the tokens of a model cost.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceTable {
    /// What it reads, e.g. `$3 / 1M`.
    pub input: String,
    /// What it writes, e.g. `$15 / 1M`.
    pub output: String,
}

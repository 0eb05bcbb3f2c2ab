//! What `--json` prints: the names here are what programs rely on. A member is added, never renamed or removed.
//!
//! Money is in microcents (100,000,000 are a dollar), scores in thousandths, times in RFC 3339. Entries, runs, steps, events and
//! records are as `tollgate_core` writes them; `schemas/record.schema.json` describes the latter.

mod escalation;
mod store;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use tollgate_core::{
    Digest, HostId, Microcents, RunId, Timestamp,
    adoption::{Adoption, Evidence},
    approval::Decision,
    child::ChildStatus,
    course::EffectRef,
    effect::{Delivered, Effect},
    entry::{EntryName, EntryState, EntryStatus, HoldKind, Link},
    event::Event,
    late::Late,
    record::{OrderFacts, Record, Term},
    refine::SetField,
    run::RunSummary,
    step::Step,
};
use tollgate_engine::Outcome;
use tollgate_policy::{
    Backlog, BacklogSchema, DeclaredField, Diagnostic, FieldReading, FieldSource, FieldType, FieldUse,
    Policy, Purpose, Severity, formula::FieldValue,
};
use tollgate_store::port::{
    CapBalanceReport, Child, Coverage, EntryDetail, Family, LinkStatus, OpenWork, RunDetail,
};

pub(crate) use escalation::{Escalation, EscalationList};
pub(crate) use store::{ArtifactsFound, Exported, Imported, Migrated, StoreStatus};

/// `backlog list`.
#[derive(Debug, Serialize)]
pub(crate) struct EntryList {
    /// The entries that are shown.
    pub(crate) entries: Vec<EntryStatus>,
    /// How many there are in all.
    pub(crate) total: u64,
}

/// `backlog add`.
#[derive(Debug, Serialize)]
pub(crate) struct Added {
    /// What was done.
    pub(crate) change: AddedChange,
    /// The entry, as it is now.
    #[serde(flatten)]
    pub(crate) entry: EntryStatus,
}

/// What `backlog add` did.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AddedChange {
    /// The entry is new.
    Created,
    /// It was there and says something else now.
    Revised,
    /// It was there.
    None,
}

/// `backlog rank`.
#[derive(Debug, Default, Serialize)]
pub(crate) struct RankList {
    /// Entries that wait, the next one first within its backlog and pipeline.
    pub(crate) entries: Vec<Ranked>,
    /// How many wait in all.
    pub(crate) total: u64,
    /// Entries that were named and have no place, with the reason.
    pub(crate) without_place: Vec<Placeless>,
    /// Names of no entry.
    pub(crate) unknown: Vec<String>,
    /// The time that was asked for; null for now.
    pub(crate) as_of: Option<Timestamp>,
    /// What is as it is today in an order of another time, a sentence each.
    pub(crate) as_of_today: Vec<String>,
}

/// An entry that has no place in an order.
#[derive(Debug, Serialize)]
pub(crate) struct Placeless {
    /// Its key.
    pub(crate) key: String,
    /// Its state now.
    pub(crate) state: EntryState,
    /// Why it has none.
    pub(crate) reason: String,
}

/// `backlog schema`.
#[derive(Debug, Serialize)]
pub(crate) struct SchemaList {
    /// By backlog.
    pub(crate) backlogs: Vec<Schema>,
}

/// The declared fields of a backlog.
#[derive(Debug, Serialize)]
pub(crate) struct Schema {
    /// Which backlog.
    pub(crate) backlog: String,
    /// Its fields, by name.
    pub(crate) fields: Vec<SchemaField>,
    /// Fields that its plugins would be handed if they were declared, with who would read each.
    pub(crate) undeclared: BTreeMap<String, Vec<String>>,
}

/// A declared field.
#[derive(Debug, Serialize)]
pub(crate) struct SchemaField {
    /// Its name.
    pub(crate) name: String,
    /// What its values are.
    #[serde(rename = "type")]
    pub(crate) kind: FieldType,
    /// The texts it may be; null for any.
    pub(crate) values: Option<Vec<String>>,
    /// What it is for.
    pub(crate) purpose: Purpose,
    /// Where it is read; the first that says something counts.
    pub(crate) from: Vec<String>,
    /// Its value where the item says nothing.
    pub(crate) default: Option<Value>,
    /// Whether an entry without it is held.
    pub(crate) required: bool,
    /// `text` when anyone may have written it.
    pub(crate) trust: Option<&'static str>,
    /// Whether `eligible` and constraints may read it.
    pub(crate) trusted: bool,
    /// Who reads it.
    pub(crate) used_by: Vec<String>,
}

impl From<BacklogSchema> for Schema {
    fn from(schema: BacklogSchema) -> Self {
        let words = |uses: Vec<FieldUse>| uses.iter().map(ToString::to_string).collect::<Vec<_>>();
        let field = |DeclaredField { field, used_by, is_trusted }| SchemaField {
            kind: field.kind,
            purpose: field.purpose,
            from: field.from.iter().map(ToString::to_string).collect(),
            default: field.default.as_ref().map(FieldValue::to_json),
            required: field.required,
            trust: field.is_text.then_some("text"),
            trusted: is_trusted,
            used_by: words(used_by),
            values: field.values,
            name: field.name,
        };
        Self {
            backlog: schema.backlog,
            fields: schema.fields.into_iter().map(field).collect(),
            undeclared: schema.undeclared.into_iter().map(|(name, uses)| (name, words(uses))).collect(),
        }
    }
}

/// An entry in its place.
#[derive(Debug, Serialize)]
pub(crate) struct Ranked {
    /// The entry.
    #[serde(flatten)]
    pub(crate) status: EntryStatus,
    /// 1 for the next of its backlog and pipeline.
    pub(crate) position: u64,
    /// The terms of its score; empty unless they were asked for, or where the backlog orders by keys.
    pub(crate) terms: Vec<Term>,
}

/// `why` and `backlog show`.
#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    /// Its line.
    #[serde(flatten)]
    pub(crate) status: EntryStatus,
    /// Whether its tracker says that it is closed.
    pub(crate) closed: bool,
    /// Labels.
    pub(crate) labels: Vec<String>,
    /// Declared fields.
    pub(crate) fields: serde_json::Map<String, Value>,
    /// The same and those without a value, with whose word each is, by the policy as it is on the disk.
    pub(crate) fields_told: Vec<FieldTold>,
    /// What it says.
    pub(crate) body: String,
    /// Links from it.
    pub(crate) links: Vec<EntryLink>,
    /// Keys of entries that depend on it and wait.
    pub(crate) waiting_for_it: Vec<String>,
    /// Entries that its runs opened, oldest first.
    pub(crate) children: Vec<EntryChild>,
    /// The terms of its score.
    pub(crate) terms: Vec<Term>,
    /// How many come before it in its backlog and pipeline; null when it does not wait for its turn.
    pub(crate) ahead: Option<u64>,
    /// How many can be claimed there, this one included; null when it does not wait for its turn.
    pub(crate) waiting: Option<u64>,
    /// Its runs, newest first.
    pub(crate) runs: Vec<RunSummary>,
    /// Its adoptions, oldest first.
    pub(crate) adoptions: Vec<Adoption>,
    /// Whether it is over, and says something else than what was worked on or adopted.
    pub(crate) changed_since: bool,
    /// What `why` says, a sentence each; empty for `backlog show`.
    pub(crate) sentences: Vec<String>,
}

/// A declared field of an entry, and whose word it is.
#[derive(Debug, Serialize)]
pub(crate) struct FieldTold {
    /// Its name.
    pub(crate) name: String,
    /// Its value; null where it has none.
    pub(crate) value: Option<Value>,
    /// Where it was read, e.g. `front-matter:priority` or `refine:triage.effort`; `person`, `default`, `not refined`, `nobody`, or
    /// what is wrong with what was said.
    pub(crate) source: String,
    /// The person's word, where it is one.
    pub(crate) set: Option<SetField>,
    /// `text` when anyone may have written it or decided it by what they wrote.
    pub(crate) trust: Option<&'static str>,
    /// Whether `eligible` and constraints may read it.
    pub(crate) trusted: bool,
}

impl FieldTold {
    fn of(detail: &EntryDetail, policy: &Policy) -> Vec<Self> {
        let Some(backlog) = policy.backlog(&detail.status.backlog) else { return Vec::new() };
        let readings = backlog.read_fields(&detail.item, &detail.supplement, detail.snapshot.created_at);
        readings.into_iter().map(|reading| Self::from_reading(backlog, reading)).collect()
    }

    fn from_reading(backlog: &Backlog, reading: FieldReading) -> Self {
        let is_text = backlog.fields.get(&reading.name).is_some_and(|field| field.is_text);
        let is_listed = backlog.trust_text.contains(&reading.name);
        let (source, set) = match reading.source {
            FieldSource::Person(set) => ("person".to_owned(), Some(set)),
            FieldSource::Place(origin) => (origin.to_string(), None),
            FieldSource::Default => ("default".to_owned(), None),
            FieldSource::NotRefined => ("not refined".to_owned(), None),
            FieldSource::Nobody => ("nobody".to_owned(), None),
            FieldSource::Invalid(reason) => (reason, None),
        };
        // A person's word is theirs, whoever may write the text.
        let trust = (is_text && set.is_none()).then_some("text");
        Self { name: reading.name, value: reading.value, source, set, trust, trusted: !is_text || is_listed }
    }
}

/// `backlog adopt`.
#[derive(Debug, Serialize)]
pub(crate) struct AdoptReport {
    /// Whether nothing was to be changed.
    pub(crate) dry_run: bool,
    /// Entries whose work was done, and nothing speaks against it.
    pub(crate) certain: Vec<Adoptable>,
    /// Entries whose work was done, or not.
    pub(crate) doubtful: Vec<Adoptable>,
    /// Work that was done more than once.
    pub(crate) twice_done: Vec<TwiceDone>,
    /// What cannot be adopted.
    pub(crate) refused: Vec<Refused>,
    /// How many entries were adopted now.
    pub(crate) adopted: u64,
    /// How many entries with evidence were adopted before.
    pub(crate) adopted_before: u64,
    /// How many entries that a rule finds are done by runs.
    pub(crate) done_by_runs: u64,
}

/// An entry with evidence of earlier work.
#[derive(Debug, Serialize)]
pub(crate) struct Adoptable {
    /// The entry as it was before.
    #[serde(flatten)]
    pub(crate) entry: EntryStatus,
    /// What says that its work was done.
    pub(crate) evidence: Vec<Evidence>,
    /// What speaks against it, a sentence each.
    pub(crate) doubts: Vec<String>,
    /// Whether it is to be adopted.
    pub(crate) chosen: bool,
}

/// Work that was done more than once.
#[derive(Debug, Serialize)]
pub(crate) struct TwiceDone {
    /// Keys of the entry, or of those that say the same.
    pub(crate) entries: Vec<String>,
    /// A sentence.
    pub(crate) reason: String,
}

/// Something that cannot be adopted.
#[derive(Debug, Serialize)]
pub(crate) struct Refused {
    /// As it is named.
    pub(crate) entry: String,
    /// Why not.
    pub(crate) reason: String,
}

/// `backlog take-over`.
#[derive(Debug, Serialize)]
pub(crate) struct TakenOver {
    /// Whether nothing was to be changed.
    pub(crate) dry_run: bool,
    /// By tracker.
    pub(crate) trackers: Vec<TakenOverTracker>,
}

/// A tracker that this store keeps now.
#[derive(Debug, Serialize)]
pub(crate) struct TakenOverTracker {
    /// Which one.
    pub(crate) tracker: String,
    /// The store that kept it before; null where this one did.
    pub(crate) from: Option<String>,
    /// Runs rebuilt from records.
    pub(crate) runs: u64,
    /// Adoptions rebuilt from records.
    pub(crate) adoptions: u64,
    /// Keys of items with records that do not verify.
    pub(crate) damaged: Vec<String>,
}

/// An entry that a run of another opened.
#[derive(Debug, Serialize)]
pub(crate) struct EntryChild {
    /// Its name.
    #[serde(flatten)]
    pub(crate) name: EntryName,
    /// Its state now.
    pub(crate) state: EntryState,
    /// The run that opened it.
    pub(crate) opened_by: RunId,
}

/// A link and where it leads.
#[derive(Debug, Serialize)]
pub(crate) struct EntryLink {
    /// The link.
    #[serde(flatten)]
    pub(crate) link: Link,
    /// The state of the entry that it leads to; null when there is none.
    pub(crate) target: Option<EntryState>,
    /// For a dependency: whether it is satisfied.
    pub(crate) satisfied: bool,
}

impl From<Child> for EntryChild {
    fn from(child: Child) -> Self {
        Self { name: child.name, state: child.state, opened_by: child.opened_by }
    }
}

impl From<LinkStatus> for EntryLink {
    fn from(status: LinkStatus) -> Self {
        Self { link: status.link, target: status.target, satisfied: status.satisfied }
    }
}

impl Entry {
    /// All that is known of an entry, with what is to be said of it.
    pub(crate) fn new(detail: EntryDetail, policy: &Policy, sentences: Vec<String>) -> Self {
        let fields_told = FieldTold::of(&detail, policy);
        let standing = detail.standing.filter(|_| detail.status.state == EntryState::Ready);
        Self {
            status: detail.status,
            closed: detail.closed,
            labels: detail.snapshot.labels,
            fields: detail.snapshot.fields,
            fields_told,
            body: detail.snapshot.body,
            links: detail.links.into_iter().map(EntryLink::from).collect(),
            waiting_for_it: detail.waiting_for_it,
            children: detail.children.into_iter().map(EntryChild::from).collect(),
            terms: detail.terms,
            ahead: standing.as_ref().map(|standing| standing.ahead),
            waiting: standing.map(|standing| standing.waiting),
            runs: detail.runs,
            adoptions: detail.adoptions,
            changed_since: detail.changed_since,
            sentences,
        }
    }
}

/// `runs list`.
#[derive(Debug, Serialize)]
pub(crate) struct RunList {
    /// The runs that are shown, newest first.
    pub(crate) runs: Vec<RunSummary>,
    /// How many there are in all.
    pub(crate) total: u64,
}

/// `runs show`.
#[derive(Debug, Serialize)]
pub(crate) struct Run {
    /// Its line.
    #[serde(flatten)]
    pub(crate) summary: RunSummary,
    /// The score at claim and its terms.
    pub(crate) order: OrderFacts,
    /// Its calls, oldest first.
    pub(crate) steps: Vec<Step>,
    /// Effects and what became of them.
    pub(crate) effects: Vec<RunEffect>,
    /// What happened, oldest first.
    pub(crate) events: Vec<Event>,
    /// What people answered when it asked, oldest first.
    pub(crate) decisions: Vec<Decision>,
    /// The entries that it opened, in the order in which they were made.
    pub(crate) children: Vec<ChildStatus>,
    /// What it may cost with them, and what they have cost; null when it opened nothing.
    pub(crate) family: Option<RunFamily>,
    /// What is set aside for it and not spent.
    pub(crate) escrow: Microcents,
    /// What hosts brought after they had lost it, oldest first: refused, and kept as evidence.
    pub(crate) late: Vec<Late>,
    /// Its record, once it is over.
    pub(crate) record: Option<Record>,
    /// What became of the record; null while it is to be delivered.
    pub(crate) record_delivered: Option<Delivered>,
}

/// A run and what it opened.
#[derive(Debug, Serialize)]
pub(crate) struct RunFamily {
    /// What all of it may cost, by the run's pipeline and by what people approved.
    pub(crate) limit: Microcents,
    /// What the runs of the entries that it opened have cost, and what these opened, and so on.
    pub(crate) cost: Microcents,
    /// What is set aside for those of them that are driven.
    pub(crate) escrow: Microcents,
}

impl From<Family> for RunFamily {
    fn from(family: Family) -> Self {
        Self { limit: family.limit, cost: family.settled, escrow: family.escrow }
    }
}

/// An effect and what became of it.
#[derive(Debug, Serialize)]
pub(crate) struct RunEffect {
    /// Which one.
    #[serde(flatten)]
    pub(crate) reference: EffectRef,
    /// What was asked for.
    pub(crate) effect: Effect,
    /// What became of it; null while it is to be delivered.
    pub(crate) became: Option<Delivered>,
}

impl From<RunDetail> for Run {
    fn from(detail: RunDetail) -> Self {
        let effect = |(reference, effect, became)| RunEffect { reference, effect, became };
        Self {
            summary: detail.summary,
            order: detail.order,
            steps: detail.steps,
            effects: detail.effects.into_iter().map(effect).collect(),
            events: detail.events,
            decisions: detail.decisions,
            children: detail.children,
            family: detail.family.map(RunFamily::from),
            escrow: detail.escrow,
            late: detail.late,
            record: detail.record,
            record_delivered: detail.record_delivered,
        }
    }
}

/// `runs cancel`.
#[derive(Debug, Serialize)]
pub(crate) struct RunCancelled {
    /// The run.
    pub(crate) run: RunId,
    /// Its entry's key.
    pub(crate) key: String,
    /// The host that drives it, and ends it; null where the next one does.
    pub(crate) driven_by: Option<HostId>,
    /// Keys of entries whose runs are cancelled with it.
    pub(crate) runs: Vec<String>,
    /// Keys of entries that were not begun and are held for it.
    pub(crate) held: Vec<String>,
}

/// A line of `runs watch`.
#[derive(Debug, Serialize)]
pub(crate) struct RunChange {
    /// When the change was seen, by the store's clock.
    pub(crate) at: Timestamp,
    /// The run as it is now.
    #[serde(flatten)]
    pub(crate) run: RunSummary,
}

/// `run` and `demo`.
#[derive(Debug, Serialize)]
pub(crate) struct HostReport {
    /// Runs that ended done.
    pub(crate) done: u64,
    /// Entries that were refined, which are not among the runs that ended done.
    pub(crate) refined: u64,
    /// Runs that failed.
    pub(crate) failed: u64,
    /// Runs that were given to a person.
    pub(crate) escalated: u64,
    /// Runs that a person cancelled.
    pub(crate) cancelled: u64,
    /// Runs that this host left to a person's answer.
    pub(crate) asked: u64,
    /// What all of them cost.
    pub(crate) cost: Microcents,
    /// Whether the host was asked to stop.
    pub(crate) stopped: bool,
    /// A cap had no room, until then.
    pub(crate) capped_until: Option<Timestamp>,
    /// Why the store could not say what it looks like now: then the rest is not known, and empty.
    pub(crate) unknown: Option<String>,
    /// What is left.
    pub(crate) left: Option<Left>,
    /// How much of each backlog is in which state.
    pub(crate) backlogs: Vec<BacklogCoverage>,
    /// What became of each entry: for `demo`, and for `run` with entries.
    pub(crate) entries: Vec<EntryOutcome>,
    /// Every run that waits for a person's answer, newest first.
    pub(crate) asking: Vec<RunSummary>,
    /// What is ready for hosts with other labels.
    pub(crate) not_for_this_host: Vec<NotForThisHost>,
}

/// What is ready in a pipeline that asks for labels which the host has not.
#[derive(Debug, Serialize)]
pub(crate) struct NotForThisHost {
    /// The pipeline.
    pub(crate) pipeline: String,
    /// What it asks for.
    pub(crate) labels: Vec<String>,
    /// How many entries are ready for it.
    pub(crate) entries: u64,
}

impl HostReport {
    pub(crate) fn cover(&mut self, coverage: Vec<Coverage>) {
        self.backlogs = coverage.into_iter().map(BacklogCoverage::from).collect();
    }

    /// What a host did. What it left behind the store knows.
    pub(crate) fn new(outcome: &Outcome) -> Self {
        Self {
            done: outcome.done,
            refined: outcome.refined,
            failed: outcome.failed,
            escalated: outcome.escalated,
            cancelled: outcome.cancelled,
            asked: outcome.asked,
            cost: outcome.cost,
            stopped: outcome.stopped,
            capped_until: outcome.capped_until,
            unknown: None,
            left: outcome.left.map(Left::from),
            backlogs: Vec::new(),
            entries: Vec::new(),
            asking: Vec::new(),
            not_for_this_host: Vec::new(),
        }
    }
}

/// What there is left to do.
#[derive(Debug, Serialize)]
pub(crate) struct Left {
    /// Entries that wait for their turn, and begun runs that can go on.
    pub(crate) ready: u64,
    /// Runs that some host drives.
    pub(crate) driven: u64,
    /// Runs that wait for something that comes by itself.
    pub(crate) waiting: u64,
    /// Runs that wait for a person.
    pub(crate) asking: u64,
    /// Effects and records that are not delivered.
    pub(crate) undelivered: u64,
}

impl From<OpenWork> for Left {
    fn from(work: OpenWork) -> Self {
        let OpenWork { ready, driven, waiting, asking, undelivered, .. } = work;
        Self { ready, driven, waiting, asking, undelivered }
    }
}

/// What became of an entry.
#[derive(Debug, Serialize)]
pub(crate) struct EntryOutcome {
    /// Its key.
    pub(crate) key: String,
    /// Its title.
    pub(crate) title: String,
    /// Its state now.
    pub(crate) state: EntryState,
    /// How often its newest run was sent back.
    pub(crate) reworks: u32,
    /// Why it is held, failed or was given to a person.
    pub(crate) reason: Option<String>,
    /// The files that its newest run published.
    pub(crate) published: Vec<String>,
}

/// `run --dry-run`.
#[derive(Debug, Serialize)]
pub(crate) struct Plan {
    /// What would run, in this order within each backlog and pipeline.
    pub(crate) would_run: Vec<EntryStatus>,
    /// What is held, and why.
    pub(crate) held: Vec<EntryStatus>,
    /// What is passed over because it cannot be read.
    pub(crate) skipped: Vec<SkippedItem>,
}

/// An item that cannot be read.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct SkippedItem {
    /// Its place, relative to the project.
    pub(crate) path: String,
    /// Why.
    pub(crate) reason: String,
}

/// `report coverage`.
#[derive(Debug, Serialize)]
pub(crate) struct CoverageReport {
    /// By backlog.
    pub(crate) backlogs: Vec<BacklogCoverage>,
    /// Where every cap stands.
    pub(crate) caps: Vec<CapStanding>,
}

/// How much of a backlog is in which state.
#[derive(Debug, Serialize)]
pub(crate) struct BacklogCoverage {
    /// Which backlog.
    pub(crate) backlog: String,
    /// Entries by state.
    pub(crate) states: BTreeMap<EntryState, u64>,
    /// Held entries by the kind of their first hold.
    pub(crate) holds: BTreeMap<HoldKind, u64>,
    /// How many of those that are done are adopted.
    pub(crate) adopted: u64,
    /// What its runs have cost.
    pub(crate) cost: Microcents,
}

impl From<Coverage> for BacklogCoverage {
    fn from(coverage: Coverage) -> Self {
        let Coverage { backlog, states, holds, adopted, cost } = coverage;
        Self { backlog, states, holds, adopted, cost }
    }
}

/// Where a cap stands.
#[derive(Debug, Serialize)]
pub(crate) struct CapStanding {
    /// What it limits.
    pub(crate) scope: String,
    /// Which period, e.g. `2026-11-21`.
    pub(crate) period: String,
    /// The limit.
    pub(crate) limit: Microcents,
    /// Spent.
    pub(crate) settled: Microcents,
    /// Set aside by live runs.
    pub(crate) escrow: Microcents,
}

impl From<CapBalanceReport> for CapStanding {
    fn from(report: CapBalanceReport) -> Self {
        Self {
            scope: report.cap.scope,
            period: report.period,
            limit: report.cap.limit,
            settled: report.balance.settled,
            escrow: report.balance.escrow,
        }
    }
}

/// `check`.
#[derive(Debug, Serialize)]
pub(crate) struct CheckReport {
    /// Whether it can run.
    pub(crate) valid: bool,
    /// The files that were read.
    pub(crate) files: Vec<String>,
    /// What is wrong, in the order of files and lines.
    pub(crate) diagnostics: Vec<CheckDiagnostic>,
    /// Plugin files of the project that are not used, and why.
    pub(crate) skipped_plugins: Vec<String>,
}

/// One thing that is wrong in one place.
#[derive(Debug, Serialize)]
pub(crate) struct CheckDiagnostic {
    /// `error` or `warning`.
    pub(crate) severity: &'static str,
    /// The file, relative to the project.
    pub(crate) file: String,
    /// From 1.
    pub(crate) line: usize,
    /// From 1, in characters.
    pub(crate) column: usize,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do.
    pub(crate) help: Option<String>,
}

impl From<&Diagnostic> for CheckDiagnostic {
    fn from(diagnostic: &Diagnostic) -> Self {
        Self {
            severity: match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            file: diagnostic.file.clone(),
            line: diagnostic.line,
            column: diagnostic.column,
            message: diagnostic.message.clone(),
            help: diagnostic.help.clone(),
        }
    }
}

/// `init`.
#[derive(Debug, Serialize)]
pub(crate) struct InitReport {
    /// The project's folder.
    pub(crate) project: String,
    /// Files that were written, relative to it.
    pub(crate) written: Vec<String>,
    /// Files that were there already and stayed as they were.
    pub(crate) kept: Vec<String>,
}

/// `plugin list`.
#[derive(Debug, Serialize)]
pub(crate) struct PluginList {
    /// Every version, by name, newest first.
    pub(crate) plugins: Vec<PluginLine>,
    /// Files of the project that are not used, and why.
    pub(crate) skipped: Vec<String>,
}

/// What `tollgate plugin add` did.
#[derive(Debug, Serialize)]
pub(crate) struct AddedPlugin {
    /// Which plugin.
    #[serde(flatten)]
    pub(crate) plugin: PluginLine,
    /// Its file, relative to the project.
    pub(crate) file: String,
    /// Whether it was there before.
    pub(crate) is_there: bool,
}

/// A version of a plugin.
#[derive(Debug, Serialize)]
pub(crate) struct PluginLine {
    /// Its name.
    pub(crate) name: String,
    /// Its semantic version.
    pub(crate) version: String,
    /// `stage`, `gate` or `source`.
    pub(crate) kind: String,
    /// `shipped`, or the file's path.
    pub(crate) origin: String,
    /// The digest of the component.
    pub(crate) digest: Digest,
    /// One line.
    pub(crate) summary: String,
}

/// `plugin inspect`.
#[derive(Debug, Serialize)]
pub(crate) struct Plugin {
    /// Its line.
    #[serde(flatten)]
    pub(crate) line: PluginLine,
    /// The size of the component.
    pub(crate) size_bytes: u64,
    /// The contract that it was built for.
    pub(crate) contract: String,
    /// Its manifest.
    pub(crate) manifest: Value,
    /// Every interface that it imports.
    pub(crate) imports: Vec<String>,
    /// Everything that it exports.
    pub(crate) exports: Vec<String>,
    /// The grants that a stage must give it: for its imports, and for the effects that it may ask for.
    pub(crate) grants: Vec<String>,
}

/// `stop`, `resume` and `runs retry`.
#[derive(Debug, Serialize)]
pub(crate) struct Done {
    /// What was done, in a sentence.
    pub(crate) done: String,
}

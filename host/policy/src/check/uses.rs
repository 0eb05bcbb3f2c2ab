//! Who reads a declared field: rules, stages, gates, templates.
//!
//! A field that nothing reads is a mistake, and so is one that something reads and nobody declared. What a plugin's manifest says
//! it reads is what it may be handed, not what it needs: a backlog need not declare all of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde_json::Value;
use tollgate_core::refine;

use super::{PluginCatalog, PluginFacts};
use crate::{
    error::{did_you_mean, nearest},
    formula::Formula,
    policy::{Backlog, Field, FieldOrigin, Order, OrderSource, Policy, Purpose},
    source_map::{Place, Report},
};

/// The fields of a backlog, and who reads them.
#[derive(Debug, Clone, PartialEq)]
pub struct BacklogSchema {
    /// The backlog's name.
    pub backlog: String,
    /// What is declared, by name.
    pub fields: Vec<DeclaredField>,
    /// What plugins of its pipelines would be handed and nobody declared, with those who would read it.
    pub undeclared: BTreeMap<String, Vec<FieldUse>>,
}

/// A declared field.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredField {
    /// What is declared.
    pub field: Field,
    /// Who reads it.
    pub used_by: Vec<FieldUse>,
    /// Whether `eligible` and constraints may read it: anyone may have written it, and the backlog does not list it.
    pub is_trusted: bool,
}

/// Something that reads a field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldUse {
    /// The rule that says what enters.
    Eligible,
    /// The rule that says what was done before Tollgate.
    Done,
    /// The formula that orders.
    Priority,
    /// The keys that order.
    OrderBy,
    /// The condition of a pipeline.
    Route {
        /// The pipeline.
        pipeline: String,
    },
    /// The entry is not started before it.
    NotBefore,
    /// The plugin of a stage or gate.
    Step {
        /// The pipeline.
        pipeline: String,
        /// `draft`, or `draft/spec-lint`.
        step: String,
        /// The plugin.
        plugin: String,
    },
    /// A condition of a stage.
    Condition {
        /// The pipeline.
        pipeline: String,
        /// The stage.
        stage: String,
    },
    /// A text in the settings of a stage or gate.
    Template {
        /// The pipeline.
        pipeline: String,
        /// `draft`, or `draft/spec-lint`.
        step: String,
    },
}

impl fmt::Display for FieldUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Eligible => f.write_str("eligible"),
            Self::Done => f.write_str("done"),
            Self::Priority => f.write_str("priority"),
            Self::OrderBy => f.write_str("order_by"),
            Self::Route { pipeline } => write!(f, "route to {pipeline}"),
            Self::NotBefore => f.write_str("not before"),
            Self::Step { pipeline, step, plugin } => write!(f, "{pipeline}: {step} ({plugin})"),
            Self::Condition { pipeline, stage } => write!(f, "{pipeline}: `when` of {stage}"),
            Self::Template { pipeline, step } => write!(f, "{pipeline}: `with` of {step}"),
        }
    }
}

/// Who reads fields.
#[derive(Default)]
pub(super) struct AllReaders<'a> {
    /// In pipelines, by name.
    pub(super) pipelines: BTreeMap<&'a str, Readers<'a>>,
    /// In refine stages, by backlog.
    pub(super) refine: BTreeMap<&'a str, Readers<'a>>,
}

impl<'a> AllReaders<'a> {
    pub(super) fn all(&self) -> impl Iterator<Item = &Readers<'a>> {
        self.pipelines.values().chain(self.refine.values())
    }
}

/// What the stages and gates of a pipeline read of declared fields.
#[derive(Default)]
pub(super) struct Readers<'a> {
    /// A plugin is unknown, so more may be read.
    pub(super) is_incomplete: bool,
    steps: Vec<StepReads>,
    templates: Vec<Template<'a>>,
    conditions: Vec<ConditionReads<'a>>,
}

struct ConditionReads<'a> {
    stage: String,
    fields: BTreeSet<String>,
    place: Place<'a>,
}

struct StepReads {
    step: String,
    plugin: String,
    parts: BTreeSet<String>,
}

struct Template<'a> {
    step: String,
    field: String,
    place: Place<'a>,
}

impl StepReads {
    fn reads(&self, field: &str) -> bool {
        self.parts.contains("*")
            || self.parts.contains("fields.*")
            || self.parts.contains(&format!("fields.{field}"))
    }

    /// Fields that it reads by name.
    fn named(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| part.strip_prefix("fields.")).filter(|name| *name != "*")
    }
}

impl<'a> Readers<'a> {
    pub(super) fn add_plugin(&mut self, step: &str, facts: &PluginFacts) {
        self.steps.push(StepReads {
            step: step.to_owned(),
            plugin: facts.name.clone(),
            parts: facts.reads.iter().cloned().collect(),
        });
    }

    /// Fields named in settings, as in `specs/{field.team}/{key}.md`.
    pub(super) fn add_templates(&mut self, step: &str, settings: &Value, place: &Place<'a>) {
        match settings {
            Value::String(text) => {
                for part in text.split('{').skip(1) {
                    let name = part.split('}').next().unwrap_or_default().trim();
                    let field = name.strip_prefix("field.").or_else(|| name.strip_prefix("fields."));
                    self.templates.extend(field.map(|field| Template {
                        step: step.to_owned(),
                        field: field.to_owned(),
                        place: place.clone(),
                    }));
                }
            }
            Value::Array(items) => {
                items
                    .iter()
                    .enumerate()
                    .for_each(|(at, item)| self.add_templates(step, item, &place.index(at)));
            }
            Value::Object(members) => {
                members.iter().for_each(|(key, value)| self.add_templates(step, value, &place.key(key)));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A condition of a stage.
    pub(super) fn add_condition(&mut self, stage: &str, condition: &Formula, place: Place<'a>) {
        let fields = condition.references().fields.clone();
        self.conditions.push(ConditionReads { stage: stage.to_owned(), fields, place });
    }

    /// The plugins that there are.
    pub(super) fn plugins(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(|step| step.plugin.as_str())
    }

    fn uses(&self, pipeline: &str, field: &str) -> Vec<FieldUse> {
        let steps = self.steps.iter().filter(|step| step.reads(field)).map(|step| FieldUse::Step {
            pipeline: pipeline.to_owned(),
            step: step.step.clone(),
            plugin: step.plugin.clone(),
        });
        let templates = self.templates.iter().filter(|template| template.field == field);
        let templates = templates.map(|template| FieldUse::Template {
            pipeline: pipeline.to_owned(),
            step: template.step.clone(),
        });
        let conditions = self.conditions.iter().filter(|condition| condition.fields.contains(field));
        let conditions = conditions.map(|condition| FieldUse::Condition {
            pipeline: pipeline.to_owned(),
            stage: condition.stage.clone(),
        });
        steps.chain(conditions).chain(templates).collect()
    }
}

impl Policy {
    /// The fields of every backlog and who reads them, as far as its plugins are known.
    pub fn schemas(&self, plugins: &dyn PluginCatalog) -> Vec<BacklogSchema> {
        // What is wrong with a pipeline is for `check` to say.
        let readers = self.readers(plugins, &mut Report::default());
        self.backlogs.values().map(|backlog| schema(backlog, &readers)).collect()
    }
}

fn schema(backlog: &Backlog, readers: &AllReaders<'_>) -> BacklogSchema {
    let fields = backlog.fields.values().map(|field| DeclaredField {
        field: field.clone(),
        used_by: uses(backlog, &field.name, readers),
        is_trusted: !field.is_text || backlog.trust_text.contains(&field.name),
    });
    let mut undeclared: BTreeMap<String, Vec<FieldUse>> = BTreeMap::new();
    for (pipeline, reader) in routed(backlog, readers) {
        for name in reader.steps.iter().flat_map(StepReads::named) {
            if !backlog.fields.contains_key(name) {
                undeclared.entry(name.to_owned()).or_default().extend(reader.uses(pipeline, name));
            }
        }
    }
    for uses in undeclared.values_mut() {
        uses.sort();
        uses.dedup();
    }
    BacklogSchema { backlog: backlog.name.clone(), fields: fields.collect(), undeclared }
}

/// The readers of the pipelines that the entries of a backlog may take, its refine stages first.
fn routed<'r, 'a>(
    backlog: &'r Backlog,
    readers: &'r AllReaders<'a>,
) -> impl Iterator<Item = (&'a str, &'r Readers<'a>)> {
    let is_routed = |name: &str| backlog.routes.iter().any(|route| route.pipeline == name);
    let pipelines = readers.pipelines.iter().filter(move |(name, _)| is_routed(name));
    let refine = readers.refine.get(backlog.name.as_str()).map(|readers| (refine::PIPELINE, readers));
    refine.into_iter().chain(pipelines.map(|(name, readers)| (*name, readers)))
}

fn uses(backlog: &Backlog, field: &str, readers: &AllReaders<'_>) -> Vec<FieldUse> {
    let mut found = rules(backlog, field);
    // Refine stages are handed no field that they may find.
    let is_refined = backlog
        .fields
        .get(field)
        .is_some_and(|field| field.from.iter().any(|origin| matches!(origin, FieldOrigin::Refine { .. })));
    let others = routed(backlog, readers).filter(|(name, _)| !is_refined || *name != refine::PIPELINE);
    found.extend(others.flat_map(|(pipeline, reader)| reader.uses(pipeline, field)));
    found
}

fn rules(backlog: &Backlog, field: &str) -> Vec<FieldUse> {
    let reads = |formula: &Formula| formula.references().fields.contains(field);
    let mut found = Vec::new();
    if reads(&backlog.eligible) {
        found.push(FieldUse::Eligible);
    }
    let done = backlog.done.iter().flat_map(|done| [&done.when, &done.doubt]).flatten();
    if done.into_iter().any(reads) {
        found.push(FieldUse::Done);
    }
    match &backlog.order {
        Order::Priority(formula) if reads(formula) => found.push(FieldUse::Priority),
        Order::By(keys) if keys.iter().any(|key| key.source == OrderSource::Field(field.to_owned())) => {
            found.push(FieldUse::OrderBy);
        }
        Order::Priority(_) | Order::By(_) => {}
    }
    let routes = backlog.routes.iter().filter(|route| route.when.as_ref().is_some_and(reads));
    found.extend(routes.map(|route| FieldUse::Route { pipeline: route.pipeline.clone() }));
    if backlog.fields.get(field).is_some_and(|field| field.purpose == Purpose::Constraint) {
        found.push(FieldUse::NotBefore);
    }
    found
}

/// Every declared field is of use to a rule, a stage or a gate, and every template names declared fields.
pub(super) fn check(policy: &Policy, readers: &AllReaders<'_>, root: &Place<'_>, report: &mut Report) {
    for backlog in policy.backlogs.values() {
        check_templates(backlog, readers, report);
        check_conditions(backlog, readers, report);
        // What an unknown plugin reads is unknown, so nothing can be said to be of no use.
        if routed(backlog, readers).any(|(_, reader)| reader.is_incomplete) {
            continue;
        }
        let undeclared = schema(backlog, readers).undeclared;
        for field in backlog.fields.keys().filter(|field| uses(backlog, field, readers).is_empty()) {
            let place = root.key("backlog").key(&backlog.name).key("fields").key(field);
            let help = match nearest(field, undeclared.keys().map(String::as_str)) {
                Some(near) => {
                    format!("`{}` reads `{near}`, which is not declared: is it that?", undeclared[near][0])
                }
                None => "no formula, stage, gate or template reads it: use it or take it out".to_owned(),
            };
            report.key_error(&place, format!("the field `{field}` is of no use"), Some(help));
        }
    }
}

fn check_conditions(backlog: &Backlog, readers: &AllReaders<'_>, report: &mut Report) {
    for (pipeline, reader) in routed(backlog, readers) {
        for condition in &reader.conditions {
            for field in condition.fields.iter().filter(|field| !backlog.fields.contains_key(*field)) {
                let help = did_you_mean(field, backlog.fields.keys().map(String::as_str));
                let message = format!(
                    "`field.{field}` is not declared in backlog `{}`, whose entries take `{pipeline}`",
                    backlog.name
                );
                report.error(&condition.place, message, help);
            }
        }
    }
}

fn check_templates(backlog: &Backlog, readers: &AllReaders<'_>, report: &mut Report) {
    for (pipeline, reader) in routed(backlog, readers) {
        for template in &reader.templates {
            let field = template.field.as_str();
            if backlog.fields.contains_key(field) {
                continue;
            }
            let help = did_you_mean(field, backlog.fields.keys().map(String::as_str));
            let message = format!(
                "`{{field.{field}}}` is not declared in backlog `{}`, whose entries take `{pipeline}`",
                backlog.name
            );
            report.error(&template.place, message, help);
        }
    }
}

//! What can only be said with the plugins at hand, and what is worth saying of a whole project.
//!
//! [`Policy::load`] has already refused what is wrong in itself. Here a policy is held against the plugins that exist: are
//! they there, of the right kind, do their settings fit, do grants match what they ask for, is every declared field of use
//! to something. The tests of the order that a project declares are run as well.

use std::collections::BTreeSet;

use serde_json::Value;
use tollgate_core::pipeline::{Pipeline, Stage, StepBudget};

use crate::{
    error::{Diagnostics, did_you_mean, nearest},
    formula::Formula,
    load::{PIPELINE_FOLDER, PROJECT_FILE},
    policy::{Backlog, Policy, StepBound},
    schema,
    source_map::{Place, Report, SourceFile},
};

mod approvals;
mod domains;
mod expect;
mod items;
mod limits;
mod openings;
mod refine;
mod sources;
mod store;
mod uses;

pub use uses::{BacklogSchema, DeclaredField, FieldUse};

use uses::{AllReaders, Readers};

/// The plugins that there are.
pub trait PluginCatalog {
    /// The plugin that a request such as `spec-lint@^1` is resolved to.
    ///
    /// # Errors
    ///
    /// When it is resolved to none.
    fn find(&self, request: &str) -> Result<PluginFacts, PluginProblem>;
}

/// What a plugin says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginFacts {
    /// Its name.
    pub name: String,
    /// Its semantic version.
    pub version: String,
    /// What it is.
    pub kind: PluginKind,
    /// The JSON Schema of its settings.
    pub settings: Value,
    /// The kinds of effects that it may ask for.
    pub effects: Vec<String>,
    /// The grants that it needs for what it imports beyond the base world.
    pub capabilities: Vec<String>,
    /// Those of them that it can do without.
    pub optional: Vec<String>,
    /// What of an entry it may be handed: `title`, `fields.priority`, `*` for all.
    pub reads: Vec<String>,
    /// The JSON Schema of what it produces as data; none where it does not say.
    pub data: Option<Value>,
}

/// What a plugin is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PluginKind {
    /// It produces.
    Stage,
    /// It judges.
    Gate,
    /// It finds work.
    Source,
}

impl PluginKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Stage => "stage",
            Self::Gate => "gate",
            Self::Source => "source",
        }
    }
}

/// Why a request is resolved to no plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginProblem {
    /// There is none of this name.
    Unknown {
        /// The names that there are.
        known: Vec<String>,
    },
    /// There is none of such a version.
    NoVersion {
        /// The versions that there are.
        versions: Vec<String>,
    },
    /// The request is no name, version or digest.
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
}

impl Policy {
    /// Holds the policy against the plugins that there are, and runs its tests.
    pub fn check(&self, plugins: &dyn PluginCatalog) -> Diagnostics {
        let mut report = Report::default();
        let readers = self.readers(plugins, &mut report);
        if let Some(root) = self.project_file().map(SourceFile::root) {
            store::check(self, &root, &mut report);
            uses::check(self, &readers, &root, &mut report);
            limits::check(self, &root, &mut report);
            self.check_bounds_used(&readers, &root, &mut report);
            openings::check(self, &mut report);
            for backlog in self.backlogs.values() {
                let place = root.key("backlog").key(&backlog.name);
                domains::check(backlog, &place, &mut report);
                refine::check(backlog, plugins, &place, &mut report);
                self.check_conditions(backlog, &mut report);
                expect::run(backlog, &place.key("expect"), &mut report);
            }
        }
        self.check_pipelines_used(&mut report);
        report.finish()
    }

    /// What pipelines and refine stages read of entries; what is wrong with their stages and gates is reported.
    fn readers<'p>(&'p self, plugins: &dyn PluginCatalog, report: &mut Report) -> AllReaders<'p> {
        let mut readers = AllReaders::default();
        for pipeline in self.pipelines.values() {
            if let Some(source) = self.source_of(pipeline) {
                let check = PipelineCheck { policy: self, plugins, pipeline };
                let stages = source.root().key("stage");
                readers.pipelines.insert(pipeline.name.as_str(), check.run(&stages, report));
            }
        }
        let Some(root) = self.project_file().map(SourceFile::root) else { return readers };
        for (backlog, pipeline) in self.refine_lanes() {
            let check = PipelineCheck { policy: self, plugins, pipeline };
            let stages = root.key("backlog").key(&backlog.name).key("refine");
            readers.refine.insert(backlog.name.as_str(), check.run(&stages, report));
        }
        readers
    }

    fn project_file(&self) -> Option<&SourceFile> {
        self.sources.iter().find(|source| source.config.path == PROJECT_FILE)
    }

    fn source_of(&self, pipeline: &Pipeline) -> Option<&SourceFile> {
        let path = format!("{PIPELINE_FOLDER}/{}.toml", pipeline.name);
        self.sources.iter().find(|source| source.config.path == path)
    }

    /// Holds the conditions of stages against what the entries of a backlog may say.
    fn check_conditions(&self, backlog: &Backlog, report: &mut Report) {
        let pipelines = self.lanes().filter(|(other, _)| other.name == backlog.name);
        for (_, pipeline) in pipelines {
            let Some(source) = self.source_of(pipeline) else { continue };
            for (position, stage) in pipeline.stages.iter().enumerate() {
                let place = source.root().key("stage").index(position);
                for (condition, place) in conditions_of(stage, &place) {
                    domains::check_condition(backlog, &condition, &place, report);
                }
                if let Some(approval) = &stage.approval {
                    approvals::check(approval, backlog, &self.roles, &place.key("approval"), report);
                }
            }
        }
    }

    fn check_bounds_used(&self, readers: &AllReaders<'_>, root: &Place<'_>, report: &mut Report) {
        if readers.all().any(|reader| reader.is_incomplete) {
            return;
        }
        let used: BTreeSet<_> = readers.all().flat_map(Readers::plugins).collect();
        for name in self.plugin_bounds.keys().filter(|name| !used.contains(name.as_str())) {
            let help = match nearest(name, used.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    format!("take [plugin.{name}] out, or use it in a stage or gate: plugin = \"{name}\"")
                }
            };
            let message = format!("no pipeline uses a plugin `{name}`, so its bound holds for nothing");
            report.key_warning(&root.key("plugin").key(name), message, Some(help));
        }
    }

    fn check_pipelines_used(&self, report: &mut Report) {
        let used: BTreeSet<_> = self.lanes().map(|(_, pipeline)| pipeline.name.as_str()).collect();
        for pipeline in self.pipelines.values().filter(|pipeline| !used.contains(pipeline.name.as_str())) {
            if let Some(source) = self.source_of(pipeline) {
                let name = &pipeline.name;
                let message = format!("no backlog uses the pipeline `{name}`, so nothing runs through it");
                let help = format!(
                    "in tollgate.toml, let a backlog use it: pipeline = \"{name}\", or one of several: {{ use = \"{name}\", \
                     when = '…' }}; or delete the file"
                );
                report.key_warning(&source.root().key("stage"), message, Some(help));
            }
        }
    }
}

/// The conditions of a stage, and where they stand. One that cannot be read was refused before.
fn conditions_of<'p>(stage: &Stage, place: &Place<'p>) -> Vec<(Formula, Place<'p>)> {
    let approval = stage.approval.as_ref().and_then(|approval| approval.when.as_ref());
    let approval = approval.map(|when| (when, place.key("approval").key("when")));
    let conditions = stage.when.iter().map(|when| (when, place.key("when"))).chain(approval);
    conditions.filter_map(|(when, place)| Some((Formula::parse(when).ok()?, place))).collect()
}

struct PipelineCheck<'a> {
    policy: &'a Policy,
    plugins: &'a dyn PluginCatalog,
    pipeline: &'a Pipeline,
}

/// A stage or gate, as far as they are alike.
struct Step<'a> {
    /// `draft`, or `draft/spec-lint`.
    name: String,
    kind: PluginKind,
    plugin: &'a str,
    grants: &'a [String],
    budget: &'a StepBudget,
    settings: &'a Value,
}

impl PipelineCheck<'_> {
    fn run<'p>(&self, stages: &Place<'p>, report: &mut Report) -> Readers<'p> {
        let mut readers = Readers::default();
        for (position, stage) in self.pipeline.stages.iter().enumerate() {
            let place = stages.index(position);
            for (condition, place) in conditions_of(stage, &place) {
                readers.add_condition(&stage.name, &condition, place);
            }
            let step = Step {
                name: stage.name.clone(),
                kind: PluginKind::Stage,
                plugin: &stage.plugin,
                grants: &stage.grants,
                budget: &stage.budget,
                settings: &stage.settings,
            };
            self.step(&step, &place, &mut readers, report);
            for (position, gate) in stage.gates.iter().enumerate() {
                let step = Step {
                    name: format!("{}/{}", stage.name, gate.name),
                    kind: PluginKind::Gate,
                    plugin: &gate.plugin,
                    grants: &gate.grants,
                    budget: &gate.budget,
                    settings: &gate.settings,
                };
                self.step(&step, &place.key("gate").index(position), &mut readers, report);
            }
        }
        readers
    }

    fn step<'p>(&self, step: &Step<'_>, place: &Place<'p>, readers: &mut Readers<'p>, report: &mut Report) {
        readers.add_templates(&step.name, step.settings, &place.key("with"));
        let plugin_place = place.key("plugin");
        let facts = match self.plugins.find(step.plugin) {
            Ok(facts) => facts,
            Err(problem) => {
                readers.is_incomplete = true;
                return report_problem(step.plugin, &problem, &plugin_place, report);
            }
        };
        readers.add_plugin(&step.name, &facts);
        if facts.kind != step.kind {
            let message =
                format!("`{}` is a {}, used as a {}", facts.name, facts.kind.as_str(), step.kind.as_str());
            return report.error(&plugin_place, message, None);
        }
        check_settings(&facts, step.settings, &place.key("with"), report);
        check_grants(&facts, step.grants, place, report);
        self.check_patience(step, place, report);
        if let Some(bound) = self.policy.plugin_bounds.get(&facts.name) {
            check_bound(&facts.name, step.budget, bound, &place.key("budget"), report);
        }
    }
}

impl PipelineCheck<'_> {
    /// A call that may not wait as long as a model may take stops in the middle of what it has paid for.
    fn check_patience(&self, step: &Step<'_>, place: &Place<'_>, report: &mut Report) {
        let names = step.grants.iter().filter_map(|grant| grant.strip_prefix("model:"));
        let models = names.filter_map(|name| Some((name, self.policy.models.get(name)?)));
        for (name, model) in models.filter(|(_, model)| model.timeout > step.budget.time) {
            let message = format!(
                "a call may take {:?}, and a reply of `{name}` alone may take {:?}",
                step.budget.time, model.timeout
            );
            let help = Some(format!("raise `time` here, or lower `timeout` in [model.{name}]"));
            report.key_warning(&place.key("budget").key("time"), message, help);
        }
    }
}

fn report_problem(request: &str, problem: &PluginProblem, place: &Place<'_>, report: &mut Report) {
    let name = request.split('@').next().unwrap_or(request);
    match problem {
        PluginProblem::Unknown { known } => {
            let help = did_you_mean(name, known.iter().map(String::as_str));
            report.error(place, format!("there is no plugin `{name}`"), help);
        }
        PluginProblem::NoVersion { versions } => {
            let help = Some(format!("there is {}", versions.join(", ")));
            report.error(place, format!("no version of `{name}` is `{request}`"), help);
        }
        PluginProblem::Malformed { reason } => {
            let help = Some("e.g. `spec-lint@^1`, `spec-lint` or a digest".into());
            report.error(place, format!("`{request}` names no plugin: {reason}"), help);
        }
    }
}

fn check_settings(facts: &PluginFacts, settings: &Value, place: &Place<'_>, report: &mut Report) {
    let mut found = Report::default();
    if let Err(reason) = schema::validate(&facts.settings, settings, place, &mut found) {
        let message = format!("the settings schema of {}@{} is broken: {reason}", facts.name, facts.version);
        found.error(place, message, Some("that is the plugin's fault".into()));
    }
    report.append(found);
}

fn check_grants(facts: &PluginFacts, grants: &[String], place: &Place<'_>, report: &mut Report) {
    let effects = facts.effects.iter().map(|kind| format!("effect:{kind}"));
    let asked: Vec<_> = effects.chain(facts.capabilities.iter().cloned()).collect();
    for (position, grant) in grants.iter().enumerate() {
        let asks = asked.iter().any(|asked| covers(grant, asked));
        if !asks {
            let help = if asked.is_empty() {
                Some("it asks for nothing: take the grant out".into())
            } else {
                did_you_mean(grant, asked.iter().map(String::as_str))
            };
            report.error(
                &place.key("grant").index(position),
                format!("`{}` never asks for `{grant}`", facts.name),
                help,
            );
        }
    }
    let needed = |capability: &&String| !facts.optional.contains(capability);
    let lacks = |capability: &&String| !grants.iter().any(|grant| covers(grant, capability));
    if let Some(missing) = facts.capabilities.iter().filter(needed).find(lacks) {
        let message = format!("`{}` cannot run without the grant `{missing}`", facts.name);
        report.error(&place.key("plugin"), message, Some(format!("grant = [\"{missing}\"]")));
        return;
    }
    let hoped = |asked: &&String| !facts.optional.contains(asked);
    if asked.iter().any(|asked| hoped(&asked))
        && !asked.iter().any(|asked| grants.iter().any(|grant| covers(grant, asked)))
    {
        let listed: Vec<_> = asked.iter().map(|asked| format!("\"{asked}\"")).collect();
        let help = Some(format!("grant = [{}], or those of them that it may have", listed.join(", ")));
        report.key_warning(
            &place.key("plugin"),
            format!("`{}` is granted nothing that it asks for", facts.name),
            help,
        );
    }
}

/// Whether what was granted, `model:deep`, is what is asked for, `model`.
fn covers(granted: &str, asked: &str) -> bool {
    granted.strip_prefix(asked).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

fn check_bound(name: &str, budget: &StepBudget, bound: &StepBound, place: &Place<'_>, report: &mut Report) {
    let mut check = |key: &str, above: bool| {
        if above {
            let message = format!("more `{key}` than `{name}` may have");
            let help = Some(format!("its bound is in tollgate.toml: [plugin.{name}]"));
            report.error(&place.key(key), message, help);
        }
    };
    check("fuel", bound.fuel.is_some_and(|most| budget.fuel > most));
    check("time", bound.time.is_some_and(|most| budget.time > most));
    check("memory", bound.memory_bytes.is_some_and(|most| budget.memory_bytes > most));
    check("tokens", bound.tokens.is_some_and(|most| budget.tokens.is_none_or(|tokens| tokens > most)));
}

//! A pipeline file, resolved.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::Value;
use tollgate_core::{
    Microcents,
    effect::KnownEffect,
    pipeline::{Gate, On, Pipeline, Retry, RunBudget, Stage, StepBudget},
    refine,
};

use super::{branches, name, not_blank, step_bound};
use crate::{
    error::did_you_mean,
    pipeline_file::{BudgetTable, GateTable, PipelineFile, RetryTable, RunBudgetTable, StageTable},
    policy::StepBound,
    project::RefineTable,
    source_map::{Place, Report},
    units,
};

/// The grant of a model; behind a colon stands which.
const MODEL: &str = "model";

/// What a pipeline takes from the project.
pub(super) struct Context<'a> {
    pub(super) name: &'a str,
    pub(super) step_budget: StepBudget,
    /// None where the project file could not be read: nothing can be said of its roles.
    pub(super) roles: Option<&'a BTreeMap<String, Vec<String>>>,
    pub(super) plugin_bounds: &'a BTreeMap<String, StepBound>,
    /// The models of the project; none where the project file could not be read.
    pub(super) models: Option<&'a [String]>,
    /// Grants of capabilities beyond those of the contract.
    pub(super) grants: &'a [&'a str],
}

impl Context<'_> {
    /// What a step may use: what it says, else the project's default, lowered to the plugin's bound.
    fn step_budget(
        &self,
        table: &BudgetTable,
        plugin: &str,
        place: &Place<'_>,
        report: &mut Report,
    ) -> StepBudget {
        let default = self.step_budget;
        let bound = self.plugin_bounds.get(plugin_name(plugin)).copied().unwrap_or_default();
        let default = StepBudget {
            fuel: bound.fuel.map_or(default.fuel, |most| most.min(default.fuel)),
            time: bound.time.map_or(default.time, |most| most.min(default.time)),
            memory_bytes: bound
                .memory_bytes
                .map_or(default.memory_bytes, |most| most.min(default.memory_bytes)),
            tokens: match (bound.tokens, default.tokens) {
                (Some(most), Some(tokens)) => Some(most.min(tokens)),
                (most, tokens) => most.or(tokens),
            },
        };
        step_bound(table, place, report).or(default)
    }
}

impl Context<'_> {
    /// What is granted, with every model by its name. What can be granted is the delivery of these effects, the models of the project,
    /// and what else the host serves.
    fn grants(
        &self,
        grants: Vec<String>,
        effects: Vec<String>,
        place: &Place<'_>,
        report: &mut Report,
    ) -> Vec<String> {
        let models = self.models.unwrap_or_default();
        let mut known = effects;
        known.extend(self.grants.iter().map(|grant| (*grant).to_owned()));
        known.extend(models.iter().map(|name| format!("{MODEL}:{name}")));
        let mut given: Vec<String> = Vec::new();
        for (position, grant) in grants.into_iter().enumerate() {
            let place = place.index(position);
            let of_model =
                grant == MODEL || grant.strip_prefix(MODEL).is_some_and(|rest| rest.starts_with(':'));
            let grant = match (grant == MODEL, models) {
                (true, [only]) => format!("{MODEL}:{only}"),
                _ => grant,
            };
            if known.contains(&grant) {
                if given.contains(&grant) {
                    report.error(&place, format!("`{grant}` is granted twice"), None);
                }
            } else if !of_model {
                let help = did_you_mean(&grant, known.iter().map(String::as_str));
                report.error(&place, format!("there is no grant `{grant}`"), help);
            } else if self.models.is_some() {
                report_model(&grant, models, &place, report);
            }
            given.push(grant);
        }
        given
    }
}

/// A model is granted that there is not, or nobody says which.
fn report_model(grant: &str, models: &[String], place: &Place<'_>, report: &mut Report) {
    let names: Vec<_> = models.iter().map(|name| format!("{MODEL}:{name}")).collect();
    if models.is_empty() {
        let help = "declare one in tollgate.toml: `[model.NAME]` with provider, model, key and price";
        return report.error(place, "the project has no model", Some(help.into()));
    }
    if grant == MODEL {
        let listed: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        let help = Some(format!("say which: {}", listed.join(", ")));
        return report.error(place, "the project has several models", help);
    }
    let help = did_you_mean(grant, names.iter().map(String::as_str));
    report.error(place, format!("there is no grant `{grant}`"), help);
}

fn plugin_name(request: &str) -> &str {
    request.split('@').next().unwrap_or(request)
}

pub(super) fn resolve(
    context: &Context<'_>,
    file: PipelineFile,
    root: &Place<'_>,
    report: &mut Report,
) -> Pipeline {
    name(context.name, "pipeline", root, report);
    not_blank(&file.owner, &root.key("owner"), report);
    check_names(&file, root, report);
    branches::check(&file, root, report);
    let stage_names: Vec<String> = file.stage.iter().map(|stage| stage.name.clone()).collect();
    let stages = file.stage.into_iter().enumerate().map(|(position, table)| {
        let place = root.key("stage").index(position);
        stage(context, table, &stage_names[..=position], &place, report)
    });
    Pipeline {
        name: context.name.to_owned(),
        stages: stages.collect(),
        owner: file.owner,
        budget: run_budget(&file.budget, &root.key("budget"), report),
    }
}

/// The pipeline that the refine stages of a backlog make; none where there are none.
pub(super) fn resolve_refine(
    context: &Context<'_>,
    owner: &str,
    tables: Vec<RefineTable>,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<Pipeline> {
    let mut stages: Vec<Stage> = Vec::new();
    for (position, table) in tables.into_iter().enumerate() {
        let place = place.index(position);
        let name_place = if table.name.is_some() { place.key("name") } else { place.key("plugin") };
        let stage_name = table.name.unwrap_or_else(|| plugin_name(&table.plugin).to_owned());
        name(&stage_name, "stage", &name_place, report);
        if stages.iter().any(|stage| stage.name == stage_name) {
            let help = Some("give it a `name` of its own".into());
            report.error(&name_place, format!("there is a stage `{stage_name}` already"), help);
        }
        stages.push(Stage {
            budget: context.step_budget(&table.budget, &table.plugin, &place.key("budget"), report),
            name: stage_name,
            when: None,
            on: On::default(),
            approval: None,
            plugin: table.plugin,
            grants: context.grants(table.grant, Vec::new(), &place.key("grant"), report),
            retry: retry(&table.retry, &place.key("retry"), report),
            settings: Value::Object(table.with),
            gates: Vec::new(),
        });
    }
    let budget = run_budget(&RunBudgetTable::default(), place, report);
    let pipeline = Pipeline { name: refine::PIPELINE.to_owned(), owner: owner.to_owned(), budget, stages };
    (!pipeline.stages.is_empty()).then_some(pipeline)
}

/// Stages have unique names, and so have gates, in the whole pipeline.
fn check_names(file: &PipelineFile, root: &Place<'_>, report: &mut Report) {
    let mut stages = BTreeSet::new();
    let mut gates = BTreeSet::new();
    for (position, stage) in file.stage.iter().enumerate() {
        let place = root.key("stage").index(position);
        name(&stage.name, "stage", &place.key("name"), report);
        if !stages.insert(stage.name.as_str()) {
            report.error(&place.key("name"), format!("there is a stage `{}` already", stage.name), None);
        }
        for (position, gate) in stage.gate.iter().enumerate() {
            let place = place.key("gate").index(position);
            let gate_name = gate_name(gate);
            let name_place = if gate.name.is_some() { place.key("name") } else { place.key("plugin") };
            name(gate_name, "gate", &name_place, report);
            if !gates.insert(gate_name) {
                let help = gate.name.is_none().then(|| "give it a `name` of its own".into());
                report.error(&name_place, format!("there is a gate `{gate_name}` already"), help);
            }
        }
    }
}

fn gate_name(gate: &GateTable) -> &str {
    gate.name.as_deref().unwrap_or_else(|| plugin_name(&gate.plugin))
}

fn stage(
    context: &Context<'_>,
    table: StageTable,
    so_far: &[String],
    place: &Place<'_>,
    report: &mut Report,
) -> Stage {
    not_blank(&table.plugin, &place.key("plugin"), report);
    if let Some(approval) = &table.approval {
        check_role(&approval.role, context.roles, &place.key("approval").key("role"), report);
    }
    let effects = KnownEffect::KINDS.iter().map(|kind| format!("effect:{kind}")).collect();
    let grants = context.grants(table.grant, effects, &place.key("grant"), report);
    let gates = table.gate.into_iter().enumerate().map(|(position, gate_table)| {
        gate(context, gate_table, so_far, &place.key("gate").index(position), report)
    });
    Stage {
        gates: gates.collect(),
        budget: context.step_budget(&table.budget, &table.plugin, &place.key("budget"), report),
        name: table.name,
        when: table.when,
        on: table.on,
        approval: table.approval.map(branches::approval),
        plugin: table.plugin,
        grants,
        retry: retry(&table.retry, &place.key("retry"), report),
        settings: Value::Object(table.with),
    }
}

fn gate(
    context: &Context<'_>,
    table: GateTable,
    so_far: &[String],
    place: &Place<'_>,
    report: &mut Report,
) -> Gate {
    not_blank(&table.plugin, &place.key("plugin"), report);
    let here = so_far.last().cloned().unwrap_or_default();
    if let Some(target) = table.rework_to.as_ref().filter(|target| !so_far.contains(target)) {
        let help = did_you_mean(target, so_far.iter().map(String::as_str));
        let message = format!("`{target}` is neither this stage nor an earlier one");
        report.error(&place.key("rework_to"), message, help);
    }
    if let Some(role) = &table.escalate {
        check_role(role, context.roles, &place.key("escalate"), report);
    }
    Gate {
        name: gate_name(&table).to_owned(),
        budget: context.step_budget(&table.budget, &table.plugin, &place.key("budget"), report),
        plugin: table.plugin,
        grants: context.grants(table.grant, Vec::new(), &place.key("grant"), report),
        retry: retry(&table.retry, &place.key("retry"), report),
        settings: Value::Object(table.with),
        enforced: table.enforce.unwrap_or(true),
        rework_to: table.rework_to.unwrap_or(here),
        rework_limit: table.rework_limit.unwrap_or(3),
        on_inconclusive: table.on_inconclusive,
        escalate_to: table.escalate,
    }
}

fn check_role(
    role: &str,
    roles: Option<&BTreeMap<String, Vec<String>>>,
    place: &Place<'_>,
    report: &mut Report,
) {
    let Some(roles) = roles.filter(|roles| !roles.contains_key(role)) else { return };
    let help = did_you_mean(role, roles.keys().map(String::as_str))
        .unwrap_or_else(|| format!("declare it in tollgate.toml: `[roles]` with `{role} = [\"…\"]`"));
    report.error(place, format!("there is no role `{role}`"), Some(help));
}

fn run_budget(table: &RunBudgetTable, place: &Place<'_>, report: &mut Report) -> RunBudget {
    let cost =
        table.cost.as_ref().and_then(|text| report.take(&place.key("cost"), text.parse::<Microcents>()));
    let time = table.time.as_ref();
    let time = time.and_then(|text| report.take(&place.key("time"), units::positive_duration(text)));
    RunBudget {
        cost: cost.unwrap_or(Microcents(100_000_000)),
        time: time.unwrap_or(Duration::from_secs(20 * 60)),
    }
}

fn retry(table: &RetryTable, place: &Place<'_>, report: &mut Report) -> Retry {
    let backoff = table.backoff.as_ref();
    let backoff = backoff.and_then(|text| report.take(&place.key("backoff"), units::duration_range(text)));
    let (backoff_min, backoff_max) = backoff.unwrap_or((Duration::from_secs(10), Duration::from_secs(300)));
    Retry { attempts: table.attempts.unwrap_or(3), backoff_min, backoff_max }
}

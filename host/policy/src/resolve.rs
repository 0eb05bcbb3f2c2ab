//! From files that are valid by their schema to a policy: units, calendars, formulas, defaults and references.

use std::{collections::BTreeMap, time::Duration};

use jiff::tz::TimeZone;
use tollgate_core::{
    Microcents, StopMode,
    ledger::{Cap, CapPeriod},
    pins::Prices,
    pipeline::StepBudget,
    refine,
};

use crate::{
    artifacts_address::ArtifactsAddress,
    pipeline_file::{BudgetTable, PipelineFile},
    policy::{Instance, Policy, StepBound, StopFile},
    project::{CapsTable, InstanceTable, PricesTable, ProjectFile, StopFileChoice},
    source_map::{Place, Report, SourceFile},
    store_address::StoreAddress,
    units,
};

mod backlog;
mod branches;
mod field;
mod model;
mod pipeline;

/// What one call may use where nothing is said.
pub(crate) const STEP_BUDGET_DEFAULT: StepBudget =
    StepBudget { fuel: 1_000_000_000, time: Duration::from_secs(30), memory_bytes: 64 << 20, tokens: None };

/// A pipeline's name, its file, and its content where that could be read.
pub(crate) type PipelineSource<'a> = (String, &'a SourceFile, Option<PipelineFile>);

/// The policy of these files; what is wrong in them goes to the report, and what it concerns is left out.
pub(crate) fn resolve(
    project: Option<(&SourceFile, ProjectFile)>,
    pipelines: Vec<PipelineSource<'_>>,
    grants: &[&str],
    report: &mut Report,
) -> Option<Policy> {
    let roles = project.as_ref().map(|(_, file)| file.roles.clone());
    let bound =
        project.as_ref().map(|(source, file)| step_bound(&file.budget, &source.root().key("budget"), report));
    let step_budget = bound.unwrap_or_default().or(STEP_BUDGET_DEFAULT);
    let plugin_bounds: BTreeMap<String, StepBound> = project
        .iter()
        .flat_map(|(source, file)| file.plugin.iter().map(|(name, table)| (source.root(), name, table)))
        .map(|(root, name, table)| {
            let place = root.key("plugin").key(name).key("budget");
            (name.clone(), step_bound(&table.budget, &place, report))
        })
        .collect();
    let models: Option<Vec<String>> = project.as_ref().map(|(_, file)| file.model.keys().cloned().collect());
    let pipeline_names: Vec<String> = pipelines.iter().map(|(name, ..)| name.clone()).collect();
    let mut host_labels = BTreeMap::new();
    let mut resolved_pipelines = BTreeMap::new();
    for (name, source, file) in pipelines {
        let Some(file) = file else { continue };
        let context = pipeline::Context {
            name: &name,
            step_budget,
            roles: roles.as_ref(),
            plugin_bounds: &plugin_bounds,
            models: models.as_deref(),
            grants,
        };
        host_labels.insert(name.clone(), labels(&file.host, &source.root().key("host"), report));
        let resolved = pipeline::resolve(&context, file, &source.root(), report);
        resolved_pipelines.insert(name, resolved);
    }
    let (source, file) = project?;
    let root = source.root();
    let mut backlogs = BTreeMap::new();
    let context = pipeline::Context {
        name: refine::PIPELINE,
        step_budget,
        roles: roles.as_ref(),
        plugin_bounds: &plugin_bounds,
        models: models.as_deref(),
        grants,
    };
    for (name, table) in file.backlog {
        let place = root.key("backlog").key(&name);
        if let Some(backlog) = backlog::resolve(&name, table, &pipeline_names, &context, &place, report) {
            backlogs.insert(name, backlog);
        }
    }
    Some(Policy {
        instance: instance(file.instance, &root.key("instance"), report),
        backlogs,
        pipelines: resolved_pipelines,
        plugin_bounds,
        caps: caps(&file.caps, &root.key("caps"), report),
        prices: prices(&file.prices, &root.key("prices"), report),
        models: model::resolve(file.model, &root.key("model"), report),
        roles: file.roles,
        host_labels,
        grants: grants.iter().map(|grant| (*grant).to_owned()).collect(),
        sources: Vec::new(),
    })
}

/// Events are packed so long after the end of their run where nothing is said: nobody looks at single ones of that time every day.
const PACK_AFTER_DAYS: u32 = 90;

fn instance(table: InstanceTable, place: &Place<'_>, report: &mut Report) -> Instance {
    let store = store_address(table.store.as_deref(), &place.key("store"), report);
    let lease_place = place.key("lease");
    let lease = table.lease.and_then(|text| report.take(&lease_place, units::positive_duration(&text)));
    let lease = lease.unwrap_or(Duration::from_secs(60));
    // A heartbeat each third of a lease, and a margin for clocks: shorter leases lapse on a busy machine.
    if lease < Duration::from_secs(5) {
        report.error(&lease_place, "a lease is at least `5s`", None);
    }
    let pack_after =
        Duration::from_secs(u64::from(table.pack_after_days.unwrap_or(PACK_AFTER_DAYS)) * 24 * 60 * 60);
    let stop_file = stop_file(table.stop_file, &place.key("stop_file"), report);
    let artifacts = table.artifacts.as_deref().map(ArtifactsAddress::parse).transpose();
    let artifacts = artifacts.unwrap_or_else(|message| {
        report.error(&place.key("artifacts"), message, Some("e.g. `s3://library/tollgate`".into()));
        None
    });
    let artifacts = artifacts.unwrap_or(ArtifactsAddress::Beside);
    Instance { store, artifacts, pack_after, lease, stop_file, workers: table.workers.unwrap_or(4) }
}

fn store_address(written: Option<&str>, place: &Place<'_>, report: &mut Report) -> StoreAddress {
    let address = match written.map(StoreAddress::parse) {
        None => Ok(StoreAddress::default_file()),
        Some(parsed) => parsed,
    };
    address.unwrap_or_else(|bad| {
        report.error(place, bad.message, bad.help);
        StoreAddress::default_file()
    })
}

fn stop_file(choice: Option<StopFileChoice>, place: &Place<'_>, report: &mut Report) -> StopFile {
    let (path, mode, place) = match choice {
        None => (None, StopMode::default(), place.key("path")),
        Some(StopFileChoice::Path(path)) => (Some(path), StopMode::default(), place.clone()),
        Some(StopFileChoice::Table(table)) => (table.path, table.mode, place.key("path")),
    };
    let path = path.unwrap_or_else(|| ".tollgate/stop".into());
    inside(&path, &place, report);
    StopFile { path, mode }
}

fn caps(table: &CapsTable, place: &Place<'_>, report: &mut Report) -> Vec<Cap> {
    let zone = zone(table.zone.as_deref(), &place.key("zone"), report);
    let zone = zone.iana_name().unwrap_or("UTC").to_owned();
    let periods = [(CapPeriod::Day, "day", &table.day), (CapPeriod::Month, "month", &table.month)];
    let cap = |(period, key, limit): (_, &str, &Option<String>)| {
        let limit = report.take(&place.key(key), limit.as_ref()?.parse::<Microcents>())?;
        Some(Cap { scope: "project".into(), period, zone: zone.clone(), limit })
    };
    periods.into_iter().filter_map(cap).collect()
}

fn prices(table: &PricesTable, place: &Place<'_>, report: &mut Report) -> Prices {
    let default = Prices::default();
    let per_gigafuel = table
        .per_gigafuel
        .as_ref()
        .and_then(|text| report.take(&place.key("per_gigafuel"), text.parse()))
        .unwrap_or(default.per_gigafuel);
    Prices { per_gigafuel }
}

fn step_bound(table: &BudgetTable, place: &Place<'_>, report: &mut Report) -> StepBound {
    StepBound {
        fuel: table.fuel.as_ref().and_then(|text| report.take(&place.key("fuel"), units::fuel(text))),
        time: table
            .time
            .as_ref()
            .and_then(|text| report.take(&place.key("time"), units::positive_duration(text))),
        memory_bytes: table
            .memory
            .as_ref()
            .and_then(|text| report.take(&place.key("memory"), units::bytes(text))),
        tokens: table.tokens.as_ref().and_then(|text| report.take(&place.key("tokens"), units::tokens(text))),
    }
}

impl StepBound {
    /// A budget of these, and of `default` where there is none.
    fn or(self, default: StepBudget) -> StepBudget {
        StepBudget {
            fuel: self.fuel.unwrap_or(default.fuel),
            time: self.time.unwrap_or(default.time),
            memory_bytes: self.memory_bytes.unwrap_or(default.memory_bytes),
            tokens: self.tokens.or(default.tokens),
        }
    }
}

/// A zone of the time zone database; UTC where none is named.
fn zone(name: Option<&str>, place: &Place<'_>, report: &mut Report) -> TimeZone {
    let Some(name) = name else { return TimeZone::UTC };
    match TimeZone::get(name) {
        // Numeric and POSIX zones have no name that a store could keep.
        Ok(zone) if zone.iana_name().is_some() => zone,
        _ => {
            let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
            let help = crate::error::nearest(name, known.iter().map(String::as_str)).map_or_else(
                || "e.g. `Europe/Berlin` or `UTC`".into(),
                |near| format!("did you mean `{near}`?"),
            );
            report.error(place, format!("`{name}` is no time zone"), Some(help));
            TimeZone::UTC
        }
    }
}

/// A path that stays inside the project.
fn inside(path: &str, place: &Place<'_>, report: &mut Report) {
    let plain = |part: &str| !part.is_empty() && part != ".." && !part.contains(['\\', '\0', ':']);
    if path != "." && !path.split('/').all(plain) {
        let help = Some("a relative path with `/` between its parts, e.g. `docs/backlog`".into());
        report.error(place, format!("`{path}` is no path inside the project"), help);
    }
}

/// Labels of hosts, each once.
fn labels(written: &[String], place: &Place<'_>, report: &mut Report) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for (position, label) in written.iter().enumerate() {
        let place = place.index(position);
        if let Err(message) = host_label(label) {
            report.error(&place, message, Some("e.g. `git`, `gpu` or `zone:eu`".into()));
        } else if labels.contains(label) {
            report.error(&place, format!("`{label}` is asked for twice"), None);
        }
        labels.push(label.clone());
    }
    labels
}

/// Whether this can be the label of a host.
///
/// # Errors
///
/// What was expected.
pub fn host_label(label: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/');
    if (1..=64).contains(&label.len()) && label.chars().all(plain) {
        return Ok(());
    }
    Err(format!(
        "`{label}` is no label of a host: expected 1 to 64 letters, digits, `-`, `_`, `.`, `:` and `/`"
    ))
}

/// A text that says something.
fn not_blank(text: &str, place: &Place<'_>, report: &mut Report) {
    if text.trim().is_empty() {
        report.error(place, "expected a text, found an empty one", None);
    }
}

/// The name of a thing: what commands and records can repeat without quotes.
fn name(name: &str, what: &str, place: &Place<'_>, report: &mut Report) {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if name.is_empty() || !name.chars().all(plain) {
        let help = Some("letters, digits, `-` and `_`".into());
        report.key_error(place, format!("`{name}` is no name of a {what}"), help);
    }
}

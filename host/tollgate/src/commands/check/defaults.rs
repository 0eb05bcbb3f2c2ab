//! Every limit and default, as TOML that can be copied into a project.
//!
//! They are read off a policy whose files say as little as they may, so they are what is in force, not a list beside it.

use std::{fmt::Write as _, time::Duration};

use tollgate_core::{
    entry::DependencyRule,
    pipeline::{Gate, OnInconclusive, StepBudget},
};
use tollgate_policy::{
    ConfigFile, Policy, Schedule,
    policy::{Backlog, ClaimMarker, Intake, OnChange, Rate},
};

use crate::error::{Failure, Result};

/// The least that a project says.
const PROJECT: &str = r#"
[backlog.b]
owner = "o"
pipeline = "p"
eligible = "true"
order_by = ["created"]
[[backlog.b.source]]
folder = "f"
[backlog.b.fields]
[model.m]
provider = "openai"
model = "m"
price = { input = "$1 / 1M", output = "$1 / 1M" }
"#;

/// The least that a pipeline says.
const PIPELINE: &str = r#"
owner = "o"
[[stage]]
name = "s"
plugin = "p"
[[stage.gate]]
plugin = "g"
"#;

/// The defaults.
///
/// # Errors
///
/// When the least project is none, which is a mistake of this program.
pub(super) fn toml() -> Result<String> {
    let file = |path: &str, text: &str| ConfigFile { path: path.to_owned(), text: text.to_owned() };
    let policy = Policy::from_files(vec![file("tollgate.toml", PROJECT), file("pipelines/p.toml", PIPELINE)]);
    let policy = policy.map_err(|found| Failure::Configuration { rendered: found.to_string() })?;
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _infallible = write_all(&mut text, &policy);
    Ok(text)
}

fn write_all(text: &mut String, policy: &Policy) -> std::fmt::Result {
    let instance = &policy.instance;
    writeln!(text, "# tollgate.toml\n")?;
    writeln!(text, "[instance]")?;
    writeln!(text, "store = {:?}", instance.store.to_string())?;
    writeln!(text, "lease = {:?}", span(instance.lease))?;
    let (path, mode) = (&instance.stop_file.path, instance.stop_file.mode.as_str());
    writeln!(text, "stop_file = {{ path = {path:?}, mode = {mode:?} }}")?;
    writeln!(text, "workers = {}", instance.workers)?;
    for backlog in policy.backlogs.values() {
        write_backlog(text, backlog)?;
    }
    writeln!(
        text,
        "\n# What a thousand million units of fuel cost. Without [caps] nothing limits what is spent."
    )?;
    writeln!(text, "[prices]\nper_gigafuel = \"{}\"", policy.prices.per_gigafuel)?;
    for model in policy.models.values() {
        writeln!(text, "\n[model.NAME]\nmax_tokens = {}", model.pinned.max_tokens)?;
        writeln!(text, "timeout = {:?}", span(model.timeout))?;
    }
    for pipeline in policy.pipelines.values() {
        writeln!(text, "\n# pipelines/NAME.toml\n")?;
        writeln!(text, "# One run.\n[budget]")?;
        writeln!(text, "cost = \"{}\"\ntime = {:?}", pipeline.budget.cost, span(pipeline.budget.time))?;
        for stage in &pipeline.stages {
            writeln!(
                text,
                "\n[[stage]]\n# One call; `[budget]` in tollgate.toml sets it for all, and bounds it."
            )?;
            writeln!(text, "budget = {}", budget(&stage.budget))?;
            let (first, longest) = (span(stage.retry.backoff_min), span(stage.retry.backoff_max));
            writeln!(
                text,
                "retry = {{ attempts = {}, backoff = \"{first}..{longest}\" }}",
                stage.retry.attempts
            )?;
            writeln!(text, "grant = []")?;
            writeln!(text, "on = \"{}\"", stage.on)?;
            for gate in &stage.gates {
                write_gate(text, gate)?;
            }
        }
    }
    Ok(())
}

fn write_backlog(text: &mut String, backlog: &Backlog) -> std::fmt::Result {
    writeln!(text, "\n[backlog.NAME]")?;
    writeln!(text, "zone = {:?}", backlog.zone.iana_name().unwrap_or("UTC"))?;
    for schedule in &backlog.pull {
        if let Schedule::Every(between) = schedule {
            writeln!(text, "pull = [{{ every = {:?} }}]", span(*between))?;
        }
    }
    let on_change = match backlog.on_change {
        OnChange::Ignore => "ignore",
        OnChange::Ask => "ask",
        OnChange::Rerun => "rerun",
    };
    writeln!(text, "on_change = {on_change:?}")?;
    let rule = match backlog.depends.rule {
        DependencyRule::Either => "either",
        DependencyRule::Tracker => "tracker",
        DependencyRule::Run => "run",
    };
    writeln!(text, "depends = {{ rule = {rule:?} }}")?;
    let rate = |rate: Option<&Rate>| {
        rate.map_or_else(String::new, |rate| format!("{} / {}", rate.count, span(rate.window)))
    };
    let (source, author) = backlog.intake.rates(true);
    writeln!(
        text,
        "# Of internal entries: per_source = {:?}, per_author = {:?}",
        rate(source),
        rate(author)
    )?;
    let Intake { per_origin, depth, duplicate_thousandths, .. } = backlog.intake;
    let duplicates = duplicate_thousandths.is_some();
    writeln!(text, "intake = {{ per_origin = {per_origin}, depth = {depth}, duplicates = {duplicates} }}")?;
    for source in &backlog.sources {
        writeln!(text, "\n[[backlog.NAME.source]]")?;
        writeln!(text, "settle = {:?}", span(source.settle))?;
        writeln!(text, "closed = {:?}", source.closed)?;
        writeln!(text, "records = {:?}", source.records)?;
        let claim_marker = match source.claim_marker {
            ClaimMarker::None => "none",
            ClaimMarker::Sidecar => "sidecar",
            ClaimMarker::Move => "move",
        };
        writeln!(text, "claim_marker = {claim_marker:?}")?;
        writeln!(text, "retry_failed = {}", source.retry_failed)?;
    }
    Ok(())
}

fn write_gate(text: &mut String, gate: &Gate) -> std::fmt::Result {
    let on_inconclusive = match gate.on_inconclusive {
        OnInconclusive::Escalate => "escalate",
        OnInconclusive::Fail => "fail",
        OnInconclusive::Wait => "wait",
    };
    writeln!(text, "\n[[stage.gate]]")?;
    writeln!(text, "enforce = {}", gate.enforced)?;
    writeln!(text, "rework_limit = {}", gate.rework_limit)?;
    writeln!(text, "on_inconclusive = {on_inconclusive:?}")
}

fn budget(budget: &StepBudget) -> String {
    // None of tokens: money is the limit then.
    let StepBudget { fuel, time, memory_bytes, tokens: _ } = budget;
    let fuel = match fuel {
        fuel if fuel % 1_000_000_000 == 0 => format!("{}G", fuel / 1_000_000_000),
        fuel if fuel % 1_000_000 == 0 => format!("{}M", fuel / 1_000_000),
        fuel => fuel.to_string(),
    };
    format!("{{ fuel = \"{fuel}\", time = \"{}\", memory = \"{}MiB\" }}", span(*time), memory_bytes >> 20)
}

/// A duration as the files write it.
fn span(duration: Duration) -> String {
    let (seconds, millis) = (duration.as_secs(), duration.as_millis());
    match (seconds, millis % 1000) {
        (0, _) | (_, 1..) => format!("{millis}ms"),
        (60.., 0) if seconds % 60 == 0 => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_these() {
        insta::assert_snapshot!(toml().unwrap(), @r#"
        # tollgate.toml

        [instance]
        store = "sqlite:.tollgate/tollgate.db"
        lease = "1m"
        stop_file = { path = ".tollgate/stop", mode = "drain" }
        workers = 4

        [backlog.NAME]
        zone = "UTC"
        pull = [{ every = "1m" }]
        on_change = "ask"
        depends = { rule = "either" }
        # Of internal entries: per_source = "60 / 5m", per_author = "20 / 5m"
        intake = { per_origin = 100, depth = 3, duplicates = false }

        [[backlog.NAME.source]]
        settle = "2s"
        closed = ["done", "completed", "closed", "fixed", "wontfix", "cancelled"]
        records = ".tollgate.md"
        claim_marker = "none"
        retry_failed = false

        # What a thousand million units of fuel cost. Without [caps] nothing limits what is spent.
        [prices]
        per_gigafuel = "$0.0001"

        [model.NAME]
        max_tokens = 4096
        timeout = "2m"

        # pipelines/NAME.toml

        # One run.
        [budget]
        cost = "$1.00"
        time = "20m"

        [[stage]]
        # One call; `[budget]` in tollgate.toml sets it for all, and bounds it.
        budget = { fuel = "1G", time = "30s", memory = "64MiB" }
        retry = { attempts = 3, backoff = "10s..5m" }
        grant = []
        on = "success"

        [[stage.gate]]
        enforce = true
        rework_limit = 3
        on_inconclusive = "escalate"
        "#);
    }
}

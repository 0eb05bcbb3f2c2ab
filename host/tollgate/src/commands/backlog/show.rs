//! `tollgate backlog show`.

use clap::Args;
use tollgate_core::run::RunKind;
use tollgate_store::OpenMode;

use crate::{
    context::Context,
    entry_argument,
    error::Result,
    exit::Exit,
    ui::{
        explain, json,
        text::{score, time},
    },
};

/// Show one entry: what it says, its fields, links and runs
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[arg(value_name = "ENTRY", help = entry_argument::HELP)]
    entry: String,
}

pub(crate) async fn run(context: &Context, args: ShowArgs) -> Result<Exit> {
    let project = context.project()?;
    let store = project.store(OpenMode::ReadOnly).await?;
    let detail = entry_argument::find(&*store, &project.folder, &args.entry).await?;
    let entry = json::Entry::new(detail, &project.policy, Vec::new());
    context.printer.show(&entry, text)?;
    Ok(Exit::Done)
}

fn text(entry: &json::Entry) -> String {
    let status = &entry.status;
    let mut lines = vec![format!("{}  {}", status.name.key, status.title), String::new()];
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("{name:<12} {value}"));
        }
    };
    fact("state", status.state.to_string());
    fact("backlog", status.backlog.clone());
    fact("pipeline", status.pipeline.clone().unwrap_or_default());
    fact("score", status.score_thousandths.map(score).unwrap_or_default());
    fact("file", status.url.clone().unwrap_or_default());
    fact("written", time(status.created_at));
    fact("labels", entry.labels.join(", "));
    for field in &entry.fields_told {
        fact(&field.name, told(field));
    }
    for link in &entry.links {
        let state = link.target.map_or_else(|| "unknown".to_owned(), |state| state.to_string());
        fact(link.link.kind.as_str(), format!("{} ({state})", link.link.to.key));
    }
    for child in &entry.children {
        fact("opened", format!("{} ({})", child.name.key, child.state));
    }
    for hold in &status.holds {
        fact("held", hold.reason.clone());
    }
    for run in &entry.runs {
        let reason = run.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let kind = if run.kind == RunKind::Refine { "refine" } else { "run" };
        fact(kind, format!("{} {}, round {}, {}{reason}", run.id, run.state, run.round, run.cost));
    }
    for adoption in &entry.adoptions {
        fact("adopted", explain::adoption(adoption));
    }
    lines.push(String::new());
    lines.push(entry.body.trim().to_owned());
    lines.join("\n")
}

/// The value of a field, whose word it is, and whether anyone may have written it.
fn told(field: &json::FieldTold) -> String {
    let value = match &field.value {
        Some(value) => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
        None => "-".to_owned(),
    };
    let trust = match (field.trust, field.trusted) {
        (Some(trust), true) => format!(", {trust}, trusted"),
        (Some(trust), false) => format!(", {trust}"),
        (None, _) => String::new(),
    };
    let set = match &field.set {
        Some(set) => format!(" {} at {}: {}", set.who, time(set.at), set.why),
        None => String::new(),
    };
    format!("{value}  ({}{set}{trust})", field.source)
}

//! `tollgate backlog show`.

use clap::Args;
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
    let entry = json::Entry::new(detail, Vec::new());
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
    for (name, value) in &entry.fields {
        fact(name, value.as_str().map_or_else(|| value.to_string(), str::to_owned));
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
        fact("run", format!("{} {}, round {}, {}{reason}", run.id, run.state, run.round, run.cost));
    }
    for adoption in &entry.adoptions {
        fact("adopted", explain::adoption(adoption));
    }
    lines.push(String::new());
    lines.push(entry.body.trim().to_owned());
    lines.join("\n")
}

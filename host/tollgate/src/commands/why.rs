//! `tollgate why`.

mod chain;
mod surroundings;

use clap::Args;
use tollgate_core::run::{RunKind, RunSummary};
use tollgate_store::OpenMode;

use crate::{
    context::Context,
    entry_argument,
    error::Result,
    exit::Exit,
    ui::{explain, json},
};

/// Say why an entry stands where it stands, and why it does not run
///
/// Its state; what holds it and what would lift that, through those that it depends on; its place among how many, and the score or
/// the day that would bring it to the head; what keeps its lane from being served, a stop, a window or a cap; the terms of its score;
/// how its last run ended and what to do next.
#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    #[arg(value_name = "ENTRY", help = entry_argument::HELP)]
    entry: String,
}

pub(crate) async fn run(context: &Context, args: WhyArgs) -> Result<Exit> {
    let project = context.project()?;
    let store = project.archive(OpenMode::ReadOnly).await?;
    let detail = entry_argument::find(&*store, &project.folder, &args.entry).await?;
    // What became of a refine run that is over is known of the entry.
    let tells = |run: &&RunSummary| run.kind == RunKind::Work || run.state.is_live();
    let newest = match detail.runs.iter().find(tells) {
        Some(run) => Some(store.run(run.id).await?),
        None => None,
    };
    let surroundings = surroundings::read(&*store, &project, &detail, newest.as_ref()).await?;
    let sentences = explain::entry(&detail, newest.as_ref(), &surroundings);
    let entry = json::Entry::new(detail, &project.policy, sentences);
    context.printer.show(&entry, |entry| entry.sentences.join("\n"))?;
    Ok(Exit::Done)
}

//! `tollgate why`.

use clap::Args;
use tollgate_store::OpenMode;

use crate::{
    context::Context,
    entry_argument,
    error::Result,
    exit::Exit,
    ui::{explain, json},
};

/// Say why an entry stands where it stands
///
/// Its state, what holds it and what would change that, what it depends on, its place and the terms of its score, how its last
/// run ended and what to do next.
#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    #[arg(value_name = "ENTRY", help = entry_argument::HELP)]
    entry: String,
}

pub(crate) async fn run(context: &Context, args: WhyArgs) -> Result<Exit> {
    let project = context.project()?;
    let store = project.store(OpenMode::ReadOnly).await?;
    let detail = entry_argument::find(&*store, &project.folder, &args.entry).await?;
    let newest = match detail.runs.first() {
        Some(run) => Some(store.run(run.id).await?),
        None => None,
    };
    let sentences = explain::entry(&detail, newest.as_ref());
    let entry = json::Entry::new(detail, sentences);
    context.printer.show(&entry, |entry| entry.sentences.join("\n"))?;
    Ok(Exit::Done)
}

//! `tollgate backlog admit`.

use clap::Args;
use tollgate_store::OpenMode;

use crate::{context::Context, entry_argument, error::Result, exit::Exit, ui::json};

/// Let an entry in that is held because of what came in before it
///
/// More of its source or author came in than `intake` of the backlog says, runs opened too many that one entry led to, or it looks
/// like something that Tollgate wrote. What else holds it goes on doing so.
#[derive(Debug, Args)]
pub(crate) struct AdmitArgs {
    #[arg(value_name = "ENTRY", help = entry_argument::HELP)]
    entry: String,
    /// Say why, for the log
    #[arg(long, value_name = "TEXT")]
    why: String,
}

pub(crate) async fn run(context: &Context, args: AdmitArgs) -> Result<Exit> {
    let project = context.project()?;
    let store = project.store(OpenMode::Client).await?;
    let status = entry_argument::find(&*store, &project.folder, &args.entry).await?.status;
    store.let_in(status.id, &context.environment.who(), &args.why).await?;
    let status = entry_argument::find(&*store, &project.folder, &args.entry).await?.status;
    let done = json::Done { done: format!("{} was let in; it is {}", status.name.key, status.state) };
    context.printer.show(&done, |done| done.done.clone())?;
    Ok(Exit::Done)
}

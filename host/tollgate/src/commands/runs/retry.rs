//! `tollgate runs retry`.

use clap::Args;
use tollgate_store::OpenMode;

use crate::{context::Context, entry_argument, error::Result, exit::Exit, ui::json};

/// Let an entry that is done, failed or escalated run again
///
/// It waits for its turn like any other; the next host that runs takes it, with the policy and plugins of then.
#[derive(Debug, Args)]
pub(crate) struct RetryArgs {
    #[arg(value_name = "ENTRY", help = entry_argument::HELP)]
    entry: String,
    /// Say why, for the log
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub(crate) async fn run(context: &Context, args: RetryArgs) -> Result<Exit> {
    let project = context.project()?;
    let store = project.store(OpenMode::Client).await?;
    let status = entry_argument::find(&*store, &project.folder, &args.entry).await?.status;
    store.retry(status.id, &context.environment.who(), &args.reason).await?;
    let done =
        json::Done { done: format!("{} waits for another round; `tollgate run` takes it", status.name.key) };
    context.printer.show(&done, |done| done.done.clone())?;
    Ok(Exit::Done)
}

//! `tollgate stop`.

use clap::Args;
use tollgate_store::{
    OpenMode,
    port::{StopMode, StopRequest},
};

use crate::{context::Context, error::Result, exit::Exit, ui::json};

/// Ask every host of this project to stop
///
/// Runs that were begun are finished and no more are started, here and in any later `tollgate run`, until `tollgate resume`.
#[derive(Debug, Args)]
pub(crate) struct StopArgs {
    /// Interrupt runs instead of finishing them; they go on later and nothing is lost
    #[arg(long)]
    now: bool,
    /// Say why, for those who find nothing running
    #[arg(long, value_name = "TEXT", default_value = "no reason was given")]
    reason: String,
}

pub(crate) async fn run(context: &Context, args: StopArgs) -> Result<Exit> {
    let store = context.project()?.store(OpenMode::Client).await?;
    let mode = if args.now { StopMode::Now } else { StopMode::Drain };
    store.stop(StopRequest { mode, who: context.environment.who(), why: args.reason }).await?;
    let what = match mode {
        StopMode::Now => "runs are interrupted and go on after",
        StopMode::Drain => "what was begun is finished; nothing is started before",
    };
    let done = json::Done { done: format!("hosts were asked to stop: {what} `tollgate resume`") };
    context.printer.show(&done, |done| done.done.clone())?;
    Ok(Exit::Done)
}

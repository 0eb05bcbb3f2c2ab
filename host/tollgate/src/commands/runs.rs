//! `tollgate runs`.

mod answer;
mod cancel;
mod list;
mod retry;
mod show;
mod watch;

use clap::{Args, Subcommand};

use crate::{context::Context, error::Result, exit::Exit};

/// Look at runs, follow them, or ask for another one
#[derive(Debug, Args)]
pub(crate) struct RunsArgs {
    #[command(subcommand)]
    runs: Runs,
}

#[derive(Debug, Subcommand)]
enum Runs {
    List(list::ListArgs),
    Show(show::ShowArgs),
    Watch(watch::WatchArgs),
    Retry(retry::RetryArgs),
    Cancel(cancel::CancelArgs),
    Answer(answer::RunsAnswerArgs),
}

pub(crate) async fn run(context: &Context, args: RunsArgs) -> Result<Exit> {
    match args.runs {
        Runs::List(args) => list::run(context, args).await,
        Runs::Show(args) => show::run(context, args).await,
        Runs::Watch(args) => watch::run(context, args).await,
        Runs::Retry(args) => retry::run(context, args).await,
        Runs::Cancel(args) => cancel::run(context, args).await,
        Runs::Answer(args) => answer::run(context, args).await,
    }
}

//! `tollgate backlog`.

mod add;
mod admit;
mod adopt;
mod list;
mod rank;
mod schema;
mod set;
mod show;
mod take_over;
mod watcher;

use clap::{Args, Subcommand};

use crate::{context::Context, error::Result, exit::Exit};

/// Look at entries, add some, set fields, adopt work that was done before, and see what a backlog declares of them
#[derive(Debug, Args)]
pub(crate) struct BacklogArgs {
    #[command(subcommand)]
    backlog: Backlog,
}

#[derive(Debug, Subcommand)]
enum Backlog {
    Add(add::AddArgs),
    Admit(admit::AdmitArgs),
    List(list::ListArgs),
    Show(show::ShowArgs),
    Rank(rank::RankArgs),
    Schema(schema::SchemaArgs),
    Set(set::SetArgs),
    Adopt(adopt::AdoptArgs),
    TakeOver(take_over::TakeOverArgs),
}

pub(crate) async fn run(context: &Context, args: BacklogArgs) -> Result<Exit> {
    match args.backlog {
        Backlog::Add(args) => add::run(context, args).await,
        Backlog::Admit(args) => admit::run(context, args).await,
        Backlog::List(args) => list::run(context, args).await,
        Backlog::Show(args) => show::run(context, args).await,
        Backlog::Rank(args) => rank::run(context, args).await,
        Backlog::Schema(args) => schema::run(context, args),
        Backlog::Set(args) => set::run(context, args).await,
        Backlog::Adopt(args) => adopt::run(context, args).await,
        Backlog::TakeOver(args) => take_over::run(context, args).await,
    }
}

//! `tollgate backlog`.

mod adopt;
mod list;
mod rank;
mod schema;
mod set;
mod show;

use clap::{Args, Subcommand};

use crate::{context::Context, error::Result, exit::Exit};

/// Look at entries and at what a backlog declares of them, set fields, and adopt work that was done before
#[derive(Debug, Args)]
pub(crate) struct BacklogArgs {
    #[command(subcommand)]
    backlog: Backlog,
}

#[derive(Debug, Subcommand)]
enum Backlog {
    List(list::ListArgs),
    Show(show::ShowArgs),
    Rank(rank::RankArgs),
    Schema(schema::SchemaArgs),
    Set(set::SetArgs),
    Adopt(adopt::AdoptArgs),
}

pub(crate) async fn run(context: &Context, args: BacklogArgs) -> Result<Exit> {
    match args.backlog {
        Backlog::List(args) => list::run(context, args).await,
        Backlog::Show(args) => show::run(context, args).await,
        Backlog::Rank(args) => rank::run(context, args).await,
        Backlog::Schema(args) => schema::run(context, args),
        Backlog::Set(args) => set::run(context, args).await,
        Backlog::Adopt(args) => adopt::run(context, args).await,
    }
}

//! `tollgate report`.

mod coverage;

use clap::{Args, Subcommand};

use crate::{context::Context, error::Result, exit::Exit};

/// Report on the whole project
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    #[command(subcommand)]
    report: Report,
}

#[derive(Debug, Subcommand)]
enum Report {
    Coverage(coverage::CoverageArgs),
}

pub(crate) async fn run(context: &Context, args: ReportArgs) -> Result<Exit> {
    match args.report {
        Report::Coverage(args) => coverage::run(context, args).await,
    }
}

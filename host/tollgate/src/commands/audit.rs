//! `tollgate audit`.

mod verify;

use clap::{Args, Subcommand};

use crate::{context::Context, error::Result, exit::Exit};

/// Prove what was done
#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    audit: Audit,
}

#[derive(Debug, Subcommand)]
enum Audit {
    Verify(verify::VerifyArgs),
}

pub(crate) async fn run(context: &Context, args: AuditArgs) -> Result<Exit> {
    match args.audit {
        Audit::Verify(args) => verify::run(context, args).await,
    }
}

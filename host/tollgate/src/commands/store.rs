//! `tollgate store`.

mod doctor;

use clap::{Args, Subcommand};

use crate::{context::Context, error::Result, exit::Exit};

/// See to the store itself
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    #[command(subcommand)]
    store: Store,
}

#[derive(Debug, Subcommand)]
enum Store {
    Doctor(doctor::DoctorArgs),
}

pub(crate) async fn run(context: &Context, args: StoreArgs) -> Result<Exit> {
    match args.store {
        Store::Doctor(args) => doctor::run(context, args).await,
    }
}

//! `tollgate store`.

mod artifacts;
mod doctor;
mod export;
mod import;
mod migrate;
mod status;
mod stay;

use clap::{Args, Subcommand};
use tollgate_policy::StoreAddress;

use crate::{context::Context, error::Result, exit::Exit, project::Project};

/// Look after the store: how it stands, whether it is whole, its schema, and how it moves between SQLite and PostgreSQL
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    #[command(subcommand)]
    store: Store,
}

#[derive(Debug, Subcommand)]
enum Store {
    Status(status::StatusArgs),
    Doctor(doctor::DoctorArgs),
    Migrate(migrate::MigrateArgs),
    Export(export::ExportArgs),
    Import(import::ImportArgs),
    Stay(stay::StayArgs),
}

pub(crate) async fn run(context: &Context, args: StoreArgs) -> Result<Exit> {
    match args.store {
        Store::Doctor(args) => doctor::run(context, args).await,
        Store::Status(args) => status::run(context, args).await,
        Store::Migrate(args) => migrate::run(context, args).await,
        Store::Export(args) => export::run(context, args).await,
        Store::Import(args) => import::run(context, args).await,
        Store::Stay(args) => stay::run(context, args).await,
    }
}

/// Where a project's store is, without a password.
fn address(project: &Project) -> String {
    project.policy.instance.store.to_string()
}

/// The database that it is in.
fn kind(project: &Project) -> &'static str {
    match project.policy.instance.store {
        StoreAddress::Sqlite(_) => "SQLite",
        StoreAddress::Postgres(_) => "PostgreSQL",
    }
}

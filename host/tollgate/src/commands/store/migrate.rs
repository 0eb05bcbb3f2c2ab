//! `tollgate store migrate`.

use clap::Args;
use tollgate_store::{OpenMode, StoreError, port::SchemaVersion};

use crate::{
    context::Context,
    error::{Failure, Result},
    exit::Exit,
    ui::json::Migrated,
};

/// Make the store, or bring its schema up to date, without running anything
///
/// `tollgate run` does so by itself. Hosts of an earlier version go on working where the step only adds to the schema; where it does not,
/// it waits until they are gone, and says which there are.
#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {}

pub(crate) async fn run(context: &Context, _: MigrateArgs) -> Result<Exit> {
    let project = context.project()?;
    // One that is up to date is not opened as its only host.
    let (store, before) = match project.archive(OpenMode::ReadOnly).await {
        Ok(store) => (store, Before::UpToDate),
        Err(Failure::NoStore { .. }) => (project.archive(OpenMode::Keeper).await?, Before::Nothing),
        Err(Failure::Store(StoreError::Conflict(_))) => {
            (project.archive(OpenMode::Keeper).await?, Before::Earlier)
        }
        Err(failure) => return Err(failure),
    };
    let about = store.about().await?;
    let migrated = Migrated {
        address: super::address(&project),
        made: before == Before::Nothing,
        changed: before != Before::UpToDate,
        schema: about.schema,
    };
    context.printer.show(&migrated, text)?;
    Ok(Exit::Done)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Earlier,
    UpToDate,
}

fn text(migrated: &Migrated) -> String {
    let Migrated { address, made, changed, schema: SchemaVersion { version, name, .. } } = migrated;
    match (made, changed) {
        (true, _) => format!("the store at {address} is made, with schema version {version} (`{name}`)"),
        (false, true) => format!("the store at {address} has schema version {version} (`{name}`) now"),
        (false, false) => {
            format!("the store at {address} is up to date: schema version {version} (`{name}`)")
        }
    }
}

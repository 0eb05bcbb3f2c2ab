//! `tollgate help-schemas`: writes the published JSON Schemas, which `cargo xtask schemas` calls.

use std::path::PathBuf;

use clap::Args;

use crate::{
    context::Context,
    error::{Failure, Result},
    exit::Exit,
};

/// Write the JSON Schema of every file that people write, and of the record
#[derive(Debug, Args)]
pub(crate) struct HelpSchemasArgs {
    /// The folder in which `schemas/` is written
    folder: PathBuf,
}

pub(crate) fn run(context: &Context, args: HelpSchemasArgs) -> Result<Exit> {
    let of_policy = tollgate_policy::schema::documents().into_iter().map(|schema| (schema.path, schema.text));
    let of_records =
        tollgate_tracker::record::documents().into_iter().map(|schema| (schema.path, schema.text));
    for (path, text) in of_policy.chain(of_records) {
        let target = args.folder.join(path);
        std::fs::write(&target, text).map_err(Failure::io(format!("write {}", target.display())))?;
        context.printer.data(target.display().to_string())?;
    }
    Ok(Exit::Done)
}

//! `cargo xtask schemas`: writes the JSON Schemas in `schemas/` again, from the types that they describe.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// Write schemas/ again
#[derive(clap::Args)]
pub(crate) struct SchemasArgs {}

pub(crate) fn run(_: &SchemasArgs) -> Result<()> {
    let mut command = Command::new("cargo");
    command.args(["run", "--quiet", "--package", "tollgate", "--", "help-schemas", "."]);
    if !command.status().context("cannot start cargo")?.success() {
        bail!("the schemas could not be written");
    }
    Ok(())
}

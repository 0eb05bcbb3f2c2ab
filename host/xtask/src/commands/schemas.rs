//! `cargo xtask schemas`: writes the JSON Schemas in `schemas/` again, from the types that they describe.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::binary;

/// Write schemas/ again
#[derive(clap::Args)]
pub(crate) struct SchemasArgs {}

pub(crate) fn run(_: &SchemasArgs) -> Result<()> {
    // A test beside it gives dependencies the features that the tests gave them, so that none is compiled a second time.
    let binary = binary::build(&["--workspace", "--quiet", "--test", "policy"])?;
    if !Command::new(binary).args(["help-schemas", "."]).status().context("cannot start tollgate")?.success()
    {
        bail!("the schemas could not be written");
    }
    Ok(())
}

//! The binary that users run, built for a command.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

/// Builds the binary with these arguments; where it is.
pub(crate) fn build(args: &[&str]) -> Result<PathBuf> {
    let mut command = Command::new("cargo");
    command.arg("build").args(args).args(["--bin", "tollgate", "--message-format=json"]);
    let output = command.stderr(Stdio::inherit()).output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("the binary cannot be built");
    }
    let messages = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mut executables = messages.filter_map(|line| {
        let message: serde_json::Value = serde_json::from_slice(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    executables.next_back().context("cargo did not say where the binary is")
}

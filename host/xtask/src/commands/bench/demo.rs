//! Memory of the demo: the most that `tollgate demo` ever held, as the operating system counts it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};
use wait4::Wait4 as _;

use super::figure::Figure;

/// How often each demo is run.
const RUNS: usize = 3;

pub(super) fn figures() -> Result<Vec<Figure>> {
    let binary = build()?;
    let folder = tempfile::tempdir()?;
    let (mut compiling, mut compiled) = (Vec::new(), Vec::new());
    for run in 0..RUNS {
        let cache = folder.path().join(format!("cache-{run}"));
        compiling.push(peak_mib(&binary, &folder.path().join(format!("{run}-first")), &cache)?);
        compiled.push(peak_mib(&binary, &folder.path().join(format!("{run}-second")), &cache)?);
    }
    Ok(vec![
        figure("memory of `tollgate demo`, compiling its plugins", compiling),
        figure("memory of `tollgate demo`, plugins compiled before", compiled),
    ])
}

fn figure(name: &str, blocks: Vec<f64>) -> Figure {
    Figure {
        name: name.into(),
        unit: "MiB".into(),
        blocks,
        against: None,
        targets: Vec::new(),
        fdatasync_ms: Vec::new(),
        facts: BTreeMap::new(),
    }
}

/// Builds the binary as users do; where it is.
fn build() -> Result<PathBuf> {
    let mut command = Command::new("cargo");
    command.args(["build", "--release", "--locked", "--package", "tollgate", "--message-format=json"]);
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

/// Runs a demo in an empty folder; the largest resident set that it had, in MiB.
fn peak_mib(binary: &Path, folder: &Path, cache: &Path) -> Result<f64> {
    std::fs::create_dir_all(folder)?;
    let mut command = Command::new(binary);
    command.arg("demo").current_dir(folder).env("TOLLGATE_CACHE", cache);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let ended = command.spawn().context("cannot start the binary")?.wait4()?;
    if !ended.status.success() {
        bail!("`tollgate demo` failed in {}", folder.display());
    }
    Ok(ended.rusage.maxrss as f64 / f64::from(1 << 20))
}

//! Memory of the demo: the most that `tollgate demo` ever held, as the operating system counts it.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};
use wait4::Wait4 as _;

use super::figure::Figure;
use crate::commands::binary;

/// How often each demo is run.
const RUNS: usize = 3;

pub(super) fn figures() -> Result<Vec<Figure>> {
    let binary = binary::build(&["--release", "--locked", "--workspace"])?;
    let folder = tempfile::tempdir()?;
    let (mut compiling, mut compiled) = (Vec::new(), Vec::new());
    for run in 0..RUNS {
        let cache = folder.path().join(format!("cache-{run}"));
        compiling.push(peak_mib(&binary, &folder.path().join(format!("{run}-first")), &cache)?);
        compiled.push(peak_mib(&binary, &folder.path().join(format!("{run}-second")), &cache)?);
    }
    Ok(vec![
        Figure::new("memory of `tollgate demo`, compiling its plugins", "MiB", compiling),
        Figure::new("memory of `tollgate demo`, plugins compiled before", "MiB", compiled),
    ])
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

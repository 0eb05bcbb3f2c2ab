//! `cargo xtask foreign`: builds the guests of other languages with the toolchains that their authors use, unmodified.
//!
//! Their components are large and differ from build to build, so they are not kept in the repository.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::plugins::repository;

/// The toolchains, by the exact versions that were tried.
const COMPONENTIZE_PY: &str = "componentize-py==0.25.1";
const JCO: &str = "@bytecodealliance/jco@1.35";

/// Build the tests' guests of other languages into target/foreign/; needs python3 and npm
#[derive(clap::Args)]
pub(crate) struct ForeignArgs {}

pub(crate) fn run(_: &ForeignArgs) -> Result<()> {
    let folder = repository().join("target/foreign");
    fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
    python(&folder)?;
    javascript(&folder)
}

/// As it comes, with all of WASI that Python's runtime imports.
fn python(folder: &Path) -> Result<()> {
    let venv = folder.join("venv");
    let tool = venv.join("bin/componentize-py");
    if !tool.is_file() {
        call(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        call(Command::new(venv.join("bin/pip")).args(["install", "--quiet", COMPONENTIZE_PY]))?;
    }
    let mut build = Command::new(tool);
    build.arg("-d").arg(repository().join("wit")).args([
        "-w",
        "stage",
        "componentize",
        "-p",
        "app",
        "app",
        "-o",
    ]);
    call(build.arg(component(folder, "python")?).current_dir(repository().join("tests/guests/python")))
}

/// The same, on QuickJS. Without `disable-async` the component would need the component model's asynchronous part.
fn javascript(folder: &Path) -> Result<()> {
    let tool = folder.join("node_modules/.bin/jco");
    if !tool.is_file() {
        let mut install = Command::new("npm");
        call(install.args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(folder).arg(JCO))?;
    }
    let mut build = Command::new(tool);
    build.args(["componentize", "stage.js", "--wit"]).arg(repository().join("wit")).args(["-n", "stage"]);
    build
        .args(["--backend", "quickjs", "--backend-qjs-disable-async", "-o"])
        .arg(component(folder, "javascript")?);
    call(build.current_dir(repository().join("tests/guests/javascript")))
}

/// Where the component of a language goes, with its manifest beside it, as its author would have it.
fn component(folder: &Path, language: &str) -> Result<PathBuf> {
    let folder = folder.join(language);
    fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
    let manifest = repository().join("tests/guests").join(language).join("plugin.toml");
    fs::copy(&manifest, folder.join("plugin.toml"))
        .with_context(|| format!("failed to copy {}", manifest.display()))?;
    Ok(folder.join("stage.wasm"))
}

fn call(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("cannot start {program}"))?;
    if !status.success() {
        bail!("{program} failed");
    }
    Ok(())
}

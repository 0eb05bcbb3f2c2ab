//! From sources to a component with its manifest inside.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use tollgate_core::Digest;
use tollgate_registry::component::embed;
use tollgate_registry::manifest::CONTRACTS;
use wit_component::ComponentEncoder;

use super::group::{Group, Plugin};
use super::lock::{Lock, LockedPlugin};
use super::source::Sources;
use super::toolchain::{TARGET, Toolchain};
use super::{repository, workspace};

/// A plugin as it is shipped.
pub(crate) struct Component<'a> {
    /// What it was built from.
    pub(crate) plugin: &'a Plugin,
    /// The digest of its sources, taken before they were compiled: an edit meanwhile makes the lock file outdated, not
    /// untrue.
    source: Digest,
    /// The component, its manifest inside.
    pub(crate) bytes: Vec<u8>,
}

/// Builds every plugin of a group and writes nothing but the compiler's own files.
pub(crate) fn components<'a>(group: &'a Group, toolchain: &Toolchain) -> Result<Vec<Component<'a>>> {
    let flags = remapped_paths(toolchain)?;
    let sources = Sources::read()?;
    let build = |plugin: &'a Plugin| {
        let source = sources.digest(&plugin.name)?;
        let module = compile(plugin, toolchain, &flags)?;
        let bytes = componentise(&module, &plugin.manifest_text)
            .with_context(|| format!("failed to make a component of {}", plugin.name))?;
        Ok(Component { plugin, source, bytes })
    };
    group.plugins.iter().map(build).collect()
}

/// Writes components and lock file, and removes components whose plugin is gone.
pub(crate) fn write(group: &Group, components: &[Component<'_>], toolchain: &Toolchain) -> Result<()> {
    let dist = repository().join(group.dist);
    fs::create_dir_all(&dist).with_context(|| format!("failed to make {}", dist.display()))?;
    let mut locked = BTreeMap::new();
    for Component { plugin, source, bytes } in components {
        write_file(&repository().join(group.component_path(&plugin.name)), bytes)?;
        let entry =
            LockedPlugin { source: *source, component: Digest::of(bytes), size_bytes: bytes.len() as u64 };
        locked.insert(plugin.name.clone(), entry);
    }
    for name in group.components()?.iter().filter(|name| !locked.contains_key(*name)) {
        let path = repository().join(group.component_path(name));
        fs::remove_file(&path).with_context(|| format!("failed to remove {}", path.display()))?;
    }
    let lock = Lock { toolchain: toolchain.to_string(), contract: CONTRACTS[0].to_owned(), plugin: locked };
    write_file(&repository().join(group.lock_path()), lock.render()?.as_bytes())
}

/// Leaves a file alone that says the same already, so that what embeds it is not compiled again.
fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|held| held == bytes) {
        return Ok(());
    }
    fs::write(path, bytes).with_context(|| format!("failed to write {}", path.display()))
}

/// One plugin at a time, so that its bytes depend on no other plugin; and as a `cdylib` alone, since an `rlib` beside
/// it would have every dependency, the standard library among them, compiled a second time in another way.
fn compile(plugin: &Plugin, toolchain: &Toolchain, flags: &OsString) -> Result<Vec<u8>> {
    let target = workspace().join("target");
    let status = toolchain
        .cargo("rustc")
        .args(["--release", "--locked", "--lib", "--crate-type", "cdylib", "--package", &plugin.name])
        .arg("--target-dir")
        .arg(&target)
        .env("CARGO_ENCODED_RUSTFLAGS", flags)
        .current_dir(workspace())
        .status()
        .context("failed to run cargo")?;
    if !status.success() {
        bail!("{} does not compile for {TARGET}", plugin.name);
    }
    let module = target.join(TARGET).join("release").join(format!("{}.wasm", plugin.name.replace('-', "_")));
    fs::read(&module).with_context(|| format!("failed to read {}", module.display()))
}

fn componentise(module: &[u8], manifest: &str) -> Result<Vec<u8>> {
    let component = ComponentEncoder::default().validate(true).module(module)?.encode()?;
    Ok(embed(&component, manifest))
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    source: Option<String>,
    manifest_path: PathBuf,
}

/// Panics name the file they are in. These flags, joined as cargo wants them, replace the folders of this machine
/// by names that are the same on every machine.
fn remapped_paths(toolchain: &Toolchain) -> Result<OsString> {
    let mut folders = vec![(repository(), "/tollgate")];
    folders.extend(registry_folders()?.into_iter().map(|folder| (folder, "/registry")));
    folders.extend(toolchain.std_sources().into_iter().map(|folder| (folder, "/rust")));
    let mut flags = OsString::new();
    for (folder, name) in folders {
        if !flags.is_empty() {
            flags.push("\u{1f}");
        }
        flags.push("--remap-path-prefix=");
        flags.push(folder);
        flags.push("=");
        flags.push(name);
    }
    Ok(flags)
}

/// Where cargo keeps the sources of what the plugins are built from; the folder's name differs by registry.
fn registry_folders() -> Result<BTreeSet<PathBuf>> {
    let output = Command::new("cargo")
        .args(["metadata", "--locked", "--format-version=1"])
        .current_dir(workspace())
        .output()
        .context("failed to run cargo")?;
    if !output.status.success() {
        bail!("cargo metadata failed in plugins/: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let metadata: Metadata =
        serde_json::from_slice(&output.stdout).context("cargo metadata answered something else")?;
    let outside = metadata.packages.iter().filter(|package| package.source.is_some());
    Ok(outside.filter_map(|package| package.manifest_path.ancestors().nth(2)).map(Path::to_owned).collect())
}

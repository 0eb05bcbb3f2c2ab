//! The digest of what a plugin is built from.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use tollgate_core::Digest;

use super::{repository, workspace};

/// The crates of the plugins' workspace, and which of them is built from which.
pub(crate) struct Sources {
    /// Folder of a crate by its name.
    folders: BTreeMap<String, PathBuf>,
    /// Folders of the crates that a crate is built from directly.
    needs: BTreeMap<PathBuf, Vec<PathBuf>>,
    /// Version of a crate by its name.
    versions: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    kind: Option<String>,
    path: Option<PathBuf>,
}

impl Sources {
    /// Asks cargo; neither the network nor a compiler is needed.
    pub(crate) fn read() -> Result<Self> {
        let output = Command::new("cargo")
            .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
            .current_dir(workspace())
            .output()
            .context("failed to run cargo")?;
        if !output.status.success() {
            bail!("cargo metadata failed in plugins/: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let metadata: Metadata =
            serde_json::from_slice(&output.stdout).context("cargo metadata answered something else")?;
        let mut sources =
            Sources { folders: BTreeMap::new(), needs: BTreeMap::new(), versions: BTreeMap::new() };
        for package in metadata.packages {
            let folder = package.manifest_path.with_file_name("");
            let built_from =
                package.dependencies.into_iter().filter(|needed| needed.kind.as_deref() != Some("dev"));
            // A path with and without a slash at its end is one path only after it was taken apart.
            let folder: PathBuf = folder.components().collect();
            sources.needs.insert(folder.clone(), built_from.filter_map(|needed| needed.path).collect());
            sources.versions.insert(package.name.clone(), package.version);
            sources.folders.insert(package.name, folder);
        }
        Ok(sources)
    }

    /// The version that a crate's `Cargo.toml` says.
    pub(crate) fn version(&self, name: &str) -> Option<&str> {
        self.versions.get(name).map(String::as_str)
    }

    /// The digest of everything in the repository that decides a plugin's bytes: its crate and every crate of the
    /// workspace that it is built from, the contract, and the workspace's manifest and lock file, each by its path
    /// in the repository and its content, sorted by path. Tests and prose are left out.
    pub(crate) fn digest(&self, plugin: &str) -> Result<Digest> {
        let folder = self.folders.get(plugin).with_context(|| {
            format!("{plugin} has a plugin.toml and is no member of the workspace in plugins/Cargo.toml")
        })?;
        let mut files = BTreeSet::from([workspace().join("Cargo.toml"), workspace().join("Cargo.lock")]);
        collect(&repository().join("wit"), &mut files)?;
        let mut crates = BTreeSet::new();
        self.collect_crates(folder, &mut crates);
        for folder in &crates {
            collect(folder, &mut files)?;
        }
        digest_of(&repository(), &files)
    }

    fn collect_crates(&self, folder: &Path, crates: &mut BTreeSet<PathBuf>) {
        if crates.insert(folder.to_owned()) {
            for needed in self.needs.get(folder).into_iter().flatten() {
                self.collect_crates(needed, crates);
            }
        }
    }
}

/// Adds the files below a folder that can reach a compiler.
fn collect(folder: &Path, files: &mut BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("failed to list {}", folder.display()))? {
        let entry = entry?;
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let prose = name.ends_with(".md") || matches!(&*name, "tests" | "proptest-regressions" | "snapshots");
        if prose || name.starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(&path, files)?;
        } else {
            files.insert(path);
        }
    }
    Ok(())
}

fn digest_of(root: &Path, files: &BTreeSet<PathBuf>) -> Result<Digest> {
    let mut parts = BTreeMap::new();
    for file in files {
        let relative = file.strip_prefix(root).with_context(|| format!("{} is outside", file.display()))?;
        let names: Vec<_> = relative.components().map(|name| name.as_os_str().to_string_lossy()).collect();
        let content = fs::read(file).with_context(|| format!("failed to read {}", file.display()))?;
        parts.insert(names.join("/"), content);
    }
    Ok(Digest::of_parts(parts.iter().flat_map(|(path, content)| [path.as_bytes(), content.as_slice()])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(files: &[(&str, &str)]) -> Digest {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let mut found = BTreeSet::new();
        collect(root.path(), &mut found).unwrap();
        digest_of(root.path(), &found).unwrap()
    }

    #[test]
    fn the_digest_is_of_paths_and_contents_wherever_they_are() {
        let one = digest(&[("Cargo.toml", "a"), ("src/lib.rs", "b")]);
        assert_eq!(one, digest(&[("src/lib.rs", "b"), ("Cargo.toml", "a")]));
        assert_ne!(one, digest(&[("Cargo.toml", "a"), ("src/lib.rs", "c")]));
        assert_ne!(one, digest(&[("Cargo.toml", "a"), ("src/main.rs", "b")]));
        assert_ne!(one, digest(&[("Cargo.toml", "a"), ("src/lib.rs", "b"), ("rules.toml", "")]));
    }

    #[test]
    fn tests_and_prose_do_not_count() {
        let one = digest(&[("src/lib.rs", "b")]);
        let more = [("src/lib.rs", "b"), ("README.md", "c"), ("tests/all.rs", "d"), (".swap", "e")];
        assert_eq!(one, digest(&more));
    }
}

//! Plugins that are built and locked together: those that are shipped, and those that the tests call.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use tollgate_registry::Manifest;

use super::lock::Lock;
use super::repository;

/// Plugins that are built and locked together.
pub(crate) struct Group {
    /// Where the components and the lock file are, relative to the repository.
    pub(crate) dist: &'static str,
    /// The packages, beyond the base world, of which its plugins may import.
    pub(crate) may_import: &'static [&'static str],
    /// By name.
    pub(crate) plugins: Vec<Plugin>,
}

/// The source of one plugin.
pub(crate) struct Plugin {
    /// Of the folder, the crate and the manifest alike.
    pub(crate) name: String,
    /// The bytes of its `plugin.toml`.
    pub(crate) manifest_text: String,
    /// The same, understood.
    pub(crate) manifest: Manifest,
}

/// All groups. A folder with a `plugin.toml` is a plugin.
///
/// The guests of the tests are below the workspace's own folder, since cargo puts the absolute path of a crate that is
/// outside into the names of its symbols, and so into the bytes.
pub(crate) fn all() -> Result<Vec<Group>> {
    Ok(vec![
        Group::read("plugins", "plugins/dist", &[])?,
        Group::read("plugins/guests", "tests/guests/dist", &["test:probe"])?,
    ])
}

impl Group {
    fn read(sources: &str, dist: &'static str, may_import: &'static [&'static str]) -> Result<Self> {
        let mut plugins = Vec::new();
        let path = repository().join(sources);
        for entry in fs::read_dir(&path).with_context(|| format!("failed to list {}", path.display()))? {
            let path = entry?.path();
            if path.join("plugin.toml").is_file() {
                plugins.push(Plugin::read(&path)?);
            }
        }
        plugins.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Group { dist, may_import, plugins })
    }

    /// Where a component is, relative to the repository.
    pub(crate) fn component_path(&self, plugin: &str) -> String {
        format!("{}/{plugin}.wasm", self.dist)
    }

    /// Where the lock file is, relative to the repository.
    pub(crate) fn lock_path(&self) -> String {
        format!("{}/plugins.lock", self.dist)
    }

    pub(crate) fn read_component(&self, plugin: &str) -> Result<Vec<u8>> {
        let path = self.component_path(plugin);
        fs::read(repository().join(&path)).with_context(|| format!("failed to read {path}"))
    }

    pub(crate) fn lock(&self) -> Result<Lock> {
        let path = self.lock_path();
        let text =
            fs::read_to_string(repository().join(&path)).with_context(|| format!("failed to read {path}"))?;
        Lock::parse(&text).with_context(|| format!("{path} is not a lock file"))
    }

    /// The names of the components that are there.
    pub(crate) fn components(&self) -> Result<BTreeSet<String>> {
        let folder = repository().join(self.dist);
        let mut names = BTreeSet::new();
        for entry in fs::read_dir(&folder).with_context(|| format!("failed to list {}", folder.display()))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "wasm") {
                names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
            }
        }
        Ok(names)
    }
}

impl Plugin {
    fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("plugin.toml");
        let manifest_text = read_text(&path)?;
        let manifest = Manifest::parse(&manifest_text).with_context(|| format!("in {}", path.display()))?;
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        anyhow::ensure!(
            name == manifest.name,
            "{} names the plugin \"{}\"; it has to be called as its folder is",
            path.display(),
            manifest.name
        );
        Ok(Plugin { name, manifest_text, manifest })
    }
}

fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))
}

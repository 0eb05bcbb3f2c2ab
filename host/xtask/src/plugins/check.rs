//! Whether components and sources belong together. Everything here works without a compiler for wasm32.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Result;
use tollgate_core::Digest;
use tollgate_registry::component::Outline;
use tollgate_registry::manifest::CONTRACTS;

use super::group::{Group, Plugin};
use super::repository;
use super::source::Sources;

/// What any plugin may import without a grant; a shipped plugin imports nothing else but the capabilities in its `plugin.toml`.
const BASE_WORLD: &[&str] = &["types", "input", "log", "clock", "artifacts", "budget"];

/// Beginnings and parts of paths as they are on one machine or another.
const MACHINE_PATHS: &[&str] =
    &["/home/", "/root/", "/Users/", "\\Users\\", ".cargo/", ".rustup/", "/usr/lib/rust", "/usr/src/"];

/// Everything that is wrong with what is checked in of a group.
pub(crate) fn group(group: &Group) -> Result<Vec<String>> {
    let lock = group.lock()?;
    let sources = Sources::read()?;
    let mut problems = Vec::new();
    if lock.contract != CONTRACTS[0] {
        problems.push(format!("{}: built for contract {}", group.lock_path(), lock.contract));
    }
    let written: BTreeSet<String> = group.plugins.iter().map(|plugin| plugin.name.clone()).collect();
    let locked: BTreeSet<String> = lock.plugin.keys().cloned().collect();
    let built = group.components()?;
    problems.extend(differences(&written, &locked, "has sources", &group.lock_path()));
    problems.extend(differences(&written, &built, "has sources", group.dist));

    for plugin in
        group.plugins.iter().filter(|plugin| locked.contains(&plugin.name) && built.contains(&plugin.name))
    {
        let name = &plugin.name;
        let entry = &lock.plugin[name];
        if sources.digest(name)? != entry.source {
            problems.push(format!("{name}: its sources have changed since it was built"));
        }
        if sources.version(name) != Some(&plugin.manifest.version.to_string()) {
            problems.push(format!("{name}: plugin.toml and Cargo.toml say different versions"));
        }
        let bytes = group.read_component(name)?;
        if (Digest::of(&bytes), bytes.len() as u64) != (entry.component, entry.size_bytes) {
            problems.push(format!("{name}: the component is not the one that was built"));
        }
        problems.extend(component(group, plugin, &bytes)?);
    }
    Ok(problems)
}

fn differences(here: &BTreeSet<String>, there: &BTreeSet<String>, is_here: &str, place: &str) -> Vec<String> {
    let missing = here.difference(there).map(|name| format!("{name}: {is_here} and is missing in {place}"));
    let surplus = there.difference(here).map(|name| format!("{name}: is in {place} and has no sources"));
    missing.chain(surplus).collect()
}

/// Everything that is wrong with a component, be it the one that is checked in or one just built.
pub(crate) fn component(group: &Group, plugin: &Plugin, bytes: &[u8]) -> Result<Vec<String>> {
    let name = &plugin.name;
    let outline = match Outline::read(bytes) {
        Ok(outline) => outline,
        Err(error) => return Ok(vec![format!("{name}: the component {error}")]),
    };
    let mut problems = Vec::new();
    if outline.manifest != plugin.manifest_text {
        problems.push(format!("{name}: the component holds another plugin.toml"));
    }
    for import in outline.imports {
        let base = interface(import).is_some_and(|interface| BASE_WORLD.contains(&interface));
        let named =
            interface(import).is_some_and(|interface| plugin.manifest.capabilities.contains(interface));
        let package = import.split_once('/').map_or(import, |(package, _)| package);
        if !base && !named && !group.may_import.contains(&package) {
            problems.push(format!(
                "{name}: imports {import}, which is neither in the base world nor among its capabilities"
            ));
        }
    }
    let wanted = plugin.manifest.kind.interface();
    if !outline.exports.iter().any(|export| interface(export) == Some(wanted)) {
        problems.push(format!("{name}: does not export {wanted}, as a {} does", plugin.manifest.kind));
    }
    problems
        .extend(machine_paths(bytes).into_iter().map(|path| format!("{name}: contains the path {path}…")));
    Ok(problems)
}

/// The interface that a name of the contract speaks of, such as `log` in `tollgate:plugin/log@0.1.0`.
fn interface(name: &str) -> Option<&str> {
    let (interface, version) = name.strip_prefix("tollgate:plugin/")?.split_once('@')?;
    let same = version.strip_prefix(CONTRACTS[0]).is_some_and(|rest| rest.starts_with('.'));
    same.then_some(interface)
}

fn machine_paths(bytes: &[u8]) -> Vec<String> {
    let here: PathBuf = repository();
    let here = here.to_string_lossy();
    let known = MACHINE_PATHS.iter().copied().chain([&*here]);
    let contains = |path: &str| bytes.windows(path.len()).any(|window| window == path.as_bytes());
    known.filter(|path| contains(path)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_of_another_package_or_contract_is_none_of_ours() {
        assert_eq!(interface("tollgate:plugin/log@0.1.0"), Some("log"));
        assert_eq!(interface("tollgate:plugin/log@0.1.7"), Some("log"));
        for other in
            ["tollgate:plugin/log@0.10.0", "tollgate:plugin/log@1.0.0", "wasi:cli/log@0.1.0", "log", ""]
        {
            assert_eq!(interface(other), None, "{other}");
        }
    }

    #[test]
    fn a_path_of_any_machine_is_found() {
        assert_eq!(machine_paths(b"\0at /home/someone/x.rs\0"), ["/home/"]);
        assert_eq!(machine_paths(repository().to_string_lossy().as_bytes()).len(), 1);
        assert!(machine_paths(b"/tollgate/plugins/triage/src/lib.rs /rust/library/core").is_empty());
    }

    #[test]
    fn what_is_missing_or_left_over_is_named() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let found = differences(&set(&["a", "b"]), &set(&["b", "c"]), "has sources", "dist");
        assert_eq!(found, ["a: has sources and is missing in dist", "c: is in dist and has no sources"]);
    }
}

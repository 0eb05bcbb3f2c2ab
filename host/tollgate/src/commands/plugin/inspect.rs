//! `tollgate plugin inspect`.

use std::{collections::BTreeSet, fs, path::Path};

use clap::Args;
use serde_json::Value;
use tollgate_registry::{Origin, Version};
use tollgate_sandbox::{Inspection, Sandbox, SandboxOptions};

use super::{line, registry};
use crate::{
    context::Context,
    error::{Failure, Result},
    exit::Exit,
    ui::{json, text::bytes},
};

/// Show what a plugin says of itself, what it imports and which grants it needs
///
/// Nothing of the plugin runs.
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// A plugin as pipelines name it, e.g. `spec-lint@^1`, a digest, or a file
    #[arg(value_name = "NAME-OR-FILE")]
    plugin: String,
}

pub(super) fn run(context: &Context, args: InspectArgs) -> Result<Exit> {
    let path = Path::new(&args.plugin);
    let is_file = path.is_file();
    if !is_file && looks_like_a_file(path) {
        let what = if path.is_dir() { "is a folder" } else { "is not there" };
        return Err(Failure::mistake_with_hint(
            format!("{} {what}", path.display()),
            "name the file of a component, or one of the plugins that `tollgate plugin list` shows",
        ));
    }
    let registry = registry(context)?;
    let from_file;
    let version = if is_file {
        from_file = read(path)?;
        &from_file
    } else {
        registry.resolve(&args.plugin).map_err(|error| {
            Failure::mistake_with_hint(
                error.to_string(),
                "`tollgate plugin list` shows all; a file is named by its path",
            )
        })?
    };
    let inspected = Sandbox::new(SandboxOptions::default())?.inspect(version.component());
    let inspection = inspected
        .map_err(|error| Failure::mistake_with_hint(format!("{}: {error}", args.plugin), NO_PLUGIN_HINT))?;
    context.printer.show(&plugin(version, inspection)?, text)?;
    Ok(Exit::Done)
}

/// What to do about a file that is no plugin.
const NO_PLUGIN_HINT: &str = "a plugin is a component of the world `stage` or `gate` with its plugin.toml embedded; build it again, or \
                              copy it again";

/// No name of a plugin has a separator or an ending.
fn looks_like_a_file(path: &Path) -> bool {
    path.components().count() > 1 || path.is_dir() || path.extension().is_some_and(|ending| ending == "wasm")
}

fn read(path: &Path) -> Result<Version> {
    let bytes = fs::read(path).map_err(Failure::io(format!("read {}", path.display())))?;
    let version = Version::read(bytes, Origin::File(path.to_owned()));
    version.map_err(|error| Failure::mistake_with_hint(format!("{} {error}", path.display()), NO_PLUGIN_HINT))
}

fn plugin(version: &Version, inspection: Inspection) -> Result<json::Plugin> {
    let manifest = version.manifest();
    let effects = manifest.effects.iter().map(|kind| format!("effect:{kind}"));
    let grants: BTreeSet<_> = inspection.needs.into_iter().chain(effects).collect();
    Ok(json::Plugin {
        line: line(version),
        size_bytes: version.component().len() as u64,
        contract: inspection.contract,
        manifest: serde_json::to_value(manifest)
            .map_err(|error| Failure::io("show the manifest")(error.into()))?,
        imports: inspection.imports,
        exports: inspection.exports,
        grants: grants.into_iter().collect(),
    })
}

fn text(plugin: &json::Plugin) -> String {
    let line = &plugin.line;
    let texts = |pointer: &str| {
        let items = plugin.manifest.pointer(pointer).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
    };
    let of = |pointer: &str| {
        plugin.manifest.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let mut lines =
        vec![format!("{}@{}, {}: {}", line.name, line.version, line.kind, line.summary), String::new()];
    let mut fact = |name: &str, value: String| {
        lines.push(format!("{name:<9} {}", if value.is_empty() { "nothing".to_owned() } else { value }));
    };
    fact("digest", line.digest.to_string());
    fact("origin", line.origin.clone());
    fact("size", bytes(plugin.size_bytes));
    fact("licence", of("/license"));
    fact("contract", plugin.contract.clone());
    fact("reads", texts("/reads"));
    fact("imports", plugin.imports.join(", "));
    fact("exports", plugin.exports.join(", "));
    fact("grants", plugin.grants.join(", "));
    if plugin.manifest.pointer("/optional/0").is_some() {
        fact("optional", texts("/optional"));
    }
    for rule in plugin.manifest.pointer("/rules").and_then(Value::as_array).into_iter().flatten() {
        let of = |name: &str| rule.get(name).and_then(Value::as_str).unwrap_or_default();
        lines.push(format!(
            "\n{} ({}): {}\n    {}",
            of("id"),
            of("severity"),
            of("summary"),
            of("rationale")
        ));
    }
    let settings = plugin.manifest.pointer("/settings").cloned().unwrap_or_default();
    lines.push(format!("\nsettings, as JSON Schema:\n{settings:#}"));
    lines.join("\n")
}

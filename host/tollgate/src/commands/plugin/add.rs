//! `tollgate plugin add`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::Args;
use tollgate_registry::{
    Origin, Registry, Version, VersionError,
    component::{ComponentError, embed},
};
use tollgate_sandbox::{Inspection, Sandbox, SandboxOptions};

use crate::{
    context::Context,
    error::{Failure, Result},
    exit::Exit,
    project,
    ui::json,
};

/// Add a component to the plugins of the project
///
/// The component is checked and copied to `plugins/NAME-VERSION.wasm`; nothing of it runs. One that a toolchain of any language has
/// made gets its plugin.toml embedded.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// The file of a component
    #[arg(value_name = "FILE")]
    component: PathBuf,
    /// What the component says of itself; without it the `plugin.toml` beside the file, where none is embedded
    #[arg(long, value_name = "PATH")]
    manifest: Option<PathBuf>,
    /// Check the component; copy nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(context: &Context, args: AddArgs) -> Result<Exit> {
    let folder = project::find(context.project.as_deref())?;
    let version = read(&args)?;
    check_imports(&args.component, &version)?;
    let name = format!("{}-{}.wasm", version.name(), version.semver());
    let registry = Registry::of_project(&folder).map_err(Failure::io("read the plugins folder"))?;
    let is_there = is_among(&registry, &version)?;
    if !is_there && !args.dry_run {
        write(&folder.join("plugins"), &name, version.component())?;
    }
    let added =
        json::AddedPlugin { plugin: super::line(&version), file: format!("plugins/{name}"), is_there };
    context.printer.show(&added, |added| text(added, args.dry_run))?;
    Ok(Exit::Done)
}

/// The version that the file is, its manifest embedded.
fn read(args: &AddArgs) -> Result<Version> {
    let path = &args.component;
    let bytes = fs::read(path).map_err(Failure::io(format!("read {}", path.display())))?;
    let origin = || Origin::File(path.clone());
    let read = match Version::read(bytes.clone(), origin()) {
        Ok(_) if args.manifest.is_some() => {
            return Err(Failure::mistake_with_hint(
                format!("{} has a plugin.toml embedded already", path.display()),
                "leave `--manifest` out, or build the component again without it",
            ));
        }
        Err(VersionError::Component(ComponentError::NoManifest)) => {
            Version::read(embed(&bytes, &manifest(args)?), origin())
        }
        read => read,
    };
    let hint = "a plugin is a component of the world `stage` or `gate`, and a plugin.toml";
    read.map_err(|error| Failure::mistake_with_hint(format!("{} {error}", path.display()), hint))
}

/// The text of the manifest that is to be embedded.
fn manifest(args: &AddArgs) -> Result<String> {
    let path = args.manifest.clone().unwrap_or_else(|| args.component.with_file_name("plugin.toml"));
    match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Failure::mistake_with_hint(
            format!(
                "{} has no plugin.toml embedded, and there is none at {}",
                args.component.display(),
                path.display()
            ),
            "write one beside the component, or name it: `--manifest PATH`",
        )),
        read => read.map_err(Failure::io(format!("read {}", path.display()))),
    }
}

/// What a component imports is what its manifest has to name, since people read the manifest.
fn check_imports(path: &Path, version: &Version) -> Result<()> {
    let mistake = |message: String, hint: String| Failure::Mistake { message, hint: Some(hint) };
    let inspected = Sandbox::new(SandboxOptions::default())?.inspect(version.component());
    let Inspection { kinds, needs, .. } =
        inspected.map_err(|error| Failure::mistake(format!("{}: {error}", path.display())))?;
    let kind = version.kind().to_string();
    if !kinds.iter().any(|served| served.to_string() == kind) {
        let served = kinds.first().map(ToString::to_string).unwrap_or_default();
        return Err(mistake(
            format!("{} says that it is a {kind}, and is a {served}", path.display()),
            format!("write `kind = \"{served}\"` into its plugin.toml"),
        ));
    }
    match needs.iter().find(|need| !version.manifest().capabilities.contains(*need)) {
        None => Ok(()),
        Some(need) => Err(mistake(
            format!("{} imports `{need}`, and its plugin.toml does not say so", path.display()),
            format!(
                "write `capabilities = [\"{need}\"]` into it, or build the component without that import"
            ),
        )),
    }
}

/// Whether this very component is there already.
fn is_among(registry: &Registry, version: &Version) -> Result<bool> {
    let same = |other: &&Version| other.name() == version.name() && other.semver() == version.semver();
    match registry.versions().iter().find(same) {
        None => Ok(false),
        Some(other) if other.digest() == version.digest() => Ok(true),
        Some(_) => Err(Failure::mistake_with_hint(
            format!("there is another component that says it is {}@{}", version.name(), version.semver()),
            "a version is never changed: raise `version` in its plugin.toml",
        )),
    }
}

/// Writes the file whole or not at all.
fn write(folder: &Path, name: &str, component: &[u8]) -> Result<()> {
    let doing = || Failure::io(format!("write {}", folder.join(name).display()));
    fs::create_dir_all(folder).map_err(doing())?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(doing())?;
    io::Write::write_all(&mut file, component).map_err(doing())?;
    file.as_file().sync_all().map_err(doing())?;
    file.persist(folder.join(name)).map_err(|error| doing()(error.error))?;
    Ok(())
}

fn text(added: &json::AddedPlugin, dry_run: bool) -> String {
    let json::AddedPlugin { plugin, file, is_there } = added;
    let version = format!("{}@{}", plugin.name, plugin.version);
    match (is_there, dry_run) {
        (true, _) => format!("{version} is there already"),
        (false, true) => format!("{version} would be added as {file}"),
        (false, false) => {
            format!("added {version} as {file}\n`tollgate plugin inspect {version}` shows what it needs")
        }
    }
}

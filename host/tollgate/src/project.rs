//! A project: a folder with `tollgate.toml`, and what is opened for it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use tollgate_core::{Clock, time::SystemClock};
use tollgate_engine::{
    Parts, Trackers,
    adapter::{self, artifacts::StoredArtifacts, machine::ThisMachine},
    observer::Observer,
};
use tollgate_policy::{ArtifactsAddress, ConfigFile, PIPELINE_FOLDER, PROJECT_FILE, Policy, StoreAddress};
use tollgate_registry::Registry;
use tollgate_sandbox::{CallModels, Sandbox, SandboxError, SandboxOptions, port::Model};
use tollgate_store::{
    OpenMode, Store,
    artifacts::{ArtifactBucket, ArtifactFolder, ArtifactPlace},
    port::Archive,
};

use crate::{
    env::{self, Environment},
    error::{self, Failure, Result},
    store,
};

/// What Tollgate itself keeps in a project.
const OWN_FOLDER: &str = ".tollgate";

/// A project whose configuration is valid, as far as that can be said without its plugins.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// What its files say.
    pub(crate) policy: Arc<Policy>,
}

/// The folder of the project: the one that is named, else the nearest with `tollgate.toml` from here upwards.
///
/// # Errors
///
/// When there is none.
pub(crate) fn find(named: Option<&Path>) -> Result<PathBuf> {
    let start = match named {
        Some(folder) => folder.to_owned(),
        None => std::env::current_dir().map_err(Failure::io("find the current folder"))?,
    };
    let holds_project = |folder: &&Path| folder.join(PROJECT_FILE).is_file();
    let found = match named {
        Some(folder) => Some(folder).filter(holds_project),
        None => start.ancestors().find(holds_project),
    };
    let place = if named.is_some() { "" } else { " or above it" };
    found.map(Path::to_owned).ok_or_else(|| {
        Failure::mistake_with_hint(
            format!("there is no {PROJECT_FILE} in {}{place}", start.display()),
            "`tollgate init --from folder:PATH` makes a project of a folder of Markdown, `tollgate demo` shows one; \
             `--project DIR` names another folder",
        )
    })
}

impl Project {
    /// Loads the project in `folder`.
    ///
    /// # Errors
    ///
    /// When its files cannot be read, or anything in them is wrong.
    pub(crate) fn load(folder: &Path) -> Result<Self> {
        let policy = Policy::load(folder).map_err(|error| error::of_load(error, &config_files(folder)))?;
        let folder = fs::canonicalize(folder).map_err(Failure::io(format!("find {}", folder.display())))?;
        Ok(Self { folder, policy: Arc::new(policy) })
    }

    /// The plugins that are shipped and those that the project brings along.
    ///
    /// # Errors
    ///
    /// When its `plugins` folder is there and cannot be read.
    pub(crate) fn registry(&self) -> Result<Registry> {
        Registry::of_project(&self.folder).map_err(Failure::io("read the plugins folder"))
    }

    /// Its trackers.
    ///
    /// # Errors
    ///
    /// When one is configured in a way that it cannot take.
    pub(crate) fn trackers(&self, clock: &Arc<dyn Clock>) -> Result<Trackers> {
        Ok(Trackers::open(&self.policy, &self.folder, clock)?)
    }

    /// Opens its store. Reading and short words to it work while a host drives it.
    ///
    /// # Errors
    ///
    /// [`Failure::NoStore`] when nothing has run yet and `mode` makes no store.
    pub(crate) async fn store(&self, mode: OpenMode) -> Result<Arc<dyn Store>> {
        Ok(self.archive(mode).await?)
    }

    /// The same, with what moves it as a whole.
    ///
    /// # Errors
    ///
    /// As [`Project::store`].
    pub(crate) async fn archive(&self, mode: OpenMode) -> Result<Arc<dyn Archive>> {
        if matches!(mode, OpenMode::Host | OpenMode::Keeper) {
            make_own_folder(&self.folder)?;
        }
        store::open(self, mode).await
    }

    /// Where its artifacts are. A folder is made when there is none.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made, or the environment says something of a bucket that cannot be.
    pub(crate) fn artifacts(&self) -> Result<Arc<dyn ArtifactPlace>> {
        match &self.policy.instance.artifacts {
            ArtifactsAddress::Bucket { bucket, prefix } => open_bucket(bucket, prefix),
            ArtifactsAddress::Beside => artifacts_in(&self.artifacts_path()),
        }
    }

    /// Where its artifacts are, for who only reads: nothing is made there.
    ///
    /// # Errors
    ///
    /// When the environment says something of a bucket that cannot be.
    pub(crate) fn artifacts_to_read(&self) -> Result<Arc<dyn ArtifactPlace>> {
        match &self.policy.instance.artifacts {
            ArtifactsAddress::Bucket { bucket, prefix } => open_bucket(bucket, prefix),
            ArtifactsAddress::Beside => Ok(Arc::new(ArtifactFolder::existing(self.artifacts_path()))),
        }
    }

    /// Beside the store's file, and in the project where the store is no file.
    fn artifacts_path(&self) -> PathBuf {
        match &self.policy.instance.store {
            StoreAddress::Sqlite(path) => self.folder.join(path).with_file_name("artifacts"),
            StoreAddress::Postgres(_) => self.folder.join(OWN_FOLDER).join("artifacts"),
        }
    }

    /// A sandbox that keeps what it compiles.
    ///
    /// # Errors
    ///
    /// When the machine cannot run one, or the folder that `TOLLGATE_CACHE` names cannot be used.
    pub(crate) fn sandbox(&self, environment: &Environment) -> Result<Sandbox> {
        let keeping = |folder: PathBuf| {
            Sandbox::new(SandboxOptions { cache_dir: Some(folder), ..SandboxOptions::default() })
        };
        if let Some(folder) = &environment.cache {
            return Ok(keeping(folder.clone())?);
        }
        // The user's folder serves all projects: the second one starts at once.
        let of_user = directories::ProjectDirs::from("", "", "tollgate");
        let of_user = of_user.map(|folders| folders.cache_dir().join("components"));
        match of_user.map(keeping) {
            Some(Err(SandboxError::CacheDir { path, reason })) => {
                tracing::info!(path = %path.display(), reason, "compiled components are kept in the project instead");
                Ok(keeping(self.own_cache())?)
            }
            Some(sandbox) => Ok(sandbox?),
            None => Ok(keeping(self.own_cache())?),
        }
    }

    fn own_cache(&self) -> PathBuf {
        self.folder.join(OWN_FOLDER).join("cache")
    }

    /// The models that its pipelines are granted, with their keys.
    ///
    /// # Errors
    ///
    /// When one has no key where the project says.
    pub(crate) fn models(&self, clock: Arc<dyn Clock>) -> Result<Arc<dyn Model>> {
        let opened = adapter::model::open(&self.policy, &self.folder, &env::of_key, clock);
        opened.map_err(|error| {
            let hint = format!("`key` under `[model.NAME]` in {PROJECT_FILE} says where a key is kept");
            Failure::mistake_with_hint(error.to_string(), hint)
        })
    }

    /// Everything that a host is made of but its models, with its state in this store and its artifacts there.
    ///
    /// # Errors
    ///
    /// When any of it cannot be opened.
    pub(crate) fn parts(
        &self,
        environment: &Environment,
        store: Arc<dyn Store>,
        artifacts: Arc<dyn ArtifactPlace>,
        observer: Arc<dyn Observer>,
    ) -> Result<Parts> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        Ok(Parts {
            project: self.folder.clone(),
            policy: Arc::clone(&self.policy),
            registry: Arc::new(self.registry()?),
            guests: Arc::new(self.sandbox(environment)?),
            models: CallModels::none().port,
            store,
            artifacts: Arc::new(StoredArtifacts::new(artifacts)),
            trackers: self.trackers(&clock)?,
            clock,
            machine: Arc::new(ThisMachine),
            observer,
        })
    }
}

fn open_bucket(bucket: &str, prefix: &str) -> Result<Arc<dyn ArtifactPlace>> {
    let opened = ArtifactBucket::open(bucket, prefix);
    Ok(Arc::new(opened.map_err(|error| Failure::mistake(error.to_string()))?))
}

/// Artifacts in a folder, which is made when there is none.
///
/// # Errors
///
/// When it cannot be made.
pub(crate) fn artifacts_in(folder: &Path) -> Result<Arc<dyn ArtifactPlace>> {
    let opened = ArtifactFolder::open(folder).map_err(|error| Failure::Io {
        doing: format!("open the artifacts in {}", folder.display()),
        source: std::io::Error::other(error),
    })?;
    Ok(Arc::new(opened))
}

/// The folder that Tollgate keeps for itself, kept out of version control.
fn make_own_folder(project: &Path) -> Result<()> {
    let folder = project.join(OWN_FOLDER);
    let ignore = folder.join(".gitignore");
    fs::create_dir_all(&folder).map_err(Failure::io(format!("make {}", folder.display())))?;
    if !ignore.exists() {
        fs::write(&ignore, "*\n").map_err(Failure::io(format!("write {}", ignore.display())))?;
    }
    Ok(())
}

/// The project's files as they are, for the lines that diagnostics show. What cannot be read is left out.
pub(crate) fn config_files(folder: &Path) -> Vec<ConfigFile> {
    let pipelines = fs::read_dir(folder.join(PIPELINE_FOLDER)).into_iter().flatten().flatten();
    let names = pipelines.map(|entry| format!("{PIPELINE_FOLDER}/{}", entry.file_name().to_string_lossy()));
    let named = std::iter::once(PROJECT_FILE.to_owned()).chain(names);
    named
        .filter_map(|path| Some(ConfigFile { text: fs::read_to_string(folder.join(&path)).ok()?, path }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_found_from_any_folder_in_it_and_named_only_by_its_own() {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        fs::write(outer.path().join(PROJECT_FILE), "").unwrap();
        assert_eq!(find(Some(outer.path())).unwrap(), outer.path());
        let missing = find(Some(&inner)).unwrap_err();
        assert!(missing.to_string().ends_with("a/b"), "{missing}");
        assert!(missing.hint().is_some());
    }

    #[test]
    fn its_own_folder_is_kept_out_of_version_control_once() {
        let project = tempfile::tempdir().unwrap();
        make_own_folder(project.path()).unwrap();
        let ignore = project.path().join(".tollgate/.gitignore");
        assert_eq!(fs::read_to_string(&ignore).unwrap(), "*\n");
        fs::write(&ignore, "cache\n").unwrap();
        make_own_folder(project.path()).unwrap();
        assert_eq!(fs::read_to_string(&ignore).unwrap(), "cache\n", "what a person wrote stays");
    }
}

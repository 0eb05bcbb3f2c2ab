//! All versions that a project can ask for.

use std::io;
use std::path::{Path, PathBuf};

use semver::VersionReq;
use tollgate_core::Digest;

use crate::project;
use crate::request::{Request, RequestError};
use crate::version::{Origin, Version, VersionError};

/// All versions that a project can ask for, and what stood in its way.
#[derive(Debug, Default)]
pub struct Registry {
    /// By name, and of a name the newest first.
    versions: Vec<Version>,
    skipped: Vec<Skipped>,
}

/// A file that is not used.
#[derive(Debug, thiserror::Error)]
#[error("{path} {reason}", path = .path.display())]
pub struct Skipped {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub reason: SkipReason,
}

/// Why a file is not used.
#[derive(Debug, thiserror::Error)]
pub enum SkipReason {
    /// The file system refused.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// A folder, a pipe or the like.
    #[error("is not a file")]
    NotAFile,
    /// Not read at all.
    #[error("is too large: {size_bytes} bytes, and at most {max} are read", max = project::COMPONENT_BYTES_MAX)]
    TooLarge {
        /// Its size.
        size_bytes: u64,
    },
    /// Not a plugin.
    #[error(transparent)]
    NotAPlugin(#[from] VersionError),
    /// A name and a version have one digest.
    #[error("says that it is {version}, which {other} is with other bytes; give one of them another version")]
    VersionTaken {
        /// Name and version.
        version: String,
        /// Who has it.
        other: String,
    },
}

/// A request that no version answers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The request itself is wrong.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// No plugin has that name.
    #[error("there is no plugin `{name}`{}", .nearest.as_ref().map_or_else(|| among(.known), |n| format!("; did you mean `{n}`?")))]
    UnknownName {
        /// What was asked for.
        name: String,
        /// The name most like it, if one is like it at all.
        nearest: Option<String>,
        /// All names there are, sorted.
        known: Vec<String>,
    },
    /// There is the plugin, in other versions.
    #[error("no version of `{name}` satisfies `{requirement}`; its versions: {}", .versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    NoVersion {
        /// The plugin's name.
        name: String,
        /// What was asked for.
        requirement: VersionReq,
        /// All versions there are, the newest first.
        versions: Vec<semver::Version>,
    },
    /// No component has that digest.
    #[error("there is no component with digest {0}")]
    UnknownDigest(Digest),
}

fn among(known: &[String]) -> String {
    if known.is_empty() {
        "; there is none at all".to_owned()
    } else {
        format!("; there are {}", known.join(", "))
    }
}

impl Registry {
    /// The shipped plugins alone.
    #[cfg(feature = "shipped")]
    pub fn shipped() -> Self {
        let mut registry = Registry::default();
        for version in crate::shipped::versions() {
            registry.add(version).expect("no two shipped plugins have one name and version");
        }
        registry
    }

    /// The shipped plugins and those in the folder `plugins/` of a project. Files that cannot be used are in
    /// [`Registry::skipped`].
    ///
    /// # Errors
    ///
    /// When the folder is there and cannot be listed.
    #[cfg(feature = "shipped")]
    pub fn of_project(project: &Path) -> io::Result<Self> {
        let mut registry = Registry::shipped();
        registry.add_folder(&project.join("plugins"))?;
        Ok(registry)
    }

    /// Adds every `*.wasm` in a folder; a folder that is not there adds nothing. Files that cannot be used are
    /// added to [`Registry::skipped`].
    ///
    /// # Errors
    ///
    /// When the folder is there and cannot be listed.
    pub fn add_folder(&mut self, folder: &Path) -> io::Result<()> {
        for path in project::component_files(folder)? {
            if let Err(reason) = project::read_version(&path).and_then(|version| self.add(version)) {
                self.skipped.push(Skipped { path, reason });
            }
        }
        Ok(())
    }

    /// Adds a version. The same component twice is one version.
    ///
    /// # Errors
    ///
    /// [`SkipReason::VersionTaken`] when another component has this name and version.
    pub fn add(&mut self, version: Version) -> Result<(), SkipReason> {
        let order = |held: &Version| {
            held.name().cmp(version.name()).then_with(|| version.semver().cmp(held.semver()))
        };
        match self.versions.binary_search_by(order) {
            Ok(index) if self.versions[index].digest() == version.digest() => Ok(()),
            Ok(index) => Err(SkipReason::VersionTaken {
                version: version.to_string(),
                other: match self.versions[index].origin() {
                    Origin::Shipped => "a shipped plugin".to_owned(),
                    Origin::File(path) => path.display().to_string(),
                },
            }),
            Err(index) => {
                self.versions.insert(index, version);
                Ok(())
            }
        }
    }

    /// All versions, by name, and of a name the newest first.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// Files that are not used, by file name.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// The version that answers a request: see [`Request`].
    ///
    /// # Errors
    ///
    /// [`ResolveError`] says what there is instead.
    pub fn resolve(&self, request: &str) -> Result<&Version, ResolveError> {
        match request.parse()? {
            Request::Digest(digest) => {
                let held = self.versions.iter().find(|version| version.digest() == digest);
                held.ok_or(ResolveError::UnknownDigest(digest))
            }
            Request::Name { name, requirement } => self.newest(name, requirement),
        }
    }

    fn newest(&self, name: String, requirement: VersionReq) -> Result<&Version, ResolveError> {
        let mut of_name = self.versions.iter().filter(|version| version.name() == name).peekable();
        if of_name.peek().is_none() {
            return Err(self.unknown(name));
        }
        if let Some(version) = of_name.find(|version| requirement.matches(version.semver())) {
            return Ok(version);
        }
        let of_name = self.versions.iter().filter(|version| version.name() == name);
        let versions = of_name.map(|version| version.semver().clone()).collect();
        Err(ResolveError::NoVersion { name, requirement, versions })
    }

    fn unknown(&self, name: String) -> ResolveError {
        let mut known: Vec<String> = self.versions.iter().map(|version| version.name().to_owned()).collect();
        known.dedup();
        let likeness = |other: &String| strsim::jaro_winkler(&name, other);
        let nearest = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let nearest = nearest.filter(|other| likeness(other) > 0.8).cloned();
        ResolveError::UnknownName { name, nearest, known }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use insta::assert_snapshot;

    use super::*;
    use crate::component::tests::component;
    use crate::manifest::tests::GATE;

    fn plugin(name: &str, version: &str, summary: &str) -> Vec<u8> {
        let manifest = GATE
            .replace("spec-lint", name)
            .replace("1.2.3", version)
            .replace("Judges a specification.", summary);
        component(&[manifest.as_bytes()])
    }

    fn registry(plugins: &[(&str, &str)]) -> Registry {
        let mut registry = Registry::default();
        for (name, version) in plugins {
            let bytes = plugin(name, version, "Judges.");
            registry.add(Version::read(bytes, Origin::Shipped).unwrap()).unwrap();
        }
        registry
    }

    fn lint_and_triage() -> Registry {
        registry(&[
            ("spec-lint", "1.2.0"),
            ("triage", "0.9.0"),
            ("spec-lint", "2.0.0-rc.1"),
            ("spec-lint", "1.10.0"),
            ("spec-lint", "0.1.4"),
        ])
    }

    #[track_caller]
    fn check(request: &str, answer: &str) {
        let registry = lint_and_triage();
        let found = match registry.resolve(request) {
            Ok(version) => version.to_string(),
            Err(error) => format!("error: {error}"),
        };
        assert_eq!(found, answer);
    }

    #[test]
    fn a_request_is_answered_by_the_newest_version_that_satisfies_it() {
        check("spec-lint", "spec-lint@1.10.0");
        check("spec-lint@^1", "spec-lint@1.10.0");
        check("spec-lint@^0.1", "spec-lint@0.1.4");
        check("spec-lint@=1.2.0", "spec-lint@1.2.0");
        check("spec-lint@>=1, <1.5", "spec-lint@1.2.0");
        check("spec-lint@^2.0.0-rc", "spec-lint@2.0.0-rc.1");
    }

    #[test]
    fn what_is_not_there_is_answered_by_what_is() {
        check("spec-lnt", "error: there is no plugin `spec-lnt`; did you mean `spec-lint`?");
        check("deploy", "error: there is no plugin `deploy`; there are spec-lint, triage");
        check(
            "spec-lint@^3",
            "error: no version of `spec-lint` satisfies `^3`; its versions: 2.0.0-rc.1, 1.10.0, 1.2.0, 0.1.4",
        );
        assert!(Registry::default().resolve("x").unwrap_err().to_string().ends_with("there is none at all"));
    }

    #[test]
    fn a_digest_asks_for_one_component() {
        let registry = lint_and_triage();
        let version = &registry.versions()[1];
        let found = registry.resolve(&version.digest().to_string()).unwrap();
        assert_eq!(found.digest(), version.digest());
        let other = Digest::of("another component");
        assert_eq!(registry.resolve(&other.to_string()).unwrap_err(), ResolveError::UnknownDigest(other));
    }

    #[test]
    fn bad_files_of_a_project_are_named_and_the_rest_go_on() {
        let project = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(project.path().join(name), bytes).unwrap();
        let good = plugin("triage", "1.0.0", "Triages.");
        write("a-good.wasm", &good);
        write("b-copy.wasm", &good);
        write("c-clash.wasm", &plugin("triage", "1.0.0", "Triages otherwise."));
        write("d-cut.wasm", &good[..good.len() - 9]);
        write("e-text.wasm", b"not a component");
        write("f-manifest.wasm", &plugin("Triage", "1.0.0", "Triages."));
        write("notes.txt", b"of no interest");
        fs::create_dir(project.path().join("g-folder.wasm")).unwrap();
        fs::File::create(project.path().join("h-huge.wasm")).unwrap().set_len(65 << 20).unwrap();

        let mut registry = Registry::default();
        registry.add_folder(project.path()).unwrap();

        let names: Vec<_> = registry.versions().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["triage@1.0.0"]);
        let folder = format!("{}/", project.path().display());
        let skipped: Vec<_> =
            registry.skipped().iter().map(|file| file.to_string().replace(&folder, "")).collect();
        assert_snapshot!(skipped.join("\n"), @r#"
        c-clash.wasm says that it is triage@1.0.0, which a-good.wasm is with other bytes; give one of them another version
        d-cut.wasm is damaged or cut short at byte 53: unexpected end-of-file
        e-text.wasm is not a WebAssembly file
        f-manifest.wasm has a manifest that does not hold: plugin.toml has name = "Triage", expected at most 64 lower-case letters, digits and hyphens, the first of them a letter
        g-folder.wasm is not a file
        h-huge.wasm is too large: 68157440 bytes, and at most 67108864 are read
        "#);
    }

    #[test]
    fn a_project_without_plugins_is_no_error() {
        let project = tempfile::tempdir().unwrap();
        let mut registry = Registry::default();
        registry.add_folder(&project.path().join("plugins")).unwrap();
        assert!(registry.versions().is_empty() && registry.skipped().is_empty());
    }
}

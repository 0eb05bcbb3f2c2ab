//! Failures, as people read them: a sentence that says what happened and where, and hints that say what to do next.
//!
//! Libraries have typed errors; this is the one place that turns them into words and exit codes.

use std::io;

use tollgate_engine::EngineError;
use tollgate_policy::{ConfigFile, Diagnostics, LoadError};
use tollgate_sandbox::SandboxError;
use tollgate_store::StoreError;

use crate::exit::Exit;

/// What a command returns.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// Why a command could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The person made a mistake.
    #[error("{message}")]
    Mistake {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The files of the project are wrong. Shown with the lines that are meant.
    #[error("the configuration is wrong\n\n{rendered}")]
    Configuration {
        /// Every diagnostic with its lines.
        rendered: String,
    },
    /// There is no store yet.
    #[error("there is no store at {location}: nothing has run here")]
    NoStore {
        /// Where it would be.
        location: String,
    },
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The host refused or failed.
    #[error(transparent)]
    Engine(EngineError),
    /// There is no sandbox.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// A file or folder.
    #[error("cannot {doing}: {source}")]
    Io {
        /// As a verb: `write docs/a.md`.
        doing: String,
        /// What the system says.
        source: io::Error,
    },
    /// Nobody reads the output any more.
    #[error("the output was closed")]
    OutputClosed,
}

impl Failure {
    /// A mistake of the person's.
    pub(crate) fn mistake(message: impl Into<String>) -> Self {
        Self::Mistake { message: message.into(), hint: None }
    }

    /// The same, with advice.
    pub(crate) fn mistake_with_hint(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Mistake { message: message.into(), hint: Some(hint.into()) }
    }

    /// A failing file operation; `doing` as a verb.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    /// What is wrong with files, shown with their lines.
    pub(crate) fn configuration(found: &Diagnostics, files: &[ConfigFile]) -> Self {
        Self::Configuration { rendered: found.render(files) }
    }

    /// The exit code of its kind.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Mistake { .. } | Self::Configuration { .. } | Self::NoStore { .. } => Exit::Mistake,
            Self::Store(error) => exit_of_store(error),
            Self::Engine(error) => exit_of_engine(error),
            Self::Sandbox(_) | Self::Io { .. } => Exit::Platform,
            // A reader that has seen enough is no failure.
            Self::OutputClosed => Exit::Done,
        }
    }

    /// What to do next, where the sentence does not say it.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Mistake { hint, .. } => hint.clone(),
            Self::NoStore { .. } => {
                Some("`tollgate run` makes it; `tollgate run --dry-run` shows what would run".into())
            }
            Self::Configuration { .. } => Some("mend the lines above and run `tollgate check`".into()),
            Self::Store(StoreError::InUse { .. })
            | Self::Engine(EngineError::Store(StoreError::InUse { .. })) => {
                Some("`tollgate runs watch` follows the host that runs; `tollgate stop` ends it".into())
            }
            Self::Store(StoreError::NotFound { what: "run", .. }) => {
                Some("`tollgate runs list` shows every run".into())
            }
            Self::Engine(EngineError::Bug(_)) => {
                Some("nothing is lost: run the command again, and report this".into())
            }
            Self::Sandbox(SandboxError::CacheDir { .. }) => {
                Some("TOLLGATE_CACHE names another folder for compiled components".into())
            }
            _ => None,
        }
    }
}

fn exit_of_store(error: &StoreError) -> Exit {
    match error {
        StoreError::NotFound { .. }
        | StoreError::Conflict(_)
        | StoreError::NewerSchema { .. }
        | StoreError::NotAdmitted { .. }
        | StoreError::Moved { .. }
        | StoreError::Export(_)
        | StoreError::InUse { .. } => Exit::Mistake,
        StoreError::StaleFence { .. }
        | StoreError::StaleDelivery { .. }
        | StoreError::Unreadable { .. }
        | StoreError::Unreachable { .. }
        | StoreError::Platform { .. }
        | StoreError::Damaged(_) => Exit::Platform,
    }
}

fn exit_of_engine(error: &EngineError) -> Exit {
    match error {
        EngineError::Store(error) => exit_of_store(error),
        EngineError::Policy(_)
        | EngineError::Unfollowable { .. }
        | EngineError::Foreign { .. }
        | EngineError::Tracker { .. } => Exit::Mistake,
        EngineError::Sandbox(_) | EngineError::Io { .. } | EngineError::Bug(_) => Exit::Platform,
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Store(error) => Self::Store(error),
            EngineError::Sandbox(error) => Self::Sandbox(error),
            other => Self::Engine(other),
        }
    }
}

/// A configuration that cannot be read, or is wrong. Its files are read again for the lines to show.
pub(crate) fn of_load(error: LoadError, files: &[ConfigFile]) -> Failure {
    match error {
        LoadError::Missing { .. } => Failure::mistake(error.to_string()),
        LoadError::Unreadable { path, error } => {
            Failure::Io { doing: format!("read {}", path.display()), source: error }
        }
        LoadError::Invalid(found) => Failure::configuration(&found, files),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(failure: Failure, exit: Exit, has_hint: bool) {
        assert_eq!(failure.exit(), exit, "{failure}");
        assert_eq!(failure.hint().is_some(), has_hint, "{failure}");
    }

    #[test]
    fn every_kind_of_failure_has_its_exit_code() {
        check(Failure::mistake("no such thing"), Exit::Mistake, false);
        check(Failure::mistake_with_hint("no such thing", "look elsewhere"), Exit::Mistake, true);
        check(Failure::NoStore { location: "a.db".into() }, Exit::Mistake, true);
        check(Failure::OutputClosed, Exit::Done, false);
        check(Failure::io("read a")(io::Error::other("gone")), Exit::Platform, false);
        let in_use = || StoreError::InUse { location: "a.db".into(), holder: "process 7".into() };
        check(in_use().into(), Exit::Mistake, true);
        check(EngineError::from(in_use()).into(), Exit::Mistake, true);
        check(StoreError::Damaged("a run".into()).into(), Exit::Platform, false);
        check(EngineError::Bug("it".into()).into(), Exit::Platform, true);
    }
}

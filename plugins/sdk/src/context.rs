//! What a call may ask of its host.

use std::cell::OnceCell;
use std::fmt;

#[cfg(not(target_family = "wasm"))]
use crate::double::Double as Host;
#[cfg(target_family = "wasm")]
use crate::guest::Imports as Host;
use crate::{Artifact, Delivered, Entry, Failure, Output, Rework, Woken};

/// What a call may ask of its host. Every answer is the same however often a step is computed.
///
/// Each question is one call out of the sandbox and costs fuel by the bytes that cross; the entry and the subject
/// are asked for once and kept.
pub struct Context {
    pub(crate) host: Host,
    entry: OnceCell<Entry>,
    subject: OnceCell<Option<Output>>,
}

impl Context {
    pub(crate) fn new(host: Host) -> Self {
        Context { host, entry: OnceCell::new(), subject: OnceCell::new() }
    }

    /// The backlog entry of this run, as it was when the run began.
    pub fn entry(&self) -> &Entry {
        self.entry.get_or_init(|| self.host.entry())
    }

    /// What an earlier stage of this run produced, or, by its own name, what this stage produced before it was sent
    /// back. `None` if that stage has not run or did not apply.
    pub fn prior(&self, stage: &str) -> Option<Output> {
        self.host.prior(stage)
    }

    /// For a gate: the output it judges. `None` in a stage.
    pub fn subject(&self) -> Option<&Output> {
        self.subject.get_or_init(|| self.host.subject()).as_ref()
    }

    /// Why the work was sent back, oldest first; empty on the first pass.
    pub fn rework(&self) -> Vec<Rework> {
        self.host.rework()
    }

    /// What became of the effects of earlier stages.
    pub fn delivered(&self) -> Vec<Delivered> {
        self.host.delivered()
    }

    /// What ended the wait, if this call follows one.
    pub fn woken(&self) -> Option<Woken> {
        self.host.woken()
    }

    /// The run's id.
    pub fn run_id(&self) -> String {
        self.host.run_id()
    }

    /// 1 for the first try; an interruption of the host does not count.
    pub fn attempt(&self) -> u32 {
        self.host.attempt()
    }

    /// The time of the run's last durable point, constant within a step: RFC 3339 in UTC.
    pub fn now(&self) -> String {
        self.host.now()
    }

    /// What is left of this call's fuel; about one unit an instruction.
    pub fn fuel_left(&self) -> u64 {
        self.host.fuel_left()
    }

    /// The bytes of an artifact.
    ///
    /// # Errors
    ///
    /// [`ArtifactError`], which `?` turns into a [`Failure`].
    pub fn read(&self, artifact: &Artifact) -> Result<Vec<u8>, ArtifactError> {
        self.host.read(artifact)
    }

    /// The text of an artifact.
    ///
    /// # Errors
    ///
    /// [`ArtifactError`], which `?` turns into a [`Failure`]; also when the bytes are not UTF-8.
    pub fn read_text(&self, artifact: &Artifact) -> Result<String, ArtifactError> {
        self.host.read_text(artifact)
    }

    /// Stores bytes under a name. The artifact belongs to the step's output only if it is handed on with it.
    ///
    /// # Errors
    ///
    /// [`ArtifactError`], which `?` turns into a [`Failure`].
    pub fn write(&self, name: &str, media_type: &str, bytes: &[u8]) -> Result<Artifact, ArtifactError> {
        self.host.write(name, media_type, bytes)
    }

    /// Stores text under a name. The artifact belongs to the step's output only if it is handed on with it.
    ///
    /// # Errors
    ///
    /// [`ArtifactError`], which `?` turns into a [`Failure`].
    pub fn write_text(&self, name: &str, media_type: &str, text: &str) -> Result<Artifact, ArtifactError> {
        self.host.write_text(name, media_type, text)
    }
}

/// Why an artifact could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArtifactError {
    /// The store has no blob of that digest.
    NotFound {
        /// The digest asked for.
        artifact: String,
    },
    /// More than one call may move.
    TooLarge {
        /// The artifact's name or digest.
        artifact: String,
        /// The limit in bytes.
        limit_bytes: u64,
    },
    /// This run may not have it.
    Denied {
        /// The artifact's name or digest.
        artifact: String,
        /// The host's reason.
        reason: String,
    },
}

impl fmt::Display for ArtifactError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArtifactError::NotFound { artifact } => write!(f, "artifact {artifact} is not in the store"),
            ArtifactError::TooLarge { artifact, limit_bytes } => {
                write!(f, "artifact {artifact} is larger than the {limit_bytes} bytes one call may move")
            }
            ArtifactError::Denied { artifact, reason } => {
                write!(f, "artifact {artifact} was refused: {reason}")
            }
        }
    }
}

impl std::error::Error for ArtifactError {}

impl From<ArtifactError> for Failure {
    fn from(error: ArtifactError) -> Self {
        Failure::permanent(error.to_string())
    }
}

//! Why a model cannot be asked, and what became of a request that got no answer.

use std::{path::PathBuf, time::Duration};

/// Models cannot be asked as the project says.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The key is not where it should be.
    #[error("the model `{model}` has no key: the environment variable {variable} is not set")]
    NoVariable {
        /// The project's name for the model.
        model: String,
        /// The variable.
        variable: String,
    },
    /// The file with the key cannot be read.
    #[error("the model `{model}` has no key: {} cannot be read: {source}", path.display())]
    NoFile {
        /// The project's name for the model.
        model: String,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// What is there is no key.
    #[error(
        "the model `{model}` has no key: what {place} holds is empty or more than one line of plain characters"
    )]
    NoKey {
        /// The project's name for the model.
        model: String,
        /// The variable or file.
        place: String,
    },
    /// This machine makes no connections.
    #[error("models cannot be asked from this machine: {0}")]
    NoClient(String),
}

/// What became of a request that got no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The provider has not worked on it, and wants to be asked later.
    #[error("the provider of `{model}` wants to be asked again in {} s", wait.as_secs())]
    RateLimited {
        /// The project's name for the model.
        model: String,
        /// How long to leave it alone.
        wait: Duration,
    },
    /// The provider does not take such a request, and has not worked on it.
    #[error("the provider of `{model}` does not take this request (status {status})")]
    Rejected {
        /// The project's name for the model.
        model: String,
        /// The status of HTTP.
        status: u16,
    },
    /// The provider may have worked on it.
    #[error("the provider of `{model}` {what}")]
    Lost {
        /// The project's name for the model.
        model: String,
        /// What happened.
        what: String,
    },
    /// The provider has not received it.
    #[error("the provider of `{model}` cannot be reached; is its `base_url` right, and the network there?")]
    Unreachable {
        /// The project's name for the model.
        model: String,
    },
    /// The project has to change something.
    #[error("the model `{model}` cannot be asked: {what}")]
    Misconfigured {
        /// The project's name for the model.
        model: String,
        /// What.
        what: String,
    },
}

//! Why there is no sandbox, and why a component was not loaded.

use std::path::PathBuf;

use tollgate_core::{
    Digest,
    step::{FailureClass, Fault, StepFailure},
};

use crate::load::CONTRACT;

/// There can be no sandbox on this machine, or not with these options.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// wasmtime refused the machine.
    #[error("the WebAssembly engine does not start on this machine: {0}")]
    Engine(String),
    /// The thread that keeps time did not start.
    #[error("the thread that keeps the time of calls did not start")]
    Ticker(#[source] std::io::Error),
    /// The folder for compiled components cannot be trusted or used.
    #[error("the folder for compiled components `{}` cannot be used: {reason}", path.display())]
    CacheDir {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        reason: String,
    },
}

/// A component was not loaded. Nothing of it ran.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// No WebAssembly at all.
    #[error("the file is not WebAssembly; expected a component, as `cargo xtask plugins` builds it")]
    NotWebAssembly,
    /// A module where a component is expected.
    #[error("the file is a core WebAssembly module; make it a component with `wasm-tools component new`")]
    CoreModule,
    /// Truncated, corrupt, or using a proposal that is switched off.
    #[error("the component is damaged or uses something that this host does not support: {0}")]
    Malformed(String),
    /// The bytes are not those that were asked for.
    #[error("the bytes have the digest {found}, not {expected}; fetch the component again")]
    DigestMismatch {
        /// What was asked for.
        expected: Digest,
        /// What came.
        found: Digest,
    },
    /// Built for another version of the contract.
    #[error("the component speaks `{interface}`; this host speaks version {CONTRACT} of the contract")]
    OtherContract {
        /// The interface, with its version.
        interface: String,
    },
    /// Neither a stage nor a gate.
    #[error(
        "the component is neither a stage nor a gate: it exports {}",
        if exports.is_empty() { "nothing".to_owned() } else { exports.join(", ") }
    )]
    WrongWorld {
        /// What it exports.
        exports: Vec<String>,
    },
    /// An export or import by a known name has another shape than the contract says.
    #[error("the component does not fit the contract: {0}")]
    WrongShape(String),
    /// An import that needs a grant which the stage does not have.
    #[error(
        "the component imports `{import}`, which it was not granted; it needs `grant = [\"{grant}\"]` in its stage{}",
        if *available { "" } else { ", and a host that has this capability, which this version does not yet" }
    )]
    NotGranted {
        /// The interface.
        import: String,
        /// The grant that it needs.
        grant: String,
        /// Whether this host could serve it.
        available: bool,
    },
    /// An import that is granted and that the host cannot serve.
    #[error(
        "the component imports `{import}`; this version of the host does not have the capability `{grant}` yet"
    )]
    NotAvailable {
        /// The interface.
        import: String,
        /// The grant that it would need.
        grant: String,
    },
    /// An import that no host has.
    #[error(
        "the component imports `{import}`, which is no part of the contract; build it without that import"
    )]
    UnknownImport {
        /// As it is written in the component.
        import: String,
    },
    /// The host failed, not the component.
    #[error("the component could not be compiled: {0}")]
    Platform(String),
}

impl LoadError {
    /// The failure of a step whose component could not be loaded.
    pub fn to_failure(&self) -> StepFailure {
        let (fault, class) = match self {
            Self::NotGranted { .. } => (Fault::NotGranted, FailureClass::Configuration),
            Self::Platform(_) => (Fault::Platform, FailureClass::Infrastructure),
            _ => (Fault::Unloadable, FailureClass::Configuration),
        };
        StepFailure { fault, class, message: self.to_string(), retry_at: None, detail: None }
    }
}

//! Plugin versions: what is shipped, what a project adds, and how a request is resolved.
//!
//! Invariants:
//!
//! * A [`Version`] is a digest with a name and a semantic version. Within one [`Registry`] a name and a semantic
//!   version have one digest, so what a pipeline asks for never depends on the order in which files were found.
//! * Nothing of a plugin runs here. What it says of itself is read from a custom section of the component.
//! * A bad file in a project's `plugins/` folder is reported by name and skipped; the rest go on.
//! * This crate does not know whether a component can run: it depends on no engine. The sandbox judges that.

pub mod component;
pub mod manifest;
pub mod request;
pub mod version;

mod project;
pub mod registry;
#[cfg(feature = "shipped")]
mod shipped;

pub use manifest::{Kind, Manifest};
pub use registry::{Registry, ResolveError};
pub use version::{Origin, Version, VersionError};

//! Plugins as sources, components, and the lock file that ties them together.
//!
//! The components are checked in, so that building Tollgate needs no compiler for wasm32. What keeps them honest:
//!
//! * A lock file names, for each, the digest of its sources and of its bytes, and the toolchain.
//! * The same sources and toolchain give the same bytes, wherever and whenever they are built.
//! * No path of the building machine is inside, so a component tells nothing about who built it.

pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod group;
pub(crate) mod lock;
pub(crate) mod source;
pub(crate) mod toolchain;

use std::path::{Path, PathBuf};

/// Absolute path of the repository.
pub(crate) fn repository() -> PathBuf {
    let this_crate = Path::new(env!("CARGO_MANIFEST_DIR"));
    this_crate.ancestors().nth(2).expect("this crate is two folders below the root").to_owned()
}

/// Absolute path of the workspace that the plugins form.
pub(crate) fn workspace() -> PathBuf {
    repository().join("plugins")
}

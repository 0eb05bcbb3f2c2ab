//! What every test of the binary needs: the binary itself, a project of its own, and what it printed.

mod binary;
mod bucket;
#[path = "../../../host/store/tests/store/postgres/server.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    reason = "it is the server of the store's tests, which need more of it"
)]
pub(crate) mod postgres;
mod project;
mod store;
#[cfg(target_os = "linux")]
mod terminal;

pub(crate) use binary::{Finished, command, finish, tollgate};
pub(crate) use bucket::Bucket;
pub(crate) use project::{GOOD_ITEM, Project, copy};
pub(crate) use store::{Store, on_both};
#[cfg(target_os = "linux")]
pub(crate) use terminal::OnTerminal;

use std::path::PathBuf;

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository is there")
}

//! What joins two leaf crates: each adapter is one file.

pub(crate) mod artifacts;
pub mod catalog;
pub(crate) mod journal;
pub mod model;

//! What joins two leaf crates: each adapter is one file.

pub mod artifacts;
pub mod catalog;
pub(crate) mod journal;
pub mod machine;
pub mod model;
pub mod sandbox;

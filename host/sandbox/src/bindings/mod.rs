//! The contract as Rust types, one module a version.
//!
//! A new version of the contract gets a module of its own beside the old ones, so that components of both run on one host.

pub(crate) mod v0_1;

//! What a sandbox promises, kept against guests that try to break it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod components;
#[path = "../../../../tests/probe/mod.rs"]
mod probe;
mod strange;
mod support;

mod bounds;
mod cache;
mod determinism;
mod input;
mod interruption;
mod journal;
mod loading;
mod model;
mod neighbours;
mod results;
mod virtual_wasi;

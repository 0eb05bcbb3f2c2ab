//! A whole host on real parts: a folder of items, a SQLite store, guests that do what a test asks of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by a panic")]

#[path = "../../../../tests/probe/mod.rs"]
mod probe;
mod support;

mod branches;
mod deliveries;
mod events;
mod faults;
mod folders;
mod interruptions;
mod journal;
mod pauses;
mod policies;
mod rescoring;
mod verdicts;
mod waits;

//! The command line of Tollgate.
//!
//! Invariants held by this crate:
//!
//! * Data goes to stdout, everything else to stderr; what a colour says is said in words as well.
//! * No text of an item, a plugin or a tracker reaches a terminal as anything but text.
//! * Every failure says what happened, where, and what to do next, and has an exit code of its kind.
//! * The environment is read in one place.
//! * A command that only reads works while a host runs, and changes nothing.

mod cli;
mod commands;

mod context;
mod entry_argument;
mod env;
mod example;
mod host;
mod pgpass;
mod project;
mod run_argument;
mod store;

mod ui;

mod error;
mod exit;

pub use cli::main;

//! What trackers do, seen from outside: real folders, real files.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics, in its helpers as well")]

mod project;
mod sample;

mod data_set;
mod hints;
mod internal;
mod ownership;
mod publishing;
mod record_files;
mod record_words;
mod scanning;
mod schema;
mod shelves;
mod state_moves;

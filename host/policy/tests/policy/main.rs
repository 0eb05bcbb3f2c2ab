//! A project's files, seen from outside: what is accepted, what is refused and how, and what follows for items.

#![allow(missing_docs, reason = "a test has its name")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod admission;
mod branches;
mod check;
mod config;
mod models;
mod refine;
mod schema;
mod sources;
mod support;

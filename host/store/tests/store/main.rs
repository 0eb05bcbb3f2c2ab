//! What every store must do, and what each must do besides.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod support;

mod check;
mod conformance;
mod memory;
mod postgres;
mod sqlite;
mod traces;

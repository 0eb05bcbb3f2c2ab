//! What every store must do, and what the SQLite store must do besides.

mod support;

mod check;
mod conformance;
mod sqlite;
mod traces;

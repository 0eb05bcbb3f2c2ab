//! What every store must do, and what the SQLite store must do besides.

mod support;

mod conformance;
mod sqlite;

//! A whole host on real parts: a folder of items, a SQLite store, guests that do what a test asks of them.

mod support;

mod faults;
mod interruptions;
mod verdicts;

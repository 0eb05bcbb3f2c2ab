//! Waits for an answer, an approval, an event or a time, and hands on what came.
//!
//! # What holds
//!
//! * The wait is the same however often the first call is computed: it is counted from the time that the host gives the
//!   call.
//! * What came is handed on as it came, with who said it and when.
//! * Settings that wait for nothing, or for what can never come, are refused before anything is waited for.

mod came;
mod conditions;
mod fill;
pub mod settings;
mod stage;

pub use stage::WaitFor;

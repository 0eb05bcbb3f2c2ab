//! What is said to have happened outside.

use serde_json::Value;
use tollgate_core::RunId;

/// Something that happened, by a name that calls may wait for as an event.
#[derive(Debug, Clone)]
pub struct NewSignal {
    /// Its name.
    pub name: String,
    /// The run that it concerns; none: all.
    pub run: Option<RunId>,
    /// Who says so.
    pub who: String,
    /// More about it: what the waiting plugin is told.
    pub data: Value,
}

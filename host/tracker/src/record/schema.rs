//! The published schema of records.

use serde_json::Value;
use tollgate_core::record::Record;

/// The JSON Schema of the record that this version writes.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Record);
    schema.insert("title".to_owned(), tollgate_core::record::SCHEMA.into());
    schema.to_value()
}

/// Every schema that this crate publishes: the name of its file in `schemas/`, and what stands there.
///
/// # Panics
///
/// Never: a schema is JSON.
pub fn documents() -> [(&'static str, String); 1] {
    let text = serde_json::to_string_pretty(&schema()).expect("a schema is JSON");
    [("record.schema.json", text + "\n")]
}

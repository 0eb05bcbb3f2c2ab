//! The published schema of records.

use serde_json::Value;
use tollgate_core::record::Record;

/// A published schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Relative to the repository.
    pub path: &'static str,
    /// JSON with a line break at its end.
    pub text: String,
}

/// Every schema that is published for what this crate writes.
pub fn documents() -> Vec<Document> {
    vec![Document { path: "schemas/record.schema.json", text: format!("{:#}\n", schema()) }]
}

/// The JSON Schema of the record that this version writes.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Record);
    schema.insert("title".to_owned(), tollgate_core::record::SCHEMA.into());
    schema.to_value()
}

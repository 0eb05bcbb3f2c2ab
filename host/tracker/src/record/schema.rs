//! The published schema of records.

use serde_json::Value;
use tollgate_core::{adoption::Adoption, record::Record};

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
    let document = |path, schema| Document { path, text: format!("{schema:#}\n") };
    vec![
        document("schemas/record.schema.json", schema()),
        document("schemas/adopted.schema.json", adopted_schema()),
    ]
}

/// The JSON Schema of the record that this version writes.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Record);
    schema.insert("title".to_owned(), tollgate_core::record::SCHEMA.into());
    schema.to_value()
}

/// The JSON Schema of the account of an adoption that this version writes.
pub fn adopted_schema() -> Value {
    let mut schema = schemars::schema_for!(Adoption);
    schema.insert("title".to_owned(), tollgate_core::adoption::SCHEMA.into());
    schema.to_value()
}

//! Why a decision came out as it did.

use serde::Serialize;
use serde_json::Value;

/// Where the evidence of a decision was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum From {
    /// A declared field of the entry, which a person set.
    Field,
    /// The kind that the source gave the entry.
    Entry,
    /// A label.
    Label,
    /// The title.
    Title,
    /// The number of criteria.
    Criteria,
    /// The body.
    Body,
    /// Nothing said otherwise.
    Default,
}

/// One decision and what made it, or a field that could not be used.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Signal {
    /// "kind", "impact" or "effort".
    pub decides: &'static str,
    /// What was decided.
    pub value: Value,
    /// Where the evidence was found.
    pub from: From,
    /// The rule that made it, such as `rules[3]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What was found there.
    pub found: Vec<String>,
    /// What a person should know besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

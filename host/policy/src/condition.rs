//! Conditions of a pipeline: formulas over an entry as it was frozen when its run began.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde_json::Value;
use tollgate_core::{Timestamp, entry::EntrySnapshot, step::NotApplicable};

use crate::{
    fields::days_between,
    formula::{FieldValue, Formula, FormulaError, Inputs},
};

/// A formula that is true or false.
#[derive(Debug, Clone)]
pub struct Condition(Formula);

/// What a condition may read, all of it settled when the run began.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// What the entry said.
    pub entry: &'a EntrySnapshot,
    /// The backlog that it came by.
    pub backlog: &'a str,
    /// The time zone of the backlog's days.
    pub zone: &'a str,
    /// When the run began.
    pub now: Timestamp,
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    ///
    /// When it is no formula.
    pub fn parse(text: &str) -> Result<Self, FormulaError> {
        Formula::parse(text).map(Self)
    }

    /// Nothing where it is true, and what made it false where it is not.
    ///
    /// # Errors
    ///
    /// When it has no value, or one that is neither true nor false; in a sentence.
    pub fn judge(&self, facts: &Facts<'_>) -> Result<Option<NotApplicable>, String> {
        let Facts { entry, backlog, zone, now } = *facts;
        let zone = TimeZone::get(zone).map_err(|error| format!("the time zone `{zone}`: {error}"))?;
        let fields: BTreeMap<String, FieldValue> = entry
            .fields
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), FieldValue::from_json(value)?)))
            .collect();
        let inputs = Inputs {
            key: &entry.name.key,
            kind: &entry.kind,
            title: &entry.title,
            labels: &entry.labels,
            author: entry.author.as_deref().unwrap_or_default(),
            tracker: &entry.name.tracker,
            backlog,
            created: entry.created_at,
            age_days: days_between(entry.created_at, now, &zone),
            fields: &fields,
        };
        match self.0.truth(&inputs) {
            Ok(true) => Ok(None),
            Ok(false) => Ok(Some(self.not_applicable(&inputs))),
            Err(error) => Err(error.to_string()),
        }
    }

    fn not_applicable(&self, inputs: &Inputs<'_>) -> NotApplicable {
        let read = self.0.references();
        let builtins = read.builtins.iter().map(|name| (name.clone(), inputs.builtin_json(name)));
        let fields = read.fields.iter().map(|name| {
            let value = inputs.fields.get(name).map_or(Value::Null, FieldValue::to_json);
            (format!("field.{name}"), value)
        });
        NotApplicable { expression: self.0.source().to_owned(), inputs: builtins.chain(fields).collect() }
    }
}

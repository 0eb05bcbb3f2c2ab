//! What a formula is evaluated over.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, LazyLock},
};

use cel::{Context, Env, Value};
use tollgate_core::Timestamp;

use super::{References, dialect};

/// The value of a declared field.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldValue {
    /// A text.
    Text(String),
    /// A finite number.
    Number(f64),
    /// True or false.
    Bool(bool),
    /// A point in time.
    Time(Timestamp),
    /// Texts.
    List(Vec<String>),
}

impl FieldValue {
    /// As it is kept in a snapshot.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Number(number) => whole(*number).map_or_else(|| (*number).into(), Into::into),
            Self::Bool(truth) => (*truth).into(),
            Self::Time(time) => time.to_string().into(),
            Self::List(items) => items.clone().into(),
        }
    }

    /// From what is kept in a snapshot; none of what no field can be. A time comes back as the text that formulas see.
    pub(crate) fn from_json(value: &serde_json::Value) -> Option<Self> {
        match value {
            serde_json::Value::String(text) => Some(Self::Text(text.clone())),
            serde_json::Value::Number(number) => number.as_f64().map(Self::Number),
            serde_json::Value::Bool(truth) => Some(Self::Bool(*truth)),
            serde_json::Value::Array(items) => {
                let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
                texts.collect::<Option<_>>().map(Self::List)
            }
            serde_json::Value::Null | serde_json::Value::Object(_) => None,
        }
    }

    fn to_cel(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Number(number) => Value::Float(*number),
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Time(time) => time.to_string().into(),
            Self::List(items) => list(items),
        }
    }

    fn write(&self, into: &mut Vec<u8>) {
        match self {
            Self::Text(text) => {
                into.push(1);
                write_text(text, into);
            }
            Self::Number(number) => {
                into.push(2);
                into.extend(number.to_bits().to_le_bytes());
            }
            Self::Bool(truth) => into.extend([3, u8::from(*truth)]),
            Self::Time(time) => {
                into.push(4);
                into.extend(time.as_millis().to_le_bytes());
            }
            Self::List(items) => {
                into.push(5);
                write_texts(items, into);
            }
        }
    }

    fn longest_text_bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::List(items) => items.iter().map(String::len).max().unwrap_or(0),
            Self::Number(_) | Self::Bool(_) | Self::Time(_) => 0,
        }
    }
}

/// The number as an integer, where it is one that both JSON and a double hold exactly.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() < EXACT).then_some(number as i64)
}

/// One entry on one day.
#[derive(Debug, Clone)]
pub struct Inputs<'a> {
    /// The entry's key.
    pub key: &'a str,
    /// Its kind; empty where it has none.
    pub kind: &'a str,
    /// Its title.
    pub title: &'a str,
    /// Its labels.
    pub labels: &'a [String],
    /// Its author; empty where it has none.
    pub author: &'a str,
    /// Its tracker.
    pub tracker: &'a str,
    /// The backlog's name.
    pub backlog: &'a str,
    /// When it was written.
    pub created: Timestamp,
    /// Days in the backlog's zone since then; negative for an entry that says it is from the future.
    pub age_days: i64,
    /// Declared fields that have a value.
    pub fields: &'a BTreeMap<String, FieldValue>,
}

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

impl Inputs<'_> {
    /// A context with what is read, and no more.
    pub(super) fn context(
        &self,
        read: &References,
        functions: &BTreeSet<String>,
    ) -> Context<'static, 'static> {
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        for name in &read.builtins {
            context.add_variable_from_value(name.as_str(), self.builtin(name));
        }
        let fields: HashMap<String, Value> = self
            .fields
            .iter()
            .filter(|(name, _)| read.fields.contains(*name))
            .map(|(name, value)| (name.clone(), value.to_cel()))
            .collect();
        context.add_variable_from_value("field", fields);
        dialect::add_functions(&mut context, functions);
        context
    }

    fn builtin(&self, name: &str) -> Value {
        match name {
            "key" => self.key.into(),
            "kind" => self.kind.into(),
            "title" => self.title.into(),
            "labels" => list(self.labels),
            "author" => self.author.into(),
            "tracker" => self.tracker.into(),
            "backlog" => self.backlog.into(),
            "created" => self.created.to_string().into(),
            "age_days" => Value::Float(self.age_days as f64),
            _ => Value::Null,
        }
    }

    /// What the formula reads under a name, for people and machines.
    pub(crate) fn builtin_json(&self, name: &str) -> serde_json::Value {
        match name {
            "labels" => self.labels.into(),
            "age_days" => self.age_days.into(),
            "created" => self.created.to_string().into(),
            "key" => self.key.into(),
            "kind" => self.kind.into(),
            "title" => self.title.into(),
            "author" => self.author.into(),
            "tracker" => self.tracker.into(),
            "backlog" => self.backlog.into(),
            _ => serde_json::Value::Null,
        }
    }

    /// Writes down all that an evaluation depends on which reads no more than this: the same bytes for the same values alone.
    pub(crate) fn write_what_is_read(&self, read: &References, into: &mut Vec<u8>) {
        // It decides how long an evaluation may take.
        into.extend((self.longest_text_bytes() as u64 / 1024).to_le_bytes());
        for name in &read.builtins {
            match name.as_str() {
                "labels" => write_texts(self.labels, into),
                "age_days" => into.extend(self.age_days.to_le_bytes()),
                "created" => into.extend(self.created.as_millis().to_le_bytes()),
                "key" => write_text(self.key, into),
                "kind" => write_text(self.kind, into),
                "title" => write_text(self.title, into),
                "author" => write_text(self.author, into),
                "tracker" => write_text(self.tracker, into),
                // There is one of it.
                _ => {}
            }
        }
        for name in &read.fields {
            match self.fields.get(name) {
                None => into.push(0),
                Some(value) => value.write(into),
            }
        }
    }

    pub(super) fn longest_text_bytes(&self) -> usize {
        let labels = self.labels.iter().map(String::len).max().unwrap_or(0);
        let fields = self.fields.values().map(FieldValue::longest_text_bytes).max().unwrap_or(0);
        [self.key.len(), self.title.len(), self.author.len(), labels, fields].into_iter().max().unwrap_or(0)
    }

    pub(super) fn items_of_field(&self, name: &str) -> usize {
        match self.fields.get(name) {
            Some(FieldValue::List(items)) => items.len(),
            _ => 1,
        }
    }
}

fn write_text(text: &str, into: &mut Vec<u8>) {
    into.extend((text.len() as u64).to_le_bytes());
    into.extend(text.as_bytes());
}

fn write_texts(texts: &[String], into: &mut Vec<u8>) {
    into.extend((texts.len() as u64).to_le_bytes());
    texts.iter().for_each(|text| write_text(text, into));
}

fn list(items: &[String]) -> Value {
    Value::List(Arc::new(items.iter().map(|item| item.as_str().into()).collect()))
}

//! Declared fields: from what an item says to a value of the declared type.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{civil, tz::TimeZone};
use serde_json::Value;
use tollgate_core::{
    Timestamp,
    entry::{EntrySnapshot, Hold, HoldKind},
    item::SourceItem,
    refine::SetField,
};

use crate::{
    formula::FieldValue,
    policy::{Field, FieldOrigin, FieldType},
    schema::describe_value,
};

/// What is said of an entry's fields, and by whom.
#[derive(Clone, Copy)]
pub(crate) struct Said<'a> {
    pub(crate) item: &'a SourceItem,
    /// By people.
    pub(crate) set: &'a BTreeMap<String, SetField>,
    /// By the refine stages, by stage; none while they have said nothing that holds.
    pub(crate) refined: Option<&'a BTreeMap<String, Value>>,
}

impl<'a> Said<'a> {
    /// By its source alone.
    pub(crate) fn by_source(item: &'a SourceItem) -> Self {
        static NOBODY: BTreeMap<String, SetField> = BTreeMap::new();
        Self { item, set: &NOBODY, refined: None }
    }
}

/// The declared fields of an entry.
pub(crate) struct Extracted {
    pub(crate) values: BTreeMap<String, FieldValue>,
    /// One for each that is missing or wrong.
    pub(crate) holds: Vec<Hold>,
    /// Those that only refine stages can tell, and have not told.
    pub(crate) unknown: BTreeSet<String>,
}

/// The value of a declared field, and whose word it is.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldReading {
    /// The field.
    pub name: String,
    /// Its value; none where there is none, or none of its type.
    pub value: Option<Value>,
    /// Whose word it is.
    pub source: FieldSource,
}

/// Whose word the value of a field is.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldSource {
    /// A person set it.
    Person(SetField),
    /// It was read there.
    Place(FieldOrigin),
    /// Nobody said anything.
    Default,
    /// Refine stages will say it.
    NotRefined,
    /// Nobody said anything, and there is no default.
    Nobody,
    /// What was said is no value of the field: a sentence.
    Invalid(String),
}

/// The values of all declared fields, and what is wrong with the others.
pub(crate) fn extract(fields: &BTreeMap<String, Field>, said: Said<'_>, zone: &TimeZone) -> Extracted {
    let mut extracted = Extracted { values: BTreeMap::new(), holds: Vec::new(), unknown: BTreeSet::new() };
    for (name, field) in fields {
        match read_field(field, said, zone) {
            Ok(Told::By(_, value)) => {
                extracted.values.insert(name.clone(), value);
            }
            Ok(Told::NotYet) => {
                extracted.unknown.insert(name.clone());
            }
            Ok(Told::Nothing) if field.required => extracted.holds.push(missing(field)),
            Ok(Told::Nothing) => {}
            Err(reason) => {
                let kind = HoldKind::FieldInvalid;
                extracted.holds.push(Hold { kind, subject: name.clone(), reason, until: None });
            }
        }
    }
    extracted
}

/// What is known of each declared field, and whose word it is.
pub(crate) fn readings(
    fields: &BTreeMap<String, Field>,
    said: Said<'_>,
    zone: &TimeZone,
) -> Vec<FieldReading> {
    let reading = |field: &Field| {
        let (value, source) = match read_field(field, said, zone) {
            Ok(Told::By(source, value)) => (Some(value.to_json()), source),
            Ok(Told::NotYet) => (None, FieldSource::NotRefined),
            Ok(Told::Nothing) => (None, FieldSource::Nobody),
            Err(reason) => (None, FieldSource::Invalid(reason)),
        };
        FieldReading { name: field.name.clone(), value, source }
    };
    fields.values().map(reading).collect()
}

/// The fields of an entry whose item is moved: `state` then stands in the member of its front matter, or under the heading, that is
/// called `member`. Only an item that has one can be moved, so no field comes that was not there.
pub(crate) fn moved(
    fields: &BTreeMap<String, Field>,
    snapshot: &EntrySnapshot,
    member: &str,
    state: &str,
    zone: &TimeZone,
) -> serde_json::Map<String, Value> {
    let reads_state = |origin: &FieldOrigin| match origin {
        FieldOrigin::FrontMatter(name) => name == member,
        FieldOrigin::Heading(name) => name.eq_ignore_ascii_case(member),
        FieldOrigin::Label(_) | FieldOrigin::LabelPrefix(_) | FieldOrigin::Refine { .. } => false,
    };
    let mut moved = snapshot.fields.clone();
    moved.retain(|name, value| {
        let reads = |field: &&Field| field.from.first().is_some_and(reads_state);
        let Some(field) = fields.get(name).filter(reads) else { return true };
        match convert(&Value::from(state), field.kind, field.values.as_deref(), zone) {
            Ok(now) => {
                *value = now.to_json();
                true
            }
            // A state that the field does not take: the entry is held for it, and has no value.
            Err(_) => false,
        }
    });
    moved
}

/// Days between two times by the calendar of a zone.
pub(crate) fn days_between(from: Timestamp, to: Timestamp, zone: &TimeZone) -> i64 {
    day_number(to, zone) - day_number(from, zone)
}

/// The day of a time, counted from 1970-01-01.
pub(crate) fn day_number(time: Timestamp, zone: &TimeZone) -> i64 {
    let date = time.to_jiff().to_zoned(zone.clone()).date();
    i64::from((date - civil::date(1970, 1, 1)).get_days())
}

/// Whether the value of a field is its default, because the item does not say it.
pub(crate) fn takes_default(field: &Field, item: &SourceItem, zone: &TimeZone) -> bool {
    matches!(read_field(field, Said::by_source(item), zone), Ok(Told::By(FieldSource::Default, _)))
}

fn missing(field: &Field) -> Hold {
    let places: Vec<_> = field.from.iter().map(|origin| format!("`{origin}`")).collect();
    Hold {
        kind: HoldKind::FieldMissing,
        subject: field.name.clone(),
        reason: format!("`{}` is missing; it is read from {}", field.name, places.join(", then ")),
        until: None,
    }
}

/// What is told of a field.
enum Told {
    By(FieldSource, FieldValue),
    /// Refine stages have yet to say it.
    NotYet,
    Nothing,
}

/// What is said of a field: by a person before all others, then by its places in their order, then by default.
fn read_field(field: &Field, said: Said<'_>, zone: &TimeZone) -> Result<Told, String> {
    let convert = |written: &Value| convert(written, field.kind, field.values.as_deref(), zone);
    if let Some(set) = said.set.get(&field.name) {
        return convert(&set.value)
            .map(|value| Told::By(FieldSource::Person(set.clone()), value))
            .map_err(|problem| format!("`{}`, as {} set it, {problem}", field.name, set.who));
    }
    for origin in &field.from {
        if matches!(origin, FieldOrigin::Refine { .. }) && said.refined.is_none() {
            return Ok(Told::NotYet);
        }
        let Some(written) = read(field, origin, said)? else { continue };
        return convert(&written)
            .map(|value| Told::By(FieldSource::Place(origin.clone()), value))
            .map_err(|problem| format!("`{}` of {origin} {problem}", field.name));
    }
    let default = field.default.clone();
    Ok(default.map_or(Told::Nothing, |value| Told::By(FieldSource::Default, value)))
}

/// What is said in one place; nothing where it says nothing or leaves it empty.
fn read(field: &Field, origin: &FieldOrigin, said: Said<'_>) -> Result<Option<Value>, String> {
    let item = said.item;
    let says_something = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        _ => true,
    };
    Ok(match origin {
        FieldOrigin::FrontMatter(name) => {
            item.front_matter.get(name).filter(|value| says_something(value)).cloned()
        }
        FieldOrigin::Heading(name) => {
            let heading = item
                .headings
                .iter()
                .find(|(heading, _)| heading.trim().to_lowercase() == name.to_lowercase());
            heading.map(|(_, text)| Value::from(text.trim())).filter(says_something)
        }
        FieldOrigin::Label(name) => item.labels.contains(name).then_some(Value::Bool(true)),
        FieldOrigin::LabelPrefix(prefix) => {
            let rests = item.labels.iter().filter_map(|label| label.strip_prefix(prefix.as_str()));
            let mut rests: Vec<_> = rests.filter(|rest| !rest.is_empty()).collect();
            rests.dedup();
            match (rests.as_slice(), field.kind) {
                ([], _) => None,
                (rests, FieldType::List) => Some(rests.to_vec().into()),
                ([only], _) => Some((*only).into()),
                (several, _) => {
                    let labels: Vec<_> = several.iter().map(|rest| format!("`{prefix}{rest}`")).collect();
                    return Err(format!("`{}` has several values: {}", field.name, labels.join(", ")));
                }
            }
        }
        FieldOrigin::Refine { stage, member } => {
            let data = said.refined.and_then(|refined| refined.get(stage));
            let value = data.and_then(|data| member.split('.').try_fold(data, |value, part| value.get(part)));
            value.filter(|value| says_something(value)).cloned()
        }
    })
}

/// A written value as one of the declared type. The error fits after the field's name.
pub(crate) fn convert(
    written: &Value,
    kind: FieldType,
    values: Option<&[String]>,
    zone: &TimeZone,
) -> Result<FieldValue, String> {
    let wrong = || format!("is {}; expected {}", describe_value(written), kind.described());
    match kind {
        FieldType::String => {
            let text = plain_text(written).ok_or_else(wrong)?;
            one_of(text, values).map(FieldValue::Text)
        }
        FieldType::Number => {
            let number = match written {
                Value::Number(number) => number.as_f64(),
                Value::String(text) => text.trim().parse().ok(),
                _ => None,
            };
            number.filter(|number: &f64| number.is_finite()).map(FieldValue::Number).ok_or_else(wrong)
        }
        FieldType::Bool => match written {
            Value::Bool(truth) => Ok(FieldValue::Bool(*truth)),
            Value::String(text) => {
                text.trim().to_lowercase().parse().map(FieldValue::Bool).map_err(|_| wrong())
            }
            _ => Err(wrong()),
        },
        FieldType::Timestamp => written
            .as_str()
            .and_then(|text| timestamp(text.trim(), zone))
            .map(FieldValue::Time)
            .ok_or_else(wrong),
        FieldType::List => list(written)
            .ok_or_else(wrong)?
            .into_iter()
            .map(|text| one_of(text, values))
            .collect::<Result<_, _>>()
            .map(FieldValue::List),
    }
}

fn plain_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn list(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) => items.iter().map(plain_text).collect(),
        Value::String(text) => {
            Some(text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect())
        }
        other => plain_text(other).map(|text| vec![text]),
    }
}

/// The declared spelling of a text; people write `High` where the project says `high`.
fn one_of(text: String, values: Option<&[String]>) -> Result<String, String> {
    let Some(values) = values else { return Ok(text) };
    match values.iter().find(|value| value.to_lowercase() == text.to_lowercase()) {
        Some(declared) => Ok(declared.clone()),
        None => {
            let listed: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
            Err(format!("is {}; expected {}", describe_value(&text.into()), listed.join(", ")))
        }
    }
}

/// RFC 3339, or a date with or without a time, read in `zone`. A date alone is its first moment.
pub(crate) fn timestamp(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let local =
        text.parse::<civil::DateTime>().or_else(|_| text.parse::<civil::Date>().map(Into::into)).ok()?;
    local.to_zoned(zone.clone()).ok().map(|time| time.timestamp().into())
}

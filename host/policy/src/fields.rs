//! Declared fields: from what an item says to a value of the declared type.

use std::collections::BTreeMap;

use jiff::{civil, tz::TimeZone};
use serde_json::Value;
use tollgate_core::{
    Timestamp,
    entry::{EntrySnapshot, Hold, HoldKind},
    item::SourceItem,
};

use crate::{
    formula::FieldValue,
    policy::{Field, FieldOrigin, FieldType},
    schema::describe_value,
};

/// The values of all declared fields, and a hold for each that is missing or wrong.
pub(crate) fn extract(
    fields: &BTreeMap<String, Field>,
    item: &SourceItem,
    zone: &TimeZone,
) -> (BTreeMap<String, FieldValue>, Vec<Hold>) {
    let mut values = BTreeMap::new();
    let mut holds = Vec::new();
    for (name, field) in fields {
        match extract_one(field, item, zone) {
            Ok(Some(value)) => {
                values.insert(name.clone(), value);
            }
            Ok(None) => match &field.default {
                Some(default) => {
                    values.insert(name.clone(), default.clone());
                }
                None if field.required => holds.push(missing(field)),
                None => {}
            },
            Err(reason) => {
                holds.push(Hold { kind: HoldKind::FieldInvalid, subject: name.clone(), reason, until: None })
            }
        }
    }
    (values, holds)
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
        FieldOrigin::Label(_) | FieldOrigin::LabelPrefix(_) => false,
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
    field.default.is_some() && matches!(extract_one(field, item, zone), Ok(None))
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

fn extract_one(field: &Field, item: &SourceItem, zone: &TimeZone) -> Result<Option<FieldValue>, String> {
    for origin in &field.from {
        let Some(written) = read(field, origin, item)? else { continue };
        return convert(&written, field.kind, field.values.as_deref(), zone)
            .map(Some)
            .map_err(|problem| format!("`{}` of {origin} {problem}", field.name));
    }
    Ok(None)
}

/// What the item says in one place; nothing where it says nothing or leaves it empty.
fn read(field: &Field, origin: &FieldOrigin, item: &SourceItem) -> Result<Option<Value>, String> {
    let said = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        _ => true,
    };
    Ok(match origin {
        FieldOrigin::FrontMatter(name) => item.front_matter.get(name).filter(|value| said(value)).cloned(),
        FieldOrigin::Heading(name) => {
            let heading = item
                .headings
                .iter()
                .find(|(heading, _)| heading.trim().to_lowercase() == name.to_lowercase());
            heading.map(|(_, text)| Value::from(text.trim())).filter(said)
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

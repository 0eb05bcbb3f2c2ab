//! Declared fields, resolved.

use jiff::tz::TimeZone;

use super::name;
use crate::{
    fields,
    policy::{Field, FieldOrigin},
    project::{FieldTable, FieldType, Purpose},
    source_map::{Place, Report},
};

pub(super) fn resolve(
    field_name: &str,
    table: FieldTable,
    zone: &TimeZone,
    place: &Place<'_>,
    report: &mut Report,
) -> Field {
    name(field_name, "field", place, report);
    if field_name.contains('-') {
        let help = Some(format!("`{}` can be read as `field.{0}`", field_name.replace('-', "_")));
        report.key_error(place, format!("formulas cannot read a field called `{field_name}`"), help);
    }
    let from = origins(&table, place, report);
    if table.values.is_some() && !matches!(table.kind, FieldType::String | FieldType::List) {
        report.error(&place.key("values"), "only texts and lists have `values`", None);
    }
    if table.purpose == Purpose::Constraint && table.kind != FieldType::Timestamp {
        let help =
            Some("an entry is held until a constraint's time has come; other limits are formulas".into());
        report.error(&place.key("type"), "a field with the purpose `constraint` is a timestamp", help);
    }
    let default = table.default.as_ref().and_then(|written| {
        let converted = fields::convert(written, table.kind, table.values.as_deref(), zone);
        report.take(&place.key("default"), converted.map_err(|problem| format!("the default {problem}")))
    });
    Field {
        name: field_name.to_owned(),
        kind: table.kind,
        purpose: table.purpose,
        required: table.required.unwrap_or(table.default.is_none()),
        default,
        is_text: table.trust.is_some() || from.iter().any(|origin| matches!(origin, FieldOrigin::Heading(_))),
        from,
        values: table.values,
    }
}

fn origins(table: &FieldTable, place: &Place<'_>, report: &mut Report) -> Vec<FieldOrigin> {
    let place = place.key("from");
    let origin = |(position, text): (usize, &String)| {
        // A single text has no items: its path ends where the text stands.
        report.take(&place.index(position), origin(text, table.kind))
    };
    table.from.as_slice().iter().enumerate().filter_map(origin).collect()
}

fn origin(text: &str, kind: FieldType) -> Result<FieldOrigin, String> {
    let form = || {
        format!(
            "`{text}` is no place of a field; expected `front-matter:NAME`, `label:PREFIX*`, `label:NAME` or `heading:NAME`"
        )
    };
    let (place, rest) = text.split_once(':').ok_or_else(form)?;
    let rest = rest.trim();
    if rest.is_empty() {
        return Err(form());
    }
    match place {
        "front-matter" => Ok(FieldOrigin::FrontMatter(rest.to_owned())),
        "heading" => Ok(FieldOrigin::Heading(rest.to_owned())),
        "label" => match rest.strip_suffix('*') {
            Some(prefix) if !prefix.contains('*') => Ok(FieldOrigin::LabelPrefix(prefix.to_owned())),
            Some(_) => Err(format!("`{text}` has several `*`; only one, at the end, is understood")),
            None if rest.contains('*') => {
                Err(format!("`{text}` has its `*` within; only one at the end is understood"))
            }
            None if kind == FieldType::Bool => Ok(FieldOrigin::Label(rest.to_owned())),
            None => Err(format!(
                "`{text}` says true or false; the field's type is another (a value is read by `label:PREFIX*`)"
            )),
        },
        _ => Err(form()),
    }
}

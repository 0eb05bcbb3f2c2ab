//! Declared fields, resolved.

use jiff::tz::TimeZone;

use super::name;
use crate::{
    error::did_you_mean,
    fields,
    policy::{Field, FieldOrigin, Refine},
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

/// What refine stages say is read where they say it, and after everything that people wrote.
pub(super) fn check_refined(field: &Field, refine: Option<&Refine>, place: &Place<'_>, report: &mut Report) {
    let stages = refine.map(|refine| refine.pipeline.stages.as_slice()).unwrap_or_default();
    let is_refined = |origin: &FieldOrigin| matches!(origin, FieldOrigin::Refine { .. });
    for (position, origin) in field.from.iter().enumerate() {
        let FieldOrigin::Refine { stage, .. } = origin else { continue };
        let place = place.index(position);
        if !stages.iter().any(|known| known.name == *stage) {
            let names = stages.iter().map(|stage| stage.name.as_str());
            let help = did_you_mean(stage, names).unwrap_or_else(|| {
                format!("declare it in the backlog: refine = [{{ plugin = \"{stage}@^1\" }}]")
            });
            report.error(&place, format!("the backlog has no refine stage `{stage}`"), Some(help));
        }
        if field.from[position..].iter().any(|later| !is_refined(later)) {
            let help = Some(format!("put `{origin}` last"));
            report.error(&place, "what people write comes before what a stage finds", help);
        }
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
            "`{text}` is no place of a field; expected `front-matter:NAME`, `label:PREFIX*`, `label:NAME`, `heading:NAME` or `refine:STAGE.MEMBER`"
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
        "refine" => match rest.split_once('.') {
            Some((stage, member)) if !stage.is_empty() && !member.is_empty() => {
                Ok(FieldOrigin::Refine { stage: stage.to_owned(), member: member.to_owned() })
            }
            _ => Err(format!("`{text}` names no member of a stage's data; expected `refine:STAGE.MEMBER`")),
        },
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

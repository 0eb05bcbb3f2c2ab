//! Fields that refine stages find: what their plugins can say, and whose word that is.

use serde_json::Value;

use super::{PluginCatalog, PluginFacts};
use crate::{
    error::did_you_mean,
    policy::{Backlog, Field, FieldOrigin, FieldType},
    source_map::{Place, Report},
};

/// The parts of an entry that anyone may write.
const TEXTS: [&str; 3] = ["title", "body", "*"];

/// Every field that a refine stage finds is one that its plugin can find, and says so when anyone may have decided it.
pub(super) fn check(backlog: &Backlog, plugins: &dyn PluginCatalog, place: &Place<'_>, report: &mut Report) {
    let stages = backlog.refine.iter().flat_map(|refine| &refine.pipeline.stages);
    let stages: Vec<_> = stages.map(|stage| (stage, plugins.find(&stage.plugin))).collect();
    for field in backlog.fields.values() {
        let place = place.key("fields").key(&field.name);
        for (position, origin) in field.from.iter().enumerate() {
            let FieldOrigin::Refine { stage, member } = origin else { continue };
            // That there is no such stage or plugin is said where it is named.
            let Some((at, (_, Ok(facts)))) =
                stages.iter().enumerate().find(|(_, (known, _))| known.name == *stage)
            else {
                continue;
            };
            check_member(field, facts, member, &place.key("from").index(position), report);
            // A stage is handed what those before it found.
            let mut read = stages[..=at].iter().rev().filter_map(|(_, facts)| facts.as_ref().ok());
            if !field.is_text
                && let Some((facts, part)) = read.find_map(|facts| Some((facts, text_of(backlog, facts)?)))
            {
                let message = format!(
                    "`{}` is found by `{}`, which reads `{part}`: anyone may have written that",
                    field.name, facts.name
                );
                let help = "say so: trust = \"text\". `eligible` and constraints read it only when `trust_text` lists it";
                report.key_error(&place, message, Some(help.into()));
            }
        }
    }
}

/// What a plugin reads that anyone may have written.
fn text_of<'f>(backlog: &Backlog, facts: &'f PluginFacts) -> Option<&'f str> {
    let is_text = |part: &&String| {
        let field = part.strip_prefix("fields.").and_then(|name| backlog.fields.get(name));
        let is_told = |origin: &FieldOrigin| !matches!(origin, FieldOrigin::Refine { .. });
        TEXTS.contains(&part.as_str())
            || field.is_some_and(|field| field.is_text && field.from.iter().any(is_told))
    };
    facts.reads.iter().find(is_text).map(String::as_str)
}

/// The member is one that the plugin's schema has, and of a type that the field takes.
fn check_member(field: &Field, facts: &PluginFacts, member: &str, place: &Place<'_>, report: &mut Report) {
    let Some(mut schema) = facts.data.as_ref() else {
        let message = format!("`{}` does not say what data it produces", facts.name);
        return report.error(place, message, None);
    };
    for part in member.split('.') {
        let Some(members) = schema["properties"].as_object() else { return };
        match members.get(part) {
            Some(inner) => schema = inner,
            // An open schema says nothing of what it does not name.
            None if schema["additionalProperties"] != Value::Bool(false) => return,
            None => {
                let message = format!("the data of `{}` has no `{part}`", facts.name);
                let help = did_you_mean(part, members.keys().map(String::as_str));
                return report.error(place, message, help);
            }
        }
    }
    if let Some(found) = schema["type"].as_str().filter(|found| !takes(field.kind, found)) {
        let message = format!(
            "`{member}` of `{}` is of the type {found}; `{}` is {}",
            facts.name,
            field.name,
            field.kind.described()
        );
        report.error(place, message, None);
    }
}

/// Whether a field can have values of a type of JSON.
fn takes(kind: FieldType, found: &str) -> bool {
    match kind {
        FieldType::String => !matches!(found, "array" | "object" | "null"),
        FieldType::Number => matches!(found, "number" | "integer" | "string"),
        FieldType::Bool => matches!(found, "boolean" | "string"),
        FieldType::Timestamp => found == "string",
        FieldType::List => !matches!(found, "object" | "null"),
    }
}

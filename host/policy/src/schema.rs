//! The published JSON Schemas of the files, and validation by them.
//!
//! A file is validated by the schema that is published, so the two never disagree. The schemas are made of the types in
//! [`crate::project`] and [`crate::pipeline_file`]; nothing in them refers elsewhere, so an editor needs one file.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use schemars::{
    JsonSchema, Schema, SchemaGenerator,
    generate::SchemaSettings,
    transform::{RecursiveTransform, Transform},
};
use serde_json::Value;

use crate::{
    error::did_you_mean,
    pipeline_file::PipelineFile,
    project::ProjectFile,
    source_map::{Place, Report},
};

/// A published schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Relative to the repository.
    pub path: &'static str,
    /// JSON with a line break at its end.
    pub text: String,
}

/// Every schema that is published for what users write.
pub fn documents() -> Vec<Document> {
    let document = |path, schema: &Schema| Document { path, text: format!("{:#}\n", schema.as_value()) };
    vec![
        document("schemas/tollgate.schema.json", &schema_of::<ProjectFile>()),
        document("schemas/pipeline.schema.json", &schema_of::<PipelineFile>()),
    ]
}

pub(crate) fn schema_of<T: JsonSchema>() -> Schema {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.transforms.push(Box::new(RecursiveTransform(WithoutNull)));
    SchemaGenerator::new(settings).into_root_schema_for::<T>()
}

/// TOML has no null: a key that may be absent is absent.
#[derive(Debug, Clone)]
struct WithoutNull;

impl Transform for WithoutNull {
    fn transform(&mut self, schema: &mut Schema) {
        let Some(members) = schema.as_object_mut() else { return };
        if let Some(Value::Array(types)) = members.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                members.insert("type".into(), only);
            }
        }
        if let Some(Value::Array(values)) = members.get_mut("enum") {
            values.retain(|value| !value.is_null());
        }
        if members.get("default").is_some_and(Value::is_null) {
            members.remove("default");
        }
        let Some(Value::Array(choices)) = members.get_mut("anyOf") else { return };
        choices.retain(|choice| choice.get("type") != Some(&"null".into()));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            members.remove("anyOf");
            for (key, value) in only {
                members.entry(key).or_insert(value);
            }
        }
    }
}

/// Reports everything by which `value`, which stands at `place`, differs from `schema`.
///
/// # Errors
///
/// When `schema` is no JSON Schema.
pub(crate) fn validate(
    schema: &Value,
    value: &Value,
    place: &Place<'_>,
    report: &mut Report,
) -> Result<(), String> {
    let validator = jsonschema::validator_for(schema).map_err(|error| error.to_string())?;
    for error in validator.iter_errors(value) {
        report_one(schema, &error, place, report);
    }
    Ok(())
}

fn report_one(
    schema: &Value,
    error: &jsonschema::ValidationError<'_>,
    root: &Place<'_>,
    report: &mut Report,
) {
    let place = root.pointer(error.instance_path().as_str());
    let within = parent_schema(schema, error.schema_path().as_str());
    if place.is_concealed() {
        let help =
            Some("write where it is kept: `key = { env = \"NAME\" }` or `key = { file = \"path\" }`".into());
        return report.error(&place, "a key is never written into this file", help);
    }
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let known: Vec<_> = properties(within).collect();
            for key in unexpected {
                let message = format!("unknown key `{key}` in {}", place.table_name());
                report.key_error(&place.key(key), message, did_you_mean(key, known.iter().copied()));
            }
        }
        ValidationErrorKind::Required { property } => {
            let key = property.as_str().unwrap_or_default();
            let help = within
                .pointer(&format!("/properties/{key}/description"))
                .and_then(Value::as_str)
                .map(|text| format!("`{key}`: {}", text.replace('\n', " ")));
            report.key_error(&place, format!("{} has no `{key}`", place.table_name()), help);
        }
        ValidationErrorKind::Type { kind } => {
            let expected = match kind {
                TypeKind::Single(kind) => described(&kind.to_string()).to_owned(),
                TypeKind::Multiple(kinds) => {
                    let names: Vec<_> = kinds.into_iter().map(|kind| described(&kind.to_string())).collect();
                    names.join(" or ")
                }
            };
            let found = describe_value(error.instance());
            report.error(&place, format!("expected {expected}, found {found}"), None);
        }
        ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } => {
            report_choice(within, error, &place, report);
        }
        ValidationErrorKind::AnyOf { context }
        | ValidationErrorKind::OneOfNotValid { context }
        | ValidationErrorKind::OneOfMultipleValid { context } => {
            report_alternatives(schema, error, context, root, report);
        }
        ValidationErrorKind::MinItems { limit: 1 } => {
            report.error(&place, "expected at least one item, found an empty list", None);
        }
        _ => report.error(&place, plain(&error.to_string()), None),
    }
}

/// A value that is none of those listed; schemars lists documented variants as alternatives of constants.
fn report_choice(
    within: &Value,
    error: &jsonschema::ValidationError<'_>,
    place: &Place<'_>,
    report: &mut Report,
) {
    let choices: Vec<_> = choices_of(within);
    let found = describe_value(error.instance());
    let listed: Vec<_> = choices.iter().map(|choice| format!("`{choice}`")).collect();
    let help = error
        .instance()
        .as_str()
        .and_then(|text| crate::error::nearest(text, choices.iter().copied()))
        .map(|near| format!("did you mean `{near}`?"));
    report.error(place, format!("expected {}, found {found}", listed.join(", ")), help);
}

fn choices_of(schema: &Value) -> Vec<&str> {
    let list = |key: &str| schema.get(key).and_then(Value::as_array).into_iter().flatten();
    let constants = list("oneOf").chain(list("anyOf")).flat_map(|choice| match choice.get("const") {
        Some(constant) => constant.as_str().into_iter().collect::<Vec<_>>(),
        None => choices_of(choice),
    });
    list("enum")
        .filter_map(Value::as_str)
        .chain(schema.get("const").and_then(Value::as_str))
        .chain(constants)
        .collect()
}

/// Of several alternatives the one is meant that has the value's type; its errors are the errors.
fn report_alternatives(
    schema: &Value,
    error: &jsonschema::ValidationError<'_>,
    context: &[Vec<jsonschema::ValidationError<'static>>],
    root: &Place<'_>,
    report: &mut Report,
) {
    let place = root.pointer(error.instance_path().as_str());
    let within = parent_schema(schema, error.schema_path().as_str());
    if !choices_of(within).is_empty() {
        return report_choice(within, error, &place, report);
    }
    let same_type = |errors: &&Vec<jsonschema::ValidationError<'static>>| {
        !errors.iter().any(|inner| {
            matches!(inner.kind(), ValidationErrorKind::Type { .. })
                && inner.instance_path().as_str() == error.instance_path().as_str()
        })
    };
    if let Some(meant) = context.iter().find(same_type).filter(|errors| !errors.is_empty()) {
        for inner in meant {
            report_one(schema, inner, root, report);
        }
        return;
    }
    let expected = within.get("x-expected").and_then(Value::as_str).unwrap_or("another kind of value");
    let found = describe_value(error.instance());
    report.error(&place, format!("expected {expected}, found {found}"), None);
}

fn parent_schema<'a>(schema: &'a Value, keyword: &str) -> &'a Value {
    let parent = keyword.rsplit_once('/').map_or("", |(parent, _)| parent);
    schema.pointer(parent).unwrap_or(&Value::Null)
}

fn properties(schema: &Value) -> impl Iterator<Item = &str> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|all| all.keys().map(String::as_str))
}

fn described(json_type: &str) -> &'static str {
    match json_type {
        "string" => "a text",
        "object" => "a table",
        "array" => "a list",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        _ => "nothing",
    }
}

/// What stands there, short enough for a message.
pub(crate) fn describe_value(value: &Value) -> String {
    match value {
        Value::String(text) if text.chars().count() <= 40 => format!("`{text}`"),
        Value::String(_) => "a text".into(),
        Value::Number(number) => format!("the number {number}"),
        Value::Bool(truth) => truth.to_string(),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a table".into(),
        Value::Null => "nothing".into(),
    }
}

fn plain(message: &str) -> String {
    message.replace('"', "`").replace('\n', " ")
}

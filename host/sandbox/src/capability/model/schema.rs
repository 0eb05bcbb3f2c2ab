//! The JSON Schema of a reply.

use serde_json::Value;

use crate::budget::MODEL_SCHEMA_BYTES;

/// Reasons that are told: enough to mend a reply by, not a reply of their own.
const REASONS: usize = 5;
const REASON_CHARS: usize = 300;

/// What a reply has to satisfy.
#[derive(Debug)]
pub(super) struct ReplySchema {
    text: String,
    validator: jsonschema::Validator,
}

impl ReplySchema {
    /// Reads a schema.
    ///
    /// # Errors
    ///
    /// Why it is none.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        if text.len() > MODEL_SCHEMA_BYTES {
            return Err(format!("the schema is {} bytes, of at most {MODEL_SCHEMA_BYTES}", text.len()));
        }
        let schema: Value =
            serde_json::from_str(text).map_err(|error| format!("the schema is no JSON: {error}"))?;
        // Whoever wrote the schema is a guest, so no pattern may take longer than the text is.
        let options = jsonschema::options().with_pattern_options(jsonschema::PatternOptions::regex());
        let validator = options
            .build(&schema)
            .map_err(|error| format!("the schema is no JSON Schema: {}", short(&error)))?;
        Ok(Self { text: schema.to_string(), validator })
    }

    /// What the model is told.
    pub(super) fn instruction(&self) -> String {
        format!(
            "Answer with one JSON document and nothing else, no explanation and no code fence. It has to satisfy this JSON \
             Schema:\n{}",
            self.text
        )
    }

    /// The JSON of a reply that satisfies the schema.
    ///
    /// # Errors
    ///
    /// Why it does not.
    pub(super) fn fit(&self, reply: &str) -> Result<String, String> {
        let json = unfenced(reply);
        let value: Value =
            serde_json::from_str(json).map_err(|error| format!("the reply is no JSON: {error}"))?;
        let reasons: Vec<_> =
            self.validator.iter_errors(&value).take(REASONS).map(|e| place_and(&e)).collect();
        if reasons.is_empty() { Ok(json.to_owned()) } else { Err(reasons.join("; ")) }
    }
}

/// The text without the code fence that models like to put around JSON.
fn unfenced(reply: &str) -> &str {
    let reply = reply.trim();
    let inner = reply.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    // The first line of a fence names the language.
    inner.and_then(|inner| inner.split_once('\n')).map_or(reply, |(_, inner)| inner.trim())
}

fn place_and(error: &jsonschema::ValidationError<'_>) -> String {
    match error.instance_path().as_str() {
        "" => short(error),
        place => format!("{place}: {}", short(error)),
    }
}

fn short(error: &jsonschema::ValidationError<'_>) -> String {
    error.to_string().chars().take(REASON_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r#"{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}"#;

    #[track_caller]
    fn check(reply: &str, expected: Result<&str, &str>) {
        let found = ReplySchema::read(SCHEMA).unwrap().fit(reply);
        assert_eq!(found.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn a_reply_fits_or_it_is_said_why_not() {
        check(r#"{"n": 1}"#, Ok(r#"{"n": 1}"#));
        check("```json\n{\"n\": 1}\n```", Ok(r#"{"n": 1}"#));
        check("  ```\n{\"n\": 1}```\n", Ok(r#"{"n": 1}"#));
        check("Sure!", Err("the reply is no JSON: expected value at line 1 column 1"));
        check("", Err("the reply is no JSON: EOF while parsing a value at line 1 column 0"));
        check("{}", Err(r#""n" is a required property"#));
        check(r#"{"n": "one"}"#, Err(r#"/n: "one" is not of type "integer""#));
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        for text in ["", "7", r#"{"type": "nothing"}"#, r#"{"$ref": "https://example.org/schema"}"#] {
            assert!(ReplySchema::read(text).is_err(), "{text}");
        }
        let large = format!(r#"{{"description": "{}"}}"#, "x".repeat(MODEL_SCHEMA_BYTES));
        assert!(ReplySchema::read(&large).is_err());
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        for text in [r##"{"$ref": "#"}"##, r##"{"allOf": [{"$ref": "#"}]}"##] {
            let Ok(schema) = ReplySchema::read(text) else { continue };
            let _ended = schema.fit(r#"{"a": 1}"#);
        }
    }

    #[test]
    fn no_pattern_takes_long() {
        let schema = ReplySchema::read(r#"{"type": "string", "pattern": "^(a+)+$"}"#).unwrap();
        let reply = format!("\"{}!\"", "a".repeat(100_000));
        assert!(schema.fit(&reply).is_err());
    }
}

//! From the `with` table to the author's type.

use serde::de::DeserializeOwned;

use crate::Failure;

/// Reads settings as the type a plugin declares.
///
/// # Errors
///
/// A failure of class `configuration` that names the field and what was expected there.
pub(crate) fn parse<T: DeserializeOwned>(json: &str) -> Result<T, Failure> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let expected = without_position(&error.inner().to_string());
        let place = if matches!(path.as_str(), "." | "?") {
            "settings".to_string()
        } else {
            format!("setting `{path}`")
        };
        Failure::configuration(format!("{place}: {expected}"))
            .detail(serde_json::json!({ "setting": path, "expected": expected }))
    })
}

/// The person wrote TOML, so a line and column of the JSON made from it would mislead.
fn without_position(message: &str) -> String {
    match message.rfind(" at line ") {
        Some(end) => message[..end].to_string(),
        None => message.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only what does not fit is of interest")]
    struct Settings {
        rules: Vec<Rule>,
        #[serde(default)]
        limit: u8,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only what does not fit is of interest")]
    struct Rule {
        impact: u8,
    }

    #[track_caller]
    fn check(json: &str, message: &str) {
        let failure = parse::<Settings>(json).expect_err("these settings do not fit");
        assert_eq!(failure.class, crate::FailureClass::Configuration);
        assert_eq!(failure.message, message);
    }

    #[test]
    fn a_setting_that_does_not_fit_is_named_with_what_was_expected() {
        check(
            r#"{"rules": [{"impact": 1}, {"impact": "high"}]}"#,
            "setting `rules[1].impact`: invalid type: string \"high\", expected u8",
        );
        check(r#"{"rules": [], "limit": 300}"#, "setting `limit`: invalid value: integer `300`, expected u8");
        check(r#"{"limit": 3}"#, "settings: missing field `rules`");
        check(
            r#"{"rules": [], "limits": 3}"#,
            "setting `limits`: unknown field `limits`, expected `rules` or `limit`",
        );
        check("[]", "settings: invalid length 0, expected struct Settings with 2 elements");
    }
}

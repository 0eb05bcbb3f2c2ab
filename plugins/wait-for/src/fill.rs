//! Placeholders in settings.

use tollgate_plugin::{Entry, Failure};

/// Fills `{key}`, `{title}` and `{kind}`; `plain` says how a value stands in the text.
///
/// # Errors
///
/// A failure of class `configuration` that says what of the setting is no placeholder.
pub(crate) fn fill(
    setting: &str,
    text: &str,
    entry: &Entry,
    plain: impl Fn(&str) -> String,
) -> Result<String, Failure> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        filled.push_str(&rest[..at]);
        let Some((name, after)) = rest[at..].strip_prefix('{').and_then(|inner| inner.split_once('}')) else {
            return Err(refused(setting, "a brace without its other"));
        };
        filled.push_str(&match name {
            "key" => plain(&entry.key),
            "title" => plain(&entry.title),
            "kind" => plain(&entry.kind),
            _ => {
                return Err(refused(
                    setting,
                    &format!("no placeholder is called `{{{name}}}`; there are key, title, kind"),
                ));
            }
        });
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// What is wrong with a setting.
pub(crate) fn refused(setting: &str, what: &str) -> Failure {
    Failure::configuration(format!("setting `{setting}`: {what}"))
}

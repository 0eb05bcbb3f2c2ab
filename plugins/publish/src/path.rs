//! The path to publish at.

use tollgate_plugin::Failure;

use crate::segment::{exact, file_name, slug};

/// What fills the placeholders.
pub(crate) struct Values<'a> {
    pub(crate) key: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) title: &'a str,
    /// The artifact's name.
    pub(crate) name: &'a str,
}

/// Fills the setting `to`.
///
/// # Errors
///
/// A failure of class `configuration` that says what of the setting cannot stand in a path.
pub(crate) fn fill(to: &str, values: &Values<'_>) -> Result<String, Failure> {
    let mut path = String::new();
    let mut rest = to;
    while let Some(at) = rest.find(['{', '}']) {
        path.push_str(literal(&rest[..at])?);
        let Some((name, after)) = rest[at..].strip_prefix('{').and_then(|inner| inner.split_once('}')) else {
            return Err(refused("a brace without its other"));
        };
        path.push_str(&match name {
            "key" => exact(values.key),
            "kind" => slug(values.kind),
            "slug" => slug(values.title),
            "name" => file_name(values.name),
            _ => {
                return Err(refused(&format!(
                    "no placeholder is called `{{{name}}}`; there are key, kind, slug, name"
                )));
            }
        });
        rest = after;
    }
    path.push_str(literal(rest)?);
    let unsafe_segment =
        path.split('/').find(|segment| segment.is_empty() || *segment == "." || *segment == "..");
    match unsafe_segment {
        Some("") => Err(refused("expected a path relative to the project, without an empty part")),
        Some(segment) => Err(refused(&format!("expected a path without `{segment}`"))),
        None => Ok(path),
    }
}

/// What the setting says itself is taken as it is, but not what other systems read as a drive or a separator.
fn literal(text: &str) -> Result<&str, Failure> {
    match text.chars().find(|c| c.is_control() || matches!(c, '\\' | ':')) {
        Some(c) => Err(refused(&format!("expected a path without {c:?}"))),
        None => Ok(text),
    }
}

fn refused(what: &str) -> Failure {
    Failure::configuration(format!("setting `to`: {what}"))
}

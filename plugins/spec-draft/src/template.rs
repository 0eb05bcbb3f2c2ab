//! The places of a specification's sections.

use tollgate_plugin::Failure;
use tollgate_text::spec::section;

/// The template used when a pipeline writes none.
pub(crate) const SHIPPED: &str = "# {title}\n\n{summary}\n\n{problem}\n\n{requirements}\n\n{criteria}\n\n{out-of-scope}\n\n{constraints}\n\n{dependencies}\n\n{questions}\n\n{traceability}\n\n{review}\n\n{provenance}\n";

/// Names of sections in templates, and their titles.
const SECTIONS: &[(&str, &str)] = &[
    ("summary", section::SUMMARY),
    ("problem", section::PROBLEM),
    ("requirements", section::REQUIREMENTS),
    ("criteria", section::CRITERIA),
    ("out-of-scope", section::OUT_OF_SCOPE),
    ("constraints", section::CONSTRAINTS),
    ("dependencies", section::DEPENDENCIES),
    ("questions", section::QUESTIONS),
    ("traceability", section::TRACEABILITY),
    ("review", section::REVIEW),
    ("provenance", section::PROVENANCE),
];

/// Names of single words in templates.
const WORDS: &[&str] = &["title", "key", "kind"];

/// A piece of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Text(&'a str),
    /// A section, by its title.
    Section(&'static str),
    /// A word, by its name.
    Word(&'static str),
}

/// Reads a template; `{{` and `}}` are braces.
///
/// # Errors
///
/// A failure of class `configuration` that names the placeholder.
pub(crate) fn pieces(template: &str) -> Result<Vec<Piece<'_>>, Failure> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (text, tail) = rest.split_at(at);
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        if tail.starts_with("{{") || tail.starts_with("}}") {
            pieces.push(Piece::Text(&tail[..1]));
            rest = &tail[2..];
            continue;
        }
        let inner = tail.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let Some((name, after)) = inner else {
            return Err(refused("a brace without its other; write `{{` or `}}` for a brace"));
        };
        pieces.push(piece(name)?);
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

/// Whether a template has a place for a section.
pub(crate) fn holds(template: &str, title: &str) -> bool {
    pieces(template).is_ok_and(|pieces| {
        pieces.iter().any(|piece| matches!(piece, Piece::Section(found) if *found == title))
    })
}

fn piece<'a>(name: &str) -> Result<Piece<'a>, Failure> {
    let section = SECTIONS.iter().find(|(known, _)| *known == name).map(|(_, title)| Piece::Section(title));
    let word = WORDS.iter().find(|known| **known == name).map(|known| Piece::Word(known));
    section.or(word).ok_or_else(|| {
        let known: Vec<&str> = WORDS.iter().copied().chain(SECTIONS.iter().map(|(name, _)| *name)).collect();
        refused(&format!("no placeholder is called `{{{name}}}`; there are {}", known.join(", ")))
    })
}

fn refused(what: &str) -> Failure {
    Failure::configuration(format!("setting `template`: {what}"))
}

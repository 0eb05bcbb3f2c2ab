//! A numbered line of a specification.

use tollgate_text::spec::{StatementId, ids};

/// A requirement or an acceptance criterion.
#[derive(Debug)]
pub(crate) struct Statement {
    /// `None` if it has no number.
    pub(crate) id: Option<StatementId>,
    pub(crate) text: String,
    /// The statements it refers to between its number and its text.
    pub(crate) refers_to: Vec<StatementId>,
    pub(crate) line: u32,
}

impl Statement {
    /// Reads `**AC-1** (REQ-1, REQ-2): text _(source)_`; the emphasis, the references and the source may be absent.
    pub(crate) fn parse(item: &str, line: u32) -> Self {
        let bare = item.trim_start_matches(['*', '_', '`']);
        let end = bare.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(bare.len());
        let Some(id) = ids(&bare[..end]).first().copied() else {
            return Statement {
                id: None,
                text: without_source(item).to_string(),
                refers_to: Vec::new(),
                line,
            };
        };
        let rest = bare[end..].trim_start_matches(['*', '_', '`', ' ']);
        let (refers_to, rest) = match rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
            Some((inside, rest)) if !ids(inside).is_empty() => (ids(inside), rest),
            _ => (Vec::new(), rest),
        };
        let text = without_source(rest.trim_start_matches(['*', '_', ' ', ':', '–', '—', '-']));
        Statement { id: Some(id), text: text.to_string(), refers_to, line }
    }

    /// How a finding calls it.
    pub(crate) fn name(&self) -> String {
        self.id.map_or_else(|| format!("the statement on line {}", self.line), |id| id.to_string())
    }
}

/// Without the `_(line 3)_` behind a statement.
fn without_source(text: &str) -> &str {
    let text = text.trim();
    match text.rfind(" _(") {
        Some(at) if text.ends_with(")_") => text[..at].trim_end(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(item: &str, expected: &str) {
        let statement = Statement::parse(item, 1);
        let refers_to: Vec<String> = statement.refers_to.iter().map(ToString::to_string).collect();
        assert_eq!(format!("{} [{}] {}", statement.name(), refers_to.join(" "), statement.text), expected);
    }

    #[test]
    fn statements_are_read_with_and_without_ornament() {
        check("**AC-1** (REQ-1, REQ-2): It works _(line 3, Goals)_", "AC-1 [REQ-1 REQ-2] It works");
        check("REQ-7: The (old) list is kept", "REQ-7 [] The (old) list is kept");
        check("**REQ-7:** (again) the list", "REQ-7 [] (again) the list");
        check("AC-2 (REQ-1) — done", "AC-2 [REQ-1] done");
        check("The list is kept", "the statement on line 1 [] The list is kept");
        check("**AC-3**", "AC-3 [] ");
    }
}

//! What nobody has said yet.

use tollgate_text::spec::{StatementId, section};

/// A question and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) about: About,
    pub(crate) text: String,
}

/// What a question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// A numbered statement.
    Statement(StatementId),
    /// A section, by its title.
    Section(&'static str),
    /// Whatever the entry's own question is about, and its line.
    Entry(String),
    /// Whatever somebody thinks has to be asked, and who.
    Proposal(String),
}

impl About {
    /// What stands between the number of the question and its text.
    pub(crate) fn label(&self) -> String {
        match self {
            About::Statement(id) => id.to_string(),
            About::Section(title) => (*title).to_string(),
            About::Entry(source) => format!("entry, {source}"),
            About::Proposal(by) => format!("proposed by {by}"),
        }
    }
}

/// Asked when the entry does not say what is wrong or wanted.
pub(crate) fn problem() -> Question {
    Question {
        about: About::Section(section::PROBLEM),
        text: "Which problem does this solve, and for whom?".to_string(),
    }
}

/// Asked when the entry says nothing by which it could be accepted.
pub(crate) fn criteria() -> Question {
    Question {
        about: About::Section(section::CRITERIA),
        text: "By what will anyone see that this is done?".to_string(),
    }
}

/// Asked when a review misses the boundary.
pub(crate) fn boundary() -> Question {
    Question {
        about: About::Section(section::OUT_OF_SCOPE),
        text: "What is not part of this work?".to_string(),
    }
}

/// Asked when a review cannot tell when a statement holds.
pub(crate) fn measure(id: StatementId, text: &str, words: &[String]) -> Question {
    let named: Vec<String> = words.iter().map(|word| format!("“{word}”")).collect();
    let what = if named.is_empty() { "this".to_string() } else { named.join(" and ") };
    Question { about: About::Statement(id), text: format!("How is {what} measured in: {text}") }
}

/// Asked when a review finds no criterion for a requirement.
pub(crate) fn proof(id: StatementId, text: &str) -> Question {
    Question { about: About::Statement(id), text: format!("By what will anyone see that this holds: {text}") }
}

/// Asked instead of a statement that has still to be written.
pub(crate) fn unfinished(source: &str, text: &str) -> Question {
    Question {
        about: About::Entry(source.to_string()),
        text: format!("What belongs in place of the placeholder in: {text}"),
    }
}

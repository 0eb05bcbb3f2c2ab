//! Pieces of the entry, and their numbers in the specification.

use tollgate_text::spec::StatementId;
use tollgate_text::{Criterion, Form, fold, words};

/// Something the entry says, and where.
#[derive(Clone, Debug)]
pub(crate) struct Quote {
    pub(crate) text: String,
    /// Where, in a reader's words: "title", "line 3".
    pub(crate) source: String,
}

impl Quote {
    pub(crate) fn at_line(text: &str, line: u32) -> Self {
        Quote { text: text.to_string(), source: format!("line {line}") }
    }

    pub(crate) fn of(text: &str, source: &str) -> Self {
        Quote { text: text.to_string(), source: source.to_string() }
    }

    /// Two quotes with one key say the same.
    pub(crate) fn key(&self) -> String {
        key(&self.text)
    }
}

/// The words of a text in the form in which texts are compared.
pub(crate) fn key(text: &str) -> String {
    words(text).map(fold).collect::<Vec<_>>().join(" ")
}

/// What has to be so.
#[derive(Clone, Debug)]
pub(crate) struct Requirement {
    pub(crate) id: StatementId,
    pub(crate) quote: Quote,
}

/// How it will be seen that it is so.
#[derive(Clone, Debug)]
pub(crate) struct Acceptance {
    pub(crate) id: StatementId,
    pub(crate) quote: Quote,
    pub(crate) details: Vec<String>,
    pub(crate) done: bool,
    /// The requirements it proves, in order.
    pub(crate) proves: Vec<StatementId>,
    /// Taken from a requirement that can be checked as it stands.
    pub(crate) from_statement: bool,
    /// From the definition of done, which holds for every item.
    pub(crate) common: bool,
}

impl Acceptance {
    /// One that the entry does not say.
    pub(crate) fn proposed(number: u32, quote: Quote, proves: Vec<StatementId>) -> Self {
        Acceptance {
            id: StatementId::criterion(number),
            quote,
            details: Vec::new(),
            done: false,
            proves,
            from_statement: false,
            common: false,
        }
    }

    pub(crate) fn new(number: u32, criterion: &Criterion) -> Self {
        let place = match criterion.section.as_str() {
            "" => format!("line {}", criterion.line),
            section => format!("line {}, {section}", criterion.line),
        };
        Acceptance {
            id: StatementId::criterion(number),
            quote: Quote { text: criterion.text.clone(), source: place },
            details: criterion.details.clone(),
            done: criterion.done,
            proves: Vec::new(),
            from_statement: criterion.form == Form::Statement,
            common: criterion.role == tollgate_text::Role::Done,
        }
    }
}

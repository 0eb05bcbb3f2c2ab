//! The specification as data, before it is text.

use std::collections::BTreeSet;

use serde_json::Value;
use tollgate_plugin::{Entry, Rework};
use tollgate_text::spec::{StatementId, section};

use crate::link::link;
use crate::material::Material;
use crate::mend::{Answer, mend};
use crate::question::{self, About, Question};
use crate::settings::Settings;
use crate::statement::{Acceptance, Quote, Requirement};

/// Fewer words than this on the problem say too little to work from.
const PROBLEM_WORDS_MIN: usize = 5;

/// What triage said of the entry, or the entry's own fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) kind: Option<String>,
    pub(crate) impact: Option<String>,
    pub(crate) effort: Option<String>,
}

/// The specification as data.
pub(crate) struct Draft {
    pub(crate) title: String,
    pub(crate) facts: Facts,
    pub(crate) material: Material,
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) criteria: Vec<Acceptance>,
    pub(crate) questions: Vec<Question>,
    /// Questions the stage had besides those it was allowed.
    pub(crate) questions_left_out: usize,
    /// Optional sections that a review wants although the entry says nothing for them.
    pub(crate) wanted: BTreeSet<&'static str>,
    /// What became of each finding of the reviews.
    pub(crate) answers: Vec<Answer>,
    /// Who proposed what the entry does not say, if somebody did.
    pub(crate) proposed_by: Option<String>,
}

/// Drafts the specification of an entry, and mends what its reviews found.
pub(crate) fn draft(entry: &Entry, facts: Facts, settings: &Settings, reviews: &[Rework]) -> Draft {
    let mut material = Material::of(&entry.body);
    material.dependencies.extend(declared_dependencies(entry));
    let title = one_line(&entry.title);
    let requirements = requirements(&title, &facts, &material);
    let mut criteria: Vec<Acceptance> =
        (1..).zip(&material.criteria).map(|(number, criterion)| Acceptance::new(number, criterion)).collect();
    link(&requirements, &mut criteria);
    let questions = material
        .questions
        .iter()
        .map(|quote| Question { about: About::Entry(quote.source.clone()), text: quote.text.clone() })
        .collect();
    let mut draft = Draft {
        title,
        facts,
        material,
        requirements,
        criteria,
        questions,
        questions_left_out: 0,
        wanted: BTreeSet::new(),
        answers: Vec::new(),
        proposed_by: None,
    };
    mend(&mut draft, reviews, &settings.template);
    draft.ask(settings.max_open_questions);
    draft
}

impl Draft {
    /// Adds a question unless it is asked already.
    pub(crate) fn add_question(&mut self, question: Question) {
        if !self.questions.contains(&question) {
            self.questions.push(question);
        }
    }

    /// The text of a numbered statement.
    pub(crate) fn statement(&self, id: StatementId) -> Option<&Quote> {
        let requirement = self.requirements.iter().find(|requirement| requirement.id == id);
        let criterion = self.criteria.iter().find(|criterion| criterion.id == id);
        requirement.map(|found| &found.quote).or(criterion.map(|found| &found.quote))
    }

    /// Whether the entry says what is wrong or wanted.
    pub(crate) fn has_problem(&self) -> bool {
        self.material.problem_words >= PROBLEM_WORDS_MIN
    }

    /// The stage's own questions, as many as it may ask.
    fn ask(&mut self, at_most: usize) {
        let mut own = Vec::new();
        if !self.has_problem() {
            own.push(question::problem());
        }
        if self.criteria.is_empty() {
            own.push(question::criteria());
        }
        if self.wanted.contains(section::OUT_OF_SCOPE) {
            own.push(question::boundary());
        }
        own.retain(|question| !self.questions.contains(question));
        self.questions_left_out = own.len().saturating_sub(at_most);
        self.questions.extend(own.into_iter().take(at_most));
    }
}

/// The title first, since it asks for all of the work; then what the text asks for, nothing twice.
fn requirements(title: &str, facts: &Facts, material: &Material) -> Vec<Requirement> {
    let mut seen = BTreeSet::new();
    let title = Quote::of(&as_request(title, facts), "title");
    std::iter::once(&title)
        .chain(&material.asked)
        .filter(|quote| seen.insert(quote.key()))
        .zip(1..)
        .map(|(quote, number)| Requirement { id: StatementId::requirement(number), quote: quote.clone() })
        .collect()
}

/// The title of a defect says what is wrong, so it is not itself what is asked.
fn as_request(title: &str, facts: &Facts) -> String {
    match facts.kind.as_deref() {
        Some("bug") => format!("“{title}” is resolved"),
        _ => title.to_string(),
    }
}

fn declared_dependencies(entry: &Entry) -> Vec<Quote> {
    let keys = match entry.field("depends") {
        Some(Value::Array(keys)) => keys.as_slice(),
        Some(key) => std::slice::from_ref(key),
        None => &[],
    };
    keys.iter().filter_map(Value::as_str).map(|key| Quote::of(&one_line(key), "field depends")).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

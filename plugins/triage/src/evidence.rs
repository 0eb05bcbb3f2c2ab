//! What an entry says, as words that rules can be held against.

use tollgate_plugin::Entry;
use tollgate_text::{Criterion, Document, Phrase, Role, WordIndex, criteria, outside_code};

use crate::settings::Rule;

/// What an entry says.
pub struct Evidence {
    labels: Vec<(String, WordIndex)>,
    title: WordIndex,
    body: WordIndex,
    /// By what the entry will be accepted.
    pub criteria: Vec<Criterion>,
}

/// Where a rule's words are looked for.
#[derive(Clone, Copy)]
pub enum Place {
    /// The labels.
    Labels,
    /// The title.
    Title,
    /// The body.
    Body,
}

impl Evidence {
    /// Reads an entry.
    pub fn of(entry: &Entry) -> Self {
        let document = Document::parse(&entry.body);
        let mut body = WordIndex::default();
        for block in document.blocks.iter().filter(|block| block.is_prose() && speaks_of_the_ask(block.role))
        {
            body.add(&outside_code(&block.text));
        }
        Evidence {
            labels: entry.labels.iter().map(|label| (label.clone(), WordIndex::of(label))).collect(),
            title: WordIndex::of(&entry.title),
            body,
            criteria: criteria(&document),
        }
    }

    /// What of a rule's words stands in a place: the words, or the labels that hold them.
    pub fn found(&self, rule: &Rule, place: Place) -> Vec<String> {
        let phrases = rule.words.iter().map(|word| (word, Phrase::new(word)));
        let within = |index: &WordIndex| {
            phrases
                .clone()
                .filter(|(_, phrase)| index.contains(phrase))
                .map(|(word, _)| word.clone())
                .collect()
        };
        match place {
            Place::Title => within(&self.title),
            Place::Body => within(&self.body),
            Place::Labels => {
                let holds = |index: &WordIndex| phrases.clone().any(|(_, phrase)| index.contains(&phrase));
                self.labels.iter().filter(|(_, index)| holds(index)).map(|(label, _)| label.clone()).collect()
            }
        }
    }
}

/// Criteria and checks name tests and documents of every kind of work, so they tell nothing about the kind.
fn speaks_of_the_ask(role: Role) -> bool {
    role.is_ask()
        && !matches!(role, Role::Criteria | Role::Verification | Role::OutOfScope | Role::Dependencies)
}

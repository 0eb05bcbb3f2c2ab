//! What an entry says, sorted by what it is good for in a specification.

use std::collections::BTreeSet;

use tollgate_text::{
    Block, Criterion, Document, Form, Phrase, Role, Shape, WordIndex, criteria, obliges, outside_code,
    sentences, word_count, words,
};

use crate::statement::{Quote, key};

/// What an entry's body says.
pub(crate) struct Material {
    pub(crate) document: Document,
    /// What is asked for besides the title.
    pub(crate) asked: Vec<Quote>,
    pub(crate) criteria: Vec<Criterion>,
    pub(crate) out_of_scope: Vec<Quote>,
    pub(crate) constraints: Vec<Quote>,
    pub(crate) dependencies: Vec<Quote>,
    /// Questions that the entry itself asks.
    pub(crate) questions: Vec<Quote>,
    /// How many words it has on the problem.
    pub(crate) problem_words: usize,
}

/// Phrases by which people say that something is not part of the work.
const EXCLUDES: &[&str] = &[
    "out of scope",
    "not in scope",
    "not part of",
    "non goal",
    "does not add",
    "does not include",
    "do not include",
    "will not be",
    "won t be",
    "is not included",
    "are not included",
    "nicht teil",
];

/// Phrases by which people say what must be kept to.
const CONSTRAINS: &[&str] = &[
    "must not",
    "may not",
    "shall not",
    "mustn t",
    "backward compatible",
    "backwards compatible",
    "must remain",
    "remain unchanged",
    "remains unchanged",
    "without changing",
    "without breaking",
    "darf nicht",
    "dürfen nicht",
];

/// Stands between a question and its answer.
const ANSWER: &str = " Answer: ";

impl Material {
    /// The blocks that say what is wrong or wanted, and why.
    pub(crate) fn problem(&self) -> impl Iterator<Item = &Block> {
        self.document.blocks.iter().filter(|block| tells_the_problem(block, &self.criteria))
    }

    pub(crate) fn of(body: &str) -> Self {
        let document = Document::parse(body);
        let criteria = criteria(&document);
        let mut sorter = Sorter::default();
        let boxes: BTreeSet<String> = criteria.iter().map(|criterion| key(&criterion.text)).collect();
        for block in &document.blocks {
            sorter.block(block, &boxes);
        }
        let problem_words = document
            .blocks
            .iter()
            .filter(|block| block.is_prose() && tells_the_problem(block, &criteria))
            .map(|block| word_count(&block.text))
            .sum();
        let Sorter { asked, out_of_scope, constraints, dependencies, questions } = sorter;
        Material {
            document,
            asked,
            criteria,
            out_of_scope,
            constraints,
            dependencies,
            questions,
            problem_words,
        }
    }
}

/// Whether a block is repeated as the problem and its context. What became a criterion is not said twice.
fn tells_the_problem(block: &Block, criteria: &[Criterion]) -> bool {
    let is_criterion = || {
        let after = criteria.partition_point(|criterion| criterion.range.start <= block.range.start);
        criteria[..after].last().is_some_and(|criterion| {
            criterion.form != Form::Statement && criterion.range.contains(&block.range.start)
        })
    };
    matches!(block.role, Role::Preamble | Role::Problem | Role::Other) && !is_criterion()
}

#[derive(Default)]
struct Sorter {
    asked: Vec<Quote>,
    out_of_scope: Vec<Quote>,
    constraints: Vec<Quote>,
    dependencies: Vec<Quote>,
    questions: Vec<Quote>,
}

impl Sorter {
    fn block(&mut self, block: &Block, criteria: &BTreeSet<String>) {
        // The cells of a table are no sentences.
        if !block.is_prose() || block.shape == Shape::Row {
            return;
        }
        let quote = |text: &str| Quote::at_line(text, block.line);
        match block.role {
            Role::OutOfScope => self.out_of_scope.push(quote(&block.text)),
            Role::Constraints => self.constraints.push(quote(&block.text)),
            Role::Dependencies => self.dependencies.push(quote(&block.text)),
            Role::Questions => self.question(block),
            Role::Preamble | Role::Summary | Role::Problem | Role::Other | Role::Requirements => {
                let is_box = matches!(block.shape, Shape::Item { done: Some(_), .. });
                if is_box && criteria.contains(&key(&block.text)) {
                    return;
                }
                for sentence in sentences(&block.text) {
                    self.sentence(sentence, block);
                }
            }
            _ => {}
        }
    }

    /// A question with something behind its question mark is answered; a paragraph without one answers what stands
    /// before it.
    fn question(&mut self, block: &Block) {
        let mark = block.text.find(['?', '？']);
        let after =
            mark.map_or("", |at| block.text[at..].trim_start_matches(['?', '？', '*', '_', ' ', ')']));
        match (mark, self.questions.last_mut()) {
            (None, Some(question)) if block.shape == Shape::Paragraph => {
                let link = if question.text.contains(ANSWER) { " " } else { ANSWER };
                question.text.push_str(&format!("{link}{}", block.text));
            }
            _ if after.is_empty() => self.questions.push(Quote::at_line(&block.text, block.line)),
            _ => {
                let asked = block.text[..block.text.len() - after.len()].trim_end();
                self.questions.push(Quote::at_line(&format!("{asked}{ANSWER}{after}"), block.line));
            }
        }
    }

    fn sentence(&mut self, sentence: &str, block: &Block) {
        let quote = Quote::at_line(sentence, block.line);
        let index = WordIndex::of(&outside_code(sentence));
        let says = |phrases: &[&str]| phrases.iter().any(|phrase| index.contains(&Phrase::new(phrase)));
        if sentence.ends_with(['?', '？']) {
            self.questions.push(quote);
        } else if says(EXCLUDES) {
            self.out_of_scope.push(quote);
        } else if says(CONSTRAINS) {
            self.constraints.push(quote);
        } else if asks(sentence, block.role) {
            self.asked.push(quote);
        }
    }
}

/// Every statement of a section of requirements asks; elsewhere only those that oblige do.
fn asks(sentence: &str, role: Role) -> bool {
    if role == Role::Requirements {
        return !sentence.ends_with(':') && words(sentence).next().is_some();
    }
    obliges(sentence)
}

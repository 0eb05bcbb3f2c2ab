//! A specification, read back from its Markdown.

use std::collections::BTreeSet;

use tollgate_text::spec::{NOT_STATED, StatementId, ids, section};
use tollgate_text::{Block, Document, Shape};

use crate::statement::Statement;

/// A specification, read back from its Markdown.
pub(crate) struct Specification {
    pub(crate) title: Option<(String, u32)>,
    pub(crate) sections: Vec<Section>,
    pub(crate) requirements: Vec<Statement>,
    pub(crate) criteria: Vec<Statement>,
    pub(crate) questions: Vec<Question>,
    /// The statements that questions are about.
    asked_about: BTreeSet<StatementId>,
}

/// A section and what stands in it.
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) line: u32,
    pub(crate) blocks: Vec<Block>,
}

/// An open question.
pub(crate) struct Question {
    pub(crate) text: String,
    pub(crate) line: u32,
    pub(crate) answered: bool,
}

impl Specification {
    pub(crate) fn parse(markdown: &str) -> Self {
        let document = Document::parse(markdown);
        let heading = document.sections.iter().find(|section| section.level == Some(1));
        let title = heading.map(|heading| (heading.title.clone(), heading.line));
        let sections = sections(document);
        let statements = |title: &str| -> Vec<Statement> {
            let blocks =
                sections.iter().filter(|section| section.is(title)).flat_map(|section| &section.blocks);
            blocks
                .filter(|block| is_top_item(block))
                .map(|block| Statement::parse(&block.text, block.line))
                .collect()
        };
        let requirements = statements(section::REQUIREMENTS);
        let criteria = statements(section::CRITERIA);
        let questions: Vec<Question> = sections
            .iter()
            .filter(|section| section.is(section::QUESTIONS))
            .flat_map(|section| &section.blocks)
            .filter(|block| is_top_item(block))
            .map(|block| Question {
                text: block.text.clone(),
                line: block.line,
                answered: matches!(block.shape, Shape::Item { done: Some(true), .. })
                    || block.text.contains("Answer:"),
            })
            .collect();
        let asked_about = questions.iter().flat_map(|question| ids(question.subject())).collect();
        Specification { title, sections, requirements, criteria, questions, asked_about }
    }

    pub(crate) fn section(&self, title: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.is(title))
    }

    /// Requirements, then criteria.
    pub(crate) fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.requirements.iter().chain(&self.criteria)
    }

    /// Whether an open question is about a statement.
    pub(crate) fn asks_about(&self, id: StatementId) -> bool {
        self.asked_about.contains(&id)
    }

    /// Whether an open question is about a section.
    pub(crate) fn asks_for(&self, title: &str) -> bool {
        self.questions.iter().any(|question| question.subject().contains(title))
    }
}

impl Section {
    pub(crate) fn is(&self, title: &str) -> bool {
        self.title.eq_ignore_ascii_case(title)
    }

    pub(crate) fn is_one_of(&self, titles: &[&str]) -> bool {
        titles.iter().any(|title| self.is(title))
    }

    /// Whether the section repeats what others said, in their words.
    pub(crate) fn is_account(&self) -> bool {
        self.is_one_of(&[section::SUMMARY, section::PROBLEM, section::REVIEW, section::PROVENANCE])
    }

    /// What a person wrote there, without what only says that nobody wrote anything.
    pub(crate) fn prose(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(|block| block.is_prose() && block.text != NOT_STATED)
    }
}

impl Question {
    /// What the question is about: what stands before its text.
    fn subject(&self) -> &str {
        let end = self.text.find("): ").or_else(|| self.text.find(':')).unwrap_or(self.text.len());
        &self.text[..end]
    }
}

fn is_top_item(block: &Block) -> bool {
    matches!(block.shape, Shape::Item { .. }) && block.depth <= 1 && block.text != NOT_STATED
}

/// Each heading of the first two levels begins a section; deeper ones and labels belong to the one around them.
fn sections(document: Document) -> Vec<Section> {
    let Document { sections: headings, blocks, .. } = document;
    let mut sections: Vec<Section> = headings
        .into_iter()
        .filter(|heading| heading.level.is_some_and(|level| level <= 2))
        .map(|heading| Section { title: heading.title, line: heading.line, blocks: Vec::new() })
        .collect();
    for block in blocks {
        let after = sections.partition_point(|section| section.line <= block.line);
        if let Some(section) = after.checked_sub(1).and_then(|at| sections.get_mut(at)) {
            section.blocks.push(block);
        }
    }
    sections
}

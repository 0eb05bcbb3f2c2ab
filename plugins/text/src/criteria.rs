//! By what an item says it will be accepted.
//!
//! First what was written as a criterion, in any of the forms people use. Only an item that has none is searched
//! for sentences that oblige and can be checked as they stand.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::block::Shape;
use crate::document::{Block, Document};
use crate::modal::obliges;
use crate::role::Role;
use crate::scenario::{Step, is_whole, step};
use crate::sentence::sentences;
use crate::vague::vague_words;
use crate::words::{fold, words};

/// The form a criterion was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// An item with a check box.
    CheckBox,
    /// An item of a numbered list.
    Numbered,
    /// An item of a list.
    Bullet,
    /// A row of a table.
    Row,
    /// Given, When, Then.
    Scenario,
    /// A sentence of a section that says how the item will be accepted or checked.
    Sentence,
    /// Something the item asks for that can be checked as it stands, in an item without criteria.
    Statement,
}

impl Form {
    /// The word for records.
    pub fn as_str(self) -> &'static str {
        match self {
            Form::CheckBox => "checkbox",
            Form::Numbered => "numbered",
            Form::Bullet => "bullet",
            Form::Row => "row",
            Form::Scenario => "scenario",
            Form::Sentence => "sentence",
            Form::Statement => "statement",
        }
    }
}

/// One thing by which the item will be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criterion {
    /// In the item's words, on one line, without check box and number.
    pub text: String,
    /// Items below it that say it more closely.
    pub details: Vec<String>,
    /// Whether its box is checked.
    pub done: bool,
    /// The form it was found in.
    pub form: Form,
    /// What its section is for.
    pub role: Role,
    /// The title of its section; empty before the first heading.
    pub section: String,
    /// The line on which its list item or paragraph begins.
    pub line: u32,
    /// The bytes of the source that hold it.
    pub range: Range<usize>,
}

/// The criteria of an item, in order, none twice.
pub fn criteria(document: &Document) -> Vec<Criterion> {
    let mut finder = Finder { document, found: Vec::new(), seen: BTreeSet::new(), parent: None };
    finder.written();
    if finder.found.is_empty() {
        finder.stated();
    }
    finder.found
}

struct Finder<'a> {
    document: &'a Document,
    found: Vec<Criterion>,
    seen: BTreeSet<String>,
    /// The criterion whose list is open: its depth and index. Deeper items without a box are its details.
    parent: Option<(u8, usize)>,
}

impl Finder<'_> {
    fn written(&mut self) {
        let blocks = &self.document.blocks;
        let lists =
            blocks.iter().any(|block| block.role == Role::Criteria && block.shape != Shape::Paragraph);
        let mut at = 0;
        while at < blocks.len() {
            let scenario = scenario_length(&blocks[at..]);
            if scenario > 0 && may_hold(blocks[at].role) {
                self.scenario(&blocks[at..at + scenario]);
                at += scenario;
                continue;
            }
            self.block(&blocks[at], lists);
            at += 1;
        }
    }

    fn block(&mut self, block: &Block, lists: bool) {
        match block.shape {
            Shape::Item { ordinal, done } => self.item(block, ordinal, done),
            Shape::Row if block.role == Role::Criteria => self.add(&block.text, false, Form::Row, block),
            Shape::Paragraph if block.depth > 0 => self.detail(block),
            Shape::Paragraph if is_whole(&block.text) && may_hold(block.role) => {
                self.add(&block.text, false, Form::Scenario, block);
            }
            Shape::Paragraph if takes_sentences(block.role, lists) => {
                for sentence in sentences(&block.text).into_iter().filter(|text| !text.ends_with([':', '?']))
                {
                    self.add(sentence, false, Form::Sentence, block);
                }
            }
            Shape::Code { gherkin: true } if may_hold(block.role) => self.gherkin(block),
            _ => {}
        }
        if !matches!(block.shape, Shape::Item { .. }) && block.depth == 0 {
            self.parent = None;
        }
    }

    fn item(&mut self, block: &Block, ordinal: Option<u64>, done: Option<bool>) {
        let below = self.parent.is_some_and(|(depth, _)| depth < block.depth);
        if !below {
            self.parent = None;
        }
        let counts = match done {
            Some(_) => may_hold(block.role),
            None => matches!(block.role, Role::Criteria | Role::Done | Role::Expected | Role::Verification),
        };
        if below && done.is_none() {
            self.detail(block);
            return;
        }
        let opens_group = done.is_none() && block.text.ends_with(':');
        if !counts || opens_group {
            return;
        }
        let form = match (done, ordinal) {
            (Some(_), _) => Form::CheckBox,
            (None, _) if is_whole(&block.text) => Form::Scenario,
            (None, Some(_)) => Form::Numbered,
            (None, None) => Form::Bullet,
        };
        let before = self.found.len();
        self.add(without_number(&block.text), done == Some(true), form, block);
        if self.found.len() > before {
            self.parent = Some((block.depth, before));
        }
    }

    fn detail(&mut self, block: &Block) {
        if let Some((_, parent)) = self.parent {
            self.found[parent].details.push(block.text.clone());
            self.found[parent].range.end = block.range.end;
        }
    }

    fn scenario(&mut self, blocks: &[Block]) {
        let text: Vec<&str> = blocks.iter().map(|block| block.text.trim_end()).collect();
        let (first, last) = (&blocks[0], &blocks[blocks.len() - 1]);
        self.add_at(&text.join(" "), false, Form::Scenario, first, first.range.start..last.range.end);
        self.parent = None;
    }

    /// Each Given begins a scenario; names and tags between them are left out.
    fn gherkin(&mut self, block: &Block) {
        let mut scenario: Vec<&str> = Vec::new();
        let mut line = block.line;
        for (at, text) in block.text.lines().enumerate() {
            let begins = step(text) == Some(Step::Given) && !scenario.is_empty();
            let named = text.trim_start().starts_with("Scenario");
            if begins || named {
                self.add_code(&scenario, block, line);
                scenario.clear();
            }
            if step(text).is_some() {
                if scenario.is_empty() {
                    // The fence stands on the block's own line.
                    line = block.line.saturating_add(u32::try_from(at).unwrap_or(0)).saturating_add(1);
                }
                scenario.push(text.trim());
            }
        }
        self.add_code(&scenario, block, line);
    }

    fn add_code(&mut self, scenario: &[&str], block: &Block, line: u32) {
        let before = self.found.len();
        self.add(&scenario.join(" "), false, Form::Scenario, block);
        if let Some(criterion) = self.found.get_mut(before) {
            criterion.line = line;
        }
    }

    fn stated(&mut self) {
        for block in &self.document.blocks {
            let asks = matches!(
                block.role,
                Role::Preamble | Role::Summary | Role::Problem | Role::Requirements | Role::Other
            );
            if !asks || !block.is_prose() || block.text.ends_with(':') {
                continue;
            }
            let asked_item = block.role == Role::Requirements && matches!(block.shape, Shape::Item { .. });
            for sentence in sentences(without_number(&block.text)) {
                let asked = obliges(sentence) || (asked_item && !sentence.ends_with(['?', '？']));
                let checkable = words(sentence).nth(2).is_some() || !sentence.is_ascii();
                if asked && checkable && vague_words(sentence, &[]).is_empty() {
                    self.add(sentence, false, Form::Statement, block);
                }
            }
        }
    }

    fn add(&mut self, text: &str, done: bool, form: Form, block: &Block) {
        self.add_at(text, done, form, block, block.range.clone());
    }

    fn add_at(&mut self, text: &str, done: bool, form: Form, block: &Block, range: Range<usize>) {
        let key: Vec<String> = words(text).map(fold).collect();
        if key.is_empty() || !self.seen.insert(key.join(" ")) {
            return;
        }
        self.found.push(Criterion {
            text: text.to_string(),
            details: Vec::new(),
            done,
            form,
            role: block.role,
            section: self.document.section_of(block).to_string(),
            line: block.line,
            range,
        });
    }
}

/// Where a check box or a scenario is a criterion: anywhere but in plans, accounts, facts and questions.
fn may_hold(role: Role) -> bool {
    (role.is_ask() || role == Role::Done) && !matches!(role, Role::OutOfScope | Role::Dependencies)
}

fn takes_sentences(role: Role, criteria_are_lists: bool) -> bool {
    match role {
        Role::Expected | Role::Verification => true,
        Role::Criteria => !criteria_are_lists,
        _ => false,
    }
}

/// How many of the first blocks make one scenario over several lines.
fn scenario_length(blocks: &[Block]) -> usize {
    let opens = match step(&blocks[0].text) {
        Some(Step::Given) => true,
        Some(Step::When) => blocks[0].role == Role::Criteria,
        _ => false,
    };
    let has_box = |block: &Block| matches!(block.shape, Shape::Item { done: Some(_), .. });
    if !opens || !blocks[0].is_prose() || has_box(&blocks[0]) {
        return 0;
    }
    let mut concluded = false;
    let mut length = 1;
    for block in &blocks[1..] {
        let next = step(&block.text).filter(|_| block.is_prose() && !has_box(block));
        match next {
            Some(Step::Then) => concluded = true,
            Some(Step::Given) | None => break,
            Some(Step::When) if concluded => break,
            Some(Step::When | Step::More) => {}
        }
        length += 1;
    }
    if concluded { length } else { 0 }
}

/// Without the number that some tools and people put before a criterion: `#3`, `AC-3:`, `AC 3.`, `3)`.
fn without_number(text: &str) -> &str {
    let bare = text.trim_start_matches(['*', '_']);
    let rest = ["AC", "ac", "#"].iter().find_map(|mark| bare.strip_prefix(mark)).unwrap_or(bare);
    let marked = rest.len() < bare.len();
    let digits = rest.trim_start_matches(['-', ' ', '#']);
    let after = digits.trim_start_matches(|c: char| c.is_ascii_digit() || (marked && c == '.'));
    let numbered = after.len() < digits.len();
    let closed = after.trim_start_matches(['*', '_']).strip_prefix([':', ')', '.', ' ']);
    match closed {
        Some(tail) if numbered && (marked || after.starts_with(')')) => {
            tail.trim_start_matches(['*', '_', ' ', ':', '–', '—'])
        }
        _ => text,
    }
}

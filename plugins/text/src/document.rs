//! A backlog item's text as sections with roles and blocks in them.

use std::ops::Range;

use crate::block::{Raw, RawKind, Shape, raws};
use crate::label::label;
use crate::lines::Lines;
use crate::paragraph::{Part, check_box, parts};
use crate::role::Role;
use crate::scenario::is_scenario;

/// A backlog item's text, understood.
#[derive(Debug)]
pub struct Document {
    /// The text of a first heading of the first level that names no section.
    pub title: Option<String>,
    /// In order; the first is what stands before any heading, and may be empty.
    pub sections: Vec<Section>,
    /// In order.
    pub blocks: Vec<Block>,
}

/// A heading, or a label that stands for one.
#[derive(Debug)]
pub struct Section {
    /// As it was written; empty before the first heading.
    pub title: String,
    /// What the section is for.
    pub role: Role,
    /// The heading's level; `None` for a label, and before the first heading.
    pub level: Option<u8>,
    /// The heading's line.
    pub line: u32,
}

/// A piece of the text that is read as one.
#[derive(Debug)]
pub struct Block {
    /// What it looks like.
    pub shape: Shape,
    /// What it is for; mostly its section's role.
    pub role: Role,
    /// Index into [`Document::sections`].
    pub section: usize,
    /// For code the code; else the Markdown of the block, on one line, without markers and comments.
    pub text: String,
    /// The line it begins on.
    pub line: u32,
    /// The bytes of the source it was taken from.
    pub range: Range<usize>,
    /// How many lists it is in.
    pub depth: u8,
}

impl Document {
    /// Reads a Markdown text.
    pub fn parse(source: &str) -> Self {
        let mut builder = Builder {
            source,
            lines: Lines::of(source),
            document: Document { title: None, sections: Vec::new(), blocks: Vec::new() },
            headings: Vec::new(),
            label: None,
            marker: None,
        };
        builder.open_section(String::new(), Role::Preamble, None, 0);
        for raw in raws(source) {
            builder.raw(raw);
        }
        builder.document
    }

    /// The blocks of a role, in order.
    pub fn of(&self, role: Role) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(move |block| block.role == role)
    }

    /// The title of a block's section.
    pub fn section_of(&self, block: &Block) -> &str {
        self.sections.get(block.section).map_or("", |section| section.title.as_str())
    }
}

impl Block {
    /// Whether a person wrote it as prose: no code, quotation or log.
    pub fn is_prose(&self) -> bool {
        !matches!(self.shape, Shape::Code { .. } | Shape::Quote)
    }
}

struct Builder<'a> {
    source: &'a str,
    lines: Lines,
    document: Document,
    /// Open headings: level, role, section.
    headings: Vec<(u8, Role, usize)>,
    /// A label without text behind it governs what follows: role, section.
    label: Option<(Role, usize)>,
    /// What a pair of comments such as `AC:BEGIN` and `AC:END` says of what stands between them.
    marker: Option<Role>,
}

impl Builder<'_> {
    fn raw(&mut self, raw: Raw) {
        let text = &self.source[raw.range.clone()];
        match raw.kind {
            RawKind::Heading(level) => self.heading(level, &one_line(text), raw.range.start),
            RawKind::Html => self.html(text),
            RawKind::Paragraph => self.paragraph(raw.range),
            RawKind::Item { ordinal } => self.item(ordinal, raw.range, raw.depth),
            RawKind::Continuation => self.block(Shape::Paragraph, one_line(text), raw.range, raw.depth),
            RawKind::Row => {
                let row = one_line(text);
                let cells = row.trim_matches(|c: char| c == '|' || c.is_whitespace()).to_string();
                self.block(Shape::Row, cells, raw.range, raw.depth);
            }
            RawKind::Code { text, language } => {
                let gherkin = language.starts_with("gherkin") || is_scenario(text.lines());
                self.block(Shape::Code { gherkin }, text, raw.range, raw.depth);
            }
            RawKind::Quote => {
                let quotation = text.trim_end().to_string();
                self.block(Shape::Quote, quotation, raw.range, raw.depth);
            }
        }
    }

    fn heading(&mut self, level: u8, text: &str, at: usize) {
        self.label = None;
        let named = Role::of_heading(text);
        let first = self.headings.is_empty() && self.document.blocks.is_empty();
        if level == 1 && first && named.is_none() && self.document.title.is_none() {
            self.document.title = Some(text.to_string());
            self.open_section(text.to_string(), Role::Preamble, Some(level), at);
            return;
        }
        while self.headings.last().is_some_and(|(open, ..)| *open >= level) {
            self.headings.pop();
        }
        let parent = self.headings.last().map(|(_, role, _)| *role);
        let before = self.document.sections.last().map(|section| section.role);
        let account = |role: Option<Role>| role.filter(|role| matches!(role, Role::History | Role::Plan));
        let role = account(parent)
            .or(named)
            .or(parent.filter(|role| *role != Role::Metadata))
            .or(account(before))
            .unwrap_or(Role::Other);
        let section = self.open_section(text.to_string(), role, Some(level), at);
        self.headings.push((level, role, section));
    }

    fn html(&mut self, html: &str) {
        let Some(comment) = html.trim().strip_prefix("<!--").and_then(|rest| rest.strip_suffix("-->")) else {
            return;
        };
        match comment.trim().rsplit_once(':') {
            Some((name, "BEGIN")) => self.marker = Role::of_heading(name.rsplit(':').next().unwrap_or(name)),
            Some((_, "END")) => self.marker = None,
            _ => return,
        }
        self.label = None;
    }

    fn paragraph(&mut self, range: Range<usize>) {
        let text = &self.source[range.clone()];
        let outer = self.label;
        let mut label_ends_here = false;
        for part in parts(text, takes_inline_labels(self.role_without_label())) {
            match part {
                Part::Label { name, role, has_prose } => {
                    self.open_label(name, role, range.start);
                    label_ends_here = has_prose;
                }
                Part::CheckBox(part) => self.item(None, offset(part, range.start), 1),
                Part::Prose(part) => {
                    let prose = one_line(&text[part.clone()]);
                    self.block(Shape::Paragraph, prose, offset(part, range.start), 0);
                }
                Part::Log(part) => {
                    let log = text[part.clone()].to_string();
                    self.block(Shape::Code { gherkin: false }, log, offset(part, range.start), 0);
                }
            }
        }
        if label_ends_here {
            self.label = outer;
        }
    }

    fn item(&mut self, ordinal: Option<u64>, range: Range<usize>, depth: u8) {
        let text = one_line(&self.source[range.clone()]);
        let (done, text) = match check_box(&text) {
            Some((done, rest)) => (Some(done), rest),
            None => (None, text.as_str()),
        };
        let shape = Shape::Item { ordinal, done };
        let labelled = label(text).filter(|found| !found.rest.is_empty() && takes_inline_labels(self.role()));
        match labelled {
            Some(found) if found.role.is_some() => {
                let outer = self.label;
                self.open_label(found.name.to_string(), found.role, range.start);
                self.block(shape, found.rest.to_string(), range, depth);
                self.label = outer;
            }
            _ => self.block(shape, text.to_string(), range, depth),
        }
    }

    fn block(&mut self, shape: Shape, text: String, range: Range<usize>, depth: u8) {
        if text.is_empty() {
            return;
        }
        let newest = self.document.sections.len() - 1;
        let section = match self.label {
            Some((_, section)) => section,
            None => self.headings.last().map_or(newest.min(self.preamble()), |(.., section)| *section),
        };
        let line = self.lines.at(range.start);
        self.document.blocks.push(Block { shape, role: self.role(), section, text, line, range, depth });
    }

    /// The section of text under no heading but the title.
    fn preamble(&self) -> usize {
        usize::from(self.document.title.is_some())
    }

    fn open_section(&mut self, title: String, role: Role, level: Option<u8>, at: usize) -> usize {
        let line = self.lines.at(at);
        self.document.sections.push(Section { title, role, level, line });
        self.document.sections.len() - 1
    }

    fn open_label(&mut self, name: String, role: Option<Role>, at: usize) {
        let around = self.role_without_label();
        let role = match around {
            Role::History | Role::Plan => around,
            _ => role.unwrap_or(around),
        };
        let section = self.open_section(name, role, None, at);
        self.label = Some((role, section));
    }

    fn role_without_label(&self) -> Role {
        let heading = self.headings.last().map_or(Role::Preamble, |(_, role, _)| *role);
        self.marker.unwrap_or(heading)
    }

    fn role(&self) -> Role {
        self.label.map_or_else(|| self.role_without_label(), |(role, _)| role)
    }
}

/// Where "Expected: a list" begins a section of its own. Elsewhere it is part of what the section says.
fn takes_inline_labels(role: Role) -> bool {
    matches!(
        role,
        Role::Preamble | Role::Summary | Role::Problem | Role::Expected | Role::Requirements | Role::Other
    )
}

fn offset(range: Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

/// The text on one line, without comments.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find("<!--") {
        push_words(&mut line, &rest[..open]);
        rest = rest[open..].find("-->").map_or("", |close| &rest[open + close + 3..]);
    }
    push_words(&mut line, rest);
    line
}

fn push_words(line: &mut String, text: &str) {
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
}

//! What plain Markdown says of itself: its title, and short facts such as `## Status: Open`.
//!
//! People write the same fact in many ways; these are read, outside of code and quotations:
//!
//! * `## Status: Open`, a heading with its value;
//! * `## Status` and below it a short paragraph or a list;
//! * `**Status:** Open` and `**Status**: Open`, alone in a line or an item of a list;
//! * `Status: Open`, above the first section, where every line of the paragraph has this form.
//!
//! Of several facts of one name the first counts.

use std::{collections::BTreeMap, ops::Range};

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};

/// Longer texts are prose, not facts.
const VALUE_CHARS_MAX: usize = 200;

/// `Acceptance criteria of the team:` is still a name; a sentence is not.
const NAME_WORDS_MAX: usize = 4;

/// What a text says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Outline {
    /// The first heading of the first level, else the first heading, else the first line.
    pub(super) title: Option<String>,
    facts: Vec<Fact>,
}

/// A short text with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fact {
    /// As written.
    pub(super) name: String,
    /// As written, on one line; the items of a list are separated by line breaks.
    pub(super) value: String,
    /// Where the value stands, as a byte range; none unless it stands in one line, beside its name.
    pub(super) place: Option<Range<usize>>,
}

impl Outline {
    /// Reads a text.
    pub(super) fn of(text: &str) -> Self {
        let mut reader = Reader::new(text);
        for (event, range) in Parser::new(text).into_offset_iter() {
            reader.take(&event, range);
        }
        reader.finish()
    }

    /// The first of these facts that is there; see [`same_name`].
    pub(super) fn first<'n>(&self, names: &'n [String]) -> Option<(&'n str, &Fact)> {
        names.iter().find_map(|name| Some((name.as_str(), self.fact(name)?)))
    }

    /// The fact of this name.
    pub(super) fn fact(&self, name: &str) -> Option<&Fact> {
        self.facts.iter().find(|fact| same_name(&fact.name, name))
    }

    /// Every fact by its name as written.
    pub(super) fn to_map(&self) -> BTreeMap<String, String> {
        self.facts.iter().map(|fact| (fact.name.clone(), fact.value.clone())).collect()
    }
}

/// Names are compared without regard to case, and `Depends on` is `depends_on`.
fn same_name(a: &str, b: &str) -> bool {
    let plain = |name: &str| name.to_lowercase().replace(['_', '-'], " ");
    plain(a) == plain(b)
}

struct Reader<'t> {
    text: &'t str,
    outline: Outline,
    first_heading: Option<String>,
    in_section: bool,
    quotation_depth: usize,
    list_depth: usize,
    /// The heading whose value may come next, and the items of a list that have come so far.
    awaited: Option<(String, Vec<String>)>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            outline: Outline::default(),
            first_heading: None,
            in_section: false,
            quotation_depth: 0,
            list_depth: 0,
            awaited: None,
        }
    }

    fn take(&mut self, event: &Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(Tag::BlockQuote(_)) => self.quotation_depth += 1,
            Event::End(TagEnd::BlockQuote(_)) => self.quotation_depth -= 1,
            _ if self.quotation_depth > 0 => {}
            Event::Start(Tag::Heading { level, .. }) => self.heading(*level, range),
            Event::Start(Tag::Paragraph) if self.list_depth == 0 => self.paragraph(range),
            Event::Start(Tag::List(_)) => self.list_depth += 1,
            Event::End(TagEnd::List(_)) => {
                self.list_depth -= 1;
                if self.list_depth == 0 {
                    self.settle_awaited();
                }
            }
            Event::Start(Tag::Item) if self.list_depth == 1 => self.item(range),
            Event::Start(Tag::CodeBlock(_)) if self.list_depth == 0 => self.awaited = None,
            _ => {}
        }
    }

    fn heading(&mut self, level: HeadingLevel, range: Range<usize>) {
        self.settle_awaited();
        let line = self.first_line(range);
        let line = trimmed(self.text, line, |c| c == '#' || c.is_whitespace());
        let written = &self.text[line.clone()];
        if level == HeadingLevel::H1 && self.outline.title.is_none() {
            self.outline.title = some_text(written);
            return;
        }
        self.first_heading = self.first_heading.take().or_else(|| some_text(written));
        self.in_section = true;
        match self.named_value(line.clone()) {
            Some(fact) => self.add(fact),
            None => self.awaited = Some((without_marks(written).to_owned(), Vec::new())),
        }
    }

    fn paragraph(&mut self, range: Range<usize>) {
        let lines = self.lines(range.clone());
        if let Some((name, _)) = self.awaited.take() {
            let texts: Vec<&str> = lines.iter().map(|line| self.text[line.clone()].trim()).collect();
            self.add(Fact { name, value: without_marks(&texts.join(" ")).to_owned(), place: None });
        }
        let facts: Vec<Option<Fact>> = lines.iter().map(|line| self.named_value(line.clone())).collect();
        let is_table = !self.in_section && facts.iter().all(Option::is_some);
        for (fact, line) in facts.into_iter().zip(lines) {
            let bold = self.text[line].trim_start().starts_with("**");
            if let Some(fact) = fact.filter(|_| bold || is_table) {
                self.add(fact);
            }
        }
    }

    fn item(&mut self, range: Range<usize>) {
        let line = self.first_line(range);
        let line = trimmed(self.text, line, |c| c.is_whitespace() || matches!(c, '-' | '+'));
        let star = self.text[line.clone()].strip_prefix("* ").map_or(0, |_| 2);
        let line = line.start + star..line.end;
        if let Some((_, items)) = &mut self.awaited {
            items.push(without_marks(&self.text[line.clone()]).to_owned());
        }
        if self.text[line.clone()].starts_with("**")
            && let Some(fact) = self.named_value(line)
        {
            self.add(fact);
        }
    }

    fn settle_awaited(&mut self) {
        if let Some((name, items)) = self.awaited.take() {
            self.add(Fact { name, value: items.join("\n"), place: None });
        }
    }

    fn add(&mut self, fact: Fact) {
        let short = !fact.value.is_empty() && fact.value.chars().count() <= VALUE_CHARS_MAX;
        if short && !fact.name.is_empty() && self.outline.fact(&fact.name).is_none() {
            self.outline.facts.push(fact);
        }
    }

    /// The fact that a line states, as `Name: value` with or without bold type.
    fn named_value(&self, line: Range<usize>) -> Option<Fact> {
        let (name, value) = self.text[line.clone()].split_once(':')?;
        let value_start = line.start + name.len() + 1;
        let name = without_marks(name);
        let is_mark = |c: char| c.is_whitespace() || matches!(c, '*' | '`');
        let place = trimmed(self.text, value_start..value_start + value.len(), is_mark);
        let plausible = !name.is_empty() && name.split_whitespace().count() <= NAME_WORDS_MAX;
        (plausible && !place.is_empty() && !value.starts_with("//")).then(|| Fact {
            name: name.to_owned(),
            value: self.text[place.clone()].to_owned(),
            place: Some(place),
        })
    }

    fn first_line(&self, range: Range<usize>) -> Range<usize> {
        let length = self.text[range.clone()].lines().next().map_or(0, str::len);
        range.start..range.start + length
    }

    fn lines(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let mut at = range.start;
        let lines = self.text[range].split_inclusive('\n').map(|line| {
            let start = at;
            at += line.len();
            start..at
        });
        lines.collect()
    }

    fn finish(mut self) -> Outline {
        self.settle_awaited();
        let first_line = || self.text.lines().find_map(some_text);
        let title = self.outline.title.take().or_else(|| self.first_heading.take()).or_else(first_line);
        Outline { title, ..self.outline }
    }
}

fn some_text(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Without the marks of bold, italic and code around it, and without the colon of a heading.
fn without_marks(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '_' | '`' | ':'))
}

fn trimmed(text: &str, range: Range<usize>, cut: impl Fn(char) -> bool) -> Range<usize> {
    let slice = &text[range.clone()];
    let kept = slice.trim_end_matches(&cut);
    let start = range.start + (kept.len() - kept.trim_start_matches(&cut).len());
    start..range.start + kept.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, title: &str, facts: &[(&str, &str)]) {
        let outline = Outline::of(text);
        assert_eq!(outline.title.as_deref(), Some(title));
        let read: Vec<_> =
            outline.facts.iter().map(|fact| (fact.name.as_str(), fact.value.as_str())).collect();
        assert_eq!(read, facts);
        for fact in &outline.facts {
            let Some(place) = &fact.place else { continue };
            assert_eq!(&text[place.clone()], fact.value);
        }
    }

    #[test]
    fn titles() {
        check("# Receipt: wrong date\n\ntext", "Receipt: wrong date", &[]);
        check("Receipt\n=======\n", "Receipt", &[]);
        check("## Summary\n\n- a\n# Later\n", "Later", &[("Summary", "a")]);
        check("\n\nJust a line.\n\nMore.", "Just a line.", &[]);
        check("# Größe #\r\n", "Größe", &[]);
    }

    #[test]
    fn facts_in_headings() {
        check("# T\n## Status: Open\n## Team: kiosk\n", "T", &[("Status", "Open"), ("Team", "kiosk")]);
        check(
            "# T\r\n## Status: Open\r\n\r\n## **Team:** kiosk\r\n",
            "T",
            &[("Status", "Open"), ("Team", "kiosk")],
        );
        check(
            "# T\n## Priority\n\nlow\n\n## Labels\n- a\n- b\n",
            "T",
            &[("Priority", "low"), ("Labels", "a\nb")],
        );
        check("# T\n## Priority\n\n<!-- one of high, low -->\n\n`high`\n", "T", &[("Priority", "high")]);
        check("# T\n## Log\n\n```\nx\n```\n\nnot the log\n", "T", &[]);
        check("# T\n## Status: Open\n## Status: Closed\n", "T", &[("Status", "Open")]);
        check(&format!("# T\n## Story\n\n{}\n", "word ".repeat(99)), "T", &[]);
    }

    #[test]
    fn facts_in_lines() {
        check("# T\n**Status:** Open\n**Team**: kiosk\n", "T", &[("Status", "Open"), ("Team", "kiosk")]);
        check(
            "# T\n- **Status:** Open\n* **Team:** `kiosk`\n",
            "T",
            &[("Status", "Open"), ("Team", "kiosk")],
        );
        check("# T\nStatus: Open\nTeam: kiosk\n", "T", &[("Status", "Open"), ("Team", "kiosk")]);
        check("# T\nNote: it fails.\nThat is all.\n", "T", &[]);
        check("# T\n\n## Why\n\n- x\n\nStatus: 500\n", "T", &[("Why", "x")]);
        check("# T\nhttps://example.org/a\n", "T", &[]);
    }

    #[test]
    fn code_and_quotations_state_nothing() {
        check("# T\n```\n## Status: Closed\n```\n> **Status:** Closed\n> ## Team: x\n", "T", &[]);
    }

    #[test]
    fn names_are_compared_loosely() {
        let outline = Outline::of("# T\n## DEPENDS ON: A-1\n");
        assert_eq!(outline.fact("depends_on").map(|fact| fact.value.as_str()), Some("A-1"));
    }
}

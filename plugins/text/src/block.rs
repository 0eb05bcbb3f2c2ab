//! The Markdown parser's events, gathered into the runs of text that a reader sees.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// What a block looks like on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Running text, or a further paragraph of a list item.
    Paragraph,
    /// A list item; numbered lists carry the number.
    Item {
        /// The number in a numbered list.
        ordinal: Option<u64>,
        /// The state of a check box before the text.
        done: Option<bool>,
    },
    /// A row of a table that is not its head.
    Row,
    /// A block of code, fenced or indented, or a pasted log.
    Code {
        /// Whether the code is a scenario of Given, When, Then.
        gherkin: bool,
    },
    /// A block quotation.
    Quote,
}

/// A piece of the source before its role is known.
pub(crate) struct Raw {
    pub(crate) kind: RawKind,
    pub(crate) range: Range<usize>,
    /// How many lists it is in.
    pub(crate) depth: u8,
}

pub(crate) enum RawKind {
    Heading(u8),
    Paragraph,
    Item { ordinal: Option<u64> },
    Continuation,
    Row,
    Code { text: String, language: String },
    Quote,
    Html,
}

/// All pieces of a Markdown text, in order.
pub(crate) fn raws(source: &str) -> Vec<Raw> {
    let mut gather = Gather::default();
    for (event, range) in Parser::new_ext(source, Options::ENABLE_TABLES).into_offset_iter() {
        gather.event(event, range);
    }
    gather.flush();
    gather.raws
}

#[derive(Default)]
struct Gather {
    raws: Vec<Raw>,
    /// The numbers the next item of each open list will have.
    lists: Vec<Option<u64>>,
    /// For each open item: its number, and whether its first run of text has been seen.
    items: Vec<(Option<u64>, bool)>,
    heading: Option<u8>,
    run: Option<Range<usize>>,
    code: Option<(Range<usize>, String, String)>,
    /// How many quotations are open; everything inside the outermost belongs to it.
    quotes: usize,
    /// Inside of a table head or row.
    in_row: bool,
}

impl Gather {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(Tag::BlockQuote(_)) => {
                if self.quotes == 0 {
                    self.flush();
                    self.push(RawKind::Quote, range);
                }
                self.quotes += 1;
            }
            Event::End(TagEnd::BlockQuote(_)) => self.quotes = self.quotes.saturating_sub(1),
            _ if self.quotes > 0 => {}
            Event::Start(Tag::CodeBlock(kind)) => {
                self.flush();
                let language = match kind {
                    pulldown_cmark::CodeBlockKind::Fenced(info) => info.to_string(),
                    pulldown_cmark::CodeBlockKind::Indented => String::new(),
                };
                self.code = Some((range, String::new(), language));
            }
            Event::End(TagEnd::CodeBlock) => {
                if let Some((range, text, language)) = self.code.take() {
                    self.push(RawKind::Code { text, language }, range);
                }
            }
            Event::Text(text) if self.code.is_some() => {
                if let Some((_, code, _)) = &mut self.code {
                    code.push_str(&text);
                }
            }
            Event::Html(_) => {
                self.flush();
                self.push(RawKind::Html, range);
            }
            Event::Start(tag) => self.start(&tag, range),
            Event::End(tag) => self.end(tag),
            Event::Rule => self.flush(),
            _ => self.extend(range),
        }
    }

    fn start(&mut self, tag: &Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Heading { level, .. } => {
                self.flush();
                self.heading = Some(*level as u8);
            }
            Tag::List(first) => {
                self.flush();
                self.lists.push(*first);
            }
            Tag::Item => {
                self.flush();
                let ordinal = self.lists.last_mut().and_then(|next| {
                    let ordinal = *next;
                    *next = ordinal.map(|number| number.saturating_add(1));
                    ordinal
                });
                self.items.push((ordinal, false));
            }
            Tag::TableHead => self.in_row = true,
            Tag::TableRow => {
                self.in_row = true;
                self.push(RawKind::Row, range);
            }
            Tag::Paragraph | Tag::HtmlBlock | Tag::Table(_) | Tag::TableCell => self.flush(),
            _ => self.extend(range),
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                self.flush();
                self.heading = None;
            }
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
            }
            TagEnd::Item => {
                self.flush();
                self.items.pop();
            }
            TagEnd::TableHead | TagEnd::TableRow => self.in_row = false,
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.flush(),
            _ => {}
        }
    }

    fn extend(&mut self, range: Range<usize>) {
        if self.in_row {
            return;
        }
        match &mut self.run {
            Some(run) => run.end = run.end.max(range.end),
            None => self.run = Some(range),
        }
    }

    fn flush(&mut self) {
        let Some(range) = self.run.take() else { return };
        let kind = match (self.heading, self.items.last_mut()) {
            (Some(level), _) => RawKind::Heading(level),
            (None, Some((_, true))) => RawKind::Continuation,
            (None, Some((ordinal, seen))) => {
                *seen = true;
                RawKind::Item { ordinal: *ordinal }
            }
            (None, None) => RawKind::Paragraph,
        };
        self.push(kind, range);
    }

    fn push(&mut self, kind: RawKind, range: Range<usize>) {
        let depth = u8::try_from(self.lists.len()).unwrap_or(u8::MAX);
        self.raws.push(Raw { kind, range, depth });
    }
}

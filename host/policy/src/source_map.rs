//! Where in a file a value stands.
//!
//! A TOML file is read once into a tree of JSON values, which the schema and serde understand, and a tree of spans of the
//! same shape. A [`Place`] is a path in both, so that whoever finds a value wrong can point at it.

use std::{collections::BTreeMap, ops::Range};

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use crate::{
    error::{ConfigFile, Diagnostic, Diagnostics, Severity, concealing},
    store_address,
};

/// A file that was read as TOML.
#[derive(Debug, Clone)]
pub(crate) struct SourceFile {
    pub(crate) config: ConfigFile,
    pub(crate) value: Value,
    spans: Node,
    /// What may be a secret that stands where it must not, and is never shown.
    concealed: Vec<Range<usize>>,
}

#[derive(Debug, Clone, Default)]
struct Node {
    key: Option<Range<usize>>,
    value: Range<usize>,
    members: BTreeMap<String, Node>,
    items: Vec<Node>,
}

/// One step from a value to one inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    Key(String),
    Index(usize),
}

/// A value in a file, by its path.
#[derive(Debug, Clone)]
pub(crate) struct Place<'a> {
    file: &'a SourceFile,
    path: Vec<Segment>,
}

/// Collects what is wrong.
#[derive(Debug, Default)]
pub(crate) struct Report {
    found: Vec<Diagnostic>,
}

impl SourceFile {
    /// Reads TOML as far as it can be read. What cannot be read is reported, and the rest is still there to be checked.
    pub(crate) fn read(config: ConfigFile, report: &mut Report) -> Self {
        // A byte order mark is no TOML; it is what some editors put first.
        let text = config.text.trim_start_matches('\u{feff}').to_owned();
        let config = ConfigFile { text, ..config };
        let (table, errors) = DeTable::parse_recoverable(&config.text);
        let mut spans = Node { value: 0..0, ..Node::default() };
        let mut not_finite = Vec::new();
        let value = convert_table(table.get_ref(), &mut spans, &mut not_finite);
        let messages: Vec<_> = errors
            .iter()
            .map(|error| {
                let message = error.message().replace('\n', "; ");
                (error.span().unwrap_or(0..0), format!("this is no TOML: {message}"))
            })
            .chain(
                not_finite
                    .into_iter()
                    .map(|span| (span, "expected a number that a computer can hold".into())),
            )
            .collect();
        let mut concealed = Vec::new();
        for (_, model) in spans.members.get("model").iter().flat_map(|models| &models.members) {
            model.members.get("key").iter().for_each(|key| conceal(key, &config.text, &mut concealed));
            // A place may come with a name and a password.
            let place = model.members.get("base_url").map(|place| place.value.clone());
            concealed.extend(
                place.filter(|place| config.text.get(place.clone()).is_some_and(|t| t.contains('@'))),
            );
        }
        // Wherever it stands: in a file that is broken, too, nobody knows what is what.
        concealed.extend(store_address::passwords(&config.text));
        let file = Self { config, value, spans, concealed };
        for (span, message) in messages {
            report.push(file.diagnostic(Severity::Error, span, message, None));
        }
        file
    }

    /// The file with stars for what may be a secret.
    pub(crate) fn shown(&self) -> ConfigFile {
        ConfigFile { path: self.config.path.clone(), text: concealing(&self.config.text, &self.concealed) }
    }

    /// The whole file.
    pub(crate) fn root(&self) -> Place<'_> {
        Place { file: self, path: Vec::new() }
    }

    fn diagnostic(
        &self,
        severity: Severity,
        span: Range<usize>,
        message: String,
        help: Option<String>,
    ) -> Diagnostic {
        let text = &self.config.text;
        let start = floor_char_boundary(text, span.start);
        let end = floor_char_boundary(text, span.end).max(start);
        let before = &text[..start];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or(before).chars().count() + 1;
        Diagnostic {
            severity,
            file: self.config.path.clone(),
            line,
            column,
            span: start..end,
            concealed: self.concealed.clone(),
            message,
            help,
        }
    }

    fn node(&self, path: &[Segment]) -> &Node {
        let mut node = &self.spans;
        for segment in path {
            let next = match segment {
                Segment::Key(key) => node.members.get(key),
                Segment::Index(index) => node.items.get(*index),
            };
            // A path to something absent points at what would contain it.
            let Some(next) = next else { return node };
            node = next;
        }
        node
    }
}

/// Every value below the `key` of a model but those that say where it is kept.
fn conceal(node: &Node, text: &str, concealed: &mut Vec<Range<usize>>) {
    if node.members.is_empty() && node.items.is_empty() {
        concealed.push(node.value.clone());
    }
    for (name, member) in &node.members {
        let written = text.get(member.value.clone()).unwrap_or_default().trim_matches(['"', '\'']);
        if name != "file" && !(name == "env" && is_variable_name(written)) {
            conceal(member, text, concealed);
        }
    }
    node.items.iter().for_each(|item| conceal(item, text, concealed));
}

/// Whether it can be the name of an environment variable, which hardly any key can.
pub(crate) fn is_variable_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && text.len() <= 64
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

impl<'a> Place<'a> {
    /// The member `key` of this table.
    pub(crate) fn key(&self, key: impl Into<String>) -> Self {
        self.join(Segment::Key(key.into()))
    }

    /// The item `index` of this list.
    pub(crate) fn index(&self, index: usize) -> Self {
        self.join(Segment::Index(index))
    }

    fn join(&self, segment: Segment) -> Self {
        let mut path = self.path.clone();
        path.push(segment);
        Self { file: self.file, path }
    }

    /// The value at a JSON pointer from here.
    pub(crate) fn pointer(&self, pointer: &str) -> Self {
        let mut place = self.clone();
        let mut value = self.value();
        for part in pointer.split('/').skip(1) {
            let part = part.replace("~1", "/").replace("~0", "~");
            let segment = match (value, part.parse::<usize>()) {
                (Some(Value::Array(_)), Ok(index)) => Segment::Index(index),
                _ => Segment::Key(part.clone()),
            };
            value = value.and_then(|value| match &segment {
                Segment::Key(key) => value.get(key),
                Segment::Index(index) => value.get(index),
            });
            place.path.push(segment);
        }
        place
    }

    fn value(&self) -> Option<&'a Value> {
        self.path.iter().try_fold(&self.file.value, |value, segment| match segment {
            Segment::Key(key) => value.get(key),
            Segment::Index(index) => value.get(index),
        })
    }

    /// How people name the table at this place: `[backlog.specs]`, `[[stage.gate]]`, or the file.
    pub(crate) fn table_name(&self) -> String {
        let keys: Vec<_> = self
            .path
            .iter()
            .filter_map(|segment| match segment {
                Segment::Key(key) => Some(key.as_str()),
                Segment::Index(_) => None,
            })
            .collect();
        match self.path.last() {
            None => self.file.config.path.clone(),
            Some(Segment::Key(_)) => format!("[{}]", keys.join(".")),
            Some(Segment::Index(_)) => format!("[[{}]]", keys.join(".")),
        }
    }

    /// Whether what stands here is never shown.
    pub(crate) fn is_concealed(&self) -> bool {
        self.file.concealed.contains(&self.value_span())
    }

    fn value_span(&self) -> Range<usize> {
        self.file.node(&self.path).value.clone()
    }

    fn key_span(&self) -> Range<usize> {
        let node = self.file.node(&self.path);
        node.key.clone().unwrap_or_else(|| node.value.clone())
    }

    /// The bytes `inner` of the text that stands here, when it is written without escapes.
    fn inner_span(&self, inner: Range<usize>) -> Range<usize> {
        let span = self.value_span();
        let Some(Value::String(text)) = self.value() else { return span };
        let written = self.file.config.text.get(span.clone()).unwrap_or("");
        match written.find(text.as_str()) {
            Some(quotes) => span.start + quotes + inner.start..span.start + quotes + inner.end,
            None => span,
        }
    }
}

impl Report {
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// The value at `place` is wrong.
    pub(crate) fn error(&mut self, place: &Place<'_>, message: impl Into<String>, help: Option<String>) {
        let span = place.value_span();
        self.push(place.file.diagnostic(Severity::Error, span, message.into(), help));
    }

    /// The key at `place` is wrong, or what its table lacks.
    pub(crate) fn key_error(&mut self, place: &Place<'_>, message: impl Into<String>, help: Option<String>) {
        let span = place.key_span();
        self.push(place.file.diagnostic(Severity::Error, span, message.into(), help));
    }

    /// Part of the text at `place` is wrong.
    pub(crate) fn error_inside(
        &mut self,
        place: &Place<'_>,
        inner: Option<Range<usize>>,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let span = inner.map_or_else(|| place.value_span(), |inner| place.inner_span(inner));
        self.push(place.file.diagnostic(Severity::Error, span, message.into(), help));
    }

    /// The key at `place` does nothing.
    pub(crate) fn key_warning(
        &mut self,
        place: &Place<'_>,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let span = place.key_span();
        self.push(place.file.diagnostic(Severity::Warning, span, message.into(), help));
    }

    /// Turns a result into an option, its error reported at `place`.
    pub(crate) fn take<T, E: std::fmt::Display>(
        &mut self,
        place: &Place<'_>,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.error(place, error.to_string(), None)).ok()
    }

    pub(crate) fn append(&mut self, other: Self) {
        self.found.extend(other.found);
    }

    /// Nothing was found, warnings included.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(crate) fn finish(self) -> Diagnostics {
        Diagnostics::new(self.found)
    }
}

fn convert_table(table: &DeTable<'_>, node: &mut Node, not_finite: &mut Vec<Range<usize>>) -> Value {
    let mut members: Vec<_> = table.iter().collect();
    members.sort_by_key(|(key, _)| key.span().start);
    let convert = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
        let name: &std::borrow::Cow<'_, str> = key.get_ref();
        let mut child = Node { key: Some(key.span()), value: value.span(), ..Node::default() };
        let converted = convert_value(value.get_ref(), &mut child, not_finite);
        node.members.insert(name.to_string(), child);
        (name.to_string(), converted)
    };
    Value::Object(members.into_iter().map(convert).collect())
}

fn convert_value(value: &DeValue<'_>, node: &mut Node, not_finite: &mut Vec<Range<usize>>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Boolean(truth) => Value::Bool(*truth),
        DeValue::Datetime(time) => Value::String(time.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => number.into(),
            Err(_) => {
                not_finite.push(node.value.clone());
                0.into()
            }
        },
        DeValue::Float(number) => {
            let finite = number.as_str().parse().ok().and_then(serde_json::Number::from_f64);
            finite.map_or_else(
                || {
                    not_finite.push(node.value.clone());
                    0.into()
                },
                Value::Number,
            )
        }
        DeValue::Array(items) => {
            let mut converted = Vec::new();
            for item in items.iter() {
                let mut child = Node { value: item.span(), ..Node::default() };
                converted.push(convert_value(item.get_ref(), &mut child, not_finite));
                node.items.push(child);
            }
            Value::Array(converted)
        }
        DeValue::Table(table) => convert_table(table, node, not_finite),
    }
}

//! YAML front matter: where it stands, what it says, and where each value stands in the file.
//!
//! Properties wanted:
//!
//! 1. A value is kept as it was written beside what YAML makes of it: `id: 1.10` names the key `1.10`, not `1.1`.
//! 2. An error names the line of the file, and proposes a line only if the front matter would be read with it.
//! 3. No text makes it panic, overflow the stack or fill the memory.

use std::ops::Range;

use saphyr::{MarkedYaml, Scalar, ScanError, YamlData, YamlLoader};
use saphyr_parser::{Event, Parser, SpannedEventReceiver as _};
use serde_json::{Map, Number, Value};

/// Deeper nesting than any person writes; bounds the stack.
const DEPTH_MAX: usize = 32;

/// How many values aliases may stand for; bounds the memory.
const ALIASED_VALUES_MAX: usize = 1_000;

/// The two parts of an item's text, as byte ranges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parts {
    /// Between the two rulers; none when the text is plain Markdown.
    pub(super) front: Option<Range<usize>>,
    /// All that is not front matter.
    pub(super) body: Range<usize>,
}

/// What the front matter says, in the order written.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct FrontMatter {
    members: Vec<Member>,
}

/// One member of the front matter.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    /// Its name.
    pub(super) key: String,
    /// What it says.
    pub(super) value: Node,
    /// Where the value stands, as a byte range within the front matter; empty where there is none.
    pub(super) place: Range<usize>,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// A text, number, truth or nothing.
    Scalar {
        /// As it was written, without quotes.
        text: String,
        /// What YAML makes of it.
        value: Value,
    },
    /// A list.
    List(Vec<Self>),
    /// A table.
    Map(Vec<(String, Self)>),
}

/// Front matter that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub(super) struct FrontMatterError {
    /// The line of the file, from 1.
    pub(super) line: usize,
    /// What is wrong and what to do.
    pub(super) message: String,
}

/// Finds the front matter of a text without byte order mark: between a first line `---` and the next line `---` or `...`.
///
/// # Errors
///
/// When the text begins as front matter does and the second ruler is missing.
pub(super) fn split(text: &str) -> Result<Parts, FrontMatterError> {
    let plain = Parts { front: None, body: 0..text.len() };
    let mut lines = text.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| line.trim_end() == "---") else { return Ok(plain) };
    let front_start = first.len();
    let mut at = front_start;
    for line in lines {
        let ruler = line.trim_end();
        if ruler == "---" || ruler == "..." {
            return Ok(Parts { front: Some(front_start..at), body: at + line.len()..text.len() });
        }
        at += line.len();
    }
    let looks_like_yaml =
        text[front_start..].lines().find(|line| !line.trim().is_empty()).is_some_and(is_member);
    if looks_like_yaml {
        let message = "the front matter that begins here never ends; put a line `---` below it".to_owned();
        return Err(FrontMatterError { line: 1, message });
    }
    Ok(plain)
}

fn is_member(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or_default();
    line.contains(':')
        && !name.is_empty()
        && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

impl FrontMatter {
    /// Reads what stands between the rulers; none when that is no table, as between two rulers of plain Markdown.
    ///
    /// # Errors
    ///
    /// When it is not YAML, nests too deeply, or names a member twice.
    pub(super) fn parse(yaml: &str) -> Result<Option<Self>, FrontMatterError> {
        match load(yaml) {
            Ok(None) => Ok(Some(Self::default())),
            Ok(Some(root)) => Self::of_root(root, yaml),
            Err(_) if !yaml.lines().any(is_member) => Ok(None),
            Err(error) => Err(explain(yaml, &error)),
        }
    }

    fn of_root(root: MarkedYaml<'_>, yaml: &str) -> Result<Option<Self>, FrontMatterError> {
        let YamlData::Mapping(mapping) = root.data else {
            let nothing = matches!(&root.data, YamlData::Representation(text, ..) if text.is_empty());
            return Ok(nothing.then(Self::default));
        };
        let bytes = ByteOffsets::of(yaml);
        let mut members: Vec<Member> = Vec::new();
        for (key, value) in mapping {
            let line = key.span.start.line() + 1;
            let key = key_text(&key).ok_or_else(|| FrontMatterError {
                line,
                message: "the name of a member must be a text".to_owned(),
            })?;
            if members.iter().any(|member| member.key == key) {
                let message = format!("`{key}` is there twice; keep one of them");
                return Err(FrontMatterError { line, message });
            }
            let place = bytes.at(value.span.start.index())..bytes.at(value.span.end.index());
            let place = place.start..place.start + without_remark(&yaml[place.clone()]).len();
            members.push(Member { key, value: Node::of(value), place });
        }
        Ok(Some(Self { members }))
    }

    /// The first of these members that is there and says something.
    pub(super) fn first<'n>(&self, names: &'n [String]) -> Option<(&'n str, &Node)> {
        names.iter().find_map(|name| {
            let value = &self.member(name)?.value;
            (!value.is_empty()).then_some((name.as_str(), value))
        })
    }

    /// The member of this name.
    pub(super) fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.key == name)
    }

    /// Every member but this one, to see that nothing else changed.
    pub(super) fn without(&self, name: &str) -> Vec<(&str, &Node)> {
        let others = self.members.iter().filter(|member| member.key != name);
        others.map(|member| (member.key.as_str(), &member.value)).collect()
    }

    /// All of it, as the policy reads it.
    pub(super) fn to_json(&self) -> Map<String, Value> {
        self.members.iter().map(|member| (member.key.clone(), member.value.to_json())).collect()
    }
}

impl Node {
    fn of(yaml: MarkedYaml<'_>) -> Self {
        match yaml.data {
            YamlData::Representation(text, style, tag) => {
                let scalar = Scalar::parse_from_cow_and_metadata(text.clone(), style, tag.as_ref());
                Self::Scalar {
                    value: scalar.map_or_else(|| text.as_ref().into(), value_of),
                    text: text.into_owned(),
                }
            }
            YamlData::Value(scalar) => {
                let value = value_of(scalar);
                Self::Scalar { text: value.as_str().map_or_else(|| value.to_string(), str::to_owned), value }
            }
            YamlData::Sequence(items) => Self::List(items.into_iter().map(Self::of).collect()),
            YamlData::Mapping(members) => Self::Map(
                members
                    .into_iter()
                    .map(|(key, value)| (key_text(&key).unwrap_or_default(), Self::of(value)))
                    .collect(),
            ),
            YamlData::Tagged(_, inner) => Self::of(*inner),
            YamlData::Alias(_) | YamlData::BadValue => {
                Self::Scalar { text: String::new(), value: Value::Null }
            }
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Scalar { value, text } => value.is_null() || text.trim().is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Map(members) => members.is_empty(),
        }
    }

    /// The text of a single value.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Scalar { text, .. } => Some(text.trim()),
            Self::List(_) | Self::Map(_) => None,
        }
    }

    /// The texts of a list of single values; a single text is split at its commas.
    pub(super) fn texts(&self) -> Vec<String> {
        let texts: Vec<&str> = match self {
            Self::Scalar { value: Value::Null, .. } | Self::Map(_) => Vec::new(),
            Self::Scalar { text, .. } => text.split(',').collect(),
            Self::List(items) => items.iter().filter_map(Self::text).collect(),
        };
        texts.into_iter().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect()
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Scalar { value, .. } => value.clone(),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Map(members) => {
                Value::Object(members.iter().map(|(key, value)| (key.clone(), value.to_json())).collect())
            }
        }
    }
}

/// Builds the tree event by event, since the library's own loop goes as deep as the text does.
fn load(yaml: &str) -> Result<Option<MarkedYaml<'_>>, ScanError> {
    let mut parser = Parser::new_from_str(yaml);
    let mut loader = YamlLoader::<MarkedYaml<'_>>::default();
    loader.early_parse(false);
    loader.alias_limit(ALIASED_VALUES_MAX);
    let mut depth = 0_usize;
    while let Some(event) = parser.next_event() {
        let (event, span) = event?;
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
            Event::SequenceEnd | Event::MappingEnd => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return Err(ScanError::new(span.start, format!("this nests more than {DEPTH_MAX} levels deep")));
        }
        loader.on_event(event, span);
        if let Some(error) = loader.error() {
            return Err(error.clone());
        }
    }
    Ok(loader.into_documents().into_iter().next())
}

fn value_of(scalar: Scalar<'_>) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(truth) => truth.into(),
        Scalar::Integer(number) => number.into(),
        Scalar::FloatingPoint(number) => {
            Number::from_f64(number.into_inner()).map_or_else(|| number.to_string().into(), Value::Number)
        }
        Scalar::String(text) => text.into_owned().into(),
    }
}

fn key_text(key: &MarkedYaml<'_>) -> Option<String> {
    match &key.data {
        YamlData::Representation(text, ..) | YamlData::Value(Scalar::String(text)) => {
            Some(text.clone().into_owned())
        }
        _ => None,
    }
}

/// The library counts characters; files are cut by bytes.
struct ByteOffsets {
    of_chars: Vec<usize>,
    end: usize,
}

impl ByteOffsets {
    fn of(text: &str) -> Self {
        Self { of_chars: text.char_indices().map(|(at, _)| at).collect(), end: text.len() }
    }

    fn at(&self, char_index: usize) -> usize {
        self.of_chars.get(char_index).copied().unwrap_or(self.end)
    }
}

/// The library counts what stands behind a quoted text as part of it.
fn without_remark(written: &str) -> &str {
    let Some(quote @ ('"' | '\'')) = written.chars().next() else { return written };
    let mut escaped = false;
    let mut chars = written.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        let doubled = quote == '\'' && c == quote && chars.peek().is_some_and(|&(_, next)| next == quote);
        if escaped || doubled {
            escaped = doubled && !escaped;
        } else if c == quote {
            return &written[..=at];
        } else {
            escaped = quote == '"' && c == '\\';
        }
    }
    written
}

/// The error with the line of the file, and with a line that would be read where quotes are all that is missing.
fn explain(yaml: &str, error: &ScanError) -> FrontMatterError {
    let lines: Vec<&str> = yaml.lines().collect();
    let reported = error.marker().line().clamp(1, lines.len().max(1)) - 1;
    let above = (0..=reported).rev().take(3);
    let quoted = above.filter_map(|at| Some((at, quote_value(lines.get(at)?)?)));
    for (at, proposal) in quoted {
        let mut mended = lines.clone();
        mended[at] = &proposal;
        let read_further = match load(&mended.join("\n")) {
            Ok(_) => true,
            Err(later) => later.marker().line() > error.marker().line(),
        };
        if read_further {
            let message = format!("the value needs quotes: {}", proposal.trim());
            return FrontMatterError { line: at + 2, message };
        }
    }
    FrontMatterError {
        line: reported + 2,
        message: format!("the front matter cannot be read: {}", error.info()),
    }
}

fn quote_value(line: &str) -> Option<String> {
    let (name, value) = line.split_once(':')?;
    let value = value.trim();
    // What begins like a list, table or quoted text and goes wrong is meant to be one.
    let reserved = value.starts_with(['@', '`', '%', '&', '*', '!', '|', '>', ',', '?', '-', ']', '}']);
    let like_a_member =
        !value.starts_with(['"', '\'', '[', '{']) && (value.contains(": ") || value.ends_with(':'));
    (reserved || like_a_member).then(|| format!("{name}: {}", quoted(value)))
}

/// A text in the double quotes of YAML, whatever it contains.
pub(super) fn quoted(text: &str) -> String {
    // A JSON string is a YAML string.
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(yaml: &str, expected: Value) {
        let read = FrontMatter::parse(yaml).unwrap().expect("this is a table");
        assert_eq!(Value::Object(read.to_json()), expected);
    }

    #[track_caller]
    fn check_error(yaml: &str, expected: &str) {
        assert_eq!(error(yaml), expected);
    }

    #[track_caller]
    fn error(yaml: &str) -> String {
        FrontMatter::parse(yaml).expect_err("this is broken").to_string()
    }

    #[test]
    fn values_are_what_yaml_makes_of_them() {
        check("", json!({}));
        check("# nothing but a remark\n", json!({}));
        check(
            "a: 1\nb: 1.5\nc: true\nd: ~\ne:\n",
            json!({ "a": 1, "b": 1.5, "c": true, "d": null, "e": null }),
        );
        check("a: 2026-03-04\nb: '12'\nc: yes\n", json!({ "a": "2026-03-04", "b": "12", "c": "yes" }));
        check("a: [x, 2]\nb:\n  - y\nc: {k: v}\r\n", json!({ "a": ["x", 2], "b": ["y"], "c": { "k": "v" } }));
        check("a: >\n  two\n  lines\nb: .inf\n", json!({ "a": "two lines\n", "b": "inf" }));
        check("a: &x [1, 2]\nb: *x\n", json!({ "a": [1, 2], "b": [1, 2] }));
    }

    #[test]
    fn a_value_is_kept_as_written() {
        let read = FrontMatter::parse("id: 1.10\nnumber: 007\n").unwrap().unwrap();
        assert_eq!(read.member("id").unwrap().value.text(), Some("1.10"));
        assert_eq!(read.member("number").unwrap().value.text(), Some("007"));
    }

    #[test]
    fn places_are_byte_ranges() {
        let yaml = "title: Größe\r\nstatus: 'Öffen' # so\r\nempty:\r\n";
        let read = FrontMatter::parse(yaml).unwrap().unwrap();
        assert_eq!(&yaml[read.member("title").unwrap().place.clone()], "Größe");
        assert_eq!(&yaml[read.member("status").unwrap().place.clone()], "'Öffen'");
        assert!(read.member("empty").unwrap().place.is_empty());
    }

    #[test]
    fn an_error_names_the_line_and_the_fix() {
        check_error(
            "id: A-1\nassignee: @kiosk-team\nlabels: [x]\n",
            r#"line 3: the value needs quotes: assignee: "@kiosk-team""#,
        );
        check_error(
            "id: A-1\ntitle: Kiosk: wrong line: \"tax 0.00\"\n",
            r#"line 3: the value needs quotes: title: "Kiosk: wrong line: \"tax 0.00\"""#,
        );
        check_error(
            "id: A-1\nid: A-2\n",
            "line 3: the front matter cannot be read: duplicated key in mapping",
        );
        check_error("id: A-1\n'id': A-2\n", "line 3: `id` is there twice; keep one of them");
        insta::assert_snapshot!(error("id: A-1\nlabels: [a, b\n"), @"line 3: the front matter cannot be read: while parsing a flow sequence, expected ',' or ']'");
        insta::assert_snapshot!(error("id: A-1\n\tx: 1\n"), @"line 2: the front matter cannot be read: while scanning a plain scalar, found a tab");
        insta::assert_snapshot!(error(&format!("a: {}", "[".repeat(100_000))), @"line 2: the front matter cannot be read: recursion limit exceeded");
    }

    #[test]
    fn aliases_cannot_fill_the_memory() {
        let mut yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            yaml += &format!("a{level}: &a{level} [{aliases}]\n");
        }
        assert!(FrontMatter::parse(&yaml).is_err());
    }

    #[track_caller]
    fn check_split(text: &str, front: Option<&str>, body: &str) {
        let parts = split(text).unwrap();
        assert_eq!(parts.front.map(|range| &text[range]), front);
        assert_eq!(&text[parts.body], body);
    }

    #[test]
    fn the_front_matter_stands_between_two_rulers() {
        check_split("", None, "");
        check_split("# Title\n\n---\n\nmore\n", None, "# Title\n\n---\n\nmore\n");
        check_split("---\na: 1\n---\nbody\n---\n", Some("a: 1\n"), "body\n---\n");
        check_split("---\r\na: 1\r\n---\r\nbody", Some("a: 1\r\n"), "body");
        check_split("---\n---", Some(""), "");
        check_split("---\na: 1\n...\nbody", Some("a: 1\n"), "body");
        check_split("---\n\nA ruler and a sentence.\n", None, "---\n\nA ruler and a sentence.\n");
        assert_eq!(
            split("---\na: 1\n").unwrap_err().to_string(),
            "line 1: the front matter that begins here never ends; put a line `---` below it"
        );
    }
}

//! From the bytes of a file to an item.

use std::path::Path;

use tollgate_core::{
    Timestamp,
    entry::EntryName,
    item::{Dependency, Shelf, SourceItem},
};

use super::{
    config::FolderConfig,
    created,
    front_matter::{self, FrontMatter, FrontMatterError},
    plain::Outline,
    shelves,
};

/// The longest title that is kept; more is no title.
const TITLE_CHARS_MAX: usize = 300;

/// The longest key: it is part of file names and markers.
const KEY_BYTES_MAX: usize = 200;

/// What people write where nothing is to be done before an item.
const NO_DEPENDENCY: [&str; 8] = ["none", "none.", "no", "nothing", "n/a", "-", "–", "~"];

/// A file that is no item.
#[derive(Debug, thiserror::Error)]
pub(super) enum ItemError {
    /// Another encoding.
    #[error("line {line}: is not UTF-8; save the file in UTF-8")]
    NotUtf8 {
        /// The first line that is not, from 1.
        line: usize,
    },
    /// Nothing in it.
    #[error("is empty; write what is to be done, or remove it")]
    Empty,
    /// Its front matter is broken.
    #[error(transparent)]
    FrontMatter(#[from] FrontMatterError),
    /// A key that could not be shown or found again.
    #[error("`{0}` cannot be a key; expected at most {KEY_BYTES_MAX} bytes on one line")]
    Key(String),
}

/// A file's text, taken apart.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) front_matter: FrontMatter,
    pub(super) has_front_matter: bool,
    pub(super) outline: Outline,
    pub(super) body: String,
}

impl Document {
    /// Takes a file's text apart. Line ends become `\n`, so that a checkout on another system is the same item.
    ///
    /// # Errors
    ///
    /// When it is not UTF-8, or its front matter is broken.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ItemError> {
        let text = without_mark(text(bytes)?);
        let parts = front_matter::split(text)?;
        let front = parts.front.map(|range| FrontMatter::parse(&text[range])).transpose()?;
        // Two rulers with no table between them are plain Markdown.
        let (front_matter, body) = match front {
            Some(Some(front_matter)) => (Some(front_matter), &text[parts.body]),
            Some(None) | None => (None, text),
        };
        let body = body.replace("\r\n", "\n");
        let outline = Outline::of(&body);
        let has_front_matter = front_matter.is_some();
        Ok(Self { front_matter: front_matter.unwrap_or_default(), has_front_matter, outline, body })
    }

    /// The text of one fact, and where it stands: front matter first, then headings.
    fn text<'n>(&self, names: &'n [String]) -> Option<(String, String)> {
        if let Some((name, node)) = self.front_matter.first(names) {
            return Some((format!("front-matter:{name}"), node.text()?.to_owned()));
        }
        let (name, fact): (&'n str, _) = self.outline.first(names)?;
        Some((format!("heading:{name}"), fact.value.clone()))
    }

    /// The texts of one fact, and where they stand.
    fn texts(&self, names: &[String]) -> (String, Vec<String>) {
        if let Some((name, node)) = self.front_matter.first(names) {
            return (format!("front-matter:{name}"), node.texts());
        }
        let Some((_, fact)) = self.outline.first(names) else { return (String::new(), Vec::new()) };
        let texts = fact.value.split([',', '\n']).map(|text| text.trim().trim_matches('`').to_owned());
        (format!("heading:{}", fact.name), texts.filter(|text| !text.is_empty()).collect())
    }

    /// The key that the text gives itself.
    pub(super) fn key(&self, config: &FolderConfig) -> Option<String> {
        // A heading such as `## Key: high` is no name: only front matter gives one.
        let (_, node) = self.front_matter.first(&config.names.id)?;
        node.text().map(str::to_owned)
    }
}

/// The item that a file holds. `stem` is its file's name without the ending, `url` its path relative to the project.
///
/// # Errors
///
/// When the file holds no item.
pub(super) fn read(
    config: &FolderConfig,
    tracker: &str,
    url: &str,
    bytes: &[u8],
) -> Result<SourceItem, ItemError> {
    let document = Document::parse(bytes)?;
    if !document.has_front_matter && document.body.trim().is_empty() {
        return Err(ItemError::Empty);
    }
    let stem = stem(url);
    let shelf = shelves::shelf(config, url);
    let key = document.key(config).unwrap_or_else(|| stem.to_owned());
    check_key(&key)?;
    let title = document.text(&config.names.title).map(|(_, text)| text);
    let title = title.or_else(|| document.outline.title.clone()).unwrap_or_else(|| stem.to_owned());
    Ok(SourceItem {
        name: EntryName { tracker: tracker.to_owned(), key },
        url: Some(url.to_owned()),
        kind: config.kind.clone(),
        title: one_line(&title),
        author: document.text(&config.names.author).map(|(_, text)| text),
        labels: document.texts(&config.names.labels).1,
        created_at: created_at(config, &document),
        closed: shelf == Shelf::Done || is_closed(config, &document),
        shelf,
        depends: dependencies(config, &document),
        front_matter: document.front_matter.to_json(),
        headings: document.outline.to_map(),
        body: document.body,
    })
}

/// The key of an item whose file is named so and that names none itself.
pub(super) fn stem(url: &str) -> &str {
    let name = url.rsplit('/').next().unwrap_or(url);
    Path::new(name).file_stem().and_then(|stem| stem.to_str()).unwrap_or(name)
}

/// The text without the byte order mark that some editors put before it.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn text(bytes: &[u8]) -> Result<&str, ItemError> {
    std::str::from_utf8(bytes).map_err(|error| ItemError::NotUtf8 {
        line: bytes[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count() + 1,
    })
}

fn check_key(key: &str) -> Result<(), ItemError> {
    if key.len() <= KEY_BYTES_MAX && !key.chars().any(char::is_control) {
        return Ok(());
    }
    let shown: String = key.chars().filter(|c| !c.is_control()).take(40).collect();
    Err(ItemError::Key(format!("{shown}…")))
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().count() <= TITLE_CHARS_MAX {
        return line;
    }
    line.chars().take(TITLE_CHARS_MAX - 1).chain(['…']).collect()
}

fn created_at(config: &FolderConfig, document: &Document) -> Option<Timestamp> {
    let (_, text) = document.text(&config.names.created)?;
    created::parse(&text, &config.zone)
}

fn is_closed(config: &FolderConfig, document: &Document) -> bool {
    let state = document.text(std::slice::from_ref(&config.state_field)).map(|(_, text)| text.to_lowercase());
    state.is_some_and(|state| config.closed.iter().any(|closed| closed.to_lowercase() == state))
}

fn dependencies(config: &FolderConfig, document: &Document) -> Vec<Dependency> {
    let (source, keys) = document.texts(&config.names.depends);
    let keys = keys.into_iter().filter(|key| !NO_DEPENDENCY.contains(&key.to_lowercase().as_str()));
    keys.map(|key| Dependency { key: key_of_reference(&key), source: source.clone() }).collect()
}

/// `LIB-106 (the export)` names `LIB-106`. Of prose no key can be made: it is kept as it is, so that the item is held by a
/// dependency that nobody knows, and a person sees why.
fn key_of_reference(text: &str) -> String {
    let first = text.split_whitespace().next().unwrap_or(text).trim_matches(['`', '[', ']', ':', '.']);
    let like_a_key = first.contains(|c: char| c.is_ascii_digit()) && first.contains(['-', '#']);
    if like_a_key { first.to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn item(text: &str) -> SourceItem {
        let config = FolderConfig::new("/project", "backlog");
        read(&config, "folder:backlog", "backlog/a-stem.md", text.as_bytes()).unwrap()
    }

    #[test]
    fn front_matter_makes_an_item() {
        let text = "\u{feff}---\r\nid: LIB-7\r\ntitle: A \"title\"\r\nstatus: Done\r\nlabels: a, b\r\n\
                    depends: LIB-6\r\ncreated: 2026-05-18 08:40\r\nauthor: x\r\n---\r\n\r\nBody\r\n";
        insta::assert_json_snapshot!(item(text), @r#"
        {
          "name": {
            "tracker": "folder:backlog",
            "key": "LIB-7"
          },
          "url": "backlog/a-stem.md",
          "kind": "",
          "title": "A \"title\"",
          "body": "\nBody\n",
          "author": "x",
          "labels": [
            "a",
            "b"
          ],
          "created_at": "2026-05-18T08:40:00.000Z",
          "closed": true,
          "shelf": "open",
          "front_matter": {
            "id": "LIB-7",
            "title": "A \"title\"",
            "status": "Done",
            "labels": "a, b",
            "depends": "LIB-6",
            "created": "2026-05-18 08:40",
            "author": "x"
          },
          "headings": {},
          "depends": [
            {
              "key": "LIB-6",
              "source": "front-matter:depends"
            }
          ]
        }
        "#);
    }

    #[test]
    fn headings_make_an_item() {
        let item = item(
            "# A title\n## Status: closed\n## Labels\n\na, b\n## Created: 2026-06-17\n## Depends on: A-1\n",
        );
        assert_eq!((item.name.key.as_str(), item.title.as_str()), ("a-stem", "A title"));
        assert_eq!(item.labels, ["a", "b"]);
        assert_eq!(item.created_at.unwrap().to_string(), "2026-06-17T00:00:00.000Z");
        assert!(item.closed);
        assert_eq!(item.depends, [Dependency { key: "A-1".into(), source: "heading:Depends on".into() }]);
    }

    #[track_caller]
    fn check_depends(text: &str, keys: &[&str]) {
        let read: Vec<_> = item(text).depends.into_iter().map(|dependency| dependency.key).collect();
        assert_eq!(read, keys, "{text}");
    }

    #[test]
    fn dependencies_are_read_in_every_form() {
        check_depends("---\ndepends: [A-1, A-2]\n---\n", &["A-1", "A-2"]);
        check_depends("---\ndependencies:\n  - task-24.1\n  - task-208\n---\n", &["task-24.1", "task-208"]);
        check_depends("---\ndepends: []\n---\n", &[]);
        check_depends("# T\n## Dependencies\n\nNone\n", &[]);
        check_depends("# T\n## Dependencies\n\n- `A-1` (the export)\n- A-2: the import\n", &["A-1", "A-2"]);
        check_depends("# T\n## Dependencies\n\nthe new printers\n", &["the new printers"]);
    }

    #[test]
    fn what_is_missing_comes_from_the_file() {
        let bare = item("---\n---\n");
        assert_eq!(
            (bare.name.key.as_str(), bare.title.as_str(), bare.body.as_str()),
            ("a-stem", "a-stem", "")
        );
        assert_eq!(item("---\nid: 1.10\n---\n").name.key, "1.10");
        assert_eq!(item("---\nid:\n---\n").name.key, "a-stem");
        assert_eq!(item("---\nonly a ruler\n---\nx").body, "---\nonly a ruler\n---\nx");
    }

    #[track_caller]
    fn check_error(bytes: &[u8], expected: &str) {
        let config = FolderConfig::new("/project", "backlog");
        let error = read(&config, "folder:backlog", "backlog/a.md", bytes).expect_err("this is no item");
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn what_is_no_item_says_why() {
        check_error(b"", "is empty; write what is to be done, or remove it");
        check_error(b" \r\n\t", "is empty; write what is to be done, or remove it");
        check_error(b"# T\n\nGeb\xfchren", "line 3: is not UTF-8; save the file in UTF-8");
        let key = "x".repeat(300);
        let shown = "x".repeat(40);
        check_error(
            format!("---\nid: {key}\n---\n").as_bytes(),
            &format!("`{shown}…` cannot be a key; expected at most 200 bytes on one line"),
        );
    }
}

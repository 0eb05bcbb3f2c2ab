//! Entries that somebody opens instead of a source finding them: a stage by an effect, or a person.
//!
//! Property wanted: to open the same entry again opens nothing. What is the same is said by a fingerprint; where there is none, by
//! kind, title and text.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Digest, entry::LinkKind};

/// The longest title, in bytes.
const TITLE_BYTES_MAX: usize = 500;

/// The longest text, in bytes.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// The longest fingerprint, label or key, in bytes.
const WORD_BYTES_MAX: usize = 200;

/// The most labels, and the most links.
const COUNT_MAX: usize = 100;

/// An entry to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenEntry {
    /// One line.
    pub title: String,
    /// Markdown: all that whoever works on it has to know.
    #[serde(default)]
    pub body: String,
    /// What sort of work it is, e.g. `task`.
    #[serde(default)]
    pub kind: String,
    /// Labels.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Values of declared fields of the backlog, by their names.
    #[serde(default)]
    pub fields: Map<String, Value>,
    /// How it stands to other entries.
    #[serde(default)]
    pub links: Vec<OpenLink>,
    /// What makes it the same as one that was opened before in the backlog; default kind, title and text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The backlog that it enters; default, for a stage, that of the entry it works on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backlog: Option<String>,
}

/// A link of an entry to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenLink {
    /// `depends-on`, `member-of` or `duplicate-of`; who opened an entry is noted by the host.
    pub kind: LinkKind,
    /// The other entry's key, or `TRACKER#KEY` with a source of the backlog.
    pub key: String,
}

impl OpenEntry {
    /// Whether it is an entry that could be made in some backlog.
    ///
    /// # Errors
    ///
    /// A fragment of a sentence that says what is wrong.
    pub fn check(&self) -> Result<(), String> {
        if self.title.trim().is_empty() || self.title.contains(['\n', '\r']) {
            return Err("`title` is no line of text".into());
        }
        check_bytes("title", &self.title, TITLE_BYTES_MAX)?;
        check_bytes("body", &self.body, BODY_BYTES_MAX)?;
        check_count("labels", self.labels.len())?;
        check_count("links", self.links.len())?;
        for label in &self.labels {
            check_word("a label", label)?;
        }
        for link in &self.links {
            check_word("the key of a link", &link.key)?;
            if link.kind == LinkKind::ChildOf {
                return Err("`child-of` is said by the host, of who opened an entry; `member-of` groups \
                            entries"
                    .into());
            }
        }
        match &self.fingerprint {
            Some(fingerprint) => check_word("`fingerprint`", fingerprint),
            None => Ok(()),
        }
    }

    /// What makes it the same as another.
    pub fn fingerprint(&self) -> String {
        self.fingerprint.clone().unwrap_or_else(|| {
            Digest::of_parts([self.kind.as_bytes(), self.title.as_bytes(), self.body.as_bytes()]).to_string()
        })
    }

    /// The key of an entry that nobody gave one: the same for the same fingerprint in the same backlog.
    pub fn key_in(&self, backlog: &str) -> String {
        let digest = Digest::of_parts([backlog.as_bytes(), self.fingerprint().as_bytes()]).to_string();
        let hex = digest.rsplit(':').next().unwrap_or_default();
        format!("int-{}", hex.get(..10).unwrap_or(hex))
    }
}

/// Whether a text can be the key of an entry that somebody opens: it names a file.
///
/// # Errors
///
/// A fragment of a sentence that says what is wrong.
pub fn check_key(key: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let fits =
        key.len() <= 64 && key.starts_with(|c: char| c.is_ascii_alphanumeric()) && key.chars().all(plain);
    if fits {
        Ok(())
    } else {
        Err(format!("`{key}` is no key; expected at most 64 letters, digits, `-`, `_` and `.`, e.g. `REL-7`"))
    }
}

fn check_bytes(what: &str, text: &str, max: usize) -> Result<(), String> {
    if text.len() <= max {
        Ok(())
    } else {
        Err(format!("`{what}` has {} bytes; it may have {max}", text.len()))
    }
}

fn check_count(what: &str, count: usize) -> Result<(), String> {
    if count <= COUNT_MAX { Ok(()) } else { Err(format!("{count} {what}; there may be {COUNT_MAX}")) }
}

fn check_word(what: &str, word: &str) -> Result<(), String> {
    if word.trim().is_empty() || word.contains(['\n', '\r']) || word.len() > WORD_BYTES_MAX {
        return Err(format!("{what} is empty, has several lines, or more than {WORD_BYTES_MAX} bytes"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn opening(body: Value) -> OpenEntry {
        serde_json::from_value(body).unwrap()
    }

    #[track_caller]
    fn check_refused(body: Value, words: &str) {
        let error = opening(body).check().unwrap_err();
        assert!(error.contains(words), "{error}");
    }

    #[test]
    fn what_could_be_no_entry_is_refused() {
        assert_eq!(opening(json!({ "title": "Count the copies" })).check(), Ok(()));
        check_refused(json!({ "title": " " }), "no line of text");
        check_refused(json!({ "title": "a\nb" }), "no line of text");
        check_refused(json!({ "title": "x".repeat(501) }), "501 bytes");
        check_refused(json!({ "title": "x", "body": "x".repeat(300_000) }), "it may have 262144");
        check_refused(json!({ "title": "x", "labels": vec!["x"; 101] }), "101 labels");
        check_refused(json!({ "title": "x", "labels": [""] }), "a label is empty");
        check_refused(json!({ "title": "x", "fingerprint": "" }), "`fingerprint` is empty");
        check_refused(
            json!({ "title": "x", "links": [{ "kind": "child-of", "key": "A" }] }),
            "said by the host",
        );
    }

    #[test]
    fn the_same_is_the_same_by_its_fingerprint_or_else_by_what_it_says() {
        let key = |body: Value| opening(body).key_in("plan");
        let one = key(json!({ "title": "One", "body": "text" }));
        assert_eq!(one, key(json!({ "title": "One", "body": "text", "labels": ["late"] })));
        assert_ne!(one, key(json!({ "title": "Two", "body": "text" })));
        let by_name = key(json!({ "title": "One", "fingerprint": "f-1" }));
        assert_eq!(by_name, key(json!({ "title": "Another", "fingerprint": "f-1" })));
        assert_ne!(by_name, opening(json!({ "title": "One", "fingerprint": "f-1" })).key_in("other"));
        assert_eq!(check_key(&one), Ok(()));
    }

    #[test]
    fn a_key_names_a_file() {
        for key in ["REL-7", "a", "7.1_x"] {
            assert_eq!(check_key(key), Ok(()), "{key}");
        }
        for key in ["", ".hidden", "-x", "a/b", "a b", "ä", &"x".repeat(65)] {
            assert!(check_key(key).is_err(), "{key}");
        }
    }
}

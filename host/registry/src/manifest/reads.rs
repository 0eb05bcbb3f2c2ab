//! What of an entry a plugin is handed.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};

use super::{ManifestError, wrong};

/// What identifies an entry. Every plugin is handed it, whether it says so or not.
const IDENTITY: &[&str] = &["id", "tracker", "key", "revision"];

/// The other parts of an entry that may be named, besides `fields.<name>`.
const PARTS: &[&str] = &["url", "kind", "title", "body", "author", "labels", "created-at"];

/// What of an entry a plugin is handed. The rest is blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reads {
    /// The whole entry.
    All,
    /// These parts: names of the contract's record `entry`, and `fields.<name>` for a declared field.
    Only(BTreeSet<String>),
}

impl Reads {
    pub(super) fn parse(names: &[String]) -> Result<Self, ManifestError> {
        if names == ["*"] {
            return Ok(Reads::All);
        }
        for name in names {
            let is_field = name.strip_prefix("fields.").is_some_and(|field| !field.is_empty());
            if !is_field && !IDENTITY.contains(&name.as_str()) && !PARTS.contains(&name.as_str()) {
                return Err(wrong(
                    "reads",
                    name,
                    "a part of an entry, such as \"title\", \"created-at\" or \"fields.<name>\", or \"*\" alone for all",
                ));
            }
        }
        Ok(Reads::Only(names.iter().cloned().collect()))
    }

    /// Whether the plugin is handed this part, such as `title` or `fields.priority`. What identifies the entry always
    /// is.
    pub fn covers(&self, part: &str) -> bool {
        match self {
            Reads::All => true,
            Reads::Only(parts) => parts.contains(part) || IDENTITY.contains(&part),
        }
    }

    /// The declared fields that are read by name; none are named by [`Reads::All`].
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let parts = match self {
            Reads::All => None,
            Reads::Only(parts) => Some(parts),
        };
        parts.into_iter().flatten().filter_map(|part| part.strip_prefix("fields."))
    }
}

impl Serialize for Reads {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Reads::All => ["*"].serialize(serializer),
            Reads::Only(parts) => parts.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(names: &[&str]) -> Result<Reads, ManifestError> {
        Reads::parse(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_part_is_covered_if_it_was_named() {
        let some = reads(&["title", "fields.effort", "fields.team"]).unwrap();
        assert!(some.covers("title") && some.covers("fields.team"));
        assert!(!some.covers("body") && !some.covers("fields.priority"));
        assert_eq!(some.fields().collect::<Vec<_>>(), ["effort", "team"]);
        assert!(reads(&["*"]).unwrap().covers("body"));
        assert!(!reads(&[]).unwrap().covers("title"));
        assert!(reads(&[]).unwrap().covers("key"));
    }

    #[test]
    fn a_part_that_there_is_not_is_refused() {
        for names in [&["text"][..], &["fields."], &["fields"], &["*", "title"], &[""]] {
            assert!(reads(names).is_err(), "{names:?}");
        }
    }
}

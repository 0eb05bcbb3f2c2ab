//! Entries as lists of other systems name them.

use std::collections::HashMap;

use tollgate_core::entry::EntryStatus;
use tollgate_policy::Backlog;

/// What a name leads to.
pub(super) enum Found {
    /// The entry at this position.
    One(usize),
    /// The entry at this position, whose key is written differently.
    Nearly(usize),
    /// Entries of several trackers.
    Several(Vec<String>),
    /// Nothing.
    Unknown,
}

/// Entries by everything that they may be named by.
pub(super) struct Names<'e> {
    entries: &'e [EntryStatus],
    backlogs: &'e [&'e Backlog],
    by_key: HashMap<String, Vec<usize>>,
    by_folded: HashMap<String, Vec<usize>>,
    by_place: HashMap<String, usize>,
}

impl<'e> Names<'e> {
    pub(super) fn of(entries: &'e [EntryStatus], backlogs: &'e [&'e Backlog]) -> Self {
        let mut names = Self {
            entries,
            backlogs,
            by_key: HashMap::new(),
            by_folded: HashMap::new(),
            by_place: HashMap::new(),
        };
        for (at, entry) in entries.iter().enumerate() {
            names.by_key.entry(entry.name.key.clone()).or_default().push(at);
            names.by_folded.entry(entry.name.key.to_lowercase()).or_default().push(at);
            names.by_place.insert(entry.name.to_string(), at);
            names.by_place.extend(entry.url.clone().map(|url| (url, at)));
        }
        names
    }

    /// The entry of a key, of `TRACKER#KEY`, of a place, or of a key that the project declares an alias for.
    pub(super) fn find(&self, written: &str) -> Found {
        if let Some(found) = self.by_key.get(written) {
            return self.the_one(found, Found::One);
        }
        if let Some(at) = self.by_place.get(written) {
            return Found::One(*at);
        }
        let mut aliases = self.backlogs.iter().filter_map(|backlog| backlog.depends.resolve(written));
        if let Some(found) = aliases.find_map(|key| self.by_key.get(&key)) {
            return self.the_one(found, Found::One);
        }
        match self.by_folded.get(&written.to_lowercase()) {
            Some(found) => self.the_one(found, Found::Nearly),
            None => Found::Unknown,
        }
    }

    fn the_one(&self, found: &[usize], one: impl FnOnce(usize) -> Found) -> Found {
        match found {
            [only] => one(*only),
            several => Found::Several(several.iter().map(|at| self.entries[*at].name.to_string()).collect()),
        }
    }
}

/// A title by its words, whatever their order, case and punctuation; none for one that is too short to tell entries apart.
pub(super) fn fingerprint(title: &str) -> Option<Vec<String>> {
    let mut words: Vec<String> = title
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.sort();
    words.dedup();
    (words.len() > 1).then_some(words)
}

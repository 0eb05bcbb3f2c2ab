//! What the items of a folder say: where their state and priority stand, which words they use.

use std::collections::BTreeMap;

use serde_json::Value;
use tollgate_core::item::SourceItem;
use tollgate_tracker::{FolderConfig, ScanReport};

use crate::ui::text::count;

/// The owner of a backlog for which nobody said who answers.
pub(super) const UNASSIGNED: &str = "unassigned";

/// The label by which a person asks for an item to enter.
pub(super) const ASKING_LABEL: &str = "tollgate";

/// States that say that somebody is at it or that it cannot be done now; in lower case.
const NOT_FREE: [&str; 11] = [
    "in progress",
    "in-progress",
    "in_progress",
    "doing",
    "started",
    "in review",
    "review",
    "blocked",
    "on hold",
    "on-hold",
    "waiting",
];

/// More than this many different values, and it is no list of words to choose from.
const WORDS_MAX: usize = 12;

/// What was found in a folder.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// The folder, relative to the project.
    pub(super) folder: String,
    /// Items that could be read.
    pub(super) items: usize,
    /// Files that could not.
    pub(super) skipped: usize,
    /// Front matter members by how many items have them.
    pub(super) members: BTreeMap<String, usize>,
    /// Labels by how many items have them.
    pub(super) labels: BTreeMap<String, usize>,
    /// Items that depend on others.
    pub(super) dependent: usize,
    /// Where the state stands.
    pub(super) state: Option<Words>,
    /// Where the priority stands.
    pub(super) priority: Option<Words>,
}

/// A fact of items that is one of a few words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words {
    /// Where it stands, as a policy says it: `front-matter:status`.
    pub(super) from: Vec<String>,
    /// The words as written, by how many items say them.
    pub(super) values: BTreeMap<String, usize>,
    /// Items that say nothing.
    pub(super) silent: usize,
}

impl Words {
    /// Whether some say it where anyone may have written it.
    pub(super) fn is_text(&self) -> bool {
        self.from.iter().any(|place| place.starts_with("heading:"))
    }
}

impl Survey {
    /// What a scan of `folder` shows.
    pub(super) fn of(folder: &str, report: &ScanReport) -> Self {
        let mut survey = Self {
            folder: folder.to_owned(),
            items: report.items.len(),
            skipped: report.skipped.len(),
            dependent: report.items.iter().filter(|item| !item.depends.is_empty()).count(),
            state: words(&report.items, &["status", "state"]),
            priority: words(&report.items, &["priority", "prio", "severity"]),
            ..Self::default()
        };
        for item in &report.items {
            for member in item.front_matter.keys() {
                *survey.members.entry(member.clone()).or_default() += 1;
            }
            for label in &item.labels {
                *survey.labels.entry(label.clone()).or_default() += 1;
            }
        }
        survey
    }

    /// Whether somebody has asked for an item to enter.
    pub(super) fn is_asked_for(&self) -> bool {
        self.labels.contains_key(ASKING_LABEL)
    }

    /// States of items that may be worked on, and states in which somebody is at it.
    pub(super) fn open_states(&self) -> (Vec<&str>, Vec<&str>) {
        let closed = FolderConfig::new("", "").closed;
        let states = self.state.iter().flat_map(|state| state.values.keys().map(String::as_str));
        let open = states.filter(|state| !closed.contains(&state.to_lowercase()));
        open.partition(|state| !NOT_FREE.contains(&state.to_lowercase().as_str()))
    }

    /// What was found, in a sentence.
    pub(super) fn in_words(&self) -> String {
        let mut parts = vec![format!("{} in {}", count(self.items as u64, "item", "items"), self.folder)];
        if self.skipped > 0 {
            parts.push(format!("{} could not be read", count(self.skipped as u64, "file", "files")));
        }
        for (what, words) in [("states", &self.state), ("priorities", &self.priority)] {
            if let Some(words) = words {
                parts.push(format!("{what} {}", words.values.keys().cloned().collect::<Vec<_>>().join(", ")));
            }
        }
        if self.dependent > 0 {
            parts.push(format!("{} on others", count(self.dependent as u64, "depends", "depend")));
        }
        parts.join("; ")
    }
}

/// The first of `names` that items have, in front matter or as a heading, if it is one of a few words.
fn words(items: &[SourceItem], names: &[&str]) -> Option<Words> {
    names.iter().find_map(|name| {
        let mut from = Vec::new();
        let mut values = BTreeMap::new();
        let mut silent = 0;
        for item in items {
            let Some((place, value)) = word(item, name) else {
                silent += 1;
                continue;
            };
            if !from.contains(&place) {
                from.push(place);
            }
            *values.entry(value).or_default() += 1;
        }
        from.sort();
        (!values.is_empty() && values.len() <= WORDS_MAX).then_some(Words { from, values, silent })
    })
}

fn word(item: &SourceItem, name: &str) -> Option<(String, String)> {
    let is_it = |found: &str| found.eq_ignore_ascii_case(name);
    if let Some((member, Value::String(value))) = item.front_matter.iter().find(|(member, _)| is_it(member)) {
        return Some((format!("front-matter:{member}"), value.trim().to_owned()));
    }
    let (heading, value) = item.headings.iter().find(|(heading, _)| is_it(heading))?;
    Some((format!("heading:{heading}"), value.trim().to_owned()))
}

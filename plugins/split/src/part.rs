//! What a part says.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use tollgate_plugin::{Entry, Failure};
use tollgate_text::{Criterion, Document, Role, criteria};

use crate::settings::Settings;

/// The longest title of the whole in that of a part, in bytes; an entry's may have 500.
const TITLE_BYTES_MAX: usize = 400;

/// The longest text of a part, in bytes; an entry's may have 256 KiB.
const BODY_BYTES_MAX: usize = 200 * 1024;

/// The longest key that a fingerprint names; a fingerprint may have 200 bytes.
const KEY_BYTES_MAX: usize = 150;

/// A part of an entry.
pub(crate) struct Part<'a> {
    /// From 1.
    pub(crate) number: usize,
    /// Of how many.
    pub(crate) of: usize,
    pub(crate) effort: f64,
    pub(crate) criteria: &'a [Criterion],
}

/// The criteria of an entry that are still open and are its own: what holds for every item belongs to no part.
pub(crate) fn open_criteria(entry: &Entry) -> Vec<Criterion> {
    let all = criteria(&Document::parse(&entry.body));
    all.into_iter().filter(|criterion| !criterion.done && criterion.role != Role::Done).collect()
}

/// The parts of these efforts, with the criteria dealt out in their order.
pub(crate) fn parts<'a>(efforts: &[f64], criteria: &'a [Criterion]) -> Vec<Part<'a>> {
    let of = efforts.len();
    let upto = |part: usize| part * criteria.len() / of;
    let part = |(at, effort): (usize, &f64)| Part {
        number: at + 1,
        of,
        effort: *effort,
        criteria: &criteria[upto(at)..upto(at + 1)],
    };
    efforts.iter().enumerate().map(part).collect()
}

impl Part<'_> {
    /// Its title: that of the whole, and which part it is.
    pub(crate) fn title(&self, entry: &Entry) -> String {
        let named =
            [&entry.title, &entry.key].map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
        let line = named.iter().find(|line| !line.is_empty()).map_or("untitled", String::as_str);
        let mut end = line.len().min(TITLE_BYTES_MAX);
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        let title = &line[..end];
        format!("{title} ({} of {})", self.number, self.of)
    }

    /// What the effect `open-entry` asks for.
    ///
    /// # Errors
    ///
    /// A failure of class `escalate` when its text is longer than that of an entry may be.
    pub(crate) fn opening(&self, entry: &Entry, settings: &Settings) -> Result<Value, Failure> {
        let mut opening = Map::new();
        opening.insert("title".into(), self.title(entry).into());
        opening.insert("body".into(), self.body(entry)?.into());
        opening.insert("kind".into(), settings.kind.as_ref().unwrap_or(&entry.kind).as_str().into());
        opening.insert("labels".into(), json!(entry.labels));
        // A backlog whose entries have no such field refuses it.
        if entry.field("effort").is_some() {
            opening.insert("fields".into(), json!({ "effort": number(self.effort) }));
        }
        if entry.key.len() <= KEY_BYTES_MAX && !entry.key.contains(['\n', '\r']) {
            let fingerprint = format!("split:{}:{}/{}", entry.key, self.number, self.of);
            opening.insert("fingerprint".into(), fingerprint.into());
        }
        if let Some(backlog) = &settings.backlog {
            opening.insert("backlog".into(), backlog.as_str().into());
        }
        Ok(opening.into())
    }

    /// What is to be done in this part, and the whole as a quotation: a reader has all of it, and no stage takes it for
    /// what is asked.
    fn body(&self, entry: &Entry) -> Result<String, Failure> {
        let mut body = format!("Part {} of {} of {}.\n", self.number, self.of, entry.key);
        if self.criteria.is_empty() {
            body.push_str(
                "\nNo criterion of the whole is this part's own: say what it is before it is begun.\n",
            );
        } else {
            body.push_str("\n## Acceptance criteria\n\n");
        }
        for criterion in self.criteria {
            // Writing to a text cannot fail.
            let _infallible = writeln!(body, "- [ ] {}", criterion.text);
            for detail in &criterion.details {
                let _infallible = writeln!(body, "  - {detail}");
            }
        }
        let whole: String =
            entry.body.trim().lines().map(|line| format!("> {line}").trim_end().to_string() + "\n").collect();
        if body.len() + whole.len() <= BODY_BYTES_MAX {
            return Ok(format!("{body}\n## The whole\n\n{whole}"));
        }
        if body.len() <= BODY_BYTES_MAX {
            return Ok(format!("{body}\nThe whole is too long to be repeated here: see {}.\n", entry.key));
        }
        Err(Failure::escalate(format!(
            "part {} of {} would have a text of {} bytes, and an entry has {BODY_BYTES_MAX} at the most; split the entry by hand",
            self.number,
            entry.key,
            body.len()
        )))
    }
}

/// A number without decimals that say nothing.
pub(crate) fn number(value: f64) -> Value {
    if value.fract() == 0.0 { json!(value as u64) } else { json!(value) }
}

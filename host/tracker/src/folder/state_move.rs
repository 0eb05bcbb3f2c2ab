//! Moving an item to another state: one line of its file, and nothing else.
//!
//! The new text is put exactly where the old one stood. Then the file is read as if by a scan: it must say the new state and
//! otherwise what it said before, or nothing is written.

use std::ops::Range;

use serde_json::json;
use tollgate_core::{
    Timestamp,
    effect::{Delivered, SetState},
};

use super::{
    config::{FolderConfig, MoveTable},
    files::{self, Existing},
    front_matter::{self, FrontMatter, Node},
    item,
    plain::Outline,
    scan::{Candidate, ITEM_BYTES_MAX},
    settle,
};
use crate::port::DeliveryError;

/// Moves the item in the file to the state that the project's table gives for the name.
pub(super) fn set_state(
    config: &FolderConfig,
    candidate: &Candidate,
    effect: &SetState,
    now: Timestamp,
) -> Result<Delivered, DeliveryError> {
    let shown = candidate.url.as_str();
    let later = |message: String| DeliveryError { message, retry_after: Some(config.settle) };
    let refused = |reason: String| Ok(Delivered::Refused { reason });
    let (table, state) = match declared(config, &effect.state) {
        Ok(found) => found,
        Err(reason) => return refused(reason),
    };
    let (bytes, stamp) =
        files::read(&candidate.path, ITEM_BYTES_MAX).map_err(|error| later(format!("{shown} {error}")))?;
    let changed = match moved(&bytes, &table.field, state) {
        Ok(Change::AlreadyThere) => return Ok(done(shown, state, true)),
        Ok(Change::To(text)) => text,
        Err(reason) => return refused(format!("{shown} is not moved to `{state}`: {reason}")),
    };
    if !settle::is_old(stamp, now, config.settle) {
        return Err(later(format!("{shown} is being edited; its state is set when it has been still")));
    }
    // As late as possible: a person who saved meanwhile wins.
    if files::stamp(&candidate.path).ok() != Some(stamp) {
        return Err(later(format!("{shown} was edited just now")));
    }
    files::write(&candidate.path, changed.as_bytes(), Existing::Replace)
        .map_err(|error| later(format!("cannot write {shown}: {error}")))?;
    match files::read(&candidate.path, ITEM_BYTES_MAX) {
        Ok((there, _)) if matches!(moved(&there, &table.field, state), Ok(Change::AlreadyThere)) => {
            Ok(done(shown, state, false))
        }
        _ => Err(later(format!("{shown} did not say `{state}` when it was read back"))),
    }
}

fn declared<'c>(config: &'c FolderConfig, name: &str) -> Result<(&'c MoveTable, &'c str), String> {
    let Some(table) = &config.moves else {
        return Err(format!(
            "the state `{name}` is not set: the source {} declares no `move` table; add one to let items be moved",
            config.folder
        ));
    };
    match table.states.get(name) {
        Some(state) => Ok((table, state)),
        None => {
            let known: Vec<_> = table.states.keys().map(|name| format!("`{name}`")).collect();
            Err(format!(
                "the state `{name}` is not set: the `move` table of {} has {}; add a line for it",
                config.folder,
                known.join(", ")
            ))
        }
    }
}

fn done(shown: &str, state: &str, was_there: bool) -> Delivered {
    let data = json!({ "state": state, "was-there": was_there });
    Delivered::Done { reference: Some(shown.to_owned()), data }
}

/// What becomes of a file's text.
#[derive(Debug, PartialEq, Eq)]
enum Change {
    AlreadyThere,
    To(String),
}

/// The text with `field` set to `state`.
fn moved(bytes: &[u8], field: &str, state: &str) -> Result<Change, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let mark = text.len() - item::without_mark(text).len();
    let parts = front_matter::split(&text[mark..]).map_err(|error| error.to_string())?;
    if let Some(front) = parts.front {
        let front = front.start + mark..front.end + mark;
        if let Some(read) = FrontMatter::parse(&text[front.clone()]).map_err(|error| error.to_string())? {
            return moved_in_front_matter(text, front, &read, field, state);
        }
    }
    moved_in_headings(text, mark, field, state)
}

fn moved_in_front_matter(
    text: &str,
    front: Range<usize>,
    read: &FrontMatter,
    field: &str,
    state: &str,
) -> Result<Change, String> {
    let member = read.member(field).ok_or_else(|| format!("its front matter has no `{field}`"))?;
    let Some(old) = member.value.text() else { return Err(format!("`{field}` holds more than one text")) };
    if old == state {
        return Ok(Change::AlreadyThere);
    }
    let yaml = &text[front.clone()];
    let written = &yaml[member.place.clone()];
    let one_line =
        !written.is_empty() && !written.contains('\n') && matches!(member.value, Node::Scalar { .. });
    if !one_line {
        return Err(format!("`{field}` is not written as one text on one line"));
    }
    let place = front.start + member.place.start..front.start + member.place.end;
    spellings(written, state)
        .into_iter()
        .map(|spelling| replaced(text, place.clone(), &spelling))
        .find(|changed| {
            let front = front.start..front.end + changed.len() - text.len();
            let Ok(Some(now)) = changed.get(front).map_or(Ok(None), FrontMatter::parse) else { return false };
            let says = now.member(field).and_then(|member| member.value.text()) == Some(state);
            says && now.without(field) == read.without(field) && one_line_differs(text, changed)
        })
        .map(Change::To)
        .ok_or_else(|| format!("`{field}` cannot be changed without changing more"))
}

/// The state as it may be spelled, in the style of what is there first.
fn spellings(written: &str, state: &str) -> Vec<String> {
    let double = front_matter::quoted(state);
    let single = format!("'{}'", state.replace('\'', "''"));
    match written.chars().next() {
        Some('"') => vec![double],
        Some('\'') => vec![single, double],
        _ => vec![state.to_owned(), single, double],
    }
}

fn moved_in_headings(text: &str, mark: usize, field: &str, state: &str) -> Result<Change, String> {
    let outline = Outline::of(&text[mark..]);
    let fact =
        outline.fact(field).ok_or_else(|| format!("it says no `{field}`, in front matter or headings"))?;
    if fact.value == state {
        return Ok(Change::AlreadyThere);
    }
    let place = fact.place.clone().ok_or_else(|| format!("its `{field}` does not stand beside its name"))?;
    let changed = replaced(text, place.start + mark..place.end + mark, state);
    let now = Outline::of(&changed[mark..]);
    let says = now.fact(field).is_some_and(|fact| fact.value == state);
    if says && one_line_differs(text, &changed) {
        Ok(Change::To(changed))
    } else {
        Err(format!("`{field}` cannot be changed without changing more"))
    }
}

fn replaced(text: &str, place: Range<usize>, new: &str) -> String {
    [&text[..place.start], new, &text[place.end..]].concat()
}

fn one_line_differs(before: &str, after: &str) -> bool {
    let (before, after) = (before.split('\n'), after.split('\n'));
    before.clone().count() == after.clone().count() && before.zip(after).filter(|(a, b)| a != b).count() == 1
}

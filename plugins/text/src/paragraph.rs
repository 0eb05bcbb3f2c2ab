//! The parts of one Markdown paragraph: labels, check boxes without a list, pasted logs, and prose.

use std::ops::Range;

use crate::label::label;
use crate::log_line::is_log_line;
use crate::role::Role;
use crate::scenario::is_scenario;

/// A part of a paragraph; ranges are bytes of the paragraph.
#[derive(Debug, PartialEq)]
pub(crate) enum Part {
    Prose(Range<usize>),
    CheckBox(Range<usize>),
    Log(Range<usize>),
    /// What follows belongs to it; to the end of the paragraph only, if prose stands on its line.
    Label {
        name: String,
        role: Option<Role>,
        has_prose: bool,
    },
}

/// Splits a paragraph. Labels with prose on their line count only where `inline_labels` says so.
pub(crate) fn parts(text: &str, inline_labels: bool) -> Vec<Part> {
    let by_line = is_scenario(text.lines());
    let mut parts = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        let here = at + indent..at + line.trim_end().len().max(indent);
        at += line.len();
        if here.is_empty() {
            continue;
        }
        let line = &text[here.clone()];
        if is_log_line(line) {
            join(&mut parts, here, false, Part::Log);
        } else if check_box(line).is_some() {
            parts.push(Part::CheckBox(here));
        } else if let Some(found) = label(line).filter(|found| found.rest.is_empty() || inline_labels) {
            let has_prose = !found.rest.is_empty();
            parts.push(Part::Label { name: found.name.to_string(), role: found.role, has_prose });
            if has_prose {
                parts.push(Part::Prose(here.end - found.rest.len()..here.end));
            }
        } else {
            join(&mut parts, here, by_line, Part::Prose);
        }
    }
    parts
}

/// Lengthens the last part if it is of the same kind, or begins a new one.
fn join(parts: &mut Vec<Part>, here: Range<usize>, apart: bool, part: fn(Range<usize>) -> Part) {
    match (parts.last_mut(), part(here.clone())) {
        (Some(Part::Prose(last)), Part::Prose(_)) if !apart => last.end = here.end,
        (Some(Part::Log(last)), Part::Log(_)) => last.end = here.end,
        (_, new) => parts.push(new),
    }
}

/// Reads `[ ] text` and `[x] text`, and the marks that stand for them: whether it is done, and the text.
pub(crate) fn check_box(text: &str) -> Option<(bool, &str)> {
    const BOXES: &[(&str, bool)] = &[
        ("[ ]", false),
        ("[]", false),
        ("[x]", true),
        ("[X]", true),
        ("☐", false),
        ("☑", true),
        ("✅", true),
    ];
    let text = text.trim_start();
    BOXES.iter().find_map(|(mark, done)| {
        let rest = text.strip_prefix(mark)?;
        (rest.is_empty() || rest.starts_with(char::is_whitespace)).then(|| (*done, rest.trim_start()))
    })
}

//! Bold lines and short words before a colon that people use where a heading could stand.

use crate::role::Role;

/// A label at the beginning of a line and what follows it on that line.
pub(crate) struct Label<'a> {
    pub(crate) name: &'a str,
    /// `None` when the label names no role: a bold line that is a heading of the item's own.
    pub(crate) role: Option<Role>,
    pub(crate) rest: &'a str,
}

/// Reads `**Expected:** a list`, `**Scope**`, `Acceptance criteria:` and the like.
///
/// A bold line of its own is always a label. Any other is one only if its name is known, because `Note that:` and
/// `10:30` are not; and plain words with text behind them only if that name is hardly ever an ordinary word.
pub(crate) fn label(line: &str) -> Option<Label<'_>> {
    let line = line.trim();
    bold(line).or_else(|| plain(line)).or_else(|| bare(line))
}

/// A line that is no more than the name of a section that people seldom speak of otherwise.
fn bare(line: &str) -> Option<Label<'_>> {
    if line.split_whitespace().count() > 3 || line.ends_with(['.', '!', '?', ',']) {
        return None;
    }
    let role = Role::of_heading(line)?;
    let seldom = matches!(role, Role::Criteria | Role::Done | Role::OutOfScope) && line.contains(' ');
    seldom.then_some(Label { name: line, role: Some(role), rest: "" })
}

fn bold(line: &str) -> Option<Label<'_>> {
    let mark = ["**", "__"].into_iter().find(|mark| line.starts_with(mark))?;
    let inner = &line[mark.len()..];
    let end = inner.find(mark)?;
    let (name, rest) = (inner[..end].trim(), inner[end + mark.len()..].trim_start());
    let colon = name.ends_with(':') || rest.starts_with(':');
    let rest = rest.strip_prefix(':').unwrap_or(rest).trim_start();
    let name = name.trim_end_matches(':').trim_end();
    if name.is_empty() || (!rest.is_empty() && !colon) {
        return None;
    }
    let role = Role::of_heading(name);
    (rest.is_empty() || role.is_some()).then_some(Label { name, role, rest })
}

fn plain(line: &str) -> Option<Label<'_>> {
    let (name, rest) = line.split_once(':')?;
    if name.len() > 60 || name.split_whitespace().count() > 4 || rest.starts_with(['/', ':']) {
        return None;
    }
    let (name, rest) = (name.trim(), rest.trim_start());
    let role = Role::of_heading(name)?;
    let unmistakable = matches!(
        role,
        Role::Criteria
            | Role::Expected
            | Role::OutOfScope
            | Role::Dependencies
            | Role::Constraints
            | Role::Problem
    );
    (rest.is_empty() || unmistakable).then_some(Label { name, role: Some(role), rest })
}

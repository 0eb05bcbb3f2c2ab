//! Given, When, Then.

/// The keyword a line of a scenario begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Given,
    When,
    Then,
    /// "And" or "But": more of the same.
    More,
}

/// The step a line begins with, whatever emphasis the keyword has.
pub(crate) fn step(line: &str) -> Option<Step> {
    let line = line.trim_start().trim_start_matches(['*', '_']);
    let end = line.find(|c: char| !c.is_alphabetic())?;
    let (keyword, rest) = line.split_at(end);
    if rest.trim_matches(['*', '_', ' ', ':', ',']).is_empty() {
        return None;
    }
    match keyword {
        "Given" | "GIVEN" | "Angenommen" => Some(Step::Given),
        "When" | "WHEN" | "Wenn" => Some(Step::When),
        "Then" | "THEN" | "Dann" => Some(Step::Then),
        "And" | "AND" | "But" | "BUT" | "Und" | "Aber" => Some(Step::More),
        _ => None,
    }
}

/// Whether one sentence holds a whole scenario: "Given a list, when it is empty, then nothing is shown".
pub(crate) fn is_whole(sentence: &str) -> bool {
    let Some(first) = step(sentence) else { return false };
    let lower = sentence.to_lowercase();
    let then = lower.find(" then ").or_else(|| lower.find(" dann "));
    let when = lower.find(" when ").or_else(|| lower.find(" wenn "));
    match (first, when, then) {
        (Step::Given, Some(when), Some(then)) => when < then,
        _ => false,
    }
}

/// Whether these lines hold a scenario: a Then after a Given or a When.
pub(crate) fn is_scenario<'a>(lines: impl Iterator<Item = &'a str>) -> bool {
    let mut opened = false;
    for line in lines {
        match step(line) {
            Some(Step::Given | Step::When) => opened = true,
            Some(Step::Then) if opened => return true,
            _ => {}
        }
    }
    false
}

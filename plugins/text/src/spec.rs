//! The shape of a technical specification, agreed between the stage that drafts it and the gate that checks it.

/// The sections of a specification in their usual order.
pub mod section {
    /// What is asked for, in short.
    pub const SUMMARY: &str = "Summary";
    /// What is wrong or wanted, and why.
    pub const PROBLEM: &str = "Problem and context";
    /// What has to be so, one statement each.
    pub const REQUIREMENTS: &str = "Requirements";
    /// How it will be seen that it is so.
    pub const CRITERIA: &str = "Acceptance criteria";
    /// What is not part of the work.
    pub const OUT_OF_SCOPE: &str = "Out of scope";
    /// What must be kept to.
    pub const CONSTRAINTS: &str = "Constraints";
    /// What has to be there first.
    pub const DEPENDENCIES: &str = "Dependencies";
    /// What nobody has said yet.
    pub const QUESTIONS: &str = "Open questions";
    /// Which criterion proves which requirement, and where each was found.
    pub const TRACEABILITY: &str = "Traceability";
    /// What the review asked for and what came of it.
    pub const REVIEW: &str = "Changes after review";
    /// What the specification was made from.
    pub const PROVENANCE: &str = "Provenance";
}

/// Stands where the entry says nothing. A section that holds only this states nothing.
pub const NOT_STATED: &str = "_Not stated in the entry._";

/// What a numbered statement of a specification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Series {
    /// `REQ-1`: a requirement.
    Requirement,
    /// `AC-1`: an acceptance criterion.
    Criterion,
}

/// The number of a requirement or of an acceptance criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatementId {
    /// Requirement or criterion.
    pub series: Series,
    /// Counted from 1.
    pub number: u32,
}

impl StatementId {
    /// `REQ-<number>`.
    pub fn requirement(number: u32) -> Self {
        StatementId { series: Series::Requirement, number }
    }

    /// `AC-<number>`.
    pub fn criterion(number: u32) -> Self {
        StatementId { series: Series::Criterion, number }
    }
}

impl std::fmt::Display for StatementId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let series = match self.series {
            Series::Requirement => "REQ",
            Series::Criterion => "AC",
        };
        write!(f, "{series}-{}", self.number)
    }
}

/// The ids that stand in a text as whole words, in order.
pub fn ids(text: &str) -> Vec<StatementId> {
    let mut found = Vec::new();
    for word in text.split(|c: char| !(c.is_alphanumeric() || c == '-')) {
        let (series, number) = match word.split_once('-') {
            Some(("REQ", number)) => (Series::Requirement, number),
            Some(("AC", number)) => (Series::Criterion, number),
            _ => continue,
        };
        if let Ok(number) = number.parse() {
            found.push(StatementId { series, number });
        }
    }
    found
}

/// Words that always stand where something has still to be written.
const PLACEHOLDERS: &[&str] = &["TBD", "TBA", "TBC"];

/// Words that do so before a colon or at an end. Elsewhere they name what other people left: "list TODO comments".
const MARKERS: &[&str] = &["TODO", "FIXME", "XXX"];

/// The first placeholder of a text: `TBD`, `TODO: …`, `???`, `lorem ipsum`. Code spans are not searched, since there
/// they name something.
pub fn placeholder(text: &str) -> Option<&'static str> {
    let prose = crate::modal::outside_code(text);
    let mut words = crate::words::words(&prose);
    let stands = |marker: &str| {
        prose.match_indices(marker).any(|(at, _)| {
            let rest = prose[at + marker.len()..].trim_start();
            rest.starts_with(':') || !rest.contains(char::is_alphanumeric)
        })
    };
    words
        .find_map(|word| PLACEHOLDERS.iter().find(|known| **known == word))
        .or_else(|| MARKERS.iter().find(|marker| stands(marker)))
        .copied()
        .or_else(|| prose.contains("???").then_some("???"))
        .or_else(|| prose.to_lowercase().contains("lorem ipsum").then_some("lorem ipsum"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_whole_words() {
        let all: Vec<String> = ids("**AC-1** (REQ-2, REQ-03) see BACK-4, REQ-x, XREQ-5, AC-6-7")
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(all, ["AC-1", "REQ-2", "REQ-3"]);
    }

    #[test]
    fn placeholders_are_told_from_words_that_name_them() {
        assert_eq!(placeholder("The limit is TBD."), Some("TBD"));
        assert_eq!(placeholder("The limit is ???"), Some("???"));
        assert_eq!(placeholder("TODO: say what the limit is"), Some("TODO"));
        assert_eq!(placeholder("The limit is (TODO)."), Some("TODO"));
        assert_eq!(placeholder("List TODO comments, `TBD` and Todo lists"), None);
    }
}

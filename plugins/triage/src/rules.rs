//! The kinds of work and the rules shipped for telling them apart.

use serde::{Deserialize, Serialize};

use crate::settings::Rule;

/// What kind of work an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Something new that users can do.
    Feature,
    /// Something that does not do what it should.
    Bug,
    /// The same behaviour in a better shape.
    Refactor,
    /// A hole, or protection against one.
    Security,
    /// Words for readers.
    Doc,
    /// Proof that something works.
    Test,
    /// The same behaviour with less time or memory.
    Performance,
}

impl Kind {
    /// The kind that a word names, if it names one; sources and people have several words for each.
    pub fn of_word(word: &str) -> Option<Kind> {
        let kind = match word.trim().to_lowercase().as_str() {
            "feature" | "enhancement" | "story" | "improvement" => Kind::Feature,
            "bug" | "defect" | "fix" | "bugfix" | "regression" => Kind::Bug,
            "refactor" | "refactoring" | "cleanup" | "chore" | "debt" => Kind::Refactor,
            "security" | "vulnerability" => Kind::Security,
            "doc" | "docs" | "documentation" => Kind::Doc,
            "test" | "tests" | "testing" => Kind::Test,
            "performance" | "perf" => Kind::Performance,
            _ => return None,
        };
        Some(kind)
    }

    /// The word for records.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Feature => "feature",
            Kind::Bug => "bug",
            Kind::Refactor => "refactor",
            Kind::Security => "security",
            Kind::Doc => "doc",
            Kind::Test => "test",
            Kind::Performance => "performance",
        }
    }
}

/// The rules used when a project writes none. Higher impact stands before lower, because of rules that fit equally
/// well the earlier wins.
#[rustfmt::skip]
pub fn shipped() -> Vec<Rule> {
    let rule = |words: &[&str], kind: Option<Kind>, impact: Option<u8>, effort: Option<u8>| Rule {
        words: words.iter().map(ToString::to_string).collect(),
        kind,
        impact,
        effort,
    };
    vec![
        rule(&["critical vulnerability", "remote code execution", "data loss"], None, Some(13), None),
        rule(&["security", "vulnerability", "vulnerabilities", "cve", "xss", "csrf", "sql injection",
               "privilege escalation"], Some(Kind::Security), Some(8), None),
        rule(&["critical"], None, Some(8), None),
        rule(&["crash", "crashes", "crashed", "crashing", "deadlock"], Some(Kind::Bug), Some(8), None),
        rule(&["performance", "slow", "slower", "latency", "throughput", "memory leak", "speed up"],
             Some(Kind::Performance), Some(8), None),
        rule(&["failing test", "failing tests", "test failure", "flaky"], Some(Kind::Test), Some(5), None),
        rule(&["bug", "defect", "error", "errors", "broken", "regression", "fails", "failure", "wrong",
               "incorrect", "fix", "fixes"], Some(Kind::Bug), Some(5), None),
        rule(&["improvement", "improvements", "improve"], None, Some(5), None),
        rule(&["docs", "doc", "documentation", "readme", "tutorial", "changelog", "typo"],
             Some(Kind::Doc), Some(3), Some(2)),
        rule(&["test", "tests", "testing", "test coverage"], Some(Kind::Test), Some(3), None),
        rule(&["refactor", "refactoring", "technical debt", "restructure"], Some(Kind::Refactor), Some(3), Some(5)),
        rule(&["cleanup", "clean up", "rename", "chore"], Some(Kind::Refactor), Some(3), Some(2)),
        rule(&["feature", "enhancement", "add", "allow", "support", "introduce", "implement"],
             Some(Kind::Feature), None, None),
        rule(&["migrate", "migration", "rewrite", "redesign", "architecture", "overhaul"], None, None, Some(8)),
        rule(&["implement", "integrate", "integration"], None, None, Some(5)),
        rule(&["bump"], None, None, Some(2)),
    ]
}

//! What a section of a backlog item is for, told by its heading.
//!
//! People name the same section in many ways. The table holds the names seen in real backlogs; a name that is not
//! in it belongs to the section around it.

/// What the text of a section is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Text before any heading, or under the title.
    Preamble,
    /// What the item is, in short.
    Summary,
    /// What is wrong or wanted, and why.
    Problem,
    /// What should be seen once it is done.
    Expected,
    /// What is asked for.
    Requirements,
    /// How it will be accepted.
    Criteria,
    /// What holds for every item before it counts as done.
    Done,
    /// How it will be checked.
    Verification,
    /// What does not belong to it.
    OutOfScope,
    /// What must be kept to.
    Constraints,
    /// What has to be there first.
    Dependencies,
    /// What is not known yet.
    Questions,
    /// Where else to look.
    References,
    /// How it might be built.
    Plan,
    /// What was done about it so far.
    History,
    /// Facts for machines, such as status and priority.
    Metadata,
    /// A heading of the item's own.
    Other,
}

impl Role {
    /// The role that a heading names, if it names one.
    pub fn of_heading(heading: &str) -> Option<Role> {
        let name = normal(heading);
        if name.is_empty() {
            return None;
        }
        NAMES
            .iter()
            .find(|(_, names)| names.iter().any(|known| names_it(&name, known)))
            .map(|(role, _)| *role)
    }

    /// Whether the text says what is wanted, as against facts about the item or an account of the work.
    pub fn is_ask(self) -> bool {
        !matches!(
            self,
            Role::Plan | Role::History | Role::Metadata | Role::References | Role::Done | Role::Questions
        )
    }
}

/// A name of several words also stands for the headings that begin with it: "Acceptance criteria for the export".
fn names_it(name: &str, known: &str) -> bool {
    match name.strip_prefix(known) {
        Some("") => true,
        Some(rest) => known.contains(' ') && rest.starts_with(' '),
        None => false,
    }
}

/// Lower case, without numbering, emphasis, what stands in brackets, and what is no letter at the ends.
fn normal(heading: &str) -> String {
    let before_brackets = heading.split(['(', '[', '{']).find(|part| part.chars().any(char::is_alphabetic));
    let head = before_brackets.unwrap_or("").split(':').next().unwrap_or("");
    let kept = head.trim_matches(|c: char| !c.is_alphabetic());
    let mut name = String::with_capacity(kept.len());
    for word in
        kept.split(|c: char| !(c.is_alphanumeric() || c == '\'' || c == '’')).filter(|word| !word.is_empty())
    {
        if !name.is_empty() {
            name.push(' ');
        }
        name.extend(word.chars().map(|c| if c == '’' { '\'' } else { c }).flat_map(char::to_lowercase));
    }
    name
}

/// Names in the order in which they are tried: what is out of scope before what is in scope.
#[rustfmt::skip]
const NAMES: &[(Role, &[&str])] = &[
    (Role::OutOfScope, &[
        "out of scope", "not in scope", "non goals", "non goal", "nongoals", "exclusions", "won't do",
        "not included", "not touched", "not part of this", "nicht im umfang", "nicht enthalten", "対象外",
    ]),
    (Role::Criteria, &[
        "acceptance criteria", "acceptance criterion", "acceptance", "ac", "acs", "success criteria",
        "conditions of satisfaction", "done when", "done means", "what counts as done", "how we know it is done",
        "we accept it when", "acceptance tests", "scenarios", "scenario",
        "akzeptanzkriterien", "abnahmekriterien", "受け入れ条件", "受入条件", "受け入れ基準",
    ]),
    (Role::Done, &["definition of done", "dod"]),
    (Role::Expected, &[
        "expected", "expected behavior", "expected behaviour", "expected result", "expected results",
        "expected outcome", "desired behavior", "desired behaviour", "desired outcome", "what should happen", "erwartet",
        "erwartetes verhalten", "期待", "期待される動作", "期待する動作",
    ]),
    (Role::Verification, &[
        "verification", "verify", "how to verify", "validation", "test plan", "tests", "testing", "how to test",
        "testing strategy", "test notes", "prüfung", "検証",
    ]),
    (Role::Constraints, &[
        "constraints", "constraint", "limitations", "non functional requirements", "compatibility", "security",
        "security notes", "security considerations", "rahmenbedingungen", "einschränkungen", "制約",
    ]),
    (Role::Dependencies, &[
        "dependencies", "dependency", "depends on", "blocked by", "prerequisites", "requires", "abhängigkeiten",
        "依存関係", "依存",
    ]),
    (Role::Questions, &[
        "open questions", "open question", "questions", "questions and answers", "faq", "unknowns", "to be decided", "offene fragen", "未解決の質問",
    ]),
    (Role::Requirements, &[
        "requirements", "requirement", "fix required", "required fix", "required changes", "proposed solution",
        "proposed fix", "proposal", "solution", "fix", "goal", "goals", "scope", "in scope", "what", "features",
        "what to do", "what we want", "what is wanted", "what is needed", "wanted", "to do", "todo", "tasks", "request", "feature request", "anforderungen", "ziel", "ziele",
        "要件", "目的", "対応",
    ]),
    (Role::Summary, &["summary", "overview", "tl dr", "tldr", "abstract", "zusammenfassung", "概要"]),
    (Role::Problem, &[
        "problem", "problem statement", "description", "context", "background", "motivation", "why", "rationale",
        "user story", "story", "actual", "actual behavior", "actual behaviour", "actual result", "actual results",
        "current behavior", "current behaviour", "current state", "steps to reproduce", "reproduction", "repro",
        "how to reproduce", "issue", "bug", "symptom", "symptoms", "impact", "what happened", "what happens", "root cause",
        "beschreibung", "hintergrund", "tatsächlich", "tatsächliches verhalten", "説明", "背景", "問題", "現状",
    ]),
    (Role::References, &["references", "reference", "links", "related", "related issues", "see also", "参考"]),
    (Role::Plan, &[
        "plan", "implementation plan", "implementation approach", "implementation", "approach", "design",
        "technical notes", "technical details", "architecture", "files to modify", "key files", "umsetzung",
    ]),
    (Role::History, &[
        "implementation notes", "implementation summary", "implementation details", "implementation complete",
        "final summary", "notes", "comments", "changes", "changes made", "files modified", "modified files",
        "changelog", "work log", "worklog", "history", "progress", "log", "logs", "stack trace", "stacktrace",
        "output",
    ]),
    (Role::Metadata, &[
        "status", "priority", "severity", "labels", "label", "assignee", "owner", "team", "estimate", "effort",
        "type", "kind", "component", "milestone", "created", "environment", "version", "state",
    ]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(heading: &str, role: Option<Role>) {
        assert_eq!(Role::of_heading(heading), role, "{heading}");
    }

    #[test]
    fn headings_name_their_role_however_they_are_written() {
        check("Acceptance Criteria", Some(Role::Criteria));
        check("## Acceptance Criteria (Optional)", Some(Role::Criteria));
        check("**Acceptance criteria:**", Some(Role::Criteria));
        check("3. Acceptance criteria for the web UI", Some(Role::Criteria));
        check("✅ AC", Some(Role::Criteria));
        check("Definition of Done", Some(Role::Done));
        check("Non-goals", Some(Role::OutOfScope));
        check("Out of scope:", Some(Role::OutOfScope));
        check("Won’t do", Some(Role::OutOfScope));
        check("Status: Open", Some(Role::Metadata));
        check("Fix Required", Some(Role::Requirements));
        check("Akzeptanzkriterien", Some(Role::Criteria));
        check("受け入れ条件", Some(Role::Criteria));
        check("Fixtures", None);
        check("What the parser does", None);
        check("", None);
        check("!!!", None);
    }
}

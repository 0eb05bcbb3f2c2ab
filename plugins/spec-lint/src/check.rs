//! The rules at work, one function each.

use std::collections::{BTreeMap, BTreeSet};

use tollgate_text::spec::{StatementId, ids, placeholder, section};
use tollgate_text::{Phrase, fold, modals, vague_words, word_count, words};

use crate::rule::RuleId;
use crate::settings::Settings;
use crate::specification::Specification;

/// What a rule has to say, and on which line.
pub(crate) struct Fault {
    pub(crate) message: String,
    pub(crate) line: Option<u32>,
}

fn fault(line: u32, message: String) -> Fault {
    Fault { message, line: Some(line) }
}

/// Checks one rule.
pub(crate) fn check(rule: RuleId, spec: &Specification, settings: &Settings) -> Vec<Fault> {
    match rule {
        RuleId::Problem => problem(spec, settings),
        RuleId::Measure => measure(spec, settings),
        RuleId::Acceptance => acceptance(spec),
        RuleId::Trace => trace(spec),
        RuleId::Placeholder => placeholders(spec),
        RuleId::Duplicate => duplicates(spec),
        RuleId::OpenQuestions => open_questions(spec, settings),
        RuleId::Atomic => atomic(spec, settings),
        RuleId::Sections => sections(spec, settings),
        RuleId::Reference => references(spec),
        RuleId::Boundary => boundary(spec),
        RuleId::Title => title(spec),
    }
}

fn problem(spec: &Specification, settings: &Settings) -> Vec<Fault> {
    let found = spec.section(section::PROBLEM);
    let count: usize =
        found.into_iter().flat_map(|section| section.prose()).map(|block| word_count(&block.text)).sum();
    if count >= settings.min_problem_words || spec.asks_for(section::PROBLEM) {
        return Vec::new();
    }
    let least = settings.min_problem_words;
    let message = format!("the problem is stated in {count} words; at least {least} are expected");
    vec![Fault { message, line: found.map(|section| section.line) }]
}

fn measure(spec: &Specification, settings: &Settings) -> Vec<Fault> {
    let more: Vec<Phrase> = settings.vague_words.iter().map(|word| Phrase::new(word)).collect();
    let mut faults = Vec::new();
    for statement in spec.statements() {
        if statement.id.is_some_and(|id| spec.asks_about(id)) {
            continue;
        }
        let vague = vague_words(&statement.text, &more);
        if !vague.is_empty() {
            let named: Vec<String> = vague.iter().map(|vague| format!("“{}”", vague.word)).collect();
            let message = format!("{} says {} without a measure", statement.name(), named.join(" and "));
            faults.push(fault(statement.line, message));
        }
    }
    faults
}

fn acceptance(spec: &Specification) -> Vec<Fault> {
    if !spec.criteria.is_empty() {
        return Vec::new();
    }
    let line = spec.section(section::CRITERIA).map(|section| section.line);
    vec![Fault { message: "there is no acceptance criterion".to_string(), line }]
}

fn trace(spec: &Specification) -> Vec<Fault> {
    let mut proven: BTreeSet<StatementId> =
        spec.criteria.iter().flat_map(|criterion| criterion.refers_to.clone()).collect();
    let criteria: BTreeSet<StatementId> = spec.criteria.iter().filter_map(|criterion| criterion.id).collect();
    for row in spec.section(section::TRACEABILITY).into_iter().flat_map(|section| &section.blocks) {
        let named = ids(&row.text);
        if named.iter().any(|id| criteria.contains(id)) {
            proven.extend(named);
        }
    }
    let mut faults = Vec::new();
    for requirement in &spec.requirements {
        let message = match requirement.id {
            None => format!("{} has no number, so nothing can be traced to it", requirement.name()),
            Some(id) if !proven.contains(&id) && !spec.asks_about(id) => {
                format!("{id} is traced to no acceptance criterion")
            }
            Some(_) => continue,
        };
        faults.push(fault(requirement.line, message));
    }
    faults
}

fn placeholders(spec: &Specification) -> Vec<Fault> {
    let mut faults = Vec::new();
    for statement in spec.statements() {
        if let Some(found) = placeholder(&statement.text) {
            let message = format!("{} holds the placeholder “{found}”", statement.name());
            faults.push(fault(statement.line, message));
        }
    }
    let elsewhere = [section::REQUIREMENTS, section::CRITERIA, section::QUESTIONS];
    for section in
        spec.sections.iter().filter(|section| !section.is_one_of(&elsewhere) && !section.is_account())
    {
        for block in section.prose() {
            if let Some(found) = placeholder(&block.text) {
                let message = format!("section “{}” holds the placeholder “{found}”", section.title);
                faults.push(fault(block.line, message));
            }
        }
    }
    faults
}

fn duplicates(spec: &Specification) -> Vec<Fault> {
    let mut first: BTreeMap<String, String> = BTreeMap::new();
    let mut faults = Vec::new();
    for requirement in &spec.requirements {
        let key: Vec<String> = words(&requirement.text).map(fold).collect();
        match first.get(&key.join(" ")) {
            Some(earlier) => {
                faults.push(fault(
                    requirement.line,
                    format!("{} says the same as {earlier}", requirement.name()),
                ));
            }
            None => {
                first.insert(key.join(" "), requirement.name());
            }
        }
    }
    faults
}

fn open_questions(spec: &Specification, settings: &Settings) -> Vec<Fault> {
    let open: Vec<_> = spec.questions.iter().filter(|question| !question.answered).collect();
    let limit = settings.max_open_questions;
    match open.get(limit) {
        Some(first_too_many) => {
            let message = format!("{} questions are open; at most {limit} may be", open.len());
            vec![fault(first_too_many.line, message)]
        }
        None => Vec::new(),
    }
}

fn atomic(spec: &Specification, settings: &Settings) -> Vec<Fault> {
    let mut faults = Vec::new();
    for requirement in &spec.requirements {
        let modals = modals(&requirement.text);
        if modals.len() > 1 {
            let named: Vec<String> = modals.iter().map(|modal| format!("“{modal}”")).collect();
            let message = format!("{} obliges more than once: {}", requirement.name(), named.join(", "));
            faults.push(fault(requirement.line, message));
        }
        let (count, limit) = (word_count(&requirement.text), settings.max_requirement_words);
        if count > limit {
            faults.push(fault(
                requirement.line,
                format!("{} has {count} words; at most {limit} are allowed", requirement.name()),
            ));
        }
    }
    faults
}

fn sections(spec: &Specification, settings: &Settings) -> Vec<Fault> {
    let missing = settings.required_sections.iter().filter(|title| spec.section(title).is_none());
    let mut faults: Vec<Fault> =
        missing.map(|title| Fault { message: format!("section “{title}” is missing"), line: None }).collect();
    let is_title = |line: u32| spec.title.as_ref().is_some_and(|(_, title_line)| *title_line == line);
    for section in spec.sections.iter().filter(|section| section.blocks.is_empty() && !is_title(section.line))
    {
        faults.push(fault(section.line, format!("section “{}” is empty", section.title)));
    }
    faults
}

fn references(spec: &Specification) -> Vec<Fault> {
    let defined: BTreeSet<StatementId> = spec.statements().filter_map(|statement| statement.id).collect();
    let mut faults = Vec::new();
    for section in spec.sections.iter().filter(|section| !section.is_account()) {
        for block in section.blocks.iter().filter(|block| block.is_prose()) {
            let dangling: BTreeSet<StatementId> = ids(&tollgate_text::outside_code(&block.text))
                .into_iter()
                .filter(|id| !defined.contains(id))
                .collect();
            for id in dangling {
                faults.push(fault(block.line, format!("{id} is referred to and nowhere defined")));
            }
        }
    }
    faults
}

fn boundary(spec: &Specification) -> Vec<Fault> {
    if spec.section(section::OUT_OF_SCOPE).is_some() {
        return Vec::new();
    }
    vec![Fault { message: "nothing says what is out of scope".to_string(), line: None }]
}

/// Words that stand in the titles of very different work.
const GENERIC: &[&str] = &[
    "a",
    "an",
    "and",
    "app",
    "better",
    "bug",
    "bugs",
    "change",
    "changes",
    "error",
    "feature",
    "fix",
    "fixes",
    "for",
    "improve",
    "improvement",
    "improvements",
    "issue",
    "it",
    "make",
    "misc",
    "more",
    "new",
    "of",
    "problem",
    "request",
    "some",
    "stuff",
    "task",
    "the",
    "thing",
    "things",
    "to",
    "todo",
    "update",
    "updates",
    "various",
    "work",
];

fn title(spec: &Specification) -> Vec<Fault> {
    let Some((title, line)) = &spec.title else {
        return vec![Fault { message: "the specification has no title".to_string(), line: None }];
    };
    let telling = words(title).filter(|word| !GENERIC.contains(&fold(word).as_str())).count();
    if word_count(title) >= 2 && telling >= 1 {
        return Vec::new();
    }
    vec![fault(*line, format!("the title “{title}” could stand over very different work"))]
}

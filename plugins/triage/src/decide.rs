//! From evidence to decisions, best evidence first.

use serde_json::{Value, json};
use tollgate_plugin::Entry;
use tollgate_text::{Criterion, Role};

use crate::evidence::{Evidence, Place};
use crate::rules::Kind;
use crate::settings::{POINTS, Rule, Settings};
use crate::signal::{From, Signal};

/// What was decided of an entry.
#[derive(Debug)]
pub struct Decision {
    /// What kind of work it is.
    pub kind: Kind,
    /// How much it matters, 1 to 13.
    pub impact: u8,
    /// How large it is, 1 to 13.
    pub effort: u8,
    /// By what it will be accepted.
    pub criteria: Vec<Criterion>,
    /// Why, one for each decision, and one for each field that could not be used.
    pub signals: Vec<Signal>,
}

/// Effort by the number of criteria: up to so many criteria, so much effort.
const EFFORT_BY_CRITERIA: &[(usize, u8)] = &[(2, 2), (5, 3), (9, 5), (14, 8), (usize::MAX, 13)];

/// Decides kind, impact and effort of an entry.
pub fn decide(entry: &Entry, settings: &Settings) -> Decision {
    let evidence = Evidence::of(entry);
    let mut signals = Vec::new();
    let kind = kind(entry, settings, &evidence, &mut signals);
    let impact = impact(entry, settings, &evidence, &mut signals);
    let effort = effort(entry, settings, &evidence, &mut signals);
    Decision { kind, impact, effort, criteria: evidence.criteria, signals }
}

fn kind(entry: &Entry, settings: &Settings, evidence: &Evidence, signals: &mut Vec<Signal>) -> Kind {
    let read = |value: &Value| value.as_str().and_then(Kind::of_word);
    if let Some(kind) = declared(entry, "kind", "one of the kinds this stage knows", read, signals) {
        return kind;
    }
    if let Some(kind) = Kind::of_word(&entry.kind) {
        signals.push(signal("kind", json!(kind), From::Entry, vec![entry.kind.clone()]));
        return kind;
    }
    let value = |rule: &Rule| rule.kind;
    by_rule("kind", Place::Labels, settings, evidence, value, signals)
        .or_else(|| by_rule("kind", Place::Title, settings, evidence, value, signals))
        .or_else(|| by_rule("kind", Place::Body, settings, evidence, value, signals))
        .unwrap_or_else(|| default("kind", settings.default_kind, signals))
}

fn impact(entry: &Entry, settings: &Settings, evidence: &Evidence, signals: &mut Vec<Signal>) -> u8 {
    if let Some(points) = declared(entry, "impact", "a number from 1 to 13", points, signals) {
        return points;
    }
    let value = |rule: &Rule| rule.impact;
    by_rule("impact", Place::Labels, settings, evidence, value, signals)
        .or_else(|| by_rule("impact", Place::Title, settings, evidence, value, signals))
        .or_else(|| by_rule("impact", Place::Body, settings, evidence, value, signals))
        .unwrap_or_else(|| default("impact", settings.default_impact, signals))
}

fn effort(entry: &Entry, settings: &Settings, evidence: &Evidence, signals: &mut Vec<Signal>) -> u8 {
    if let Some(points) = declared(entry, "effort", "a number from 1 to 13", points, signals) {
        return points;
    }
    let value = |rule: &Rule| rule.effort;
    by_rule("effort", Place::Labels, settings, evidence, value, signals)
        .or_else(|| by_rule("effort", Place::Title, settings, evidence, value, signals))
        .or_else(|| by_criteria(evidence, signals))
        .or_else(|| by_rule("effort", Place::Body, settings, evidence, value, signals))
        .unwrap_or_else(|| default("effort", settings.default_effort, signals))
}

/// A field that a person set wins, if it can be used; else a signal says that it was passed over.
fn declared<T: serde::Serialize>(
    entry: &Entry,
    name: &'static str,
    expected: &str,
    read: impl Fn(&Value) -> Option<T>,
    signals: &mut Vec<Signal>,
) -> Option<T> {
    let set = entry.field(name)?;
    let value = read(set);
    let found = vec![set.as_str().map_or_else(|| set.to_string(), str::to_string)];
    match &value {
        Some(value) => signals.push(signal(name, json!(value), From::Field, found)),
        None => signals.push(Signal {
            note: Some(format!("the field is not {expected} and was passed over")),
            ..signal(name, Value::Null, From::Field, found)
        }),
    }
    value
}

fn points(value: &Value) -> Option<u8> {
    let number = value.as_f64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()))?;
    let rounded = number.round();
    let in_range = (f64::from(*POINTS.start())..=f64::from(*POINTS.end())).contains(&rounded);
    in_range.then_some(rounded as u8)
}

/// The rule most of whose words stand in the place; of equals the first. Of labels the first rule that has any:
/// a label is a decision in itself, and two do not outweigh one.
fn by_rule<T: serde::Serialize>(
    name: &'static str,
    place: Place,
    settings: &Settings,
    evidence: &Evidence,
    value: impl Fn(&Rule) -> Option<T>,
    signals: &mut Vec<Signal>,
) -> Option<T> {
    let mut best: Option<(usize, T, Vec<String>)> = None;
    for (at, rule) in settings.rules.iter().enumerate() {
        let Some(value) = value(rule) else { continue };
        let found = evidence.found(rule, place);
        let least = match (&best, place) {
            (Some(_), Place::Labels) => break,
            (Some((.., words)), _) => words.len() + 1,
            (None, _) => 1,
        };
        if found.len() >= least {
            best = Some((at, value, found));
        }
    }
    let (at, value, found) = best?;
    let from = match place {
        Place::Labels => From::Label,
        Place::Title => From::Title,
        Place::Body => From::Body,
    };
    signals.push(Signal { rule: Some(format!("rules[{at}]")), ..signal(name, json!(value), from, found) });
    Some(value)
}

/// What holds for every item, the definition of done, makes none of them larger.
fn by_criteria(evidence: &Evidence, signals: &mut Vec<Signal>) -> Option<u8> {
    let count = evidence.criteria.iter().filter(|criterion| criterion.role != Role::Done).count();
    if count == 0 {
        return None;
    }
    let (_, effort) = EFFORT_BY_CRITERIA.iter().find(|(up_to, _)| count <= *up_to)?;
    signals.push(signal("effort", json!(effort), From::Criteria, vec![format!("criteria: {count}")]));
    Some(*effort)
}

fn default<T: serde::Serialize>(name: &'static str, value: T, signals: &mut Vec<Signal>) -> T {
    signals.push(signal(name, json!(value), From::Default, Vec::new()));
    value
}

fn signal(decides: &'static str, value: Value, from: From, found: Vec<String>) -> Signal {
    Signal { decides, value, from, rule: None, found, note: None }
}

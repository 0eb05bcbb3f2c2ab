//! What becomes of the findings of a review.
//!
//! A finding is mended by asking, by adding a section, or by taking a statement back; never by writing what the
//! entry does not say. What only a person can mend is answered with that.

use std::collections::BTreeSet;

use tollgate_plugin::{Finding, Rework};
use tollgate_text::spec::{Series, StatementId, ids, section};

use crate::draft::Draft;
use crate::question::{self, Question};
use crate::template;

/// What became of one finding.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) round: u32,
    pub(crate) gate: String,
    pub(crate) rule: String,
    pub(crate) finding: String,
    pub(crate) result: Result<String, String>,
}

/// Mends all findings of all reviews that can be mended, and records an answer to each, once.
pub(crate) fn mend(draft: &mut Draft, reviews: &[Rework], template: &str) {
    let mut seen = BTreeSet::new();
    for review in reviews {
        for finding in &review.findings {
            if !seen.insert((finding.rule.clone(), finding.message.clone())) {
                continue;
            }
            let result = answer(draft, finding, template);
            draft.answers.push(Answer {
                round: review.round,
                gate: review.gate.clone(),
                rule: finding.rule.clone(),
                finding: finding.message.clone(),
                result,
            });
        }
    }
}

fn answer(draft: &mut Draft, finding: &Finding, template: &str) -> Result<String, String> {
    let refused = |why: &str| Err(why.to_string());
    match finding.rule.as_str() {
        "SPEC-001" => {
            draft.add_question(question::problem());
            Ok("asked under open questions".to_string())
        }
        "SPEC-002" => {
            ask_about(draft, finding, |id, text| question::measure(id, text, &quoted(&finding.message)))
        }
        "SPEC-003" => refused("the entry gives nothing by which it could be accepted, and none is invented"),
        "SPEC-004" => ask_about(draft, finding, question::proof),
        "SPEC-005" => take_back_unfinished(draft, finding),
        "SPEC-006" => drop_duplicate(draft, finding),
        "SPEC-007" => refused("only a person can answer the open questions"),
        "SPEC-008" => refused("the sentence is the entry's own, and cutting it could change what is asked"),
        "SPEC-009" => add_section(draft, finding, template),
        "SPEC-010" => refused("the reference stands in the entry's own words"),
        "SPEC-011" => want(draft, section::OUT_OF_SCOPE, template),
        "SPEC-012" => refused("the title is the entry's own"),
        rule => Err(format!("this stage does not know rule {rule}")),
    }
}

/// Asks about the statement that the finding names first.
fn ask_about(
    draft: &mut Draft,
    finding: &Finding,
    ask: impl Fn(StatementId, &str) -> Question,
) -> Result<String, String> {
    let named = ids(&finding.message).first().copied();
    let question = named.and_then(|id| draft.statement(id).map(|quote| ask(id, &quote.text)));
    let Some(question) = question else {
        return Err("the finding names no statement of this specification".to_string());
    };
    draft.add_question(question);
    Ok("asked under open questions".to_string())
}

/// A statement that has still to be written is no statement: it becomes a question.
fn take_back_unfinished(draft: &mut Draft, finding: &Finding) -> Result<String, String> {
    let named = ids(&finding.message).first().copied();
    let Some((id, quote)) = named.and_then(|id| draft.statement(id).map(|quote| (id, quote.clone()))) else {
        return Err("the finding names no statement that could be taken back".to_string());
    };
    if draft.requirements.first().is_some_and(|first| first.id == id) {
        return Err("the title is the entry's own".to_string());
    }
    take_back(draft, id);
    draft.add_question(question::unfinished(&quote.source, &quote.text));
    Ok(format!("{id} taken back and asked under open questions"))
}

fn drop_duplicate(draft: &mut Draft, finding: &Finding) -> Result<String, String> {
    let named = ids(&finding.message);
    let (Some(later), Some(earlier)) = (named.iter().max().copied(), named.iter().min().copied()) else {
        return Err("the finding names no statement of this specification".to_string());
    };
    let known = later != earlier && named.iter().all(|id| draft.statement(*id).is_some());
    if !known || later.series != Series::Requirement || earlier.series != Series::Requirement {
        return Err("the finding names no two requirements of this specification".to_string());
    }
    for criterion in &mut draft.criteria {
        if criterion.proves.contains(&later) && !criterion.proves.contains(&earlier) {
            criterion.proves.push(earlier);
            criterion.proves.sort();
        }
    }
    take_back(draft, later);
    Ok(format!("{later} dropped in favour of {earlier}"))
}

/// Removes a statement and what hung on it alone.
fn take_back(draft: &mut Draft, id: StatementId) {
    let key = draft.statement(id).map(|quote| quote.key());
    draft.requirements.retain(|requirement| requirement.id != id);
    for criterion in &mut draft.criteria {
        criterion.proves.retain(|proven| *proven != id);
    }
    // A criterion that was taken from the requirement goes with it.
    draft.criteria.retain(|criterion| {
        let from_it = criterion.from_statement && Some(criterion.quote.key()) == key;
        criterion.id != id && !from_it
    });
}

fn add_section(draft: &mut Draft, finding: &Finding, template: &str) -> Result<String, String> {
    const OPTIONAL: &[&str] =
        &[section::OUT_OF_SCOPE, section::CONSTRAINTS, section::DEPENDENCIES, section::QUESTIONS];
    let named = OPTIONAL.iter().find(|title| finding.message.contains(&format!("“{title}”")));
    match named {
        Some(title) => want(draft, title, template),
        None => Err("the entry says nothing that could stand there".to_string()),
    }
}

fn want(draft: &mut Draft, title: &'static str, template: &str) -> Result<String, String> {
    if !template::holds(template, title) {
        return Err(format!("the template of this pipeline has no place for “{title}”"));
    }
    draft.wanted.insert(title);
    Ok(format!("section “{title}” added"))
}

/// What stands between “ and ” in a message.
fn quoted(message: &str) -> Vec<String> {
    message
        .split('“')
        .skip(1)
        .filter_map(|rest| rest.split_once('”').map(|(word, _)| word.to_string()))
        .collect()
}

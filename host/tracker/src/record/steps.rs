//! What was called, and what came of it.

use tollgate_core::record::{Record, StepFacts, StepResult};

use super::{escape, table::table, units};

const CHARS_MAX: usize = 17_000;

/// Every call, oldest first.
pub(super) fn steps(record: &Record) -> String {
    let rows: Vec<_> = record.steps.iter().map(row).collect();
    table("Steps", &["step", "result", "summary", ">time", ">fuel", ">cost"], &rows, CHARS_MAX)
}

/// Every time work was sent back, oldest first.
pub(super) fn reworks(record: &Record) -> String {
    let rows: Vec<_> = record
        .reworks
        .iter()
        .map(|rework| {
            vec![
                escape::code(&rework.gate),
                escape::code(&rework.to),
                rework.round.to_string(),
                escape::text(&rework.summary, 300),
            ]
        })
        .collect();
    table("Sent back", &["by", "to", ">round", "why"], &rows, 4_000)
}

fn row(step: &StepFacts) -> Vec<String> {
    vec![
        escape::text(&step.key.to_string(), 200),
        result(&step.result),
        escape::text(&step.summary, 300),
        units::duration(step.ended_at.since(step.started_at)),
        units::large(step.usage.fuel),
        step.usage.cost.to_string(),
    ]
}

fn result(result: &StepResult) -> String {
    match result {
        StepResult::Produced => "produced".to_owned(),
        StepResult::Judged { judgement } => judgement.to_string(),
        StepResult::Failed { fault, .. } => format!("failed: {}", word(fault)),
        StepResult::NotApplicable(_) => "not applicable".to_owned(),
    }
}

/// The word by which a value is known in JSON.
pub(super) fn word(value: &impl serde::Serialize) -> String {
    let word = serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned));
    word.unwrap_or_default()
}

//! What gates found.

use tollgate_core::{record::Record, step::Location};

use super::{escape, steps::word, table::table};

const CHARS_MAX: usize = 17_000;

/// Every finding of every call, by rule.
pub(super) fn findings(record: &Record) -> String {
    let of_step =
        record.steps.iter().flat_map(|step| step.findings.iter().map(move |finding| (step, finding)));
    let rows: Vec<_> = of_step
        .map(|(step, finding)| {
            vec![
                escape::code(&finding.rule),
                word(&finding.severity),
                escape::text(&step.key.to_string(), 200),
                escape::text(&finding.message, 500),
                finding.location.as_ref().map_or_else(String::new, place),
            ]
        })
        .collect();
    table("Findings", &["rule", "severity", "step", "message", "where"], &rows, CHARS_MAX)
}

fn place(location: &Location) -> String {
    match location.line {
        Some(line) => escape::code(&format!("{}:{line}", location.path)),
        None => escape::code(&location.path),
    }
}

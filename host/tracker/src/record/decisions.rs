//! What people said when the run lacked fuel, time or money, or needed an approval.

use tollgate_core::{approval::Word, record::Record};

use super::{escape, table::table};

const CHARS_MAX: usize = 4_000;

/// Every answer, oldest first.
pub(super) fn decisions(record: &Record) -> String {
    let rows: Vec<_> = record
        .decisions
        .iter()
        .map(|decision| {
            let word = match decision.word {
                Word::Approved { added } => format!("approved {added}").trim_end().to_owned(),
                Word::Rejected => "rejected".to_owned(),
            };
            vec![
                decision.at.to_string(),
                escape::text(&decision.who, 100),
                word,
                escape::text(&decision.asked.step.to_string(), 200),
                escape::text(&decision.why, 300),
            ]
        })
        .collect();
    table("Decisions", &["when", "who", "said", "of", "why"], &rows, CHARS_MAX)
}

//! Why the entry came when it came.

use tollgate_core::record::Record;

use super::{escape, units};

const TERMS_MAX: usize = 10;

/// The score at claim with its terms.
pub(super) fn order(record: &Record) -> String {
    let backlog = escape::code(&record.order.backlog);
    let Some(score) = record.order.score_thousandths else {
        return format!("### Order\n\nTaken from backlog {backlog} in the order of its keys.\n\n");
    };
    let mut text =
        format!("### Order\n\nTaken from backlog {backlog} with score {}", units::thousandths(score));
    let terms: Vec<_> = record
        .order
        .terms
        .iter()
        .take(TERMS_MAX)
        .map(|term| format!("- {} = {}\n", escape::code(&term.text), term.value))
        .collect();
    if terms.is_empty() {
        text += ".\n";
    } else {
        text += ":\n\n";
        text += &terms.concat();
    }
    if record.order.terms.len() > TERMS_MAX {
        text +=
            &format!("- {} more terms; the JSON below has them all.\n", record.order.terms.len() - TERMS_MAX);
    }
    text + "\n"
}

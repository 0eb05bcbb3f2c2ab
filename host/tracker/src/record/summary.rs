//! The record for people.

use tollgate_core::record::Record;

use super::{decisions, findings, order, outcome, products, provenance, steps};

/// The greatest length of a summary, in characters: what trackers take in one comment, less room for markers. Each part
/// has its own limit, and together they stay below this.
pub const SUMMARY_CHARS_MAX: usize = 60_000;

/// What became of a run, in Markdown, most important first.
pub fn summary(record: &Record) -> String {
    let parts = [
        outcome::headline(record),
        outcome::effort(record),
        outcome::stop(record),
        outcome::changed_since(record).to_owned(),
        steps::steps(record),
        findings::findings(record),
        steps::reworks(record),
        decisions::decisions(record),
        products::artifacts(record),
        products::effects(record),
        order::order(record),
        provenance::provenance(record),
    ];
    parts.concat()
}

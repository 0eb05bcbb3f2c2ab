//! An adoption for people.

use tollgate_core::adoption::{Adoption, Evidence};

use super::{escape, table::table, units};

const SENTENCE_CHARS_MAX: usize = 600;

/// That work was done before Tollgate, on what evidence, and who says so.
pub(super) fn summary(adoption: &Adoption) -> String {
    let Adoption { entry, who, at, .. } = adoption;
    format!(
        "## Adopted: {}\n\n{} was done before Tollgate worked here: no run of it is on record. Adopted by {} at {at}.\n\n{}{}{}",
        escape::text(&entry.title, 300),
        escape::code(&entry.name.key),
        escape::code(who),
        evidence(&adoption.evidence),
        doubts(&adoption.despite),
        provenance(adoption),
    )
}

fn evidence(evidence: &[Evidence]) -> String {
    let rows: Vec<_> = evidence
        .iter()
        .map(|evidence| {
            vec![
                evidence.kind.to_string(),
                escape::text(&evidence.place, SENTENCE_CHARS_MAX),
                escape::text(&evidence.says, SENTENCE_CHARS_MAX),
                evidence.done_at.map(|at| at.to_string()).unwrap_or_default(),
            ]
        })
        .collect();
    table("Evidence", &["kind", "where", "says", "done"], &rows, 8_000)
}

fn doubts(despite: &[String]) -> String {
    if despite.is_empty() {
        return String::new();
    }
    let lines = despite.iter().map(|doubt| format!("- {}\n", escape::text(doubt, SENTENCE_CHARS_MAX)));
    format!("### Adopted in spite of\n\n{}\n", lines.collect::<String>())
}

fn provenance(adoption: &Adoption) -> String {
    let Adoption { id, entry, store, .. } = adoption;
    format!(
        "### Provenance\n\n- adoption `{id}`, store `{store}`\n- item {}, revision {}\n\n",
        escape::code(&entry.name.to_string()),
        units::digest(&entry.revision)
    )
}

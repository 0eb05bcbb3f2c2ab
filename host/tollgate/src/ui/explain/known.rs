//! What people set of an entry, and what was found by refining it.

use tollgate_core::{
    entry::{EntryState, HoldKind},
    refine::Found,
};
use tollgate_store::port::EntryDetail;

use super::super::text::time;

/// Whether it waits for nothing but that its refine stages see it.
pub(crate) fn waits_to_be_refined(detail: &EntryDetail) -> bool {
    let first = detail.status.holds.first().map(|hold| hold.kind);
    detail.status.state == EntryState::Held && first == Some(HoldKind::NotRefined)
}

/// Who said what of it besides its source.
pub(super) fn sentences(detail: &EntryDetail) -> Vec<String> {
    let supplement = &detail.supplement;
    let set = supplement.set.iter().map(|(field, set)| {
        format!("{} set `{field}` to {} at {}: {}", set.who, set.value, time(set.at), set.why)
    });
    let refined = supplement.refinement.as_ref().map(|refinement| {
        let (run, at) = (refinement.run, time(refinement.at));
        match refinement.found {
            Found::Data(_) => format!("Run {run} refined it at {at}."),
            Found::Nothing { .. } => {
                format!("Run {run} could not refine it, at {at}; `tollgate runs show {run}` shows its calls.")
            }
        }
    });
    set.chain(refined).collect()
}

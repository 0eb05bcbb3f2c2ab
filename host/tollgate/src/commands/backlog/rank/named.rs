//! The order of entries that are named, as their lanes have it.

use tollgate_core::entry::EntryState;
use tollgate_store::{Store, port::EntryDetail};

use super::RankArgs;
use crate::{
    entry_argument,
    error::{Failure, Result},
    project::Project,
    ui::json::{Placeless, RankList, Ranked},
};

pub(super) async fn rank(
    store: &dyn Store,
    project: &Project,
    named: &[String],
    args: &RankArgs,
) -> Result<RankList> {
    let mut list = RankList::default();
    let mut placed = Vec::new();
    for detail in found(store, project, named, &mut list.unknown).await? {
        if args.backlog.as_ref().is_some_and(|backlog| *backlog != detail.status.backlog) {
            let reason = format!("it is of the backlog {}", detail.status.backlog);
            list.without_place.push(placeless(&detail, reason));
        } else if let Some(standing) = detail.standing.clone() {
            placed.push((standing, detail));
        } else {
            let reason = reason(&detail);
            list.without_place.push(placeless(&detail, reason));
        }
    }
    placed.sort_by(|(a, left), (b, right)| {
        let lane = |detail: &EntryDetail| (detail.status.backlog.clone(), detail.status.pipeline.clone());
        (lane(left), &a.rank_key, left.status.id).cmp(&(lane(right), &b.rank_key, right.status.id))
    });
    list.total = placed.iter().filter(|(_, detail)| detail.status.state == EntryState::Ready).count() as u64;
    list.entries.extend(placed.into_iter().map(|(standing, detail)| Ranked {
        position: standing.ahead + 1,
        terms: if args.explain { detail.terms } else { Vec::new() },
        status: detail.status,
    }));
    Ok(list)
}

/// The entries that are meant; names that mean none are set apart.
///
/// # Errors
///
/// When one is ambiguous, or the store fails.
pub(super) async fn found(
    store: &dyn Store,
    project: &Project,
    named: &[String],
    unknown: &mut Vec<String>,
) -> Result<Vec<EntryDetail>> {
    let mut found: Vec<EntryDetail> = Vec::new();
    for name in named {
        match entry_argument::find(store, &project.folder, name).await {
            Ok(detail) if found.iter().any(|known| known.status.id == detail.status.id) => {}
            Ok(detail) => found.push(detail),
            Err(Failure::Mistake { .. }) => unknown.push(name.clone()),
            Err(other) => return Err(other),
        }
    }
    Ok(found)
}

pub(super) fn placeless(detail: &EntryDetail, reason: String) -> Placeless {
    Placeless { key: detail.status.name.key.clone(), state: detail.status.state, reason }
}

fn reason(detail: &EntryDetail) -> String {
    match (detail.status.state, detail.status.holds.first()) {
        (EntryState::Busy, _) => "it is being worked on".to_owned(),
        (EntryState::Held, Some(hold)) => format!("it is held: {}", hold.reason),
        (state, _) => format!("it is {state}"),
    }
}

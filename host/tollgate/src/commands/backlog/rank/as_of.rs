//! The order of another day.

use std::collections::{BTreeSet, HashMap};

use tollgate_core::{EntryId, Timestamp, entry::EntryStatus};
use tollgate_engine::outlook::{Outlook, Placed};
use tollgate_policy::Policy;
use tollgate_store::{Store, port::EntryFilter};

use super::{RankArgs, named};
use crate::{
    error::{Failure, Result},
    project::Project,
    ui::json::{RankList, Ranked},
};

/// The time that is meant, by the zone of the backlog; of the first, where several are asked for.
///
/// # Errors
///
/// When it is none.
pub(super) fn time(policy: &Policy, backlog: Option<&str>, text: &str) -> Result<Timestamp> {
    let backlog = match backlog {
        Some(name) => policy.backlog(name),
        None => policy.backlogs.values().next(),
    };
    let time = match backlog {
        Some(backlog) => backlog.time_of(text),
        None => text.parse().ok(),
    };
    time.ok_or_else(|| {
        Failure::mistake_with_hint(
            format!("`{text}` is no time"),
            "write a date, e.g. `2026-11-21`, or a time in RFC 3339, e.g. `2026-11-21T08:00:00Z`",
        )
    })
}

pub(super) async fn rank(
    store: &dyn Store,
    project: &Project,
    named: Option<&[String]>,
    when: Timestamp,
    args: &RankArgs,
) -> Result<RankList> {
    let mut order = Outlook::read(store, &project.policy).await?.at(when);
    if let Some(backlog) = &args.backlog {
        order.placed.retain(|placed| placed.backlog == *backlog);
    }
    let mut list = RankList {
        total: order.placed.len() as u64,
        as_of: Some(when),
        as_of_today: order.as_of_today,
        ..RankList::default()
    };
    let wanted = match named {
        Some(named) => Some(only(store, project, named, &order.placed, &mut list).await?),
        None => None,
    };
    let statuses = store.entries(EntryFilter::default()).await?.rows;
    let mut statuses: HashMap<EntryId, EntryStatus> =
        statuses.into_iter().map(|status| (status.id, status)).collect();
    let mut positions: HashMap<(String, String), u64> = HashMap::new();
    for placed in order.placed {
        let position = positions.entry((placed.backlog.clone(), placed.pipeline.clone())).or_default();
        *position += 1;
        let is_wanted = match &wanted {
            Some(wanted) => wanted.contains(&placed.id),
            None => args.limit == 0 || list.entries.len() < args.limit as usize,
        };
        if let (true, Some(status)) = (is_wanted, statuses.remove(&placed.id)) {
            list.entries.push(ranked(placed, status, *position, args.explain));
        }
    }
    Ok(list)
}

/// The entries that are named; those that did not wait are named with that.
async fn only(
    store: &dyn Store,
    project: &Project,
    named: &[String],
    placed: &[Placed],
    list: &mut RankList,
) -> Result<BTreeSet<EntryId>> {
    let mut wanted = BTreeSet::new();
    for detail in named::found(store, project, named, &mut list.unknown).await? {
        if placed.iter().any(|placed| placed.id == detail.status.id) {
            wanted.insert(detail.status.id);
        } else {
            let reason = "nothing says that it could run then".to_owned();
            list.without_place.push(named::placeless(&detail, reason));
        }
    }
    Ok(wanted)
}

fn ranked(placed: Placed, status: EntryStatus, position: u64, explain: bool) -> Ranked {
    Ranked {
        position,
        terms: if explain { placed.rank.terms } else { Vec::new() },
        status: EntryStatus {
            pipeline: Some(placed.pipeline),
            score_thousandths: placed.rank.score_thousandths,
            ..status
        },
    }
}

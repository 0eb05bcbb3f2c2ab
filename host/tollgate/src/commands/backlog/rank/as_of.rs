//! The order of another day.

use std::collections::HashMap;

use tollgate_core::{EntryId, Timestamp, entry::EntryStatus};
use tollgate_engine::outlook::{Outlook, Placed, Wanted};
use tollgate_policy::Policy;
use tollgate_store::Store;

use super::{RankArgs, named};
use crate::{
    context::Context,
    error::{Failure, Result},
    project::Project,
    ui::{
        bar::Bar,
        json::{RankList, Ranked},
    },
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
    context: &Context,
    store: &dyn Store,
    project: &Project,
    named: Option<&[String]>,
    when: Timestamp,
    args: &RankArgs,
) -> Result<RankList> {
    let mut list = RankList { as_of: Some(when), ..RankList::default() };
    let named = match named {
        Some(named) => Some(named::found(store, project, named, &mut list.unknown).await?),
        None => None,
    };
    let wanted = match &named {
        Some(named) => Wanted::Named(named.iter().map(|detail| detail.status.id).collect()),
        None => Wanted::First(args.limit as usize),
    };
    let outlook = Outlook::of(store, &project.policy).await?;
    let bar = Bar::over(&context.printer, "entries judged", store).await?;
    let order = outlook.at(when, args.backlog.as_deref(), wanted, &|more| bar.advance(more)).await?;
    bar.finish();
    for detail in named.into_iter().flatten() {
        if !order.placed.iter().any(|placed| placed.id == detail.status.id) {
            let reason = "nothing says that it could run then".to_owned();
            list.without_place.push(named::placeless(&detail, reason));
        }
    }
    let ids: Vec<_> = order.placed.iter().map(|placed| placed.id).collect();
    let statuses = store.entries_by_id(ids).await?;
    let mut statuses: HashMap<EntryId, EntryStatus> =
        statuses.into_iter().map(|status| (status.id, status)).collect();
    let shown = order.placed.into_iter().filter_map(|placed| {
        let status = statuses.remove(&placed.id)?;
        Some(ranked(placed, status, args.explain))
    });
    list.entries.extend(shown);
    Ok(RankList { total: order.total, as_of_today: order.as_of_today, ..list })
}

fn ranked(placed: Placed, status: EntryStatus, explain: bool) -> Ranked {
    Ranked {
        position: placed.position,
        terms: if explain { placed.rank.terms } else { Vec::new() },
        status: EntryStatus {
            pipeline: Some(placed.pipeline),
            score_thousandths: placed.rank.score_thousandths,
            ..status
        },
    }
}

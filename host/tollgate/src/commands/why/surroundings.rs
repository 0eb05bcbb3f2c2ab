//! Reads what surrounds an entry.

use std::sync::Arc;

use tollgate_core::{Microcents, Timestamp, entry::EntryState, pins::Pins};
use tollgate_engine::{outlook::Outlook, pins::first_tranche};
use tollgate_policy::{Backlog, Policy};
use tollgate_store::{
    Store,
    port::{Archive, CapBalanceReport, EntryDetail, Lane, RunDetail},
};

use super::chain;
use crate::{
    error::Result,
    project::Project,
    ui::explain::{ByAge, FullCap, Surroundings, Window, is_idle, waits_to_be_refined},
};

/// With more than this in a lane, days ahead are not computed: it takes longer than a person waits.
const WAITING_MAX: u32 = 5_000;

/// What surrounds an entry. What is asked of the lane is asked for one that could go on only: what is held has other reasons, and
/// what is over has none.
///
/// # Errors
///
/// When the store fails.
pub(super) async fn read(
    store: &dyn Archive,
    project: &Project,
    detail: &EntryDetail,
    newest: Option<&RunDetail>,
) -> Result<Surroundings> {
    let chain = chain::follow(store, detail, newest).await?;
    let refines = waits_to_be_refined(detail);
    if detail.status.state != EntryState::Ready && !newest.is_some_and(is_idle) && !refines {
        return Ok(Surroundings { chain, ..Surroundings::default() });
    }
    let policy = &project.policy;
    let now = store.now().await?;
    let pins = pins(store, detail).await?;
    let needed = pins.as_ref().map_or(Microcents::ZERO, first_tranche);
    let stop_file = &policy.instance.stop_file.path;
    let caps = store.cap_balances().await?;
    Ok(Surroundings {
        control: store.control().await?,
        stop_file: project.folder.join(stop_file).exists().then(|| stop_file.clone()),
        // Windows are for work.
        window: policy
            .backlog(&detail.status.backlog)
            .filter(|_| !refines)
            .and_then(|backlog| window(backlog, now)),
        full_caps: caps.into_iter().filter_map(|cap| full(cap, needed)).collect(),
        lacking_host: lacking_host(store, policy, detail).await?,
        policy_differs: pins.is_some_and(|pins| pins.policy != policy.digest()),
        by_age: by_age(store, policy, detail).await?,
        chain,
    })
}

/// The labels that the entry's pipeline asks for, unless a host at work has them.
async fn lacking_host(
    store: &dyn Archive,
    policy: &Policy,
    detail: &EntryDetail,
) -> Result<Option<Vec<String>>> {
    let asked =
        detail.status.pipeline.as_deref().map(|pipeline| policy.host_labels(pipeline)).unwrap_or_default();
    if asked.is_empty() {
        return Ok(None);
    }
    let about = store.about().await?;
    let mut at_work = about.hosts.iter().filter(|host| host.is_at_work(about.now));
    let has_one = at_work.any(|host| asked.iter().all(|label| host.labels.contains(label)));
    Ok((!has_one).then(|| asked.to_vec()))
}

/// What a run of the entry's lane would be pinned to.
async fn pins(store: &dyn Store, detail: &EntryDetail) -> Result<Option<Pins>> {
    let lanes = store.applied_policy().await?.map(|applied| applied.lanes).unwrap_or_default();
    let is_its = |lane: &&Lane| {
        lane.backlog == detail.status.backlog && Some(&lane.pipeline) == detail.status.pipeline.as_ref()
    };
    match lanes.iter().find(is_its) {
        Some(lane) => Ok(Some(store.pins(lane.pins).await?)),
        None => Ok(None),
    }
}

fn window(backlog: &Backlog, now: Timestamp) -> Option<Window> {
    let cron = backlog.claim.as_ref()?.to_string();
    Some(Window { cron, opens_at: backlog.next_open(now), is_open: backlog.is_open(now) })
}

fn full(report: CapBalanceReport, needed: Microcents) -> Option<FullCap> {
    let CapBalanceReport { cap, balance, until, .. } = report;
    // What a plugin's own cap needs of a run is less than all of it; only the project's is told of with certainty.
    let room = balance.room(cap.limit);
    if cap.scope != "project" || room >= needed {
        return None;
    }
    Some(FullCap { cap, room, needed, until })
}

async fn by_age(store: &dyn Store, policy: &Arc<Policy>, detail: &EntryDetail) -> Result<ByAge> {
    let Some(standing) = &detail.standing else { return Ok(ByAge::Unknown) };
    let is_behind_begun = standing.head.as_ref().is_some_and(|head| head.is_begun);
    let has_score = detail.status.score_thousandths.is_some();
    if standing.ahead == 0 || standing.waiting > u64::from(WAITING_MAX) || is_behind_begun || !has_score {
        return Ok(ByAge::Unknown);
    }
    let Some(pipeline) = &detail.status.pipeline else { return Ok(ByAge::Unknown) };
    let outlook = Outlook::of(store, policy).await?;
    let day = outlook.comes_first(detail.status.id, &detail.status.backlog, pipeline, WAITING_MAX).await?;
    Ok(day.map_or(ByAge::Never, ByAge::ComesFirst))
}

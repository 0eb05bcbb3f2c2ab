//! From what a source said to what a store takes in: the policy's word on an item, with the lane's number in place of its name.

use std::collections::BTreeMap;

use tollgate_core::{
    LaneId,
    entry::{Hold, HoldKind, INTERNAL_TRACKER},
    item::SourceItem,
    refine,
};
use tollgate_policy::{Backlog, Seen};
use tollgate_store::port::{Admission, AppliedPolicy, Arrival, Guard, Known, OnChange, PlaceInLane, Rate};
use tollgate_tracker::record::MARKER;

use crate::opening::OWN_AUTHOR;

/// The lanes of the applied policy, by backlog and pipeline.
#[derive(Debug, Clone, Default)]
pub struct Lanes {
    policy_version: i64,
    by_name: BTreeMap<(String, String), LaneId>,
}

impl Lanes {
    /// The lanes of a policy.
    pub fn of(applied: &AppliedPolicy) -> Self {
        let named =
            |lane: &tollgate_store::port::Lane| ((lane.backlog.clone(), lane.pipeline.clone()), lane.id);
        Self { policy_version: applied.version, by_name: applied.lanes.iter().map(named).collect() }
    }

    /// The version of the applied policy; 0 where none was.
    pub(crate) fn policy_version(&self) -> i64 {
        self.policy_version
    }

    /// The lane in which entries of a backlog wait to be refined.
    pub fn refine_of(&self, backlog: &str) -> Option<LaneId> {
        self.find(backlog, refine::PIPELINE)
    }

    /// The lanes of a backlog, with their pipelines.
    pub fn of_backlog<'a>(&'a self, backlog: &'a str) -> impl Iterator<Item = (&'a str, LaneId)> + 'a {
        let of_backlog = self.by_name.iter().filter(move |((name, _), _)| name == backlog);
        of_backlog.map(|((_, pipeline), lane)| (pipeline.as_str(), *lane))
    }

    fn find(&self, backlog: &str, pipeline: &str) -> Option<LaneId> {
        self.by_name.get(&(backlog.to_owned(), pipeline.to_owned())).copied()
    }
}

/// What the store takes in for an item.
pub fn arrival(backlog: &Backlog, lanes: &Lanes, item: SourceItem, known: &Known, seen: Seen) -> Arrival {
    let judged = backlog.judge_with(&item, &known.supplement, seen);
    let source = backlog.source(&item.name.tracker);
    Arrival {
        guard: guard(backlog, &item),
        retry_failed: source.is_some_and(|source| source.retry_failed),
        backlog: backlog.name.clone(),
        item,
        revision: judged.revision,
        basis: judged.basis,
        supplement_version: known.version,
        policy_version: lanes.policy_version,
        links: judged.links.clone(),
        depends: backlog.depends.rule,
        on_change: match backlog.on_change {
            tollgate_policy::OnChange::Ignore => OnChange::Ignore,
            tollgate_policy::OnChange::Ask => OnChange::Ask,
            tollgate_policy::OnChange::Rerun => OnChange::Rerun,
        },
        admission: admission(backlog, lanes, &judged),
        snapshot: judged.snapshot,
    }
}

/// What is asked of an item that was not known before.
fn guard(backlog: &Backlog, item: &SourceItem) -> Guard {
    let rate = |rate: &tollgate_policy::policy::Rate| Rate { count: rate.count, window: rate.window };
    let is_internal = item.name.tracker == INTERNAL_TRACKER;
    let (per_source, per_author) = backlog.intake.rates(is_internal);
    Guard {
        per_source: per_source.map(rate),
        per_author: per_author.map(rate),
        per_origin: Some(backlog.intake.per_origin),
        duplicate_thousandths: backlog.intake.duplicate_thousandths,
        own_output: if is_internal { None } else { own_output(item) },
    }
}

/// Why an item of a source seems to be what Tollgate wrote.
fn own_output(item: &SourceItem) -> Option<String> {
    let author = item.author.as_deref().filter(|author| author.starts_with(OWN_AUTHOR));
    if let Some(author) = author {
        return Some(format!("its author is {author}, as of what a run opens"));
    }
    item.body.contains(MARKER).then(|| format!("its text has a record of Tollgate in it (`{MARKER}`)"))
}

/// What the store notes of a judgement.
pub fn admission(backlog: &Backlog, lanes: &Lanes, judged: &tollgate_policy::Admission) -> Admission {
    if let Some(rank_key) = &judged.refine {
        let lane = lanes.refine_of(&backlog.name);
        let place = |lane| PlaceInLane {
            lane,
            rank_key: rank_key.clone(),
            score_thousandths: None,
            terms: Vec::new(),
        };
        return Admission { holds: judged.holds.clone(), place: lane.map(place), due_at: None };
    }
    let lane = judged.pipeline.as_deref().and_then(|pipeline| lanes.find(&backlog.name, pipeline));
    let place = lane.zip(judged.rank.as_ref()).map(|(lane, rank)| PlaceInLane {
        lane,
        rank_key: rank.key.clone(),
        score_thousandths: rank.score_thousandths,
        terms: rank.terms.clone(),
    });
    Admission { holds: judged.holds.clone(), place, due_at: judged.due }
}

/// What the store notes of an entry whose backlog the policy does not name.
pub(crate) fn without_backlog(name: &str) -> Admission {
    let hold = Hold {
        kind: HoldKind::NoPipeline,
        subject: name.to_owned(),
        reason: format!(
            "the policy has no backlog `{name}` any more; put it back, or move the item to another source"
        ),
        until: None,
    };
    Admission { holds: vec![hold], place: None, due_at: None }
}

//! The policy of a trace: what it makes of an item follows from the item and from what is known of it besides.

use std::time::Duration;

use serde_json::Value;
use tollgate_core::{
    LaneId,
    entry::{DependencyRule, EntrySnapshot, Hold, HoldKind, INTERNAL_TRACKER, Link, LinkKind},
    item::{Shelf, SourceItem},
    rank::{Direction, RankKey, RankPart},
    refine::{self, Found},
    run::RunKind,
};
use tollgate_store::port::{
    Admission, Arrival, Guard, Known, OnChange, PlaceInLane, PolicyApplication, Rate, Rejudged, RescoreItem,
    Says,
};

use super::op::{Guarded, KEYS, Mark, OPENED, Seen};
use crate::support::*;

/// Two lanes of work and one in which entries wait to be refined.
pub(super) const PIPELINES: [&str; 3] = ["spec", "triage", refine::PIPELINE];

/// The policies that are applied in turn.
pub(super) fn application(which: usize) -> PolicyApplication {
    let caps = match which {
        3 => vec![cap("project", 800)],
        _ => vec![cap("project", 1_500), cap("plugin:draft", 600)],
    };
    let mut application = policy(&PIPELINES, caps);
    application.lanes[2].kind = RunKind::Refine;
    match which {
        1 => drop(application.lanes.remove(1)),
        2 => application.lanes[0].pins.engine = "another".into(),
        _ => {}
    }
    application
}

fn label(mark: Mark) -> String {
    format!("{mark:?}")
}

fn has(item: &SourceItem, mark: Mark) -> bool {
    item.labels.contains(&label(mark))
}

/// What an entry says, and what the policy says of it.
fn judge(item: &SourceItem, known: &Known, lanes: &[LaneId; 3]) -> (Says, Admission) {
    let mut snapshot = arrival(lanes[0], &item.name.key, 0).snapshot;
    snapshot.name = item.name.clone();
    snapshot.url.clone_from(&item.url);
    snapshot.body.clone_from(&item.body);
    snapshot.author.clone_from(&item.author);
    let basis = snapshot.revision();
    let set = known.supplement.set.get("urgent").map(|set| set.value.clone());
    snapshot.fields.extend(set.clone().map(|value| ("urgent".to_owned(), value)));
    let found = known.supplement.refinement.as_ref().map(|refinement| &refinement.found);
    if matches!(found, Some(Found::Data(_))) {
        snapshot.fields.insert("refined".into(), Value::Bool(true));
    }
    let says = Says { revision: snapshot.revision(), snapshot, basis };
    let is_urgent = set == Some(Value::Bool(true));
    let admission = admission(item, found, is_urgent, lanes);
    (says, admission)
}

fn admission(item: &SourceItem, found: Option<&Found>, is_urgent: bool, lanes: &[LaneId; 3]) -> Admission {
    let minute = start().after(Duration::from_secs(60));
    let mut holds = Vec::new();
    let mut hold = |kind, reason: &str, until| {
        holds.push(Hold { kind, subject: String::new(), reason: reason.into(), until });
    };
    let mut lane = lanes[usize::from(has(item, Mark::ToTriage))];
    match found {
        None if has(item, Mark::Unrefined) => {
            hold(HoldKind::NotRefined, "it is not refined yet", None);
            lane = lanes[2];
        }
        Some(Found::Nothing { reason }) => hold(HoldKind::RefineFailed, reason, None),
        _ => {}
    }
    if has(item, Mark::NotEligible) {
        hold(HoldKind::NotEligible, "not now", None);
    }
    if has(item, Mark::Later) {
        hold(HoldKind::NotBefore, "not before a minute is over", Some(minute));
    }
    let score = 10 * i64::from(has(item, Mark::High)) + 100 * i64::from(is_urgent);
    let place =
        PlaceInLane { lane, rank_key: rank_key(score), score_thousandths: Some(score), terms: vec![] };
    let due_at = has(item, Mark::DueSoon).then_some(minute);
    Admission { holds, place: Some(place), due_at }
}

fn rank_key(score: i64) -> RankKey {
    RankKey::new(&[(RankPart::Thousandths(score), Direction::Descending)], start())
}

/// A text of which most words are those of every other.
fn text(says: u8) -> String {
    format!(
        "version {says} of a text with which it shares nearly all words so that one may be taken for the other"
    )
}

/// An item as its source shows it and the policy judges it.
pub(super) fn arrives(seen: &Seen, beside: bool, known: &Known, lanes: &[LaneId; 3]) -> Arrival {
    let Seen { key, says, needs, marks, on_change, guard } = seen;
    let mut new = arrival(lanes[0], KEYS[*key], 0).says(&text(*says)).on_change(*on_change);
    if let Some(needed) = needs {
        new = new.needs(KEYS[*needed]);
    }
    if beside {
        new = new.beside();
    }
    let item = &mut new.item;
    item.labels = marks.iter().map(|mark| label(*mark)).collect();
    item.closed = marks.contains(&Mark::Closed);
    item.shelf = if marks.contains(&Mark::OnHold) { Shelf::OnHold } else { Shelf::Open };
    item.author = Some(["ines", "bot"][usize::from(*says)].into());
    item.created_at = item.created_at.filter(|_| !marks.contains(&Mark::Undated));
    new.retry_failed = marks.contains(&Mark::RetryFailed);
    new.guard = guarded(*guard);
    new.policy_version = if marks.contains(&Mark::Outdated) { 0 } else { WHICHEVER };
    let known = if marks.contains(&Mark::Stale) { &Known::default() } else { known };
    judged(new, known, lanes)
}

fn judged(new: Arrival, known: &Known, lanes: &[LaneId; 3]) -> Arrival {
    let (Says { snapshot, revision, basis }, admission) = judge(&new.item, known, lanes);
    Arrival { snapshot, revision, basis, admission, supplement_version: known.version, ..new }
}

/// What somebody opens.
pub(super) fn opens(
    key: usize,
    says: u8,
    guard: Guarded,
    needs: Option<usize>,
    known: &Known,
    lanes: &[LaneId; 3],
) -> Arrival {
    let mut new = arrival(lanes[0], OPENED[key], 0).says(&text(says));
    new.item.name.tracker = INTERNAL_TRACKER.into();
    new.item.author = Some("tollgate:spec".into());
    let to = needs.map(|needed| match needed.checked_sub(KEYS.len()) {
        None => name(KEYS[needed]),
        Some(opened) => {
            tollgate_core::entry::EntryName { key: OPENED[opened].into(), ..new.item.name.clone() }
        }
    });
    let link = |to| Link { kind: LinkKind::DependsOn, to, written: None, source: "effect:open-entry".into() };
    new.links = to.map(link).into_iter().collect();
    new.depends = DependencyRule::Run;
    new.guard = guarded(guard);
    judged(Arrival { on_change: OnChange::Rerun, ..new }, known, lanes)
}

fn guarded(guard: Guarded) -> Guard {
    let rate = Some(Rate { count: 2, window: Duration::from_secs(300) });
    let own_output = Some("its author is tollgate:spec".into());
    match guard {
        Guarded::No => Guard::default(),
        Guarded::BySource => Guard { per_source: rate, ..Guard::default() },
        Guarded::ByAuthor => Guard { per_author: rate, per_source: rate, ..Guard::default() },
        Guarded::ByOrigin => Guard { per_origin: Some(1), ..Guard::default() },
        Guarded::OwnOutput => Guard { own_output, ..Guard::default() },
        Guarded::Alike => Guard { duplicate_thousandths: Some(750), ..Guard::default() },
    }
}

/// What the policy says of an entry that is due.
pub(super) fn rejudged(due: RescoreItem, is_late: bool, moved_by: i64, lanes: &[LaneId; 3]) -> Rejudged {
    let (says, mut admission) = judge(&due.item, &due.known, lanes);
    if let Some(place) = &mut admission.place {
        let score = place.score_thousandths.unwrap_or_default() + 15 * moved_by;
        (place.rank_key, place.score_thousandths) = (rank_key(score), Some(score));
    }
    let supplement_version = due.known.version - i64::from(is_late);
    Rejudged { id: due.id, says: Some(says), supplement_version, policy_version: WHICHEVER, admission }
}

/// What the entry of a run says once the run has changed its state.
pub(super) fn left(snapshot: &EntrySnapshot) -> tollgate_core::Digest {
    EntrySnapshot {
        body: text(1),
        author: Some("bot".into()),
        fields: serde_json::Map::new(),
        ..snapshot.clone()
    }
    .revision()
}

//! What the benchmarks of the store fill it with: one lane of one backlog, whose pipeline has a stage that does nothing.

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;
use tollgate_core::{
    Digest, HostId, LaneId, Microcents, RunId, Timestamp,
    entry::{DependencyRule, EntryName, EntrySnapshot},
    item::{Shelf, SourceItem},
    pins::{PinnedPlugin, Pins, Prices},
    pipeline::{On, Pipeline, Retry, RunBudget, Stage, StepBudget},
    rank::{Direction, RankKey, RankPart},
    run::RunKind,
};
use tollgate_store::port::{
    Admission, Arrival, ClaimRequest, Guard, LaneSpec, OnChange, PlaceInLane, PolicyApplication,
};

pub(crate) const BACKLOG: &str = "work";
pub(crate) const TRACKER: &str = "none:bench";

/// What a host asks for.
pub(crate) fn request(lane: LaneId) -> ClaimRequest {
    ClaimRequest {
        host: HostId("bench-1".into()),
        lease: Duration::from_secs(3_600),
        lanes: vec![lane],
        new_run: RunId::generate(),
        only_begun: false,
        only: Vec::new(),
    }
}

/// An entry of some hundred bytes. Scores are spread over the lane in another order than that of arrival.
pub(crate) fn arrival(lane: LaneId, number: usize, due_at: Option<Timestamp>) -> Arrival {
    let created_at = Timestamp::from_millis(1_795_000_000_000 + number as i64);
    let score = (number as i64).wrapping_mul(2_654_435_761) % 100_000;
    let item = SourceItem {
        name: EntryName { tracker: TRACKER.into(), key: format!("WORK-{number}") },
        url: None,
        kind: "task".into(),
        title: format!("Task number {number}"),
        body: "The opening hours are missing in the search results.".into(),
        author: None,
        labels: Vec::new(),
        created_at: Some(created_at),
        closed: false,
        shelf: Shelf::Open,
        front_matter: serde_json::Map::new(),
        headings: BTreeMap::new(),
        depends: Vec::new(),
    };
    let snapshot = EntrySnapshot {
        name: item.name.clone(),
        url: None,
        kind: item.kind.clone(),
        title: item.title.clone(),
        body: item.body.clone(),
        author: None,
        labels: Vec::new(),
        created_at,
        fields: serde_json::Map::new(),
    };
    Arrival {
        guard: Guard::default(),
        retry_failed: false,
        backlog: BACKLOG.into(),
        revision: snapshot.revision(),
        basis: snapshot.revision(),
        item,
        snapshot,
        supplement_version: 0,
        policy_version: i64::MAX,
        links: Vec::new(),
        depends: DependencyRule::Either,
        admission: admission(lane, score, Some(created_at), due_at),
        on_change: OnChange::Ignore,
    }
}

/// Where a policy would put it.
pub(crate) fn admission(
    lane: LaneId,
    score: i64,
    created_at: Option<Timestamp>,
    due_at: Option<Timestamp>,
) -> Admission {
    let parts = [(RankPart::Thousandths(score), Direction::Descending)];
    let place = PlaceInLane {
        lane,
        rank_key: RankKey::new(&parts, created_at.unwrap_or_default()),
        score_thousandths: Some(score),
        terms: Vec::new(),
    };
    Admission { holds: Vec::new(), place: Some(place), due_at }
}

pub(crate) fn policy() -> PolicyApplication {
    PolicyApplication {
        digest: Digest::of("policy"),
        files: Vec::new(),
        who: "a benchmark".into(),
        why: "a benchmark".into(),
        lanes: vec![LaneSpec {
            backlog: BACKLOG.into(),
            pipeline: "spec".into(),
            kind: RunKind::Work,
            pins: pins(),
            tranche: Microcents(100),
        }],
        caps: Vec::new(),
    }
}

fn pins() -> Pins {
    let stage = Stage {
        name: "draft".into(),
        plugin: "idle-stage@^1".into(),
        grants: Vec::new(),
        budget: StepBudget {
            fuel: 1_000_000,
            time: Duration::from_secs(1),
            memory_bytes: 1 << 20,
            tokens: None,
        },
        retry: Retry {
            attempts: 1,
            backoff_min: Duration::from_secs(1),
            backoff_max: Duration::from_secs(1),
        },
        settings: json!({}),
        when: None,
        on: On::Success,
        approval: None,
        gates: Vec::new(),
    };
    let plugin = PinnedPlugin {
        name: "idle-stage".into(),
        version: "1.0.0".into(),
        digest: Digest::of("a component"),
        contract: "0.1".into(),
    };
    Pins {
        pipeline: Pipeline {
            name: "spec".into(),
            owner: "team".into(),
            budget: RunBudget { cost: Microcents(1_000), time: Duration::from_secs(60) },
            stages: vec![stage],
        },
        plugins: BTreeMap::from([("idle-stage@^1".into(), plugin)]),
        engine: "bench".into(),
        prices: Prices { per_gigafuel: Microcents(1) },
        models: BTreeMap::new(),
        zone: "UTC".into(),
        policy: Digest::of("policy"),
    }
}

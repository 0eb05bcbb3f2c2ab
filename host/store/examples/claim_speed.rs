//! Fills a store in memory and prints what a claim costs: `cargo run --release -p tollgate-store --example claim_speed 1000000`.
#![expect(clippy::print_stdout, reason = "it prints a measurement")]

use std::{collections::BTreeMap, time::Instant};

use tollgate_core::{
    Digest, HostId, LaneId, Microcents, RunId, Timestamp,
    entry::{DependencyRule, EntryName, EntrySnapshot},
    item::SourceItem,
    pins::{Pins, Prices},
    pipeline::{Pipeline, RunBudget},
    rank::{Direction, RankKey, RankPart},
    run::RunKind,
};
use tollgate_store::{
    SqliteOptions, SqliteStore, Store as _, StoreError,
    port::{
        Admission, Arrival, ClaimOutcome, ClaimRequest, LaneSpec, OnChange, PlaceInLane, PolicyApplication,
    },
};

const MINUTE: std::time::Duration = std::time::Duration::from_secs(60);
const BATCH: i64 = 1_000;
const CLAIMS_MAX: i64 = 2_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), StoreError> {
    let entries: i64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let store = SqliteStore::open(SqliteOptions::in_memory())?;
    let lane = store.apply_policy(policy()).await?.lanes[0].id;
    let reconcile = store.begin_reconcile("bench", "bench").await?;
    let filling = Instant::now();
    for from in (0..entries).step_by(BATCH as usize) {
        let arrivals = (from..entries.min(from + BATCH)).map(|number| arrival(lane, number));
        store.admit(reconcile, arrivals.collect()).await?;
    }
    println!("{entries} entries admitted, {:.0} a second", entries as f64 / filling.elapsed().as_secs_f64());
    let claims = entries.min(CLAIMS_MAX);
    let claiming = Instant::now();
    for _ in 0..claims {
        let request = ClaimRequest {
            host: HostId("bench-1".into()),
            lease: MINUTE,
            lanes: vec![lane],
            new_run: RunId::generate(),
            only_begun: false,
            only: vec![],
        };
        let claimed = store.claim(request).await?;
        assert!(matches!(claimed, ClaimOutcome::Claimed(_)), "there are entries enough");
    }
    println!("a claim takes {:.1} µs", claiming.elapsed().as_secs_f64() * 1e6 / claims as f64);
    Ok(())
}

fn policy() -> PolicyApplication {
    let budget = RunBudget { cost: Microcents(1), time: MINUTE };
    let pipeline = Pipeline { name: "bench".into(), owner: "bench".into(), budget, stages: vec![] };
    let pins = Pins {
        pipeline,
        plugins: BTreeMap::new(),
        engine: "bench".into(),
        prices: Prices::default(),
        policy: Digest::of("bench"),
    };
    PolicyApplication {
        digest: Digest::of("bench"),
        document: String::new(),
        who: "bench".into(),
        why: "bench".into(),
        lanes: vec![LaneSpec {
            backlog: "bench".into(),
            pipeline: "bench".into(),
            kind: RunKind::Work,
            pins,
            tranche: Microcents(1),
        }],
        caps: vec![],
    }
}

fn arrival(lane: LaneId, number: i64) -> Arrival {
    let name = EntryName { tracker: "bench".into(), key: number.to_string() };
    // Scores in no order, so that the index is filled all over, as by a real backlog.
    let score = number.wrapping_mul(2_654_435_761) % 1_000_003;
    let created_at = Timestamp::from_millis(number);
    let item = SourceItem {
        name,
        url: None,
        kind: "task".into(),
        title: format!("Entry {number}"),
        body: "It does not work.".into(),
        author: None,
        labels: vec![],
        created_at: Some(created_at),
        closed: false,
        front_matter: serde_json::Map::new(),
        headings: BTreeMap::new(),
        depends: vec![],
    };
    let snapshot = EntrySnapshot {
        name: item.name.clone(),
        url: None,
        kind: item.kind.clone(),
        title: item.title.clone(),
        body: item.body.clone(),
        author: None,
        labels: vec![],
        created_at,
        fields: serde_json::Map::new(),
    };
    let place = PlaceInLane {
        lane,
        rank_key: RankKey::new(&[(RankPart::Thousandths(score), Direction::Descending)], created_at),
        score_thousandths: Some(score),
        terms: vec![],
        due_at: None,
    };
    Arrival {
        backlog: "bench".into(),
        revision: snapshot.revision(),
        item,
        snapshot,
        links: vec![],
        depends: DependencyRule::Either,
        admission: Admission { holds: vec![], place: Some(place) },
        on_change: OnChange::Ignore,
    }
}

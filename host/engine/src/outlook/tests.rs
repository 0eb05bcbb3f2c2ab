//! What is judged as a stream is the order as it is defined: of all entries, those that waited then, sorted.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Map, Value};
use tollgate_core::{
    entry::EntryName,
    item::{Dependency, Shelf, SourceItem},
    refine::Supplement,
};
use tollgate_store::port::Begun;

use super::*;

const POLICY: &str = r#"
[instance]

[backlog.specs]
owner = "team"
zone = "Europe/Berlin"
pipeline = [{ use = "heavy", when = 'field.effort >= 8' }, { use = "light" }]
eligible = 'age_days < 90 && !("wontfix" in labels)'
priority = 'field.effort + min(floor(age_days / 7), 5) + (kind == "defect" ? 2 : 0)'
depends = { rule = "RULE" }

[[backlog.specs.source]]
folder = "specs"

[backlog.specs.fields]
effort = { type = "number", purpose = "order", from = "front-matter:effort" }

[backlog.bugs]
owner = "team"
pipeline = "light"
eligible = "true"
order_by = ["title", "key"]

[[backlog.bugs.source]]
folder = "bugs"
"#;

const PIPELINE: &str = r#"
owner = "team"
budget = { cost = "$1", time = "1m" }

[[stage]]
name = "draft"
plugin = "spec-draft@^1"
budget = { fuel = "1M", time = "1s", memory = "1MiB" }
"#;

const DAY_MS: i64 = 86_400_000;
const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

fn policy(rule: &str) -> Arc<Policy> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("pipelines")).unwrap();
    std::fs::write(folder.path().join("tollgate.toml"), POLICY.replace("RULE", rule)).unwrap();
    for name in ["heavy", "light"] {
        std::fs::write(folder.path().join(format!("pipelines/{name}.toml")), PIPELINE).unwrap();
    }
    Arc::new(Policy::load(folder.path()).unwrap_or_else(|error| panic!("{error}")))
}

fn day(days: i64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() + days * DAY_MS)
}

/// An entry of which anything may be so.
fn stored(number: i64, chance: &mut Rng) -> StoredItem {
    let backlog = ["specs", "specs", "bugs", "gone"][chance.usize(..4)];
    let states = [EntryState::Ready, EntryState::Held, EntryState::Done, EntryState::Busy, EntryState::Gone];
    let count = if chance.bool() { chance.usize(1..3) } else { 0 };
    let depends = (0..count).map(|_| Dependency {
        key: format!("K-{}", chance.i64(1..30)),
        source: "front-matter:depends".into(),
    });
    let depends = depends.collect();
    let item = SourceItem {
        name: EntryName { tracker: format!("folder:{backlog}"), key: format!("K-{number}") },
        url: None,
        kind: ["defect", "spec"][chance.usize(..2)].into(),
        title: format!("Title {}", chance.u8(..4)),
        body: String::new(),
        author: None,
        labels: if chance.u8(..8) == 0 { vec!["wontfix".into()] } else { Vec::new() },
        created_at: (chance.u8(..6) > 0).then(|| day(-chance.i64(0..60))),
        closed: chance.u8(..6) == 0,
        shelf: Shelf::Open,
        front_matter: match chance.u8(..10) {
            0 => Map::new(),
            effort => Map::from_iter([("effort".into(), Value::from(effort))]),
        },
        headings: BTreeMap::new(),
        depends,
    };
    StoredItem {
        id: EntryId(number),
        backlog: backlog.into(),
        state: states[chance.usize(..states.len())],
        is_held_by_others: chance.u8(..5) == 0,
        item,
        supplement: Supplement::default(),
        first_seen_at: day(-chance.i64(0..50)),
    }
}

fn judging(policy: &Arc<Policy>, begun: Vec<Begun>, when: Timestamp) -> Judging {
    let lanes = [("bugs", "light"), ("specs", "heavy"), ("specs", "light")];
    Judging {
        policy: Arc::clone(policy),
        lanes: lanes.map(|(backlog, pipeline)| (backlog.into(), pipeline.into())).to_vec(),
        begun,
        now: NOW,
        when,
        remembered: Mutex::default(),
    }
}

/// The order as it is defined, of everything at once.
fn defined(policy: &Policy, items: &[StoredItem], begun: &[Begun], when: Timestamp) -> Vec<Placed> {
    let begun_on = |id: EntryId| begun.iter().find(|begun| begun.entry == id);
    let judge = |item: &StoredItem| {
        let seen = Seen { first: item.first_seen_at, now: when };
        Some(policy.backlog(&item.backlog)?.judge_once(&item.item, &item.supplement, seen))
    };
    let has_its_dependencies = |item: &StoredItem| {
        let (Some(backlog), Some(judged)) = (policy.backlog(&item.backlog), judge(item)) else {
            return false;
        };
        judged.links.iter().all(|link| {
            let is_meant =
                |target: &&StoredItem| target.backlog == item.backlog && target.item.name.key == link.to.key;
            items.iter().find(is_meant).is_some_and(|target| {
                let is_done = begun_on(target.id).is_some_and(|begun| begun.is_done);
                let state = if is_done { EntryState::Done } else { EntryState::Held };
                backlog.depends.rule.is_satisfied(state, target.item.closed)
            })
        })
    };
    let waited = |item: &&StoredItem| {
        if when >= NOW {
            return waits(item.state) && !item.is_held_by_others;
        }
        let written = item.item.created_at.unwrap_or(item.first_seen_at);
        let is_known = item.state != EntryState::Gone && written <= when;
        is_known && begun_on(item.id).is_none() && has_its_dependencies(item)
    };
    let place = |item: &StoredItem| {
        let judged = judge(item)?;
        let (true, Some(rank), Some(pipeline)) = (judged.is_ready(), judged.rank, judged.pipeline) else {
            return None;
        };
        Some(Placed { id: item.id, backlog: item.backlog.clone(), pipeline, position: 0, rank })
    };
    let mut placed: Vec<Placed> = items.iter().filter(waited).filter_map(place).collect();
    let order = |placed: &Placed| {
        (placed.backlog.clone(), placed.pipeline.clone(), placed.rank.key.clone(), placed.id)
    };
    placed.sort_by_key(order);
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    for placed in &mut placed {
        let count = counts.entry((placed.backlog.clone(), placed.pipeline.clone())).or_default();
        *count += 1;
        placed.position = *count;
    }
    placed
}

/// The order as it is found in a stream, and how many there are.
fn streamed(judging: &Judging, items: &[StoredItem], mut kept: Kept, chunk: usize) -> (u64, Vec<Placed>) {
    let mut all = Chunk::default();
    for items in items.chunks(chunk) {
        all.absorb(judging.judge(items), &mut kept);
    }
    all.settle(&mut kept);
    let (total, spots) = kept.finish();
    (total, spots.into_iter().map(|(position, spot)| judging.placed(spot, position)).collect())
}

#[test]
fn what_is_streamed_is_what_is_defined() {
    let policies = ["either", "tracker", "run"].map(policy);
    let mut placed_in_all = 0;
    for seed in 0..200 {
        let mut chance = Rng::with_seed(seed);
        let items: Vec<_> = (1..chance.i64(2..40)).map(|number| stored(number, &mut chance)).collect();
        let begun = items.iter().filter(|_| chance.u8(..4) == 0);
        let begun: Vec<_> = begun.map(|item| Begun { entry: item.id, is_done: item.id.0 % 2 == 0 }).collect();
        let when = day([-40, -20, -3, 0, 5, 70][chance.usize(..6)]);
        let policy = &policies[chance.usize(..policies.len())];
        let begun = if when < NOW { begun } else { Vec::new() };
        let defined = defined(policy, &items, &begun, when);
        let judging = judging(policy, begun, when);
        let (total, chunk) = (defined.len() as u64, chance.usize(1..9));
        placed_in_all += total;

        let limit = chance.usize(1..6);
        let first = streamed(&judging, &items, Kept::first(limit), chunk);
        assert_eq!(first, (total, defined.iter().take(limit).cloned().collect()), "seed {seed}");
        assert_eq!(
            streamed(&judging, &items, Kept::first(0), chunk),
            (total, defined.clone()),
            "seed {seed}"
        );

        let named: Vec<_> = items.iter().filter(|_| chance.u8(..3) == 0).collect();
        let spots = named.iter().filter_map(|item| judging.spot(item, &mut Remembered::default())).collect();
        let found = streamed(&judging, &items, Kept::named(spots), chunk);
        let is_named = |placed: &&Placed| named.iter().any(|item| item.id == placed.id);
        assert_eq!(found, (total, defined.iter().filter(is_named).cloned().collect()), "seed {seed}");
    }
    assert!(placed_in_all > 300, "there is something to order: {placed_in_all}");
}

//! Scoring a whole backlog again: places first, order afterwards, and whatever comes in between.

use std::time::Duration;

use tollgate_core::{
    EntryId,
    course::End,
    entry::{EntryState, HoldKind},
};
use tollgate_store::port::{
    Admission, Arrival, ClaimOutcome, ClaimRequest, Displaced, EntryFilter, Rejudged, RescoreItem, Rescored,
    Rescoring,
};

use super::together::{claimed, claims};
use crate::support::*;

const LETTERS: [&str; 8] = ["A", "B", "C", "D", "E", "F", "G", "H"];

/// Entries of which the first comes first.
async fn waiting(make: &Make<'_>, count: usize) -> World {
    let world = World::new(make).await;
    let arrivals = LETTERS[..count].iter().zip(0..).map(|(key, at)| arrival(world.lane, key, 100 - at));
    world.admit(arrivals.collect()).await;
    world
}

async fn rejudged(world: &World, (key, score): (&str, i64)) -> Rejudged {
    let Arrival { admission, .. } = arrival(world.lane, key, score);
    Rejudged {
        id: world.id(key).await,
        says: None,
        supplement_version: 0,
        policy_version: WHICHEVER,
        admission,
    }
}

async fn all_rejudged(world: &World, scores: &[(&str, i64)]) -> Vec<Rejudged> {
    let mut judged = Vec::new();
    for score in scores {
        judged.push(rejudged(world, *score).await);
    }
    judged
}

async fn displace(world: &World, scores: &[(&str, i64)]) -> (Rescoring, Vec<Displaced>) {
    let rescoring = world.store.begin_rescoring().await.unwrap();
    let judged = all_rejudged(world, scores).await;
    let Rescored { entries, mut displaced } = world.store.rescore_apart(rescoring, judged).await.unwrap();
    assert_eq!(entries, scores.len() as u64);
    displaced.sort();
    (rescoring, displaced)
}

async fn put_in_order(world: &World, (rescoring, displaced): (Rescoring, Vec<Displaced>)) {
    world.store.put_in_order(rescoring, displaced).await.unwrap();
    world.store.end_rescoring(rescoring).await.unwrap();
    assert_eq!(world.store.displaced(None, 10).await.unwrap(), []);
}

/// What is ready, in its order.
async fn order(world: &World) -> Vec<String> {
    let filter = EntryFilter { states: vec![EntryState::Ready], ..EntryFilter::default() };
    let ready = world.store.entries(filter).await.unwrap().rows;
    let keys: Vec<_> = ready.into_iter().map(|entry| entry.name.key).collect();
    let in_lane = world.store.items_of_lane(BACKLOG, "spec", 100).await.unwrap();
    assert_eq!(keys, in_lane.into_iter().map(|item| item.item.name.key).collect::<Vec<_>>());
    keys
}

/// Claims all there is.
async fn claim_all(world: &World) -> Vec<String> {
    let mut keys = Vec::new();
    while let ClaimOutcome::Claimed(run) = world.store.claim(world.request()).await.unwrap() {
        keys.push(run.run.entry.key);
    }
    keys
}

pub(crate) async fn what_is_due_is_told_by_numbers(make: &Make<'_>) {
    let world = World::new(make).await;
    let due = LETTERS.iter().zip(0..).map(|(key, hours)| {
        let mut arrival = world.arrival(key);
        arrival.admission.due_at = Some(start().after(Duration::from_secs(3_600 * (8 - hours))));
        arrival
    });
    world.admit(due.collect()).await;
    world.clock.advance(Duration::from_secs(7 * 3_600));
    let all = world.store.due_by_number(None, 100).await.unwrap();
    let keys: Vec<_> = all.iter().map(|due| due.item.name.key.as_str()).collect();
    assert_eq!(keys, LETTERS[1..], "A is due later");
    let some = world.store.due_by_number(Some(all[2].id), 3).await.unwrap();
    let ids = |due: &[RescoreItem]| due.iter().map(|due| due.id).collect::<Vec<_>>();
    assert_eq!(ids(&some), ids(&all[3..6]));
}

pub(crate) async fn what_moves_stands_where_it_did_until_it_is_put_in_order(make: &Make<'_>) {
    let world = waiting(make, 3).await;
    let displaced = displace(&world, &[("A", 1), ("B", 99), ("C", 200)]).await;
    let entries: Vec<_> = displaced.1.iter().map(|displaced| displaced.entry).collect();
    assert_eq!(
        entries,
        [world.id("C").await, world.id("A").await],
        "B stays, and they compare as they will stand"
    );
    assert_eq!(order(&world).await, ["A", "B", "C"]);
    let standing = world.store.entry("C", None).await.unwrap().standing.unwrap();
    assert_eq!((standing.ahead, standing.waiting), (0, 3), "it is going to be the first");
    assert_eq!(world.store.entry("A", None).await.unwrap().standing.unwrap().ahead, 2);

    put_in_order(&world, displaced).await;
    assert_eq!(order(&world).await, ["C", "B", "A"]);
    let rest = displace(&world, &[("A", 300), ("B", 2)]).await;
    put_in_order(&world, rest).await;
    assert_eq!(claim_all(&world).await, ["A", "C", "B"]);
}

pub(crate) async fn what_stands_elsewhere_is_claimed_once(make: &Make<'_>) {
    let world = waiting(make, 8).await;
    let moves: Vec<_> = LETTERS.into_iter().zip(1..).collect();
    let displaced = displace(&world, &moves).await;
    let only_h = ClaimRequest { only: vec![world.id("H").await], ..world.request() };
    let ClaimOutcome::Claimed(run) = world.store.claim(only_h).await.unwrap() else { panic!("H waits") };
    assert_eq!(run.run.entry.key, "H", "who names it finds it where it stands");
    world.store.put_in_order(displaced.0, displaced.1[..5].to_vec()).await.unwrap();
    assert_eq!(order(&world).await, ["A", "B", "C", "G", "F", "E", "D"], "four of them are in order");
    let runs = claimed(&claims(&world, &world.request(), 8).await);
    let keys: Vec<_> = runs.iter().map(|run| run.run.entry.key.as_str()).collect();
    assert_eq!(keys, LETTERS[..7]);
    put_in_order(&world, displaced).await;
    assert_eq!(order(&world).await, Vec::<String>::new());
    assert_eq!(world.store.open_work().await.unwrap().ready, 0);
}

pub(crate) async fn what_becomes_of_an_entry_meanwhile_stands(make: &Make<'_>) {
    let world = waiting(make, 5).await;
    let displaced = displace(&world, &[("A", 1), ("B", 2), ("C", 3), ("D", 4)]).await;
    let run = world.claim().await;
    assert_eq!(run.run.entry.key, "A");
    world.store.release(run.claim, "the host stops").await.unwrap();
    world.admit(vec![world.arrival("B").held(HoldKind::NotEligible, "no")]).await;
    world.admit(vec![arrival(world.lane, "C", 50).says("it says something else")]).await;
    // Once more, before it is in order, and by itself.
    let judged = all_rejudged(&world, &[("D", 60)]).await;
    assert_eq!(world.store.rescore(judged).await.unwrap(), 1);
    assert_eq!(order(&world).await, ["E", "D", "C"]);
    assert_eq!(world.store.open_work().await.unwrap().ready, 4);

    put_in_order(&world, displaced).await;
    assert_eq!(order(&world).await, ["E", "D", "C"]);
    assert_eq!(world.state("B").await, EntryState::Held);
    assert_eq!(claim_all(&world).await, ["A", "E", "D", "C"]);
}

pub(crate) async fn what_is_rescored_again_before_it_is_in_order_goes_where_it_was_judged_last(
    make: &Make<'_>,
) {
    let world = waiting(make, 3).await;
    let first = displace(&world, &[("A", 1), ("B", 300)]).await;
    let second = displace(&world, &[("A", 200), ("B", 2)]).await;
    put_in_order(&world, second).await;
    put_in_order(&world, first).await;
    assert_eq!(order(&world).await, ["A", "C", "B"]);
    // Back to where it stands.
    let away = displace(&world, &[("A", 1)]).await;
    let back = displace(&world, &[("A", 200)]).await;
    assert_eq!(order(&world).await, ["A", "C", "B"]);
    put_in_order(&world, away).await;
    put_in_order(&world, back).await;
    assert_eq!(order(&world).await, ["A", "C", "B"]);
}

pub(crate) async fn what_waits_for_another_moves_as_well(make: &Make<'_>) {
    let world = waiting(make, 2).await;
    world.admit(vec![arrival(world.lane, "C", 1).needs("A"), arrival(world.lane, "D", 1).needs("A")]).await;
    let since = world.store.entry("C", None).await.unwrap().status.holds;
    let displaced = displace(&world, &[("B", 10), ("C", 20)]).await;
    let held = Rejudged {
        admission: world.arrival("D").held(HoldKind::NotEligible, "no").admission,
        ..rejudged(&world, ("D", 1)).await
    };
    world.store.rescore_apart(displaced.0, vec![held]).await.unwrap();
    assert_eq!(world.store.entry("C", None).await.unwrap().status.holds, since);
    world.work(End::Done).await;
    assert_eq!(order(&world).await, ["B", "C"], "B stands where it did, and C is at its place");
    put_in_order(&world, displaced).await;
    assert_eq!(order(&world).await, ["C", "B"]);
    assert_eq!(world.holds("D").await, ["not-eligible: no"]);
    let eligible = all_rejudged(&world, &[("D", 15)]).await;
    assert_eq!(world.store.rescore(eligible).await.unwrap(), 1);
    assert_eq!(order(&world).await, ["C", "D", "B"], "what the policy held is decided about anew");
}

pub(crate) async fn what_is_out_of_date_is_not_written(make: &Make<'_>) {
    let world = waiting(make, 3).await;
    let rescoring = world.store.begin_rescoring().await.unwrap();
    let busy = world.claim().await;
    let mut judged = all_rejudged(&world, &[("A", 1), ("B", 1), ("C", 1)]).await;
    judged[1].supplement_version = 7;
    judged.push(Rejudged { id: EntryId(9_999), ..judged[0].clone() });
    let rescored = world.store.rescore_apart(rescoring, judged).await.unwrap();
    assert_eq!(rescored.entries, 1, "A is busy, and of B something else is known");
    assert_eq!(rescored.displaced.iter().map(|one| one.entry).collect::<Vec<_>>(), [world.id("C").await]);
    world.store.end_rescoring(rescoring).await.unwrap();
    assert_eq!(busy.run.entry.key, "A");
    let nowhere = Admission { place: None, ..world.arrival("B").admission };
    let judged = Rejudged { admission: nowhere, ..rejudged(&world, ("B", 0)).await };
    world.store.rescore_apart(rescoring, vec![judged]).await.unwrap();
    assert_eq!(world.state("B").await, EntryState::Held);
    assert_eq!(order(&world).await, ["C"]);
}

pub(crate) async fn what_a_host_left_behind_is_found_and_put_in_order(make: &Make<'_>) {
    let world = waiting(make, 4).await;
    let (lost, _) = displace(&world, &[("A", 1), ("B", 2), ("C", 3)]).await;
    let other = world.store.begin_rescoring().await.unwrap();
    assert_ne!(lost, other);
    world.store.end_rescoring(other).await.unwrap();
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(world.store.lapsed_rescorings().await.unwrap(), [], "it may be at it still");
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(world.store.lapsed_rescorings().await.unwrap(), [lost]);

    let [first] = world.store.displaced(None, 1).await.unwrap().try_into().unwrap();
    let rest = world.store.displaced(Some(first.entry), 10).await.unwrap();
    let mut found = [vec![first], rest].concat();
    let ids = [world.id("A").await, world.id("B").await, world.id("C").await];
    assert_eq!(found.iter().map(|one| one.entry).collect::<Vec<_>>(), ids, "by their numbers");
    found.sort();
    world.store.put_in_order(lost, found.clone()).await.unwrap();
    assert_eq!(world.store.lapsed_rescorings().await.unwrap(), [], "somebody is at it");
    put_in_order(&world, (lost, found)).await;
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(world.store.lapsed_rescorings().await.unwrap(), []);
    assert_eq!(order(&world).await, ["D", "C", "B", "A"]);
}

//! Deliveries.

use std::time::Duration;

use serde_json::{Value, json};
use tollgate_core::{Digest, course::End, effect::Delivered, entry::EntryName, item::Shelf};
use tollgate_store::port::{DeliveryKind, DeliveryOutcome, NextState, RunWrite, Wake};

use crate::support::*;

pub(crate) async fn deliveries_to_one_entry_are_in_order(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A"), world.arrival("B")]).await;
    let (a, b) = (world.claim().await, world.claim().await);
    let effects = ["1", "2", "3"].map(|id| effect("draft", id)).to_vec();
    world.store.write(RunWrite { released: effects, ..go_on(a.claim) }).await.unwrap();
    world.store.write(RunWrite { released: vec![effect("draft", "1")], ..go_on(b.claim) }).await.unwrap();
    assert_eq!(world.store.open_work().await.unwrap().undelivered, 4);

    let first = world.take(10).await;
    let keys: Vec<_> = first.iter().map(|delivery| delivery.entry.key.as_str()).collect();
    assert_eq!(keys, ["A", "B"]);
    assert!(world.take(10).await.is_empty(), "the others come after these");
    let mut last = first[0].id;
    world.settle(&first[0]).await;
    for _ in 0..2 {
        let [next] = world.take(10).await.try_into().expect("one at a time");
        assert!(next.id > last);
        last = next.id;
        world.settle(&next).await;
    }
    assert!(world.take(10).await.is_empty());
}

pub(crate) async fn a_delivery_that_failed_is_tried_again_before_later_ones(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let run = world.claim().await;
    let released = vec![effect("draft", "1"), effect("draft", "2")];
    world.store.write(RunWrite { released, ..go_on(run.claim) }).await.unwrap();
    let [first] = world.take(10).await.try_into().unwrap();
    assert_eq!((first.failures, first.ambiguous), (0, false));
    let at = start().after(Duration::from_secs(10));
    let retry = DeliveryOutcome::Retry { at, reason: "timed out".into(), ambiguous: true };
    assert_eq!(world.store.settle_deliveries(vec![(first.ticket(), retry.clone())]).await.unwrap(), []);
    assert!(world.take(10).await.is_empty(), "not before its time, and nothing passes it");
    assert_eq!(world.store.open_work().await.unwrap().next_delivery_at, Some(at));
    world.clock.advance(Duration::from_secs(10));
    let [again] = world.take(10).await.try_into().unwrap();
    assert_eq!((again.id, again.failures, again.ambiguous), (first.id, 1, true));
    assert!(again.fence > first.fence);
    let late = vec![(first.ticket(), delivered()), (first.ticket(), retry)];
    assert_eq!(world.store.settle_deliveries(late).await.unwrap(), [first.id, first.id]);
    world.settle(&again).await;
    let twice = vec![(again.ticket(), delivered())];
    assert_eq!(world.store.settle_deliveries(twice).await.unwrap(), [again.id]);
}

pub(crate) async fn a_delivery_whose_host_died_is_ambiguous(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    world.work(End::Done).await;
    let [lost] = world.take(1).await.try_into().unwrap();
    assert!(!lost.ambiguous);
    world.clock.advance(LEASE);
    assert_eq!(world.store.sweep().await.unwrap().lapsed_deliveries, [lost.id]);
    let stale = world.store.settle_deliveries(vec![(lost.ticket(), delivered())]).await.unwrap();
    assert_eq!(stale, [lost.id], "the first host is too late");
    let [found] = world.take(1).await.try_into().unwrap();
    assert!(found.ambiguous && found.id == lost.id);
    world.settle(&found).await;
}

/// Whatever became of it there: it is being sent by whoever took it last, and so is what is sent beside it.
pub(crate) async fn a_delivery_that_was_taken_again_is_no_longer_who_had_its_first(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A"), world.arrival("B")]).await;
    world.work(End::Done).await;
    world.work(End::Done).await;
    let lost = world.take(2).await;
    world.clock.advance(LEASE);
    world.store.sweep().await.unwrap();
    let taken = world.take(2).await;
    let retry = || DeliveryOutcome::Retry { at: start(), reason: "timed out".into(), ambiguous: false };
    for outcome in [delivered, retry, || DeliveryOutcome::NotBegun] {
        let late: Vec<_> = lost.iter().map(|delivery| (delivery.ticket(), outcome())).collect();
        let stale = world.store.settle_deliveries(late).await.unwrap();
        assert_eq!(stale, lost.iter().map(|delivery| delivery.id).collect::<Vec<_>>());
        assert!(world.take(2).await.is_empty());
    }
    let [mut one, other] = taken.try_into().unwrap();
    for outcome in [DeliveryOutcome::NotBegun, retry()] {
        assert_eq!(world.store.settle_deliveries(vec![(one.ticket(), outcome)]).await.unwrap(), []);
        let [again] = world.take(2).await.try_into().unwrap();
        assert_eq!(again.id, one.id);
        one = again;
    }
    let twice = vec![(one.ticket(), delivered()), (one.ticket(), delivered())];
    assert_eq!(world.store.settle_deliveries(twice).await.unwrap(), [one.id]);
    assert!(world.take(2).await.is_empty());
    world.settle(&other).await;
}

pub(crate) async fn a_delivery_that_nobody_began_is_as_it_was(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    world.work(End::Done).await;
    let mut was_lost = false;
    for lapses in [false, true] {
        let [taken] = world.take(1).await.try_into().unwrap();
        assert_eq!((taken.failures, taken.ambiguous), (0, was_lost));
        if lapses {
            world.clock.advance(LEASE);
            world.store.sweep().await.unwrap();
            was_lost = true;
        }
        let given_back = vec![(taken.ticket(), DeliveryOutcome::NotBegun)];
        let stale = world.store.settle_deliveries(given_back.clone()).await.unwrap();
        assert_eq!(stale, if lapses { vec![taken.id] } else { vec![] });
        assert_eq!(world.store.settle_deliveries(given_back).await.unwrap(), [taken.id], "nobody has it");
    }
    let [found] = world.take(1).await.try_into().unwrap();
    assert!(found.ambiguous, "whoever had it for a lease may have sent it");
    let given_back = vec![(found.ticket(), DeliveryOutcome::NotBegun)];
    world.store.settle_deliveries(given_back).await.unwrap();
    let [found] = world.take(1).await.try_into().unwrap();
    assert!(found.ambiguous, "which one who did not begin it does not know");
    world.settle(&found).await;
}

pub(crate) async fn a_run_wakes_when_the_last_of_its_effects_is_settled(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let run = world.claim().await;
    let refs = vec![reference("draft", "1"), reference("draft", "2")];
    let write = RunWrite {
        released: vec![effect("draft", "1"), effect("draft", "2")],
        ..wait(run.claim, vec![Wake::Delivered(refs.clone())])
    };
    world.store.write(write).await.unwrap();
    let [first] = world.take(9).await.try_into().unwrap();
    world.settle(&first).await;
    world.claim_nothing().await;
    let [second] = world.take(9).await.try_into().unwrap();
    let refused = Delivered::Refused { reason: "the item is locked".into() };
    let outcome = DeliveryOutcome::Settled(refused.clone());
    world.store.settle_deliveries(vec![(second.ticket(), outcome)]).await.unwrap();
    let again = world.claim().await;
    assert_eq!(again.claim.run, run.claim.run);
    let effects = world.store.run(run.claim.run).await.unwrap().effects;
    assert_eq!(effects.iter().map(|(reference, ..)| reference.clone()).collect::<Vec<_>>(), refs);
    assert_eq!(effects[1].2, Some(refused));
}

pub(crate) async fn an_entry_is_found_where_its_run_left_it(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let run = world.claim().await;
    let mut write =
        RunWrite { released: vec![effect("draft", "1")], ..finish(&run, world.store.id(), End::Done) };
    if let NextState::Finish { leaves_entry, .. } = &mut write.next {
        *leaves_entry = true;
    }
    world.store.write(write).await.unwrap();
    let mut kinds = Vec::new();
    while let [delivery] = world.take(9).await.as_slice() {
        let kind = match delivery.kind {
            DeliveryKind::Effect { .. } => "effect",
            DeliveryKind::Leave(_) => "leave",
            DeliveryKind::Record(_) | DeliveryKind::Adopted(_) => "record",
        };
        kinds.push(kind);
        let (reference, data) = (Some(format!("docs/{kind}/A.md")), json!({ "shelf": "done" }));
        let outcome = DeliveryOutcome::Settled(Delivered::Done { reference, data });
        assert_eq!(world.store.settle_deliveries(vec![(delivery.ticket(), outcome)]).await.unwrap(), []);
        let found = world.store.entry("A", None).await.unwrap();
        let expected = match kinds.contains(&"leave") {
            true => ("docs/leave/A.md", Shelf::Done),
            false => ("docs/A.md", Shelf::Open),
        };
        assert_eq!(
            (found.status.url.as_deref(), found.item.shelf),
            (Some(expected.0), expected.1),
            "{kinds:?}"
        );
    }
    kinds.sort_unstable();
    assert_eq!(kinds, ["effect", "leave", "record"]);
}

pub(crate) async fn what_is_delivered_after_the_end_does_not_change_the_chain(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let run = world.claim().await;
    let last =
        RunWrite { released: vec![effect("draft", "later")], ..finish(&run, world.store.id(), End::Done) };
    world.store.write(last).await.unwrap();
    let before = world.store.run(run.claim.run).await.unwrap();
    for _ in 0..2 {
        let [delivery] = world.take(9).await.try_into().unwrap();
        world.settle(&delivery).await;
    }
    let after = world.store.run(run.claim.run).await.unwrap();
    assert_eq!(before.events, after.events);
    assert!(after.effects[0].2.is_some() && after.record_delivered.is_some());
}

pub(crate) async fn a_published_file_knows_what_was_published_there_before(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let path = "specs/A.md";
    let published = async |content: &str, became: Delivered| {
        let run = world.claim().await;
        let write = RunWrite {
            released: vec![publish("publish", "spec", path, content)],
            ..finish(&run, world.store.id(), End::Done)
        };
        world.store.write(write).await.unwrap();
        let [file] = world.take(9).await.try_into().unwrap();
        assert!(matches!(file.kind, DeliveryKind::Effect { .. }));
        let outcome = (file.ticket(), DeliveryOutcome::Settled(became));
        world.store.settle_deliveries(vec![outcome]).await.unwrap();
        let [record] = world.take(9).await.try_into().unwrap();
        world.settle(&record).await;
        let EntryName { key, .. } = &file.entry;
        world.store.retry(world.id(key).await, "ines", "again").await.unwrap();
        file.previous
    };
    let done = || Delivered::Done { reference: Some(path.into()), data: Value::Null };
    assert_eq!(published("one", done()).await, None);
    let refused = Delivered::Refused { reason: "somebody else's file is there".into() };
    assert_eq!(published("two", refused).await, Some(Digest::of("one")));
    assert_eq!(published("three", done()).await, Some(Digest::of("one")));
    assert_eq!(published("four", done()).await, Some(Digest::of("three")));
}

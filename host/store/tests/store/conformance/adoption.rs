//! Work that was done before Tollgate.

use tollgate_core::{
    AdoptionId,
    adoption::{Evidence, EvidenceKind},
    course::End,
    entry::EntryState,
};
use tollgate_store::port::{AdoptionOutcome, DeliveryKind, NewAdoption, OnChange};

use crate::support::{ArrivalExt as _, Make, World};

pub(super) async fn adopt(world: &World, key: &str) -> AdoptionOutcome {
    let status = world.store.entry(key, None).await.unwrap().status;
    let evidence = Evidence {
        kind: EvidenceKind::List,
        place: "done.txt:1".into(),
        says: "see the wiki".into(),
        done_at: None,
    };
    let new = NewAdoption {
        id: AdoptionId::generate(),
        entry: status.id,
        revision: status.revision,
        who: "ines".into(),
        evidence: vec![evidence],
        despite: vec![],
    };
    world.store.adopt(vec![new]).await.unwrap().remove(0)
}

pub(crate) async fn an_adopted_entry_is_done_and_lifts_what_waits_for_it(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A"), world.arrival("B").needs("A")]).await;
    assert_eq!(adopt(&world, "A").await, AdoptionOutcome::Adopted);
    assert_eq!((world.state("A").await, world.state("B").await), (EntryState::Done, EntryState::Ready));
    assert_eq!(adopt(&world, "A").await, AdoptionOutcome::AdoptedBefore);

    let delivery = world.take(8).await.remove(0);
    assert!(matches!(&delivery.kind, DeliveryKind::Adopted(adoption) if adoption.who == "ines"));
    assert_eq!(delivery.run, None);
    world.settle(&delivery).await;
    let kept = world.store.adoptions().await.unwrap();
    assert_eq!((kept.len(), kept[0].delivered.is_some()), (1, true));
    let coverage = world.store.coverage().await.unwrap();
    assert_eq!((coverage[0].adopted, coverage[0].states[&EntryState::Done]), (1, 1));

    // A person takes it back; what a run does then is no adoption any more.
    world.store.retry(world.id("A").await, "ines", "it is not done").await.unwrap();
    let run = world.claim().await;
    assert_eq!(run.run.round, 1);
    world.finish(&run, End::Done).await;
    assert_eq!(world.store.coverage().await.unwrap()[0].adopted, 0);
    let AdoptionOutcome::Refused(reason) = adopt(&world, "A").await else { panic!("it is done by a run") };
    assert!(reason.contains("done by a run"), "{reason}");
}

pub(crate) async fn what_is_worked_on_gone_or_edited_is_not_adopted(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let run = world.claim().await;
    assert!(matches!(adopt(&world, "A").await, AdoptionOutcome::Refused(_)));
    world.finish(&run, End::Cancelled { reason: "no".into() }).await;
    assert_eq!(adopt(&world, "A").await, AdoptionOutcome::Adopted, "somebody finished it");
}

pub(crate) async fn an_adopted_entry_comes_back_as_one_that_was_worked_on(make: &Make<'_>) {
    let world = World::new(make).await;
    let rules = [("I", OnChange::Ignore), ("Q", OnChange::Ask), ("R", OnChange::Rerun)];
    world.admit(rules.map(|(key, _)| world.arrival(key)).to_vec()).await;
    for (key, _) in rules {
        adopt(&world, key).await;
    }
    for _ in 0..3 {
        world.reconcile(vec![], true).await;
    }
    assert_eq!(world.state("R").await, EntryState::Gone);
    let same = |(key, rule)| world.arrival(key).on_change(rule);
    world.admit(rules.map(same).to_vec()).await;
    assert_eq!(world.state("R").await, EntryState::Done, "it is what it was");
    let changed = |(key, rule): (&str, _)| world.arrival(key).says("more").on_change(rule);
    let changes = world.admit(rules.map(changed).to_vec()).await;
    let states: Vec<_> = changes.iter().map(|change| change.state).collect();
    assert_eq!(states, [EntryState::Done, EntryState::Held, EntryState::Ready]);
}

//! What changes when another policy is applied.

use tollgate_core::{
    Digest,
    entry::{EntryState, HoldKind},
};
use tollgate_store::{
    StoreError,
    port::{Arrival, ClaimOutcome, Opener, Rejudged},
};

use super::opening::opening;
use crate::support::*;

/// A world in which another policy is applied than its first; the versions of both.
async fn world(make: &Make<'_>) -> (World, i64, i64) {
    let world = World::new(make).await;
    let first = world.store.applied_policy().await.unwrap().unwrap().version;
    let mut changed = policy(&["spec"], vec![]);
    changed.lanes[0].pins.engine = "another".into();
    let second = world.store.apply_policy(changed).await.unwrap().version;
    (world, first, second)
}

/// Judges what is due by the policy of this version, for which it is eligible; how many entries that changed.
async fn judge(world: &World, policy_version: i64) -> u64 {
    let due = world.store.due_for_rescoring(None, 10).await.unwrap().into_iter();
    let judged = due.map(|due| Rejudged {
        id: due.id,
        says: None,
        supplement_version: due.known.version,
        policy_version,
        admission: world.arrival(&due.item.name.key).admission,
    });
    world.store.rescore(judged.collect()).await.unwrap()
}

async fn check_unjudged(world: &World, key: &str) {
    assert_eq!(world.state(key).await, EntryState::Held);
    let [hold] = world.store.entry(key, None).await.unwrap().status.holds.try_into().unwrap();
    assert_eq!(hold.kind, HoldKind::Unjudged);
    assert!(matches!(world.store.claim(world.request()).await.unwrap(), ClaimOutcome::Nothing));
    assert!(world.store.open_work().await.unwrap().to_judge, "who drains waits for it");
}

pub(crate) async fn what_an_older_policy_made_of_an_item_is_not_begun(make: &Make<'_>) {
    let (world, first, second) = world(make).await;
    let by = |policy_version| Arrival { policy_version, ..world.arrival("A") };
    let [change] = world.admit(vec![by(first)]).await.try_into().unwrap();
    assert_eq!((change.created, change.state), (true, EntryState::Held));
    check_unjudged(&world, "A").await;
    assert_eq!(judge(&world, first).await, 0, "it judged by that already");
    check_unjudged(&world, "A").await;
    assert_eq!(judge(&world, second).await, 1);
    assert_eq!(world.state("A").await, EntryState::Ready);

    let [change] = world.admit(vec![by(first).says("something else")]).await.try_into().unwrap();
    assert_eq!((change.created, change.state), (false, EntryState::Held));
    check_unjudged(&world, "A").await;
    let by_the_present = by(second).says("something else");
    assert_eq!(world.admit(vec![by_the_present]).await[0].state, EntryState::Ready, "that is a judgement");
    assert_eq!(world.claim().await.run.entry.key, "A");
}

pub(crate) async fn what_an_older_policy_made_of_an_entry_changes_nothing(make: &Make<'_>) {
    let (world, first, second) = world(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let id = world.id("A").await;
    let admission = world.arrival("A").held(HoldKind::NotEligible, "no").admission;
    let refuses = |policy_version| {
        vec![Rejudged { id, says: None, supplement_version: 0, policy_version, admission: admission.clone() }]
    };
    assert_eq!(world.store.rescore(refuses(first)).await.unwrap(), 0);
    let rescoring = world.store.begin_rescoring().await.unwrap();
    assert_eq!(world.store.rescore_apart(rescoring, refuses(first)).await.unwrap().entries, 0);
    assert_eq!(world.state("A").await, EntryState::Ready);
    assert_eq!(world.store.rescore(refuses(second)).await.unwrap(), 1);
    assert_eq!(world.holds("A").await, ["not-eligible: no"]);
    world.store.end_rescoring(rescoring).await.unwrap();
}

pub(crate) async fn what_an_older_policy_made_of_an_opening_is_judged_again(make: &Make<'_>) {
    let (world, first, second) = world(make).await;
    let mut late = opening(&world, "I", Opener::Person);
    late.arrival.policy_version = first;
    assert_eq!(world.store.open_entry(late).await.unwrap().state, EntryState::Held);
    check_unjudged(&world, "I").await;
    assert_eq!(judge(&world, second).await, 1);
    assert_eq!(world.claim().await.run.entry.key, "I");
}

pub(crate) async fn a_new_policy_pins_new_runs_only(make: &Make<'_>) {
    let world = World::new(make).await;
    let first = world.store.applied_policy().await.unwrap().unwrap();
    assert_eq!(world.store.apply_policy(policy(&["spec"], vec![])).await.unwrap(), first, "nothing changed");
    world.admit(vec![world.arrival("A"), world.arrival("B")]).await;
    let before = world.claim().await;
    let mut changed = policy(&["spec"], vec![]);
    changed.lanes[0].pins.engine = "another".into();
    let second = world.store.apply_policy(changed.clone()).await.unwrap();
    assert_eq!(second.version, first.version + 1, "the same text with other plugins is another version");
    assert_eq!(second.lanes[0].id, first.lanes[0].id);
    assert_eq!(world.store.applied_policy().await.unwrap().unwrap().files, changed.files);
    assert_eq!(world.store.control().await.unwrap().policy, second.version, "every host hears of it");
    let after = world.claim().await;
    assert_eq!(world.store.pins(before.run.pins).await.unwrap(), pins("spec"));
    assert_eq!(world.store.pins(after.run.pins).await.unwrap(), changed.lanes[0].pins);
    assert!(matches!(world.store.pins(Digest::of("none")).await, Err(StoreError::NotFound { .. })));
}

//! Money.

use std::time::Duration;

use tollgate_core::{Microcents, course::End, ledger::CapBalance};
use tollgate_store::port::{ClaimOutcome, EscrowAnswer, RunWrite, Wake};

use crate::support::*;

fn balance(settled: u64, escrow: u64, overdraft: u64) -> CapBalance {
    let [settled, escrow, overdraft] = [settled, escrow, overdraft].map(Microcents);
    CapBalance { settled, escrow, overdraft }
}

async fn balances(world: &World) -> Vec<CapBalance> {
    world.store.cap_balances().await.unwrap().into_iter().map(|report| report.balance).collect()
}

pub(crate) async fn a_cap_without_room_changes_nothing_and_says_until_when(make: &Make<'_>) {
    let world = World::with_caps(make, vec![cap("project", 250)]).await;
    world.admit(["A", "B", "C"].map(|key| world.arrival(key)).to_vec()).await;
    let first = world.claim().await;
    world.claim().await;
    assert_eq!(balances(&world).await, [balance(0, 200, 0)]);
    let ClaimOutcome::CapReached { cap: reached, until } = world.claim_nothing().await else {
        panic!("the cap has no room for a third tranche")
    };
    assert_eq!(reached, cap("project", 250));
    assert_eq!(until.to_string(), "2026-11-20T23:00:00.000Z", "midnight in Berlin");
    assert_eq!(world.store.open_work().await.unwrap().ready, 1, "it still waits");

    let more = async |amount| world.store.reserve(first.claim, Microcents(amount)).await.unwrap();
    assert_eq!(more(50).await, EscrowAnswer::Reserved);
    assert!(matches!(more(1).await, EscrowAnswer::CapReached { .. }));
    let write =
        RunWrite { steps: vec![step("draft", 1, 130)], ..finish(&first, world.store.id(), End::Done) };
    world.store.write(write).await.unwrap();
    assert_eq!(balances(&world).await, [balance(130, 100, 0)]);
    world.claim_nothing().await;

    // The second run set its money aside on the first day, so there it is returned.
    world.clock.set_wall(until);
    world.claim().await;
    assert_eq!(balances(&world).await, [balance(0, 100, 0)]);
}

pub(crate) async fn what_is_not_spent_goes_back_whenever_a_run_rests(make: &Make<'_>) {
    let world = World::with_caps(make, vec![cap("project", 100)]).await;
    world.admit(vec![world.arrival("A")]).await;
    let run = world.claim().await;
    world.store.release(run.claim, "later").await.unwrap();
    assert_eq!(balances(&world).await, [balance(0, 0, 0)]);
    let run = world.claim().await;
    world.store.write(wait(run.claim, vec![Wake::At(start().after(LEASE))])).await.unwrap();
    assert_eq!(balances(&world).await, [balance(0, 0, 0)]);
    world.clock.advance(LEASE);
    world.store.lift_due().await.unwrap();
    world.claim().await;
    assert_eq!(balances(&world).await, [balance(0, 100, 0)]);
    world.clock.advance(LEASE);
    world.store.sweep().await.unwrap();
    assert_eq!(balances(&world).await, [balance(0, 0, 0)]);
    let last = world.claim().await;
    world.finish(&last, End::Done).await;
    assert_eq!(balances(&world).await, [balance(0, 0, 0)]);
}

pub(crate) async fn money_belongs_to_the_period_in_which_it_was_set_aside(make: &Make<'_>) {
    let world = World::with_caps(make, vec![cap("project", 100)]).await;
    world.admit(vec![world.arrival("A"), world.arrival("B")]).await;
    let yesterday = world.claim().await;
    world.clock.advance(Duration::from_secs(12 * 3_600));
    let write = RunWrite { steps: vec![step("draft", 1, 80)], ..go_on(yesterday.claim) };
    world.store.write(write).await.unwrap();
    assert_eq!(balances(&world).await, [balance(0, 0, 0)], "it is charged to the day before");
    assert!(matches!(world.store.claim(world.request()).await.unwrap(), ClaimOutcome::Claimed(_)));
}

pub(crate) async fn a_cap_on_a_plugin_counts_that_plugin_alone(make: &Make<'_>) {
    // Of a tranche of 100, `draft` may use 40 and `publish` 60.
    let world = World::with_caps(make, vec![cap("plugin:draft", 90), cap("plugin:other", 0)]).await;
    world.admit(["A", "B", "C"].map(|key| world.arrival(key)).to_vec()).await;
    let first = world.claim().await;
    let second = world.claim().await;
    assert_eq!(balances(&world).await, [balance(0, 80, 0), balance(0, 0, 0)]);
    assert!(matches!(world.claim_nothing().await, ClaimOutcome::CapReached { .. }));

    // Rework makes `draft` use more than its share: first what the cap has left, then an overdraft.
    let steps = vec![step("publish", 1, 20), step("draft", 1, 40), step("draft", 2, 10)];
    world.store.write(RunWrite { steps, ..go_on(first.claim) }).await.unwrap();
    assert_eq!(balances(&world).await[0], balance(50, 40, 0));
    let steps = vec![step("draft", 3, 20)];
    world.store.write(RunWrite { steps, ..go_on(first.claim) }).await.unwrap();
    assert_eq!(balances(&world).await[0], balance(50, 40, 20));
    world.finish(&first, End::Done).await;
    world.finish(&second, End::Done).await;
    assert_eq!(balances(&world).await[0], balance(50, 0, 20));
    assert!(matches!(world.claim_nothing().await, ClaimOutcome::CapReached { .. }));
}

pub(crate) async fn what_costs_nothing_needs_no_room(make: &Make<'_>) {
    let world = World::new(make).await;
    let mut free = policy(&["spec"], vec![cap("plugin:draft", 40), cap("plugin:publish", 0)]);
    free.lanes[0].pins.pipeline.stages[1].budget.fuel = 0;
    world.store.apply_policy(free).await.unwrap();
    world.admit(["A", "B"].map(|key| world.arrival(key)).to_vec()).await;
    let run = world.claim().await;
    assert_eq!(balances(&world).await, [balance(0, 40, 0), balance(0, 0, 0)]);
    assert!(matches!(world.claim_nothing().await, ClaimOutcome::CapReached { .. }));
    world.finish(&run, End::Done).await;
    assert_eq!(balances(&world).await, [balance(0, 0, 0), balance(0, 0, 0)]);
}

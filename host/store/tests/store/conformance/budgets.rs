//! What entries cost that a run opened counts against that run's budget, which is 1,000 in this world; a claim sets 100 aside.

use tollgate_core::{
    Microcents,
    approval::{Allowance, Word},
    course::End,
    entry::EntryState,
    event::EventKind,
    run::RunState,
};
use tollgate_store::{
    StoreError,
    port::{ClaimOutcome, ClaimedRun, EscrowAnswer, NewDecision, RunWrite, Wake},
};

use super::{
    children::waiting,
    opening::{by_run, open},
};
use crate::support::*;

/// A run that opened so many entries, `I-01` and on, and waits for them.
pub(super) async fn parent(world: &World, children: usize) -> ClaimedRun {
    world.admit(vec![world.arrival("A")]).await;
    let parent = world.claim().await;
    for number in 1..=children {
        open(world, &format!("I-{number:02}"), by_run(parent.claim.run, 3)).await;
    }
    await_children(world, &parent).await;
    parent
}

async fn await_children(world: &World, run: &ClaimedRun) {
    let steps = vec![waiting(1, None)];
    world.store.write(RunWrite { steps, ..wait(run.claim, vec![Wake::Asked]) }).await.unwrap();
}

async fn claims(world: &World) -> Vec<ClaimedRun> {
    let mut claimed = Vec::new();
    while let ClaimOutcome::Claimed(run) = world.store.claim(world.request()).await.unwrap() {
        claimed.push(*run);
    }
    claimed
}

async fn spends(world: &World, run: &ClaimedRun, cost: u64) {
    let write = RunWrite { steps: vec![step("draft", 1, cost)], ..go_on(run.claim) };
    world.store.write(write).await.unwrap();
}

/// Its limit, what was spent of it, and what is set aside.
pub(super) async fn family(world: &World, run: &ClaimedRun) -> (u64, u64, u64) {
    let family = world.store.run(run.claim.run).await.unwrap().family.unwrap();
    (family.limit.0, family.settled.0, family.escrow.0)
}

fn money(cost: u64) -> NewDecision {
    let added = Allowance { cost: Microcents(cost), ..Allowance::default() };
    NewDecision { who: "ines".into(), why: "it is worth it".into(), word: Word::Approved { added } }
}

pub(crate) async fn children_together_stay_within_the_budget_of_their_parent(make: &Make<'_>) {
    let world = World::new(make).await;
    let parent = parent(&world, 13).await;
    let claimed = claims(&world).await;
    assert_eq!((claimed.len(), family(&world, &parent).await), (10, (1_000, 0, 1_000)));
    let run = parent.claim.run;
    let reason = format!(
        "budget: the budget of A pays for what its run {run} opened, has $0.00 left, and this sets $0.000001 aside; \
         `tollgate approve A --add 'cost=$0.000001'` makes room"
    );
    assert_eq!(world.holds("I-11").await, [reason]);
    world.admit(vec![arrival(world.lane, "Z", -9)]).await;
    assert_eq!(world.claim().await.run.entry.key, "Z", "it is in nobody else's way");

    spends(&world, &claimed[0], 40).await;
    world.finish(&claimed[0], End::Done).await;
    assert_eq!(family(&world, &parent).await, (1_000, 40, 900));
    assert!(claims(&world).await.is_empty(), "60 went back, and 100 are asked for");
    world.finish(&claimed[1], End::Done).await;
    assert_eq!(claims(&world).await.len(), 1, "100 went back");

    let words = world.store.decide(run, money(140)).await.unwrap();
    assert_eq!(words.asked.step, key_of_step("draft", 2));
    assert_eq!(family(&world, &parent).await, (1_140, 40, 900));
    assert_eq!(claims(&world).await.len(), 2, "200 are left, and two wait");
    let detail = world.store.run(run).await.unwrap();
    assert_eq!((detail.summary.state, detail.decisions.len()), (RunState::Waiting, 1), "it waits on");
}

/// A child that was begun and needs more than there is waits for it, and holds nothing.
pub(crate) async fn a_child_that_needs_more_waits_for_its_parents_money(make: &Make<'_>) {
    let world = World::new(make).await;
    let parent = parent(&world, 2).await;
    let [first, second] = claims(&world).await.try_into().unwrap();
    let more = |run: &ClaimedRun, amount| world.store.reserve(run.claim, Microcents(amount));
    assert_eq!(more(&first, 700).await.unwrap(), EscrowAnswer::Reserved);
    let EscrowAnswer::BudgetReached(short) = more(&second, 200).await.unwrap() else {
        panic!("there is room")
    };
    assert_eq!((short.run, short.key.as_str(), short.room), (parent.claim.run, "A", Microcents(100)));
    world.store.write(wait(second.claim, vec![Wake::Paid(Microcents(300))])).await.unwrap();
    assert_eq!(family(&world, &parent).await, (1_000, 0, 800));
    let work = world.store.open_work().await.unwrap();
    assert_eq!((work.waiting, work.listening), (2, 2));
    assert!(claims(&world).await.is_empty());
    world.finish(&first, End::Done).await;
    let again = world.claim().await;
    assert_eq!(again.claim.run, second.claim.run, "what the other did not spend is enough");
    assert_eq!(more(&again, 200).await.unwrap(), EscrowAnswer::Reserved);
}

/// A child that was begun, and whose parent took the money meanwhile, is in nobody else's way.
pub(crate) async fn what_was_begun_and_cannot_be_paid_for_waits(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let parent = world.claim().await;
    open(&world, "I", by_run(parent.claim.run, 3)).await;
    let child = world.claim().await;
    world.store.release(child.claim, "room for others").await.unwrap();
    assert_eq!(world.store.reserve(parent.claim, Microcents(850)).await.unwrap(), EscrowAnswer::Reserved);
    world.admit(vec![arrival(world.lane, "Z", -9)]).await;
    assert_eq!(world.claim().await.run.entry.key, "Z");
    assert_eq!(world.store.run(child.claim.run).await.unwrap().summary.state, RunState::Waiting);
    world.finish(&parent, End::Done).await;
    assert_eq!(world.claim().await.claim.run, child.claim.run);
}

/// Money is one of the things that a run may wait for; when another comes first, it waits for it no longer.
pub(crate) async fn a_wait_for_money_ends_once(make: &Make<'_>) {
    let world = World::new(make).await;
    parent(&world, 2).await;
    let [first, second] = claims(&world).await.try_into().unwrap();
    assert_eq!(world.store.reserve(first.claim, Microcents(700)).await.unwrap(), EscrowAnswer::Reserved);
    let soon = start().after(LEASE / 2);
    let wakes = vec![Wake::Paid(Microcents(300)), Wake::At(soon)];
    world.store.write(wait(second.claim, wakes)).await.unwrap();
    world.clock.advance(LEASE / 2);
    assert_eq!(world.store.lift_due().await.unwrap(), 1);
    let again = world.claim().await;
    world.finish(&first, End::Done).await;
    let detail = world.store.run(again.claim.run).await.unwrap();
    assert!(detail.summary.driven && detail.events.last().unwrap().what.kind == EventKind::Claimed);
    assert!(claims(&world).await.is_empty(), "nobody else drives it");
}

/// What a child's own children cost counts all the way up; who is over pays nothing.
pub(crate) async fn what_grandchildren_cost_counts_all_the_way_up(make: &Make<'_>) {
    let world = World::new(make).await;
    let parent = parent(&world, 1).await;
    let child = world.claim().await;
    open(&world, "J", by_run(child.claim.run, 3)).await;
    await_children(&world, &child).await;
    let grandchild = world.claim().await;
    spends(&world, &grandchild, 30).await;
    assert_eq!(family(&world, &child).await, (1_000, 30, 70));
    assert_eq!(family(&world, &parent).await, (1_000, 30, 70));
    world.finish(&grandchild, End::Done).await;
    let child = world.claim().await;
    assert_eq!(child.children_cost, Microcents(30));
    spends_again(&world, &child, 20).await;
    world.finish(&child, End::Done).await;
    assert_eq!(family(&world, &parent).await, (1_000, 50, 0));
    let parent = world.claim().await;
    assert_eq!(parent.children_cost, Microcents(50));
    let told = &world.store.run(parent.claim.run).await.unwrap().children[0];
    assert_eq!(told.cost, Microcents(50), "with what it opened");
}

async fn spends_again(world: &World, run: &ClaimedRun, cost: u64) {
    let write = RunWrite { steps: vec![step("draft", 2, cost)], ..go_on(run.claim) };
    world.store.write(write).await.unwrap();
}

/// A run that goes on while its children are worked on has what these leave.
pub(crate) async fn a_parent_has_what_its_children_leave(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let parent = world.claim().await;
    open(&world, "I", by_run(parent.claim.run, 3)).await;
    let child = world.claim().await;
    assert_eq!(world.store.reserve(child.claim, Microcents(500)).await.unwrap(), EscrowAnswer::Reserved);
    let EscrowAnswer::BudgetReached(short) =
        world.store.reserve(parent.claim, Microcents(301)).await.unwrap()
    else {
        panic!("100 and 600 are set aside");
    };
    assert_eq!((short.run, short.room), (parent.claim.run, Microcents(300)));
    assert_eq!(world.store.reserve(parent.claim, Microcents(300)).await.unwrap(), EscrowAnswer::Reserved);
    let more = world.store.reserve(child.claim, Microcents(1)).await.unwrap();
    assert!(matches!(more, EscrowAnswer::BudgetReached(_)), "{more:?}");
    let unasked = world.store.decide(parent.claim.run, money(5)).await;
    assert!(matches!(unasked, Err(StoreError::Conflict(text)) if text.contains("asks nothing")));
}

/// What a parent sets aside for itself is in the way of its children only as long as it does.
pub(crate) async fn what_a_parent_gives_back_its_children_have(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    for rest in ["waits", "is given back", "vanishes"] {
        let parent = world.claim().await;
        assert_eq!(parent.run.entry.key, "A");
        assert_eq!(world.store.reserve(parent.claim, Microcents(850)).await.unwrap(), EscrowAnswer::Reserved);
        open(&world, rest.split(' ').next().unwrap(), by_run(parent.claim.run, 3)).await;
        assert!(claims(&world).await.is_empty());
        match rest {
            "waits" => {
                let soon = start().after(LEASE);
                world.store.write(wait(parent.claim, vec![Wake::At(soon)])).await.unwrap();
            }
            "is given back" => world.store.release(parent.claim, "room for others").await.unwrap(),
            _ => {
                world.clock.advance(LEASE);
                world.store.sweep().await.unwrap();
            }
        }
        let only = vec![world.id(rest.split(' ').next().unwrap()).await];
        let request = tollgate_store::port::ClaimRequest { only, ..world.request() };
        let ClaimOutcome::Claimed(child) = world.store.claim(request).await.unwrap() else {
            panic!("the parent {rest}, and 1,000 are left");
        };
        world.finish(&child, End::Done).await;
        if rest == "waits" {
            world.clock.advance(LEASE);
            world.store.lift_due().await.unwrap();
        }
    }
}

pub(crate) async fn what_a_run_that_is_over_could_not_pay_for(make: &Make<'_>) {
    let ends = [(End::Done, EntryState::Ready), (failed("it broke"), EntryState::Held)];
    // Whether it spent its money or gave it back is the same, once it is over.
    let cases =
        ends.into_iter().flat_map(|(end, expected)| [950, 0].map(|spent| (end.clone(), expected, spent)));
    for (end, expected, spent) in cases {
        let world = World::new(make).await;
        let key = |name: &str| format!("{name}-{expected}-{spent}");
        world.admit(vec![world.arrival(&key("A"))]).await;
        let parent = world.claim().await;
        open(&world, &key("I"), by_run(parent.claim.run, 3)).await;
        assert_eq!(world.store.reserve(parent.claim, Microcents(850)).await.unwrap(), EscrowAnswer::Reserved);
        assert!(claims(&world).await.is_empty());
        spends(&world, &parent, spent).await;
        world.finish(&parent, end).await;
        assert_eq!(world.state(&key("I")).await, expected);
        if expected == EntryState::Held {
            let holds = world.holds(&key("I")).await;
            assert!(holds[0].contains("is failed and had too little money for it"), "{holds:?}");
            if spent > 0 {
                world.store.let_in(world.id(&key("I")).await, "ines", "do it").await.unwrap();
            } else {
                world.store.retry(world.id(&key("A")).await, "ines", "again").await.unwrap();
                let again = world.claim().await;
                let opened = open(&world, &key("I"), by_run(again.claim.run, 3)).await;
                assert_eq!(opened.state, EntryState::Ready, "who asks for it again pays for it again");
            }
        }
        world.work(End::Done).await;
    }
}

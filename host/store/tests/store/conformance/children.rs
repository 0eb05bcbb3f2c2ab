//! Runs that wait for the entries that they opened: no end of one is lost, and a wait ends when all are over.

use std::time::Duration;

use serde_json::{Value, json};
use tollgate_core::{
    RunId, Timestamp,
    course::End,
    entry::{EntryState, INTERNAL_TRACKER},
    run::RunState,
    step::{Step, StepOutcome},
    time::Clock as _,
    wait::{Children, Ended, WakeOn},
};
use tollgate_store::port::{
    AdoptionOutcome, ClaimedRun, OpenedHow, Opener, Reading, ReleasedEffect, RunWrite, Wake,
};

use super::{
    adoption::adopt,
    opening::{by_run, internal, open},
};
use crate::support::*;

/// A step that waits for what its run opened.
pub(crate) fn waiting(attempt: u32, expires: Option<Timestamp>) -> Step {
    let asked = tollgate_core::wait::Wait {
        any: vec![WakeOn::Children(Children {})],
        reason: "it waits".into(),
        resume: Value::Null,
        effects: vec![],
        expires,
    };
    Step { outcome: StepOutcome::Waits(asked), ..step("draft", attempt, 0) }
}

pub(crate) fn begins(run: &ClaimedRun, step: Step) -> RunWrite {
    RunWrite { steps: vec![step], ..wait(run.claim, vec![Wake::Asked]) }
}

async fn summary(world: &World, run: RunId) -> (RunState, String) {
    let summary = world.store.run(run).await.unwrap().summary;
    (summary.state, summary.reason.unwrap_or_default())
}

/// What the only wait of a run ended with.
async fn told(world: &World, run: RunId) -> Value {
    let waits = world.store.run(run).await.unwrap().waits;
    let [end] = waits.as_slice() else { panic!("{waits:?}") };
    match &end.how {
        Ended::Met { by: WakeOn::Children(_), with } => with.clone(),
        other => panic!("{other:?}"),
    }
}

fn escalated() -> End {
    let End::Failed(stopped) = failed("it is unclear") else { unreachable!("it is a failure") };
    End::Escalated { to: "ines".into(), stopped }
}

/// When a child comes to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    BeforeTheWait,
    InTheSameBatch,
    WhileItWaits,
}

/// How a child comes to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Done,
    Failed,
    Adopted,
    Gone,
}

pub(crate) async fn a_wait_ends_with_the_last_child_whenever_and_however_it_ends(make: &Make<'_>) {
    let world = World::new(make).await;
    let moments = [Moment::BeforeTheWait, Moment::InTheSameBatch, Moment::WhileItWaits];
    let ways = [Way::Done, Way::Failed, Way::Adopted, Way::Gone];
    let cases = moments.into_iter().flat_map(|moment| ways.map(|way| (moment, way)));
    for (number, (moment, way)) in cases.enumerate() {
        let [item, first, last] = ["A", "I", "J"].map(|key| format!("{key}-{number}"));
        world.admit(vec![world.arrival(&item)]).await;
        let parent = world.claim().await;
        for key in [&first, &last] {
            open(&world, key, by_run(parent.claim.run, 3)).await;
        }
        // What its source no longer has was there once.
        world.read(INTERNAL_TRACKER, vec![internal(&world, &last)], Reading::Partial).await;
        world.work(End::Done).await;
        let end = async |now: Moment| {
            if now != moment {
                return;
            }
            match way {
                Way::Done => drop(world.work(End::Done).await),
                Way::Failed => drop(world.work(failed("it broke")).await),
                Way::Adopted => assert_eq!(adopt(&world, &last).await, AdoptionOutcome::Adopted),
                Way::Gone => {
                    for _ in 0..2 {
                        world.read(INTERNAL_TRACKER, vec![], full()).await;
                    }
                }
            }
        };
        end(Moment::BeforeTheWait).await;
        let begin = world.store.write(begins(&parent, waiting(1, None)));
        let (began, ()) = tokio::join!(begin, end(Moment::InTheSameBatch));
        began.unwrap();
        if moment == Moment::WhileItWaits {
            let (state, reason) = summary(&world, parent.claim.run).await;
            let words =
                format!("it waits; it waits for the entries that it opened: 1 of 2 is not over yet, {last}");
            assert_eq!((state, reason), (RunState::Waiting, words));
        }
        end(Moment::WhileItWaits).await;
        assert_eq!(summary(&world, parent.claim.run).await.0, RunState::Running, "{moment:?}, {way:?}");
        let told = told(&world, parent.claim.run).await;
        let state = match way {
            Way::Done | Way::Adopted => "done",
            Way::Failed => "failed",
            Way::Gone => "gone",
        };
        let of = |at: usize| (told["children"][at]["key"].clone(), told["children"][at]["state"].clone());
        let expected = ((json!(first), json!("done")), (json!(last), json!(state)));
        assert_eq!((of(0), of(1)), expected, "{moment:?}, {way:?}: {told}");
        let ran = matches!(way, Way::Done | Way::Failed);
        assert_eq!(told["children"][1]["run_state"].is_string(), ran, "{told}");
        let parent = world.claim().await;
        assert_eq!(parent.run.entry.key, item, "finish before start");
        world.finish(&parent, End::Done).await;
    }
}

pub(crate) async fn a_child_that_waits_for_a_person_is_not_over(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let parent = world.claim().await;
    open(&world, "I", by_run(parent.claim.run, 3)).await;
    let mut held = super::opening::opening(&world, "J", by_run(parent.claim.run, 3));
    held.arrival = held.arrival.held(tollgate_core::entry::HoldKind::Duplicate, "it says what I says");
    world.store.open_entry(held).await.unwrap();
    world.store.write(begins(&parent, waiting(1, None))).await.unwrap();
    let work = world.store.open_work().await.unwrap();
    assert_eq!((work.waiting, work.listening), (1, 1), "nothing comes of it by itself");
    let child = world.claim().await;
    let cost = RunWrite { steps: vec![step("draft", 1, 30)], ..go_on(child.claim) };
    world.store.write(cost).await.unwrap();
    world.finish(&child, escalated()).await;
    let reason = summary(&world, parent.claim.run).await.1;
    assert!(reason.ends_with("2 of 2 are not over yet, I and J"), "{reason}");
    world.store.retry(world.id("I").await, "ines", "clear now").await.unwrap();
    world.work(End::Done).await;
    let reason = summary(&world, parent.claim.run).await.1;
    assert!(reason.ends_with("1 of 2 is not over yet, J"), "{reason}");
    world.store.retry(world.id("I").await, "ines", "not good").await.unwrap();
    let reason = summary(&world, parent.claim.run).await.1;
    assert!(reason.ends_with("2 of 2 are not over yet, I and J"), "what is done again is not over: {reason}");
    world.work(End::Done).await;
    adopt(&world, "J").await;
    let told = told(&world, parent.claim.run).await;
    assert_eq!((&told["children"][0]["cost"], &told["cost"]), (&json!(30), &json!(30)), "both its runs");
}

pub(crate) async fn whoever_opened_nothing_does_not_wait(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let parent = world.claim().await;
    world.store.write(begins(&parent, waiting(1, None))).await.unwrap();
    assert_eq!(told(&world, parent.claim.run).await, json!({ "children": [], "cost": 0 }));
    assert_eq!(world.claim().await.claim.run, parent.claim.run);
}

pub(crate) async fn a_wait_for_children_expires(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let parent = world.claim().await;
    open(&world, "I", by_run(parent.claim.run, 3)).await;
    let soon = world.clock.now().after(Duration::from_secs(5));
    world.store.write(begins(&parent, waiting(1, Some(soon)))).await.unwrap();
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(world.store.lift_due().await.unwrap(), 1);
    let detail = world.store.run(parent.claim.run).await.unwrap();
    assert_eq!(detail.waits[0].how, Ended::Expired);
    assert_eq!(world.claim().await.claim.run, parent.claim.run);
    world.work(End::Done).await;
    let after = world.store.run(parent.claim.run).await.unwrap();
    assert_eq!(after.waits.len(), 1, "what ends later ends no wait");
}

/// What a later round finds of an earlier one counts as its own; what others opened does not.
pub(crate) async fn what_is_found_is_waited_for_where_it_is_a_child(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let first = world.claim().await;
    open(&world, "I", by_run(first.claim.run, 3)).await;
    open(&world, "K", Opener::Person).await;
    world.finish(&first, failed("it broke")).await;
    world.store.retry(world.id("A").await, "ines", "again").await.unwrap();
    let only = vec![world.id("A").await];
    let request = tollgate_store::port::ClaimRequest { only, ..world.request() };
    let tollgate_store::port::ClaimOutcome::Claimed(again) = world.store.claim(request).await.unwrap() else {
        panic!("it waits for another round");
    };
    for key in ["I", "K"] {
        assert_eq!(open(&world, key, by_run(again.claim.run, 3)).await.how, OpenedHow::Found);
    }
    world.store.write(begins(&again, waiting(1, None))).await.unwrap();
    let reason = summary(&world, again.claim.run).await.1;
    assert!(reason.ends_with("1 of 1 is not over yet, I"), "{reason}");
}

pub(crate) async fn what_is_still_to_be_opened_is_waited_for(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let parent = world.claim().await;
    let run = parent.claim.run;
    let mut effect = effect("draft", "later");
    effect.effect.kind = "open-entry".into();
    let released: Vec<ReleasedEffect> = vec![effect];
    world.store.write(RunWrite { released, ..begins(&parent, waiting(1, None)) }).await.unwrap();
    assert_eq!(summary(&world, run).await.0, RunState::Waiting);
    let [delivery] = world.take(9).await.try_into().unwrap();
    open(&world, "I", by_run(run, 3)).await;
    world.settle(&delivery).await;
    assert_eq!(summary(&world, run).await.0, RunState::Waiting, "it was opened, and is not over");
    let child = world.claim().await;
    assert_eq!(child.run.entry.key, "I");
    assert_eq!(world.state("I").await, EntryState::Busy);
    world.finish(&child, End::Done).await;
    assert_eq!(told(&world, run).await["children"][0]["key"], "I");
}

/// Who asks for some entries alone asks for what their runs open as well.
pub(crate) async fn what_a_named_entry_opens_is_named_with_it(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A"), arrival(world.lane, "B", 9)]).await;
    let only = vec![world.id("A").await];
    let named = || tollgate_store::port::ClaimRequest { only: only.clone(), ..world.request() };
    let claim = async || match world.store.claim(named()).await.unwrap() {
        tollgate_store::port::ClaimOutcome::Claimed(run) => Some(*run),
        _ => None,
    };
    let parent = claim().await.unwrap();
    open(&world, "I", by_run(parent.claim.run, 3)).await;
    let child = claim().await.unwrap();
    open(&world, "J", by_run(child.claim.run, 3)).await;
    let keys = (child.run.entry.key, claim().await.unwrap().run.entry.key);
    assert_eq!(keys, ("I".to_owned(), "J".to_owned()));
    assert!(claim().await.is_none(), "B was not named");
}

//! Runs that a person ends, with all that they led to.

use tollgate_core::{
    HostId, Microcents, RunId,
    approval::{Allowance, Ask, Lack, Word},
    course::End,
    effect::Delivered,
    entry::EntryState,
    event::EventKind,
    run::RunState,
};
use tollgate_store::{
    StoreError,
    port::{
        Cancelled, ClaimOutcome, ClaimRequest, ClaimedRun, EscrowAnswer, NewCancellation, NewDecision,
        RunWrite, Wake,
    },
};

use super::{
    children::waiting,
    opening::{by_run, open, opening},
};
use crate::support::*;

fn enough() -> NewCancellation {
    NewCancellation { who: "ines".into(), why: "enough".into() }
}

fn cancelled() -> End {
    End::Cancelled { reason: "ines cancelled it: enough".into() }
}

fn approval() -> Wake {
    let (reason, suggested) = ("may it?".into(), Allowance::default());
    let step = key_of_step("publish", 1);
    Wake::Approval(Box::new(Ask { step, lack: Lack::Approval, role: None, reason, suggested }))
}

async fn conflict(world: &World, run: RunId) -> String {
    match world.store.cancel(run, enough()).await {
        Err(StoreError::Conflict(text)) => text,
        other => panic!("expected a conflict, got {other:?}"),
    }
}

async fn await_children(world: &World, run: &ClaimedRun) {
    let steps = vec![waiting(1, None)];
    world.store.write(RunWrite { steps, ..wait(run.claim, vec![Wake::Asked]) }).await.unwrap();
}

/// How many events of a kind a run has.
async fn events(world: &World, run: RunId, kind: EventKind) -> usize {
    let events = world.store.run(run).await.unwrap().events;
    events.iter().filter(|event| event.what.kind == kind).count()
}

/// A run is claimable when it was cancelled, wherever it stood.
pub(crate) async fn a_run_is_cancelled_wherever_it_stands(make: &Make<'_>) {
    let world = World::new(make).await;
    for (number, place) in ["waits", "asks", "ready", "driven", "driven and waits"].into_iter().enumerate() {
        world.admit(vec![world.arrival(&format!("A-{number}"))]).await;
        let run = world.claim().await;
        let id = run.claim.run;
        match place {
            "waits" => {
                let tomorrow = start().after(std::time::Duration::from_secs(86_400));
                world.store.write(wait(run.claim, vec![Wake::At(tomorrow)])).await.unwrap();
            }
            "asks" => world.store.write(wait(run.claim, vec![approval()])).await.unwrap(),
            "ready" => world.store.release(run.claim, "room for others").await.unwrap(),
            _ => {}
        }
        let answer = world.store.cancel(id, enough()).await.unwrap();
        let driven = place.starts_with("driven");
        assert_eq!(
            answer,
            Cancelled { driven_by: driven.then(|| world.host.clone()), ..Cancelled::default() }
        );
        assert!(conflict(&world, id).await.contains("ends already, since ines cancelled it: enough"));
        let claims = world.store.cancellations(&world.host).await.unwrap();
        assert_eq!(claims, if driven { vec![run.claim] } else { vec![] }, "{place}");
        match place {
            "driven" => world.store.release(run.claim, "it was cancelled").await.unwrap(),
            "driven and waits" => {
                let asked = vec![waiting(1, None)];
                let write = RunWrite { steps: asked, ..wait(run.claim, vec![approval()]) };
                world.store.write(write).await.unwrap();
            }
            _ => {}
        }
        let summary = world.store.run(id).await.unwrap().summary;
        assert_eq!((summary.state, summary.ask), (RunState::Running, None), "{place}");
        let again = world.claim().await;
        assert_eq!((again.claim.run, events(&world, id, EventKind::Cancelled).await), (id, 1), "{place}");
        world.finish(&again, cancelled()).await;
        assert_eq!(world.state(&format!("A-{number}")).await, EntryState::Failed);
        assert!(conflict(&world, id).await.contains("is cancelled; only one that is under way"));
    }
    let unknown = world.store.cancel(RunId::generate(), enough()).await;
    assert!(matches!(unknown, Err(StoreError::NotFound { .. })));
}

/// Of all that was said to runs, a host is told which of its own were cancelled.
pub(crate) async fn a_host_is_told_of_its_own_runs_alone(make: &Make<'_>) {
    let world = World::new(make).await;
    let there = HostId("there-1".into());
    world.admit(vec![world.arrival("A"), world.arrival("B")]).await;
    let asking = world.claim().await;
    world.store.write(wait(asking.claim, vec![approval()])).await.unwrap();
    let word = Word::Approved { added: Allowance::default() };
    let decision = NewDecision { who: "ines".into(), why: "it is fine".into(), word };
    world.store.decide(asking.claim.run, decision).await.unwrap();
    let approved = world.claim().await;
    let of_others = ClaimRequest { host: there.clone(), ..world.request() };
    let ClaimOutcome::Claimed(run) = world.store.claim(of_others).await.unwrap() else {
        panic!("expected a run");
    };
    world.store.cancel(run.claim.run, enough()).await.unwrap();
    assert_eq!(world.store.cancellations(&there).await.unwrap(), [run.claim]);
    assert_eq!(
        world.store.cancellations(&world.host).await.unwrap(),
        [],
        "{:?} was approved",
        approved.claim
    );
}

pub(crate) async fn to_end_a_run_needs_no_money(make: &Make<'_>) {
    let world = World::with_caps(make, vec![cap("project", 100)]).await;
    world.admit(vec![world.arrival("A")]).await;
    let run = world.claim().await;
    world.store.write(wait(run.claim, vec![approval()])).await.unwrap();
    world.admit(vec![world.arrival("B"), world.arrival("C")]).await;
    let other = world.claim().await;
    assert!(matches!(world.claim_nothing().await, ClaimOutcome::CapReached { .. }));
    world.store.cancel(run.claim.run, enough()).await.unwrap();
    let again = world.claim().await;
    assert_eq!((again.claim.run, again.escrow.0), (run.claim.run, 0));
    assert_eq!(
        world.store.reserve(again.claim, Microcents(1)).await.unwrap(),
        EscrowAnswer::CapReached { cap: cap("project", 100), until: "2026-11-20T23:00:00Z".parse().unwrap() }
    );
    world.finish(&again, cancelled()).await;
    world.finish(&other, End::Done).await;
}

pub(crate) async fn all_that_a_run_led_to_is_cancelled_with_it(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let parent = world.claim().await;
    for key in ["I", "J", "K"] {
        open(&world, key, by_run(parent.claim.run, 3)).await;
    }
    await_children(&world, &parent).await;
    let over = world.claim().await;
    open(&world, "I-1", by_run(over.claim.run, 3)).await;
    world.finish(&over, End::Done).await;
    let child = world.claim().await;
    assert_eq!(child.run.entry.key, "J");
    open(&world, "J-1", by_run(child.claim.run, 3)).await;
    await_children(&world, &child).await;

    let answer = world.store.cancel(parent.claim.run, enough()).await.unwrap();
    let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    assert_eq!((answer.runs, answer.held), (keys(&["J"]), keys(&["K", "I-1", "J-1"])));
    assert_eq!(world.holds("J-1").await, ["cancelled: A, a run of which led to it, was cancelled: enough"]);
    for _ in 0..2 {
        let run = world.claim().await;
        assert_eq!(events(&world, run.claim.run, EventKind::Cancelled).await, 1);
        world.finish(&run, cancelled()).await;
    }
    world.claim_nothing().await;
    assert_eq!((world.state("J").await, world.state("I").await), (EntryState::Failed, EntryState::Done));

    world.store.let_in(world.id("I-1").await, "ines", "this one").await.unwrap();
    assert_eq!(world.work(End::Done).await.run.entry.key, "I-1");
    world.store.retry(world.id("A").await, "ines", "after all").await.unwrap();
    let again = world.claim().await;
    open(&world, "K", by_run(again.claim.run, 3)).await;
    assert_eq!(world.work(End::Done).await.run.entry.key, "K", "a new run asks for it");
    world.claim_nothing().await;
}

/// What nobody began to send is not sent; what may have been is sent to its end; and nothing more is opened.
pub(crate) async fn what_a_cancelled_run_asked_for_outside_is_withheld(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let run = world.claim().await;
    let id = run.claim.run;
    let released = vec![effect("draft", "first"), effect("draft", "second")];
    let wakes = vec![Wake::Delivered(vec![reference("draft", "first"), reference("draft", "second")])];
    let write = RunWrite { steps: vec![step("draft", 1, 0)], released, ..wait(run.claim, wakes) };
    world.store.write(write).await.unwrap();
    let [sending] = world.take(9).await.try_into().unwrap();
    world.store.cancel(id, enough()).await.unwrap();
    let effects = world.store.run(id).await.unwrap().effects;
    assert_eq!(effects[0].2, None);
    assert!(matches!(&effects[1].2, Some(Delivered::Withheld { .. })), "{effects:?}");
    world.settle(&sending).await;
    assert!(world.take(9).await.is_empty());
    assert_eq!(events(&world, id, EventKind::Delivered).await, 2);
    let refused = world.store.open_entry(opening(&world, "I", by_run(id, 3))).await;
    assert!(
        matches!(&refused, Err(StoreError::Conflict(text)) if text.contains("opens nothing more: ines cancelled it")),
        "{refused:?}"
    );
    let run = world.claim().await;
    let after = world.store.run(id).await.unwrap().events;
    let event = after.iter().find(|event| event.what.kind == EventKind::Cancelled).unwrap();
    assert_eq!(event.what.body["after_steps"], 1);
    world.finish(&run, cancelled()).await;
}

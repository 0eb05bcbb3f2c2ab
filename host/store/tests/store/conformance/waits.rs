//! Waits that calls asked for: nothing that happens is lost, and each ends once.

use std::time::Duration;

use serde_json::{Value, json};
use tollgate_core::{
    RunId, Timestamp,
    approval::{Allowance, Lack, Word},
    run::{Claim, RunState},
    step::{Step, StepOutcome},
    time::Clock as _,
    wait::{Answer, At, Ended, Event, WaitEnd, WakeOn},
};
use tollgate_store::{
    StoreError,
    port::{NewDecision, NewSignal, RunWrite, Wake},
};

use crate::support::*;

/// A step that asks to wait.
fn waiting(attempt: u32, any: Vec<WakeOn>, expires: Option<Timestamp>) -> Step {
    let asked = tollgate_core::wait::Wait {
        any,
        reason: "it waits".into(),
        resume: Value::Null,
        effects: vec![],
        expires,
    };
    Step { outcome: StepOutcome::Waits(asked), ..step("draft", attempt, 0) }
}

fn event_named(name: &str) -> WakeOn {
    WakeOn::Event(Event { name: name.into() })
}

fn ci() -> WakeOn {
    event_named("ci")
}

fn at(at: Timestamp) -> WakeOn {
    WakeOn::At(At { at })
}

/// Writes the step and begins its wait, in one transaction.
fn begins(claim: Claim, step: Step) -> RunWrite {
    RunWrite { steps: vec![step], ..wait(claim, vec![Wake::Asked]) }
}

fn happened(name: &str, run: Option<RunId>) -> NewSignal {
    NewSignal { name: name.into(), run, who: "ci-server".into(), data: json!({ "build": 7 }) }
}

/// Where in the life of a run something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    BeforeTheRun,
    BeforeTheStepBefore,
    DuringTheCall,
    AfterItsHostVanished,
    DuringTheCallOfTheNextHost,
    WhileEffectsAreDelivered,
    WhenTheRunIsClaimedAgain,
    InTheSameBatch,
    WhileItWaits,
}

const MOMENTS: [Moment; 9] = [
    Moment::BeforeTheRun,
    Moment::BeforeTheStepBefore,
    Moment::DuringTheCall,
    Moment::AfterItsHostVanished,
    Moment::DuringTheCallOfTheNextHost,
    Moment::WhileEffectsAreDelivered,
    Moment::WhenTheRunIsClaimedAgain,
    Moment::InTheSameBatch,
    Moment::WhileItWaits,
];

/// An event ends a wait wherever it falls between the beginning of the call and the wait; what was said before does not.
pub(crate) async fn an_event_is_found_at_whatever_moment_it_comes(make: &Make<'_>) {
    let world = World::new(make).await;
    for (number, (moment, of_this_run)) in
        MOMENTS.into_iter().flat_map(|moment| [(moment, true), (moment, false)]).enumerate()
    {
        let name = format!("ci-{number}");
        world.admit(vec![world.arrival(&format!("A-{number}"))]).await;
        let run_id = std::cell::Cell::new(None);
        let say = async |now: Moment| {
            if now == moment {
                let run = run_id.get().filter(|_| of_this_run);
                world.store.signal(happened(&name, run)).await.unwrap();
            }
        };
        say(Moment::BeforeTheRun).await;
        let run = world.claim().await;
        run_id.set(Some(run.claim.run));
        say(Moment::BeforeTheStepBefore).await;
        let earlier = RunWrite { steps: vec![step("triage", 1, 0)], ..go_on(run.claim) };
        world.store.write(earlier).await.unwrap();
        say(Moment::DuringTheCall).await;
        world.clock.advance(LEASE * 2);
        world.store.sweep().await.unwrap();
        say(Moment::AfterItsHostVanished).await;
        let run = world.claim().await;
        say(Moment::DuringTheCallOfTheNextHost).await;
        // The wait begins when what the call asked for is delivered, in a transaction of its own.
        let write = RunWrite {
            steps: vec![waiting(1, vec![event_named(&name)], None)],
            released: vec![effect("draft", "state")],
            ..wait(run.claim, vec![Wake::Delivered(vec![reference("draft", "state")])])
        };
        world.store.write(write).await.unwrap();
        say(Moment::WhileEffectsAreDelivered).await;
        let [delivery] = world.take(9).await.try_into().unwrap();
        world.settle(&delivery).await;
        let run = world.claim().await;
        say(Moment::WhenTheRunIsClaimedAgain).await;
        let begin = world.store.write(wait(run.claim, vec![Wake::Asked]));
        let (began, ()) = tokio::join!(begin, say(Moment::InTheSameBatch));
        began.unwrap();
        say(Moment::WhileItWaits).await;

        let detail = world.store.run(run.claim.run).await.unwrap();
        let counts = moment >= Moment::DuringTheCall;
        let expected = if counts { RunState::Running } else { RunState::Waiting };
        assert_eq!(detail.summary.state, expected, "{moment:?}, of this run: {of_this_run}");
        let with = json!({ "who": "ci-server", "data": { "build": 7 } });
        let how = Ended::Met { by: event_named(&name), with };
        let ended = detail.waits.iter().map(|end| (end.step.clone(), end.how.clone()));
        let expected = counts.then(|| (key_of_step("draft", 1), how)).into_iter();
        assert_eq!(ended.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "{moment:?}");
        if counts {
            let run = world.claim().await;
            world.finish(&run, tollgate_core::course::End::Done).await;
            let [record] = world.take(9).await.try_into().unwrap();
            world.settle(&record).await;
        }
    }
}

/// What ended one wait does not end the next one.
pub(crate) async fn an_event_ends_a_wait_once(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let run = world.claim().await;
    world.store.write(begins(run.claim, waiting(1, vec![ci()], None))).await.unwrap();
    let open = world.store.open_work().await.unwrap();
    assert_eq!((open.waiting, open.listening, open.asking), (1, 1, 0));
    assert_eq!(world.store.signal(happened("other", None)).await.unwrap(), 0);
    assert_eq!(world.store.signal(happened("ci", None)).await.unwrap(), 1);
    assert_eq!(world.store.signal(happened("ci", None)).await.unwrap(), 0, "it no longer waits");
    let run = world.claim().await;
    world.store.write(begins(run.claim, waiting(2, vec![ci()], None))).await.unwrap();
    let state = world.store.run(run.claim.run).await.unwrap().summary.state;
    assert_eq!(state, RunState::Running, "the second one came when the second call had begun");
    let run = world.claim().await;
    world.store.write(begins(run.claim, waiting(3, vec![ci()], None))).await.unwrap();
    world.claim_nothing().await;
}

pub(crate) async fn time_ends_a_wait_or_lets_it_expire(make: &Make<'_>) {
    let world = World::new(make).await;
    let event = |number| event_named(&format!("ci-{number}"));
    for number in 0..3 {
        let soon = world.clock.now().after(Duration::from_secs(5));
        let late = world.clock.now().after(Duration::from_secs(9));
        let (any, expires, how) = match number {
            0 => (vec![event(0), at(soon)], None, Ended::Met { by: at(soon), with: Value::Null }),
            1 => (vec![event(1)], Some(soon), Ended::Expired),
            _ => (vec![at(late)], Some(soon), Ended::Expired),
        };
        world.admit(vec![world.arrival(&format!("A-{number}"))]).await;
        let run = world.claim().await;
        world.store.write(begins(run.claim, waiting(1, any, expires))).await.unwrap();
        world.clock.advance(Duration::from_secs(4));
        assert_eq!(world.store.lift_due().await.unwrap(), 0);
        world.clock.advance(Duration::from_secs(1));
        assert_eq!(world.store.lift_due().await.unwrap(), 1);
        assert_eq!(world.store.lift_due().await.unwrap(), 0);
        let detail = world.store.run(run.claim.run).await.unwrap();
        let [WaitEnd { how: ended, at, .. }] = detail.waits.as_slice() else { panic!("{:?}", detail.waits) };
        assert_eq!((ended, *at), (&how, soon));
        assert_eq!(world.store.signal(happened(&format!("ci-{number}"), None)).await.unwrap(), 0);
        let run = world.claim().await;
        world.finish(&run, tollgate_core::course::End::Done).await;
    }
}

pub(crate) async fn a_person_answers_a_wait_once(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let run = world.claim().await;
    let question = WakeOn::Answer(Answer { question: "which?".into() });
    world.store.write(begins(run.claim, waiting(1, vec![question, ci()], None))).await.unwrap();
    let summary = world.store.run(run.claim.run).await.unwrap().summary;
    let ask = summary.ask.unwrap();
    assert_eq!((ask.lack, ask.step), (Lack::Answer, key_of_step("draft", 2)), "the call that follows");
    let word = Word::Approved { added: Allowance::default() };
    let decision = NewDecision { who: "ines".into(), why: "the left one".into(), word };
    world.store.decide(run.claim.run, decision.clone()).await.unwrap();
    let again = world.store.decide(run.claim.run, decision).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))));
    assert_eq!(world.store.signal(happened("ci", None)).await.unwrap(), 0, "it no longer waits");
    let run = world.claim().await;
    let detail = world.store.run(run.claim.run).await.unwrap();
    assert_eq!((detail.decisions.len(), detail.waits.len()), (1, 0));
}

pub(crate) async fn what_cannot_happen_is_refused(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let run = world.work(tollgate_core::course::End::Done).await;
    let refusal = async |signal| world.store.signal(signal).await.unwrap_err().to_string();
    for name in ["", "two words", "line\nbreak"] {
        assert!(refusal(happened(name, None)).await.contains("is no name of an event"), "{name:?}");
    }
    let over = refusal(happened("ci", Some(run.claim.run))).await;
    assert!(over.contains("is done: nothing that happens reaches it any more"), "{over}");
    let unknown = world.store.signal(happened("ci", Some(RunId::generate()))).await;
    assert!(matches!(unknown, Err(StoreError::NotFound { .. })));
    world.admit(vec![world.arrival("B")]).await;
    let run = world.claim().await;
    let unasked = world.store.write(wait(run.claim, vec![Wake::Asked])).await;
    assert!(matches!(unasked, Err(StoreError::Conflict(text)) if text.contains("no call of it asked to")));
}

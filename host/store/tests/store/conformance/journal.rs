//! Journals, and what runs ask of people.

use std::time::Duration;

use serde_json::json;
use tollgate_core::{
    Digest, Microcents,
    approval::{Allowance, Ask, Lack, Word},
    event::EventKind,
    journal::{Answer, Attempt, Begun, CallClass, Intent},
    late::{Brought, Late},
    ledger::CapBalance,
    pipeline::StepName,
    run::RunState,
    step::{FailureClass, Fault, StepFailure, StepOutcome},
};
use tollgate_store::{
    StoreError,
    port::{ClaimedRun, EscrowAnswer, NewDecision, NewIntent, PausedCall, RunWrite, Wake},
};

use crate::support::*;

const LARGEST: u64 = 30;

fn begun() -> Begun {
    Begun { now: start(), delivered: vec![reference("draft", "state")] }
}

/// An intent of the first call of `draft`, whose compute may cost 40.
fn intent(run: &ClaimedRun, call: u32) -> NewIntent {
    let intent = Intent {
        function: "test:probe/probe.keyed".into(),
        request: Digest::of(format!("request {call}")),
        reserved: Microcents(LARGEST),
        class: CallClass::Keyed,
    };
    NewIntent {
        claim: run.claim,
        step: key_of_step("draft", 1),
        plugin: plugin("draft"),
        begun: begun(),
        call,
        intent,
        set_aside: Microcents(40 + LARGEST),
    }
}

fn answer(cost: u64) -> Answer {
    Answer { body: json!({ "said": cost }), cost: Microcents(cost) }
}

async fn intend(world: &World, run: &ClaimedRun, call: u32) {
    let reserved = world.store.journal_intend(intent(run, call)).await.unwrap();
    assert_eq!(reserved, EscrowAnswer::Reserved);
}

async fn answered(world: &World, run: &ClaimedRun, call: u32, cost: u64) {
    let step = key_of_step("draft", 1);
    world.store.journal_answer(run.claim, &step, call, answer(cost)).await.unwrap();
}

async fn attempt(world: &World, run: &ClaimedRun) -> Attempt {
    world.store.attempt(run.claim.run, &key_of_step("draft", 1)).await.unwrap().expect("it asked something")
}

async fn balance(world: &World) -> [u64; 3] {
    let CapBalance { settled, escrow, overdraft } = world.store.cap_balances().await.unwrap()[0].balance;
    [settled.0, escrow.0, overdraft.0]
}

async fn one_run(make: &Make<'_>, cap_limit: u64) -> (World, ClaimedRun) {
    let world = World::with_caps(make, vec![cap("project", cap_limit)]).await;
    world.admit(vec![world.arrival("A")]).await;
    let run = world.claim().await;
    (world, run)
}

pub(crate) async fn an_answer_is_settled_when_it_comes(make: &Make<'_>) {
    let (world, run) = one_run(make, 1_000).await;
    assert_eq!(world.store.attempt(run.claim.run, &key_of_step("draft", 1)).await.unwrap(), None);
    intend(&world, &run, 0).await;
    assert_eq!(balance(&world).await, [0, 100, 0], "the tranche holds it");
    answered(&world, &run, 0, 20).await;
    assert_eq!(balance(&world).await, [20, 80, 0]);
    intend(&world, &run, 1).await;
    answered(&world, &run, 1, 25).await;
    intend(&world, &run, 2).await;
    assert_eq!(balance(&world).await, [45, 70, 0], "topped up to compute and largest cost");
    answered(&world, &run, 2, 0).await;

    let found = attempt(&world, &run).await;
    assert_eq!((found.begun, found.charged), (begun(), Microcents(45)));
    let asked: Vec<_> = found.journal.iter().map(|entry| entry.intent.request).collect();
    assert_eq!(asked, [0, 1, 2].map(|call| intent(&run, call).intent.request));
    assert_eq!(found.journal[1].answer, Some(answer(25)));

    let write = RunWrite { steps: vec![step("draft", 1, 45 + 7)], ..go_on(run.claim) };
    world.store.write(write).await.unwrap();
    assert_eq!(balance(&world).await, [52, 63, 0], "the step settles what is left of its cost");
    assert_eq!(world.store.run(run.claim.run).await.unwrap().summary.cost, Microcents(52));
}

pub(crate) async fn an_answer_that_is_lost_is_charged_at_its_largest(make: &Make<'_>) {
    let (world, run) = one_run(make, 1_000).await;
    intend(&world, &run, 0).await;
    world.store.release(run.claim, "the host stops").await.unwrap();
    assert_eq!(balance(&world).await, [30, 0, 0]);
    assert_eq!(attempt(&world, &run).await.journal[0].answer, None);

    let run = world.claim().await;
    intend(&world, &run, 0).await;
    world.clock.advance(LEASE);
    world.store.sweep().await.unwrap();
    assert_eq!(balance(&world).await, [60, 0, 0]);

    let run = world.claim().await;
    intend(&world, &run, 0).await;
    answered(&world, &run, 0, 5).await;
    assert_eq!(attempt(&world, &run).await.charged, Microcents(65));
    world.store.release(run.claim, "the host stops").await.unwrap();
    assert_eq!(balance(&world).await, [65, 0, 0], "what was answered is paid once");
}

pub(crate) async fn what_nobody_began_is_taken_back_and_costs_nothing(make: &Make<'_>) {
    let (world, run) = one_run(make, 1_000).await;
    let step = key_of_step("draft", 1);
    intend(&world, &run, 0).await;
    answered(&world, &run, 0, 5).await;
    intend(&world, &run, 1).await;
    world.store.journal_withdraw(run.claim, &step, 1).await.unwrap();
    let twice = world.store.journal_withdraw(run.claim, &step, 1).await.unwrap_err();
    assert!(matches!(twice, StoreError::Conflict(_)), "{twice}");
    let answered_before = world.store.journal_withdraw(run.claim, &step, 0).await.unwrap_err();
    assert!(matches!(answered_before, StoreError::Conflict(_)), "{answered_before}");
    world.store.release(run.claim, "it has to be asked later").await.unwrap();
    assert_eq!(balance(&world).await, [5, 0, 0], "nothing of it was spent");
    let stale = world.store.journal_withdraw(run.claim, &step, 1).await.unwrap_err();
    assert!(matches!(stale, StoreError::StaleFence { .. }), "{stale}");

    let run = world.claim().await;
    assert_eq!(attempt(&world, &run).await.journal.len(), 1);
    intend(&world, &run, 1).await;
    answered(&world, &run, 1, 7).await;
    assert_eq!(attempt(&world, &run).await.charged, Microcents(12));
}

pub(crate) async fn what_was_answered_or_was_something_else_is_not_asked_again(make: &Make<'_>) {
    let (world, run) = one_run(make, 1_000).await;
    let refused = async |intent: NewIntent, words: &str| {
        let error = world.store.journal_intend(intent).await.unwrap_err();
        assert!(matches!(&error, StoreError::Conflict(text) if text.contains(words)), "{error}");
    };
    intend(&world, &run, 0).await;
    let mut other = intent(&run, 0);
    other.intent.request = Digest::of("something else");
    refused(other, "asked something else before").await;
    answered(&world, &run, 0, 1).await;
    refused(intent(&run, 0), "was answered; it is fed, not asked again").await;
    let step = key_of_step("draft", 1);
    let twice = world.store.journal_answer(run.claim, &step, 0, answer(1)).await.unwrap_err();
    assert!(twice.to_string().contains("awaits no answer"), "{twice}");
    assert_eq!(balance(&world).await, [1, 99, 0]);
}

pub(crate) async fn a_stale_driver_journals_nothing(make: &Make<'_>) {
    let (world, run) = one_run(make, 1_000).await;
    intend(&world, &run, 0).await;
    world.clock.advance(LEASE);
    world.store.sweep().await.unwrap();
    let before = attempt(&world, &run).await;
    let answered = world.store.journal_answer(run.claim, &key_of_step("draft", 1), 0, answer(1)).await;
    assert!(matches!(answered, Err(StoreError::StaleFence { .. })), "{answered:?}");
    let intended = world.store.journal_intend(intent(&run, 1)).await;
    assert!(matches!(intended, Err(StoreError::StaleFence { .. })), "{intended:?}");
    let late = world.store.run(run.claim.run).await.unwrap().late;
    let brought = Brought::Answer { step: key_of_step("draft", 1), call: 0, answer: answer(1) };
    assert_eq!(late, [Late { fence: run.claim.fence, at: start().after(LEASE), brought }]);
    assert_eq!(attempt(&world, &run).await, before);
}

pub(crate) async fn an_intent_that_no_cap_has_room_for_changes_nothing(make: &Make<'_>) {
    let (world, run) = one_run(make, 110).await;
    let dear = NewIntent { set_aside: Microcents(111), ..intent(&run, 0) };
    let refused = world.store.journal_intend(dear).await.unwrap();
    assert!(matches!(refused, EscrowAnswer::CapReached { .. }), "{refused:?}");
    assert_eq!(world.store.attempt(run.claim.run, &key_of_step("draft", 1)).await.unwrap(), None);
    assert_eq!(balance(&world).await, [0, 100, 0]);
}

pub(crate) async fn an_answer_that_costs_more_than_was_set_aside_is_an_overdraft(make: &Make<'_>) {
    let (world, run) = one_run(make, 100).await;
    intend(&world, &run, 0).await;
    answered(&world, &run, 0, 50).await;
    assert_eq!(balance(&world).await, [30, 70, 20], "the compute of the call stays set aside");
    let write = RunWrite { steps: vec![step("draft", 1, 50 + 40)], ..go_on(run.claim) };
    world.store.write(write).await.unwrap();
    assert_eq!(balance(&world).await, [70, 30, 20]);
}

fn ask() -> Ask {
    Ask {
        step: key_of_step("draft", 1),
        lack: Lack::Fuel,
        role: None,
        reason: "`draft` used all its fuel".into(),
        suggested: Allowance { fuel: 7, ..Allowance::default() },
    }
}

pub(crate) async fn a_run_that_asks_waits_until_a_person_answers(make: &Make<'_>) {
    let (world, run) = one_run(make, 1_000).await;
    let paused = PausedCall {
        step: key_of_step("draft", 1),
        plugin: plugin("draft"),
        begun: begun(),
        cost: Microcents(40),
    };
    let wakes = vec![Wake::Approval(Box::new(ask()))];
    let write = RunWrite { paused: Some(paused), ..wait(run.claim, wakes) };
    let decision = |word| NewDecision { who: "ines".into(), why: "it is worth it".into(), word };
    let early = world.store.decide(run.claim.run, decision(Word::Rejected)).await.unwrap_err();
    assert!(matches!(&early, StoreError::Conflict(text) if text.contains("asks nothing")), "{early}");
    world.store.write(write).await.unwrap();
    assert_eq!(balance(&world).await, [40, 0, 0], "what was used is paid, and nothing is set aside");
    let summary = world.store.run(run.claim.run).await.unwrap().summary;
    assert_eq!((summary.state, summary.ask), (RunState::Waiting, Some(ask())));
    let open = world.store.open_work().await.unwrap();
    assert_eq!((open.waiting, open.asking), (0, 1), "nothing comes by itself");
    world.clock.advance(Duration::from_secs(86_400));
    assert_eq!(world.store.lift_due().await.unwrap(), 0);
    world.claim_nothing().await;

    let added = Allowance { fuel: 50, ..Allowance::default() };
    let said = world.store.decide(run.claim.run, decision(Word::Approved { added })).await.unwrap();
    assert_eq!((said.asked.clone(), said.who.as_str()), (ask(), "ines"));
    let again = world.store.decide(run.claim.run, decision(Word::Rejected)).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "it is answered once");
    let detail = world.store.run(run.claim.run).await.unwrap();
    assert_eq!(detail.decisions, [], "only who holds the run applies it");
    assert_eq!(detail.summary.ask, None);

    let run = world.claim().await;
    assert!(run.begun);
    let detail = world.store.run(run.claim.run).await.unwrap();
    assert_eq!(detail.decisions, [said]);
    let kinds: Vec<_> = detail.events.iter().map(|event| event.what.kind).collect();
    use EventKind::{Approved, Claimed, Waiting, Woken};
    assert_eq!(kinds, [Claimed, Waiting, Woken, Claimed, Approved]);
    assert_eq!(detail.events[1].what.body["ask"], json!(ask()));
    assert_eq!(detail.events[4].what.body["who"], "ines");
    let found = attempt(&world, &run).await;
    assert_eq!((found.charged, found.journal), (Microcents(40), vec![]));
}

pub(crate) async fn a_history_is_of_calls_that_ended_well(make: &Make<'_>) {
    let world = World::new(make).await;
    let component = StepName { stage: "draft".into(), gate: None };
    let history = async || world.store.history("spec", &component, plugin("draft")).await.unwrap();
    assert_eq!(history().await.calls(), 0);
    world.admit(vec![world.arrival("A")]).await;
    let run = world.claim().await;
    let failure = StepFailure {
        fault: Fault::Reported,
        class: FailureClass::Transient,
        message: "no".into(),
        retry_at: None,
        detail: None,
    };
    let mut failed = step("draft", 1, 9);
    failed.outcome = StepOutcome::Failed(failure);
    let mut slow = step("draft", 3, 4);
    slow.ended_at = start().after(Duration::from_millis(250));
    let steps = vec![failed, step("draft", 2, 6), slow, step("publish", 1, 5)];
    world.store.write(RunWrite { steps, ..go_on(run.claim) }).await.unwrap();
    let found = history().await;
    assert_eq!(found.fuel, [4, 6]);
    assert_eq!(found.time, [Duration::ZERO, Duration::from_millis(250)]);
    assert_eq!(world.store.history("other", &component, plugin("draft")).await.unwrap().calls(), 0);
}

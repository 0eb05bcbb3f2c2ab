mod branches;

use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::{
    Digest,
    approval::Ask,
    pins::Prices,
    pipeline::{On, RunBudget},
    step::Usage,
};

fn budget(fuel: u64) -> StepBudget {
    StepBudget { fuel, time: Duration::from_secs(1), memory_bytes: 1 << 20, tokens: None }
}

fn retry(attempts: u32) -> Retry {
    Retry { attempts, backoff_min: Duration::from_secs(10), backoff_max: Duration::from_secs(60) }
}

fn gate(name: &str, rework_to: &str) -> Gate {
    Gate {
        name: name.into(),
        plugin: name.into(),
        grants: vec![],
        budget: budget(1),
        retry: retry(1),
        settings: Value::Null,
        enforced: true,
        rework_to: rework_to.into(),
        rework_limit: 3,
        on_inconclusive: OnInconclusive::Escalate,
        escalate_to: Some("tech-lead".into()),
    }
}

fn stage(name: &str, gates: Vec<Gate>) -> Stage {
    Stage {
        name: name.into(),
        plugin: name.into(),
        grants: vec![],
        budget: budget(1),
        retry: retry(3),
        settings: Value::Null,
        when: None,
        on: On::Success,
        approval: None,
        gates,
    }
}

fn pins(stages: Vec<Stage>) -> Pins {
    Pins {
        pipeline: Pipeline {
            name: "p".into(),
            owner: "platform".into(),
            budget: RunBudget { cost: Microcents(1_000), time: Duration::from_secs(86_400) },
            stages,
        },
        plugins: BTreeMap::new(),
        engine: "test".into(),
        prices: Prices { per_gigafuel: Microcents(1) },
        models: BTreeMap::new(),
        zone: "UTC".into(),
        policy: Digest::of("policy"),
    }
}

fn two_stages() -> Pins {
    pins(vec![stage("draft", vec![gate("lint", "draft")]), stage("publish", vec![gate("final", "draft")])])
}

fn produced(effects: Vec<Effect>) -> StepOutcome {
    StepOutcome::Produced(Produced { summary: "made".into(), data: Value::Null, artifacts: vec![], effects })
}

fn effect(id: &str, later: bool) -> Effect {
    Effect { id: id.into(), kind: "set-state".into(), body: Value::Null, later }
}

fn judged(judgement: Judgement) -> StepOutcome {
    StepOutcome::Judged(Verdict { judgement, summary: "said".into(), findings: vec![], evidence: vec![] })
}

fn failed(class: FailureClass) -> StepOutcome {
    StepOutcome::Failed(StepFailure {
        fault: Fault::Reported,
        class,
        message: "no luck".into(),
        retry_at: None,
        detail: None,
    })
}

fn step(key: StepKey, outcome: StepOutcome) -> Step {
    Step {
        key,
        plugin: Digest::of("plugin"),
        input: Digest::of("input"),
        started_at: Timestamp::from_millis(0),
        ended_at: Timestamp::from_millis(1_000),
        usage: Usage { cost: Microcents(1), ..Usage::default() },
        outcome,
        log: vec![],
    }
}

/// Drives a course with the outcomes, and says where it went: `stage`, `stage/gate`, the rework and the attempt.
fn drive(course: &mut Course<'_>, outcomes: impl IntoIterator<Item = StepOutcome>) -> Vec<String> {
    let mut went = Vec::new();
    for outcome in outcomes {
        let Next::Call { step: key, .. } = course.next() else {
            panic!("no call is next: {:?}", course.next())
        };
        went.push(key.to_string());
        course.apply(&step(key, outcome));
    }
    went
}

#[test]
fn a_run_goes_through_stages_and_gates_in_order() {
    let pins = two_stages();
    let mut course = Course::new(&pins);
    let went = drive(
        &mut course,
        [produced(vec![]), judged(Judgement::Pass), produced(vec![]), judged(Judgement::Pass)],
    );
    assert_eq!(went, ["draft", "draft/lint", "publish", "publish/final"]);
    assert_eq!(course.next(), Next::End(End::Done));
}

#[test]
fn a_fail_sends_the_work_back_and_everything_from_there_is_done_again() {
    let pins = two_stages();
    let mut course = Course::new(&pins);
    let went = drive(
        &mut course,
        [
            produced(vec![]),
            judged(Judgement::Pass),
            produced(vec![]),
            judged(Judgement::Fail),
            produced(vec![]),
            judged(Judgement::Pass),
        ],
    );
    assert_eq!(went[3..], ["publish/final", "draft, rework 1", "draft/lint, rework 1"]);
    assert_eq!(course.reworks().len(), 1);
    assert!(matches!(course.next(), Next::Call { step, .. } if step.name.stage == "publish"));
}

#[test]
fn a_gate_sends_work_back_three_times_and_then_asks_a_person() {
    let pins = two_stages();
    let mut course = Course::new(&pins);
    for _ in 0..4 {
        drive(&mut course, [produced(vec![]), judged(Judgement::Fail)]);
    }
    let Next::End(End::Escalated { to, stopped }) = course.next() else { panic!("{:?}", course.next()) };
    assert_eq!(to, "tech-lead");
    assert_eq!(stopped.reason, "the gate `lint` still fails after 3 reworks: said");
    assert_eq!(course.reworks().len(), 3);
}

#[test]
fn an_escalation_names_the_first_error_and_not_what_passed() {
    let pins = two_stages();
    let mut course = Course::new(&pins);
    let finding = |severity| Finding {
        rule: "SPEC-003".into(),
        severity,
        message: "there is no criterion".into(),
        location: None,
    };
    let verdict = Verdict {
        judgement: Judgement::Fail,
        summary: "failed SPEC-003; passed the rest".into(),
        findings: vec![finding(Severity::Info), finding(Severity::Error), finding(Severity::Error)],
        evidence: vec![],
    };
    for _ in 0..4 {
        drive(&mut course, [produced(vec![]), StepOutcome::Judged(verdict.clone())]);
    }
    let Next::End(End::Escalated { stopped, .. }) = course.next() else { panic!("{:?}", course.next()) };
    assert_eq!(
        stopped.reason,
        "the gate `lint` still fails after 3 reworks: SPEC-003 there is no criterion (and 1 more)"
    );
}

#[test]
fn an_advisory_gate_only_records() {
    let advisory = Gate { enforced: false, ..gate("lint", "draft") };
    let pins = pins(vec![stage("draft", vec![advisory])]);
    let mut course = Course::new(&pins);
    drive(&mut course, [produced(vec![]), judged(Judgement::Fail)]);
    assert_eq!(course.next(), Next::End(End::Done));
}

#[test]
fn effects_wait_for_the_gates_and_the_next_stage_waits_for_them() {
    let pins = two_stages();
    let mut course = Course::new(&pins);
    let asked = produced(vec![effect("now", false), effect("whenever", true)]);
    let first = StepKey { name: StepName { stage: "draft".into(), gate: None }, rework: 0, attempt: 1 };
    assert_eq!(course.apply(&step(first.clone(), asked)), Consequences::default());
    let Next::Call { step: lint, .. } = course.next() else { panic!() };
    let passed = course.apply(&step(lint, judged(Judgement::Pass)));
    assert_eq!(passed.release.len(), 2);
    let awaited = EffectRef { step: first, id: "now".into() };
    assert_eq!(course.next(), Next::AwaitEffects(vec![awaited.clone()]));
    course.apply_delivery(awaited, Delivered::Done { reference: None, data: Value::Null });
    assert!(matches!(course.next(), Next::Call { step, .. } if step.name.stage == "publish"));
}

#[test]
fn the_last_stage_waits_for_its_effects_and_a_refusal_fails_the_run() {
    let pins = pins(vec![stage("publish", vec![])]);
    for (became, done) in [
        (Delivered::Done { reference: None, data: Value::Null }, true),
        (Delivered::Refused { reason: "the file is not ours".into() }, false),
    ] {
        let mut course = Course::new(&pins);
        drive(&mut course, [produced(vec![effect("file", false)])]);
        let Next::AwaitEffects(awaited) = course.next() else { panic!() };
        course.apply_delivery(awaited[0].clone(), became);
        match course.next() {
            Next::End(End::Done) => assert!(done),
            Next::End(End::Failed(stopped)) => {
                assert!(!done);
                assert_eq!(stopped.reason, "the effect `file` was refused: the file is not ours");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_transient_failure_is_tried_again_later_and_not_for_ever() {
    let pins = two_stages();
    let mut course = Course::new(&pins);
    drive(&mut course, [failed(FailureClass::Transient)]);
    let Next::Call { step: again, not_before } = course.next() else { panic!() };
    assert_eq!(again.attempt, 2);
    assert_eq!(not_before, Some(Timestamp::from_millis(11_000)));
    drive(&mut course, [failed(FailureClass::Transient), failed(FailureClass::Transient)]);
    let Next::End(End::Failed(stopped)) = course.next() else { panic!() };
    assert_eq!(stopped.recovery, "called 3 times; mend what the message names, then retry the run");
}

#[test]
fn a_rate_limit_costs_no_attempt() {
    let pins = two_stages();
    let mut course = Course::new(&pins);
    drive(&mut course, std::iter::repeat_n(failed(FailureClass::RateLimited), 20));
    assert!(matches!(course.next(), Next::Call { not_before: Some(_), .. }));
}

/// What a person says when `course` asks them.
fn decide(course: &mut Course<'_>, word: Word) {
    let Next::Ask { step, lack, reason, missing } = course.next() else { panic!("{:?}", course.next()) };
    let asked = Ask { step, lack, role: None, reason, suggested: missing };
    let decision = Decision { who: "ines".into(), why: "so".into(), at: Timestamp::default(), asked, word };
    course.apply_decision(decision);
}

#[test]
fn a_run_asks_when_its_budget_leaves_too_little_and_goes_on_with_more() {
    let mut pins = two_stages();
    pins.pipeline.budget.cost = Microcents(2);
    let mut course = Course::new(&pins);
    drive(&mut course, [produced(vec![]), judged(Judgement::Pass)]);
    let Next::Ask { lack, reason, missing, .. } = course.next() else { panic!("{:?}", course.next()) };
    assert_eq!(lack, Lack::RunCost);
    assert_eq!(
        reason,
        "the run has spent $0.00000002 of its budget of $0.00000002, which leaves too little for `publish`"
    );
    let rejected = &mut course.clone();
    decide(rejected, Word::Rejected);
    let Next::End(End::Failed(stopped)) = rejected.next() else { panic!("{:?}", rejected.next()) };
    assert_eq!(stopped.recovery, "raise `budget.cost` of the pipeline, then retry the run");
    decide(&mut course, Word::Approved { added: missing });
    assert!(matches!(course.next(), Next::Call { .. }));
}

#[test]
fn a_run_asks_when_its_time_is_used_and_goes_on_with_more() {
    let mut pins = two_stages();
    pins.pipeline.budget.time = Duration::from_secs(2);
    let mut course = Course::new(&pins);
    drive(&mut course, [produced(vec![]), judged(Judgement::Pass)]);
    let Next::Ask { lack, reason, missing, .. } = course.next() else { panic!("{:?}", course.next()) };
    assert_eq!((lack, reason.as_str()), (Lack::RunTime, "the run has used its time of 2s before `publish`"));
    decide(&mut course, Word::Approved { added: missing });
    assert!(matches!(course.next(), Next::Call { .. }));
}

#[test]
fn what_is_approved_for_a_stage_holds_for_the_rest_of_its_run() {
    let pins = two_stages();
    let mut course = Course::new(&pins);
    let Next::Call { step: first, .. } = course.next() else { panic!() };
    let approve = |course: &mut Course<'_>, step: &StepKey, fuel| {
        let asked = Ask {
            step: step.clone(),
            lack: Lack::Fuel,
            role: None,
            reason: "out of fuel".into(),
            suggested: Allowance::default(),
        };
        let word = Word::Approved { added: Allowance { fuel, ..Allowance::default() } };
        course.apply_decision(Decision {
            who: "ines".into(),
            why: "so".into(),
            at: Timestamp::default(),
            asked,
            word,
        });
    };
    approve(&mut course, &first, 10);
    approve(&mut course, &first, 20);
    assert_eq!(course.component(&first.name).budget.fuel, 31);
    assert_eq!(course.earlier_fuel_limits(&first), [1, 11]);
    drive(&mut course, [failed(FailureClass::Transient)]);
    let Next::Call { step: second, .. } = course.next() else { panic!("{:?}", course.next()) };
    assert_eq!((second.name.clone(), second.attempt), (first.name, 2));
    assert_eq!(course.component(&second.name).budget.fuel, 31, "no second approval for the same work");
    assert_eq!(course.earlier_fuel_limits(&second), [] as [u64; 0], "it was never called with less");
}

fn outcome(stage: bool) -> impl Strategy<Value = StepOutcome> {
    let class = prop_oneof![
        Just(FailureClass::Transient),
        Just(FailureClass::RateLimited),
        Just(FailureClass::Infrastructure),
        Just(FailureClass::Permanent),
    ];
    let good = if stage {
        Just(produced(vec![])).boxed()
    } else {
        prop_oneof![Just(judged(Judgement::Pass)), Just(judged(Judgement::Fail))].boxed()
    };
    prop_oneof![6 => good, 1 => class.prop_map(failed)]
}

proptest! {
    /// Whatever components do: the run ends, it never skips forward, and replaying its steps leads to the same place.
    #[test]
    fn a_course_never_skips_forward_and_replays(
        good in proptest::collection::vec(outcome(true), 400),
        verdicts in proptest::collection::vec(outcome(false), 400),
    ) {
        let pins = two_stages();
        let mut course = Course::new(&pins);
        let mut steps: Vec<Step> = Vec::new();
        let order = ["draft", "draft/lint", "publish", "publish/final"];
        let mut furthest_passed = -1i64;
        while let Next::Call { step: key, .. } = course.next() {
            prop_assert!(steps.iter().all(|step| step.key != key), "{key} is called twice");
            let place = order.iter().position(|name| *name == key.name.to_string()).unwrap() as i64;
            prop_assert!(place <= furthest_passed + 1, "{key} was skipped to");
            let mut outcomes = if key.name.gate.is_none() { good.iter() } else { verdicts.iter() };
            let Some(outcome) = outcomes.nth(steps.len()) else { break };
            let ended = step(key, outcome.clone());
            furthest_passed = match course.apply(&ended).rework {
                Some(_) => -1,
                None if matches!(outcome, StepOutcome::Failed(_)) => furthest_passed,
                None => place,
            };
            steps.push(ended);
            let again = Course::replay(&pins, Past { steps: &steps, ..Past::default() });
            prop_assert_eq!(again.next(), course.next());
        }
        prop_assert!(steps.len() < 400 || matches!(course.next(), Next::End(_)));
    }
}

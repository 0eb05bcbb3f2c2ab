//! Stages that do not apply, and stages that clean up.

use super::*;
use crate::{
    cancel::Cancellation,
    step::NotApplicable,
    wait::{Approval, Ended, Event, WakeOn},
};

fn on(name: &str, on: On) -> Stage {
    Stage { on, ..stage(name, vec![]) }
}

/// Two stages, and what is there for when one of them fails, and for whatever comes.
fn with_cleanup() -> Pins {
    pins(vec![
        stage("draft", vec![gate("lint", "draft")]),
        on("undo", On::Failure),
        stage("publish", vec![]),
        on("tell", On::Failure),
        on("restart", On::Always),
    ])
}

fn not_applicable() -> StepOutcome {
    StepOutcome::NotApplicable(NotApplicable { expression: "false".into(), inputs: BTreeMap::new() })
}

fn end(course: &Course<'_>) -> End {
    let Next::End(end) = course.next() else { panic!("{:?}", course.next()) };
    end
}

#[test]
fn what_cleans_up_always_runs_and_what_is_for_failures_does_not() {
    let pins = with_cleanup();
    let mut course = Course::new(&pins);
    let went =
        drive(&mut course, [produced(vec![]), judged(Judgement::Pass), produced(vec![]), produced(vec![])]);
    assert_eq!(went, ["draft", "draft/lint", "publish", "restart"]);
    assert_eq!(end(&course), End::Done);
}

#[test]
fn after_a_failure_only_later_stages_that_are_there_for_it_run_and_the_first_end_stands() {
    let pins = with_cleanup();
    let mut course = Course::new(&pins);
    let permanent = || failed(FailureClass::Permanent);
    let went = drive(&mut course, [permanent(), produced(vec![]), permanent(), produced(vec![])]);
    assert_eq!(went, ["draft", "undo", "tell", "restart"]);
    let End::Failed(stopped) = end(&course) else { panic!("{:?}", end(&course)) };
    assert_eq!(stopped.at.unwrap().stage, "draft");
    assert_eq!(stopped.reason, "`draft` failed: no luck");
    assert_eq!(
        stopped.recovery,
        "mend what the message names, then retry the run; cleaning up failed in `tell` as well: `tell` failed: no luck"
    );

    let mut course = Course::new(&pins);
    let went = drive(&mut course, [produced(vec![]), judged(Judgement::Pass), permanent(), produced(vec![])]);
    assert_eq!(went[2..], ["publish", "tell"], "what stands before the failed stage is not run");
}

#[test]
fn a_stage_that_always_runs_can_be_the_first_to_fail() {
    let pins = pins(vec![on("restart", On::Always), stage("publish", vec![]), on("tell", On::Failure)]);
    let mut course = Course::new(&pins);
    let went = drive(&mut course, [failed(FailureClass::Permanent), produced(vec![])]);
    assert_eq!(went, ["restart", "tell"]);
    assert!(matches!(end(&course), End::Failed(stopped) if stopped.at.as_ref().unwrap().stage == "restart"));
}

#[test]
fn an_escalation_is_cleaned_up_after_as_a_failure_is() {
    let pins = with_cleanup();
    let mut course = Course::new(&pins);
    drive(&mut course, [produced(vec![]), judged(Judgement::Inconclusive)]);
    let went = drive(&mut course, [produced(vec![]), produced(vec![]), produced(vec![])]);
    assert_eq!(went, ["undo", "tell", "restart"]);
    assert!(matches!(end(&course), End::Escalated { to, .. } if to == "tech-lead"));
}

#[test]
fn a_run_that_is_cancelled_runs_what_always_runs_and_one_that_is_ended_runs_nothing() {
    let pins = with_cleanup();
    let cancelled = End::Cancelled { reason: "ines: not needed".into() };
    let mut course = Course::new(&pins);
    course.stop(cancelled.clone());
    assert_eq!(drive(&mut course, [produced(vec![])]), ["restart"]);
    assert_eq!(end(&course), cancelled);

    let mut course = Course::new(&pins);
    course.end_with(cancelled.clone());
    assert_eq!(end(&course), cancelled);
}

/// A call that a person had no longer made is not made because an effect was refused that the run awaited then.
#[test]
fn an_effect_that_is_refused_after_a_cancellation_brings_up_nothing() {
    let [failing, always] = [On::Failure, On::Always];
    for (on_second, first) in [(failing, failed(FailureClass::Escalate)), (always, produced(vec![]))] {
        let pins = pins(vec![stage("s0", vec![]), on("s1", on_second), on("s2", on_second)]);
        let mut kept = Kept::default();
        let mut course = Course::new(&pins);
        for outcome in [first, produced(vec![effect("now", false)])] {
            let Next::Call { step: key, .. } = course.next() else { panic!("{:?}", course.next()) };
            kept.steps.push(step(key, outcome));
            course.apply(kept.steps.last().unwrap());
        }
        kept.cancelled = Some(Cancellation { who: "ines".into(), why: "so".into(), after_steps: 2 });
        let mut course = kept.replayed(&pins);
        kept.go_on(&mut course, &Turn::Refused);
        assert_eq!(course.abandoned()[0].name.stage, "s2");
        let (End::Escalated { .. } | End::Cancelled { .. }) = end(&course) else {
            panic!("{:?}", end(&course))
        };
        assert!(format!("{:?}", end(&course)).contains("the effect `now` was refused: not ours"));
        assert_eq!(kept.replayed(&pins).next(), course.next());
    }
}

#[test]
fn what_cleans_up_is_judged_and_done_again_on_its_own() {
    let restart = Stage { on: On::Always, ..stage("restart", vec![gate("healthy", "restart")]) };
    let pins = pins(vec![stage("draft", vec![]), restart, on("tell", On::Failure)]);
    let mut course = Course::new(&pins);
    drive(&mut course, [failed(FailureClass::Permanent)]);
    let mut went = Vec::new();
    for _ in 0..4 {
        went.extend(drive(&mut course, [produced(vec![]), judged(Judgement::Fail)]));
    }
    assert_eq!(went[6..], ["restart, rework 3", "restart/healthy, rework 3"]);
    assert_eq!(drive(&mut course, [produced(vec![])]), ["tell, rework 3"], "what comes after it runs");
    let End::Failed(stopped) = end(&course) else { panic!("{:?}", end(&course)) };
    assert_eq!(stopped.at.unwrap().stage, "draft");
}

#[test]
fn a_stage_that_does_not_apply_is_passed_with_its_gates_and_hands_nothing_on() {
    let pins = two_stages();
    let mut course = Course::new(&pins);
    drive(
        &mut course,
        [produced(vec![]), judged(Judgement::Pass), produced(vec![]), judged(Judgement::Fail)],
    );
    assert!(course.output("draft").is_some());
    let went = drive(&mut course, [not_applicable(), produced(vec![]), judged(Judgement::Pass)]);
    assert_eq!(went, ["draft, rework 1", "publish, rework 1", "publish/final, rework 1"]);
    assert!(course.output("draft").is_none(), "what it produced before no longer counts");
    assert_eq!(end(&course), End::Done);
}

#[test]
fn the_budget_of_a_run_keeps_what_cleaning_up_may_cost() {
    let mut pins = with_cleanup();
    pins.pipeline.budget.cost = Microcents(4);
    let mut course = Course::new(&pins);
    drive(&mut course, [produced(vec![])]);
    let Next::Ask { reason, missing, .. } = course.next() else { panic!("{:?}", course.next()) };
    assert_eq!(
        reason,
        "the run has spent $0.00000001 of its budget of $0.00000004 and keeps $0.00000003 for cleaning up, which leaves \
         too little for `draft/lint`"
    );
    assert_eq!(missing.cost, Microcents(1));
    decide(&mut course, Word::Rejected);
    let went = drive(&mut course, [produced(vec![]), produced(vec![]), produced(vec![])]);
    assert_eq!(went, ["undo", "tell", "restart"]);
    assert!(matches!(end(&course), End::Failed(_)));
}

#[test]
fn an_effect_that_is_refused_at_the_very_end_is_cleaned_up_after() {
    let pins = pins(vec![stage("publish", vec![]), on("tell", On::Failure)]);
    let mut course = Course::new(&pins);
    drive(&mut course, [produced(vec![effect("file", false)])]);
    let Next::AwaitEffects(awaited) = course.next() else { panic!("{:?}", course.next()) };
    course.apply_delivery(awaited[0].clone(), Delivered::Refused { reason: "it is not ours".into() });
    assert_eq!(drive(&mut course, [produced(vec![])]), ["tell"]);
    assert!(matches!(end(&course), End::Failed(stopped) if stopped.reason.contains("it is not ours")));
}

#[test]
fn a_gate_that_could_not_judge_is_asked_again_when_a_person_says_so() {
    let waits = Gate { on_inconclusive: OnInconclusive::Wait, ..gate("lint", "draft") };
    let pins = pins(vec![stage("draft", vec![waits]), on("restart", On::Always)]);
    let mut course = Course::new(&pins);
    let before = [produced(vec![]), judged(Judgement::Inconclusive)];
    drive(&mut course, before);
    let Next::Ask { lack, reason, .. } = course.next() else { panic!("{:?}", course.next()) };
    assert_eq!((lack, reason.as_str()), (Lack::Evidence, "the gate `lint` could not judge: said"));

    let rejected = &mut course.clone();
    decide(rejected, Word::Rejected);
    assert_eq!(drive(rejected, [produced(vec![])]), ["restart"]);
    let End::Failed(stopped) = end(rejected) else { panic!("{:?}", end(rejected)) };
    assert_eq!(stopped.reason, "the gate `lint` could not judge: said, and ines rejected it: so");

    decide(&mut course, Word::Approved { added: Allowance::default() });
    let went = drive(&mut course, [judged(Judgement::Inconclusive)]);
    assert_eq!(went, ["draft/lint, attempt 2"]);
    decide(&mut course, Word::Approved { added: Allowance::default() });
    let went = drive(&mut course, [judged(Judgement::Pass), produced(vec![])]);
    assert_eq!(went, ["draft/lint, attempt 3", "restart"]);
    assert_eq!(end(&course), End::Done);
}

fn ci() -> WakeOn {
    WakeOn::Event(Event { name: "ci".into() })
}

/// A wait for an event or an approval.
fn wait(effects: Vec<Effect>) -> Wait {
    let any = vec![ci(), WakeOn::Approval(Approval { role: None })];
    Wait { any, reason: "r".into(), resume: Value::from(7), effects, expires: None }
}

fn end_of(step: &StepKey, how: Ended) -> WaitEnd {
    WaitEnd { step: step.clone(), at: Timestamp::from_millis(5), how }
}

#[test]
fn a_call_that_waits_is_called_again_and_told_what_came() {
    let pins = two_stages();
    let mut course = Course::new(&pins);
    drive(&mut course, [StepOutcome::Waits(wait(vec![effect("before", false)]))]);
    let Next::AwaitEffects(awaited) = course.next() else { panic!("{:?}", course.next()) };
    course.apply_delivery(awaited[0].clone(), Delivered::Done { reference: None, data: Value::Null });
    let Next::Wait { step, .. } = course.next() else { panic!("{:?}", course.next()) };
    let met = Ended::Met { by: ci(), with: Value::from(8) };
    course.apply_wait_end(end_of(&step, met.clone()));
    let woken = course.woken().unwrap();
    assert_eq!((&woken.by, &woken.with, &woken.resume), (&ci(), &Value::from(8), &Value::from(7)));
    let Next::Call { step: again, .. } = course.next() else { panic!("{:?}", course.next()) };
    assert_eq!((again.attempt, course.attempt_that_counts(&again)), (2, 1), "to wait is no attempt");
    drive(&mut course, [failed(FailureClass::Transient)]);
    assert!(course.woken().is_some(), "a second try is told what the first was told");
    drive(&mut course, [failed(FailureClass::Transient), produced(vec![])]);
    assert!(course.woken().is_none(), "the next component has not waited");
    course.apply_wait_end(end_of(&step, met));
    assert_eq!(course.waits().len(), 1, "a wait ends once");
}

#[test]
fn a_wait_that_expires_or_is_rejected_fails_its_step() {
    let pins = two_stages();
    let expired = &mut Course::new(&pins);
    drive(expired, [StepOutcome::Waits(wait(vec![]))]);
    let Next::Wait { step, wait: asked } = expired.next() else { panic!("{:?}", expired.next()) };
    let rejected = &mut expired.clone();
    expired.apply_wait_end(end_of(&step, Ended::Expired));
    let End::Failed(stopped) = end(expired) else { panic!("{:?}", end(expired)) };
    assert_eq!(
        stopped.reason,
        "`draft` failed: what it waited for did not come in time: r; it waits for the event `ci` or an approval"
    );
    let asked = asked.ask(&step).unwrap();
    let (who, why, at) = ("ines".into(), "no".into(), Timestamp::default());
    rejected.apply_decision(Decision { who, why, at, asked, word: Word::Rejected });
    let End::Failed(stopped) = end(rejected) else { panic!("{:?}", end(rejected)) };
    assert!(
        stopped.reason.starts_with("`draft` failed: ines rejected what `draft` waited for: no"),
        "{stopped:?}"
    );
}

/// What happens next to a run, whatever it is about to do.
#[derive(Debug, Clone)]
enum Turn {
    Good,
    Bad(FailureClass),
    NotApplicable,
    SentBack,
    Undecided,
    Waits,
    Refused,
    Rejected,
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        8 => Just(Turn::Good),
        1 => Just(Turn::Bad(FailureClass::Permanent)),
        1 => Just(Turn::Bad(FailureClass::Transient)),
        1 => Just(Turn::Bad(FailureClass::Escalate)),
        1 => Just(Turn::NotApplicable),
        1 => Just(Turn::SentBack),
        1 => Just(Turn::Undecided),
        2 => Just(Turn::Waits),
        1 => Just(Turn::Refused),
        1 => Just(Turn::Rejected),
    ]
}

fn branching() -> impl Strategy<Value = Pins> {
    let on = prop_oneof![3 => Just(On::Success), 1 => Just(On::Failure), 1 => Just(On::Always)];
    proptest::collection::vec((on, any::<bool>()), 1..6).prop_map(|stages| {
        let stages = stages.into_iter().enumerate().map(|(position, (on, is_judged))| {
            let name = format!("s{position}");
            let judge =
                Gate { on_inconclusive: OnInconclusive::Wait, ..gate(&format!("g{position}"), &name) };
            let gates = if is_judged { vec![judge] } else { vec![] };
            // A pipeline whose first stage is for failures only is refused before it runs.
            let on = if position == 0 && on == On::Failure { On::Success } else { on };
            Stage { on, ..stage(&name, gates) }
        });
        let mut pins = pins(stages.collect());
        pins.pipeline.budget.cost = Microcents(100_000);
        pins
    })
}

/// A run as its store keeps it.
#[derive(Clone, Default)]
struct Kept {
    steps: Vec<Step>,
    delivered: Vec<(EffectRef, Delivered)>,
    decisions: Vec<Decision>,
    waits: Vec<WaitEnd>,
    cancelled: Option<Cancellation>,
}

impl Kept {
    /// Lets the course do what it does next, and keeps it; false when the run is over.
    fn go_on(&mut self, course: &mut Course<'_>, turn: &Turn) -> bool {
        match course.next() {
            Next::End(_) => return false,
            Next::AwaitEffects(effects) => {
                for effect in effects {
                    let became = match turn {
                        Turn::Refused => Delivered::Refused { reason: "not ours".into() },
                        _ => Delivered::Done { reference: None, data: Value::Null },
                    };
                    self.delivered.push((effect.clone(), became.clone()));
                    course.apply_delivery(effect, became);
                }
            }
            Next::Wait { step, wait } => match turn {
                Turn::Rejected | Turn::Undecided => {
                    let word = match turn {
                        Turn::Rejected => Word::Rejected,
                        _ => Word::Approved { added: Allowance::default() },
                    };
                    let ask = wait.ask(&step).unwrap();
                    self.decide(course, ask.step, (ask.lack, ask.reason), word);
                }
                turn => {
                    let how = match turn {
                        Turn::Bad(_) => Ended::Expired,
                        _ => Ended::Met { by: ci(), with: Value::Null },
                    };
                    let end = WaitEnd { step, at: Timestamp::default(), how };
                    self.waits.push(end.clone());
                    course.apply_wait_end(end);
                }
            },
            Next::Ask { step, lack, reason, .. } => {
                assert_eq!(lack, Lack::Evidence, "the budget is large");
                let word = match turn {
                    Turn::Rejected => Word::Rejected,
                    _ => Word::Approved { added: Allowance::default() },
                };
                self.decide(course, step, (lack, reason), word);
            }
            Next::Call { step, .. } if matches!(turn, Turn::Rejected) => {
                self.decide(course, step, (Lack::Fuel, "out of fuel".into()), Word::Rejected);
            }
            Next::Call { step: key, .. } => {
                let outcome = match (turn, key.name.gate.is_some()) {
                    (Turn::Bad(class), _) => failed(*class),
                    (Turn::Waits, _) => StepOutcome::Waits(wait(vec![effect("before", false)])),
                    (Turn::SentBack, true) => judged(Judgement::Fail),
                    (Turn::Undecided, true) => judged(Judgement::Inconclusive),
                    (_, true) => judged(Judgement::Pass),
                    (Turn::NotApplicable, false) if key.attempt == 1 => not_applicable(),
                    (_, false) => produced(vec![effect("now", false), effect("later", true)]),
                };
                let step = step(key, outcome);
                course.apply(&step);
                self.steps.push(step);
            }
        }
        true
    }

    fn decide(&mut self, course: &mut Course<'_>, step: StepKey, (lack, reason): (Lack, String), word: Word) {
        let asked = Ask { step, lack, role: None, reason, suggested: Allowance::default() };
        let (who, why, at) = ("ines".into(), "so".into(), Timestamp::default());
        let decision = Decision { who, why, at, asked, word };
        self.decisions.push(decision.clone());
        course.apply_decision(decision);
    }

    fn replayed<'p>(&self, pins: &'p Pins) -> Course<'p> {
        let Self { steps, delivered, decisions, waits, cancelled } = self.clone();
        Course::replay(pins, Past { steps: &steps, delivered, decisions, waits, cancelled })
    }

    /// Whether a stage was called, or would have been had a person allowed it.
    fn came_to(&self, stage: &Stage) -> bool {
        let called = self.steps.iter().map(|step| &step.key);
        let asked = self.decisions.iter().map(|decision| &decision.asked.step);
        called.chain(asked).any(|key| key.name.stage == stage.name)
    }
}

proptest! {
    /// Whatever happens: a host that takes the run over computes the same; a stage for good runs is never called once the run
    /// cannot go on; the first end stands; and all that is there to clean up after it has run.
    #[test]
    fn a_branching_course_replays_and_cleans_up(
        pins in branching(),
        turns in proptest::collection::vec(turn(), 200),
    ) {
        let mut course = Course::new(&pins);
        let mut kept = Kept::default();
        let mut first_end: Option<End> = None;
        for turn in &turns {
            if let Next::Call { step, .. } = course.next() {
                let on = pins.pipeline.stage(&step.name.stage).unwrap().1.on;
                let expected = if course.end.is_none() { On::Success } else { On::Failure };
                prop_assert!(on == expected || on == On::Always, "{step} runs at {:?}", course.end);
            }
            if !kept.go_on(&mut course, turn) {
                break;
            }
            let again = kept.replayed(&pins);
            prop_assert_eq!(again.next(), course.next());
            prop_assert_eq!(again.delivered(), course.delivered());
            prop_assert_eq!(again.decisions(), course.decisions());
            prop_assert_eq!(again.spent(), course.spent());
            prop_assert_eq!(again.woken(), course.woken());
            prop_assert_eq!(again.waits(), course.waits());
            first_end = first_end.or_else(|| course.end.clone());
        }
        let Next::End(end) = course.next() else { return Ok(()) };
        let (End::Failed(first) | End::Escalated { stopped: first, .. }) = first_end.unwrap_or(End::Done) else {
            prop_assert_eq!(end, End::Done);
            return Ok(());
        };
        let (End::Failed(last) | End::Escalated { stopped: last, .. }) = end else { panic!("{end:?}") };
        prop_assert_eq!((&first.at, &first.reason), (&last.at, &last.reason));
        let (failed, _) = pins.pipeline.stage(&first.at.unwrap().stage).unwrap();
        let cleanup = pins.pipeline.stages.iter().skip(failed + 1).filter(|stage| stage.on != On::Success);
        for stage in cleanup {
            prop_assert!(kept.came_to(stage), "{} did not run", stage.name);
        }
    }

    /// A person may end a run at any moment: it ends as cancelled unless it was ending already, calls nothing but what cleans up
    /// whatever the end, and computes the same on another host.
    #[test]
    fn a_cancelled_course_replays_and_cleans_up(
        pins in branching(),
        turns in proptest::collection::vec(turn(), 200),
        at in 0_usize..30,
    ) {
        let mut course = Course::new(&pins);
        let mut kept = Kept::default();
        let mut was_ending = None;
        for (number, turn) in turns.iter().enumerate() {
            if number == at {
                was_ending = Some(course.end.is_some());
                let after_steps = kept.steps.len() as u64;
                kept.cancelled = Some(Cancellation { who: "ines".into(), why: "so".into(), after_steps });
                course = kept.replayed(&pins);
            }
            if let (Next::Call { step, .. }, Some(false)) = (course.next(), was_ending) {
                prop_assert_eq!(pins.pipeline.stage(&step.name.stage).unwrap().1.on, On::Always);
            }
            if !kept.go_on(&mut course, turn) {
                break;
            }
            let again = kept.replayed(&pins);
            prop_assert_eq!(again.next(), course.next());
            prop_assert_eq!(again.spent(), course.spent());
        }
        if let (Next::End(end), Some(false)) = (course.next(), was_ending) {
            let End::Cancelled { reason } = end else { panic!("{end:?}") };
            prop_assert!(reason.starts_with("ines cancelled it: so"), "{}", reason);
        }
    }
}

//! Where a run stands in its pipeline, and what comes next.
//!
//! Properties wanted:
//!
//! 1. The state of a run is a fold over its committed steps and deliveries. It is never stored beside them, so it can never
//!    disagree with them, and a host that takes a run over computes what the first host knew.
//! 2. It never skips forward: a stage begins only when every stage before it has passed all its enforced gates since the work
//!    was last sent back to it or to one before it.
//! 3. It ends: a gate sends work back at most `rework_limit` times in a run, a call is retried at most as often as its stage
//!    says, and a budget bounds the rest.
//! 4. A failed call never counts as a pass.
//! 5. What is to be cleaned up is: when the run fails, is given to a person or is cancelled, the later stages that are there for
//!    such an end still run. The first end stands, whatever becomes of them.

mod cleanup;
mod replay;
mod waiting;

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Microcents, Timestamp,
    approval::{Allowance, Decision, Lack, Word, time_words},
    effect::{Delivered, Effect},
    pins::Pins,
    pipeline::{Gate, OnInconclusive, Pipeline, Retry, Stage, StepBudget, StepName},
    step::{
        FailureClass, Fault, Finding, Judgement, Produced, Severity, Step, StepFailure, StepKey, StepOutcome,
        Verdict,
    },
    wait::{Wait, WaitEnd, Woken},
};

pub use replay::Past;

/// How often a call is tried again when the platform failed, whatever the stage says.
const INFRASTRUCTURE_RETRIES: u32 = 1;

/// A run's way through its pipeline.
#[derive(Debug, Clone)]
pub struct Course<'p> {
    pins: &'p Pins,
    at: Place,
    rework: u32,
    tries: Tries,
    not_before: Option<Timestamp>,
    outputs: BTreeMap<String, Output>,
    sent_back: BTreeMap<String, u32>,
    reworks: Vec<Rework>,
    awaited: Vec<EffectRef>,
    delivered: Vec<(EffectRef, Delivered)>,
    spent: Microcents,
    elapsed: Duration,
    decisions: Vec<Decision>,
    /// What the attempt that comes next has cost already.
    begun_cost: Microcents,
    /// The calls under way when the run was cancelled.
    abandoned: Vec<StepKey>,
    /// What the entries that the run opened have cost, as far as is known.
    children_cost: Microcents,
    /// The call that waits, and for what.
    waiting: Option<(StepKey, Wait)>,
    /// What ended the last wait of the present component.
    woken: Option<Woken>,
    waits: Vec<WaitEnd>,
    /// Why the gate that comes next could not judge, until a person lets it judge again.
    undecided: Option<String>,
    /// How it ends, once that is known; stages that are there for such an end may still run.
    end: Option<End>,
    /// No stage is left to run.
    is_over: bool,
}

/// The stage and gate that are called next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    stage: usize,
    gate: Option<usize>,
}

/// Calls of the component at the present place.
#[derive(Debug, Clone, Copy, Default)]
struct Tries {
    calls: u32,
    charged_failures: u32,
    infrastructure_failures: u32,
    waits: u32,
}

/// What a stage produced, and in which call.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// The call.
    pub step: StepKey,
    /// What it produced.
    pub produced: Produced,
}

/// Why and whither work was sent back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rework {
    /// The gate that sent it back.
    pub gate: String,
    /// The stage that begins again.
    pub to: String,
    /// How often this gate has sent work back in this run, this time included.
    pub round: u32,
    /// What the gate said.
    pub summary: String,
    /// In detail.
    pub findings: Vec<Finding>,
}

/// One effect of one call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct EffectRef {
    /// The call that asked for it.
    pub step: StepKey,
    /// Its id within the call.
    pub id: String,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum End {
    /// Every stage passed.
    Done,
    /// It cannot go on.
    Failed(Stopped),
    /// A person must decide.
    Escalated {
        /// The role that is asked; the pipeline's owner where none is named.
        to: String,
        /// Where and why.
        #[serde(flatten)]
        stopped: Stopped,
    },
    /// A person ended it.
    Cancelled {
        /// Who and why.
        reason: String,
    },
}

/// Where and why a run stopped, and what a person can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stopped {
    /// The stage or gate; none when no step was to blame.
    pub at: Option<StepName>,
    /// A sentence.
    pub reason: String,
    /// A sentence: what was tried, and what to do next.
    pub recovery: String,
}

/// What a run does next.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Call this component, not before this time.
    Call {
        /// Which call.
        step: StepKey,
        /// The time before which it is not called.
        not_before: Option<Timestamp>,
    },
    /// Ask a person: what the run may use does not hold the next call at its largest.
    Ask {
        /// Which call.
        step: StepKey,
        /// What is used up.
        lack: Lack,
        /// In a sentence.
        reason: String,
        /// How much more the next call may need.
        missing: Allowance,
    },
    /// Wait for what a call asked to wait for.
    Wait {
        /// The call.
        step: StepKey,
        /// For what.
        wait: Box<Wait>,
    },
    /// Wait until these effects have been delivered or refused.
    AwaitEffects(Vec<EffectRef>),
    /// Write the record: it is over.
    End(End),
}

/// What follows from a step, besides what comes next.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Consequences {
    /// Effects that may be delivered now, with the step that asked for each.
    pub release: Vec<(EffectRef, Effect)>,
    /// Work that was sent back.
    pub rework: Option<Rework>,
}

/// A stage or gate as it is called: what both have in common.
#[derive(Debug, Clone, Copy)]
pub struct Component<'p> {
    /// The plugin request, a key of the pins' `plugins`.
    pub plugin: &'p str,
    /// What it may touch beyond the base world.
    pub grants: &'p [String],
    /// What one call may use, by the pipeline and by what people approved.
    pub budget: StepBudget,
    /// The `with` table.
    pub settings: &'p serde_json::Value,
    retry: &'p Retry,
}

impl<'p> Course<'p> {
    /// The course of a run that has not begun.
    pub fn new(pins: &'p Pins) -> Self {
        Self {
            pins,
            at: Place { stage: 0, gate: None },
            rework: 0,
            tries: Tries::default(),
            not_before: None,
            outputs: BTreeMap::new(),
            sent_back: BTreeMap::new(),
            reworks: Vec::new(),
            awaited: Vec::new(),
            delivered: Vec::new(),
            spent: Microcents::ZERO,
            elapsed: Duration::ZERO,
            decisions: Vec::new(),
            begun_cost: Microcents::ZERO,
            abandoned: Vec::new(),
            children_cost: Microcents::ZERO,
            waiting: None,
            woken: None,
            waits: Vec::new(),
            undecided: None,
            end: None,
            is_over: false,
        }
    }

    /// What comes next.
    pub fn next(&self) -> Next {
        // A record says what became of every effect that the run waited for, also of a run that stopped.
        if !self.awaited.is_empty() {
            return Next::AwaitEffects(self.awaited.clone());
        }
        if self.is_over {
            return Next::End(self.end.clone().unwrap_or(End::Done));
        }
        if let Some((step, wait)) = &self.waiting {
            return Next::Wait { step: step.clone(), wait: Box::new(wait.clone()) };
        }
        self.ask_to_judge_again()
            .or_else(|| self.ask_for_more())
            .unwrap_or_else(|| Next::Call { step: self.next_key(), not_before: self.not_before })
    }

    /// The component of a step.
    ///
    /// # Panics
    ///
    /// When `step` names no stage or gate of the pipeline, which no step of this course does.
    pub fn component(&self, step: &StepName) -> Component<'p> {
        let (_, stage) = self.pipeline().stage(&step.stage).expect("a step names a stage of its pipeline");
        let mut component = match &step.gate {
            None => Component {
                plugin: &stage.plugin,
                grants: &stage.grants,
                budget: stage.budget,
                settings: &stage.settings,
                retry: &stage.retry,
            },
            Some(name) => {
                let gate = stage.gates.iter().find(|gate| &gate.name == name);
                let gate = gate.expect("a step names a gate of its stage");
                Component {
                    plugin: &gate.plugin,
                    grants: &gate.grants,
                    budget: gate.budget,
                    settings: &gate.settings,
                    retry: &gate.retry,
                }
            }
        };
        for (_, added) in self.added().filter(|(asked, _)| asked.name == *step) {
            component.budget.fuel = component.budget.fuel.saturating_add(added.fuel);
            component.budget.time = component.budget.time.saturating_add(added.time);
        }
        component
    }

    /// The fuel limits that this attempt was called with before its present one, rising.
    pub fn earlier_fuel_limits(&self, step: &StepKey) -> Vec<u64> {
        let mut limit = self.component(&step.name).budget.fuel;
        let mut earlier = Vec::new();
        let to_this = self.added().filter(|(asked, added)| *asked == step && added.fuel > 0);
        for (_, added) in to_this.collect::<Vec<_>>().into_iter().rev() {
            limit = limit.saturating_sub(added.fuel);
            earlier.push(limit);
        }
        earlier.reverse();
        earlier
    }

    /// Takes a step that ended into account.
    pub fn apply(&mut self, step: &Step) -> Consequences {
        debug_assert!(!self.is_over, "a run that ended takes no more steps");
        self.spent = self.spent + step.usage.cost;
        self.elapsed += step.ended_at.since(step.started_at);
        self.not_before = None;
        self.begun_cost = Microcents::ZERO;
        self.tries.calls += 1;
        match &step.outcome {
            StepOutcome::Produced(produced) => {
                let output = Output { step: step.key.clone(), produced: produced.clone() };
                self.outputs.insert(step.key.name.stage.clone(), output);
                self.advance_past_gate(None)
            }
            StepOutcome::Judged(verdict) => self.apply_verdict(verdict),
            StepOutcome::Failed(failure) => {
                self.apply_failure(failure, step.ended_at);
                Consequences::default()
            }
            StepOutcome::Waits(wait) => Consequences { release: self.wait(&step.key, wait), rework: None },
            StepOutcome::NotApplicable(_) => {
                self.outputs.remove(&step.key.name.stage);
                self.go_on_after(self.at.stage);
                Consequences::default()
            }
        }
    }

    /// Takes a person's word into account.
    pub fn apply_decision(&mut self, decision: Decision) {
        if self.answer(&decision) {
            return self.decisions.push(decision);
        }
        let asked = &decision.asked;
        match decision.word {
            Word::Approved { .. } if asked.lack == Lack::Evidence => self.undecided = None,
            Word::Approved { .. } => {}
            Word::Rejected => {
                let lacks = match asked.lack {
                    Lack::Approval => "mend what was objected to",
                    Lack::Evidence | Lack::Answer => "provide what is asked for",
                    Lack::Fuel => "raise `budget.fuel` of this step or shorten the entry",
                    Lack::Time => "raise `budget.time` of this step",
                    Lack::RunCost => "raise `budget.cost` of the pipeline",
                    Lack::RunTime => "raise `budget.time` of the pipeline",
                };
                let end = End::Failed(Stopped {
                    at: Some(asked.step.name.clone()),
                    reason: match asked.lack {
                        Lack::Approval | Lack::Evidence | Lack::Answer => {
                            format!("{}, and {} rejected it: {}", asked.reason, decision.who, decision.why)
                        }
                        _ => format!(
                            "{}, and {} rejected to give it more: {}",
                            asked.reason, decision.who, decision.why
                        ),
                    },
                    recovery: format!("{lacks}, then retry the run"),
                });
                self.stop(end);
            }
        }
        self.decisions.push(decision);
    }

    /// Takes into account what attempts have cost that will never end.
    pub fn add_abandoned_cost(&mut self, charged: Microcents) {
        self.spent = self.spent + charged;
    }

    /// Takes into account what the next attempt has cost before it ended.
    pub fn set_begun_cost(&mut self, charged: Microcents) {
        self.begun_cost = charged;
    }

    /// Takes into account what the entries cost that the run opened: its budget pays for them.
    pub fn set_children_cost(&mut self, cost: Microcents) {
        self.children_cost = cost;
    }

    /// Whether a person let this call begin.
    pub fn is_approved(&self, step: &StepKey) -> bool {
        let asked = self.decisions.iter().filter(|decision| decision.asked.step == *step);
        asked
            .filter(|decision| decision.asked.lack == Lack::Approval)
            .any(|decision| decision.word != Word::Rejected)
    }

    /// What people said, oldest first.
    pub fn decisions(&self) -> &[Decision] {
        &self.decisions
    }

    /// Takes into account what became of an effect.
    pub fn apply_delivery(&mut self, effect: EffectRef, became: Delivered) {
        self.settle(&effect, &became);
        self.delivered.push((effect, became));
    }

    fn settle(&mut self, effect: &EffectRef, became: &Delivered) {
        let Some(at) = self.awaited.iter().position(|other| other == effect) else { return };
        self.awaited.remove(at);
        if let Delivered::Refused { reason } = became {
            let end = End::Failed(Stopped {
                at: Some(effect.step.name.clone()),
                reason: format!("the effect `{}` was refused: {reason}", effect.id),
                recovery: "mend what the reason names, then retry the run".into(),
            });
            let stage = self.pipeline().stage(&effect.step.name.stage).map_or(self.at.stage, |(at, _)| at);
            self.stop_for_refusal(stage, end);
        }
    }

    /// The newest output of a stage.
    pub fn output(&self, stage: &str) -> Option<&Output> {
        self.outputs.get(stage)
    }

    /// Every time work was sent back, oldest first.
    pub fn reworks(&self) -> &[Rework] {
        &self.reworks
    }

    /// What became of effects so far.
    pub fn delivered(&self) -> &[(EffectRef, Delivered)] {
        &self.delivered
    }

    /// What the run is pinned to.
    pub fn pins(&self) -> &'p Pins {
        self.pins
    }

    /// What the run has cost so far, an attempt that has not ended included.
    pub fn spent(&self) -> Microcents {
        self.spent + self.begun_cost
    }

    /// What the run may cost, by its pipeline and by what people approved.
    pub fn cost_limit(&self) -> Microcents {
        self.pipeline().budget.cost + self.added().map(|(_, added)| added.cost).sum()
    }

    /// What the next call may spend, and calls before it have: the run's budget but for what is kept for cleaning up.
    pub fn cost_limit_now(&self) -> Microcents {
        self.cost_limit().saturating_sub(self.kept_for_cleanup() + self.children_cost)
    }

    fn time_limit(&self) -> Duration {
        let added = self.added().map(|(_, added)| added.time);
        added.fold(self.pipeline().budget.time, Duration::saturating_add)
    }

    /// What people approved, and for which call.
    fn added(&self) -> impl Iterator<Item = (&StepKey, Allowance)> {
        self.decisions.iter().filter_map(|decision| match decision.word {
            Word::Approved { added } => Some((&decision.asked.step, added)),
            Word::Rejected => None,
        })
    }

    /// The name of the pipeline's component that is called next.
    fn next_key(&self) -> StepKey {
        StepKey { name: self.name_at(self.at), rework: self.rework, attempt: self.tries.calls + 1 }
    }

    fn pipeline(&self) -> &'p Pipeline {
        &self.pins.pipeline
    }

    fn stage(&self) -> &'p Stage {
        &self.pipeline().stages[self.at.stage]
    }

    fn gate(&self) -> Option<&'p Gate> {
        self.at.gate.map(|at| &self.stage().gates[at])
    }

    fn name_at(&self, place: Place) -> StepName {
        let stage = &self.pipeline().stages[place.stage];
        StepName { stage: stage.name.clone(), gate: place.gate.map(|at| stage.gates[at].name.clone()) }
    }

    fn owner(&self) -> String {
        self.pipeline().owner.clone()
    }

    fn move_to(&mut self, place: Place) {
        self.at = place;
        self.undecided = None;
        self.waiting = None;
        self.woken = None;
        self.tries = Tries::default();
    }

    /// Goes on after the stage itself (`None`) or one of its gates.
    fn advance_past_gate(&mut self, gate: Option<usize>) -> Consequences {
        let next_gate = gate.map_or(0, |at| at + 1);
        if next_gate < self.stage().gates.len() {
            self.move_to(Place { gate: Some(next_gate), ..self.at });
            return Consequences::default();
        }
        self.pass_stage()
    }

    fn pass_stage(&mut self) -> Consequences {
        let release = self.effects_of_stage();
        let awaited =
            release.iter().filter(|(_, effect)| !effect.later).map(|(reference, _)| reference.clone());
        self.awaited.extend(awaited);
        self.go_on_after(self.at.stage);
        Consequences { release, rework: None }
    }

    fn effects_of_stage(&self) -> Vec<(EffectRef, Effect)> {
        let Some(output) = self.outputs.get(&self.stage().name) else { return Vec::new() };
        let reference = |effect: &Effect| EffectRef { step: output.step.clone(), id: effect.id.clone() };
        output.produced.effects.iter().map(|effect| (reference(effect), effect.clone())).collect()
    }

    fn apply_verdict(&mut self, verdict: &Verdict) -> Consequences {
        let Some(gate) = self.gate() else {
            debug_assert!(false, "a verdict comes from a gate");
            return Consequences::default();
        };
        match verdict.judgement {
            Judgement::Fail if gate.enforced => self.send_back(gate, verdict),
            Judgement::Inconclusive if gate.enforced => {
                self.stop_inconclusive(gate, verdict);
                Consequences::default()
            }
            Judgement::Pass | Judgement::Fail | Judgement::Inconclusive => {
                self.advance_past_gate(self.at.gate)
            }
        }
    }

    fn send_back(&mut self, gate: &Gate, verdict: &Verdict) -> Consequences {
        let sent_back = self.sent_back.entry(gate.name.clone()).or_default();
        if *sent_back >= gate.rework_limit {
            self.stop(self.rework_spent(gate, verdict));
            return Consequences::default();
        }
        *sent_back += 1;
        let rework = Rework {
            gate: gate.name.clone(),
            to: gate.rework_to.clone(),
            round: *sent_back,
            summary: verdict.summary.clone(),
            findings: verdict.findings.clone(),
        };
        self.rework += 1;
        self.reworks.push(rework.clone());
        let stage = self.pipeline().stage(&gate.rework_to).map_or(self.at.stage, |(at, _)| at);
        self.move_to(Place { stage, gate: None });
        Consequences { release: Vec::new(), rework: Some(rework) }
    }

    fn rework_spent(&self, gate: &Gate, verdict: &Verdict) -> End {
        let times = match gate.rework_limit {
            0 => "which allows no rework".to_owned(),
            1 => "after one rework".to_owned(),
            n => format!("after {n} reworks"),
        };
        End::Escalated {
            to: gate.escalate_to.clone().unwrap_or_else(|| self.owner()),
            stopped: Stopped {
                at: Some(self.name_at(self.at)),
                reason: format!("the gate `{}` still fails {times}: {}", gate.name, in_short(verdict)),
                recovery: "complete the entry so that the findings no longer hold, then retry the run".into(),
            },
        }
    }

    fn stop_inconclusive(&mut self, gate: &Gate, verdict: &Verdict) {
        let reason = format!("the gate `{}` could not judge: {}", gate.name, verdict.summary);
        if gate.on_inconclusive == OnInconclusive::Wait {
            self.undecided = Some(reason);
            return;
        }
        let stopped = Stopped {
            at: Some(self.name_at(self.at)),
            reason,
            recovery: "provide what the gate lacks, then retry the run".into(),
        };
        let to = gate.escalate_to.clone().unwrap_or_else(|| self.owner());
        self.stop(match gate.on_inconclusive {
            OnInconclusive::Fail => End::Failed(stopped),
            OnInconclusive::Escalate | OnInconclusive::Wait => End::Escalated { to, stopped },
        });
    }

    fn apply_failure(&mut self, failure: &StepFailure, ended_at: Timestamp) {
        let retry = *self.component(&self.name_at(self.at)).retry;
        match failure.class {
            FailureClass::RateLimited => {
                let wait = ended_at.after(retry.backoff_max);
                self.not_before = Some(failure.retry_at.unwrap_or(wait));
            }
            FailureClass::Transient => {
                self.tries.charged_failures += 1;
                if self.tries.charged_failures < retry.attempts {
                    self.not_before = Some(ended_at.after(retry.backoff_after(self.tries.charged_failures)));
                } else {
                    self.stop_failed(failure);
                }
            }
            FailureClass::Infrastructure => {
                self.tries.infrastructure_failures += 1;
                if self.tries.infrastructure_failures <= INFRASTRUCTURE_RETRIES {
                    self.not_before = Some(ended_at.after(retry.backoff_min));
                } else {
                    self.stop_failed(failure);
                }
            }
            FailureClass::Escalate => {
                let to =
                    self.gate().and_then(|gate| gate.escalate_to.clone()).unwrap_or_else(|| self.owner());
                self.stop(End::Escalated { to, stopped: self.stopped_by(failure) });
            }
            FailureClass::Configuration | FailureClass::Permanent => self.stop_failed(failure),
        }
    }

    fn stop_failed(&mut self, failure: &StepFailure) {
        self.stop(End::Failed(self.stopped_by(failure)));
    }

    fn stopped_by(&self, failure: &StepFailure) -> Stopped {
        let name = self.name_at(self.at);
        let calls = self.tries.calls;
        let tried = if calls > 1 { format!("called {calls} times; ") } else { String::new() };
        Stopped {
            reason: format!("`{name}` failed: {}", failure.message),
            recovery: format!("{tried}{}", advice(failure)),
            at: Some(name),
        }
    }

    /// Whether a gate could not judge, and is to be called again when a person has seen to it.
    fn ask_to_judge_again(&self) -> Option<Next> {
        let reason = self.undecided.clone()?;
        Some(Next::Ask { step: self.next_key(), lack: Lack::Evidence, reason, missing: Allowance::default() })
    }

    /// Whether the run's budget no longer holds the next call at its largest.
    fn ask_for_more(&self) -> Option<Next> {
        let step = self.next_key();
        let largest = self.pins.prices.of_fuel(self.component(&step.name).budget.fuel);
        let (spent, cost, kept) = (self.spent(), self.cost_limit(), self.kept_for_cleanup());
        let needed = spent.saturating_add(self.children_cost).saturating_add(largest).saturating_add(kept);
        if needed > cost {
            let name = &step.name;
            let and_kept = match kept {
                Microcents::ZERO => String::new(),
                kept => format!(" and keeps {kept} for cleaning up"),
            };
            let and_children = match self.children_cost {
                Microcents::ZERO => String::new(),
                children => format!(", and what it opened {children}"),
            };
            let reason = format!(
                "the run has spent {spent}{and_children} of its budget of {cost}{and_kept}, which leaves too little for `{name}`"
            );
            let missing = Allowance { cost: needed.saturating_sub(cost), ..Allowance::default() };
            return Some(Next::Ask { step, lack: Lack::RunCost, reason, missing });
        }
        let time = self.time_limit();
        // What cleans up takes no longer than its own limits allow.
        if self.elapsed >= time && self.end.is_none() {
            let name = &step.name;
            let reason = format!("the run has used its time of {} before `{name}`", time_words(time));
            let more = self.component(name).budget.time.max(Duration::from_secs(1));
            let missing = Allowance { time: more + (self.elapsed - time), ..Allowance::default() };
            return Some(Next::Ask { step, lack: Lack::RunTime, reason, missing });
        }
        None
    }
}

/// A verdict's errors, the first of them in words; its summary where it names none.
fn in_short(verdict: &Verdict) -> String {
    let errors: Vec<_> =
        verdict.findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
    match errors.as_slice() {
        [] => verdict.summary.clone(),
        [only] => format!("{} {}", only.rule, only.message),
        [first, rest @ ..] => format!("{} {} (and {} more)", first.rule, first.message, rest.len()),
    }
}

/// What a person can do about a failure.
fn advice(failure: &StepFailure) -> &'static str {
    match failure.fault {
        Fault::OutOfFuel => "raise `budget.fuel` of this step or shorten the entry, then retry the run",
        Fault::OutOfTime => "raise `budget.time` of this step, then retry the run",
        Fault::OutOfMemory => "raise `budget.memory` of this step or shorten the entry, then retry the run",
        Fault::NotGranted => "add the grant to the stage, then retry the run",
        Fault::Unloadable => {
            "replace the component with one that `tollgate plugin inspect` accepts, then retry the run"
        }
        Fault::Platform => "see the host's log, then retry the run",
        Fault::Diverged => {
            "report it to the plugin's author with the step's log, then retry the run, which asks everything anew"
        }
        Fault::Ambiguous => {
            "look whether what was asked has happened, then retry the run, which asks it again"
        }
        Fault::EffectRefused => "mend what the reason names, then retry the run",
        Fault::WaitExpired => "see to what it waited for, then retry the run",
        Fault::Rejected => "mend what was objected to, then retry the run",
        Fault::Condition => {
            "mend the stage's `when`, or give the field that it names a `default` in tollgate.toml, then retry the run"
        }
        Fault::Reported if failure.class == FailureClass::Configuration => {
            "correct the stage's settings, then retry the run"
        }
        Fault::Reported => "mend what the message names, then retry the run",
        Fault::Trap | Fault::TooLarge | Fault::Contract => {
            "report it to the plugin's author with the step's log, use another version, then retry the run"
        }
    }
}

#[cfg(test)]
mod tests;

//! What calls ask of their capabilities and were told.

use std::collections::BTreeMap;

use tollgate_core::{
    Digest, Microcents, RunId,
    journal::{self, Answer, Begun, JournalEntry},
    late::Brought,
    pipeline::StepName,
    run::Claim,
    step::{Step, StepKey, StepOutcome},
};

use super::{
    conflict,
    state::{Attempt, Call, State},
    table::RunNo,
};
use crate::{
    StoreError,
    port::{EscrowAnswer, History, NewIntent, PausedCall, Result},
};

/// How many calls a history goes back.
const HISTORY_CALLS: usize = 1_000;

impl State {
    pub(super) fn attempt(&self, run: RunId, step: &StepKey) -> Result<Option<journal::Attempt>> {
        let attempt = self.runs[self.run_no(run)?].attempts.get(step);
        let entry = |call: &Call| JournalEntry { intent: call.intent.clone(), answer: call.answer.clone() };
        Ok(attempt.map(|attempt| journal::Attempt {
            begun: attempt.begun.clone(),
            charged: attempt.charged,
            journal: attempt.calls.values().map(entry).collect(),
        }))
    }

    /// Keeps an intent, with its largest cost set aside.
    pub(super) fn intend(&mut self, new: NewIntent) -> Result<EscrowAnswer> {
        let NewIntent { claim, step, plugin, begun, call, intent, set_aside } = new;
        let number = self.held_by(claim)?;
        let run = &self.runs[number];
        let before = run.attempts.get(&step).and_then(|attempt| attempt.calls.get(&call));
        if before.is_some_and(|before| before.answer.is_some()) {
            let text =
                format!("call {call} of `{step}` of run {} was answered; it is fed, not asked again", run.id);
            return Err(conflict(text));
        }
        if before.is_some_and(|before| before.intent != intent) {
            return Err(conflict(format!(
                "call {call} of `{step}` of run {} asked something else before",
                run.id
            )));
        }
        let missing = set_aside.saturating_sub(run.escrow);
        if missing > Microcents::ZERO {
            let answer = self.set_more_aside(number, missing)?;
            if answer != EscrowAnswer::Reserved {
                return Ok(answer);
            }
        }
        let attempt = self.begin_attempt(number, &step, plugin, begun);
        attempt.calls.insert(call, Call { intent, answer: None, open: true });
        Ok(EscrowAnswer::Reserved)
    }

    /// What it was handed first stays.
    fn begin_attempt(&mut self, number: RunNo, step: &StepKey, plugin: Digest, begun: Begun) -> &mut Attempt {
        let new = || Attempt { plugin, begun, charged: Microcents::ZERO, calls: BTreeMap::new() };
        self.runs[number].attempts.entry(step.clone()).or_insert_with(new)
    }

    /// Keeps an answer, and settles what it cost.
    pub(super) fn answer(
        &mut self,
        claim: Claim,
        step: &StepKey,
        call: u32,
        answer: Answer,
    ) -> Result<Result<()>> {
        match self.held_by(claim) {
            Ok(number) => self.answer_in_time(number, step, call, answer).map(Ok),
            Err(error) => {
                let brought = Brought::Answer { step: step.clone(), call, answer };
                self.refuse(error, claim, Some(brought))
            }
        }
    }

    fn answer_in_time(&mut self, number: RunNo, step: &StepKey, call: u32, answer: Answer) -> Result<()> {
        let open = self.open_call(number, step, call)?;
        let (reserved, cost) = (open.intent.reserved, answer.cost);
        (open.answer, open.open) = (Some(answer), false);
        self.charge_attempt(number, step, cost, reserved)
    }

    /// Takes back an intent that nobody has begun to act on.
    pub(super) fn withdraw(&mut self, claim: Claim, step: &StepKey, call: u32) -> Result<()> {
        let number = self.held_by(claim)?;
        self.open_call(number, step, call)?;
        if let Some(attempt) = self.runs[number].attempts.get_mut(step) {
            attempt.calls.remove(&call);
        }
        Ok(())
    }

    fn open_call(&mut self, number: RunNo, step: &StepKey, call: u32) -> Result<&mut Call> {
        let run = &mut self.runs[number];
        let found = run.attempts.get_mut(step).and_then(|attempt| attempt.calls.get_mut(&call));
        let missing = conflict(format!("call {call} of `{step}` of run {} awaits no answer", run.id));
        found.filter(|call| call.open).ok_or(missing)
    }

    /// Charges a call that ended without a step.
    pub(super) fn pause(&mut self, number: RunNo, paused: PausedCall) -> Result<()> {
        let PausedCall { step, plugin, begun, cost } = paused;
        self.begin_attempt(number, &step, plugin, begun);
        self.charge_attempt(number, &step, cost, cost)
    }

    /// Charges what was sent and not answered at its largest.
    pub(super) fn lose_open_calls(&mut self, number: RunNo) -> Result<()> {
        let of_attempt = |(step, attempt): (&StepKey, &Attempt)| {
            let open = attempt.calls.iter().filter(|(_, call)| call.open);
            open.map(|(call, _)| (step.clone(), *call)).collect::<Vec<_>>()
        };
        let open: Vec<_> = self.runs[number].attempts.iter().flat_map(of_attempt).collect();
        for (step, call) in open {
            let lost = self.open_call(number, &step, call)?;
            lost.open = false;
            let largest = lost.intent.reserved;
            self.charge_attempt(number, &step, largest, largest)?;
        }
        Ok(())
    }

    fn charge_attempt(
        &mut self,
        number: RunNo,
        step: &StepKey,
        cost: Microcents,
        set_aside: Microcents,
    ) -> Result<()> {
        let run = &mut self.runs[number];
        let no_attempt = StoreError::Damaged(format!("run {} has no attempt `{step}`", run.id));
        let attempt = run.attempts.get_mut(step).ok_or(no_attempt)?;
        attempt.charged = attempt.charged + cost;
        let plugin = attempt.plugin;
        self.charge(number, plugin, cost, set_aside)
    }

    /// What earlier calls of a component used that did what they were called for, whichever version of its plugin was called.
    pub(super) fn history(&self, pipeline: &str, component: &StepName, plugin: Digest) -> History {
        let name = self.plugins.get(&plugin);
        let counts = |step: &Step| {
            let did = matches!(step.outcome, StepOutcome::Produced(_) | StepOutcome::Judged(_));
            did && step.key.name == *component && name.is_some() && self.plugins.get(&step.plugin) == name
        };
        let runs = self.runs.iter().filter(|(_, run)| run.pipeline == pipeline);
        let steps = runs.flat_map(|(_, run)| &run.steps).filter(|(_, step)| counts(step));
        let mut steps: Vec<_> = steps.collect();
        steps.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
        steps.truncate(HISTORY_CALLS);
        let mut fuel: Vec<_> = steps.iter().map(|(_, step)| step.usage.fuel).collect();
        let mut time: Vec<_> = steps.iter().map(|(_, step)| step.ended_at.since(step.started_at)).collect();
        fuel.sort_unstable();
        time.sort_unstable();
        History { fuel, time }
    }
}

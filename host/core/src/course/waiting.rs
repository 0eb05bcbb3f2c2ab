//! Calls that wait: what follows when their wait ends.

use serde_json::json;

use super::{Course, EffectRef};
use crate::{
    approval::{Decision, Lack, Word},
    effect::Effect,
    step::{FailureClass, Fault, StepFailure, StepKey},
    wait::{Ended, Wait, WaitEnd, Woken},
};

impl Course<'_> {
    /// Takes into account how the wait of a call ended.
    pub fn apply_wait_end(&mut self, end: WaitEnd) {
        let Some((_, wait)) = self.waiting.take_if(|(step, _)| *step == end.step) else { return };
        self.waits.push(end.clone());
        match end.how {
            Ended::Met { by, with } => {
                self.woken = Some(Woken { by, with, at: end.at, resume: wait.resume });
            }
            Ended::Expired => self.apply_failure(&expired(&wait), end.at),
        }
    }

    /// How waits ended, oldest first.
    pub fn waits(&self) -> &[WaitEnd] {
        &self.waits
    }

    /// What ended the wait that the next call follows.
    pub fn woken(&self) -> Option<&Woken> {
        self.woken.as_ref()
    }

    /// Which attempt the next call is for the plugin: to wait is none.
    pub fn attempt_that_counts(&self, step: &StepKey) -> u32 {
        step.attempt.saturating_sub(self.tries.waits)
    }

    /// Waits as a call asked; its effects come first.
    pub(super) fn wait(&mut self, step: &StepKey, wait: &Wait) -> Vec<(EffectRef, Effect)> {
        self.tries.waits += 1;
        self.woken = None;
        self.waiting = Some((step.clone(), wait.clone()));
        let reference = |effect: &Effect| EffectRef { step: step.clone(), id: effect.id.clone() };
        let release: Vec<_> = wait.effects.iter().map(|effect| (reference(effect), effect.clone())).collect();
        self.awaited.extend(release.iter().map(|(reference, _)| reference.clone()));
        release
    }

    /// What a person says to a call that waits for them; whether one does.
    pub(super) fn answer(&mut self, decision: &Decision) -> bool {
        let next = self.next_key();
        // Money for what it opened is no answer to what it waits for.
        let is_word = matches!(decision.asked.lack, Lack::Approval | Lack::Answer);
        let answered = self.waiting.take_if(|_| is_word && next == decision.asked.step);
        let Some((step, wait)) = answered else { return false };
        match (decision.word, wait.asked()) {
            (Word::Approved { .. }, Some(by)) => {
                let with = json!({ "who": decision.who, "said": decision.why });
                self.woken =
                    Some(Woken { by: by.clone(), with, at: decision.at, resume: wait.resume.clone() });
            }
            _ => self.apply_failure(&rejected(&step, decision), decision.at),
        }
        true
    }
}

fn failure(fault: Fault, message: String) -> StepFailure {
    StepFailure { fault, class: FailureClass::Permanent, message, retry_at: None, detail: None }
}

fn expired(wait: &Wait) -> StepFailure {
    failure(Fault::WaitExpired, format!("what it waited for did not come in time: {wait}"))
}

fn rejected(step: &StepKey, decision: &Decision) -> StepFailure {
    let Decision { who, why, asked, .. } = decision;
    failure(
        Fault::Rejected,
        format!("{who} rejected what `{}` waited for: {why} ({})", step.name, asked.reason),
    )
}

//! Attempts: what a call is handed and told again when the same attempt is called once more.

use std::sync::Arc;

use tollgate_core::{
    Digest, Microcents, RunId,
    approval::Word,
    course::{Component, Course, Next},
    journal::{Attempt, Begun},
    step::{Step, StepKey},
};
use tollgate_sandbox::{CallModels, port::Later};
use tollgate_store::port::Wake;

use super::{Called, Driver, Journey, pause};
use crate::{
    adapter::journal::{Halt, Money, NewAttempt, StoredJournal},
    error::{EngineError, Result},
};

/// The attempt that comes next in a run, if an earlier drive began it; the course knows then what it has cost.
pub(super) async fn begun(
    driver: &Driver,
    run: RunId,
    ended: &[Step],
    course: &mut Course<'_>,
) -> Result<Option<(StepKey, Attempt)>> {
    let has_ended = |step: &StepKey| ended.iter().any(|ended| ended.key == *step);
    // One that a person ended has cost what it has cost.
    let rejected = course.decisions().iter().filter(|decision| decision.word == Word::Rejected);
    let rejected: Vec<_> = rejected.map(|decision| decision.asked.step.clone()).collect();
    let given_up = rejected.iter().chain(course.abandoned()).cloned().collect::<Vec<_>>();
    for step in given_up.iter().filter(|step| !has_ended(step)) {
        if let Some(attempt) = driver.store.attempt(run, step).await? {
            course.add_abandoned_cost(attempt.charged);
        }
    }
    let (Next::Call { step, .. } | Next::Ask { step, .. }) = course.next() else { return Ok(None) };
    if has_ended(&step) {
        return Ok(None);
    }
    let Some(attempt) = driver.store.attempt(run, &step).await? else { return Ok(None) };
    course.set_begun_cost(attempt.charged);
    Ok(Some((step, attempt)))
}

impl Journey<'_> {
    /// The attempt to call: the one that was begun, or a new one.
    pub(super) fn attempt(&mut self, key: &StepKey) -> Attempt {
        match self.begun.take().filter(|(begun, _)| begun == key) {
            Some((_, attempt)) => attempt,
            None => Attempt {
                begun: Begun {
                    now: self.durable_at,
                    delivered: self.course.delivered().iter().map(|(effect, _)| effect.clone()).collect(),
                },
                charged: Microcents::ZERO,
                journal: Vec::new(),
            },
        }
    }

    /// Where the journal of an attempt is kept.
    pub(super) fn journal(
        &self,
        key: &StepKey,
        plugin: Digest,
        component: &Component<'_>,
        attempt: &Attempt,
    ) -> Arc<StoredJournal> {
        let new = NewAttempt { step: key.clone(), plugin, begun: attempt.begun.clone() };
        let spent_before = self.course.spent().saturating_sub(attempt.charged);
        let money = Money {
            compute: self.pins.prices.of_fuel(component.budget.fuel),
            escrow: self.escrow,
            charged: attempt.charged,
            left: self.course.cost_limit_now().saturating_sub(spent_before),
        };
        let store = Arc::clone(&self.driver.store);
        Arc::new(StoredJournal::new(store, self.lease.claim(), new, money))
    }

    /// The models that a component may ask, as the run is pinned to them.
    pub(super) fn models(&self, component: &Component<'_>) -> CallModels {
        let names = component.grants.iter().filter_map(|grant| grant.strip_prefix("model:"));
        let granted = names.filter_map(|name| Some((name.to_owned(), self.pins.models.get(name)?.clone())));
        CallModels { granted: granted.collect(), port: Arc::clone(&self.driver.models) }
    }

    /// What follows when the journal stopped the call.
    pub(super) fn halted(&mut self, key: StepKey, journal: &StoredJournal) -> Result<Called> {
        match journal.take_halt() {
            Some(Halt::Store(error)) => Err(error.into()),
            Some(Halt::CapReached { cap, until }) => {
                Ok(Called::Waiting { wake: Wake::At(until), reason: format!("the cap of {cap} is reached") })
            }
            Some(Halt::PayerShort(short)) => {
                let wake = Wake::Paid(short.needed + self.escrow);
                Ok(Called::Waiting { wake, reason: short.to_string() })
            }
            Some(Halt::AskLater(Later { at, reason })) => {
                // Whoever asks for patience knows the machine's clock alone.
                Ok(Called::Waiting { wake: Wake::At(self.driver.time.when(at)), reason })
            }
            Some(Halt::RunBudget { missing }) => {
                let spent = self.course.spent();
                let ask = pause::run_budget(key, spent, self.course.cost_limit_now(), missing);
                Ok(Called::Paused { ask: Box::new(ask), call: None })
            }
            None => Err(EngineError::Bug("a journal stopped a call and does not say why".into())),
        }
    }
}

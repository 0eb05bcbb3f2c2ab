//! A course from what is known of a run, in the order in which it came about.
//!
//! Steps are kept in that order; what people said, and what became of effects, is kept apart. Where it belongs follows from the
//! steps: a course awaits effects before it calls anything, and a person is asked about the call that comes next.

use std::collections::{BTreeMap, VecDeque};

use super::{Course, EffectRef};
use crate::{
    approval::Decision, cancel::Cancellation, effect::Delivered, pins::Pins, step::Step, wait::WaitEnd,
};

/// What is behind a run.
#[derive(Debug, Clone, Default)]
pub struct Past<'s> {
    /// Calls that ended, oldest first.
    pub steps: &'s [Step],
    /// What became of effects, in the order in which they were asked for.
    pub delivered: Vec<(EffectRef, Delivered)>,
    /// What people said, oldest first.
    pub decisions: Vec<Decision>,
    /// How waits ended, oldest first.
    pub waits: Vec<WaitEnd>,
    /// Who ended it, where somebody did.
    pub cancelled: Option<Cancellation>,
}

/// What is not taken into account yet.
struct Pending {
    delivered: BTreeMap<EffectRef, Delivered>,
    decisions: VecDeque<Decision>,
    waits: Vec<WaitEnd>,
}

impl<'p> Course<'p> {
    /// The course of a run with this behind it.
    pub fn replay(pins: &'p Pins, past: Past<'_>) -> Self {
        let mut course = Self::new(pins);
        let mut pending = Pending {
            delivered: past.delivered.iter().cloned().collect(),
            decisions: past.decisions.into(),
            waits: past.waits,
        };
        let cancelled_after =
            |steps: usize| past.cancelled.as_ref().filter(|cancelled| cancelled.after_steps == steps as u64);
        for (number, step) in past.steps.iter().enumerate() {
            course.cancel_now(cancelled_after(number), &mut pending);
            course.catch_up(&mut pending);
            course.apply(step);
        }
        course.cancel_now(cancelled_after(past.steps.len()), &mut pending);
        course.catch_up(&mut pending);
        course.decisions.extend(pending.decisions);
        course.delivered = past.delivered;
        course
    }

    /// Ends the run where it stood when the word was heeded. What becomes of effects that it still awaited changes nothing about that.
    fn cancel_now(&mut self, cancelled: Option<&Cancellation>, pending: &mut Pending) {
        if let Some(cancelled) = cancelled {
            self.hear(pending);
            self.cancel(cancelled);
        }
    }

    /// Takes into account what came before the call that is next.
    fn catch_up(&mut self, pending: &mut Pending) {
        for effect in self.awaited.clone() {
            if let Some(became) = pending.delivered.get(&effect) {
                self.settle(&effect, became);
            }
        }
        self.hear(pending);
    }

    /// Takes into account what ended the wait of the call before, and what people said of the next one.
    fn hear(&mut self, pending: &mut Pending) {
        let is_of_it = |end: &&WaitEnd| self.waiting.as_ref().is_some_and(|(step, _)| *step == end.step);
        if let Some(end) = pending.waits.iter().find(is_of_it) {
            self.apply_wait_end(end.clone());
        }
        while let Some(decision) = pending.decisions.pop_front() {
            if self.is_over || decision.asked.step != self.next_key() {
                pending.decisions.push_front(decision);
                break;
            }
            self.apply_decision(decision);
        }
    }
}

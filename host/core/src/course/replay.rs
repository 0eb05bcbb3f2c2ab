//! A course from what is known of a run, in the order in which it came about.
//!
//! Steps are kept in that order; what people said, and what became of effects, is kept apart. Where it belongs follows from the
//! steps: a course awaits effects before it calls anything, and a person is asked about the call that comes next.

use std::collections::{BTreeMap, VecDeque};

use super::{Course, EffectRef};
use crate::{approval::Decision, effect::Delivered, pins::Pins, step::Step};

/// What is behind a run.
#[derive(Debug, Clone, Default)]
pub struct Past<'s> {
    /// Calls that ended, oldest first.
    pub steps: &'s [Step],
    /// What became of effects, in the order in which they were asked for.
    pub delivered: Vec<(EffectRef, Delivered)>,
    /// What people said, oldest first.
    pub decisions: Vec<Decision>,
}

/// What is not taken into account yet.
struct Pending {
    delivered: BTreeMap<EffectRef, Delivered>,
    decisions: VecDeque<Decision>,
}

impl<'p> Course<'p> {
    /// The course of a run with this behind it.
    pub fn replay(pins: &'p Pins, past: Past<'_>) -> Self {
        let mut course = Self::new(pins);
        let mut pending =
            Pending { delivered: past.delivered.iter().cloned().collect(), decisions: past.decisions.into() };
        for step in past.steps {
            course.catch_up(&mut pending);
            course.apply(step);
        }
        course.catch_up(&mut pending);
        course.decisions.extend(pending.decisions);
        course.delivered = past.delivered;
        course
    }

    /// Takes into account what came before the call that is next.
    fn catch_up(&mut self, pending: &mut Pending) {
        for effect in self.awaited.clone() {
            if let Some(became) = pending.delivered.get(&effect) {
                self.settle(&effect, became);
            }
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

//! What still runs when a run cannot go on: stages with `on = "failure"` or `on = "always"` that come after the one that ended it.
//!
//! They run in their order, each with its own gates, retries and limits, and their effects are delivered. What becomes of them is
//! recorded with the other calls; the run ends as it would have ended without them. When one of them fails, the next one runs all
//! the same, and the run's end says so after its own reason.

use super::{Course, End, Place};
use crate::{Microcents, cancel::Cancellation, pipeline::On, step::StepKey};

impl On {
    /// Whether a stage runs, by how the run will end as far as that is known.
    fn runs(self, end: Option<&End>) -> bool {
        match (self, end) {
            (Self::Always, _) | (Self::Success, None | Some(End::Done)) => true,
            (Self::Failure, Some(End::Failed(_) | End::Escalated { .. })) => true,
            (Self::Success, Some(_)) | (Self::Failure, _) => false,
        }
    }
}

impl End {
    /// Says what else went wrong. The end stays what it was.
    fn note(&mut self, also: &Self) {
        let (Self::Failed(stopped) | Self::Escalated { stopped, .. }) = also else { return };
        // The same call may have failed in more than one way; its first reason is told.
        if matches!(self, Self::Failed(first) | Self::Escalated { stopped: first, .. } if first.at == stopped.at)
        {
            return;
        }
        let at = stopped.at.as_ref().map_or_else(String::new, |at| format!(" in `{at}`"));
        let note = format!("; cleaning up failed{at} as well: {}", stopped.reason);
        match self {
            Self::Done => {}
            Self::Failed(first) | Self::Escalated { stopped: first, .. } => first.recovery.push_str(&note),
            Self::Cancelled { reason } => reason.push_str(&note),
        }
    }
}

impl Course<'_> {
    /// Ends the run at once, by a live decision. Nothing is cleaned up.
    pub fn end_with(&mut self, end: End) {
        self.end.get_or_insert(end);
        self.is_over = true;
    }

    /// Ends the run by a person's word, after the stages that clean up whatever the end. One that is ending keeps its first end.
    pub(super) fn cancel(&mut self, cancellation: &Cancellation) {
        if !self.is_over {
            self.abandoned.push(self.next_key());
        }
        self.stop(End::Cancelled { reason: cancellation.to_string() });
    }

    /// Calls that will not be made again: one was under way when the run was cancelled, or would have come next.
    pub fn abandoned(&self) -> &[StepKey] {
        &self.abandoned
    }

    /// Ends the run where it stands, after the stages that are there for such an end.
    pub fn stop(&mut self, end: End) {
        self.stop_after(self.at.stage, end);
    }

    /// The same when a stage that was left already turns out to have failed.
    pub(super) fn stop_after(&mut self, stage: usize, end: End) {
        match &mut self.end {
            None => self.end = Some(end),
            Some(first) => first.note(&end),
        }
        self.waiting = None;
        self.go_on_after(stage);
    }

    /// The same when an effect was refused. A run that was ending already stays where it is by then, behind what a person had no longer
    /// called.
    pub(super) fn stop_for_refusal(&mut self, stage: usize, end: End) {
        let has_left = self.is_over || stage < self.at.stage;
        match &mut self.end {
            Some(first) if has_left => first.note(&end),
            _ => self.stop_after(stage, end),
        }
    }

    /// Goes to the next stage that runs, as things stand; it is over when there is none.
    pub(super) fn go_on_after(&mut self, stage: usize) {
        let mut later = self.pipeline().stages.iter().enumerate().skip(stage + 1);
        let next = later.find(|(_, stage)| stage.on.runs(self.end.as_ref()));
        // An effect that is refused after the last stage has passed may bring up stages that were not to run.
        self.is_over = next.is_none();
        if let Some((stage, _)) = next {
            self.move_to(Place { stage, gate: None });
        }
    }

    /// What of the run's budget is kept until it ends: the compute of all that may have to be cleaned up, once.
    pub(super) fn kept_for_cleanup(&self) -> Microcents {
        let later =
            self.pipeline().stages.iter().skip(self.at.stage + 1).filter(|stage| stage.on != On::Success);
        later.flat_map(|stage| stage.step_budgets()).map(|budget| self.pins.prices.of_fuel(budget.fuel)).sum()
    }
}

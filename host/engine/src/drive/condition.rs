//! Conditions of stages: whether one applies to the entry of a run, and whether a person must approve it first.
//!
//! A condition reads what the entry said when the run began, and nothing else, so its answer is the same whenever it is asked in
//! a run, and by whichever host.

use tollgate_core::{
    Clock as _, Digest,
    approval::{Allowance, Ask, Lack},
    course::Next,
    pipeline::Stage,
    step::{FailureClass, Fault, NotApplicable, Step, StepFailure, StepKey, StepOutcome, Usage},
};
use tollgate_policy::condition::{Condition, Facts};

use super::Journey;
use crate::error::Result;

impl<'p> Journey<'p> {
    /// Takes a step that is next and is not to be called into account; whether there was one.
    pub(super) async fn pass_over(&mut self) -> Result<bool> {
        let Some((step, stage)) = self.stage_that_begins() else { return Ok(false) };
        let outcome = match self.applies(stage) {
            Ok(None) => return Ok(false),
            Ok(Some(not_applicable)) => StepOutcome::NotApplicable(not_applicable),
            Err(failure) => StepOutcome::Failed(failure),
        };
        let now = self.driver.time.now();
        let plugin = self.pins.plugins.get(&stage.plugin);
        let step = Step {
            key: step,
            plugin: plugin.map_or_else(|| Digest::of(""), |plugin| plugin.digest),
            input: Digest::of_json(&outcome),
            started_at: now,
            ended_at: now,
            usage: Usage::default(),
            outcome,
            log: Vec::new(),
        };
        self.take(step, true).await?;
        Ok(true)
    }

    /// What a person is asked before the stage that is next begins.
    pub(super) fn approval(&self) -> Option<Ask> {
        let (step, stage) = self.stage_that_begins()?;
        let approval = stage.approval.as_ref().filter(|_| !self.course.is_approved(&step))?;
        let why = match approval.when.as_ref().map(|when| (when, self.condition(when))) {
            Some((_, Ok(Some(_)))) => return None,
            Some((when, _)) => format!(", since `{when}`"),
            None => String::new(),
        };
        Some(Ask {
            lack: Lack::Approval,
            role: Some(approval.role.clone()),
            reason: format!("`{}` begins when `{}` approves it{why}", step.name, approval.role),
            suggested: Allowance::default(),
            step,
        })
    }

    /// The stage that is next, and its first call.
    fn stage_that_begins(&self) -> Option<(StepKey, &'p Stage)> {
        let (Next::Call { step, .. } | Next::Ask { step, .. }) = self.course.next() else { return None };
        let is_first = step.name.gate.is_none() && step.attempt == 1;
        let (_, stage) = self.pins.pipeline.stage(&step.name.stage).filter(|_| is_first)?;
        Some((step, stage))
    }

    /// Nothing where a stage applies to the entry, and why where it does not.
    fn applies(&self, stage: &Stage) -> std::result::Result<Option<NotApplicable>, StepFailure> {
        let approval = stage.approval.as_ref().and_then(|approval| approval.when.as_ref());
        let judged = stage.when.as_ref().map_or(Ok(None), |when| self.condition(when));
        match (judged.map_err(|reason| without_result("when", &reason))?, approval) {
            (None, Some(when)) => {
                // Without an answer nobody knows whether it needs an approval, so it does not begin.
                self.condition(when).map_err(|reason| without_result("approval.when", &reason))?;
                Ok(None)
            }
            (judged, _) => Ok(judged),
        }
    }

    /// What a condition says of the entry: nothing against it, or why not.
    fn condition(&self, text: &str) -> std::result::Result<Option<NotApplicable>, String> {
        let condition = Condition::parse(text).map_err(|error| error.to_string())?;
        condition.judge(&Facts {
            entry: &self.entry.snapshot,
            backlog: &self.order.backlog,
            zone: &self.pins.zone,
            now: self.run.started_at,
        })
    }
}

fn without_result(name: &str, reason: &str) -> StepFailure {
    StepFailure {
        fault: Fault::Condition,
        class: FailureClass::Configuration,
        message: format!("its condition `{name}` has no result for this entry: {reason}"),
        retry_at: None,
        detail: None,
    }
}

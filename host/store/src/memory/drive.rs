//! A driver's writes: steps, costs, effects, events and what comes next, all at once.

use serde_json::json;
use tollgate_core::{
    Microcents,
    course::{EffectRef, End},
    effect::{Delivered, KnownEffect},
    entry::EntryState,
    event::EventKind,
    late::Brought,
    lease::Fence,
    record::Record,
    refine::Refinement,
    run::{Claim, RunState},
    step::{Step, StepOutcome},
};

use super::{
    conflict,
    state::{AskedWait, Content, Life, Parcel, State, Unfunded, Way},
    table::RunNo,
};
use crate::{
    StoreError,
    port::{EscrowAnswer, NextState, ReleasedEffect, Result, RunWrite, Wake},
};

impl State {
    pub(super) fn write(&mut self, write: RunWrite) -> Result<Result<()>> {
        match self.held_by(write.claim) {
            Ok(number) => self.write_in_time(number, write).map(Ok),
            Err(error) => self.refuse(error, write.claim, brought(&write)),
        }
    }

    fn write_in_time(&mut self, number: RunNo, write: RunWrite) -> Result<()> {
        let doing = write.doing();
        let RunWrite { claim: _, paused, steps, released, events, next } = write;
        self.add_steps(number, steps, doing)?;
        if let Some(paused) = paused {
            self.pause(number, paused)?;
        }
        for event in events {
            self.happened(number, event.kind, event.body);
        }
        for released in released {
            self.release_effect(number, released, doing)?;
        }
        match next {
            NextState::GoOn => Ok(()),
            NextState::Wait { wakes, reason } => self.begin_to_wait(number, wakes, reason),
            NextState::Finish { end, record, leaves_entry, refinement } => {
                self.finish(number, &end, *record, refinement)?;
                if leaves_entry {
                    self.send(number, Content::Leave(self.runs[number].state));
                }
                Ok(())
            }
        }
    }

    pub(super) fn reserve(&mut self, claim: Claim, amount: Microcents) -> Result<EscrowAnswer> {
        let number = self.held_by(claim)?;
        self.set_more_aside(number, amount)
    }

    fn add_steps(&mut self, number: RunNo, steps: Vec<Step>, doing: &'static str) -> Result<()> {
        for step in &steps {
            let run = &mut self.runs[number];
            if run.steps.iter().any(|(_, before)| before.key == step.key) {
                let message = format!("the step `{}` of run {} was written before", step.key, run.id);
                return Err(StoreError::Platform { doing, message });
            }
            self.steps += 1;
            run.steps.push((self.steps, step.clone()));
            if let StepOutcome::Waits(wait) = &step.outcome {
                run.asked = Some(AskedWait { step: step.key.clone(), since: run.heard, wait: wait.clone() });
            }
        }
        if !steps.is_empty() {
            // What was said before its next call begins is of no concern to that.
            self.runs[number].heard = self.signals.last();
        }
        // What is awaited by now will not come.
        self.lose_open_calls(number)?;
        self.settle_steps(number, &steps)
    }

    fn release_effect(&mut self, number: RunNo, released: ReleasedEffect, doing: &'static str) -> Result<()> {
        let ReleasedEffect { reference, effect, leaves } = released;
        if self.parcel_of(number, &reference).is_some() {
            let id = self.runs[number].id;
            let message = format!("the effect `{}` of run {id} was released before", reference.id);
            return Err(StoreError::Platform { doing, message });
        }
        let file = match KnownEffect::parse(&effect) {
            Ok(KnownEffect::PublishFile(file)) => Some((file.path, Some(file.artifact))),
            Ok(KnownEffect::SetState(_) | KnownEffect::OpenEntry(_)) | Err(_) => None,
        };
        let parcel = self.parcel(number, Content::Effect { reference, effect });
        self.outbox.insert(Parcel { file, leaves, ..parcel });
        Ok(())
    }

    /// Something of a run that is to be delivered.
    pub(super) fn parcel(&self, number: RunNo, content: Content) -> Parcel {
        Parcel {
            run: Some(number),
            entry: self.runs[number].entry,
            content,
            file: None,
            leaves: None,
            way: Way::Waiting,
            fence: Fence::default(),
            next_at: self.now,
            failures: 0,
            ambiguous: false,
        }
    }

    fn send(&mut self, number: RunNo, content: Content) {
        let parcel = self.parcel(number, content);
        self.outbox.insert(parcel);
    }

    /// Ends the claim until something happens. What has happened already wakes the run at once.
    fn begin_to_wait(&mut self, number: RunNo, wakes: Vec<Wake>, reason: String) -> Result<()> {
        let ask = wakes.iter().find_map(|wake| match wake {
            Wake::Approval(ask) => Some(ask),
            Wake::At(_) | Wake::Delivered(_) | Wake::Asked | Wake::Paid(_) => None,
        });
        let said = match ask {
            None => json!({ "for": reason }),
            Some(ask) => json!({ "for": reason, "ask": ask }),
        };
        self.happened(number, EventKind::Waiting, said);
        self.let_go(number)?;
        let run = &mut self.runs[number];
        (run.state, run.reason) = (RunState::Waiting, Some(reason));
        for wake in wakes {
            let happened = match wake {
                Wake::At(at) => {
                    self.runs[number].wakes.times.insert(at);
                    at <= self.now
                }
                Wake::Delivered(references) => !self.await_deliveries(number, &references)?,
                Wake::Paid(amount) => !self.await_room(number, amount),
                Wake::Approval(ask) => {
                    self.runs[number].wakes.ask = Some(*ask);
                    false
                }
                Wake::Asked => {
                    if let Some(how) = self.begin_asked_wait(number)? {
                        self.end_wait(number, how);
                        return Ok(());
                    }
                    false
                }
            };
            if happened {
                self.wake(number, json!({ "by": "what it waits for had happened" }));
                return Ok(());
            }
        }
        if self.has_unread_cancellation(number) {
            self.rouse(number);
        }
        Ok(())
    }

    /// Whether any of the deliveries is still to come.
    fn await_deliveries(&mut self, number: RunNo, references: &[EffectRef]) -> Result<bool> {
        let find = |reference: &EffectRef| {
            self.parcel_of(number, reference).ok_or_else(|| {
                conflict(format!(
                    "run {} waits for the effect `{}` of `{}`, which was never released",
                    self.runs[number].id, reference.id, reference.step
                ))
            })
        };
        let awaited = references.iter().map(find).collect::<Result<Vec<_>>>()?;
        let is_open = !self.are_settled(&awaited);
        self.runs[number].wakes.deliveries.push(awaited);
        Ok(is_open)
    }

    /// Whether there is too little room for an amount; then the run waits until there is.
    fn await_room(&mut self, number: RunNo, amount: Microcents) -> bool {
        let run = &self.runs[number];
        let Some((payer, _)) = self.short_payer(run.payer, amount) else { return false };
        let entry = run.entry;
        self.entries[entry].unfunded = Some(Unfunded { payer, run: Some(number), amount });
        true
    }

    /// The last event carries the digest of the record, and the record the chain with that event in it.
    fn finish(
        &mut self,
        number: RunNo,
        end: &End,
        mut record: Record,
        refinement: Option<Box<Refinement>>,
    ) -> Result<()> {
        let (run_state, entry_state, reason) = ended(end);
        let (id, now) = (self.runs[number].entry, self.now);
        let run = &mut self.runs[number];
        (run.state, run.reason) = (run_state, reason.map(str::to_owned));
        (run.ended_at, run.asked) = (Some(now), None);
        self.let_go(number)?;
        let entry = &self.entries[id];
        record.entry.changed_since =
            entry.revision != self.runs[number].revision && !self.is_left_by(number, entry.basis);
        record.chain = None;
        let said = json!({ "state": run_state, "reason": reason, "record": record.digest() });
        self.happened(number, EventKind::Finished, said);
        record.chain = Some(self.runs[number].chain);
        match refinement {
            Some(refinement) => self.note_refinement(number, *refinement, record),
            None => {
                self.send(number, Content::Record(Box::new(record)));
                self.entries[id].life = Life::Stands(entry_state);
                self.payer_is_over(number, end);
            }
        }
        Ok(())
    }

    /// What a refine run found. Its record stays here: people look at their trackers for what was done.
    fn note_refinement(&mut self, number: RunNo, refinement: Refinement, record: Record) {
        let (id, at) = (self.runs[number].entry, self.now);
        let known = &mut self.entries[id].known;
        known.supplement.refinement = Some(Refinement { at, ..refinement });
        known.version += 1;
        let kept = "a refine run's record is kept in the store: it is no news of the item's work".to_owned();
        let way = Way::Settled { became: Delivered::Refused { reason: kept }, at };
        let parcel = self.parcel(number, Content::Record(Box::new(record)));
        self.outbox.insert(Parcel { way, ..parcel });
        self.entries[id].life = Life::Stands(EntryState::New);
        self.hold_unjudged(id);
        self.make_due(id);
    }
}

/// What becomes of run and entry. A run that a person cancelled leaves its entry as one that failed: to be retried by a person.
pub(super) fn ended(end: &End) -> (RunState, EntryState, Option<&str>) {
    match end {
        End::Done => (RunState::Done, EntryState::Done, None),
        End::Failed(stopped) => (RunState::Failed, EntryState::Failed, Some(&stopped.reason)),
        End::Escalated { stopped, .. } => (RunState::Escalated, EntryState::Escalated, Some(&stopped.reason)),
        End::Cancelled { reason } => (RunState::Cancelled, EntryState::Failed, Some(reason)),
    }
}

/// What of a write is worth keeping when it comes too late.
fn brought(write: &RunWrite) -> Option<Brought> {
    let end = match &write.next {
        NextState::Finish { end, .. } => Some(end.clone()),
        NextState::GoOn | NextState::Wait { .. } => None,
    };
    let steps = write.steps.clone();
    (end.is_some() || !steps.is_empty()).then_some(Brought::Steps { steps, end })
}

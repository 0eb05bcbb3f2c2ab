//! What people say to hosts, about entries and to runs.

use std::collections::BTreeSet;

use serde_json::json;
use tollgate_core::{
    EntryId, HostId, Microcents, RunId,
    approval::{Allowance, Ask, Decision, Lack, Word},
    cancel::Cancellation,
    course::EffectRef,
    effect::Delivered,
    entry::{EntryState, Hold, HoldKind},
    event::EventKind,
    refine::{Found, SetField},
    run::{Claim, RunState},
    step::StepKey,
};

use super::{
    conflict,
    family::money_in,
    not_found,
    state::{AskedWait, Content, HeldBy, Letter, LetterWord, Life, State, Way},
    table::RunNo,
};
use crate::port::{Cancelled, Control, NewCancellation, NewDecision, NewFieldValue, Result, StopRequest};

/// What the guard holds an entry for, and what came of those that led to it.
const LET_IN: [HoldKind; 5] =
    [HoldKind::Intake, HoldKind::OwnOutput, HoldKind::Duplicate, HoldKind::Budget, HoldKind::Cancelled];

impl State {
    pub(super) fn control(&self) -> Control {
        let policy = i64::try_from(self.policies.len()).unwrap_or(i64::MAX);
        Control { policy, ..self.control.clone() }
    }

    pub(super) fn stop(&mut self, request: StopRequest) {
        self.control = Control { stop: Some(request), since: Some(self.now), ..self.control };
    }

    fn known_entry(&self, id: EntryId) -> Result<EntryId> {
        self.entries.get(id).map(|_| id).ok_or_else(|| not_found("entry", id))
    }

    pub(super) fn set_field(&mut self, id: EntryId, new: NewFieldValue) -> Result<()> {
        let id = self.known_entry(id)?;
        let NewFieldValue { field, value, who, why } = new;
        let at = self.now;
        let entry = &mut self.entries[id];
        let set = &mut entry.known.supplement.set;
        let before = set.remove(&field);
        match value {
            Some(value) => drop(set.insert(field, SetField { value, who, why, at })),
            None if before.is_some() => {}
            None => {
                let key = &entry.name.key;
                return Err(conflict(format!(
                    "nobody set `{field}` of {key}, so there is nothing to take back"
                )));
            }
        }
        entry.known.version += 1;
        self.judge_again(id);
        Ok(())
    }

    /// Makes an entry wait for a new round: one that is over, one that a person holds, one that could not be refined.
    pub(super) fn retry(&mut self, id: EntryId) -> Result<()> {
        let id = self.known_entry(id)?;
        let state = self.state_of(id);
        let was_held = self.lift(id, &[HoldKind::Person]) > 0 && state == EntryState::Held;
        let not_refined = state == EntryState::Held && self.forget_failed_refinement(id);
        if !state.is_terminal() && !was_held && !not_refined {
            let key = &self.entries[id].name.key;
            return Err(conflict(format!(
                "{key} is {state}; only an entry that is done, failed or escalated, or could not be refined, can be retried"
            )));
        }
        if not_refined {
            self.judge_again(id);
        }
        self.entries[id].last = None;
        // Its place may be out of date.
        self.make_due(id);
        self.wait(id);
        Ok(())
    }

    fn forget_failed_refinement(&mut self, id: EntryId) -> bool {
        let known = &mut self.entries[id].known;
        let refinement = &mut known.supplement.refinement;
        let failed = refinement.take_if(|last| matches!(last.found, Found::Nothing { .. })).is_some();
        known.version += i64::from(failed);
        failed
    }

    pub(super) fn let_entry_in(&mut self, id: EntryId) -> Result<()> {
        let id = self.known_entry(id)?;
        let state = self.state_of(id);
        if self.lift(id, &LET_IN) == 0 {
            let key = &self.entries[id].name.key;
            let advice = match state {
                EntryState::Held => format!("; `tollgate why {key}` says what holds it"),
                _ => String::new(),
            };
            return Err(conflict(format!("{key} is {state}, and there is nothing to let it in for{advice}")));
        }
        self.forget_debt(id);
        self.entries[id].last = None;
        Ok(())
    }

    /// Answers what a run asks, or gives one money that waits for what it opened.
    pub(super) fn decide(&mut self, id: RunId, new: NewDecision) -> Result<Decision> {
        let number = self.run_no(id)?;
        let run = &self.runs[number];
        let NewDecision { who, why, word } = new;
        let at = self.now;
        let decision = match run.wakes.ask.clone() {
            Some(asked) => {
                if let Some(objection) = asked.objection(&word) {
                    return Err(conflict(objection));
                }
                let decision = Decision { who, why, at, asked, word };
                self.post(number, LetterWord::Decision(decision.clone()));
                self.answered(number);
                self.wake(number, json!({ "by": "a person answered" }));
                decision
            }
            None => {
                let Some(asked) = self.money_for_children(number, &word) else {
                    let text = format!(
                        "run {id} is {} and asks nothing; only a run that asks can be answered",
                        run.state
                    );
                    return Err(conflict(text));
                };
                let decision = Decision { who, why, at, asked, word };
                self.post(number, LetterWord::Decision(decision.clone()));
                // Nobody holds it, so the word is applied at once.
                self.apply_letters(number);
                decision
            }
        };
        if money_in(&decision) > Microcents::ZERO {
            self.room_grew(number);
        }
        Ok(decision)
    }

    /// What money is for that a person gives a run which waits for what it opened, and asks nothing itself.
    fn money_for_children(&self, number: RunNo, word: &Word) -> Option<Ask> {
        let Word::Approved { added } = word else { return None };
        let money_alone = Allowance { cost: added.cost, ..Allowance::default() };
        if *added != money_alone || added.is_nothing() {
            return None;
        }
        let run = &self.runs[number];
        let AskedWait { step, .. } = run.asked.as_ref().filter(|_| run.wakes.children)?;
        Some(Ask {
            step: StepKey { attempt: step.attempt + 1, ..step.clone() },
            lack: Lack::RunCost,
            role: None,
            reason: "it waits for what it opened, which its budget pays for".to_owned(),
            suggested: *added,
        })
    }

    fn post(&mut self, number: RunNo, word: LetterWord) {
        self.runs[number].inbox.push(Letter { word, applied: false });
    }

    /// Makes a word part of a run.
    pub(super) fn apply_word(&mut self, number: RunNo, word: LetterWord) {
        match word {
            LetterWord::Cancel(Cancellation { who, why, .. }) => {
                self.withhold(number);
                let after_steps = self.runs[number].steps.len();
                let said = json!({ "who": who, "why": why, "after_steps": after_steps });
                self.happened(number, EventKind::Cancelled, said);
            }
            LetterWord::Decision(Decision { who, why, asked, word: Word::Approved { added }, .. }) => {
                let said = json!({ "who": who, "why": why, "asked": asked, "added": added });
                self.happened(number, EventKind::Approved, said);
            }
            LetterWord::Decision(Decision { who, why, asked, word: Word::Rejected, .. }) => {
                self.happened(number, EventKind::Rejected, json!({ "who": who, "why": why, "asked": asked }));
            }
        }
    }

    /// Ends a run and what it led to.
    pub(super) fn cancel(&mut self, id: RunId, new: &NewCancellation) -> Result<Cancelled> {
        let number = self.run_no(id)?;
        let run = &self.runs[number];
        let key = self.entries[run.entry].name.key.clone();
        if !run.state.is_live() {
            let text =
                format!("run {id} of {key} is {}; only one that is under way can be cancelled", run.state);
            return Err(conflict(text));
        }
        if let Some(before) = self.cancelled(number) {
            let text =
                format!("run {id} of {key} ends already, since {before}; the next host that runs ends it");
            return Err(conflict(text));
        }
        // One whose host vanished is ended by the next.
        let driven = run.lease_until.filter(|until| *until > self.now);
        let mut cancelled = Cancelled { driven_by: driven.map(|_| run.host.clone()), ..Cancelled::default() };
        self.ask_to_end(number, new);
        let why = format!("{key}, a run of which led to it, was cancelled: {}", new.why);
        let below = NewCancellation { who: new.who.clone(), why };
        for entry in self.led_to(number) {
            self.cancel_entry(entry, &below, &mut cancelled);
        }
        Ok(cancelled)
    }

    /// The entries that a run opened, those that runs of these opened, and so on.
    fn led_to(&self, number: RunNo) -> BTreeSet<EntryId> {
        let mut found = BTreeSet::new();
        let mut next = vec![number];
        while let Some(run) = next.pop() {
            for entry in &self.runs[run].children {
                if found.insert(*entry) {
                    next.extend(self.runs.those(|run| run.entry == *entry));
                }
            }
        }
        found
    }

    fn cancel_entry(&mut self, id: EntryId, new: &NewCancellation, cancelled: &mut Cancelled) {
        let key = self.entries[id].name.key.clone();
        if self.entries[id].life == Life::Stands(EntryState::Busy) {
            for run in self.live_runs_of(id) {
                if self.cancelled(run).is_none() {
                    self.ask_to_end(run, new);
                    cancelled.runs.push(key.clone());
                }
            }
        } else if self.entries[id].waits() {
            self.forget_debt(id);
            self.lift(id, &[HoldKind::Cancelled]);
            let (kind, reason) = (HoldKind::Cancelled, new.why.clone());
            self.hold(id, HeldBy::Cancellation, Hold { kind, subject: String::new(), reason, until: None });
            self.wait(id);
            cancelled.held.push(key);
        }
    }

    /// Sends the word to a live run. One that waits waits no longer.
    fn ask_to_end(&mut self, number: RunNo, new: &NewCancellation) {
        let cancellation = Cancellation { who: new.who.clone(), why: new.why.clone(), after_steps: 0 };
        let reason = cancellation.to_string();
        self.post(number, LetterWord::Cancel(cancellation));
        self.withhold(number);
        if self.runs[number].state == RunState::Waiting {
            self.rouse(number);
        }
        self.runs[number].reason = Some(reason);
    }

    /// Ends whatever a run waits for.
    pub(super) fn rouse(&mut self, number: RunNo) {
        self.forget_debt(self.runs[number].entry);
        self.answered(number);
        self.wake(number, json!({ "by": "a person cancelled it" }));
    }

    pub(super) fn has_unread_cancellation(&self, number: RunNo) -> bool {
        let is_cancel = |letter: &Letter| matches!(letter.word, LetterWord::Cancel(_));
        self.runs[number].inbox.iter().any(|letter| !letter.applied && is_cancel(letter))
    }

    /// Takes back what nobody has begun to send. What may have been sent is sent to its end.
    fn withhold(&mut self, number: RunNo) {
        let became = Delivered::Withheld { reason: "its run was cancelled before it was sent".to_owned() };
        let unsent = self.outbox.iter().filter_map(|(id, parcel)| match &parcel.content {
            Content::Effect { reference, .. }
                if parcel.run == Some(number) && parcel.way == Way::Waiting && !parcel.ambiguous =>
            {
                Some((id, reference.clone()))
            }
            _ => None,
        });
        for (id, effect) in unsent.collect::<Vec<(_, EffectRef)>>() {
            self.outbox[id].way = Way::Settled { became: became.clone(), at: self.now };
            self.happened(number, EventKind::Delivered, json!({ "effect": effect, "became": became }));
        }
    }

    /// What people said when a run asked, as far as it is part of the run.
    pub(super) fn decisions(&self, number: RunNo) -> Vec<Decision> {
        let applied = self.runs[number].inbox.iter().filter(|letter| letter.applied);
        let decision = |letter: &Letter| match &letter.word {
            LetterWord::Decision(decision) => Some(decision.clone()),
            LetterWord::Cancel(_) => None,
        };
        applied.filter_map(decision).collect()
    }

    /// The claims of a host whose runs were cancelled since.
    pub(super) fn cancellations(&self, host: &HostId) -> Vec<Claim> {
        let held = self.runs.those(|run| run.host == *host && run.lease_until.is_some());
        let cancelled = held.into_iter().filter(|run| self.has_unread_cancellation(*run));
        cancelled.map(|run| Claim { run: self.runs[run].id, fence: self.runs[run].fence }).collect()
    }
}

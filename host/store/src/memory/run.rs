//! What every transaction that changes a run does alike.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tollgate_core::{
    EntryId, RunId, Timestamp,
    digest::canonical_json,
    event::{EventKind, NewEvent},
    run::{Claim, RunState, RunSummary},
};

use super::{
    not_found,
    state::{Run, State, Wakes},
    table::RunNo,
};
use crate::{StoreError, port::Result};

impl State {
    /// Notes of whose events it is said that they are packed: here there is nothing to be gained by it.
    pub(super) fn pack_events(&mut self, over_by: Timestamp, max: u32) -> u64 {
        let unpaid: BTreeSet<RunNo> =
            self.entries.iter().filter_map(|(_, entry)| entry.unfunded.as_ref()?.run).collect();
        let is_over = |run: &Run| run.ended_at.is_some_and(|ended_at| ended_at <= over_by);
        let mut over = self.runs.those(|run| is_over(run) && !run.rebuilt && !run.packed);
        over.retain(|number| !unpaid.contains(number));
        over.truncate(max as usize);
        for number in &over {
            self.runs[*number].packed = true;
        }
        over.len() as u64
    }

    pub(super) fn find_run(&self, id: RunId) -> Option<RunNo> {
        self.runs.those(|run| run.id == id).first().copied()
    }

    pub(super) fn run_no(&self, id: RunId) -> Result<RunNo> {
        self.find_run(id).ok_or_else(|| not_found("run", id))
    }

    /// The run that a claim gives the right to drive.
    pub(super) fn held_by(&self, claim: Claim) -> Result<RunNo> {
        let number = self.run_no(claim.run)?;
        let run = &self.runs[number];
        match run.fence == claim.fence && run.lease_until.is_some() {
            true => Ok(number),
            false => Err(StoreError::StaleFence { run: claim.run, fence: claim.fence }),
        }
    }

    /// Extends the chain of a run.
    pub(super) fn happened(&mut self, number: RunNo, kind: EventKind, body: Value) {
        let now = self.now;
        // As it is hashed, so as it is kept.
        let body = serde_json::from_str(&canonical_json(&body)).unwrap_or(body);
        let run = &mut self.runs[number];
        let event = run.chain.append(now, NewEvent { kind, body });
        run.chain = event.head();
        run.events.push(event);
    }

    /// Ends the claim: what was asked and not answered is charged, and what is set aside goes back.
    pub(super) fn let_go(&mut self, number: RunNo) -> Result<()> {
        self.runs[number].lease_until = None;
        self.lose_open_calls(number)?;
        self.give_back(number);
        Ok(())
    }

    /// The run can be claimed.
    pub(super) fn queue(&mut self, number: RunNo) {
        let run = &mut self.runs[number];
        (run.state, run.reason) = (RunState::Running, None);
    }

    /// Ends the wait of a run, whatever it waited for.
    pub(super) fn wake(&mut self, number: RunNo, said: Value) {
        self.runs[number].wakes = Wakes::default();
        let entry = self.runs[number].entry;
        self.entries[entry].unfunded = None;
        self.happened(number, EventKind::Woken, said);
        self.queue(number);
    }

    /// What was sent to a run becomes part of it.
    pub(super) fn apply_letters(&mut self, number: RunNo) {
        for at in 0..self.runs[number].inbox.len() {
            let letter = &mut self.runs[number].inbox[at];
            if !std::mem::replace(&mut letter.applied, true) {
                let word = letter.word.clone();
                self.apply_word(number, word);
            }
        }
    }

    pub(super) fn live_runs_of(&self, entry: EntryId) -> Vec<RunNo> {
        self.runs.those(|run| run.entry == entry && run.state.is_live())
    }

    /// A run in one line. A host whose lease has ended is lost, whether or not a sweep has come by.
    pub(super) fn summary(&self, number: RunNo) -> RunSummary {
        let run = &self.runs[number];
        let lapsed = run.lease_until.filter(|until| *until <= self.now).map(|_| run.host.clone());
        RunSummary {
            id: run.id,
            entry_id: run.entry,
            entry: self.entries[run.entry].name.clone(),
            title: run.title.clone(),
            lane: run.lane,
            pipeline: run.pipeline.clone(),
            kind: run.kind,
            round: run.round,
            state: run.state,
            reason: run.reason.clone(),
            ask: run.wakes.ask.clone(),
            host: run.host.clone(),
            driven: run.lease_until.is_some_and(|until| until > self.now),
            lost_hosts: run.lost.iter().cloned().chain(lapsed).collect(),
            fence: run.fence,
            crashes: run.crashes,
            started_at: run.started_at,
            ended_at: run.ended_at,
            cost: run.cost,
            pins: run.pins,
            revision: run.revision,
            rebuilt: run.rebuilt,
        }
    }
}

/// What the chain says of every claim.
pub(super) fn claimed(run: &Run) -> Value {
    json!({ "host": run.host, "fence": run.fence })
}

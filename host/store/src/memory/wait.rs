//! Waits that calls asked for, and what ends them.

use serde_json::{Value, json};
use tollgate_core::{
    child::{self, ChildStatus},
    event::EventKind,
    wait::{self, Ended, Event, Wait, WaitEnd, WakeOn},
};

use super::{
    conflict,
    state::{AskedWait, Content, Signal, State, Way},
    table::RunNo,
};
use crate::port::{NewSignal, Result};

impl State {
    /// Begins the wait that the last call asked for; how it ended, if what it waits for has happened already.
    pub(super) fn begin_asked_wait(&mut self, number: RunNo) -> Result<Option<Ended>> {
        let Some(asked) = self.runs[number].asked.clone() else {
            let id = self.runs[number].id;
            return Err(conflict(format!("run {id} waits, and no call of it asked to")));
        };
        let AskedWait { step, wait, .. } = &asked;
        let happened = self.first_heard(number, &asked).or_else(|| self.children_ended(number, wait));
        if let Some(how) = happened.or_else(|| wait.due(self.now)) {
            return Ok(Some(how));
        }
        let wakes = &mut self.runs[number].wakes;
        wakes.signals.extend(wait.event_names().map(str::to_owned));
        wakes.times.extend(wait.times());
        wakes.children = wait.children().is_some();
        if let Some(ask) = wait.ask(step) {
            wakes.ask = Some(ask);
        }
        self.say_which_children(number);
        Ok(None)
    }

    /// Ends a wait that a call asked for: the run goes on, and its next call is told.
    pub(super) fn end_wait(&mut self, number: RunNo, how: Ended) {
        let Some(AskedWait { step, .. }) = self.runs[number].asked.take() else { return };
        let by = match &how {
            Ended::Met { by: by @ WakeOn::Children(_), .. } => format!("{by} are over"),
            Ended::Met { by, .. } => format!("{by} came"),
            Ended::Expired => "what it waited for did not come in time".to_owned(),
        };
        let ended = WaitEnd { step, at: self.now, how };
        self.wake(number, json!({ "by": by, "ended": ended }));
        self.runs[number].heard = self.signals.last();
    }

    /// A person spoke, which ends the wait that a call asked for, if there is one.
    pub(super) fn answered(&mut self, number: RunNo) {
        if self.runs[number].asked.take().is_some() {
            self.runs[number].heard = self.signals.last();
        }
    }

    /// Says that something happened; how many waits that ended.
    pub(super) fn signal(&mut self, said: NewSignal) -> Result<u64> {
        let NewSignal { name, run, .. } = &said;
        if !wait::is_name(name) {
            let text = format!("`{name}` is no name of an event: 1 to 200 characters, none of them a space");
            return Err(conflict(text));
        }
        let run = run.map(|id| self.run_no(id)).transpose()?;
        if let Some(over) = run.map(|number| &self.runs[number]).filter(|run| !run.state.is_live()) {
            let text = format!("run {} is {}: nothing that happens reaches it any more", over.id, over.state);
            return Err(conflict(text));
        }
        let listening = self.runs.those(|run| run.wakes.signals.contains(name));
        let listening: Vec<_> =
            listening.into_iter().filter(|number| run.is_none_or(|run| run == *number)).collect();
        let signal = Signal { run, said };
        let how = signal.ends();
        self.signals.insert(signal);
        for number in &listening {
            self.end_wait(*number, how.clone());
        }
        Ok(listening.len() as u64)
    }

    /// The first thing that happened since the waiting call began, if it waits for it.
    fn first_heard(&self, number: RunNo, asked: &AskedWait) -> Option<Ended> {
        let is_meant = |signal: &Signal| {
            asked.wait.event_names().any(|name| name == signal.said.name)
                && signal.run.is_none_or(|run| run == number)
        };
        let mut later = self.signals.iter().filter(|(place, _)| *place > asked.since);
        later.find(|(_, signal)| is_meant(signal)).map(|(_, signal)| signal.ends())
    }

    /// The entries that a run opened, in the order in which they were made.
    pub(super) fn children_of(&self, number: RunNo) -> Vec<ChildStatus> {
        let status = |id: &tollgate_core::EntryId| {
            let entry = &self.entries[*id];
            let newest = self.newest_work(*id).map(|newest| &self.runs[newest]);
            let runs = self.runs.those(|run| run.entry == *id);
            let cost = |run: &RunNo| {
                self.runs[*run].cost + self.family(*run).map(|family| family.settled).unwrap_or_default()
            };
            ChildStatus {
                name: entry.name.clone(),
                title: entry.title.clone(),
                state: self.state_of(*id),
                run: newest.map(|run| run.id),
                run_state: newest.map(|run| run.state),
                reason: newest.and_then(|run| run.reason.clone()),
                cost: runs.iter().map(cost).sum(),
            }
        };
        self.runs[number].children.iter().map(status).collect()
    }

    /// How a wait for them has ended, where it is one, and all are opened and over.
    fn children_ended(&self, number: RunNo, wait: &Wait) -> Option<Ended> {
        let by = wait.children()?;
        let opens = |content: &Content| matches!(content, Content::Effect { effect, .. } if effect.kind == "open-entry");
        let is_to_be_opened = self.outbox.iter().any(|(_, parcel)| {
            parcel.run == Some(number) && opens(&parcel.content) && !matches!(parcel.way, Way::Settled { .. })
        });
        let children = self.children_of(number);
        let over = !is_to_be_opened && children.iter().all(|child| child.state.is_over());
        over.then(|| Ended::Met { by: by.clone(), with: child::told(&children) })
    }

    /// Ends the waits of runs whose children are over by now.
    pub(super) fn tell_parents(&mut self) {
        for number in self.runs.those(|run| run.wakes.children) {
            let Some(asked) = self.runs[number].asked.clone() else { continue };
            match self.children_ended(number, &asked.wait) {
                Some(how) => self.end_wait(number, how),
                None => self.say_which_children(number),
            }
        }
    }

    fn say_which_children(&mut self, number: RunNo) {
        let Some(asked) = self.runs[number].asked.clone().filter(|_| self.runs[number].wakes.children) else {
            return;
        };
        let reason = match child::not_over(&self.children_of(number)) {
            Some(not_over) => format!("{}: {not_over}", asked.wait),
            None => asked.wait.to_string(),
        };
        self.runs[number].reason = Some(reason);
    }

    /// How waits of a run's calls ended, as its chain tells.
    pub(super) fn wait_ends(&self, number: RunNo) -> Vec<WaitEnd> {
        let woken = self.runs[number].events.iter().filter(|event| event.what.kind == EventKind::Woken);
        woken.filter_map(|event| serde_json::from_value(event.what.body["ended"].clone()).ok()).collect()
    }
}

impl Signal {
    fn ends(&self) -> Ended {
        let NewSignal { name, who, data, .. } = &self.said;
        let by = WakeOn::Event(Event { name: name.clone() });
        let with: Value = json!({ "who": who, "data": data });
        Ended::Met { by, with }
    }
}

//! People: they write items, change and remove them, stop hosts, cancel runs and answer what runs ask.

use std::sync::Arc;

use serde_json::Value;
use tollgate_core::{
    approval::{Allowance, Lack, Word},
    entry::{EntryState, EntryStatus, INTERNAL_TRACKER},
    run::{RunState, RunSummary},
};
use tollgate_store::{
    Store,
    port::{
        EntryFilter, NewCancellation, NewDecision, NewFieldValue, NewSignal, RunFilter, StopMode, StopRequest,
    },
};

use crate::{
    history::Fact,
    project::kinds,
    tracker::Server,
    world::{World, at_once},
};

/// Everybody who does something in a world.
pub(crate) struct People<'w> {
    pub(crate) world: &'w Arc<World>,
    pub(crate) store: &'w dyn Store,
    pub(crate) trackers: &'w [Arc<Server>],
}

const WHO: &str = "ines";

impl People<'_> {
    /// Writes so many items, some of which depend on one before.
    pub(crate) fn write_items(&self, count: u64) {
        for number in 0..count {
            self.write_item(number);
        }
    }

    fn write_item(&self, number: u64) {
        let dice = &self.world.dice;
        let side = usize::from(dice.happens(250));
        let kinds: Vec<_> = kinds(self.world.plan.policy).collect();
        let kind = *dice.one_of(&kinds).expect("there are kinds");
        let keys = self.trackers[side].keys();
        let depends = dice.one_of(&keys).filter(|_| dice.happens(200)).cloned();
        let key = format!("{}-{number}", ["A", "B"][side]);
        self.trackers[side].write(&key, kind, "Text.", depends.as_deref());
        self.does(format!("writes {key}, {kind}"), Some(&key));
    }

    /// One thing that somebody does.
    pub(crate) fn act(&self) {
        match self.world.dice.number(0..=10) {
            0 => self.stop(),
            1 | 2 => self.resume(),
            3 => self.cancel(),
            4 | 5 => self.answer(false),
            6 => self.signal(),
            7 => self.edit(),
            8 => self.retry(),
            9 => self.set_weight(),
            _ => self.write_item(100 + self.world.dice.number(0..=5)),
        }
    }

    fn does(&self, does: String, about: Option<&str>) {
        self.world.note(Fact::Person { does, about: about.map(str::to_owned) });
    }

    fn stop(&self) {
        let mode = if self.world.dice.happens(500) { StopMode::Now } else { StopMode::Drain };
        self.does(format!("stops all: {mode:?}"), None);
        let stop = StopRequest { mode, who: WHO.to_owned(), why: "a drill".to_owned() };
        at_once(self.store.stop(stop)).expect("a store takes a stop");
    }

    pub(crate) fn resume(&self) {
        at_once(self.store.resume()).expect("a store takes a word to go on");
    }

    fn live_runs(&self) -> Vec<RunSummary> {
        let filter = RunFilter { states: vec![RunState::Running, RunState::Waiting], ..RunFilter::default() };
        at_once(self.store.runs(filter)).expect("a store tells its runs").rows
    }

    fn cancel(&self) {
        if let Some(run) = self.world.dice.one_of(&self.live_runs()) {
            self.does(format!("cancels {}", run.id), Some(&run.entry.key));
            let new = NewCancellation { who: WHO.to_owned(), why: "not needed".to_owned() };
            // It may have been cancelled before.
            at_once(self.store.cancel(run.id, new)).ok();
        }
    }

    /// Answers what one run asks, or all of them.
    pub(crate) fn answer(&self, all: bool) {
        let asking = self.live_runs().into_iter().filter_map(|run| Some((run.id, run.ask?)));
        let asking: Vec<_> = asking.collect();
        let answered = if all { asking.len() } else { 1 };
        for (run, ask) in asking.into_iter().take(answered) {
            let approves = self.world.dice.happens(700) && ask.lack != Lack::Evidence;
            let added = match ask.lack {
                Lack::Approval | Lack::Evidence | Lack::Answer => Allowance::default(),
                _ => ask.suggested,
            };
            let word = if approves { Word::Approved { added } } else { Word::Rejected };
            self.does(format!("says {word:?} to {run}: {}", ask.reason), None);
            let decision = NewDecision { who: WHO.to_owned(), why: "so it is".to_owned(), word };
            // Another answer may have been given, and nobody has driven the run since.
            at_once(self.store.decide(run, decision)).ok();
        }
    }

    fn signal(&self) {
        let keys: Vec<String> = self.trackers.iter().flat_map(|tracker| tracker.keys()).collect();
        if let Some(key) = self.world.dice.one_of(&keys) {
            self.tell(key);
        }
    }

    /// Says of everything that is worked on that it was deployed.
    pub(crate) fn signal_all(&self) {
        for run in self.live_runs() {
            self.tell(&run.entry.key);
        }
    }

    fn tell(&self, key: &str) {
        let name = format!("deployed-{key}");
        let signal = NewSignal { name, run: None, who: WHO.to_owned(), data: Value::Null };
        at_once(self.store.signal(signal)).expect("a store takes a signal");
    }

    fn edit(&self) {
        let Some(tracker) = self.world.dice.one_of(self.trackers) else { return };
        let keys = tracker.keys();
        let Some(key) = self.world.dice.one_of(&keys) else { return };
        if self.world.dice.happens(150) {
            self.does(format!("removes {key}"), Some(key));
            tracker.remove(key);
        } else {
            self.does(format!("edits {key}"), Some(key));
            tracker.edit(key, &format!("Text of {}.", self.world.now_ms()));
        }
    }

    fn entries_that_are(&self, states: &[EntryState]) -> Vec<EntryStatus> {
        let filter = EntryFilter { states: states.to_vec(), ..EntryFilter::default() };
        at_once(self.store.entries(filter)).expect("a store tells its entries").rows
    }

    fn retry(&self) {
        let over = self.entries_that_are(&[EntryState::Failed, EntryState::Escalated, EntryState::Done]);
        if let Some(entry) = self.world.dice.one_of(&over) {
            self.retry_one(entry);
        }
    }

    fn set_weight(&self) {
        let entries = self.entries_that_are(&[]);
        let Some(entry) = self.world.dice.one_of(&entries) else { return };
        let weight = self.world.dice.number(0..=3) as i64;
        let new = NewFieldValue {
            field: "weight".to_owned(),
            value: Some(weight.into()),
            who: WHO.to_owned(),
            why: "so it is".to_owned(),
        };
        at_once(self.store.set_field(entry.id, new)).expect("a store takes a field");
        self.world.note(Fact::Set { key: entry.name.key.clone(), weight });
    }

    /// Retries what was given to a person, or could not be refined, and holds up the entry that it was opened for.
    pub(crate) fn retry_children(&self) {
        let stuck = self.entries_that_are(&[EntryState::Escalated, EntryState::Held]);
        stuck
            .iter()
            .filter(|entry| entry.name.tracker == INTERNAL_TRACKER)
            .for_each(|entry| self.retry_one(entry));
    }

    fn retry_one(&self, entry: &EntryStatus) {
        // It may wait already, or be held by what no retry lifts.
        if at_once(self.store.retry(entry.id, WHO, "once more")).is_ok() {
            self.does(format!("retries {}", entry.name.key), Some(&entry.name.key));
        }
    }
}

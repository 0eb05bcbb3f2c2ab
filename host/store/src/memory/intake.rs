//! What comes in from sources.

use std::{collections::BTreeSet, sync::Arc};

use tollgate_core::{
    Digest, EntryId, LaneId,
    entry::{EntryName, EntrySnapshot, EntryState, Hold, HoldKind},
    item::Shelf,
    run::{RunKind, RunState},
};

use super::{
    not_found,
    readiness::is_the_policys,
    rebuild::Standing,
    state::{Entry, HeldBy, Life, Place, Received, State, Way},
    table::{ReadingNo, RunNo},
};
use crate::port::{Admission, Arrival, Change, OnChange, Result};

/// So many runs of one text are begun because the text came back, before a person is asked.
const RUNS_OF_A_REVISION_MAX: usize = 3;

impl State {
    pub(super) fn admit(&mut self, reading: i64, arrivals: &[Arrival]) -> Result<Vec<Change>> {
        let reading = self.reading(reading)?;
        self.require_lanes(arrivals.iter().map(|arrival| &arrival.admission))?;
        arrivals.iter().map(|arrival| self.admit_one(reading, arrival)).collect()
    }

    /// Refuses places in lanes that are not there.
    pub(super) fn require_lanes<'a>(&self, admissions: impl Iterator<Item = &'a Admission>) -> Result<()> {
        let lanes: BTreeSet<LaneId> =
            admissions.filter_map(|admission| admission.place.as_ref()).map(|place| place.lane).collect();
        match lanes.into_iter().find(|lane| self.lanes.get(*lane).is_none()) {
            Some(unknown) => Err(not_found("lane", unknown)),
            None => Ok(()),
        }
    }

    pub(super) fn find(&self, name: &EntryName) -> Option<EntryId> {
        self.entries.those(|entry| entry.name == *name).first().copied()
    }

    fn admit_one(&mut self, reading: ReadingNo, arrival: &Arrival) -> Result<Change> {
        let change = match self.find(&arrival.snapshot.name) {
            None => {
                // What the first complete reading finds was there before anybody counted.
                let counts = self.complete_reading_before(reading).is_some();
                let guarded = self.guard_holds(arrival, counts);
                self.make(arrival, guarded)?
            }
            Some(id) => {
                let entry = &self.entries[id];
                let revised = entry.revision != arrival.revision;
                if entry.last.as_deref() != Some(&received(arrival)) || concerns(entry, arrival) {
                    self.update(id, Some(reading), arrival)?;
                }
                Change {
                    id,
                    key: arrival.snapshot.name.key.clone(),
                    created: false,
                    revised,
                    state: self.state_of(id),
                }
            }
        };
        let seen = &mut self.entries[change.id].seen;
        *seen = (*seen).max(Some(reading));
        self.tell_parents();
        self.leave_former_places();
        Ok(change)
    }

    /// Makes an entry, held for what its guard says besides.
    pub(super) fn make(&mut self, arrival: &Arrival, guarded: Vec<Hold>) -> Result<Change> {
        self.keep_snapshot(&arrival.snapshot, arrival.revision);
        let duplicate = self.duplicate(arrival);
        let id = self.entries.insert(self.new_entry(arrival));
        self.judged(id, &arrival.admission);
        for hold in guarded {
            self.hold(id, HeldBy::Guard, hold);
        }
        self.note_likeness(id, arrival, duplicate);
        let mut state = self.state_of(id);
        match self.apply_accounts(id)? {
            None => {}
            Some(Standing::Held) => state = self.state_of(id),
            Some(Standing::Over) => state = self.next_state(id, arrival)?,
        }
        if self.is_outdated(arrival.policy_version) {
            self.judge_again(id);
            state = self.state_of(id);
        }
        Ok(Change { id, key: arrival.snapshot.name.key.clone(), created: true, revised: false, state })
    }

    fn new_entry(&self, arrival: &Arrival) -> Entry {
        let snapshot = &arrival.snapshot;
        Entry {
            name: snapshot.name.clone(),
            backlog: arrival.backlog.clone(),
            life: Life::Waits,
            closed: arrival.item.closed,
            revision: arrival.revision,
            basis: arrival.basis,
            worked: None,
            adopted: false,
            depends: arrival.depends,
            last: Some(Box::new(received(arrival))),
            rounds: 0,
            title: snapshot.title.clone(),
            url: snapshot.url.clone(),
            created_at: snapshot.created_at,
            // An item that says no date counts from when it was seen first.
            first_seen_at: arrival.item.created_at.map_or(snapshot.created_at, |_| self.now),
            item: arrival.item.clone(),
            known: crate::port::Known::default(),
            links: arrival.links.clone(),
            likeness: None,
            holds: Vec::new(),
            place: None,
            seen: None,
            opened: None,
            sketch: None,
            unfunded: None,
        }
    }

    /// What an arrival makes of an entry that is known.
    pub(super) fn update(
        &mut self,
        id: EntryId,
        reading: Option<ReadingNo>,
        arrival: &Arrival,
    ) -> Result<EntryState> {
        let is_outdated = self.is_outdated(arrival.policy_version);
        if is_outdated || self.entries[id].known.version != arrival.supplement_version {
            // Something became known while its source was read, or another policy was applied: what was made of it does not hold.
            self.entries[id].item = arrival.item.clone();
            self.judge_again(id);
            return Ok(self.state_of(id));
        }
        self.keep_snapshot(&arrival.snapshot, arrival.revision);
        let came_back = self.came_back(id, reading, arrival);
        let entry = &mut self.entries[id];
        entry.backlog.clone_from(&arrival.backlog);
        entry.closed = arrival.item.closed;
        (entry.revision, entry.basis) = (arrival.revision, arrival.basis);
        entry.depends = arrival.depends;
        entry.last = Some(Box::new(received(arrival)));
        entry.title.clone_from(&arrival.snapshot.title);
        entry.url.clone_from(&arrival.snapshot.url);
        entry.created_at = arrival.snapshot.created_at;
        entry.item = arrival.item.clone();
        entry.links.clone_from(&arrival.links);
        self.judged(id, &arrival.admission);
        if came_back {
            self.lift(id, &[HoldKind::Person]);
            return Ok(self.wait(id));
        }
        self.next_state(id, arrival)
    }

    /// What the policy says of an entry, in place of what it said before.
    pub(super) fn judged(&mut self, id: EntryId, admission: &Admission) {
        let Admission { holds, place, due_at } = admission;
        let now = self.now;
        self.entries[id].holds.retain(|kept| !is_the_policys(kept.hold.kind));
        for hold in holds.iter().filter(|hold| hold.until.is_none_or(|until| until > now)) {
            self.hold(id, HeldBy::Policy, hold.clone());
        }
        let place = Place { in_lane: place.clone(), due_at: *due_at, former_key: None };
        self.entries[id].place =
            Some(place).filter(|place| place.in_lane.is_some() || place.due_at.is_some());
    }

    /// Whether somebody put an entry that failed back among what is to be done. A reading that began before a run put it on hold
    /// has seen it where it was.
    fn came_back(&self, id: EntryId, reading: Option<ReadingNo>, arrival: &Arrival) -> bool {
        let entry = &self.entries[id];
        let failed = matches!(entry.life, Life::Stands(EntryState::Failed | EntryState::Escalated));
        let was_moved = entry.item.shelf == Shelf::OnHold && arrival.item.shelf == Shelf::Open;
        let begun_at = reading.map(|reading| self.readings[reading].begun_at);
        let has_left_since = self.outbox.iter().any(|(_, parcel)| {
            parcel.entry == id
                && matches!(parcel.content, super::state::Content::Leave(_))
                && match &parcel.way {
                    Way::Settled { at, .. } => begun_at.is_some_and(|begun_at| *at >= begun_at),
                    Way::Waiting | Way::Sending { .. } => true,
                }
        });
        arrival.retry_failed && failed && was_moved && !has_left_since
    }

    fn next_state(&mut self, id: EntryId, arrival: &Arrival) -> Result<EntryState> {
        let Life::Stands(state) = self.entries[id].life else { return Ok(self.wait(id)) };
        let stays = match state {
            EntryState::New | EntryState::Held | EntryState::Ready => None,
            EntryState::Busy | EntryState::Blocked => Some(state),
            EntryState::Gone if self.changed_since_work(id) => None,
            EntryState::Gone if self.entries[id].adopted => Some(EntryState::Done),
            EntryState::Gone => self.newest_work(id).map(|run| state_after(self.runs[run].state)),
            // Its place says that it is not to be worked on, whatever it says itself.
            EntryState::Done | EntryState::Failed | EntryState::Escalated
                if arrival.item.shelf != Shelf::Open || arrival.on_change == OnChange::Ignore =>
            {
                Some(state)
            }
            EntryState::Done | EntryState::Failed | EntryState::Escalated => {
                let changed = self.changed_since_work(id);
                if changed {
                    self.hold_what_changed(id, state, arrival);
                }
                (!changed).then_some(state)
            }
        };
        match stays {
            None => Ok(self.wait(id)),
            Some(state) => {
                self.stands(id, state);
                Ok(state)
            }
        }
    }

    /// A person is asked where the backlog wants that, or where a text goes to and fro.
    fn hold_what_changed(&mut self, id: EntryId, state: EntryState, arrival: &Arrival) {
        let of_text = self
            .runs
            .those(|run| run.entry == id && run.kind == RunKind::Work && run.revision == arrival.revision)
            .len();
        let reason = match arrival.on_change {
            OnChange::Ask => {
                format!("it changed after its work was {state}; retry it to have it worked on again")
            }
            OnChange::Rerun if of_text >= RUNS_OF_A_REVISION_MAX => format!(
                "it changed back to what {of_text} runs worked on already; find out what changes it to and fro, and retry it to \
                 have it worked on again"
            ),
            OnChange::Rerun | OnChange::Ignore => return,
        };
        self.hold_for_person(id, reason);
    }

    /// Whether an entry says something else than its newest run worked on, or than was adopted. What that run itself made of it is
    /// no change: from then on it counts as what was worked on.
    fn changed_since_work(&mut self, id: EntryId) -> bool {
        let changed = self.says_something_else(id);
        let entry = &mut self.entries[id];
        if !changed {
            entry.worked = Some(entry.basis);
        }
        changed
    }

    /// The same, as it stands.
    pub(super) fn says_something_else(&self, id: EntryId) -> bool {
        let entry = &self.entries[id];
        let by_its_run =
            !entry.adopted && self.newest_work(id).is_some_and(|run| self.is_left_by(run, entry.basis));
        entry.worked != Some(entry.basis) && !by_its_run
    }

    /// Whether a change that a run makes to its entry's state leads to this.
    pub(super) fn is_left_by(&self, run: RunNo, basis: Digest) -> bool {
        self.outbox.iter().any(|(_, parcel)| parcel.run == Some(run) && parcel.leaves == Some(basis))
    }

    pub(super) fn newest_work(&self, id: EntryId) -> Option<RunNo> {
        self.runs.those(|run| run.entry == id && run.kind == RunKind::Work).last().copied()
    }

    pub(super) fn keep_snapshot(&mut self, snapshot: &EntrySnapshot, revision: Digest) {
        self.snapshots.entry(revision).or_insert_with(|| Arc::new(snapshot.clone()));
    }
}

pub(super) fn received(arrival: &Arrival) -> Received {
    Received {
        revision: arrival.revision,
        backlog: arrival.backlog.clone(),
        item: arrival.item.clone(),
        depends: arrival.depends,
        links: arrival.links.clone(),
        admission: arrival.admission.clone(),
    }
}

/// Whether an arrival that was seen before matters all the same.
fn concerns(entry: &Entry, arrival: &Arrival) -> bool {
    let changed = entry.worked != Some(arrival.basis) && arrival.on_change != OnChange::Ignore;
    match entry.life {
        Life::Stands(EntryState::Gone) => true,
        Life::Stands(state) => state.is_terminal() && changed,
        Life::Waits => false,
    }
}

/// An entry that comes back unchanged is what it was.
fn state_after(newest: RunState) -> EntryState {
    match newest {
        RunState::Running | RunState::Waiting => EntryState::Busy,
        RunState::Done => EntryState::Done,
        RunState::Failed | RunState::Cancelled => EntryState::Failed,
        RunState::Escalated => EntryState::Escalated,
    }
}

//! Whether an entry that waits may run. Nothing of it is kept: it follows from the reasons that are, from where its links lead, and
//! from its place.

use tollgate_core::{
    EntryId, LaneId,
    entry::{EntryState, Hold, HoldKind, Link, LinkKind},
    rank::RankKey,
    run::RunState,
};

use super::{
    state::{Entry, HeldBy, KeptHold, Life, Place, State},
    table::RunNo,
    words,
};

/// Reasons that a person lifts, and what is in the way of an entry that nobody let in.
const NOT_THE_POLICYS: [HoldKind; 6] = [
    HoldKind::Person,
    HoldKind::Intake,
    HoldKind::OwnOutput,
    HoldKind::Duplicate,
    HoldKind::Budget,
    HoldKind::Cancelled,
];

/// Where a link leads.
pub(super) enum Target {
    Nowhere,
    To(EntryId),
    /// Entries of several trackers, none of them the entry's own.
    Ambiguous(Vec<String>),
}

/// Something that can be claimed.
pub(super) struct Claimable {
    pub(super) rank_key: RankKey,
    pub(super) entry: EntryId,
    /// The run, where it was begun.
    pub(super) run: Option<RunNo>,
}

impl Target {
    fn hold_kind(&self) -> HoldKind {
        match self {
            Self::To(_) => HoldKind::Dependency,
            Self::Nowhere | Self::Ambiguous(_) => HoldKind::DependencyUnknown,
        }
    }
}

pub(super) fn is_the_policys(kind: HoldKind) -> bool {
    !NOT_THE_POLICYS.contains(&kind)
}

impl Place {
    /// Where an entry stands that can be claimed.
    pub(super) fn stands_at(&self) -> Option<&RankKey> {
        self.former_key.as_ref().or(self.in_lane.as_ref().map(|place| &place.rank_key))
    }
}

impl Entry {
    /// Whether it is one of those that become held or ready.
    pub(super) fn waits(&self) -> bool {
        matches!(self.life, Life::Waits | Life::Stands(EntryState::New))
    }

    pub(super) fn all_links(&self) -> impl Iterator<Item = &Link> {
        self.links.iter().chain(&self.likeness)
    }

    pub(super) fn lane(&self) -> Option<LaneId> {
        self.place.as_ref()?.in_lane.as_ref().map(|place| place.lane)
    }
}

impl State {
    pub(super) fn state_of(&self, id: EntryId) -> EntryState {
        match self.entries[id].life {
            Life::Stands(state) => state,
            Life::Waits if self.held_for(id).is_empty() => EntryState::Ready,
            Life::Waits => EntryState::Held,
        }
    }

    /// The kinds of reasons why an entry that waits may not run, in their order.
    pub(super) fn held_for(&self, id: EntryId) -> Vec<HoldKind> {
        let entry = &self.entries[id];
        let kept = entry.holds.iter().map(|kept| kept.hold.kind);
        let mut kinds: Vec<_> =
            kept.chain(self.unmet_dependencies(id).map(|(_, to)| to.hold_kind())).collect();
        if kinds.is_empty() && entry.lane().is_none() {
            kinds.push(words::no_place().kind);
        }
        kinds
    }

    /// Why an entry that waits may not run, in the order in which people read it.
    pub(super) fn holds(&self, id: EntryId) -> Vec<Hold> {
        let entry = &self.entries[id];
        let kept = entry.holds.iter().map(|kept| kept.hold.clone());
        let unmet = self.unmet_dependencies(id).map(|(link, to)| Hold {
            kind: to.hold_kind(),
            subject: link.to.key.clone(),
            reason: match to {
                Target::To(other) => {
                    words::dependency(link, self.state_of(other), self.entries[other].closed)
                }
                Target::Nowhere => words::unknown_dependency(link),
                Target::Ambiguous(trackers) => words::ambiguous_dependency(link, &trackers),
            },
            until: None,
        });
        let mut holds: Vec<_> = kept.chain(unmet).collect();
        if holds.is_empty() && entry.lane().is_none() {
            holds.push(words::no_place());
        }
        holds
    }

    /// The links that an entry waits for, and where they lead.
    pub(super) fn unmet_dependencies(&self, id: EntryId) -> impl Iterator<Item = (&Link, Target)> {
        let entry = &self.entries[id];
        let dependencies = entry.all_links().filter(|link| link.kind == LinkKind::DependsOn);
        let leading = dependencies.map(move |link| (link, self.target(id, link)));
        leading.filter(|(_, to)| !matches!(to, Target::To(other) if self.satisfies(*other, entry)))
    }

    /// Where a link of an entry leads: to the entry of that name, and where there is none, to the one of another source of the same
    /// backlog that has the key. One that is gone is meant only where there is no other.
    pub(super) fn target(&self, from: EntryId, link: &Link) -> Target {
        let origin = &self.entries[from];
        let own_tracker = link.to.tracker == origin.name.tracker;
        let may_be_meant = |entry: &Entry| {
            entry.name.key == link.to.key
                && (entry.name.tracker == link.to.tracker || (own_tracker && entry.backlog == origin.backlog))
        };
        let distance = |id: EntryId| {
            let entry = &self.entries[id];
            (entry.life == Life::Stands(EntryState::Gone), entry.name.tracker != link.to.tracker)
        };
        let candidates = self.entries.those(may_be_meant);
        let Some(least) = candidates.iter().map(|id| distance(*id)).min() else { return Target::Nowhere };
        let nearest: Vec<_> = candidates.into_iter().filter(|id| distance(*id) == least).collect();
        if let [one] = nearest.as_slice() {
            return Target::To(*one);
        }
        let mut trackers: Vec<_> =
            nearest.into_iter().map(|id| self.entries[id].name.tracker.clone()).collect();
        trackers.sort();
        Target::Ambiguous(trackers)
    }

    /// Whether one who depends on an entry may go on.
    pub(super) fn satisfies(&self, target: EntryId, dependant: &Entry) -> bool {
        let target = &self.entries[target];
        let state = match target.life {
            // Neither satisfies anybody.
            Life::Waits => EntryState::Held,
            Life::Stands(state) => state,
        };
        dependant.depends.is_satisfied(state, target.closed)
    }

    /// What of a lane can be claimed, in its order: begun runs that can go on, entries that are ready, and those that wait to be
    /// refined where nothing else keeps them out.
    pub(super) fn claimable(&self, lane: LaneId) -> Vec<Claimable> {
        let begun = self.runs.iter().filter(|(_, run)| {
            run.lane == lane && run.state == RunState::Running && run.lease_until.is_none()
        });
        let begun = begun.map(|(number, run)| Claimable {
            rank_key: run.rank_key.clone().begun(),
            entry: run.entry,
            run: Some(number),
        });
        let fresh = self.entries.iter().filter_map(|(id, entry)| {
            let place = entry.place.as_ref().filter(|_| entry.lane() == Some(lane))?;
            let can_be_claimed = entry.life == Life::Waits && self.may_begin(id);
            let rank_key = place.stands_at().filter(|_| can_be_claimed)?.clone();
            Some(Claimable { rank_key, entry: id, run: None })
        });
        let mut claimable: Vec<_> = begun.chain(fresh).collect();
        claimable.sort_by(|one, other| (&one.rank_key, one.entry).cmp(&(&other.rank_key, other.entry)));
        claimable
    }

    pub(super) fn may_begin(&self, id: EntryId) -> bool {
        let kinds = self.held_for(id);
        let is_to_be_refined =
            kinds.first() == Some(&HoldKind::NotRefined) && kinds.iter().all(|kind| is_the_policys(*kind));
        kinds.is_empty() || is_to_be_refined
    }

    /// Adds a reason, behind those of the same giver.
    pub(super) fn hold(&mut self, id: EntryId, by: HeldBy, hold: Hold) {
        let kept = KeptHold { by, hold, since: self.now };
        let holds = &mut self.entries[id].holds;
        let at = holds.iter().position(|other| other.by > by).unwrap_or(holds.len());
        holds.insert(at, kept);
    }

    /// Holds an entry by a person's word.
    pub(super) fn hold_for_person(&mut self, id: EntryId, reason: String) {
        self.lift(id, &[HoldKind::Person]);
        let hold = Hold { kind: HoldKind::Person, subject: String::new(), reason, until: None };
        self.hold(id, HeldBy::Person, hold);
    }

    /// Takes reasons away; how many.
    pub(super) fn lift(&mut self, id: EntryId, kinds: &[HoldKind]) -> usize {
        let holds = &mut self.entries[id].holds;
        let before = holds.len();
        holds.retain(|kept| !kinds.contains(&kept.hold.kind));
        before - holds.len()
    }

    /// The entry waits no longer, and is this.
    pub(super) fn stands(&mut self, id: EntryId, state: EntryState) {
        let entry = &mut self.entries[id];
        entry.life = Life::Stands(state);
        if let Some(place) = &mut entry.place {
            place.due_at = None;
        }
        self.tell_parents();
    }

    /// The entry waits.
    pub(super) fn wait(&mut self, id: EntryId) -> EntryState {
        self.entries[id].life = Life::Waits;
        self.state_of(id)
    }

    /// Has an entry judged at once, where it waits; any other is when it does. Nothing is begun on it before.
    pub(super) fn judge_again(&mut self, id: EntryId) {
        self.hold_unjudged(id);
        if self.entries[id].waits() {
            self.make_due(id);
        }
    }

    /// Holds an entry until it is judged by all that is known of it.
    pub(super) fn hold_unjudged(&mut self, id: EntryId) {
        self.entries[id].last = None;
        if self.entries[id].holds.iter().all(|kept| kept.by != HeldBy::Judging) {
            self.hold(id, HeldBy::Judging, words::unjudged());
        }
    }

    /// Has an entry judged as soon as it waits.
    pub(super) fn make_due(&mut self, id: EntryId) {
        let now = self.now;
        let place = &mut self.entries[id].place;
        place.get_or_insert(Place { in_lane: None, due_at: None, former_key: None }).due_at = Some(now);
    }
}

//! What people ask. Nothing here changes anything.

use std::collections::{BTreeMap, HashMap};

use tollgate_core::{
    Digest, EntryId, LaneId, Microcents, RunId, Timestamp,
    entry::{EntryName, EntrySnapshot, EntryState, EntryStatus, HoldKind, LinkKind},
    run::{RunKind, RunState, RunSummary},
};

use super::{
    conflict, not_found,
    readiness::{Claimable, Target},
    state::{Content, State, Way},
    table::RunNo,
};
use crate::port::{
    Begun, Coverage, EntryDetail, EntryFilter, Known, LaneHead, LinkStatus, NamedEntry, OpenWork, Page,
    Result, RunDetail, RunFilter, Standing, StoredItem,
};

/// What holds an entry that is no judgement of the policy.
const BY_OTHERS: [HoldKind; 8] = [
    HoldKind::Dependency,
    HoldKind::DependencyUnknown,
    HoldKind::Person,
    HoldKind::Intake,
    HoldKind::OwnOutput,
    HoldKind::Duplicate,
    HoldKind::Budget,
    HoldKind::Cancelled,
];

/// One page of all that there is.
pub(super) fn page<T>(all: Vec<T>, limit: u32, offset: u32) -> Page<T> {
    let total = all.len() as u64;
    let limit = if limit == 0 { usize::MAX } else { limit as usize };
    Page { rows: all.into_iter().skip(offset as usize).take(limit).collect(), total }
}

impl State {
    pub(super) fn first_seen(&self, tracker: &str, keys: Vec<String>) -> HashMap<String, Timestamp> {
        let seen = |key: String| Some((key.clone(), self.entries[self.named(tracker, key)?].first_seen_at));
        keys.into_iter().filter_map(seen).collect()
    }

    pub(super) fn known(&self, tracker: &str, keys: Vec<String>) -> HashMap<String, Known> {
        let known = |key: String| Some((key.clone(), self.entries[self.named(tracker, key)?].known.clone()));
        keys.into_iter().filter_map(known).filter(|(_, known)| known.version > 0).collect()
    }

    fn named(&self, tracker: &str, key: String) -> Option<EntryId> {
        self.find(&EntryName { tracker: tracker.to_owned(), key })
    }

    /// Those that wait for their turn in their order, then the others.
    pub(super) fn entries(&self, filter: &EntryFilter) -> Page<EntryStatus> {
        let fits = |entry: &EntryStatus| {
            filter.backlog.as_ref().is_none_or(|backlog| entry.backlog == *backlog)
                && (filter.states.is_empty() || filter.states.contains(&entry.state))
        };
        let all = self.entries.iter().map(|(id, _)| self.status(id));
        let mut found: Vec<_> = all.filter(fits).collect();
        found.sort_by_cached_key(|entry| {
            let known = &self.entries[entry.id];
            let stands_at = known.place.as_ref().and_then(|place| place.stands_at().cloned());
            let turn = known.lane().zip(stands_at);
            let turn = turn.filter(|_| entry.state == EntryState::Ready);
            (entry.state != EntryState::Ready, turn, entry.id)
        });
        page(found, filter.limit, filter.offset)
    }

    pub(super) fn status(&self, id: EntryId) -> EntryStatus {
        let (entry, state) = (&self.entries[id], self.state_of(id));
        let place = entry.place.as_ref().and_then(|place| place.in_lane.as_ref());
        EntryStatus {
            id,
            name: entry.name.clone(),
            backlog: entry.backlog.clone(),
            title: entry.title.clone(),
            url: entry.url.clone(),
            state,
            adopted: entry.adopted,
            holds: if state == EntryState::Held { self.holds(id) } else { Vec::new() },
            pipeline: place.map(|place| self.lanes[place.lane].pipeline.clone()),
            score_thousandths: place.and_then(|place| place.score_thousandths),
            revision: entry.revision,
            rounds: entry.rounds,
            created_at: entry.created_at,
        }
    }

    pub(super) fn entry(&self, key: &str, tracker: Option<&str>) -> Result<EntryDetail> {
        let mut found = self.entries.those(|entry| {
            entry.name.key == key && tracker.is_none_or(|tracker| entry.name.tracker == tracker)
        });
        found.sort_by_key(|id| &self.entries[*id].name.tracker);
        match found.as_slice() {
            [] => Err(not_found("entry", key)),
            [one] => self.detail(*one),
            several => {
                let trackers: Vec<_> =
                    several.iter().map(|id| self.entries[*id].name.tracker.as_str()).collect();
                Err(conflict(format!(
                    "several trackers have an entry `{key}`: {}; name one of them",
                    trackers.join(", ")
                )))
            }
        }
    }

    fn detail(&self, id: EntryId) -> Result<EntryDetail> {
        let (entry, status) = (&self.entries[id], self.status(id));
        let runs = self.runs.those(|run| run.entry == id);
        let place = entry.place.as_ref().and_then(|place| place.in_lane.as_ref());
        Ok(EntryDetail {
            snapshot: self.snapshot(entry.revision)?,
            item: entry.item.clone(),
            supplement: entry.known.supplement.clone(),
            closed: entry.closed,
            links: self.links(id),
            waiting_for_it: self.waiting_for(id),
            children: self.children_of_entry(id),
            terms: place.map(|place| place.terms.clone()).unwrap_or_default(),
            standing: self.standing(id, status.state),
            runs: runs.into_iter().rev().map(|run| self.summary(run)).collect(),
            adoptions: self.adoptions(Some(id)).into_iter().map(|stored| stored.adoption).collect(),
            changed_since: status.state.is_terminal() && self.says_something_else(id),
            status,
        })
    }

    fn links(&self, id: EntryId) -> Vec<LinkStatus> {
        let entry = &self.entries[id];
        let status = |link: &tollgate_core::entry::Link| {
            let target = match self.target(id, link) {
                Target::To(target) => Some(target),
                Target::Nowhere | Target::Ambiguous(_) => None,
            };
            let is_dependency = link.kind == LinkKind::DependsOn;
            LinkStatus {
                link: link.clone(),
                target: target.map(|target| self.state_of(target)),
                satisfied: is_dependency && target.is_some_and(|target| self.satisfies(target, entry)),
            }
        };
        entry.all_links().map(status).collect()
    }

    /// Keys of entries that wait for this one.
    fn waiting_for(&self, id: EntryId) -> Vec<String> {
        let waits_for_it = |(_, to): &(_, Target)| matches!(to, Target::To(target) if *target == id);
        let waiting = self.entries.iter().filter(|(other, _)| self.state_of(*other) == EntryState::Held);
        let each = waiting.flat_map(|(other, entry)| {
            self.unmet_dependencies(other).filter(waits_for_it).map(|_| entry.name.key.clone())
        });
        each.collect()
    }

    fn standing(&self, id: EntryId, state: EntryState) -> Option<Standing> {
        let place = self.entries[id].place.as_ref()?.in_lane.as_ref()?;
        if !matches!(state, EntryState::Ready | EntryState::Held) {
            return None;
        }
        let claimable = self.claimable(place.lane);
        let mine = (&place.rank_key, id);
        let is_ahead = |other: &&Claimable| other.entry != id && (&other.rank_key, other.entry) < mine;
        let ahead = claimable.iter().filter(is_ahead).count();
        let head = claimable.first().map(|head| LaneHead {
            key: self.entries[head.entry].name.key.clone(),
            score_thousandths: self.status(head.entry).score_thousandths,
            is_begun: head.run.is_some(),
        });
        Some(Standing {
            rank_key: place.rank_key.clone(),
            ahead: ahead as u64,
            waiting: claimable.len() as u64,
            head,
        })
    }

    pub(super) fn names(&self, after: Option<EntryId>, limit: u32) -> Vec<NamedEntry> {
        let later = self.entries.iter().filter(|(id, _)| after.is_none_or(|after| *id > after));
        let named = |(id, entry): (EntryId, &super::state::Entry)| NamedEntry {
            id,
            name: entry.name.clone(),
            url: entry.url.clone(),
        };
        later.take(limit as usize).map(named).collect()
    }

    pub(super) fn items(
        &self,
        after: Option<EntryId>,
        limit: u32,
        fits: impl Fn(&super::state::Entry) -> bool,
    ) -> Vec<StoredItem> {
        let numbers = self.entries.those(fits).into_iter().filter(|id| after.is_none_or(|after| *id > after));
        numbers.take(limit as usize).map(|id| self.item(id)).collect()
    }

    fn item(&self, id: EntryId) -> StoredItem {
        let entry = &self.entries[id];
        StoredItem {
            id,
            backlog: entry.backlog.clone(),
            state: self.state_of(id),
            is_held_by_others: self.is_held_by_others(id),
            item: entry.item.clone(),
            supplement: entry.known.supplement.clone(),
            first_seen_at: entry.first_seen_at,
        }
    }

    pub(super) fn items_of_lane(&self, backlog: &str, pipeline: &str, limit: u32) -> Vec<StoredItem> {
        let filter = EntryFilter { states: vec![EntryState::Ready], ..EntryFilter::default() };
        let mut ready = self.entries(&filter).rows;
        ready.retain(|entry| {
            let place = self.entries[entry.id].place.as_ref().and_then(|place| place.in_lane.as_ref());
            place.is_some_and(|place| {
                let lane = &self.lanes[place.lane];
                (lane.backlog.as_str(), lane.pipeline.as_str()) == (backlog, pipeline)
            })
        });
        ready.truncate(limit as usize);
        ready.into_iter().map(|entry| self.item(entry.id)).collect()
    }

    pub(super) fn entries_by_id(&self, ids: &[EntryId]) -> Vec<EntryStatus> {
        ids.iter().filter(|id| self.entries.get(**id).is_some()).map(|id| self.status(*id)).collect()
    }

    pub(super) fn begun_by(&self, when: Timestamp) -> Vec<Begun> {
        let begun = self.runs.iter().filter(|(_, run)| run.kind == RunKind::Work && run.started_at <= when);
        let is_done = |run: &super::state::Run| {
            run.state == RunState::Done && run.ended_at.is_some_and(|ended| ended <= when)
        };
        // Later runs replace earlier ones.
        let newest: BTreeMap<EntryId, bool> = begun.map(|(_, run)| (run.entry, is_done(run))).collect();
        newest.into_iter().map(|(entry, is_done)| Begun { entry, is_done }).collect()
    }

    /// What it waits for counts only as long as it waits.
    fn is_held_by_others(&self, id: EntryId) -> bool {
        let entry = &self.entries[id];
        entry.holds.iter().any(|kept| BY_OTHERS.contains(&kept.hold.kind))
            || (entry.waits() && self.unmet_dependencies(id).next().is_some())
    }

    pub(super) fn snapshot(&self, revision: Digest) -> Result<EntrySnapshot> {
        let snapshot = self.snapshots.get(&revision).ok_or_else(|| not_found("revision", revision))?;
        Ok((**snapshot).clone())
    }

    /// Newest first.
    pub(super) fn runs(&self, filter: &RunFilter) -> Page<RunSummary> {
        let fits = |run: &RunSummary| {
            filter.key.as_ref().is_none_or(|key| run.entry.key == *key)
                && (filter.states.is_empty() || filter.states.contains(&run.state))
        };
        let all = self.runs.iter().rev().map(|(number, _)| self.summary(number));
        page(all.filter(fits).collect(), filter.limit, filter.offset)
    }

    pub(super) fn run(&self, id: RunId) -> Result<RunDetail> {
        let number = self.run_no(id)?;
        let run = &self.runs[number];
        let effects = self.outbox.iter().filter(|(_, parcel)| parcel.run == Some(number));
        let effects = effects.filter_map(|(_, parcel)| match &parcel.content {
            Content::Effect { reference, effect } => {
                Some((reference.clone(), effect.clone(), parcel.became()))
            }
            _ => None,
        });
        let (record, record_delivered) = self.record_of(number).unzip();
        Ok(RunDetail {
            summary: self.summary(number),
            order: run.order.clone(),
            steps: run.steps.iter().map(|(_, step)| step.clone()).collect(),
            effects: effects.collect(),
            events: run.events.clone(),
            decisions: self.decisions(number),
            waits: self.wait_ends(number),
            children: self.children_of(number),
            family: self.family(number),
            escrow: run.escrow,
            late: run.late.clone(),
            record,
            record_delivered: record_delivered.flatten(),
        })
    }

    /// The record of a run, and what became of it.
    pub(super) fn record_of(
        &self,
        number: RunNo,
    ) -> Option<(tollgate_core::record::Record, Option<tollgate_core::effect::Delivered>)> {
        self.outbox.iter().find_map(|(_, parcel)| match &parcel.content {
            Content::Record(record) if parcel.run == Some(number) => {
                Some(((**record).clone(), parcel.became()))
            }
            _ => None,
        })
    }

    pub(super) fn coverage(&self) -> Vec<Coverage> {
        let mut backlogs: BTreeMap<String, Coverage> = BTreeMap::new();
        let of = |backlog: &String| Coverage {
            backlog: backlog.clone(),
            states: BTreeMap::new(),
            holds: BTreeMap::new(),
            adopted: 0,
            cost: Microcents::ZERO,
        };
        for (id, entry) in self.entries.iter() {
            let state = self.state_of(id);
            let coverage = backlogs.entry(entry.backlog.clone()).or_insert_with(|| of(&entry.backlog));
            *coverage.states.entry(state).or_default() += 1;
            coverage.adopted += u64::from(entry.adopted && state == EntryState::Done);
            if state == EntryState::Held
                && let Some(first) = self.held_for(id).first()
            {
                *coverage.holds.entry(*first).or_default() += 1;
            }
        }
        for (_, run) in self.runs.iter().filter(|(_, run)| run.cost > Microcents::ZERO) {
            let coverage = backlogs.entry(run.backlog.clone()).or_insert_with(|| of(&run.backlog));
            coverage.cost = coverage.cost + run.cost;
        }
        backlogs.into_values().collect()
    }

    pub(super) fn open_work(&self) -> OpenWork {
        let lanes = self.lanes.those(|_| true);
        let claimable = |lane: LaneId| {
            let waits_for_nothing = |head: &Claimable| self.lanes[lane].open || head.run.is_some();
            self.claimable(lane).into_iter().filter(waits_for_nothing).count() as u64
        };
        let waiting: Vec<_> =
            self.runs.iter().filter(|(_, run)| run.state == RunState::Waiting).map(|(_, run)| run).collect();
        let asking = waiting.iter().filter(|run| run.wakes.ask.is_some()).count() as u64;
        let waits_for_money =
            |entry: EntryId| self.entries[entry].unfunded.is_some_and(|unfunded| unfunded.run.is_some());
        let listening = waiting.iter().filter(|run| {
            let wakes = &run.wakes;
            let listens = !wakes.signals.is_empty() || wakes.children || waits_for_money(run.entry);
            listens && wakes.times.is_empty() && wakes.ask.is_none()
        });
        let is_unjudged = |entry: EntryId| {
            let is_held_so = || self.held_for(entry).first() == Some(&HoldKind::Unjudged);
            self.state_of(entry) == EntryState::New || (self.entries[entry].waits() && is_held_so())
        };
        let due = self.due_for_rescoring(None, u32::MAX);
        let unsettled = |parcel: &super::state::Parcel| !matches!(parcel.way, Way::Settled { .. });
        OpenWork {
            ready: lanes.into_iter().map(claimable).sum(),
            driven: self.runs.those(|run| run.lease_until.is_some()).len() as u64,
            waiting: waiting.len() as u64 - asking,
            asking,
            listening: listening.count() as u64,
            to_judge: due.iter().any(|item| is_unjudged(item.id)),
            next_wake_at: waiting.iter().filter_map(|run| run.wakes.times.first()).min().copied(),
            undelivered: self.outbox.those(unsettled).len() as u64,
            next_delivery_at: self.takable().first().map(|(at, _)| *at),
        }
    }
}

//! New places for entries that were judged again: at once, or apart from putting them in order.

use std::time::Duration;

use tollgate_core::EntryId;

use super::{
    readiness::is_the_policys,
    state::{Entry, Life, State},
};
use crate::port::{Displaced, PlaceInLane, Rejudged, Rescored, Rescoring, Result};

/// Whoever puts entries in order is heard of within this time.
const LEASE: Duration = Duration::from_secs(30);

impl State {
    /// Gives waiting entries new places, where they stand from now on.
    pub(super) fn rescore(&mut self, items: Vec<Rejudged>) -> Result<u64> {
        let rescored = self.rescore_displacing(items)?;
        self.put_at_their_places(&rescored.displaced);
        Ok(rescored.entries)
    }

    pub(super) fn begin_rescoring(&mut self) -> Rescoring {
        let newest = self.rescorings.last_key_value().map_or(0, |(id, _)| *id);
        let rescoring = Rescoring(self.now.as_millis().max(newest + 1));
        self.renew_rescoring(rescoring);
        rescoring
    }

    /// Gives waiting entries new places; those that only move stand where they do.
    pub(super) fn rescore_apart(&mut self, rescoring: Rescoring, items: Vec<Rejudged>) -> Result<Rescored> {
        if !items.is_empty() {
            self.renew_rescoring(rescoring);
        }
        self.rescore_displacing(items)
    }

    pub(super) fn put_in_order(&mut self, rescoring: Rescoring, displaced: &[Displaced]) {
        if !displaced.is_empty() {
            self.renew_rescoring(rescoring);
        }
        self.put_at_their_places(displaced);
    }

    pub(super) fn lapsed_rescorings(&self) -> Vec<Rescoring> {
        let lapsed = self.rescorings.iter().filter(|(_, lease_until)| **lease_until <= self.now);
        lapsed.map(|(id, _)| Rescoring(*id)).collect()
    }

    /// Entries that do not stand at their places.
    pub(super) fn displaced(&self, after: Option<EntryId>, limit: u32) -> Vec<Displaced> {
        let later = self.entries.iter().filter(|(id, _)| after.is_none_or(|after| *id > after));
        let displaced = later.filter_map(|(id, entry)| {
            let place = entry.place.as_ref().filter(|place| place.former_key.is_some())?;
            Some(displaced_to(place.in_lane.as_ref()?, id))
        });
        displaced.take(limit as usize).collect()
    }

    /// Who left the ready index, and comes back, comes to its place.
    pub(super) fn leave_former_places(&mut self) {
        let is_displaced =
            |entry: &Entry| entry.place.as_ref().is_some_and(|place| place.former_key.is_some());
        for id in self.entries.those(is_displaced) {
            let stands = self.entries[id].life == Life::Waits && self.may_begin(id);
            if let Some(place) = self.entries[id].place.as_mut().filter(|_| !stands) {
                place.former_key = None;
            }
        }
    }

    fn renew_rescoring(&mut self, Rescoring(id): Rescoring) {
        self.rescorings.insert(id, self.now.after(LEASE));
    }

    fn put_at_their_places(&mut self, displaced: &[Displaced]) {
        for Displaced { entry, .. } in displaced {
            if let Some(place) = &mut self.entries[*entry].place {
                place.former_key = None;
            }
        }
    }

    fn rescore_displacing(&mut self, mut items: Vec<Rejudged>) -> Result<Rescored> {
        self.require_lanes(items.iter().map(|judged| &judged.admission))?;
        let mut rescored = Rescored::default();
        items.retain(|judged| !self.is_outdated(judged.policy_version));
        for judged in items {
            if let Some(place) = self.moves_to(&judged).cloned() {
                rescored.displaced.extend(self.displace(&judged, &place));
                rescored.entries += 1;
            } else {
                rescored.entries += u64::from(self.rescore_one(judged));
            }
        }
        Ok(rescored)
    }

    /// Where an entry goes that stays in its lane, and of which the policy has and had nothing else to say.
    fn moves_to<'j>(&self, judged: &'j Rejudged) -> Option<&'j PlaceInLane> {
        let Rejudged { id, says, supplement_version, admission, .. } = judged;
        let entry = self.entries.get(*id).filter(|entry| entry.life == Life::Waits)?;
        let place = admission.place.as_ref().filter(|_| admission.holds.is_empty())?;
        let only_moves = entry.lane() == Some(place.lane)
            && entry.known.version == *supplement_version
            && says.as_ref().is_none_or(|says| says.revision == entry.revision)
            && entry.holds.iter().all(|kept| !is_the_policys(kept.hold.kind))
            && entry.place.as_ref().is_some_and(|place| place.former_key.is_none());
        only_moves.then_some(place)
    }

    fn displace(&mut self, judged: &Rejudged, to: &PlaceInLane) -> Option<Displaced> {
        let stands = self.may_begin(judged.id);
        let entry = &mut self.entries[judged.id];
        entry.last = None;
        let place = entry.place.as_mut()?;
        let from = place.in_lane.replace(to.clone())?;
        place.due_at = judged.admission.due_at;
        if from.rank_key == to.rank_key {
            return None;
        }
        place.former_key = stands.then_some(from.rank_key);
        Some(displaced_to(to, judged.id))
    }

    /// Whether it still waits, as far as is known to whoever judged it.
    fn rescore_one(&mut self, judged: Rejudged) -> bool {
        let Rejudged { id, says, supplement_version, admission, .. } = judged;
        let entry = self.entries.get(id).filter(|entry| entry.waits());
        if entry.is_none_or(|entry| entry.known.version != supplement_version) {
            return false;
        }
        if let Some(says) = says.filter(|says| says.revision != self.entries[id].revision) {
            self.keep_snapshot(&says.snapshot, says.revision);
            let entry = &mut self.entries[id];
            (entry.revision, entry.basis) = (says.revision, says.basis);
        }
        self.judged(id, &admission);
        self.entries[id].last = None;
        self.wait(id);
        true
    }
}

fn displaced_to(place: &PlaceInLane, entry: EntryId) -> Displaced {
    Displaced { lane: place.lane, rank_key: place.rank_key.clone(), entry }
}

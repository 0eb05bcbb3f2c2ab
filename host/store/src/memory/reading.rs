//! Readings of sources, and what comes by itself when its time has come.

use serde_json::json;
use tollgate_core::{
    EntryId, Timestamp,
    entry::{EntryState, HoldKind},
};

use super::{
    conflict, not_found,
    state::{Life, SourceReading, State},
    table::{Number, ReadingNo},
};
use crate::port::{Reading, Reconciled, RescoreItem, Result};

impl State {
    pub(super) fn begin_reading(&mut self, backlog: &str, tracker: &str) -> i64 {
        let (backlog, tracker) = (backlog.to_owned(), tracker.to_owned());
        let reading = SourceReading { backlog, tracker, begun_at: self.now, ended: None };
        self.readings.insert(reading).number()
    }

    pub(super) fn reading(&self, number: i64) -> Result<ReadingNo> {
        let reading = ReadingNo::of(number);
        self.readings.get(reading).map(|_| reading).ok_or_else(|| not_found("reconcile", number))
    }

    /// The last complete reading of the same source before this one.
    pub(super) fn complete_reading_before(&self, reading: ReadingNo) -> Option<ReadingNo> {
        let this = &self.readings[reading];
        let complete = self.readings.those(|other| {
            (&other.backlog, &other.tracker, other.ended) == (&this.backlog, &this.tracker, Some(true))
        });
        complete.into_iter().rfind(|other| *other < reading)
    }

    /// Ends a reading; entries that were in no reading since the complete one before it began are gone.
    pub(super) fn finish_reading(&mut self, number: i64, how: &Reading) -> Result<Reconciled> {
        let reading = self.reading(number)?;
        let this = &mut self.readings[reading];
        if this.ended.is_some() {
            return Err(conflict(format!("reconcile {number} has ended already")));
        }
        this.ended = Some(matches!(how, Reading::Full { .. }));
        let Reading::Full { unread } = how else { return Ok(Reconciled::default()) };
        let SourceReading { backlog, tracker, .. } = this.clone();
        let stands_unread = |url: &Option<String>| url.as_ref().is_some_and(|url| unread.contains(url));
        for id in self.entries.those(|entry| entry.name.tracker == tracker && stands_unread(&entry.url)) {
            let seen = &mut self.entries[id].seen;
            *seen = seen.map(|seen| seen.max(reading));
        }
        let Some(before) = self.complete_reading_before(reading) else { return Ok(Reconciled::default()) };
        let absent = self.entries.those(|entry| {
            entry.backlog == backlog
                && entry.name.tracker == tracker
                && entry.seen.is_some_and(|seen| seen < before)
                && !matches!(entry.life, Life::Stands(EntryState::Gone | EntryState::Busy))
        });
        let mut gone = Vec::new();
        for id in absent {
            self.lift(id, &[HoldKind::Person]);
            self.stands(id, EntryState::Gone);
            gone.push(self.entries[id].name.key.clone());
        }
        Ok(Reconciled { gone })
    }

    /// Lifts holds whose time has come and wakes runs whose time has come.
    pub(super) fn lift_due(&mut self) -> u64 {
        let now = self.now;
        let mut lifted = 0;
        for id in self.entries.those(|entry| entry.holds.iter().any(|kept| kept.is_due(now))) {
            let entry = &mut self.entries[id];
            lifted += entry.holds.iter().filter(|kept| kept.is_due(now)).count();
            entry.holds.retain(|kept| !kept.is_due(now));
            entry.last = None;
        }
        let due = self.runs.those(|run| run.wakes.times.first().is_some_and(|at| *at <= now));
        for run in &due {
            match self.runs[*run].asked.as_ref().and_then(|asked| asked.wait.due(now)) {
                Some(how) => self.end_wait(*run, how),
                None => self.wake(*run, json!({ "by": "its time came" })),
            }
        }
        (lifted + due.len()) as u64
    }

    pub(super) fn due_for_rescoring(
        &self,
        after: Option<(Timestamp, EntryId)>,
        limit: u32,
    ) -> Vec<RescoreItem> {
        let due = self.entries.iter().filter_map(|(id, entry)| {
            let due_at = entry.place.as_ref()?.due_at.filter(|at| *at <= self.now)?;
            entry.waits().then_some((due_at, id))
        });
        let mut due: Vec<_> = due.collect();
        due.sort_unstable();
        due.retain(|due| after.is_none_or(|after| *due > after));
        due.truncate(limit as usize);
        due.into_iter().map(|(due_at, id)| self.rescore_item(id, due_at)).collect()
    }

    pub(super) fn due_by_number(&self, after: Option<EntryId>, limit: u32) -> Vec<RescoreItem> {
        let mut due = self.due_for_rescoring(None, u32::MAX);
        due.sort_by_key(|due| due.id);
        due.retain(|due| after.is_none_or(|after| due.id > after));
        due.truncate(limit as usize);
        due
    }

    fn rescore_item(&self, id: EntryId, due_at: Timestamp) -> RescoreItem {
        let entry = &self.entries[id];
        RescoreItem {
            id,
            due_at,
            backlog: entry.backlog.clone(),
            item: entry.item.clone(),
            known: entry.known.clone(),
            first_seen_at: entry.first_seen_at,
        }
    }
}

//! What leaves the host: in order for each entry, each parcel with a lease and fence of its own.

use std::time::Duration;

use serde_json::json;
use tollgate_core::{
    Digest, EntryId, HostId, Timestamp, course::EffectRef, effect::Delivered, event::EventKind,
    id::DeliveryId, item::Shelf,
};

use super::{
    state::{Content, State, Way},
    table::RunNo,
};
use crate::port::{Delivery, DeliveryKind, DeliveryOutcome, DeliveryTicket};

impl State {
    /// Parcels that can be sent: the first of each entry that is not settled, and due, where nobody sends it.
    pub(super) fn takable(&self) -> Vec<(Timestamp, DeliveryId)> {
        let waiting = self.outbox.iter().filter(|(_, parcel)| parcel.way == Way::Waiting);
        let first = waiting.filter(|(id, parcel)| self.first_unsettled(parcel.entry) == Some(*id));
        let mut takable: Vec<_> = first.map(|(id, parcel)| (parcel.next_at, id)).collect();
        takable.sort_unstable();
        takable
    }

    fn first_unsettled(&self, entry: EntryId) -> Option<DeliveryId> {
        let unsettled = |(_, parcel): &(DeliveryId, &super::state::Parcel)| {
            parcel.entry == entry && !matches!(parcel.way, Way::Settled { .. })
        };
        self.outbox.iter().find(unsettled).map(|(id, _)| id)
    }

    pub(super) fn take_deliveries(&mut self, host: &HostId, lease: Duration, max: u32) -> Vec<Delivery> {
        let (now, lease_until) = (self.now, self.now.after(lease));
        let due = self.takable().into_iter().filter(|(at, _)| *at <= now).take(max as usize);
        let due: Vec<_> = due.map(|(_, id)| id).collect();
        for id in &due {
            let parcel = &mut self.outbox[*id];
            parcel.fence = parcel.fence.raised();
            parcel.way = Way::Sending { host: host.clone(), lease_until };
        }
        due.into_iter().map(|id| self.delivery(id)).collect()
    }

    fn delivery(&self, id: DeliveryId) -> Delivery {
        let parcel = &self.outbox[id];
        let entry = &self.entries[parcel.entry];
        Delivery {
            id,
            fence: parcel.fence,
            run: parcel.run.map(|run| self.runs[run].id),
            entry: entry.name.clone(),
            url: entry.url.clone(),
            kind: match parcel.content.clone() {
                Content::Effect { reference, effect } => DeliveryKind::Effect { reference, effect },
                Content::Record(record) => DeliveryKind::Record(record),
                Content::Adopted(adoption) => DeliveryKind::Adopted(adoption),
                Content::Leave(state) => DeliveryKind::Leave(state),
            },
            ambiguous: parcel.ambiguous,
            failures: parcel.failures,
            previous: self.published_before(id),
        }
    }

    /// What was delivered last to the same path of the same entry.
    fn published_before(&self, id: DeliveryId) -> Option<Digest> {
        let parcel = &self.outbox[id];
        let (path, _) = parcel.file.as_ref()?;
        let earlier = self.outbox.iter().rev().filter(|(other, _)| *other < id);
        let same = earlier.filter(|(_, other)| {
            other.entry == parcel.entry && other.file.as_ref().is_some_and(|(other, _)| other == path)
        });
        let mut done = same
            .filter(|(_, other)| matches!(&other.way, Way::Settled { became: Delivered::Done { .. }, .. }));
        done.next().and_then(|(_, other)| other.file.as_ref()?.1)
    }

    /// Says what became of deliveries; those whose fence is stale are left alone and returned.
    pub(super) fn settle_deliveries(
        &mut self,
        outcomes: Vec<(DeliveryTicket, DeliveryOutcome)>,
    ) -> Vec<DeliveryId> {
        let mut stale = Vec::new();
        for (ticket, outcome) in outcomes {
            let parcel = self.outbox.get(ticket.id).filter(|parcel| parcel.fence == ticket.fence);
            if !parcel.is_some_and(|parcel| matches!(parcel.way, Way::Sending { .. })) {
                stale.push(ticket.id);
                continue;
            }
            match outcome {
                DeliveryOutcome::Settled(became) => self.settle_delivery(ticket.id, became),
                DeliveryOutcome::NotBegun => self.outbox[ticket.id].way = Way::Waiting,
                DeliveryOutcome::Retry { at, reason: _, ambiguous } => {
                    let parcel = &mut self.outbox[ticket.id];
                    (parcel.way, parcel.next_at, parcel.ambiguous) = (Way::Waiting, at, ambiguous);
                    parcel.failures += 1;
                }
            }
        }
        stale
    }

    fn settle_delivery(&mut self, id: DeliveryId, became: Delivered) {
        self.outbox[id].way = Way::Settled { became: became.clone(), at: self.now };
        let parcel = &self.outbox[id];
        let (entry, run) = (parcel.entry, parcel.run);
        match parcel.content.clone() {
            Content::Leave(_) => self.follow_item(entry, &became),
            Content::Record(_) | Content::Adopted(_) => {}
            Content::Effect { reference, .. } => {
                // The record of a run that is over carries the head of its chain, so the chain ends there.
                if let Some(run) = run.filter(|run| self.runs[*run].state.is_live()) {
                    self.happened(
                        run,
                        EventKind::Delivered,
                        json!({ "effect": reference, "became": became }),
                    );
                }
                self.wake_those_that_wait(id);
                self.tell_parents();
            }
        }
    }

    /// Notes where a run left the item of an entry, so that a person who moves it from there is noticed.
    fn follow_item(&mut self, id: EntryId, became: &Delivered) {
        let Delivered::Done { reference: Some(url), data } = became else { return };
        let Ok(shelf) = serde_json::from_value::<Shelf>(data["shelf"].clone()) else { return };
        let entry = &mut self.entries[id];
        entry.item.shelf = shelf;
        (entry.url, entry.last) = (Some(url.clone()), None);
    }

    /// Runs that wait for a delivery go on when it was the last of one of their conditions.
    fn wake_those_that_wait(&mut self, id: DeliveryId) {
        let waiting = self
            .runs
            .those(|run| run.wakes.deliveries.iter().any(|all| all.contains(&id) && self.are_settled(all)));
        for run in waiting {
            self.wake(run, json!({ "by": "its effects were delivered" }));
        }
    }

    pub(super) fn are_settled(&self, deliveries: &[DeliveryId]) -> bool {
        deliveries.iter().all(|id| matches!(self.outbox[*id].way, Way::Settled { .. }))
    }

    pub(super) fn parcel_of(&self, run: RunNo, effect: &EffectRef) -> Option<DeliveryId> {
        let carries =
            |content: &Content| matches!(content, Content::Effect { reference, .. } if reference == effect);
        self.outbox.those(|parcel| parcel.run == Some(run) && carries(&parcel.content)).first().copied()
    }
}

//! Work that was done before Tollgate, taken over.

use tollgate_core::{
    EntryId,
    adoption::{AdoptedEntry, Adoption, SCHEMA},
    effect::Delivered,
    entry::{EntryState, HoldKind},
    lease::Fence,
};

use super::state::{Content, Life, Parcel, State, Way};
use crate::{
    StoreError,
    port::{AdoptionOutcome, NewAdoption, Result, StoredAdoption},
};

impl State {
    /// Adopts entries, in their order; those that may not be are left alone.
    pub(super) fn adopt(&mut self, adoptions: Vec<NewAdoption>) -> Result<Vec<AdoptionOutcome>> {
        adoptions.into_iter().map(|adoption| self.adopt_one(adoption)).collect()
    }

    fn adopt_one(&mut self, new: NewAdoption) -> Result<AdoptionOutcome> {
        let NewAdoption { id: adoption, entry: id, revision, who, evidence, despite } = new;
        let no_entry = || StoreError::Damaged(format!("there is no entry {id}"));
        let entry = self.entries.get(id).ok_or_else(no_entry)?;
        let refused = |reason: &str| Ok(AdoptionOutcome::Refused(reason.to_owned()));
        match entry.life {
            Life::Stands(EntryState::Done) if entry.adopted => return Ok(AdoptionOutcome::AdoptedBefore),
            Life::Stands(EntryState::Busy) => {
                return refused("a run works on it; adopt it when that is over, if it is not done then");
            }
            Life::Stands(EntryState::Done) => {
                return refused("it is done by a run; there is nothing to adopt");
            }
            Life::Stands(EntryState::Gone) => {
                return refused("it is gone from its tracker; there is nothing to work on");
            }
            _ if entry.revision != revision => {
                return refused("it was edited while the evidence was looked at; look again");
            }
            _ => {}
        }
        let snapshot = self.snapshot(revision)?;
        let entry = &self.entries[id];
        let adoption = Adoption {
            schema: SCHEMA.to_owned(),
            id: adoption,
            entry: AdoptedEntry {
                name: entry.name.clone(),
                backlog: entry.backlog.clone(),
                url: snapshot.url,
                title: snapshot.title,
                revision,
            },
            store: self.store,
            who,
            at: self.now,
            evidence,
            despite,
        };
        self.outbox.insert(self.adopted(id, adoption, Way::Waiting));
        let entry = &mut self.entries[id];
        (entry.adopted, entry.worked) = (true, Some(entry.basis));
        self.lift(id, &[HoldKind::Person]);
        self.stands(id, EntryState::Done);
        Ok(AdoptionOutcome::Adopted)
    }

    /// The account of an adoption, on its way.
    pub(super) fn adopted(&self, entry: EntryId, adoption: Adoption, way: Way) -> Parcel {
        Parcel {
            run: None,
            entry,
            content: Content::Adopted(Box::new(adoption)),
            file: None,
            leaves: None,
            way,
            fence: Fence::default(),
            next_at: self.now,
            failures: 0,
            ambiguous: false,
        }
    }

    /// Every adoption of an entry, or of all of them, oldest first.
    pub(super) fn adoptions(&self, of: Option<EntryId>) -> Vec<StoredAdoption> {
        let stored = self.outbox.iter().filter_map(|(_, parcel)| match &parcel.content {
            Content::Adopted(adoption) if of.is_none_or(|entry| entry == parcel.entry) => {
                Some(StoredAdoption { adoption: (**adoption).clone(), delivered: parcel.became() })
            }
            _ => None,
        });
        stored.collect()
    }
}

impl Parcel {
    pub(super) fn became(&self) -> Option<Delivered> {
        match &self.way {
            Way::Settled { became, .. } => Some(became.clone()),
            Way::Waiting | Way::Sending { .. } => None,
        }
    }
}

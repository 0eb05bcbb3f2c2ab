//! Work that was done before Tollgate.

use tollgate_core::{
    Digest, EntryId,
    adoption::{Adoption, Evidence},
    effect::Delivered,
    id::AdoptionId,
};

/// An entry to adopt.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAdoption {
    /// Its id.
    pub id: AdoptionId,
    /// Which entry.
    pub entry: EntryId,
    /// What it said when the evidence was looked at.
    pub revision: Digest,
    /// Who adopts it.
    pub who: String,
    /// What says that its work was done.
    pub evidence: Vec<Evidence>,
    /// Doubts that are set aside, a sentence each.
    pub despite: Vec<String>,
}

/// What became of an adoption that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdoptionOutcome {
    /// The entry is done by it.
    Adopted,
    /// It was adopted before.
    AdoptedBefore,
    /// It may not be adopted as it stands, for this reason.
    Refused(String),
}

/// An adoption as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredAdoption {
    /// Its account.
    pub adoption: Adoption,
    /// What became of its record; none while it is to be delivered.
    pub delivered: Option<Delivered>,
}

//! What leaves the host.

use tollgate_core::{
    Digest, RunId, Timestamp,
    adoption::Adoption,
    course::EffectRef,
    effect::{Delivered, Effect},
    entry::EntryName,
    id::DeliveryId,
    lease::Fence,
    record::Record,
    run::RunState,
};

/// Something to deliver.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Its number; smaller ones to the same target come first.
    pub id: DeliveryId,
    /// The number that a stale deliverer lacks.
    pub fence: Fence,
    /// The run that it comes from; none for an adoption.
    pub run: Option<RunId>,
    /// The entry that it goes to; deliveries to one entry are in order.
    pub entry: EntryName,
    /// Where a person can read the entry, as its source said: for a folder, the path of the file.
    pub url: Option<String>,
    /// What is delivered.
    pub kind: DeliveryKind,
    /// Whether it may have been sent before: then it is read back first.
    pub ambiguous: bool,
    /// How often it has failed for a reason that may pass.
    pub failures: u32,
    /// For a published file: the digest that an earlier run delivered to the same path of the same entry.
    pub previous: Option<Digest>,
}

/// The right to say what became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeliveryTicket {
    /// Which delivery.
    pub id: DeliveryId,
    /// The number that a stale deliverer lacks.
    pub fence: Fence,
}

impl Delivery {
    /// The right to say what became of it.
    pub fn ticket(&self) -> DeliveryTicket {
        DeliveryTicket { id: self.id, fence: self.fence }
    }
}

/// What is delivered.
#[derive(Debug, Clone)]
pub enum DeliveryKind {
    /// A change that a plugin asked for.
    Effect {
        /// Which effect of which step.
        reference: EffectRef,
        /// What is asked for.
        effect: Effect,
    },
    /// The account of a run.
    Record(Box<Record>),
    /// The account of an adoption.
    Adopted(Box<Adoption>),
    /// That the run, which ended so, left the entry.
    Leave(RunState),
}

/// How a delivery ended.
#[derive(Debug, Clone, PartialEq)]
pub enum DeliveryOutcome {
    /// It is there, or it never will be.
    Settled(Delivered),
    /// Tried again at this time.
    Retry {
        /// When.
        at: Timestamp,
        /// Why it failed.
        reason: String,
        /// Whether it may have been done all the same.
        ambiguous: bool,
    },
    /// Nobody began it: it is as it was before it was taken.
    NotBegun,
}

//! What the engine asks of a tracker, and what it is told.
//!
//! A tracker answers in one of three ways, which call for different people:
//!
//! * [`Delivered::Done`]: it is there and was read back.
//! * [`Delivered::Refused`]: the tracker cannot or must not do it. Asking again changes nothing; a person must.
//! * [`DeliveryError`]: it did not work this time. The same request is made again later, with `ambiguous` set.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use tollgate_core::{
    AdoptionId, Digest, HostId, RunId, StoreId, Timestamp,
    adoption::Adoption,
    effect::{Delivered, PublishFile, SetState},
    item::SourceItem,
    record::{Record, RecordError},
    run::RunState,
};

/// Where work lives and where its record is written back.
#[async_trait]
pub trait Tracker: Send + Sync + fmt::Debug {
    /// Its name in entries and records, e.g. `folder:docs/backlog`.
    fn name(&self) -> &str;

    /// Marks the tracker as `store`'s unless it is marked already. Of several stores that come at the same time one wins;
    /// the same store may ask as often as it likes.
    ///
    /// # Errors
    ///
    /// When the tracker cannot be reached, or its marker cannot be read or written.
    async fn claim_ownership(&self, store: StoreId) -> Result<Ownership, TrackerError>;

    /// Marks the tracker as `store`'s, whosever it was. What its mark said before is kept in it. A tracker without a mark is
    /// everybody's.
    ///
    /// # Errors
    ///
    /// When the tracker cannot be reached, or its marker cannot be written.
    async fn take_over(&self, _store: StoreId, _note: TakeOver) -> Result<(), TrackerError> {
        Ok(())
    }

    /// Reads every item there is. Items that cannot be read are part of the answer.
    ///
    /// # Errors
    ///
    /// When nothing could be read at all.
    async fn scan(&self) -> Result<ScanReport, TrackerError>;

    /// Waits until there is reason to believe that a scan would find something else than the one before. The reason may be wrong,
    /// and there may be changes without one; a tracker that cannot tell waits for ever.
    async fn changed(&self) {
        std::future::pending().await
    }

    /// Brings about what is asked for, unless it is there already.
    ///
    /// # Errors
    ///
    /// When it did not work this time; the same request is to be made again.
    async fn deliver(&self, request: DeliveryRequest) -> Result<Delivered, DeliveryError>;

    /// Every mark of a claim that stands in the tracker. One whose run is over was left behind.
    ///
    /// # Errors
    ///
    /// When nothing could be read at all.
    async fn claims(&self) -> Result<Vec<FoundClaim>, TrackerError> {
        Ok(Vec::new())
    }

    /// Every record that stands in the tracker, for audits.
    ///
    /// # Errors
    ///
    /// When nothing could be read at all.
    async fn records(&self) -> Result<RecordReport, TrackerError>;
}

/// Whose tracker it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ownership {
    /// The store that asked.
    Owned,
    /// Another store: nothing may be claimed from here.
    OwnedBy {
        /// The other store.
        store: StoreId,
        /// Since when.
        since: Timestamp,
        /// Where it says so, for people: a path or a ref.
        marker: String,
    },
}

/// Who takes a tracker over, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakeOver {
    /// Who.
    pub who: String,
    /// Why.
    pub why: String,
}

/// What a scan found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScanReport {
    /// Every item that could be read, in the order of their places; no two have the same key.
    pub items: Vec<SourceItem>,
    /// What could not be read, and why.
    pub skipped: Vec<Skipped>,
    /// Places of items that are being written just now; they come with a later scan.
    pub unsettled: Vec<String>,
    /// Every place was looked into.
    pub complete: bool,
}

impl ScanReport {
    /// Places of which nothing could be read this time: what stands there is not gone.
    pub fn unread(&self) -> impl Iterator<Item = &str> {
        let skipped = self.skipped.iter().map(|skipped| skipped.path.as_str());
        skipped.chain(self.unsettled.iter().map(String::as_str))
    }
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// Where: a path relative to the project, with `/` between its parts.
    pub path: String,
    /// A sentence's fragment: what is wrong, on which line, and what to do.
    pub reason: String,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}

/// An item as deliveries name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemRef {
    /// Its key in the tracker.
    pub key: String,
    /// Where it was last seen: the `url` of its [`SourceItem`].
    pub url: Option<String>,
}

/// Something to bring about in a tracker.
#[derive(Debug, Clone)]
pub struct DeliveryRequest {
    /// The item that it is about.
    pub item: ItemRef,
    /// What.
    pub what: Delivery,
    /// It was asked for before and nobody knows what became of that: trackers that would do it twice must look first.
    pub ambiguous: bool,
}

/// What is to be brought about.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// Put a file into the project.
    PublishFile {
        /// Where.
        file: PublishFile,
        /// Its bytes, those of `file.artifact`.
        bytes: Arc<[u8]>,
        /// What an earlier delivery for the same entry put at the same path. A file with any other content is somebody
        /// else's and stays.
        previous: Option<Digest>,
    },
    /// Move the item to another state.
    SetState(SetState),
    /// Write the record of a run.
    Record(Box<Record>),
    /// Write the record of an adoption.
    Adopted(Box<Adoption>),
    /// Show that a run works on the item.
    Claim(ClaimMark),
    /// Show that no run works on the item any more, and put it where it belongs now.
    Leave(Leave),
}

/// Who works on an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimMark {
    /// The run.
    pub run: RunId,
    /// The host that drives it.
    pub host: HostId,
    /// Since when.
    pub since: Timestamp,
}

/// How a run left an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leave {
    /// The run, where it is known.
    pub run: Option<RunId>,
    /// How it ended; none where nobody knows, and the item goes back to where it came from.
    pub ended: Option<RunState>,
}

/// A mark of a claim that stands in a tracker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundClaim {
    /// The item.
    pub item: ItemRef,
    /// The run that the mark names, if it names one.
    pub run: Option<RunId>,
}

/// A delivery that did not work this time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DeliveryError {
    /// What happened, and where.
    pub message: String,
    /// How long to wait before the next try, where the tracker says so.
    pub retry_after: Option<Duration>,
}

/// A tracker that cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum TrackerError {
    /// The project names something that is not there.
    #[error("{place} is not there; create it, or correct the source in tollgate.toml")]
    Missing {
        /// What is not there.
        place: String,
    },
    /// The marker of ownership is not one of ours.
    #[error("{marker} says nothing that can be read: {message}; remove it if no other store works here")]
    Marker {
        /// Where it stands.
        marker: String,
        /// What is wrong with it.
        message: String,
    },
    /// The platform failed.
    #[error("cannot read or write {place}: {source}")]
    Io {
        /// Where.
        place: String,
        /// What the platform says.
        source: std::io::Error,
    },
}

/// The records that stand in a tracker.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecordReport {
    /// Every one that is complete, in the order of their places.
    pub records: Vec<FoundRecord>,
    /// Every record of an adoption, likewise.
    pub adoptions: Vec<FoundRecord<AdoptionId, Adoption>>,
    /// What was a record once, or should hold one.
    pub damaged: Vec<Damaged>,
    /// What could not be read, and why.
    pub skipped: Vec<Skipped>,
}

/// A record as it stands in a tracker.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundRecord<I = RunId, A = Record> {
    /// Where, e.g. a path relative to the project.
    pub place: String,
    /// The item that it stands beside, as items name their places (`url`).
    pub beside: String,
    /// The key of the item that its marker names, where it is one of this tracker.
    pub item: Option<String>,
    /// The run or adoption that its marker names.
    pub id: I,
    /// What it says.
    pub account: Result<A, RecordError>,
    /// Whether it stands as it was written. Anyone can write a marker with a matching digest: only the chain of the store
    /// tells whether the record is true.
    pub integrity: Integrity,
}

/// A place where a record should be, and is not whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// Where, e.g. a path relative to the project.
    pub place: String,
    /// The item that it stands beside, as items name their places (`url`).
    pub beside: String,
    /// The key of the item that it names, where it does.
    pub item: Option<String>,
    /// What is wrong with it.
    pub reason: String,
}

/// Whether something stands as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integrity {
    /// It does.
    Intact,
    /// It was changed afterwards.
    Changed {
        /// The digest of what was written.
        written: Digest,
        /// The digest of what stands there.
        found: Digest,
    },
}

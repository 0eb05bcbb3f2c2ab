//! The only crate that speaks to trackers and sources; the words of the write-back.
//!
//! Invariants held by this crate:
//!
//! * What a person wrote is never touched, but by what the project asked for: one line of state, and moves between
//!   folders that overwrite nothing.
//! * A record of a run is there exactly once, whatever is delivered twice, at the same time, or after a crash.
//! * Nothing is said to be delivered before it was read back.
//! * One bad item never keeps the others from being read, and is reported by name with what to do.
//! * Text of items and plugins is hostile: shown to people it is escaped, and it can forge no marker.

pub mod port;

pub mod folder;
pub mod internal;
pub mod null;

pub mod record;

pub use folder::{ClaimMarker, FolderConfig, FolderConfigError, FolderTracker, MoveTable, Names, Shelves};
pub use internal::InternalTracker;
pub use null::NullTracker;
pub use port::{
    ClaimMark, Damaged, Delivery, DeliveryError, DeliveryRequest, FoundClaim, FoundRecord, Integrity,
    ItemRef, Leave, Ownership, RecordReport, ScanReport, Skipped, TakeOver, Tracker, TrackerError,
};

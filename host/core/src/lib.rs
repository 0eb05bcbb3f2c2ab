//! The nouns of Tollgate and their rules.
//!
//! Everything here is data and arithmetic: no I/O, no async, no clock of its own. What can be decided from
//! values alone is decided here, so that it can be tested without a store, a sandbox or a tracker.
//!
//! Invariants held by this crate:
//!
//! * A [`course::Course`] is a fold over the steps of a run: the same pipeline and the same steps give the same
//!   next step, on every host and after every crash. It never skips forward.
//! * A [`rank::RankKey`] compares as bytes exactly as its parts compare as values.
//! * A [`lease::LocalBound`] lapses before the lease that the store knows.
//! * For every cap, settled + escrow ≤ cap: [`ledger::CapBalance`] refuses anything else.
//! * An [`event::ChainHead`] changes when any byte of any earlier event does.

pub mod digest;
pub mod id;
pub mod time;

pub mod cancel;
pub mod child;
pub mod course;
pub mod entry;
pub mod item;
pub mod likeness;
pub mod model;
pub mod opening;
pub mod pins;
pub mod pipeline;
pub mod refine;
pub mod run;
pub mod step;
pub mod stop;

pub mod approval;
pub mod escalation;
pub mod journal;
pub mod wait;

pub mod late;
pub mod lease;
pub mod ledger;
pub mod money;
pub mod rank;

pub mod adoption;
pub mod effect;
pub mod event;
pub mod record;

pub mod crash;

pub use digest::Digest;
pub use id::{AdoptionId, EntryId, HostId, LaneId, RunId, StoreId};
pub use money::Microcents;
pub use stop::StopMode;
pub use time::{Clock, Timestamp};

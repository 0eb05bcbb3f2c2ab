//! The loops of a host: pull, rank, claim, drive, deliver, sweep.
//!
//! Invariants held by this crate:
//!
//! * Each loop is a `tick`, which does one thing and can be called by a test, and a caller that decides when to call it again.
//! * What a run does next is computed from what the store holds; a host keeps nothing that another could not find out.
//! * Nothing is told to anybody before the transaction that makes it true.
//! * A guest is asked to stop before its lease can lapse, and a write without a live fence changes nothing.
//! * A source, a guest, a tracker or an entry that misbehaves harms no other.

mod error;
pub mod port;

mod applied;
pub mod host;
mod loops;
mod marks;

pub mod adopt;
pub mod judge;
pub mod opening;
pub mod pull;
pub mod rank;
pub mod rebuild;
mod source;

mod claim;
mod deliver;
mod drive;
pub mod pins;

mod heartbeat;
mod lease_table;
mod store_time;
mod sweeper;

pub mod observer;
pub mod outlook;
mod rising;
mod shutdown;
mod stop_file;

pub mod adapter;
pub mod audit;
pub mod doctor;

pub use adapter::artifacts::artifacts_named_by;
pub use drive::Driven;
pub use error::EngineError;
pub use host::{Host, HostOptions, Outcome, Parts};
pub use shutdown::{Phase, Shutdown};
pub use source::Trackers;

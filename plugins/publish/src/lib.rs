//! Asks the tracker to keep the artifacts of an earlier stage as files, and to say that the entry has them.
//!
//! # What holds
//!
//! * A path asked for is relative, without `.` and `..`, and each placeholder fills part of one segment only, whatever
//!   the entry's key or title holds.
//! * Two keys that differ give paths that differ: what cannot stand in a path is replaced, and a digest of the whole
//!   key is added then.
//! * Nothing to publish is a failure, never an empty success.

mod path;
mod segment;
pub mod settings;
mod stage;

pub use stage::Publish;

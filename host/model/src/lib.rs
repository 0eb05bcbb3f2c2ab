//! Language models: their providers, and the only place that knows their keys.
//!
//! Invariants held by this crate:
//!
//! * A key comes from the environment or a file, and leaves in the header of a request to its own provider and nowhere else: no
//!   error, log, or `Debug` shows it, and a redirection is not followed.
//! * What became of a request is never guessed to be cheaper than it may have been: one that may have been worked on is told apart
//!   from one that certainly was not ([`AskError`]).
//! * A provider that wants to be left alone is left alone: until the time it names, or longer each time when it names none,
//!   whoever asks meanwhile.
//! * A reply has a bounded length and a bounded time.
//!
//! [`Models::open`] reads the keys, [`Models::ask`] asks.

mod models;

mod exchange;
mod rest;
mod wire;

mod error;
mod key;

pub use error::{AskError, OpenError};
pub use models::Models;
pub use wire::{Answer, Message, Request, Role, Tokens};

//! The only crate that sees wasmtime: engine, budgets, capabilities.
//!
//! A plugin is a WebAssembly component that somebody else wrote. Invariants held by this crate:
//!
//! * A call cannot cost more than its fuel, outlast its time or outgrow its memory, whatever it does; what it used is
//!   never reported too low.
//! * A call touches what is handed to it and what it was granted, nothing else: no file, no socket, no environment, no
//!   clock, no chance. It is a function of its [`CallInput`], its journal and its component.
//! * Every way to end has a type: a guest's fault, the platform's and an interruption are never mixed up.
//! * A fault stays with its call: an instance serves one call and is dropped, and neighbours do not notice.
//! * A capability is asked once for each question of an attempt, however often the attempt is called; its answer is kept before
//!   the guest is told.
//! * A call that did not return a valid result leaves nothing behind: no artifact, no effect.
//! * Nothing is compiled on the way of a call, and machine code is loaded only if this host wrote it.
//!
//! [`Sandbox::prepare`] turns the bytes of a component into something callable; [`Sandbox::call`] calls it.

mod sandbox;

mod engine;
mod ticker;

mod bindings;
mod cache;
mod disk;
mod load;

mod budget;
mod call;
mod capability;
mod host;
mod limiter;
mod outcome;
mod wasi;

mod error;
pub mod port;

pub use call::{Call, CallInput, CallJournal, CallModels, CallReport, DeliveredEffect};
pub use error::{LoadError, SandboxError};
pub use load::{Grants, Inspection, Kind};
pub use port::Interrupted;
pub use sandbox::{Metrics, Prepared, Sandbox, SandboxOptions};

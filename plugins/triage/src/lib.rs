//! Says of an entry what kind of work it is, how much it matters, how large it is, and by what it will be accepted.
//!
//! # What holds
//!
//! * Each decision is a [`signal::Signal`] that names the evidence and the rule, so that a person can see why.
//! * The best evidence wins, in this order: a field that a person set, the kind that the source gave, a label, the
//!   title, the number of criteria (for effort), the body, the default.
//! * Only what people wrote about the ask is evidence: no code, quotation, log, plan, account of work or criterion.
//! * The same entry and settings give the same answer.

mod decide;
pub mod evidence;
pub mod rules;
pub mod settings;
pub mod signal;
mod stage;

pub use decide::{Decision, decide};
pub use stage::Triage;

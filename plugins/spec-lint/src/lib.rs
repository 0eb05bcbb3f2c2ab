//! Judges a technical specification by twelve rules that a reviewer would cite.
//!
//! # What holds
//!
//! * Each finding names a rule of `plugin.toml`, the line, and the statement it is about, so that the stage or the
//!   person who mends it has nothing to search.
//! * What a specification leaves open is no fault where an open question asks for it: a vague word, a requirement
//!   without a criterion, a missing problem. Then a person sees the question, and [`rule::RuleId::OpenQuestions`]
//!   bounds how many there may be. That something must be acceptable at all is never excused.
//! * A specification that is missing is a failure, not a verdict.

mod check;
mod gate;
pub mod rule;
pub mod settings;
mod specification;
mod statement;

pub use gate::SpecLint;

//! Has a model judge a technical specification against its entry, by a rubric.
//!
//! # What holds
//!
//! * The model answers each rule of the rubric apart, yes or no with a reason; the verdict follows from the answers and the
//!   weights in the settings, not from what the model makes of them.
//! * What the entry and the specification say is material to the model, never an instruction.
//! * A model that refuses, or answers with something else, is an inconclusive verdict: never a pass, and never a fail.

mod gate;
mod prompt;
pub mod rule;
pub mod settings;

pub use gate::SpecReview;

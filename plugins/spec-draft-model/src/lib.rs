//! Drafts a technical specification as `spec-draft` does, and has a model propose what the entry leaves out.
//!
//! # What holds
//!
//! * What the entry says stands as `spec-draft` drafts it, with the same numbers. What the model proposes comes behind it and is
//!   marked as proposed, with the model's name: nothing is passed off as the entry's own.
//! * The model proposes acceptance criteria for requirements that there are, boundaries and questions; never requirements.
//! * A model that refuses, or says nothing that fits, costs the proposals and not the draft.

mod prompt;
pub mod settings;
mod stage;

pub use stage::SpecDraftModel;

//! Drafts a technical specification from what an entry says.
//!
//! # What holds
//!
//! * Nothing is invented: each requirement, criterion, constraint and boundary is a piece of the entry and names the
//!   line it came from. What the entry does not say becomes an open question or is left out.
//! * A stage that was granted a model has it propose acceptance criteria for requirements that there are, boundaries and questions;
//!   never requirements. That comes behind what the entry says and is marked as proposed, with the model's name.
//! * A stage without a model, and a model that refuses or says nothing that fits, cost the proposals and not the draft.
//! * Numbers are stable: the same entry gives the same statement the same number on every pass, so that a finding of
//!   one pass can be mended in the next.
//! * Each finding of a review is answered: with what was changed for it, or with why it cannot be mended here.

mod draft;
mod link;
mod material;
mod mend;
mod prompt;
mod proposal;
mod question;
mod render;
pub mod settings;
mod stage;
mod statement;
mod template;

pub use stage::SpecDraft;

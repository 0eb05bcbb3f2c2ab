//! What the shipped plugins understand of the Markdown that people write backlog items in.
//!
//! # What holds
//!
//! * Any text is a document: nothing here fails, and nothing panics.
//! * Nothing is invented: every [`Block`] and every [`Criterion`] is a piece of the source, with only layout
//!   (white space, list markers, numbering, comments) taken away, and says the line it came from.
//! * Time and memory are linear in the text, up to a logarithm, because the caller pays for both.
//! * Lines are counted from 1 in the text that was handed in, so front matter that a tracker took away is not
//!   counted.

mod block;
mod criteria;
mod document;
mod label;
mod lines;
mod log_line;
mod modal;
mod paragraph;
mod role;
mod scenario;
mod sentence;
pub mod spec;
mod vague;
mod words;

pub use block::Shape;
pub use criteria::{Criterion, Form, criteria};
pub use document::{Block, Document, Section};
pub use log_line::is_log_line;
pub use modal::{modals, obliges, outside_code};
pub use role::Role;
pub use sentence::sentences;
pub use vague::{Vague, vague_words};
pub use words::{Phrase, WordIndex, fold, word_count, words};

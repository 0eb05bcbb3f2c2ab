//! The words of the write-back: a record as people and machines read it in a tracker.
//!
//! Properties wanted:
//!
//! 1. The first lines tell a person what became of the work, and what to do if it stopped.
//! 2. Everything that an item or plugin said is shown as text: it makes no heading, link, table or marker.
//! 3. The summary has a greatest length, and says so wherever it left something out.
//! 4. The section carries its run and a digest, so that it is found again and a change in it is noticed.

mod adopted;
mod summary;

mod decisions;
mod findings;
mod order;
mod outcome;
mod products;
mod provenance;
mod steps;

mod schema;
mod section;

mod escape;
mod table;
mod units;

pub use schema::{Document, adopted_schema, documents, schema};
pub use section::{
    MARKER, Section, Sections, Subject, adopted_section, file_heading, read_sections, section,
};
pub use summary::{SUMMARY_CHARS_MAX, summary};

//! What a user writes, and what follows from it: project and pipeline files, formulas, eligibility and rank keys.
//!
//! Invariants held by this crate:
//!
//! * **Pure.** After the files are read, nothing here does I/O or asks a clock. The same policy, item and time give the same
//!   [`Admission`].
//! * **Nothing is ignored.** A key that nothing acts on is an error with file, line, column and the nearest name. All errors
//!   of all files are reported together.
//! * **The published schema is the schema.** Files are validated by the JSON Schemas that are published.
//! * **Nothing enters by accident.** An item whose eligibility, fields, route or order cannot be computed is held, with a
//!   reason that names what is missing.
//!
//! The way through it: [`Policy::load`] reads the files, [`Policy::check`] holds them against the plugins there are,
//! [`Backlog::judge_with`] judges an item.

mod artifacts_address;
pub mod error;
mod source_map;
mod store_address;
mod units;

pub mod pipeline_file;
pub mod project;
pub mod schema;

pub mod formula;
mod load;
pub mod policy;
mod resolve;
pub mod schedule;

pub mod admission;
pub mod allowance;
pub mod condition;
pub mod done;
mod fields;
pub mod opening;
mod rank;
mod refine;
pub mod roles;
mod verdict;

pub mod check;

pub use admission::{Admission, Rank, Seen};
pub use artifacts_address::ArtifactsAddress;
pub use check::{
    BacklogSchema, DeclaredField, FieldUse, PluginCatalog, PluginFacts, PluginKind, PluginProblem,
};
pub use error::{ConfigFile, Diagnostic, Diagnostics, LoadError, Severity};
pub use fields::{FieldReading, FieldSource};
pub use formula::{Formula, Term};
pub use load::{PIPELINE_FOLDER, PROJECT_FILE};
pub use opening::NotOpened;
pub use policy::{Backlog, FieldType, FolderSource, OnChange, Policy, Purpose};
pub use resolve::host_label;
pub use schedule::Schedule;
pub use store_address::{PostgresAddress, StoreAddress};
pub use verdict::Remembered;

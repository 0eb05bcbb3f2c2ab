//! What a tracker's records tell a store that does not know them.

use tollgate_core::{adoption::Adoption, record::Record};

/// Something that stands beside an item.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundAccount {
    /// The key of the item.
    pub key: String,
    /// Where it stands.
    pub place: String,
    /// What it is.
    pub account: PriorAccount,
}

/// What is told of earlier work.
#[derive(Debug, Clone, PartialEq)]
pub enum PriorAccount {
    /// A run, by its record, which verifies.
    Run(Box<Record>),
    /// An adoption, by its record, which verifies.
    Adoption(Box<Adoption>),
    /// Something that does not verify, and what is wrong with it.
    Damaged(String),
}

/// What came of the records of a tracker.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rebuilt {
    /// Runs that the store did not know.
    pub runs: u64,
    /// Adoptions that the store did not know.
    pub adoptions: u64,
    /// Keys of items with records that do not verify.
    pub damaged: Vec<String>,
}

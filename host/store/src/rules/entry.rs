//! An entry as transactions decide about it.

use tollgate_core::{
    Digest, EntryId,
    entry::{DependencyRule, EntryName, EntryState},
};

use super::{
    sql,
    tx::{Failure, Row, Tx, TxResult, named_params},
};

/// What a transaction read of an entry before it changes it.
#[derive(Debug, Clone)]
pub(super) struct KnownEntry {
    pub(super) id: EntryId,
    pub(super) name: EntryName,
    pub(super) backlog: String,
    pub(super) state: EntryState,
    pub(super) closed: bool,
    pub(super) revision: Digest,
    /// The digest of what it says without what refining adds.
    pub(super) basis: Digest,
    /// That of what its newest run worked on, or of what was adopted.
    pub(super) worked: Option<Digest>,
    /// Whether it was adopted, and no run of it began since.
    pub(super) adopted: bool,
    pub(super) depends: DependencyRule,
    /// The digest of what came in last.
    pub(super) arrival: Option<Digest>,
}

impl KnownEntry {
    /// The entry of this name, if there is one.
    pub(super) fn find(tx: &Tx<'_>, name: &EntryName) -> TxResult<Option<Self>> {
        let params = named_params! { ":tracker": name.tracker, ":key": name.key };
        tx.one(sql::ENTRY_GET, params, |row| Self::read(row, name.clone()))
    }

    /// The entry with this number, if there is one.
    pub(super) fn find_by_id(tx: &Tx<'_>, id: EntryId) -> TxResult<Option<Self>> {
        tx.one(sql::ENTRY_GET_BY_ID, named_params! { ":id": id.0 }, |row| {
            Self::read(row, EntryName { tracker: row.plain("tracker")?, key: row.plain("key")? })
        })
    }

    /// Says that [`KnownEntry::get`] is going to be asked.
    pub(super) fn foresee(tx: &Tx<'_>, id: EntryId) -> TxResult<()> {
        tx.foresee(sql::ENTRY_GET_BY_ID, named_params! { ":id": id.0 })
    }

    /// The entry that some other row names.
    pub(super) fn get(tx: &Tx<'_>, id: EntryId) -> TxResult<Self> {
        Self::find_by_id(tx, id)?.ok_or_else(|| Failure::damaged(format!("there is no entry {id}")))
    }

    fn read(row: &Row<'_>, name: EntryName) -> TxResult<Self> {
        Ok(Self {
            id: row.entry_id("id")?,
            name,
            backlog: row.plain("backlog")?,
            state: row.word("state")?,
            closed: row.plain("closed")?,
            revision: row.digest("revision")?,
            basis: row.digest("basis")?,
            worked: row.digest_or_none("worked")?,
            adopted: row.plain("adopted")?,
            depends: row.word("depends")?,
            arrival: row.digest_or_none("arrival")?,
        })
    }

    /// Whether it waits and the policy has judged it, so that whatever else changes decides between held and ready.
    pub(super) fn is_judged(&self) -> bool {
        matches!(self.state, EntryState::Held | EntryState::Ready)
    }

    /// Whether it is one of those that the policy makes held or ready.
    pub(super) fn waits(&self) -> bool {
        matches!(self.state, EntryState::New | EntryState::Held | EntryState::Ready)
    }
}

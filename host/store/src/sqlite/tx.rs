//! One logical transaction, and how rows become values.

use rusqlite::{Connection, ErrorCode, Params, Row};
use serde::{Serialize, de::DeserializeOwned};
use tollgate_core::{Digest, EntryId, Microcents, Timestamp};

use super::queue::Waiting;
use crate::StoreError;

/// What every function that runs inside a transaction returns.
pub(super) type TxResult<T> = Result<T, Failure>;

/// Why a logical transaction is rolled back.
#[derive(Debug)]
pub(super) enum Failure {
    /// The database failed.
    Sql(rusqlite::Error),
    /// The store says no.
    Refused(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl Failure {
    /// The error that the caller sees; `doing` is a verb, as in `claim a run`.
    pub(super) fn while_doing(self, doing: &'static str) -> StoreError {
        match self {
            Self::Sql(error) => StoreError::Platform { doing, message: error.to_string() },
            Self::Refused(error) => error,
        }
    }

    /// The error that whoever opens the store at `location` sees: a file that is no whole database is told from a failing disk.
    pub(super) fn while_opening(self, location: &str) -> StoreError {
        let broken = [ErrorCode::DatabaseCorrupt, ErrorCode::NotADatabase];
        match self {
            Self::Sql(error) if error.sqlite_error_code().is_some_and(|code| broken.contains(&code)) => {
                StoreError::Unreadable { location: location.to_owned(), message: error.to_string() }
            }
            other => other.while_doing("open"),
        }
    }

    /// The store holds something that no version of this code wrote.
    pub(super) fn damaged(what: impl std::fmt::Display) -> Self {
        Self::Refused(StoreError::Damaged(what.to_string()))
    }
}

/// A logical transaction: everything in it sees the same time.
pub(super) struct Tx<'c> {
    connection: &'c Connection,
    pub(super) now: Timestamp,
    others: Option<&'c Waiting>,
}

impl<'c> Tx<'c> {
    pub(super) fn new(connection: &'c Connection, now: Timestamp) -> Self {
        Self { connection, now, others: None }
    }

    /// The same, knowing who else waits for it to end.
    pub(super) fn giving_way_to(self, others: Option<&'c Waiting>) -> Self {
        Self { others, ..self }
    }

    /// Whether somebody waits for it to end.
    pub(super) fn is_awaited(&self) -> bool {
        self.others.is_some_and(Waiting::is_any)
    }

    /// Runs a statement; how many rows it changed.
    pub(super) fn run(&self, sql: &str, params: impl Params) -> TxResult<usize> {
        Ok(self.connection.prepare_cached(sql)?.execute(params)?)
    }

    /// The first row, if there is one.
    pub(super) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> TxResult<T>,
    ) -> TxResult<Option<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        rows.next()?.map(read).transpose()
    }

    /// All rows.
    pub(super) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> TxResult<T>,
    ) -> TxResult<Vec<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut values = Vec::new();
        while let Some(row) = rows.next()? {
            values.push(read(row)?);
        }
        Ok(values)
    }

    /// The number of the row that was inserted last.
    pub(super) fn inserted(&self) -> i64 {
        self.connection.last_insert_rowid()
    }
}

/// Columns as the types of `tollgate_core`.
pub(super) trait Columns {
    /// A column that SQLite types map to directly.
    fn plain<T: rusqlite::types::FromSql>(&self, column: &str) -> TxResult<T>;

    /// A digest's 32 bytes, or null.
    fn digest_or_none(&self, column: &str) -> TxResult<Option<Digest>>;

    /// A text that a type's `FromStr` reads.
    fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(&self, column: &str) -> TxResult<T>;

    /// JSON, or null.
    fn json_or_none<T: DeserializeOwned>(&self, column: &str) -> TxResult<Option<T>>;

    /// A word that an enum's variants are called by.
    fn word<T: DeserializeOwned>(&self, column: &str) -> TxResult<T> {
        let word: String = self.plain(column)?;
        from_word(column, word)
    }

    /// A word, or null.
    fn word_or_none<T: DeserializeOwned>(&self, column: &str) -> TxResult<Option<T>> {
        let word: Option<String> = self.plain(column)?;
        word.map(|word| from_word(column, word)).transpose()
    }

    /// A digest's 32 bytes.
    fn digest(&self, column: &str) -> TxResult<Digest> {
        self.digest_or_none(column)?.ok_or_else(|| Failure::damaged(format!("`{column}` is null")))
    }

    /// JSON.
    fn json<T: DeserializeOwned>(&self, column: &str) -> TxResult<T> {
        self.json_or_none(column)?.ok_or_else(|| Failure::damaged(format!("`{column}` is null")))
    }

    /// A time.
    fn time(&self, column: &str) -> TxResult<Timestamp> {
        Ok(Timestamp::from_millis(self.plain(column)?))
    }

    /// A time, or null.
    fn time_or_none(&self, column: &str) -> TxResult<Option<Timestamp>> {
        Ok(self.plain::<Option<i64>>(column)?.map(Timestamp::from_millis))
    }

    /// An amount of money.
    fn money(&self, column: &str) -> TxResult<Microcents> {
        Ok(Microcents(self.count(column)?))
    }

    /// A number that is never negative.
    fn count(&self, column: &str) -> TxResult<u64> {
        let number: i64 = self.plain(column)?;
        u64::try_from(number).map_err(|_| Failure::damaged(format!("`{column}` is {number}")))
    }

    /// A small number that is never negative.
    fn small_count(&self, column: &str) -> TxResult<u32> {
        let number: i64 = self.plain(column)?;
        u32::try_from(number).map_err(|_| Failure::damaged(format!("`{column}` is {number}")))
    }

    /// An entry's number.
    fn entry_id(&self, column: &str) -> TxResult<EntryId> {
        Ok(EntryId(self.plain(column)?))
    }
}

impl Columns for Row<'_> {
    fn plain<T: rusqlite::types::FromSql>(&self, column: &str) -> TxResult<T> {
        Ok(self.get(column)?)
    }

    fn digest_or_none(&self, column: &str) -> TxResult<Option<Digest>> {
        let Some(bytes) = self.get_ref(column)?.as_blob_or_null().map_err(Failure::damaged)? else {
            return Ok(None);
        };
        let bytes = bytes
            .try_into()
            .map_err(|_| Failure::damaged(format!("`{column}` is a digest of {} bytes", bytes.len())))?;
        Ok(Some(Digest::from_bytes(bytes)))
    }

    fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(&self, column: &str) -> TxResult<T> {
        let text = self.get_ref(column)?.as_str().map_err(Failure::damaged)?;
        text.parse().map_err(|e| Failure::damaged(format!("`{column}`: {e}")))
    }

    fn json_or_none<T: DeserializeOwned>(&self, column: &str) -> TxResult<Option<T>> {
        let Some(text) = self.get_ref(column)?.as_str_or_null().map_err(Failure::damaged)? else {
            return Ok(None);
        };
        serde_json::from_str(text).map(Some).map_err(|e| Failure::damaged(format!("`{column}`: {e}")))
    }
}

fn from_word<T: DeserializeOwned>(column: &str, word: String) -> TxResult<T> {
    serde_json::from_value(serde_json::Value::String(word))
        .map_err(|e| Failure::damaged(format!("`{column}`: {e}")))
}

/// The JSON of something that always has one.
pub(super) fn json_of(value: &impl Serialize) -> TxResult<String> {
    serde_json::to_string(value).map_err(Failure::damaged)
}

/// What a JSON that this store wrote says.
pub(super) fn from_json<T: DeserializeOwned>(json: &str) -> TxResult<T> {
    serde_json::from_str(json).map_err(Failure::damaged)
}

/// Money as SQLite keeps it; the largest amounts are as good as endless.
pub(super) fn cents(amount: Microcents) -> i64 {
    i64::try_from(amount.0).unwrap_or(i64::MAX)
}

/// A time that may be missing, as SQLite keeps it.
pub(super) fn millis(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::as_millis)
}

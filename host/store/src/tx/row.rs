//! How rows become values.

use serde::de::DeserializeOwned;
use tollgate_core::{Digest, EntryId, Microcents, Timestamp};

use super::{Failure, TxResult, Value};

/// A row as its database has it.
pub(crate) trait Cells {
    /// What stands in a column.
    fn cell(&self, column: &str) -> TxResult<Value<'_>>;
}

/// A row; its columns are the types of `tollgate_core`.
pub(crate) struct Row<'r>(pub(crate) &'r dyn Cells);

/// What a column can be read as.
pub(crate) trait Plain: Sized {
    /// None where the value is of another kind.
    fn of(value: Value<'_>) -> Option<Self>;
}

impl Row<'_> {
    /// A column of a type that values map to directly.
    pub(crate) fn plain<T: Plain>(&self, column: &str) -> TxResult<T> {
        let value = self.0.cell(column)?;
        T::of(value).ok_or_else(|| Failure::damaged(format!("`{column}` is {value:?}")))
    }

    /// A digest's 32 bytes, or null.
    pub(crate) fn digest_or_none(&self, column: &str) -> TxResult<Option<Digest>> {
        let bytes = match self.0.cell(column)? {
            Value::Null => return Ok(None),
            Value::Bytes(bytes) => bytes,
            other => return Err(Failure::damaged(format!("`{column}` is {other:?}"))),
        };
        let bytes = bytes
            .try_into()
            .map_err(|_| Failure::damaged(format!("`{column}` is a digest of {} bytes", bytes.len())))?;
        Ok(Some(Digest::from_bytes(bytes)))
    }

    /// A text that a type's `FromStr` reads.
    pub(crate) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(&self, column: &str) -> TxResult<T> {
        let text = self.text_or_none(column)?.ok_or_else(|| is_null(column))?;
        text.parse().map_err(|e| Failure::damaged(format!("`{column}`: {e}")))
    }

    /// JSON, or null.
    pub(crate) fn json_or_none<T: DeserializeOwned>(&self, column: &str) -> TxResult<Option<T>> {
        let Some(text) = self.text_or_none(column)? else { return Ok(None) };
        serde_json::from_str(text).map(Some).map_err(|e| Failure::damaged(format!("`{column}`: {e}")))
    }

    /// A word that an enum's variants are called by.
    pub(crate) fn word<T: DeserializeOwned>(&self, column: &str) -> TxResult<T> {
        let word: String = self.plain(column)?;
        from_word(column, word)
    }

    /// A word, or null.
    pub(crate) fn word_or_none<T: DeserializeOwned>(&self, column: &str) -> TxResult<Option<T>> {
        let word: Option<String> = self.plain(column)?;
        word.map(|word| from_word(column, word)).transpose()
    }

    /// A digest's 32 bytes.
    pub(crate) fn digest(&self, column: &str) -> TxResult<Digest> {
        self.digest_or_none(column)?.ok_or_else(|| is_null(column))
    }

    /// JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &str) -> TxResult<T> {
        self.json_or_none(column)?.ok_or_else(|| is_null(column))
    }

    /// A time.
    pub(crate) fn time(&self, column: &str) -> TxResult<Timestamp> {
        Ok(Timestamp::from_millis(self.plain(column)?))
    }

    /// A time, or null.
    pub(crate) fn time_or_none(&self, column: &str) -> TxResult<Option<Timestamp>> {
        Ok(self.plain::<Option<i64>>(column)?.map(Timestamp::from_millis))
    }

    /// An amount of money.
    pub(crate) fn money(&self, column: &str) -> TxResult<Microcents> {
        Ok(Microcents(self.count(column)?))
    }

    /// A number that is never negative.
    pub(crate) fn count(&self, column: &str) -> TxResult<u64> {
        self.plain(column)
    }

    /// A small number that is never negative.
    pub(crate) fn small_count(&self, column: &str) -> TxResult<u32> {
        let number: i64 = self.plain(column)?;
        u32::try_from(number).map_err(|_| Failure::damaged(format!("`{column}` is {number}")))
    }

    /// An entry's number.
    pub(crate) fn entry_id(&self, column: &str) -> TxResult<EntryId> {
        Ok(EntryId(self.plain(column)?))
    }

    fn text_or_none(&self, column: &str) -> TxResult<Option<&str>> {
        match self.0.cell(column)? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            other => Err(Failure::damaged(format!("`{column}` is {other:?}"))),
        }
    }
}

impl Plain for i64 {
    fn of(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Integer(number) => Some(number),
            _ => None,
        }
    }
}

impl Plain for u64 {
    fn of(value: Value<'_>) -> Option<Self> {
        i64::of(value).and_then(|number| number.try_into().ok())
    }
}

impl Plain for bool {
    fn of(value: Value<'_>) -> Option<Self> {
        i64::of(value).map(|number| number != 0)
    }
}

impl Plain for String {
    fn of(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.to_owned()),
            _ => None,
        }
    }
}

impl Plain for Vec<u8> {
    fn of(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Some(bytes.to_vec()),
            _ => None,
        }
    }
}

impl<T: Plain> Plain for Option<T> {
    fn of(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::of(value).map(Some),
        }
    }
}

fn is_null(column: &str) -> Failure {
    Failure::damaged(format!("`{column}` is null"))
}

fn from_word<T: DeserializeOwned>(column: &str, word: String) -> TxResult<T> {
    serde_json::from_value(serde_json::Value::String(word))
        .map_err(|e| Failure::damaged(format!("`{column}`: {e}")))
}

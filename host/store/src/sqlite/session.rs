//! A connection as the rules see it.

use rusqlite::{
    CachedStatement, Connection, ErrorCode, ffi,
    types::{ToSqlOutput, ValueRef},
};

use super::queue::Waiting;
use crate::{
    sql::Query,
    tx::{Cells, Failure, More, Params, Row, Session, TxResult, Value},
};

impl Session for Connection {
    fn run(&self, query: Query, params: Params<'_>) -> TxResult<usize> {
        Ok(bound(self, query, params)?.raw_execute()?)
    }

    fn insert(&self, query: Query, params: Params<'_>) -> TxResult<i64> {
        bound(self, query, params)?.raw_execute()?;
        Ok(self.last_insert_rowid())
    }

    fn rows(
        &self,
        query: Query,
        params: Params<'_>,
        each: &mut dyn FnMut(&Row<'_>) -> TxResult<More>,
    ) -> TxResult<()> {
        let mut statement = bound(self, query, params)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            if each(&Row(row))? == More::Enough {
                break;
            }
        }
        Ok(())
    }
}

/// The writer's connection, knowing who else waits for it.
pub(super) struct Shared<'c> {
    pub(super) connection: &'c Connection,
    pub(super) others: Option<&'c Waiting>,
}

impl Session for Shared<'_> {
    fn run(&self, query: Query, params: Params<'_>) -> TxResult<usize> {
        self.connection.run(query, params)
    }

    fn insert(&self, query: Query, params: Params<'_>) -> TxResult<i64> {
        self.connection.insert(query, params)
    }

    fn rows(
        &self,
        query: Query,
        params: Params<'_>,
        each: &mut dyn FnMut(&Row<'_>) -> TxResult<More>,
    ) -> TxResult<()> {
        self.connection.rows(query, params, each)
    }

    fn is_awaited(&self) -> bool {
        self.others.is_some_and(Waiting::is_any)
    }
}

impl Cells for rusqlite::Row<'_> {
    fn cell(&self, column: &str) -> TxResult<Value<'_>> {
        match self.get_ref(column)? {
            ValueRef::Null => Ok(Value::Null),
            ValueRef::Integer(number) => Ok(Value::Integer(number)),
            ValueRef::Text(text) => std::str::from_utf8(text).map(Value::Text).map_err(Failure::damaged),
            ValueRef::Blob(bytes) => Ok(Value::Bytes(bytes)),
            ValueRef::Real(number) => Err(Failure::damaged(format!("`{column}` is {number}"))),
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        let message = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Unreadable(message),
            Some(ErrorCode::DiskFull) => Self::Database(format!(
                "{message}; nothing of it was kept. Make room, and a host goes on by itself"
            )),
            Some(ErrorCode::SystemIoFailure) => Self::Database(format!(
                "{message} ({}); nothing of it was kept. See what the system says of the disk, and `tollgate store doctor` of the store",
                refused(&error)
            )),
            _ => Self::Database(message),
        }
    }
}

/// What the disk refused.
fn refused(error: &rusqlite::Error) -> String {
    match error.sqlite_error().map(|error| error.extended_code) {
        Some(ffi::SQLITE_IOERR_READ | ffi::SQLITE_IOERR_SHORT_READ) => "it could not be read".into(),
        Some(ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_TRUNCATE) => "it could not be written".into(),
        Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC) => "it could not be synced".into(),
        Some(code) => format!("SQLite's code {code}"),
        None => "it does not say why".into(),
    }
}

/// The statement of a query with its parameters.
fn bound<'c>(connection: &'c Connection, query: Query, params: Params<'_>) -> TxResult<CachedStatement<'c>> {
    let mut statement = connection.prepare_cached(query.sqlite)?;
    for (name, param) in params {
        let index = statement
            .parameter_index(name)?
            .ok_or_else(|| rusqlite::Error::InvalidParameterName((*name).to_owned()))?;
        let value = match param.value() {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        };
        statement.raw_bind_parameter(index, ToSqlOutput::Borrowed(value))?;
    }
    Ok(statement)
}

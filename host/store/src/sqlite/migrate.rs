//! Bringing a database to the schema that this code knows.

use rusqlite::Connection;
use tollgate_core::{StoreId, Timestamp};

use super::{
    sql,
    tx::{Failure, Tx, TxResult, named_params},
};
use crate::StoreError;

/// Every step from nothing to the present schema, in order; the first has number 1. A step that was released is never changed.
const MIGRATIONS: &[(&str, &str)] =
    &[("0001_initial", include_str!("../../sql/sqlite/migrations/0001_initial.sql"))];

/// What a database is to this code.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// Nothing is in it.
    Empty,
    /// It has this version.
    Version(usize),
}

/// Runs the migrations that are missing, each in a transaction of its own.
///
/// # Errors
///
/// [`StoreError::NewerSchema`] when a later version wrote it, [`StoreError::Conflict`] when another program did.
pub(super) fn migrate(connection: &mut Connection, location: &str, now: Timestamp) -> TxResult<()> {
    let done = match inspect(connection, location)? {
        Found::Empty => 0,
        Found::Version(version) => version,
    };
    for (at, (name, statements)) in MIGRATIONS.iter().enumerate().skip(done) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(statements)?;
        let tx = Tx::new(&*transaction, now);
        let version = at + 1;
        let params = named_params! { ":version": version, ":name": name, ":now": now.as_millis() };
        tx.run(sql::MIGRATION_INSERT, params)?;
        if version == 1 {
            let id = StoreId::generate().to_string();
            tx.run(sql::STORE_CREATE, named_params! { ":id": id, ":now": now.as_millis() })?;
        }
        transaction.commit()?;
    }
    Ok(())
}

/// Refuses a database whose schema is not the present one: what a process does that must not change it.
pub(super) fn require_present(connection: &Connection, location: &str) -> TxResult<()> {
    match inspect(connection, location)? {
        Found::Version(version) if version == MIGRATIONS.len() => Ok(()),
        _ => Err(StoreError::Conflict(format!(
            "the store at {location} is of an earlier version; `tollgate run` brings it up to date"
        ))
        .into()),
    }
}

fn inspect(connection: &Connection, location: &str) -> TxResult<Found> {
    let tx = Tx::new(connection, Timestamp::default());
    let tables = tx
        .one(sql::MIGRATION_TABLE, &[], |row| Ok((row.plain::<bool>("ours")?, row.plain::<bool>("used")?)))?;
    match tables {
        Some((true, _)) => {}
        Some((false, true)) => {
            return Err(StoreError::Conflict(format!(
                "{location} is a database of another program; name another file as the store"
            ))
            .into());
        }
        Some((false, false)) | None => return Ok(Found::Empty),
    }
    let newest = tx.one(sql::MIGRATION_NEWEST, &[], |row| {
        Ok((row.plain::<i64>("version")?, row.plain::<String>("name")?))
    })?;
    let (found, found_name) = newest.ok_or_else(|| Failure::damaged("it lists no migration"))?;
    let known = MIGRATIONS.len();
    match usize::try_from(found) {
        Ok(version) if (1..=known).contains(&version) => Ok(Found::Version(version)),
        _ => {
            let location = location.to_owned();
            let known = i64::try_from(known).unwrap_or(i64::MAX);
            Err(StoreError::NewerSchema { location, found, found_name, known }.into())
        }
    }
}

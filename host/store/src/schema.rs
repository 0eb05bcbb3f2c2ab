//! What a database is to this code: which of the schema's versions it has.

use tollgate_core::{StoreId, Timestamp};

use crate::{
    StoreError, sql,
    tx::{Failure, Tx, TxResult, named_params},
};

/// A step from one version of the schema to the next: its name and its statements. A step that was released is never changed.
pub(crate) type Migration = (&'static str, &'static str);

/// Notes that a migration ran; with the first, the store gets its id. Migrations are counted from 1.
pub(crate) fn note(tx: &Tx<'_>, version: usize, name: &str) -> TxResult<()> {
    let now = tx.now.as_millis();
    tx.run(sql::MIGRATION_INSERT, named_params! { ":version": version, ":name": name, ":now": now })?;
    if version == 1 {
        let id = StoreId::generate().to_string();
        tx.run(sql::STORE_CREATE, named_params! { ":id": id, ":now": now })?;
    }
    Ok(())
}

/// How many of the migrations ran.
///
/// # Errors
///
/// [`StoreError::NewerSchema`] when a later version wrote it, [`StoreError::Conflict`] when another program did.
pub(crate) fn migrated(tx: &Tx<'_>, location: &str, migrations: &[Migration]) -> TxResult<usize> {
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
        Some((false, false)) | None => return Ok(0),
    }
    let newest = tx.one(sql::MIGRATION_NEWEST, &[], |row| {
        Ok((row.plain::<i64>("version")?, row.plain::<String>("name")?))
    })?;
    let (found, found_name) = newest.ok_or_else(|| Failure::damaged("it lists no migration"))?;
    let known = migrations.len();
    match usize::try_from(found) {
        Ok(version) if (1..=known).contains(&version) => Ok(version),
        _ => {
            let location = location.to_owned();
            let known = i64::try_from(known).unwrap_or(i64::MAX);
            Err(StoreError::NewerSchema { location, found, found_name, known }.into())
        }
    }
}

/// Refuses a database whose schema is not the present one: what a process does that must not change it.
pub(crate) fn require_present(
    session: &dyn crate::tx::Session,
    location: &str,
    migrations: &[Migration],
) -> TxResult<()> {
    let tx = Tx::new(session, Timestamp::default());
    match migrated(&tx, location, migrations)? {
        version if version == migrations.len() => Ok(()),
        _ => Err(StoreError::Conflict(format!(
            "the store at {location} is of an earlier version; `tollgate run` brings it up to date"
        ))
        .into()),
    }
}

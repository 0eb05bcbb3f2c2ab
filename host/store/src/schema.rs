//! What a database is to this code: which of the schema's versions it has.

use tollgate_core::{StoreId, Timestamp, lease::SILENT_AFTER};

use crate::{
    OpenMode, StoreError,
    port::Moved,
    sql,
    tx::{Failure, Row, Tx, TxResult, named_params},
};

/// The newest version of the schema that this code knows, in every database.
pub(crate) const KNOWN: usize = 1;

/// A step from one version of the schema to the next. A step that was released is never changed.
pub(crate) struct Migration {
    pub(crate) name: &'static str,
    pub(crate) statements: &'static str,
    /// The least version that a host has to know to work with the store from then on. That of the step itself when what it changes means
    /// something else to who does not know it; an earlier one when it only adds.
    pub(crate) needs: usize,
}

/// Notes that a migration ran; with the first, the store gets its id. Migrations are counted from 1.
pub(crate) fn note(tx: &Tx<'_>, version: usize, migration: &Migration) -> TxResult<()> {
    let now = tx.now.as_millis();
    let Migration { name, needs, .. } = migration;
    let params = named_params! { ":version": version, ":name": name, ":now": now, ":needs": needs };
    tx.run(sql::MIGRATION_INSERT, params)?;
    if version == 1 {
        let id = StoreId::generate().to_string();
        tx.run(sql::STORE_CREATE, named_params! { ":id": id, ":now": now })?;
    }
    Ok(())
}

/// How many of the migrations ran. A later version may have run more, if what they did only adds to what is known here.
///
/// # Errors
///
/// [`StoreError::NewerSchema`] when a later version made it another one, [`StoreError::Conflict`] when another program wrote it.
pub(crate) fn migrated(tx: &Tx<'_>, location: &str, migrations: &[Migration]) -> TxResult<usize> {
    let tables = tx
        .one(sql::MIGRATION_TABLE, &[], |row| Ok((row.plain::<bool>("ours")?, row.plain::<bool>("used")?)))?;
    match tables {
        Some((true, _)) => {}
        Some((false, true)) => {
            return Err(StoreError::Conflict(format!(
                "{location} is a database of another program; name another one as the store"
            ))
            .into());
        }
        Some((false, false)) | None => return Ok(0),
    }
    let newest = tx.one(sql::MIGRATION_NEWEST, &[], |row| {
        Ok((row.plain::<i64>("version")?, row.plain::<String>("name")?, row.plain::<u64>("needs")?))
    })?;
    let (found, found_name, needs) = newest.ok_or_else(|| Failure::damaged("it lists no migration"))?;
    let known = migrations.len();
    match usize::try_from(found) {
        Ok(version) if (1..=known).contains(&version) => Ok(version),
        Ok(version) if version > known && needs <= known as u64 => Ok(known),
        _ => {
            let location = location.to_owned();
            let known = i64::try_from(known).unwrap_or(i64::MAX);
            Err(StoreError::NewerSchema { location, found, found_name, known }.into())
        }
    }
}

/// Refuses to change a schema under hosts that would not understand it any more.
pub(crate) fn require_no_older_host(tx: &Tx<'_>, migration: &Migration) -> TxResult<()> {
    let since = tx.now.before(SILENT_AFTER).as_millis();
    let params = named_params! { ":since": since, ":needs": migration.needs };
    let older = tx.all(sql::HOST_LIST_OLDER, params, |row| {
        Ok(format!("{} (heard of at {})", row.plain::<String>("id")?, row.time("seen_at")?))
    })?;
    if older.is_empty() {
        return Ok(());
    }
    Err(StoreError::Conflict(format!(
        "the schema needs the step `{}`, which hosts of an earlier version do not understand, and some were at work within the last \
         {silent} seconds: {}; stop them and try again, and wait so long for one that did not end in good order",
        migration.name,
        older.join(", "),
        silent = SILENT_AFTER.as_secs()
    ))
    .into())
}

/// Refuses a store that a host must not work with any more: it went elsewhere, or a later version changed it meanwhile. `about` is its row
/// about itself.
pub(crate) fn require_usable(about: &Row<'_>) -> TxResult<()> {
    if let Some(Moved { to, at }) = moved(about)? {
        return Err(StoreError::Moved { to, at: at.to_string() }.into());
    }
    let needs = about.count("needs")?;
    if needs > KNOWN as u64 {
        return Err(StoreError::Conflict(format!(
            "a later version of tollgate brought the store to schema version {needs}, and this one knows up to {KNOWN}; run the later version"
        ))
        .into());
    }
    Ok(())
}

/// Who a store is, and the latest time that it acted on, for whoever opens it. `about` is its row about itself.
pub(crate) fn identity(about: &Row<'_>, mode: OpenMode) -> TxResult<(StoreId, Timestamp)> {
    if matches!(mode, OpenMode::Host | OpenMode::Client) {
        require_usable(about)?;
    }
    Ok((about.parsed("id")?, about.time("seen_at")?))
}

/// Where a store went, as its row about itself says.
pub(crate) fn moved(about: &Row<'_>) -> TxResult<Option<Moved>> {
    let (to, at): (Option<String>, _) = (about.plain("moved_to")?, about.time_or_none("moved_at")?);
    Ok(to.map(|to| Moved { to, at: at.unwrap_or_default() }))
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
        0 => Err(StoreError::NotFound { what: "store", name: location.to_owned() }.into()),
        _ => Err(StoreError::Conflict(format!(
            "the store at {location} is of an earlier version; `tollgate store migrate` brings it up to date, and so does `tollgate run`"
        ))
        .into()),
    }
}

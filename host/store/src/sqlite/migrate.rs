//! Bringing a database to the schema that this code knows.

use rusqlite::Connection;
use tollgate_core::{Timestamp, crash};

use crate::{
    schema::{self, Migration},
    tx::{Tx, TxResult},
};

/// Every step from nothing to the present schema, in order.
pub(super) const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001_initial",
    statements: include_str!("../../sql/sqlite/migrations/0001_initial.sql"),
    needs: 1,
}];

const _: () = assert!(MIGRATIONS.len() == schema::KNOWN, "every database has the same steps");

/// Runs the migrations that are missing, each in a transaction of its own.
///
/// # Errors
///
/// As for [`schema::migrated`].
pub(super) fn migrate(connection: &mut Connection, location: &str, now: Timestamp) -> TxResult<()> {
    let done = schema::migrated(&Tx::new(connection, now), location, MIGRATIONS)?;
    for (at, migration) in MIGRATIONS.iter().enumerate().skip(done) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(migration.statements)?;
        schema::note(&Tx::new(&*transaction, now), at + 1, migration)?;
        crash::point("store.migrate.before");
        transaction.commit()?;
        crash::point("store.migrate.after");
    }
    Ok(())
}

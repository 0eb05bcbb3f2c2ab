//! Bringing a database to the schema that this code knows.

use tollgate_core::crash;

use super::{
    StoreClock,
    connection::{Connection, Manner},
};
use crate::{
    schema::{self, Migration},
    tx::{Tx, TxResult},
};

/// Every step from nothing to the present schema, in order.
pub(super) const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001_initial",
    statements: include_str!("../../sql/postgres/migrations/0001_initial.sql"),
    needs: 1,
}];

const _: () = assert!(MIGRATIONS.len() == schema::KNOWN, "every database has the same steps");

/// Runs the migrations that are missing, all in one transaction, which no other changes the store beside. Of several hosts that
/// start together, one does it.
///
/// # Errors
///
/// As for [`schema::migrated`].
pub(super) fn migrate(connection: &Connection, location: &str, clock: &StoreClock) -> TxResult<()> {
    let now = clock.at(connection.begin(Manner::Alone)?);
    let migrated = missing(connection, &Tx::new(connection, now), location);
    match migrated {
        Ok(()) => {
            crash::point("store.migrate.before");
            connection.commit()?;
            crash::point("store.migrate.after");
            Ok(())
        }
        Err(failure) => {
            connection.roll_back();
            Err(failure)
        }
    }
}

fn missing(connection: &Connection, tx: &Tx<'_>, location: &str) -> TxResult<()> {
    let done = schema::migrated(tx, location, MIGRATIONS)?;
    for (at, migration) in MIGRATIONS.iter().enumerate().skip(done) {
        if done > 0 {
            schema::require_no_older_host(tx, migration)?;
        }
        connection.control(migration.statements)?;
        schema::note(tx, at + 1, migration)?;
    }
    Ok(())
}

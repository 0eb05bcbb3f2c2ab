//! Bringing a database to the schema that this code knows.

use super::{
    StoreClock,
    connection::{Connection, Manner},
};
use crate::{
    schema::{self, Migration},
    tx::{Tx, TxResult},
};

/// Every step from nothing to the present schema, in order.
pub(super) const MIGRATIONS: &[Migration] =
    &[("0001_initial", include_str!("../../sql/postgres/migrations/0001_initial.sql"))];

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
        Ok(()) => connection.commit(),
        Err(failure) => {
            connection.roll_back();
            Err(failure)
        }
    }
}

fn missing(connection: &Connection, tx: &Tx<'_>, location: &str) -> TxResult<()> {
    let done = schema::migrated(tx, location, MIGRATIONS)?;
    for (at, (name, statements)) in MIGRATIONS.iter().enumerate().skip(done) {
        connection.control(statements)?;
        schema::note(tx, at + 1, name)?;
    }
    Ok(())
}

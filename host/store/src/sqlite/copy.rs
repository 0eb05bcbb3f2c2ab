//! A copy of a store as it is at one moment.

use std::path::Path;

use super::{
    open, sql,
    tx::{Failure, TxResult},
};
use crate::StoreError;

/// Writes what was committed to `original` by now into a new file.
///
/// `VACUUM INTO` reads in one transaction of its own, log included, so what it writes is one commit whatever a host does
/// meanwhile; a host waits for it as little as for any reader. (SQLite's backup interface copies pages, and starts over when
/// another process writes to them.)
pub(super) fn copy(original: &Path, copy: &Path) -> TxResult<()> {
    let target = copy.to_str().ok_or_else(|| {
        Failure::Refused(StoreError::Conflict(format!(
            "a store cannot be copied to {}: the path is not UTF-8",
            copy.display()
        )))
    })?;
    let connection = open::existing(original)?;
    connection.execute(sql::STORE_COPY.sqlite, rusqlite::named_params! { ":target": target })?;
    Ok(())
}

//! What is wrong with a store in a file.
//!
//! SQLite checks its own pages and references; what only Tollgate knows of its rows are [`SENTENCES`](crate::doctor::SENTENCES).

mod place;

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use tollgate_core::Timestamp;

use super::{migrate, open};
use crate::{
    StoreError,
    doctor::{self, Examination, Finding, FindingKind},
    schema,
    tx::{Failure, Tx, TxResult},
};

/// How many of SQLite's own sentences are told.
const SENTENCES_MAX: usize = 8;

/// What helps when a store is damaged.
fn begin_anew(path: &Path) -> String {
    let path = path.display();
    format!(
        "stop the host and keep a copy of {path} with its `-wal`; then put a backup in its place, or move both away: \
         `tollgate backlog take-over --reason …` makes a new store of the records in the trackers. What was done stays done, what was \
         under way begins again, and of earlier runs no more is known than their records say"
    )
}

/// Looks at what is at `path`. A host may be driving it meanwhile: all that is read is of one commit.
pub(super) fn examine(path: &Path) -> Examination {
    let mut found = Examination::default();
    if !place::look(path, &mut found) {
        return found;
    }
    let read = connect(path).and_then(|connection| {
        // One moment for all that is asked.
        let moment = connection.unchecked_transaction()?;
        read(&moment, path, &mut found)
    });
    if let Err(failure) = read {
        let what = match failure {
            Failure::Unreadable(message) => format!("it cannot be read: {message}"),
            other => other.while_doing("be looked at").to_string(),
        };
        found.add(Finding::fault(FindingKind::Database, what, begin_anew(path)));
    }
    found
}

/// A connection that writes nothing but the index of the log, or where even that may not be written, nothing.
fn connect(path: &Path) -> TxResult<Connection> {
    if place::is_writable(path) {
        return open::reader(path);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(path, flags)?)
}

fn read(connection: &Connection, path: &Path, found: &mut Examination) -> TxResult<()> {
    let sentences = sentences(connection, "PRAGMA integrity_check")?;
    let is_sound = sentences == ["ok"];
    if !is_sound {
        let what = format!("SQLite finds the database damaged: {}", told(&sentences));
        found.add(Finding::fault(FindingKind::Database, what, begin_anew(path)));
    }
    if !has_present_schema(connection, path, found)? {
        return Ok(());
    }
    found.is_readable = true;
    let references = connection.prepare("PRAGMA foreign_key_check")?.exists([])?;
    if references {
        let what = "rows name others that are not there";
        found.add(Finding::fault(FindingKind::Database, what, begin_anew(path)));
    }
    let tx = Tx::new(connection, Timestamp::default());
    for finding in doctor::find_contradictions(&tx, &begin_anew(path))? {
        found.add(finding);
    }
    Ok(())
}

/// Whether what is in it can be judged by this version.
fn has_present_schema(connection: &Connection, path: &Path, found: &mut Examination) -> TxResult<bool> {
    let location = path.display().to_string();
    let tx = Tx::new(connection, Timestamp::default());
    let finding = match schema::migrated(&tx, &location, migrate::MIGRATIONS) {
        Ok(version) if version == migrate::MIGRATIONS.len() => return Ok(true),
        Ok(0) => Finding::risk(
            FindingKind::Schema,
            "it is an empty database: nothing was ever committed to it",
            "`tollgate run` makes a store of it; if there was one, put a backup in its place",
        ),
        Ok(_) => Finding::risk(
            FindingKind::Schema,
            "an earlier version of tollgate wrote it, so no more than this can be said",
            "`tollgate run` brings it up to date; look again after that",
        ),
        Err(Failure::Refused(error @ StoreError::NewerSchema { .. })) => Finding::fault(
            FindingKind::Schema,
            error.to_string(),
            "`tollgate store doctor` of that version can say more",
        ),
        Err(failure) => return Err(failure),
    };
    found.add(finding);
    Ok(false)
}

/// What SQLite says, a sentence a row; of a page that cannot be read at all, why.
fn sentences(connection: &Connection, pragma: &str) -> TxResult<Vec<String>> {
    let mut statement = connection.prepare(pragma)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.map(|row| row.unwrap_or_else(|error| error.to_string())).take(100).collect())
}

/// Some sentences as one.
fn told(sentences: &[String]) -> String {
    let shown = sentences.iter().take(SENTENCES_MAX).map(|sentence| sentence.trim().replace('\n', " "));
    let shown = shown.collect::<Vec<_>>().join("; ");
    match sentences.len().saturating_sub(SENTENCES_MAX) {
        0 => shown,
        more => format!("{shown}; and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_contradicts_anything_where_nothing_is() {
        let mut connection = open::in_memory().ok().unwrap();
        migrate::migrate(&mut connection, "memory", Timestamp::default()).ok().unwrap();
        let tx = Tx::new(&connection, Timestamp::default());
        assert_eq!(doctor::find_contradictions(&tx, "look").ok(), Some(vec![]));
    }
}

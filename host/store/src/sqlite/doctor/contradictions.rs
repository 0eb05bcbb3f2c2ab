//! Rows that contradict one another.

use std::path::Path;

use rusqlite::{Connection, types::ValueRef};
use tollgate_core::{RunId, Timestamp};

use super::begin_anew;
use crate::{
    doctor::{Examination, Finding, FindingKind, SENTENCES, Sentence},
    sql,
    tx::{Tx, TxResult, named_params},
};

/// How many rows of a kind are named.
const NAMED_MAX: usize = 5;

/// Finds what contradicts any of the sentences.
pub(super) fn find(connection: &Connection, path: &Path, found: &mut Examination) -> TxResult<()> {
    for sentence in SENTENCES {
        if let Some(finding) = check(connection, sentence, path)? {
            found.add(finding);
        }
    }
    Ok(())
}

fn check(connection: &Connection, sentence: &Sentence, path: &Path) -> TxResult<Option<Finding>> {
    let mut statement = connection.prepare(&sentence.in_sqlite())?;
    let about = statement.column_name(0)?.to_owned();
    let (mut subjects, mut count) = (Subjects::default(), 0_u64);
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        count += 1;
        if let (true, ValueRef::Integer(number)) = (count <= NAMED_MAX as u64, row.get_ref(0)?) {
            subjects.add(&Tx::new(connection, Timestamp::default()), &about, number)?;
        }
    }
    if count == 0 {
        return Ok(None);
    }
    let what = format!("it is not so that {}{}", sentence.text, subjects.told(count));
    let advice =
        format!("no host writes such rows, so suspect the disk or a hand in the file: {}", begin_anew(path));
    Ok(Some(Finding::fault(FindingKind::Rows, what, advice).of(subjects.runs)))
}

/// What rows are about.
#[derive(Default)]
struct Subjects {
    names: Vec<String>,
    runs: Vec<RunId>,
}

impl Subjects {
    fn add(&mut self, tx: &Tx<'_>, about: &str, number: i64) -> TxResult<()> {
        match about {
            "entry_id" => {
                let key =
                    tx.one(sql::ENTRY_GET_BY_ID, named_params! { ":id": number }, |row| row.plain("key"))?;
                self.names.push(key.unwrap_or_else(|| format!("an entry that is not there ({number})")));
            }
            "run_seq" => {
                let run: Option<RunId> =
                    tx.one(sql::RUN_GET_BY_SEQ, named_params! { ":seq": number }, |row| row.parsed("id"))?;
                self.names.push(match run {
                    Some(run) => format!("run {run}"),
                    None => format!("a run that is not there ({number})"),
                });
                self.runs.extend(run);
            }
            _ => {}
        }
        Ok(())
    }

    /// Fits behind a sentence.
    fn told(&self, count: u64) -> String {
        if self.names.is_empty() {
            return String::new();
        }
        let more = count.saturating_sub(self.names.len() as u64);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!(": {}{more}", self.names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::{migrate, open};

    #[test]
    fn nothing_contradicts_anything_where_nothing_is() {
        let mut connection = open::in_memory().ok().unwrap();
        migrate::migrate(&mut connection, "memory", Timestamp::default()).ok().unwrap();
        for sentence in SENTENCES {
            let found = check(&connection, sentence, Path::new("memory"));
            assert_eq!(found.ok(), Some(None), "{}", sentence.text);
        }
    }
}

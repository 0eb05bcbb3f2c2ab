//! Rows that contradict one another, in whatever database.

use tollgate_core::RunId;

use super::{
    Finding, FindingKind, SENTENCES,
    sentences::{Sentence, Subject},
};
use crate::{
    sql,
    tx::{Tx, TxResult, named_params},
};

/// How many rows of a kind are named.
const NAMED_MAX: u64 = 5;

/// What contradicts any of the sentences; each with what to do about it.
pub(crate) fn find(tx: &Tx<'_>, advice: &str) -> TxResult<Vec<Finding>> {
    let mut found = Vec::new();
    for sentence in SENTENCES {
        found.extend(check(tx, sentence, advice)?);
    }
    Ok(found)
}

fn check(tx: &Tx<'_>, sentence: &Sentence, advice: &str) -> TxResult<Option<Finding>> {
    let subject = sentence.subject();
    let (mut numbers, mut count) = (Vec::new(), 0_u64);
    tx.all(sentence.query(), &[], |row| {
        count += 1;
        if let (true, Some(column)) = (count <= NAMED_MAX, subject.column()) {
            numbers.extend(row.plain::<Option<i64>>(column)?);
        }
        Ok(())
    })?;
    if count == 0 {
        return Ok(None);
    }
    let mut subjects = Subjects::default();
    for number in numbers {
        subjects.add(tx, subject, number)?;
    }
    let what = format!("it is not so that {}{}", sentence.text, subjects.told(count));
    let advice = format!("no host writes such rows, so suspect the disk or a hand in the store: {advice}");
    Ok(Some(Finding::fault(FindingKind::Rows, what, advice).of(subjects.runs)))
}

/// What rows are about.
#[derive(Default)]
struct Subjects {
    names: Vec<String>,
    runs: Vec<RunId>,
}

impl Subjects {
    fn add(&mut self, tx: &Tx<'_>, subject: Subject, number: i64) -> TxResult<()> {
        match subject {
            Subject::Entry => {
                let key =
                    tx.one(sql::ENTRY_GET_BY_ID, named_params! { ":id": number }, |row| row.plain("key"))?;
                self.names.push(key.unwrap_or_else(|| format!("an entry that is not there ({number})")));
            }
            Subject::Run => {
                let run: Option<RunId> =
                    tx.one(sql::RUN_GET_ID, named_params! { ":seq": number }, |row| row.parsed("id"))?;
                self.names.push(match run {
                    Some(run) => format!("run {run}"),
                    None => format!("a run that is not there ({number})"),
                });
                self.runs.extend(run);
            }
            Subject::Store => {}
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

//! Takes an export in, in one transaction that writes.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::{
    format::{Header, TableHeader},
    read::{Next, Reader},
    tables::{self, Kind, ROWS_MAX, TABLES},
    write::{BACKLOG_COST, LANE},
};
use crate::{
    StoreError,
    port::{ExportSummary, Source},
    sql,
    tx::{Failure, Tx, TxResult, named_params},
};

/// So many bytes of rows go into one statement, or one row that is larger.
const BATCH_BYTES: usize = 1 << 20;

/// Reads an export to its end; nothing is kept of it.
pub(super) fn check(from: &Source) -> Result<(), StoreError> {
    let (_, mut reader) = open(from)?;
    let mut table = None;
    loop {
        match reader.next()? {
            Next::Table(header) => table = Some(Target::of(&header).map_err(|what| reader.wrong(what))?),
            Next::Row(_) if table.is_some() => {}
            Next::Row(_) => return Err(reader.wrong("a row stands before any table")),
            Next::End(_) => return Ok(()),
        }
    }
}

/// Fills a store in which nothing is.
pub(super) fn store(tx: &Tx<'_>, from: &Source) -> TxResult<ExportSummary> {
    let is_empty = tx.one(sql::STORE_IS_EMPTY, &[], |row| row.plain::<bool>("is_empty"))?;
    if is_empty != Some(true) {
        let text =
            "the store is not empty, and an export is a whole store: import it into one in which nothing is";
        return Err(StoreError::Conflict(text.into()).into());
    }
    let (header, mut reader) = open(from)?;
    put_header(tx, &header)?;
    let mut batch = Batch::default();
    loop {
        match reader.next()? {
            Next::Table(header) => {
                batch.flush(tx)?;
                batch.target = Some(Target::of(&header).map_err(|what| reader.wrong(what))?);
            }
            Next::Row(row) => batch.add(tx, &row)?,
            Next::End(summary) => {
                batch.flush(tx)?;
                return count_on(tx).map(|()| summary);
            }
        }
    }
}

fn open(from: &Source) -> Result<(Header, Reader), StoreError> {
    let from = from().map_err(|error| StoreError::Export(format!("it cannot be read: {error}")))?;
    Reader::open(from)
}

fn put_header(tx: &Tx<'_>, header: &Header) -> TxResult<()> {
    let params = named_params! {
        ":id": header.store.to_string(),
        ":made_at": header.made_at,
        ":seen_at": header.seen_at,
    };
    tx.run(sql::STORE_IMPORT, params)?;
    tx.run(sql::STORE_SET_VTIME, named_params! { ":vtime": header.vtime })?;
    Ok(())
}

/// The database numbers what comes next behind what came in.
fn count_on(tx: &Tx<'_>) -> TxResult<()> {
    for query in (0..TABLES.len()).filter_map(tables::count_on) {
        tx.one(query, &[], |_| Ok(()))?;
    }
    Ok(())
}

/// Where rows go.
#[derive(Debug, Clone, Copy)]
enum Target {
    Lane,
    BacklogCost,
    /// At this place in the list.
    Table(usize),
}

impl Target {
    fn of(header: &TableHeader) -> Result<Self, String> {
        let at = TABLES.iter().position(|table| table.name == header.table);
        let (target, columns) = match header.table.as_str() {
            "lane" => (Self::Lane, LANE),
            "backlog_cost" => (Self::BacklogCost, BACKLOG_COST),
            name => {
                let at = at.ok_or_else(|| format!("this version has no table `{name}`; {LATER}"))?;
                (Self::Table(at), TABLES[at].columns)
            }
        };
        let is_same = columns.iter().map(|(column, _)| *column).eq(header.columns.iter().map(String::as_str));
        match is_same {
            true => Ok(target),
            false => Err(format!("`{}` has other columns in this version; {LATER}", header.table)),
        }
    }
}

const LATER: &str = "import it with the version that wrote it";

/// Rows that go in together.
#[derive(Default)]
struct Batch {
    target: Option<Target>,
    /// An array of arrays, but for the last bracket.
    rows: String,
    count: usize,
}

impl Batch {
    fn add(&mut self, tx: &Tx<'_>, row: &str) -> TxResult<()> {
        match self.target {
            Some(Target::Lane) => return insert_lane(tx, row),
            Some(Target::BacklogCost) => return insert_cost(tx, row),
            Some(Target::Table(_)) => {}
            None => return Err(Failure::damaged("a row stands before any table")),
        }
        self.rows.push(if self.count == 0 { '[' } else { ',' });
        self.rows.push_str(&without_nul(row));
        self.count += 1;
        if self.count >= ROWS_MAX || self.rows.len() >= BATCH_BYTES { self.flush(tx) } else { Ok(()) }
    }

    fn flush(&mut self, tx: &Tx<'_>) -> TxResult<()> {
        let (Some(Target::Table(at)), true) = (self.target, self.count > 0) else { return Ok(()) };
        self.rows.push(']');
        let inserted = tx.run(tables::insert(at), named_params! { ":rows": self.rows })?;
        if inserted != self.count {
            let name = TABLES[at].name;
            return Err(Failure::damaged(format!("of {} rows of `{name}` {inserted} came in", self.count)));
        }
        self.rows.clear();
        self.count = 0;
        Ok(())
    }
}

/// JSON with the sign for what cannot be shown in place of the one character that PostgreSQL keeps in no text, as a store in PostgreSQL has
/// it of what comes in there.
fn without_nul(json: &str) -> Cow<'_, str> {
    const NUL: &str = "\\u0000";
    if !json.contains(NUL) {
        return Cow::Borrowed(json);
    }
    let mut parts = json.split(NUL);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // Behind an odd number of backslashes it is a text that speaks of the character.
        let backslashes = text.bytes().rev().take_while(|byte| *byte == b'\\').count();
        text.push_str(if backslashes % 2 == 0 { "\\ufffd" } else { NUL });
        text.push_str(part);
    }
    Cow::Owned(text)
}

fn insert_lane(tx: &Tx<'_>, row: &str) -> TxResult<()> {
    let row = Few::of(row, LANE)?;
    let params = named_params! {
        ":id": row.number(0)?,
        ":backlog": row.text(1)?,
        ":pipeline": row.text(2)?,
        ":kind": row.text(3)?,
        ":pins": hex::decode(row.text(4)?).map_err(Failure::damaged)?,
        ":open": row.number(5)? != 0,
        ":vtime": row.number(6)?,
    };
    tx.run(sql::LANE_IMPORT, params)?;
    Ok(())
}

fn insert_cost(tx: &Tx<'_>, row: &str) -> TxResult<()> {
    let row = Few::of(row, BACKLOG_COST)?;
    tx.run(sql::BACKLOG_COST_ADD, named_params! { ":backlog": row.text(0)?, ":cost": row.number(1)? })?;
    Ok(())
}

/// A row of a table of a few.
struct Few(Vec<Json>);

impl Few {
    fn of(row: &str, columns: &[(&str, Kind)]) -> TxResult<Self> {
        let values: Vec<Json> = serde_json::from_str(row).map_err(Failure::damaged)?;
        if values.len() == columns.len() {
            Ok(Self(values))
        } else {
            Err(Failure::damaged("a row is too short"))
        }
    }

    fn number(&self, at: usize) -> TxResult<i64> {
        self.0[at].as_i64().ok_or_else(|| Failure::damaged(format!("{} is no number", self.0[at])))
    }

    fn text(&self, at: usize) -> TxResult<&str> {
        self.0[at].as_str().ok_or_else(|| Failure::damaged(format!("{} is no text", self.0[at])))
    }
}

#[cfg(test)]
mod tests {
    use super::without_nul;

    #[track_caller]
    fn check(json: &str, expected: &str) {
        assert_eq!(without_nul(json), expected);
        serde_json::from_str::<serde_json::Value>(expected).unwrap();
    }

    #[test]
    fn a_nul_is_not_a_text_about_one() {
        check(r#"["a", 1]"#, r#"["a", 1]"#);
        check(r#"["\u0000a\u0000\u0000"]"#, r#"["\ufffda\ufffd\ufffd"]"#);
        check(r#"["\\u0000", "\\\u0000", "\\\\u0000"]"#, r#"["\\u0000", "\\\ufffd", "\\\\u0000"]"#);
    }
}

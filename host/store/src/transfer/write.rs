//! Writes a store out, page by page, in one transaction that reads.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde::Serialize;
use serde_json::Value as Json;

use super::{
    chains::{Chains, Named},
    format::{FORMAT, Header, Lines, TableHeader, Trailer},
    tables::{self, Kind, ROWS_MAX, TABLES, Table},
};
use crate::{
    StoreError,
    port::ExportSummary,
    sql::{self, Query},
    tx::{Failure, Param, Row, Tx, TxResult, Value, named_params},
};

/// What a lane is in every database.
pub(super) const LANE: &[(&str, Kind)] = &[
    ("id", Kind::Integer),
    ("backlog", Kind::Text),
    ("pipeline", Kind::Text),
    ("kind", Kind::Text),
    ("pins", Kind::Bytes),
    ("open", Kind::Truth),
    ("vtime", Kind::Integer),
];

/// What the runs of a backlog have cost, in every database.
pub(super) const BACKLOG_COST: &[(&str, Kind)] = &[("backlog", Kind::Text), ("cost", Kind::Integer)];

/// Writes all of it.
pub(super) fn store(tx: &Tx<'_>, to: &mut dyn Write) -> TxResult<ExportSummary> {
    let mut out = Out { to, lines: Lines::new(), chains: Chains::new(), rows: BTreeMap::new() };
    out.line(&header(tx)?)?;
    out.whole(tx, "lane", LANE, sql::LANE_EXPORT)?;
    out.whole(tx, "backlog_cost", BACKLOG_COST, sql::BACKLOG_COST_LIST)?;
    for (at, table) in TABLES.iter().enumerate() {
        out.table(tx, at, table)?;
    }
    out.end()
}

fn header(tx: &Tx<'_>) -> TxResult<Header> {
    let header = tx.one(sql::STORE_GET, &[], |row| {
        Ok(Header {
            format: FORMAT,
            store: row.parsed("id")?,
            made_at: row.plain("made_at")?,
            seen_at: row.plain("seen_at")?,
            vtime: row.plain("vtime")?,
        })
    })?;
    header.ok_or_else(|| Failure::damaged("it has no row about itself"))
}

struct Out<'w> {
    to: &'w mut dyn Write,
    lines: Lines,
    chains: Chains,
    rows: BTreeMap<String, u64>,
}

/// A value that was read, kept to ask for what comes after it.
#[derive(Debug, Clone)]
enum Cell {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Out<'_> {
    /// A table of a few rows.
    fn whole(
        &mut self,
        tx: &Tx<'_>,
        name: &'static str,
        columns: &[(&'static str, Kind)],
        query: Query,
    ) -> TxResult<()> {
        let header = self.begin(name, columns)?;
        for cells in tx.all(query, &[], |row| cells(row, columns))? {
            self.row(&header, &cells)?;
        }
        Ok(())
    }

    fn table(&mut self, tx: &Tx<'_>, at: usize, table: &Table) -> TxResult<()> {
        let header = self.begin(table.name, table.columns)?;
        let read = |row: &Row<'_>| cells(row, table.columns);
        let mut page = tx.all(tables::first(at), named_params! { ":limit": ROWS_MAX }, read)?;
        while let Some(last) = page.last() {
            let key = key_of(table, last);
            for cells in &page {
                self.row(&header, cells)?;
            }
            if page.len() < ROWS_MAX {
                break;
            }
            let mut params: Vec<(&str, &dyn Param)> = vec![(":limit", &ROWS_MAX)];
            params.extend(key.iter().map(|(name, cell)| (name.as_str(), cell as &dyn Param)));
            page = tx.all(tables::next(at), &params, read)?;
        }
        Ok(())
    }

    fn begin(&mut self, name: &str, columns: &[(&str, Kind)]) -> TxResult<TableHeader> {
        let columns = columns.iter().map(|(column, _)| (*column).to_owned()).collect();
        let header = TableHeader { table: name.to_owned(), columns };
        self.line(&header)?;
        self.rows.insert(name.to_owned(), 0);
        Ok(header)
    }

    fn row(&mut self, header: &TableHeader, cells: &[Cell]) -> TxResult<()> {
        let values: Vec<Json> = cells.iter().map(Cell::json).collect();
        let row = Named { columns: &header.columns, values: &values };
        let fits = match header.table.as_str() {
            "run" => self.chains.run(&row),
            "event" => self.chains.event(&row),
            "event_pack" => self.chains.pack(&row),
            _ => Ok(()),
        };
        fits.map_err(Failure::damaged)?;
        *self.rows.entry(header.table.clone()).or_default() += 1;
        self.line(&values)
    }

    fn end(mut self) -> TxResult<ExportSummary> {
        self.chains.finish().map_err(Failure::damaged)?;
        let end = ExportSummary {
            rows: std::mem::take(&mut self.rows),
            runs: self.chains.runs,
            events: self.chains.events,
            heads: self.chains.digest,
            lines: self.lines.digest(),
        };
        self.line(&Trailer { end: end.clone() })?;
        self.to.flush().map_err(|error| not_written(&error))?;
        Ok(end)
    }

    fn line(&mut self, value: &impl Serialize) -> TxResult<()> {
        let mut line = serde_json::to_vec(value).map_err(Failure::damaged)?;
        self.lines.add(&line);
        line.push(b'\n');
        self.to.write_all(&line).map_err(|error| not_written(&error).into())
    }
}

fn not_written(error: &io::Error) -> StoreError {
    StoreError::Export(format!("it cannot be written: {error}"))
}

fn cells(row: &Row<'_>, columns: &[(&'static str, Kind)]) -> TxResult<Vec<Cell>> {
    columns.iter().map(|(column, kind)| cell(row, column, *kind)).collect()
}

fn cell(row: &Row<'_>, column: &str, kind: Kind) -> TxResult<Cell> {
    let cell = match kind {
        Kind::Integer | Kind::Truth => row.plain::<Option<i64>>(column)?.map(Cell::Integer),
        Kind::Text => row.plain::<Option<String>>(column)?.map(Cell::Text),
        Kind::Bytes => row.plain::<Option<Vec<u8>>>(column)?.map(Cell::Bytes),
    };
    Ok(cell.unwrap_or(Cell::Null))
}

/// What names the row in `:` and the names of the columns of its key.
fn key_of(table: &Table, cells: &[Cell]) -> Vec<(String, Cell)> {
    let named = table.columns.iter().zip(cells).filter(|((column, _), _)| table.key.contains(column));
    named.map(|((column, _), cell)| (format!(":{column}"), cell.clone())).collect()
}

impl Cell {
    fn json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Integer(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
            Self::Bytes(bytes) => hex::encode(bytes).into(),
        }
    }
}

impl Param for Cell {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(number) => Value::Integer(*number),
            Self::Text(text) => Value::Text(text),
            Self::Bytes(bytes) => Value::Bytes(bytes),
        }
    }
}

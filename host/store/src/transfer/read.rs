//! Reads an export line by line, and believes nothing of it.

use std::{
    collections::BTreeMap,
    io::{BufRead, Read as _},
};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    chains::{Chains, Named},
    format::{AnyHeader, FORMAT, Header, Lines, TableHeader, Trailer},
};
use crate::{StoreError, port::ExportSummary};

/// No line of an export is longer: a row has a few texts of some megabytes at most.
const LINE_BYTES_MAX: u64 = 256 << 20;

/// An export that is being read.
pub(super) struct Reader {
    from: Box<dyn BufRead>,
    /// The number of the line that was read last.
    line: u64,
    lines: Lines,
    chains: Chains,
    rows: BTreeMap<String, u64>,
    table: TableHeader,
}

/// What comes next.
pub(super) enum Next {
    /// The rows of this table follow.
    Table(TableHeader),
    /// A row of it, as JSON.
    Row(String),
    /// Nothing: all of it fits.
    End(ExportSummary),
}

type Result<T> = std::result::Result<T, StoreError>;

impl Reader {
    /// Reads the first line.
    pub(super) fn open(from: Box<dyn BufRead>) -> Result<(Header, Self)> {
        let mut reader = Self {
            from,
            line: 0,
            lines: Lines::new(),
            chains: Chains::new(),
            rows: BTreeMap::new(),
            table: TableHeader { table: String::new(), columns: Vec::new() },
        };
        let line = reader.read_line()?;
        let AnyHeader { format } =
            serde_json::from_str(&line).map_err(|_| reader.wrong("this is no export of a store"))?;
        if format > FORMAT {
            let wrong = format!(
                "it has format {format}, and this version knows up to {FORMAT}; import it with the version that wrote it"
            );
            return Err(reader.wrong(wrong));
        }
        let header = reader.parsed(&line)?;
        reader.lines.add(line.as_bytes());
        Ok((header, reader))
    }

    /// Reads on.
    pub(super) fn next(&mut self) -> Result<Next> {
        let line = self.read_line()?;
        if line.starts_with('[') {
            self.row(&line)?;
            self.lines.add(line.as_bytes());
            return Ok(Next::Row(line));
        }
        if line.starts_with("{\"end\"") {
            return self.end(&line).map(Next::End);
        }
        self.table = self.parsed(&line)?;
        self.rows.insert(self.table.table.clone(), 0);
        self.lines.add(line.as_bytes());
        Ok(Next::Table(self.table.clone()))
    }

    /// Something is wrong with the line that was read last.
    pub(super) fn wrong(&self, what: impl std::fmt::Display) -> StoreError {
        StoreError::Export(format!("line {}: {what}", self.line))
    }

    fn row(&mut self, line: &str) -> Result<()> {
        match self.rows.get_mut(&self.table.table) {
            Some(rows) => *rows += 1,
            None => return Err(self.wrong("a row stands before any table")),
        }
        let feed = match self.table.table.as_str() {
            "run" => Chains::run,
            "event" => Chains::event,
            "event_pack" => Chains::pack,
            _ => return Ok(()),
        };
        let values: Vec<Value> = self.parsed(line)?;
        let row = Named { columns: &self.table.columns, values: &values };
        feed(&mut self.chains, &row).map_err(|what| self.wrong(what))
    }

    fn end(&mut self, line: &str) -> Result<ExportSummary> {
        let Trailer { end } = self.parsed(line)?;
        self.chains.finish().map_err(|what| self.wrong(what))?;
        let read = ExportSummary {
            rows: std::mem::take(&mut self.rows),
            runs: self.chains.runs,
            events: self.chains.events,
            heads: self.chains.digest,
            lines: self.lines.digest(),
        };
        if end != read {
            return Err(
                self.wrong("what stands before does not add up to what the last line says: it was changed")
            );
        }
        match self.from.fill_buf() {
            Ok([]) => Ok(read),
            Ok(_) => Err(self.wrong("something follows the last line")),
            Err(error) => Err(self.wrong(error)),
        }
    }

    fn read_line(&mut self) -> Result<String> {
        self.line += 1;
        let mut line = String::new();
        let read = self.from.by_ref().take(LINE_BYTES_MAX).read_line(&mut line);
        read.map_err(|error| self.wrong(error))?;
        match line.pop() {
            Some('\n') => Ok(line),
            _ => Err(self.wrong("it ends too early: it was cut")),
        }
    }

    fn parsed<T: DeserializeOwned>(&self, line: &str) -> Result<T> {
        serde_json::from_str(line).map_err(|error| self.wrong(error))
    }
}

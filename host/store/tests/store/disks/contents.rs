//! The rows of a store.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
};

use rusqlite::{Connection, Row, types::Value};
use tollgate_core::Digest;

/// All rows of all tables, but for what does no harm whichever moment it is of: the store's row about itself, of which only the latest
/// counts, and the turns of lanes. Who is served some claims before its turn is served so much later after that.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Contents(BTreeMap<String, BTreeSet<String>>);

impl Contents {
    pub(crate) fn of(path: &Path) -> Self {
        let connection = Connection::open(path).unwrap();
        let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'store'";
        let mut tables = connection.prepare(tables).unwrap();
        let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap);
        let rows = |table: String| {
            let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
            let names: Vec<_> = statement.column_names().into_iter().map(str::to_owned).collect();
            let line = |row: &Row<'_>| -> rusqlite::Result<String> {
                let cells = names.iter().enumerate();
                let cells = cells.filter(|(_, name)| (table.as_str(), name.as_str()) != ("lane", "vtime"));
                let cells = cells.map(|(column, name)| Ok(format!("{name}={}", text(&row.get(column)?))));
                Ok(cells.collect::<rusqlite::Result<Vec<_>>>()?.join(" "))
            };
            let rows = statement.query_map([], line).unwrap().map(Result::unwrap).collect();
            (table, rows)
        };
        Self(tables.map(rows).collect())
    }

    pub(crate) fn digest(&self) -> Digest {
        Digest::of(format!("{:?}", self.0))
    }

    /// What differs, a row a line: what is here and not there, and what is there and not here.
    pub(crate) fn differs_from(&self, other: &Self) -> Differences {
        let mut differences = Vec::new();
        let none = BTreeSet::new();
        for table in self.0.keys().chain(other.0.keys()).collect::<BTreeSet<_>>() {
            let [rows, others] = [self, other].map(|contents| contents.0.get(table).unwrap_or(&none));
            differences.extend(rows.difference(others).map(|row| format!("+ {table}: {row}")));
            differences.extend(others.difference(rows).map(|row| format!("- {table}: {row}")));
        }
        Differences(differences)
    }
}

/// Rows that differ.
#[derive(Debug, Default)]
pub(crate) struct Differences(Vec<String>);

impl Differences {
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| writeln!(f, "    {line:.400}"))
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => format!("{text:?}"),
        Value::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

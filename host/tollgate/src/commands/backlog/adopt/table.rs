//! Finished work as another system exports it.

use std::{fs, path::Path};

use csv::{ByteRecord, ReaderBuilder, StringRecord};
use tollgate_core::{
    Timestamp,
    adoption::{Evidence, EvidenceKind},
};
use tollgate_engine::adopt::Testimony;

use crate::{
    error::{Failure, Result},
    ui::text::nearest,
};

/// What a column may be, and what it is called where nobody says.
const COLUMNS: [&str; 4] = ["key", "title", "done-at", "evidence"];

/// Where each of [`COLUMNS`] is in a table.
struct Layout {
    key: usize,
    title: Option<usize>,
    done_at: Option<usize>,
    evidence: Option<usize>,
}

/// What a table says. `columns` are `WHAT=NAME`.
///
/// # Errors
///
/// When it cannot be read, a column is missing, or a line says something that a column cannot mean; with line and column.
pub(super) fn read(
    path: &Path,
    columns: &[String],
    time_of: &dyn Fn(&str) -> Option<Timestamp>,
) -> Result<Vec<Testimony>> {
    let shown = path.display().to_string();
    let bytes = fs::read(path).map_err(Failure::io(format!("read {shown}")))?;
    let table = Table { shown: &shown, time_of };
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter(&bytes))
        .has_headers(false)
        .flexible(true)
        .from_reader(bytes.as_slice());
    let mut rows = reader.byte_records();
    let names = match rows.next() {
        Some(row) => table.text(row.map_err(|error| table.unreadable(&error))?)?,
        None => return Err(Failure::mistake(format!("{shown} is empty"))),
    };
    let layout = table.layout(&names, columns)?;
    let mut found = Vec::new();
    for row in rows {
        let row = table.text(row.map_err(|error| table.unreadable(&error))?)?;
        found.push(table.testimony(&row, &names, &layout)?);
    }
    if found.is_empty() {
        return Err(Failure::mistake(format!("{shown} has no line but the names of its columns")));
    }
    Ok(found)
}

/// What stands between the columns: of comma, semicolon and tab, the one that the first line has most of.
fn delimiter(bytes: &[u8]) -> u8 {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let times = |mark: &u8| first.iter().filter(|byte| *byte == mark).count();
    // Of equals the last counts.
    [b'\t', b';', b','].into_iter().max_by_key(times).unwrap_or(b',')
}

struct Table<'t> {
    shown: &'t str,
    time_of: &'t dyn Fn(&str) -> Option<Timestamp>,
}

impl Table<'_> {
    fn text(&self, row: ByteRecord) -> Result<StringRecord> {
        let line = line_of(row.position());
        StringRecord::from_byte_record(row).map_err(|error| {
            let column = error.utf8_error().field() + 1;
            Failure::mistake_with_hint(
                format!("{}, line {line}, column {column} is no UTF-8", self.shown),
                "save the table as UTF-8",
            )
        })
    }

    fn unreadable(&self, error: &csv::Error) -> Failure {
        Failure::mistake(format!("{}, line {}: {error}", self.shown, line_of(error.position())))
    }

    fn layout(&self, names: &StringRecord, columns: &[String]) -> Result<Layout> {
        let mut called: [Option<&str>; 4] = [None; 4];
        for column in columns {
            let Some((what, name)) = column.split_once('=') else {
                let hint = "e.g. `--column key=Issue`";
                return Err(Failure::mistake_with_hint(format!("`{column}` names no column"), hint));
            };
            match COLUMNS.iter().position(|known| *known == what) {
                Some(at) => called[at] = Some(name),
                None => {
                    let hint = format!("a column is one of {}", COLUMNS.join(", "));
                    return Err(Failure::mistake_with_hint(
                        format!("there is no column `{what}` to name"),
                        hint,
                    ));
                }
            }
        }
        let mut places = [None; 4];
        for (at, what) in COLUMNS.iter().enumerate() {
            let name = called[at].unwrap_or(what);
            places[at] = names.iter().position(|known| is_called(known, name));
            if places[at].is_none() && (*what == "key" || called[at].is_some()) {
                return Err(self.no_column(what, name, names));
            }
        }
        let [key, title, done_at, evidence] = places;
        let key = key.ok_or_else(|| self.no_column("key", "key", names))?;
        Ok(Layout { key, title, done_at, evidence })
    }

    fn no_column(&self, what: &str, name: &str, names: &StringRecord) -> Failure {
        let there: Vec<_> = names.iter().map(|name| format!("`{}`", bare(name))).collect();
        let near = nearest(name, names.iter()).unwrap_or_else(|| names.get(0).unwrap_or("NAME"));
        Failure::mistake_with_hint(
            format!("{}, line 1: no column is called `{name}`; there are {}", self.shown, there.join(", ")),
            format!("`--column '{what}={}'` says which one is meant", bare(near)),
        )
    }

    fn testimony(&self, row: &StringRecord, names: &StringRecord, layout: &Layout) -> Result<Testimony> {
        let line = line_of(row.position());
        let value = |column: Option<usize>| {
            column.and_then(|column| row.get(column)).map(str::trim).filter(|text| !text.is_empty())
        };
        let place = |column: usize| {
            let name = bare(names.get(column).unwrap_or_default());
            format!("{}, line {line}, column `{name}`", self.shown)
        };
        let key = value(Some(layout.key))
            .ok_or_else(|| Failure::mistake(format!("{} is empty", place(layout.key))))?;
        let done_at = match (value(layout.done_at), layout.done_at) {
            (Some(text), Some(column)) => Some((self.time_of)(text).ok_or_else(|| {
                Failure::mistake_with_hint(
                    format!("{}: `{text}` is no time", place(column)),
                    "write a date, e.g. `2026-11-21`, or a time in RFC 3339, e.g. `2026-11-21T08:00:00Z`",
                )
            })?),
            _ => None,
        };
        Ok(Testimony {
            written: key.to_owned(),
            title: value(layout.title).map(str::to_owned),
            evidence: Evidence {
                kind: EvidenceKind::Table,
                place: format!("{}:{line}", self.shown),
                says: value(layout.evidence).unwrap_or_default().to_owned(),
                done_at,
            },
        })
    }
}

/// Programs begin a file with a mark that is no part of the first name.
fn bare(name: &str) -> &str {
    name.trim_start_matches('\u{feff}').trim()
}

fn is_called(known: &str, name: &str) -> bool {
    let plain = |name: &str| bare(name).to_lowercase().replace(['_', ' '], "-");
    plain(known) == plain(name)
}

fn line_of(position: Option<&csv::Position>) -> u64 {
    position.map_or(1, csv::Position::line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(bytes: &[u8], columns: &[&str]) -> Result<Vec<Testimony>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("done.csv");
        fs::write(&path, bytes).unwrap();
        let columns: Vec<_> = columns.iter().map(|column| (*column).to_owned()).collect();
        let day = |text: &str| format!("{text}T00:00:00Z").parse().ok();
        read(&path, &columns, &day)
    }

    #[track_caller]
    fn check_refused(text: &[u8], columns: &[&str], words: &str) {
        let failure = read_text(text, columns).unwrap_err();
        let said = failure.to_string();
        assert!(said.contains(words), "{said}");
        assert_eq!(failure.exit(), crate::exit::Exit::Mistake);
    }

    #[test]
    fn tables_of_all_programs_are_read() {
        let plain =
            "key,title,done_at,evidence\nLIB-1,\"Commas, and\nlines\",2026-01-31,https://wiki/1\nLIB-2\n";
        let found = read_text(plain.as_bytes(), &[]).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].title.as_deref(), Some("Commas, and\nlines"));
        assert_eq!(found[0].evidence.says, "https://wiki/1");
        assert_eq!(found[0].evidence.done_at.unwrap().to_string(), "2026-01-31T00:00:00.000Z");
        assert!(found[1].evidence.place.ends_with("done.csv:4"), "{}", found[1].evidence.place);

        let other = "\u{feff}Vorgang;Titel;Link\r\nLIB-1;Suche;https://wiki/1\r\n";
        let found = read_text(other.as_bytes(), &["key=Vorgang", "evidence=link"]).unwrap();
        assert_eq!((found[0].written.as_str(), found[0].evidence.says.as_str()), ("LIB-1", "https://wiki/1"));
    }

    #[test]
    fn what_is_wrong_is_said_with_line_and_column() {
        check_refused(
            b"Issue,Link\nA-1,x\n",
            &[],
            "line 1: no column is called `key`; there are `Issue`, `Link`",
        );
        check_refused(b"key\nA-1\n", &["title=Name"], "line 1: no column is called `Name`; there are `key`");
        check_refused(b"key\nA-1\n", &["colour=Name"], "there is no column `colour` to name");
        check_refused(b"key\nA-1\n", &["key"], "`key` names no column");
        check_refused(b"key,title\nA-1,x\n ,y\n", &[], "line 3, column `key` is empty");
        check_refused(b"key,done_at\nA-1,spring\n", &[], "line 2, column `done_at`: `spring` is no time");
        check_refused(b"key,title\nA-1,\xff\n", &[], "line 2, column 2 is no UTF-8");
        check_refused(b"key\n", &[], "has no line but the names of its columns");
        check_refused(b"", &[], "is empty");
    }
}

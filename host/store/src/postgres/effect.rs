//! What a query reads and writes, as far as its text says, so that one may go before another where neither sees a difference.

use std::sync::LazyLock;

use super::{
    many::{Form, Verb},
    migrate::MIGRATIONS,
};

/// A set of tables, a bit each.
type Tables = u128;

/// What is written with a table, by triggers.
const WRITTEN_WITH: [(&str, &str); 2] = [("ready", "lane_share"), ("entry", "coverage")];

/// What a query reads and writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effect {
    verb: Verb,
    /// What its text names; all where it names a view.
    names: Tables,
    writes: Tables,
    /// What rows that it writes refer to.
    refers_to: Tables,
}

/// The tables of the schema.
struct Schema {
    tables: Vec<Table>,
    views: Vec<&'static str>,
}

struct Table {
    name: &'static str,
    refers_to: Vec<&'static str>,
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let mut schema = Schema { tables: Vec::new(), views: Vec::new() };
    for line in MIGRATIONS.iter().flat_map(|migration| migration.statements.lines()) {
        let mut words =
            line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        match (words.next(), words.next(), words.next()) {
            (Some("CREATE"), Some("TABLE"), Some(name)) => {
                schema.tables.push(Table { name, refers_to: Vec::new() });
            }
            (Some("CREATE"), Some("VIEW"), Some(name)) => schema.views.push(name),
            _ => {}
        }
        let referred = line.split_once("REFERENCES ").and_then(|(_, rest)| rest.split(' ').next());
        if let (Some(name), Some(table)) = (referred, schema.tables.last_mut()) {
            table.refers_to.push(name);
        }
    }
    assert!(schema.tables.len() <= Tables::BITS as usize, "there are more tables than bits");
    schema
});

impl Schema {
    fn bit(&self, name: &str) -> Tables {
        let at = self.tables.iter().position(|table| table.name == name);
        at.map_or(0, |at| 1 << at)
    }

    fn bits<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Tables {
        names.into_iter().fold(0, |bits, name| bits | self.bit(name))
    }

    fn referred_by(&self, name: &str) -> Tables {
        let table = self.tables.iter().find(|table| table.name == name);
        table.map_or(0, |table| self.bits(table.refers_to.iter().copied()))
    }
}

impl Effect {
    pub(super) fn of(form: &Form) -> Self {
        let written = match form.verb {
            Verb::Insert => form.word_after("INTO"),
            Verb::Update => form.word_after("UPDATE"),
            Verb::Delete => form.word_after("FROM"),
            Verb::Select | Verb::Other => None,
        };
        let with = WRITTEN_WITH.iter().filter(|(table, _)| written == Some(table)).map(|(_, with)| *with);
        let names_view = form.words().any(|word| SCHEMA.views.contains(&word));
        Self {
            verb: form.verb,
            names: if names_view { Tables::MAX } else { SCHEMA.bits(form.words()) },
            writes: SCHEMA.bits(written.into_iter().chain(with)),
            refers_to: written.map_or(0, |written| SCHEMA.referred_by(written)),
        }
    }

    /// Whether it may be done before `other` that was to be done first: neither reads nor changes what the other writes, and what a row
    /// refers to is there before it and after it. What may do anything goes before nothing.
    pub(super) fn may_go_before(&self, other: &Self) -> bool {
        let makes_or_takes = |effect: &Self| !matches!(effect.verb, Verb::Update | Verb::Select);
        let is_known = |effect: &Self| effect.verb != Verb::Other;
        is_known(self)
            && is_known(other)
            && self.names & other.writes == 0
            && self.writes & other.names == 0
            && !(makes_or_takes(other) && self.refers_to & other.writes != 0)
            && !(self.verb == Verb::Delete && other.refers_to & self.writes != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(this: &str, other: &str, may: bool) {
        let effect = |text| Effect::of(&Form::of(text));
        assert_eq!(effect(this).may_go_before(&effect(other)), may, "{this} before {other}");
    }

    #[test]
    fn what_is_about_other_tables_may_go_first() {
        check("INSERT INTO event (run_seq) VALUES ($1)", "UPDATE run SET cost = 0 WHERE seq = $1", true);
        check("INSERT INTO run (seq) VALUES ($1)", "INSERT INTO event (run_seq) VALUES ($1)", true);
        check("SELECT 1 FROM entry WHERE id = $1", "SELECT 1 FROM entry WHERE key = $1", true);
    }

    #[test]
    fn what_is_about_the_same_may_not() {
        check("UPDATE run SET cost = 0 WHERE seq = $1", "UPDATE run SET cost = 1 WHERE id = $1", false);
        check("SELECT 1 FROM run WHERE seq = $1", "UPDATE run SET cost = 1 WHERE id = $1", false);
        check("UPDATE run SET cost = 0 WHERE seq = $1", "SELECT 1 FROM run WHERE seq = $1", false);
        check("SELECT 1 FROM run_line WHERE seq = $1", "UPDATE run SET cost = 1 WHERE id = $1", false);
        check("SELECT 1 FROM lane_share", "DELETE FROM ready WHERE entry_id = $1", false);
        check("SELECT 1", "WITH gone AS (DELETE FROM run) SELECT 1", false);
    }

    #[test]
    fn what_a_row_refers_to_is_there_before_it() {
        check("INSERT INTO event (run_seq) VALUES ($1)", "INSERT INTO run (seq) VALUES ($1)", false);
        check("DELETE FROM run WHERE seq = $1", "INSERT INTO event (run_seq) VALUES ($1)", false);
    }
}

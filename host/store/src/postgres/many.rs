//! What a query does for one set of values, done for many of them at once.
//!
//! The rules write a row at a time, and ask about a run at a time; for the server much of the price of that is the statement, and not the row.
//! So the text of a query is made into one that takes an array for each parameter (`unnest`):
//!
//! * `INSERT … VALUES (…)` inserts a row for each of them, in their order;
//! * `UPDATE … WHERE key = …` and `DELETE … WHERE …` go through them;
//! * of `SELECT`, the number of the values stands in [`NUMBER`] beside what is answered to them. It is asked for each of them by itself
//!   (`LATERAL`, and `OFFSET` keeps the planner from making a join of it), so it is planned as for one, and locks in their order.
//!
//! Of those that add a number to what is there, and say so, one adds the sum.
//!
//! What is of none of these forms is done one by one, and so is what would not be the same: an update that comes to one row twice, since a
//! statement changes a row once, and an insert that changes what it finds.

use tokio_postgres::types::Type;

/// The column of an answer that says to which values it is.
pub(super) const NUMBER: &str = "many_number";

/// The comment that names a parameter which is added to what is there.
const SUMS: &str = "-- Sums ";

/// The name of the parameter that a query adds to what is there: one with the sum does what several do that are alike but for it.
pub(super) fn summed(query: &str) -> Option<&str> {
    query.lines().find_map(|line| line.strip_prefix(SUMS)).map(|name| name.trim_end_matches('.'))
}

/// What a query does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Select,
    Insert,
    Update,
    Delete,
    /// It may do anything.
    Other,
}

/// A query without its comments, and how it is done for many.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) verb: Verb,
    text: String,
    /// Of an update: the parameter that says which row.
    pub(super) key: Option<usize>,
    /// Whether it can be done for many at once.
    pub(super) is_for_many: bool,
}

impl Form {
    /// Of a query with numbers for its parameters.
    pub(super) fn of(numbered: &str) -> Self {
        let text = without_comments(numbered);
        let verb = match text.split_whitespace().next() {
            Some("SELECT") => Verb::Select,
            Some("INSERT") => Verb::Insert,
            Some("UPDATE") => Verb::Update,
            Some("DELETE") => Verb::Delete,
            _ => Verb::Other,
        };
        let key = match verb {
            Verb::Update => at_top(&text, "WHERE").and_then(|at| first_parameter(&text[at..])),
            Verb::Select | Verb::Insert | Verb::Delete | Verb::Other => None,
        };
        let form = Self { verb, text, key, is_for_many: false };
        Self { is_for_many: form.around("").is_some(), ..form }
    }

    /// The text that does it for many: with an array of each of these types.
    pub(super) fn for_many(&self, types: &[Type]) -> Option<String> {
        let numbers = 1..=types.len();
        let arrays: Vec<_> =
            numbers.clone().zip(types).map(|(n, kind)| format!("CAST(${n} AS {}[])", kind.name())).collect();
        let columns: Vec<_> = numbers.map(|n| format!("p{n}")).collect();
        let rows =
            format!("unnest({}) WITH ORDINALITY AS many ({}, number)", arrays.join(", "), columns.join(", "));
        self.around(&rows)
    }

    /// The text that takes its values from `rows`.
    fn around(&self, rows: &str) -> Option<String> {
        first_parameter(&self.text)?;
        let text = &with_columns(&self.text);
        match self.verb {
            Verb::Select => {
                let has_its_end = ["LIMIT", "FOR"].iter().any(|word| at_top(text, word).is_some());
                let end = if has_its_end { "" } else { " OFFSET 0" };
                Some(format!(
                    "SELECT many.number AS {NUMBER}, one.* FROM {rows} CROSS JOIN LATERAL ({text}{end}) AS one"
                ))
            }
            Verb::Insert => {
                let at = at_top(text, "VALUES")?;
                let (into, values) = (&text[..at], text[at + "VALUES".len()..].trim_start());
                let end = end_of_parenthesis(values)?;
                let (values, conflict) = (&values[1..end], &values[end + 1..]);
                let is_simple = !conflict.contains("DO UPDATE") && !conflict.contains("RETURNING");
                is_simple.then(|| format!("{into}SELECT {values} FROM {rows} WHERE true{conflict}"))
            }
            Verb::Update => {
                let at = at_top(text, "WHERE").filter(|_| self.key.is_some())?;
                let is_simple = at_top(&text[..at], "FROM").is_none() && at_top(text, "RETURNING").is_none();
                is_simple.then(|| format!("{}FROM {rows} {}", &text[..at], &text[at..]))
            }
            Verb::Delete => {
                let at = at_top(text, "WHERE")?;
                let is_simple = at_top(text, "USING").is_none() && at_top(text, "RETURNING").is_none();
                is_simple.then(|| format!("{}USING {rows} {}", &text[..at], &text[at..]))
            }
            Verb::Other => None,
        }
    }

    /// The words that it is made of.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.text.split(|c: char| !is_part_of_word(c)).filter(|word| !word.is_empty())
    }

    /// What stands after one of these words, such as the table after `INTO`.
    pub(super) fn word_after(&self, word: &str) -> Option<&str> {
        let mut words = self.words();
        words.find(|found| *found == word)?;
        words.next()
    }
}

fn is_part_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn without_comments(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("--"));
    lines.collect::<Vec<_>>().join("\n").trim().trim_end_matches(';').to_owned()
}

/// With the columns of `many` in place of the numbers.
fn with_columns(text: &str) -> String {
    text.replace('$', "many.p")
}

fn first_parameter(text: &str) -> Option<usize> {
    let digits = text.split_once('$')?.1;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok()
}

/// Where a word stands that is in no parenthesis and no quotes.
fn at_top(text: &str, word: &str) -> Option<usize> {
    let (mut depth, mut quoted, mut before) = (0_u32, false, ' ');
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ if !quoted && depth == 0 && !is_part_of_word(before) => {
                let ends = |rest: &str| !rest.starts_with(is_part_of_word);
                if text[at..].strip_prefix(word).is_some_and(ends) {
                    return Some(at);
                }
            }
            _ => {}
        }
        before = c;
    }
    None
}

/// Where what begins with a parenthesis has its end.
fn end_of_parenthesis(text: &str) -> Option<usize> {
    let (mut depth, mut quoted) = (0_u32, false);
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth == 1 => return Some(at),
            ')' if !quoted => depth -= 1,
            _ if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str =
        "unnest(CAST($1 AS int8[]), CAST($2 AS text[])) WITH ORDINALITY AS many (p1, p2, number)";

    #[track_caller]
    fn check(query: &str, many: Option<&str>) {
        let many = many.map(|text| text.replace("ROWS", ROWS));
        let form = Form::of(query);
        assert_eq!(form.for_many(&[Type::INT8, Type::TEXT]), many);
        assert_eq!(form.is_for_many, many.is_some());
    }

    #[test]
    fn rows_are_inserted_together() {
        check(
            "INSERT INTO t (a, b, c) OVERRIDING SYSTEM VALUE\nVALUES ($1, $2, (SELECT max(a) FROM u)) ON CONFLICT DO NOTHING;",
            Some(
                "INSERT INTO t (a, b, c) OVERRIDING SYSTEM VALUE\nSELECT many.p1, many.p2, (SELECT max(a) FROM u) FROM ROWS \
                 WHERE true ON CONFLICT DO NOTHING",
            ),
        );
        check("INSERT INTO t (a) VALUES ($1) ON CONFLICT (a) DO UPDATE SET b = $2", None);
        check("INSERT INTO t (a) SELECT $1 FROM u", None);
    }

    #[test]
    fn rows_are_changed_and_deleted_together() {
        check(
            "-- WHERE\nUPDATE t SET b = $1, c = (SELECT 1 FROM u WHERE true) WHERE a = $2;\n",
            Some("UPDATE t SET b = many.p1, c = (SELECT 1 FROM u WHERE true) FROM ROWS WHERE a = many.p2"),
        );
        assert_eq!(Form::of("UPDATE t SET b = $1 WHERE a = $2 AND c = $3").key, Some(2));
        check(
            "UPDATE t SET b = $1 WHERE a = $2 AND b IS DISTINCT FROM ($1)",
            Some("UPDATE t SET b = many.p1 FROM ROWS WHERE a = many.p2 AND b IS DISTINCT FROM (many.p1)"),
        );
        check("UPDATE t SET b = 1 FROM u WHERE a = $1", None);
        check("UPDATE t SET b = 1 WHERE a = $1 RETURNING b", None);
        check("DELETE FROM t WHERE a = $1", Some("DELETE FROM t USING ROWS WHERE a = many.p1"));
        check("DELETE FROM t", None);
    }

    #[test]
    fn questions_are_asked_together() {
        let one = |asked: &str| {
            format!("SELECT many.number AS many_number, one.* FROM ROWS CROSS JOIN LATERAL ({asked}) AS one")
        };
        check("SELECT b FROM t WHERE a = $1;", Some(&one("SELECT b FROM t WHERE a = many.p1 OFFSET 0")));
        let locked = "SELECT b FROM t WHERE a = $1\nFOR UPDATE";
        check(locked, Some(&one("SELECT b FROM t WHERE a = many.p1\nFOR UPDATE")));
        check("SELECT b FROM t", None);
        check("WITH u AS (SELECT $1) SELECT * FROM u", None);
    }
}

//! Conditions of queries, made always true one at a time.
//!
//! Property wanted: a change costs a run of the tests, and no compiler. So in the copy each condition is written as `(… AND TRUE)`, the
//! tests are built once, and each change is made in what was built: `AND` becomes `OR `, which is as long.

use std::{
    collections::BTreeMap,
    fs,
    ops::Range,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};

use super::{Copy, DETERMINED, Outcome, Outcomes, Tried};
use crate::postgres::{self, Server};

/// A query belongs here when its conditions have one of these words: they are what keeps a stale driver or deliverer out, and what
/// takes a lease back.
const WORDS: [&str; 3] = ["fence", "lease_until", "'sending'"];

/// What ends a condition besides the next one.
const ENDS: [&str; 5] = ["RETURNING", "ORDER", "LIMIT", "GROUP", "FOR"];

/// Those that notice most come first; what they notice the others need not be asked about. Those inside know by which index a query
/// looks.
const TESTS: [(Side, &[&str]); 3] =
    [(Side::Outside, &["conformance::"]), (Side::Inside, &[]), (Side::Outside, &["--skip", "conformance::"])];

/// What a condition is written as, and what it becomes.
const KEPT: &str = " AND TRUE)";
const LOST: &str = " OR  TRUE)";

/// Where tests of the store stand.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    /// Beside what they test.
    Inside,
    /// In `tests/store`.
    Outside,
}

/// The tests of each side as a program.
type Programs = BTreeMap<Side, PathBuf>;

/// One condition of one query.
struct Condition {
    path: PathBuf,
    at: Range<usize>,
}

/// One change: what it is, and the texts of the query without and with it.
struct Change {
    what: String,
    before: String,
    after: String,
}

/// Makes each condition true and runs the tests of its store, of those changes that are open.
pub(super) fn run(copy: &Copy, only_list: bool, is_open: &dyn Fn(&str) -> bool) -> Result<Tried> {
    let mut changes = Vec::new();
    for store in ["sqlite", "postgres"] {
        let conditions = conditions_in(&copy.tree.join("host/store/sql").join(store))?;
        let of_store = changes_of(&copy.tree, conditions)?;
        changes.extend(of_store.into_iter().map(|change| (store, change)));
    }
    let (all, mut outcomes) =
        (changes.iter().map(|(_, change)| change.what.clone()).collect(), Outcomes::new());
    changes.retain(|(_, change)| is_open(&change.what));
    if only_list {
        changes.iter().for_each(|(_, change)| println!("{}", change.what));
    }
    if only_list || changes.is_empty() {
        return Ok(Tried { all, found: outcomes });
    }
    let server = Server::start()?;
    let programs = build(copy)?;
    for store in ["sqlite", "postgres"] {
        if !pass(copy, &programs, store, &server)? {
            bail!("the tests of the store in {store} fail without any change; mend that first");
        }
    }
    for (store, change) in changes {
        let changed = programs.iter().map(|(side, path)| Ok((*side, with_change(path, &change)?)));
        let changed = changed.collect::<Result<Programs>>()?;
        let outcome = if pass(copy, &changed, store, &server)? { Outcome::Survived } else { Outcome::Caught };
        let what = change.what;
        println!("{}: {what}", outcome.name());
        outcomes.insert(what, outcome);
    }
    Ok(Tried { all, found: outcomes })
}

/// Writes every condition so that it can be changed in place; the changes.
fn changes_of(tree: &Path, conditions: Vec<Condition>) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    for of_query in conditions.chunk_by(|one, other| one.path == other.path) {
        let path = &of_query[0].path;
        let text = fs::read_to_string(path)?;
        let file = path.strip_prefix(tree).unwrap_or(path).display().to_string();
        let ranges: Vec<_> = of_query.iter().map(|condition| condition.at.clone()).collect();
        let before = rewritten(&text, &ranges, None);
        fs::write(path, &before)?;
        changes.extend(ranges.iter().enumerate().map(|(lost, at)| Change {
            what: format!(
                "{file}: {} OR TRUE",
                text[at.clone()].split_whitespace().collect::<Vec<_>>().join(" ")
            ),
            before: before.clone(),
            after: rewritten(&text, &ranges, Some(lost)),
        }));
    }
    Ok(changes)
}

/// A query whose conditions can be changed in place, with one of them changed or none. Parameters stay in use, so that nothing fails
/// but for the condition.
fn rewritten(text: &str, conditions: &[Range<usize>], lost: Option<usize>) -> String {
    let (mut rewritten, mut from) = (String::new(), 0);
    for (number, at) in conditions.iter().enumerate() {
        let end = if lost == Some(number) { LOST } else { KEPT };
        rewritten += &format!("{}(({}){end}", &text[from..at.start], &text[at.clone()]);
        from = at.end;
    }
    rewritten + &text[from..]
}

/// The store's tests.
fn build(copy: &Copy) -> Result<Programs> {
    let mut cargo = copy.cargo();
    cargo.args(["test", "--package", "tollgate-store", "--lib", "--test", "store", "--no-run"]);
    let output = cargo.args(["--message-format", "json"]).stderr(Stdio::inherit()).output();
    let output = output.context("cannot start cargo")?;
    let messages = String::from_utf8_lossy(&output.stdout);
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let built = messages.filter_map(|message| {
        let path = PathBuf::from(message["executable"].as_str()?);
        let side = match message["target"]["name"].as_str()? {
            "store" => Side::Outside,
            "tollgate_store" => Side::Inside,
            _ => return None,
        };
        Some((side, path))
    });
    let programs: Programs = built.collect();
    ensure!(programs.len() == 2, "the store's tests were not built");
    Ok(programs)
}

/// A program beside this one, with a change.
fn with_change(program: &Path, Change { what, before, after }: &Change) -> Result<PathBuf> {
    let bytes = fs::read(program).with_context(|| format!("cannot read {}", program.display()))?;
    let changed = program.with_extension("changed");
    fs::write(&changed, replaced(&bytes, before.as_bytes(), after.as_bytes(), what)?)?;
    fs::set_permissions(&changed, fs::metadata(program)?.permissions())?;
    Ok(changed)
}

/// Whether the tests of a store pass.
fn pass(copy: &Copy, programs: &Programs, store: &str, server: &Server) -> Result<bool> {
    let other = if store == "sqlite" { "postgres" } else { "sqlite" };
    for (side, filter) in TESTS {
        let program = &programs[&side];
        let mut run = Command::new(program);
        run.arg("--quiet").args(filter).args(["--skip", other]).env(postgres::VARIABLE, server.url());
        run.current_dir(copy.tree.join("host/store")).envs(DETERMINED).stdin(Stdio::null());
        let output = run.output().with_context(|| format!("cannot start {}", program.display()))?;
        if !output.status.success() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What was built, with each of these texts replaced.
fn replaced(bytes: &[u8], before: &[u8], after: &[u8], what: &str) -> Result<Vec<u8>> {
    ensure!(before.len() == after.len(), "{what}: the change has another length");
    let mut replaced = bytes.to_vec();
    let places: Vec<_> = memchr::memmem::find_iter(bytes, before).collect();
    ensure!(!places.is_empty(), "{what}: the query is not in what was built");
    for at in places {
        replaced[at..at + after.len()].copy_from_slice(after);
    }
    Ok(replaced)
}

fn conditions_in(folder: &Path) -> Result<Vec<Condition>> {
    let files = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = files.map(|file| Ok(file?.path())).collect::<Result<Vec<_>>>()?;
    paths.retain(|path| path.is_file());
    paths.sort_unstable();
    let mut conditions = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path)?;
        let found = conditions_of(&text);
        if found.iter().any(|at| WORDS.iter().any(|word| text[at.clone()].contains(word))) {
            conditions.extend(found.into_iter().map(|at| Condition { path: path.clone(), at }));
        }
    }
    Ok(conditions)
}

/// The conditions of a query that hold together, outside of all parentheses.
fn conditions_of(text: &str) -> Vec<Range<usize>> {
    let (mut conditions, mut begun, mut depth) = (Vec::new(), None::<usize>, 0_i32);
    for (at, word) in words(text) {
        let ends = depth == 0 && (word == ";" || word == "AND" || ENDS.contains(&word));
        if ends && let Some(start) = begun.take() {
            conditions.push(start..text[..at].trim_end().len());
            begun = (word == "AND").then_some(at + word.len() + 1);
        }
        match word {
            "(" => depth += 1,
            ")" => depth -= 1,
            "WHERE" if depth == 0 => begun = Some(at + word.len() + 1),
            _ => {}
        }
    }
    conditions
}

/// Words and signs with their places; comments are left out.
fn words(text: &str) -> Vec<(usize, &str)> {
    let (mut words, mut at) = (Vec::new(), 0);
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let length = match first {
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            c if is_part(c) => rest.find(|c| !is_part(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        if !first.is_whitespace() && !rest.starts_with("--") {
            words.push((at, &rest[..length]));
        }
        at += length;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<_> = conditions_of(text).into_iter().map(|at| &text[at]).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_change_is_as_long_as_what_was_there() {
        let text = "DELETE FROM a WHERE b = :b AND c;";
        let conditions = conditions_of(text);
        let kept = rewritten(text, &conditions, None);
        assert_eq!(kept, "DELETE FROM a WHERE ((b = :b) AND TRUE) AND ((c) AND TRUE);");
        let lost = rewritten(text, &conditions, Some(1));
        assert_eq!(lost, "DELETE FROM a WHERE ((b = :b) AND TRUE) AND ((c) OR  TRUE);");
        let built = format!("..{kept}..{kept}");
        let changed = replaced(built.as_bytes(), kept.as_bytes(), lost.as_bytes(), "b").unwrap();
        assert_eq!(changed, format!("..{lost}..{lost}").into_bytes());
        assert!(replaced(b"none", kept.as_bytes(), lost.as_bytes(), "b").is_err());
    }

    #[test]
    fn each_condition_is_found_with_all_that_belongs_to_it() {
        check("SELECT a FROM b;", &[]);
        check("UPDATE a SET b = 1 WHERE c = :c AND d > 2 RETURNING e;", &["c = :c", "d > 2"]);
        check("SELECT 1 FROM a WHERE (b OR c AND d)\n  AND e\nORDER BY f;", &["(b OR c AND d)", "e"]);
        check(
            "SELECT 1 FROM a WHERE EXISTS (SELECT 1 FROM b WHERE c AND d) FOR UPDATE;",
            &["EXISTS (SELECT 1 FROM b WHERE c AND d)"],
        );
        check("-- WHERE in a comment AND more;\nDELETE FROM a WHERE b;", &["b"]);
    }
}

//! Conditions of queries, made always true one at a time.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use super::{Copy, Mutant, Outcome};

/// A query belongs here when its conditions have one of these words: they are what keeps a stale driver or deliverer out, and what
/// takes a lease back.
const WORDS: [&str; 3] = ["fence", "lease_until", "'sending'"];

/// What ends a condition besides the next one.
const ENDS: [&str; 5] = ["RETURNING", "ORDER", "LIMIT", "GROUP", "FOR"];

/// One condition of one query.
struct Condition {
    path: PathBuf,
    at: Range<usize>,
}

/// Makes each condition true and runs the tests of its store.
pub(super) fn run(copy: &Copy, only_list: bool) -> Result<Vec<Mutant>> {
    let mut mutants = Vec::new();
    for store in ["sqlite", "postgres"] {
        let folder = copy.tree.join("host/store/sql").join(store);
        let conditions = conditions_in(&folder)?;
        if !only_list && !passes(copy, store)? {
            bail!("the tests of the store in {store} fail without any change; mend that first");
        }
        for Condition { path, at } in conditions {
            let text = fs::read_to_string(&path)?;
            let file = path.strip_prefix(&copy.tree).unwrap_or(&path).display().to_string();
            let what = format!(
                "{file}: {} OR TRUE",
                text[at.clone()].split_whitespace().collect::<Vec<_>>().join(" ")
            );
            if only_list {
                println!("{what}");
                continue;
            }
            // Parameters stay in use, so that nothing fails but for the condition.
            let changed = format!("{}({} OR TRUE){}", &text[..at.start], &text[at.clone()], &text[at.end..]);
            fs::write(&path, changed)?;
            let passes = passes(copy, store);
            fs::write(&path, &text)?;
            let outcome = if passes? { Outcome::Survived } else { Outcome::Caught };
            println!("{}: {what}", if outcome == Outcome::Caught { "caught" } else { "SURVIVED" });
            mutants.push(Mutant { what, outcome });
        }
    }
    Ok(mutants)
}

fn passes(copy: &Copy, store: &str) -> Result<bool> {
    let other = if store == "sqlite" { "postgres" } else { "sqlite" };
    let args =
        ["test", "--quiet", "--package", "tollgate-store", "--lib", "--test", "store", "--", "--skip", other];
    let output = copy.cargo().args(args).output().context("cannot start cargo")?;
    let text =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    if text.contains("could not compile") {
        bail!("the store does not compile:\n{text}");
    }
    Ok(output.status.success())
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

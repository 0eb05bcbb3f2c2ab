//! Which places there are: read from the source, so that none is forgotten.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::support::repository;

/// The places of a commit, each of which has a name for each work that is committed.
const COMMIT: [&str; 2] = ["store.commit.before", "store.commit.after"];

/// What changes something only where it is the first to meet it, by the same rule as whoever meets it else: a claim parks what cannot be paid.
const IN_PASSING: [&str; 1] = ["see what is left"];

/// Every place at which a debug build may be killed.
pub(super) fn all() -> BTreeSet<String> {
    let mut places = BTreeSet::new();
    for file in sources(&repository().join("host")) {
        let text = fs::read_to_string(&file).expect("a source is text");
        places.extend(after_each(&text, "crash::point(").filter_map(literal).map(str::to_owned));
        for work in after_each(&text, ".transact(").filter_map(|arguments| work(&text, arguments)) {
            places.extend(
                COMMIT.iter().flat_map(|place| work.iter().map(move |work| format!("{place}/{work}"))),
            );
        }
    }
    places
}

/// What the transaction with these arguments does; none where it changes nothing.
fn work<'s>(text: &'s str, arguments: &'s str) -> Option<Vec<&'s str>> {
    let (access, rest) = arguments.trim_start().strip_prefix("Access::")?.split_once(',')?;
    if access == "Read" {
        return None;
    }
    if let Some(work) = literal(rest) {
        return (!IN_PASSING.contains(&work)).then(|| vec![work]);
    }
    // It has a name: what stands nearest before it.
    let before = &text[..text.len() - arguments.len()];
    let named = before.rsplit("let doing = ").next()?;
    Some(match literal(named) {
        Some(work) => vec![work],
        None if named.starts_with("K::doing(") => of_what_goes_together(),
        None => of_a_write(named),
    })
}

/// What those are called that several ask for at once.
fn of_what_goes_together() -> Vec<&'static str> {
    const TOGETHER: &str = include_str!("../../../host/store/src/rules/together.rs");
    let kinds = after_each(TOGETHER, "    fn doing(").filter_map(|function| {
        let (_, body) = function.split_once("{\n").filter(|(head, _)| !head.contains(';'))?;
        Some(body.trim_start())
    });
    kinds.flat_map(|body| literal(body).map_or_else(|| of_a_write(body), |work| vec![work])).collect()
}

/// What the writes of a driver are called.
fn of_a_write(named: &str) -> Vec<&'static str> {
    assert!(named.starts_with("write.doing()"), "nobody knows what this is: {named:.40}");
    const WRITE: &str = include_str!("../../../host/store/src/port/write.rs");
    let (_, doing) = WRITE.split_once("fn doing(").expect("a write says what it does");
    let (doing, _) = doing.split_once("\n    }\n").expect("a function has an end");
    after_each(doing, "=> ").filter_map(literal).collect()
}

fn after_each<'s>(text: &'s str, marker: &'s str) -> impl Iterator<Item = &'s str> {
    text.match_indices(marker).map(move |(at, _)| &text[at + marker.len()..])
}

/// The string that a text begins with.
fn literal(text: &str) -> Option<&str> {
    text.trim_start().strip_prefix('"')?.split('"').next()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder can be read") {
        let path = entry.expect("a folder can be read").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn places_are_found_in_the_source() {
    let all = all();
    for known in [
        "artifact.renamed",
        "deliver.before",
        "store.commit.after/claim a run",
        "store.commit.before/register a host",
        "store.commit.after/renew leases",
        "store.commit.after/end a run",
        "store.commit.after/take deliveries",
    ] {
        assert!(all.contains(known), "{known}: {all:#?}");
    }
    assert!(!all.iter().any(|place| place.contains("/read ")), "who reads changes nothing: {all:#?}");
}

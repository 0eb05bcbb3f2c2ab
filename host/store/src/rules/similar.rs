//! Entries that say what an earlier one of their backlog says.
//!
//! An arrival is compared with the few entries whose sketches share most with its own, so what it costs does not grow with the backlog
//! but for one look into an index. Duplicates are not entered there: a thousand of one text are compared with the first alone.
//!
//! What is compared with what is decided in the transaction that makes the entry, so it is the same however arrivals are dealt out to
//! transactions. The comparing itself is done before it begins (see [`compare`]); only what came in between is compared inside.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use tollgate_core::{
    Digest, EntryId,
    entry::{EntryName, EntrySnapshot, Hold, HoldKind, LinkKind},
    likeness::{LIKENESS_SOURCE, Sketch, Words},
};

use super::{
    entry::KnownEntry,
    report, sql,
    tx::{Tx, TxResult, json_of, named_params},
};
use crate::port::Arrival;

/// Entries that one is compared with.
const COMPARED_MAX: usize = 8;

/// Behind the links that anybody says.
const LINK_POSITION: i64 = 1_000_000;

/// The earlier entry that says nearly the same.
pub(super) struct Duplicate {
    of: EntryName,
    thousandths: u32,
}

impl Duplicate {
    /// Why the later one is held.
    pub(super) fn hold(&self) -> Hold {
        Hold {
            kind: HoldKind::Duplicate,
            subject: self.of.key.clone(),
            reason: format!(
                "it says nearly what {} says: {} % of their words are the same",
                self.of.key,
                self.thousandths / 10
            ),
            until: None,
        }
    }
}

/// What was found of arrivals before the transaction that takes them in, by their revisions.
#[derive(Default)]
pub(super) struct Compared(HashMap<Digest, Text>);

/// What an arrival says, and how like it is what it was compared with.
struct Text {
    words: Words,
    sketch: Option<Sketch>,
    /// By revision; none for what is less like it than the arrival's limit.
    likeness: HashMap<Digest, Option<u32>>,
}

/// An entry that shares something with an arrival.
struct Near {
    name: EntryName,
    revision: Digest,
    shared: u64,
}

impl Text {
    fn of(snapshot: &EntrySnapshot) -> Self {
        let words = words(snapshot);
        Self { sketch: words.sketch(), words, likeness: HashMap::new() }
    }
}

/// Compares those of the arrivals that are not known yet with what is there and with each other, as it would be found if they came
/// in now and in this order.
pub(super) fn compare(tx: &Tx<'_>, arrivals: &[Arrival]) -> TxResult<Compared> {
    let mut compared = Compared::default();
    let mut there = HashMap::new();
    let mut batch = Batch::default();
    for arrival in arrivals {
        let Some(limit) = arrival.guard.duplicate_thousandths else { continue };
        if KnownEntry::find(tx, &arrival.snapshot.name)?.is_some() {
            continue;
        }
        let mut text = Text::of(&arrival.snapshot);
        if let Some(sketch) = &text.sketch {
            let stored =
                near(tx, &arrival.backlog, sketch)?.into_iter().map(|near| (near.shared, near.revision));
            let mut candidates: Vec<_> = stored.chain(batch.near(&arrival.backlog, sketch)).collect();
            // It keeps those in order that share as much: what is there came before what is coming in.
            candidates.sort_by_key(|(shared, _)| Reverse(*shared));
            candidates.truncate(COMPARED_MAX);
            for (_, revision) in candidates {
                let other = match compared.0.get(&revision) {
                    Some(text) => &text.words,
                    None => match there.entry(revision) {
                        std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                        std::collections::hash_map::Entry::Vacant(new) => {
                            new.insert(words(&report::snapshot(tx, revision)?))
                        }
                    },
                };
                text.likeness.insert(revision, text.words.likeness_of_at_least(other, limit));
            }
            if text.likeness.values().all(Option::is_none) {
                batch.insert(&arrival.backlog, sketch, arrival.revision);
            }
        }
        compared.0.insert(arrival.revision, text);
    }
    Ok(compared)
}

/// Arrivals that are compared with those that come after them.
#[derive(Default)]
struct Batch<'a> {
    revisions: Vec<Digest>,
    by_number: HashMap<(&'a str, i64), Vec<usize>>,
}

impl<'a> Batch<'a> {
    fn insert(&mut self, backlog: &'a str, sketch: &Sketch, revision: Digest) {
        for number in sketch {
            self.by_number.entry((backlog, *number)).or_default().push(self.revisions.len());
        }
        self.revisions.push(revision);
    }

    /// How many numbers each shares that shares any, in the order in which they came.
    fn near(&self, backlog: &'a str, sketch: &Sketch) -> Vec<(u64, Digest)> {
        let mut shared: BTreeMap<usize, u64> = BTreeMap::new();
        for at in sketch.iter().filter_map(|number| self.by_number.get(&(backlog, *number))).flatten() {
            *shared.entry(*at).or_default() += 1;
        }
        shared.into_iter().map(|(at, shared)| (shared, self.revisions[at])).collect()
    }
}

/// The entry that an arrival, which is not known yet, says nearly the same as; the one most like it.
pub(super) fn find(tx: &Tx<'_>, arrival: &Arrival, compared: &Compared) -> TxResult<Option<Duplicate>> {
    let Some(limit) = arrival.guard.duplicate_thousandths else { return Ok(None) };
    let read;
    let text = match compared.0.get(&arrival.revision) {
        Some(text) => text,
        None => {
            read = Text::of(&arrival.snapshot);
            &read
        }
    };
    let Some(sketch) = &text.sketch else { return Ok(None) };
    let mut best: Option<Duplicate> = None;
    for Near { name, revision, .. } in near(tx, &arrival.backlog, sketch)? {
        let likeness = match text.likeness.get(&revision) {
            Some(likeness) => *likeness,
            None => {
                let other = words(&report::snapshot(tx, revision)?);
                text.words.likeness_of_at_least(&other, limit)
            }
        };
        // Of several that are as like, the first that came in.
        if let Some(thousandths) =
            likeness.filter(|one| best.as_ref().is_none_or(|best| *one > best.thousandths))
        {
            best = Some(Duplicate { of: name, thousandths });
        }
    }
    Ok(best)
}

/// Notes what was found, or by what the next ones find this entry.
pub(super) fn insert(
    tx: &Tx<'_>,
    entry: EntryId,
    arrival: &Arrival,
    duplicate: Option<Duplicate>,
    compared: &Compared,
) -> TxResult<()> {
    if arrival.guard.duplicate_thousandths.is_none() {
        return Ok(());
    }
    if let Some(Duplicate { of, .. }) = duplicate {
        let params = named_params! {
            ":entry": entry.0,
            ":position": LINK_POSITION,
            ":kind": LinkKind::DuplicateOf.as_str(),
            ":tracker": of.tracker,
            ":key": of.key,
            ":written": None::<String>,
            ":source": LIKENESS_SOURCE,
        };
        tx.send(sql::LINK_INSERT, params)?;
        return Ok(());
    }
    let sketch = match compared.0.get(&arrival.revision) {
        Some(text) => text.sketch,
        None => words(&arrival.snapshot).sketch(),
    };
    for number in sketch.into_iter().flatten() {
        let params = named_params! { ":backlog": arrival.backlog, ":number": number, ":entry": entry.0 };
        tx.send(sql::SIMILAR_INSERT, params)?;
    }
    Ok(())
}

fn near(tx: &Tx<'_>, backlog: &str, sketch: &Sketch) -> TxResult<Vec<Near>> {
    let params = named_params! {
        ":backlog": backlog, ":numbers": json_of(&sketch.as_slice())?, ":limit": COMPARED_MAX,
    };
    tx.all(sql::SIMILAR_LIST, params, |row| {
        let name = EntryName { tracker: row.plain("tracker")?, key: row.plain("key")? };
        Ok(Near { name, revision: row.digest("revision")?, shared: row.count("shared")? })
    })
}

fn words(snapshot: &EntrySnapshot) -> Words {
    Words::of(&snapshot.title, &snapshot.body)
}

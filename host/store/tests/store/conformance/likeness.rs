//! Entries that say nearly the same.

use std::cmp::Reverse;

use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use tollgate_core::likeness::{Sketch, Words};
use tollgate_store::port::Guard;

use crate::support::*;

const LIMIT: u32 = 750;

/// Cases that are tried: each admits some dozens of entries.
const CASES: usize = 24;

/// Texts that are changed copies of a few, and after which of them a transaction ends.
fn texts_and_cuts() -> impl Strategy<Value = Vec<(String, bool)>> {
    let edit = (0..40_usize, 0..1_000_u32);
    let text = (0..4_usize, proptest::collection::vec(edit, 0..14)).prop_map(|(of, edits)| {
        let mut words: Vec<_> = (0..40).map(|at| format!("w{of}x{at}")).collect();
        for (at, word) in edits {
            words[at] = format!("n{word}");
        }
        words.join(" ")
    });
    proptest::collection::vec((text, any::<bool>()), 1..40)
}

/// Which is a duplicate of which, as it is defined: each is compared with the eight that share most of its numbers, of those before it
/// that are duplicates of none.
fn defined(texts: &[String]) -> Vec<Option<usize>> {
    let mut kept: Vec<(usize, Words, Sketch)> = Vec::new();
    let mut duplicates = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let words = Words::of("", text);
        let sketch = words.sketch().expect("it has words");
        let shared = |other: &Sketch| sketch.iter().filter(|number| other.contains(number)).count();
        let mut near: Vec<_> = kept.iter().filter(|(_, _, other)| shared(other) > 0).collect();
        near.sort_by_key(|(_, _, other)| Reverse(shared(other)));
        let mut best: Option<(u32, usize)> = None;
        for (of, other, _) in near.into_iter().take(8) {
            let likeness = words.likeness_of_at_least(other, LIMIT);
            best = match (best, likeness) {
                (best, Some(found)) if best.is_none_or(|(most, _)| found > most) => Some((found, *of)),
                (best, _) => best,
            };
        }
        duplicates.push(best.map(|(_, of)| of));
        if best.is_none() {
            kept.push((at, words, sketch));
        }
    }
    duplicates
}

pub(crate) async fn what_is_a_duplicate_is_so_however_arrivals_are_dealt_out(make: &Make<'_>) {
    let world = World::new(make).await;
    let mut runner = TestRunner::deterministic();
    let mut found_some = 0;
    for case in 0..CASES {
        let dealt = texts_and_cuts().new_tree(&mut runner).expect("texts can be made").current();
        let (texts, cuts): (Vec<_>, Vec<_>) = dealt.into_iter().unzip();
        let key = |at: usize| format!("{case}-{at}");
        let mut batch = Vec::new();
        for (at, text) in texts.iter().enumerate() {
            let mut arrival = world.arrival(&key(at));
            (arrival.snapshot.title, arrival.backlog) = (String::new(), format!("case-{case}"));
            arrival.guard = Guard { duplicate_thousandths: Some(LIMIT), ..Guard::default() };
            batch.push(arrival.says(text));
            if cuts[at] || at + 1 == texts.len() {
                world.admit(std::mem::take(&mut batch)).await;
            }
        }
        for (at, of) in defined(&texts).into_iter().enumerate() {
            let links = world.store.entry(&key(at), None).await.unwrap().links;
            let found = links.first().map(|link| link.link.to.key.clone());
            assert_eq!(found, of.map(key), "{at} of {texts:#?}");
            found_some += usize::from(found.is_some());
        }
    }
    assert!(found_some > CASES, "{found_some} duplicates say little");
}

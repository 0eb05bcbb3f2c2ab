//! Whole hosts in a world made from a seed: thousands of worlds, each with faults of its own.
//!
//! The hosts are the product's, from [`tollgate_engine::Host`] on. What they stand on is the world's: a runtime each, whose clock goes
//! when the world lets it; servers (store, trackers, a capability) at the end of lines on which requests are delayed, lost, overtaken,
//! or answered to nobody; guests that are functions. All runs on one thread, and whatever happens by chance comes from the seed, so a
//! seed happens again as often as one looks at it:
//!
//! ```text
//! TOLLGATE_SIM_FIRST=4711 TOLLGATE_SIM_SEEDS=1 TOLLGATE_SIM_TRACE=1 cargo test --workspace --test simulation worlds -- --nocapture
//! ```
//!
//! What is checked is in `checker.rs`.

mod checker;
mod dice;
mod flaw;
mod guests;
mod history;
mod host;
mod line;
mod people;
mod plan;
mod project;
mod simulation;
mod store;
mod tracker;
mod world;

use std::{
    num::NonZero,
    sync::{
        LazyLock, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use flaw::Flaw;
use simulation::Keeper;

/// Seeds of a run that names none; `cargo xtask test simulation` looks at more.
const SEEDS: u64 = 200;

fn variable(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "a test's own setting")]
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number, not `{text}`")))
}

/// Tells what happens, when a single world is looked at.
#[expect(clippy::print_stdout, reason = "whoever looks at a world reads it there")]
pub(crate) fn tell(what: impl FnOnce() -> String) {
    static TELLS: LazyLock<bool> = LazyLock::new(|| variable("TOLLGATE_SIM_TRACE").is_some());
    if *TELLS {
        println!("{}", what());
    }
}

/// What is wrong in the world of a seed; a line.
fn look_at(seed: u64, keeper: Keeper, flaw: Flaw) -> Option<String> {
    let life = std::panic::catch_unwind(|| simulation::live(seed, keeper, flaw));
    let wrong = match &life {
        Ok(life) => checker::check(&life.history, &life.ending),
        Err(_) => vec!["it panicked".to_owned()],
    };
    if let Ok(life) = &life {
        life.history.iter().for_each(|event| tell(|| event.to_string()));
        tell(|| format!("{:#?}", life.ending));
    }
    let first = wrong.first()?;
    Some(format!(
        "TOLLGATE_SIM_FIRST={seed} TOLLGATE_SIM_SEEDS=1 cargo test --workspace --test simulation worlds: {first} ({} in all)",
        wrong.len()
    ))
}

/// Looks at so many seeds on all cores, or until one says these words; what is wrong in some of them.
fn look_at_all(first: u64, count: u64, keeper: Keeper, flaw: Flaw, until: Option<&str>) -> Vec<String> {
    let (next, found, stop) = (AtomicU64::new(first), Mutex::new(Vec::new()), AtomicBool::new(false));
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|threads| {
        for _ in 0..cores {
            threads.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        break;
                    }
                    if let Some(wrong) = look_at(seed, keeper, flaw) {
                        stop.fetch_or(until.is_some_and(|words| wrong.contains(words)), Ordering::Relaxed);
                        found.lock().unwrap_or_else(PoisonError::into_inner).push(wrong);
                    }
                }
            });
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn worlds_of_many_seeds_end_well() {
    let first = variable("TOLLGATE_SIM_FIRST").unwrap_or(1);
    let count = variable("TOLLGATE_SIM_SEEDS").unwrap_or(SEEDS);
    let found = look_at_all(first, count, Keeper::Memory, Flaw::None, None);
    assert!(found.is_empty(), "{} of {count} worlds ended badly:\n{}", found.len(), found.join("\n"));
}

/// The rules of the shipped stores are not those of the model.
#[test]
fn worlds_on_sqlite_end_well() {
    let found = look_at_all(1, 40, Keeper::Sqlite, Flaw::None, None);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_seed_makes_the_same_world_again() {
    let live = |seed| simulation::live(seed, Keeper::Memory, Flaw::None);
    for seed in [1, 2, 3, 5, 8, 13] {
        let (one, other) = (live(seed), live(seed));
        let differ = one.history.iter().zip(&other.history).find(|(one, other)| one != other);
        assert_eq!(differ, None, "seed {seed}");
        assert_eq!((one.history.len(), one.ending), (other.history.len(), other.ending), "seed {seed}");
    }
}

/// Something is wrong on purpose, and some world shows it.
fn check_found_out(flaw: Flaw, words: &str) {
    let found = look_at_all(1, 6_000, Keeper::Memory, flaw, Some(words));
    assert!(
        found.iter().any(|wrong| wrong.contains(words)),
        "no world says {words:?} of {flaw:?}: {found:#?}"
    );
}

#[test]
fn a_store_that_ignores_fences_is_found_out() {
    check_found_out(Flaw::StoreIgnoresFences, "a write was taken without a live claim");
}

#[test]
fn a_store_that_forgets_sweeping_is_found_out() {
    check_found_out(Flaw::StoreForgetsSweeping, "it could have ended");
}

#[test]
fn a_drain_that_ends_by_what_was_so_before_is_found_out() {
    check_found_out(Flaw::StoreForgetsWhatIsReady, "a drain ended too early");
}

#[test]
fn a_tracker_that_is_not_read_back_is_found_out() {
    check_found_out(Flaw::TrackerIsNotReadBack, "more than once");
}

#[test]
fn a_deliverer_that_drops_records_is_found_out() {
    check_found_out(Flaw::RecordsAreDropped, "is gone");
}

#[test]
fn a_guest_that_does_not_hear_of_its_lease_is_found_out() {
    check_found_out(Flaw::GuestsAreNotCut, "the run was not host-");
}

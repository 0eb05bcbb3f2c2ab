//! Everything that happens by chance, from one seed.

use std::{
    ops::RangeInclusive,
    sync::{Mutex, MutexGuard, PoisonError},
};

use fastrand::Rng;

/// Chance. One world has one, and one thread throws it, so a seed says all that will happen.
pub(crate) struct Dice(Mutex<Rng>);

impl Dice {
    pub(crate) fn of(seed: u64) -> Self {
        Self(Mutex::new(Rng::with_seed(seed)))
    }

    /// Whether something happens that happens so many times in a thousand.
    pub(crate) fn happens(&self, per_mille: u32) -> bool {
        per_mille > 0 && self.rng().u32(0..1000) < per_mille
    }

    pub(crate) fn number(&self, range: RangeInclusive<u64>) -> u64 {
        self.rng().u64(range)
    }

    /// One of these; none of nothing.
    pub(crate) fn one_of<'t, T>(&self, things: &'t [T]) -> Option<&'t T> {
        (!things.is_empty()).then(|| &things[self.rng().usize(0..things.len())])
    }

    pub(crate) fn shuffle<T>(&self, things: &mut [T]) {
        self.rng().shuffle(things);
    }

    pub(crate) fn bits(&self) -> u128 {
        self.rng().u128(..)
    }

    fn rng(&self) -> MutexGuard<'_, Rng> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

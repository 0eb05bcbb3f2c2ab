//! What calls ask of their capabilities, and what runs ask of people.

use std::time::Duration;

use tollgate_core::{
    Digest, Microcents,
    approval::Word,
    journal::{Begun, Intent},
    run::Claim,
    step::StepKey,
};

/// Something that a capability is about to be asked.
#[derive(Debug, Clone)]
pub struct NewIntent {
    /// The right to write.
    pub claim: Claim,
    /// Which call asks.
    pub step: StepKey,
    /// The component that is called.
    pub plugin: Digest,
    /// What it was handed; kept with the first intent.
    pub begun: Begun,
    /// The place in the journal, from 0.
    pub call: u32,
    /// What is asked.
    pub intent: Intent,
    /// What has to be set aside for the run in all while it is asked: the intent's largest cost, and the compute of the call.
    pub set_aside: Microcents,
}

/// A call that ended without a step, because it used up what it may use.
#[derive(Debug, Clone)]
pub struct PausedCall {
    /// Which call.
    pub step: StepKey,
    /// The component that was called.
    pub plugin: Digest,
    /// What it was handed.
    pub begun: Begun,
    /// What its compute cost; moves from escrow to settled.
    pub cost: Microcents,
}

/// What a person says to what a run asks.
#[derive(Debug, Clone)]
pub struct NewDecision {
    /// Who.
    pub who: String,
    /// Why.
    pub why: String,
    /// What.
    pub word: Word,
}

/// What calls of a component used that did what they were called for: the newest of them, a thousand at most.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// The fuel of each, the smallest first.
    pub fuel: Vec<u64>,
    /// The time of each, the shortest first.
    pub time: Vec<Duration>,
}

impl History {
    /// How many calls there are.
    pub fn calls(&self) -> usize {
        self.fuel.len()
    }

    /// The value that this many percent of all values do not exceed, by nearest rank; none of nothing.
    pub fn percentile<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
        sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let check = |values: &[u64], percent, expected| {
            assert_eq!(History::percentile(values, percent), expected, "{values:?} {percent}");
        };
        check(&[], 50, None);
        check(&[7], 50, Some(7));
        check(&[7], 90, Some(7));
        check(&[1, 2, 3, 4], 50, Some(2));
        check(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 90, Some(9));
        check(&[1, 2, 3], 100, Some(3));
    }
}

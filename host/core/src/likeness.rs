//! How much two texts say the same.
//!
//! To compare each text with every other costs too much, so each has a [`Sketch`]: a few numbers, some of which two texts share when
//! most of their words are the same. Only texts that share one are compared, word by word in their order.

use std::collections::BTreeSet;

use rapidfuzz::distance::levenshtein;

/// The source of links that were found by likeness.
pub const LIKENESS_SOURCE: &str = "likeness";

/// Words of a text that are compared; what comes behind them is not looked at.
const WORDS_MAX: usize = 1_000;

/// Numbers of a sketch: with three minima each, texts that share six of ten words share one with 98 %, and texts that share two of
/// ten with 12 %.
const BANDS: usize = 16;

/// Minima that make one number.
const ROWS: usize = 3;

/// The words of a text, each as a number, since they are compared many times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(Vec<u64>);

/// The numbers by which texts that are alike are found.
pub type Sketch = [i64; BANDS];

impl Words {
    /// Those of a title and a text, in small letters and without punctuation.
    pub fn of(title: &str, body: &str) -> Self {
        let all = title.split_whitespace().chain(body.split_whitespace());
        let plain =
            all.map(|word| word.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase());
        Self(plain.filter(|word| !word.is_empty()).take(WORDS_MAX).map(|word| hash(&word)).collect())
    }

    /// The share of words that are the same in the same order, in thousandths, where it is at least `least`; texts that are less alike
    /// are given up early.
    pub fn likeness_of_at_least(&self, other: &Self, least: u32) -> Option<u32> {
        let longest = self.0.len().max(other.0.len());
        if longest == 0 {
            return (least == 0).then_some(0);
        }
        let kept_min = (least as usize * longest).div_ceil(1_000);
        let within = levenshtein::Args::default().score_cutoff(longest.checked_sub(kept_min)?);
        let changed =
            levenshtein::distance_with_args(self.0.iter().copied(), other.0.iter().copied(), &within)?;
        u32::try_from((longest - changed) * 1_000 / longest).ok()
    }

    /// Its sketch; none where there is nothing to compare.
    pub fn sketch(&self) -> Option<Sketch> {
        if self.0.is_empty() {
            return None;
        }
        let distinct: BTreeSet<u64> = self.0.iter().copied().collect();
        let minimum = |seed: usize| {
            let seed = mix(seed as u64);
            distinct.iter().map(|word| mix(word ^ seed)).min().unwrap_or(0)
        };
        let band = |number: usize| {
            let minima = (0..ROWS).map(|row| minimum(number * ROWS + row));
            minima.fold(number as u64, |sum, minimum| mix(sum ^ minimum)).cast_signed()
        };
        Some(std::array::from_fn(band))
    }
}

/// FNV-1a, the same in every version and on every machine. Whoever finds words of one number has their own entry held.
fn hash(word: &str) -> u64 {
    let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    mix(word.bytes().fold(0xcbf2_9ce4_8422_2325, hash))
}

/// A permutation of the numbers (the finalizer of SplitMix64).
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};

    use super::*;

    fn shares(a: &Words, b: &Words) -> bool {
        let (Some(a), Some(b)) = (a.sketch(), b.sketch()) else { return false };
        a.iter().any(|number| b.contains(number))
    }

    #[track_caller]
    fn check(a: &str, b: &str, thousandths: u32) {
        let (a, b) = (Words::of(a, ""), Words::of("", b));
        assert_eq!(a.likeness_of_at_least(&b, 0), Some(thousandths));
        assert_eq!(a.likeness_of_at_least(&b, thousandths), Some(thousandths));
        assert_eq!(a.likeness_of_at_least(&b, thousandths + 1), None);
    }

    #[test]
    fn likeness_is_the_share_of_words_that_are_the_same() {
        check("The export crashes", "the EXPORT, crashes!", 1_000);
        check("The export crashes on Monday", "The export crashes on Friday", 800);
        check("one two three four", "one two three", 750);
        check("one two", "three four", 0);
        check("", "", 0);
        assert_eq!(Words::of("…", "!").sketch(), None);
    }

    /// As it is defined, word by word.
    fn plainly(a: &Words, b: &Words) -> u32 {
        let longest = a.0.len().max(b.0.len());
        let changed = strsim::generic_levenshtein(&a.0, &b.0);
        ((longest - changed) * 1_000).checked_div(longest).unwrap_or(0) as u32
    }

    #[test]
    fn a_sketch_is_the_same_in_every_version() {
        let sketch = Words::of("The export crashes", "").sketch().unwrap();
        assert_eq!(sketch[..2], [-852_452_163_630_004_460, 1_762_108_733_527_158_448]);
    }

    /// Which texts share one is a matter of chance: of so many, one more or less may miss the other.
    #[test]
    fn texts_of_which_nine_words_in_ten_are_the_same_share_a_number() {
        let mut runner = TestRunner::deterministic();
        let texts = proptest::collection::btree_set("[a-z]{3,9}", 40..200);
        let missed = (0..1_000).filter(|_| {
            let words: Vec<_> = texts.new_tree(&mut runner).unwrap().current().into_iter().collect();
            let changed: Vec<_> = words
                .iter()
                .enumerate()
                .map(|(at, word)| if at % 10 == 0 { format!("x{word}") } else { word.clone() })
                .collect();
            let (one, other) = (Words::of("", &words.join(" ")), Words::of("", &changed.join(" ")));
            assert!(one.likeness_of_at_least(&other, 870).is_some());
            !shares(&one, &other)
        });
        assert!(missed.count() <= 1);
    }

    proptest! {
        #[test]
        fn likeness_is_what_it_is_by_definition_wherever_it_is_asked_for(
            one in proptest::collection::vec(0..9_u8, 0..150),
            edits in proptest::collection::vec((0..150_usize, 0..3_u8, 0..9_u8), 0..60),
            least in 0..=1_001_u32,
        ) {
            let mut other = one.clone();
            for (at, kind, word) in edits {
                let at = at.min(other.len());
                match kind {
                    0 => other.insert(at, word),
                    1 if at < other.len() => drop(other.remove(at)),
                    _ if at < other.len() => other[at] = word,
                    _ => {}
                }
            }
            let words = |of: &[u8]| {
                Words::of("", &of.iter().map(|word| format!("w{word}")).collect::<Vec<_>>().join(" "))
            };
            let (one, other) = (words(&one), words(&other));
            let expected = plainly(&one, &other);
            prop_assert_eq!(one.likeness_of_at_least(&other, least), (expected >= least).then_some(expected));
        }
    }
}

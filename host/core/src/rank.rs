//! The order of a lane, as bytes.
//!
//! A rank key compares, byte by byte, as its parts compare as values. So every store orders by one plain column, a
//! claim is one descent of an index, and no store needs to know what a score is.
//!
//! Layout: one byte of [`RankClass`], then the parts, each with its direction applied, then the time of creation, so that
//! of two equal entries the older comes first. The store breaks the last tie by the entry's id.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// What comes before everything else in a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RankClass {
    /// A run that was begun and can go on: finish before start.
    Begun = 0,
    /// An entry that waits for its first step.
    Fresh = 1,
}

/// Which end of a part comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Small values first.
    Ascending,
    /// Large values first.
    Descending,
}

/// One part of the order.
#[derive(Debug, Clone, PartialEq)]
pub enum RankPart {
    /// A score in thousandths.
    Thousandths(i64),
    /// A text, compared by its UTF-8 bytes.
    Text(String),
}

/// Bytes that sort as the entry does. The smallest is claimed first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RankKey(Vec<u8>);

impl RankKey {
    /// The key of an entry with these parts.
    pub fn new(parts: &[(RankPart, Direction)], created: Timestamp) -> Self {
        let mut bytes = vec![RankClass::Fresh as u8];
        for (part, direction) in parts {
            let from = bytes.len();
            push_part(&mut bytes, part);
            if *direction == Direction::Descending {
                bytes[from..].iter_mut().for_each(|byte| *byte = !*byte);
            }
        }
        bytes.extend(ordered_i64(created.as_millis()));
        Self(bytes)
    }

    /// The same place, ahead of all entries whose run has not begun.
    pub fn begun(mut self) -> Self {
        if let Some(class) = self.0.first_mut() {
            *class = RankClass::Begun as u8;
        }
        self
    }

    /// A key as a store kept it.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes to store and compare.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Two's complement with the sign flipped, big end first: compares as the number does.
fn ordered_i64(value: i64) -> [u8; 8] {
    (value ^ i64::MIN).to_be_bytes()
}

fn push_part(bytes: &mut Vec<u8>, part: &RankPart) {
    match part {
        RankPart::Thousandths(value) => bytes.extend(ordered_i64(*value)),
        RankPart::Text(text) => {
            // A terminator below every escaped byte keeps "a" before "ab" whatever part follows.
            for byte in text.bytes() {
                match byte {
                    0 => bytes.extend([0, 0xff]),
                    other => bytes.push(other),
                }
            }
            bytes.extend([0, 0]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::prelude::*;

    use super::*;

    type Parts = (i64, String, bool, bool, i64);

    fn key((score, text, score_down, text_down, created): &Parts) -> RankKey {
        let direction = |down| if down { Direction::Descending } else { Direction::Ascending };
        RankKey::new(
            &[
                (RankPart::Thousandths(*score), direction(*score_down)),
                (RankPart::Text(text.clone()), direction(*text_down)),
            ],
            Timestamp::from_millis(*created),
        )
    }

    fn by_value(a: &Parts, b: &Parts) -> Ordering {
        let turn = |down, order: Ordering| if down { order.reverse() } else { order };
        turn(a.2, a.0.cmp(&b.0)).then(turn(a.3, a.1.cmp(&b.1))).then(a.4.cmp(&b.4))
    }

    fn text() -> impl Strategy<Value = String> {
        proptest::collection::vec(prop_oneof![Just('\0'), Just('a'), Just('b'), any::<char>()], 0..5)
            .prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn bytes_compare_as_values_do(
            (score_a, text_a, created_a) in (-3i64..3, text(), -3i64..3),
            (score_b, text_b, created_b) in (any::<i64>(), text(), any::<i64>()),
            (score_down, text_down, near) in any::<(bool, bool, bool)>(),
        ) {
            let a = (score_a, text_a.clone(), score_down, text_down, created_a);
            let b = if near {
                (score_a, text_b, score_down, text_down, created_b)
            } else {
                (score_b, text_a, score_down, text_down, created_b)
            };
            prop_assert_eq!(key(&a).cmp(&key(&b)), by_value(&a, &b));
        }

        #[test]
        fn a_begun_run_is_ahead_of_every_entry(score_a: i64, score_b: i64) {
            let entry = key(&(score_a, String::new(), true, false, 0));
            let run = key(&(score_b, String::new(), true, false, 0)).begun();
            prop_assert!(run < entry);
        }
    }
}

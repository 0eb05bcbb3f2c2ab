//! Keeps of an order what is asked for, and counts the rest.

use std::collections::BinaryHeap;

use super::chunk::Spot;

/// What is kept.
pub(super) enum Kept {
    /// Those that come first, the last of them on top; as many as there are where there is no limit.
    First { limit: usize, total: u64, first: BinaryHeap<Spot> },
    /// Those that are named, in their order.
    Named { total: u64, named: Vec<Named> },
}

/// An entry that is asked for.
pub(super) struct Named {
    spot: Spot,
    /// How many of its lane come before it and after the one named before.
    before: u64,
    /// Whether it could run.
    is_there: bool,
}

impl Kept {
    /// The first so many; all for 0.
    pub(super) fn first(limit: usize) -> Self {
        let limit = if limit == 0 { usize::MAX } else { limit };
        Self::First { limit, total: 0, first: BinaryHeap::new() }
    }

    /// Those that would stand there.
    pub(super) fn named(mut spots: Vec<Spot>) -> Self {
        spots.sort_unstable();
        let named = spots.into_iter().map(|spot| Named { spot, before: 0, is_there: false }).collect();
        Self::Named { total: 0, named }
    }

    /// Takes in one that could run.
    pub(super) fn take(&mut self, spot: Spot) {
        match self {
            Self::First { limit, total, first } => {
                *total += 1;
                if first.len() < *limit {
                    first.push(spot);
                } else if let Some(mut last) = first.peek_mut()
                    && spot < *last
                {
                    *last = spot;
                }
            }
            Self::Named { total, named } => {
                *total += 1;
                let next = named.partition_point(|named| named.spot < spot);
                match named.get_mut(next) {
                    Some(named) if named.spot == spot => named.is_there = true,
                    Some(named) if named.spot.lane == spot.lane => named.before += 1,
                    _ => {}
                }
            }
        }
    }

    /// How many could run, and those that are kept, each with its place in its lane from 1, in their order.
    pub(super) fn finish(self) -> (u64, Vec<(u64, Spot)>) {
        let (mut lane, mut position) = (None, 0);
        let mut counted = |of: usize, more: u64| {
            position = if lane == Some(of) { position + more } else { more };
            lane = Some(of);
            position
        };
        match self {
            Self::First { total, first, .. } => {
                let spots = first.into_sorted_vec().into_iter();
                (total, spots.map(|spot| (counted(spot.lane, 1), spot)).collect())
            }
            Self::Named { total, named } => {
                let mut there = Vec::new();
                for Named { spot, before, is_there } in named {
                    let position = counted(spot.lane, before + u64::from(is_there));
                    if is_there {
                        there.push((position, spot));
                    }
                }
                (total, there)
            }
        }
    }
}

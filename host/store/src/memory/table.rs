//! Rows that are numbered from 1 and never deleted.
//!
//! A copy shares its rows with the original until one of them is changed, so to copy a whole state costs little.

use std::{
    marker::PhantomData,
    ops::{Index, IndexMut},
    sync::Arc,
};

use tollgate_core::{EntryId, LaneId, id::DeliveryId};

/// A row's number, by a type of its own for each table.
pub(super) trait Number: Copy + Ord {
    fn of(number: i64) -> Self;
    fn number(self) -> i64;
}

macro_rules! number {
    ($($name:ty => $make:expr),* $(,)?) => {
        $(impl Number for $name {
            fn of(number: i64) -> Self {
                $make(number)
            }

            fn number(self) -> i64 {
                self.0
            }
        })*
    };
}

/// A run's place in the order in which runs were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RunNo(i64);

/// A cap's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CapNo(i64);

/// The number of a reading of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ReadingNo(i64);

/// The place of a signal among all that were said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct SignalNo(i64);

number! {
    EntryId => EntryId,
    LaneId => LaneId,
    DeliveryId => DeliveryId,
    RunNo => RunNo,
    CapNo => CapNo,
    ReadingNo => ReadingNo,
    SignalNo => SignalNo,
}

/// The rows of one table. `rows[number]` is for a number that some other row names: rows are never deleted, so it is there.
#[derive(Debug)]
pub(super) struct Table<K, T> {
    rows: Vec<Arc<T>>,
    number: PhantomData<K>,
}

impl<K, T> Default for Table<K, T> {
    fn default() -> Self {
        Self { rows: Vec::new(), number: PhantomData }
    }
}

impl<K, T> Clone for Table<K, T> {
    fn clone(&self) -> Self {
        Self { rows: self.rows.clone(), number: PhantomData }
    }
}

impl<K: Number, T> Table<K, T> {
    pub(super) fn insert(&mut self, row: T) -> K {
        self.rows.push(Arc::new(row));
        self.last()
    }

    /// The number of the newest row; that before the first, where there is none.
    pub(super) fn last(&self) -> K {
        K::of(i64::try_from(self.rows.len()).unwrap_or(i64::MAX))
    }

    /// The row that somebody from outside names.
    pub(super) fn get(&self, number: K) -> Option<&T> {
        self.rows.get(place(number)).map(Arc::as_ref)
    }

    /// All rows, oldest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (K, &T)> {
        self.rows.iter().enumerate().map(|(place, row)| (number_of(place), row.as_ref()))
    }

    /// The numbers of all rows.
    pub(super) fn numbers(&self) -> impl Iterator<Item = K> + use<K, T> {
        (0..self.rows.len()).map(number_of)
    }

    /// The numbers of the rows that fit.
    pub(super) fn those(&self, fits: impl Fn(&T) -> bool) -> Vec<K> {
        self.iter().filter(|(_, row)| fits(row)).map(|(number, _)| number).collect()
    }
}

impl<K: Number, T> Index<K> for Table<K, T> {
    type Output = T;

    fn index(&self, number: K) -> &T {
        &self.rows[place(number)]
    }
}

impl<K: Number, T: Clone> IndexMut<K> for Table<K, T> {
    fn index_mut(&mut self, number: K) -> &mut T {
        Arc::make_mut(&mut self.rows[place(number)])
    }
}

fn number_of<K: Number>(place: usize) -> K {
    K::of(i64::try_from(place + 1).unwrap_or(i64::MAX))
}

fn place<K: Number>(number: K) -> usize {
    usize::try_from(number.number()).ok().and_then(|number| number.checked_sub(1)).unwrap_or(usize::MAX)
}

//! What a disk holds once its power is gone.
//!
//! Properties wanted: what was synced is there; of what was not, anything may be, sector by sector, in any order.

use std::{collections::BTreeMap, sync::Arc};

use super::disk::{Change, Files, write};

/// What a disk writes at once.
const SECTOR_BYTES: usize = 512;

/// A disk at some moment between two changes.
#[derive(Clone, Default)]
pub(crate) struct Medium {
    files: BTreeMap<Arc<str>, File>,
    /// It says that it has synced, and has not.
    lies: bool,
}

#[derive(Clone, Default)]
struct File {
    /// What is on it for certain; none where not even its name is.
    synced: Option<Vec<u8>>,
    /// What was done since.
    pending: Vec<Change>,
}

/// What becomes of the changes that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// All of them are there.
    Kept,
    /// None of them is.
    Lost,
    /// Those up to some moment, which cuts through one.
    Cut(u64),
    /// Some of them, sector by sector.
    Torn(u64),
}

impl Fate {
    /// The four of them in turn.
    pub(crate) fn nth(number: usize) -> Self {
        let seed = number as u64;
        match number % 4 {
            0 => Self::Torn(seed),
            1 => Self::Cut(seed),
            2 => Self::Lost,
            _ => Self::Kept,
        }
    }
}

impl Medium {
    /// From here on it syncs nothing, and says that it did.
    pub(crate) fn lie(&mut self) {
        self.lies = true;
    }

    /// Takes the next change.
    pub(crate) fn take(&mut self, name: &Arc<str>, change: &Change) {
        let lies = self.lies;
        let file = self.files.entry(Arc::clone(name)).or_default();
        match change {
            Change::Sync if lies => {}
            Change::Sync => {
                let mut bytes = file.synced.take().unwrap_or_default();
                file.pending.drain(..).for_each(|change| apply(&mut bytes, &change));
                file.synced = Some(bytes);
            }
            Change::FailedSync => file.pending.clear(),
            // A name goes at once: SQLite deletes only what it needs no more, and has the folder synced.
            Change::Delete => drop(self.files.remove(name)),
            Change::Write { .. } | Change::Resize(_) => file.pending.push(change.clone()),
        }
    }

    /// What is there when the power comes back.
    pub(crate) fn after_power_cut(&self, fate: Fate) -> Files {
        let left = self.files.iter().filter_map(|(name, file)| Some((name.to_string(), file.left(fate)?)));
        left.collect()
    }
}

impl File {
    fn left(&self, fate: Fate) -> Option<Vec<u8>> {
        let mut bytes = self.synced.clone();
        let kept = match fate {
            Fate::Lost => 0,
            Fate::Kept | Fate::Torn(_) => self.pending.len(),
            Fate::Cut(seed) => (Dice(seed).roll() % (self.pending.len() as u64 + 1)) as usize,
        };
        let mut dice = match fate {
            Fate::Torn(seed) => Some(Dice(seed)),
            _ => None,
        };
        for change in &self.pending[..kept] {
            match &mut dice {
                Some(dice) => torn(&mut bytes, change, dice),
                None => apply(bytes.get_or_insert_default(), change),
            }
        }
        if let (Fate::Cut(seed), Some(Change::Write { at, bytes: cut })) = (fate, self.pending.get(kept)) {
            let sectors = Dice(!seed).roll() as usize % cut.len().div_ceil(SECTOR_BYTES);
            write(bytes.get_or_insert_default(), *at, &cut[..sectors * SECTOR_BYTES]);
        }
        bytes
    }
}

/// Does to a file what was asked, some sectors of it.
fn torn(file: &mut Option<Vec<u8>>, change: &Change, dice: &mut Dice) {
    let Change::Write { at, bytes } = change else {
        if dice.is_even() {
            apply(file.get_or_insert_default(), change);
        }
        return;
    };
    for (number, sector) in bytes.chunks(SECTOR_BYTES).enumerate() {
        if dice.is_even() {
            write(file.get_or_insert_default(), at + number * SECTOR_BYTES, sector);
        }
    }
}

fn apply(file: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { at, bytes } => write(file, *at, bytes),
        Change::Resize(length) => file.resize(*length, 0),
        Change::Sync | Change::FailedSync | Change::Delete => {}
    }
}

/// Numbers that look random and are the same for the same seed (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn is_even(&mut self) -> bool {
        self.roll().is_multiple_of(2)
    }
}

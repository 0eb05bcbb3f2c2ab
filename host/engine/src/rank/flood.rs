//! So many entries that are judged again that they are put in order when all are.
//!
//! Properties wanted: nobody waits for the whole of it, neither who claims nor who stops the host; and whatever becomes of the host,
//! another one can find out what is not in order yet.
//!
//! Entries are judged in the order in which they are kept, and stand where they do meanwhile (`Store::rescore_apart`). Then they are put in
//! order, some at a time, in the order in which the store keeps them: so the database writes each of its pages a few times and not
//! once an entry. What an error leaves behind is dropped: it is found again when nothing has been heard of it for a while.

use std::cmp::Reverse;

use tollgate_core::EntryId;
use tollgate_store::{
    Store,
    port::{Displaced, KeptBy, Rescored, Rescoring},
};

use crate::error::{EngineError, Result};

/// No more displaced entries are kept in memory.
const DISPLACED_MAX: usize = 1_000_000;

/// So many are put in order before who asked can do something else.
const PORTION: usize = 32_000;

/// So many are read at once that somebody left behind.
const PAGE: u32 = 10_000;

/// Entries that are to be put in order.
#[derive(Debug)]
pub(super) struct Flood {
    rescoring: Rescoring,
    /// The entry to go on after; none where all were looked at.
    pub(super) judged_to: Option<EntryId>,
    displaced: Vec<Displaced>,
    /// Whether the last of them are kept first.
    is_sorted: bool,
    /// Whether another host judged them.
    is_left: bool,
}

impl Flood {
    pub(super) async fn begin(store: &dyn Store) -> Result<Self> {
        Ok(Self::of(store.begin_rescoring().await?, false))
    }

    /// One that a host began and did not end. Where nothing is out of order it is ended: a host that runs one entry is not asked again.
    pub(super) async fn left_behind(store: &dyn Store) -> Result<Option<Self>> {
        let lapsed = store.lapsed_rescorings().await?;
        let Some(rescoring) = lapsed.first() else { return Ok(None) };
        let mut flood = Self::of(*rescoring, true);
        flood.find_displaced(store).await?;
        if flood.displaced.is_empty() {
            store.end_rescoring(flood.rescoring).await?;
            return Ok(None);
        }
        Ok(Some(flood))
    }

    fn of(rescoring: Rescoring, is_left: bool) -> Self {
        Self { rescoring, judged_to: None, displaced: Vec::new(), is_sorted: false, is_left }
    }

    pub(super) fn rescoring(&self) -> Rescoring {
        self.rescoring
    }

    /// Whether more can be judged before these are put in order.
    pub(super) fn has_room(&self) -> bool {
        self.displaced.len() < DISPLACED_MAX
    }

    pub(super) fn add(&mut self, rescored: Rescored) {
        self.is_sorted &= rescored.displaced.is_empty();
        self.displaced.extend(rescored.displaced);
    }

    /// Puts some in order; none is left of it when that was all.
    pub(super) async fn put_some_in_order(mut self, store: &dyn Store) -> Result<Option<Self>> {
        if self.displaced.is_empty() && self.is_left {
            self.find_displaced(store).await?;
        }
        if self.displaced.is_empty() {
            store.end_rescoring(self.rescoring).await?;
            return Ok(None);
        }
        self.sort(store.keeps_ready_by()).await?;
        let mut portion = self.displaced.split_off(self.displaced.len().saturating_sub(PORTION));
        portion.reverse();
        store.put_in_order(self.rescoring, portion).await?;
        Ok(Some(self))
    }

    async fn sort(&mut self, by: KeptBy) -> Result<()> {
        if self.is_sorted {
            return Ok(());
        }
        let mut displaced = std::mem::take(&mut self.displaced);
        let sorted = tokio::task::spawn_blocking(move || {
            match by {
                KeptBy::Key => displaced.sort_unstable_by(|one, other| other.cmp(one)),
                KeptBy::Entry => displaced.sort_unstable_by_key(|displaced| Reverse(displaced.entry)),
            }
            displaced
        });
        let ended =
            |panicked| EngineError::Bug(format!("putting entries in order ended by a panic: {panicked}"));
        self.displaced = sorted.await.map_err(ended)?;
        self.is_sorted = true;
        Ok(())
    }

    async fn find_displaced(&mut self, store: &dyn Store) -> Result<()> {
        self.is_sorted = false;
        while self.has_room() {
            let after = self.displaced.last().map(|displaced| displaced.entry);
            let page = store.displaced(after, PAGE).await?;
            if page.is_empty() {
                break;
            }
            self.displaced.extend(page);
        }
        Ok(())
    }
}

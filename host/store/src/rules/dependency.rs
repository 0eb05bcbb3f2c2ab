//! Where links lead.
//!
//! A link names a tracker and a key. Who writes one down by its key alone means an entry of the same tracker, or where there is
//! none, the one of another source of the same backlog that has the key. Whatever may change the answer (an entry is made, is
//! gone, comes back, changes its backlog) ends in [`super::readiness::tell_dependants`].

use tollgate_core::{
    EntryId,
    entry::{DependencyRule, EntryName, EntryState, Link, LinkKind},
};

use super::{
    sql,
    tx::{Row, Tx, TxResult, named_params},
};

/// A link and where it leads.
pub(super) struct Lead {
    pub(super) position: i64,
    pub(super) link: Link,
    pub(super) target: Target,
}

/// Where a link leads.
pub(super) enum Target {
    /// Nothing of this key is known.
    Unknown,
    /// One entry.
    Known(KnownTarget),
    /// Entries of several trackers, none of them the entry's own: nobody knows which one is meant.
    Ambiguous { trackers: Vec<String> },
}

/// The entry that a link leads to.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownTarget {
    pub(super) id: EntryId,
    pub(super) state: EntryState,
    pub(super) closed: bool,
}

impl Target {
    /// The state of the entry that it leads to.
    pub(super) fn state(&self) -> Option<EntryState> {
        match self {
            Self::Known(target) => Some(target.state),
            Self::Unknown | Self::Ambiguous { .. } => None,
        }
    }

    /// Whether one who depends on it may go on.
    pub(super) fn satisfies(&self, rule: DependencyRule) -> bool {
        match self {
            Self::Known(target) => rule.is_satisfied(target.state, target.closed),
            Self::Unknown | Self::Ambiguous { .. } => false,
        }
    }
}

/// One of the entries that a link may lead to.
struct Candidate {
    target: KnownTarget,
    tracker: String,
    /// Whether it is gone, and whether it is of another tracker than the link names.
    distance: (bool, bool),
}

/// Every link of an entry, in their order.
pub(super) fn leads(tx: &Tx<'_>, entry: EntryId) -> TxResult<Vec<Lead>> {
    leads_from(tx, entry, false)
}

/// The same of an entry that waits from now on. If it was gone, it is no more, so it may mean itself.
pub(super) fn leads_of_who_waits(tx: &Tx<'_>, entry: EntryId) -> TxResult<Vec<Lead>> {
    leads_from(tx, entry, true)
}

fn leads_from(tx: &Tx<'_>, entry: EntryId, waits: bool) -> TxResult<Vec<Lead>> {
    let rows = tx.all(sql::LINK_LIST, named_params! { ":entry": entry.0 }, |row| {
        let candidate = read_candidate(row, waits.then_some(entry))?;
        Ok((row.plain::<i64>("position")?, read_link(row)?, candidate))
    })?;
    let leads = rows.chunk_by(|(one, ..), (other, ..)| one == other).map(|rows| {
        let (position, link, _) = &rows[0];
        let candidates: Vec<_> = rows.iter().filter_map(|(.., candidate)| candidate.as_ref()).collect();
        Lead { position: *position, link: link.clone(), target: nearest(&candidates) }
    });
    Ok(leads.collect())
}

fn nearest(candidates: &[&Candidate]) -> Target {
    let Some(least) = candidates.iter().map(|candidate| candidate.distance).min() else {
        return Target::Unknown;
    };
    let nearest: Vec<_> = candidates.iter().filter(|candidate| candidate.distance == least).collect();
    match nearest.as_slice() {
        [one] => Target::Known(one.target),
        several => Target::Ambiguous {
            trackers: several.iter().map(|candidate| candidate.tracker.clone()).collect(),
        },
    }
}

fn read_link(row: &Row<'_>) -> TxResult<Link> {
    Ok(Link {
        kind: row.word::<LinkKind>("kind")?,
        to: EntryName { tracker: row.plain("tracker")?, key: row.plain("key")? },
        written: row.plain("written")?,
        source: row.plain("source")?,
    })
}

/// `waits` is the entry that is not gone any more, whatever its row says.
fn read_candidate(row: &Row<'_>, waits: Option<EntryId>) -> TxResult<Option<Candidate>> {
    let Some(id) = row.plain::<Option<i64>>("target_id")?.map(EntryId) else { return Ok(None) };
    let target = KnownTarget { id, state: row.word("state")?, closed: row.plain("closed")? };
    let is_gone = target.state == EntryState::Gone && waits != Some(id);
    let distance = (is_gone, row.plain("is_elsewhere")?);
    Ok(Some(Candidate { target, tracker: row.plain("target_tracker")?, distance }))
}

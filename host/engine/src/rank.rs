//! Judges again what a new day, a time that has come, or what became known of an entry has changed.

use tollgate_core::Timestamp;
use tollgate_policy::{Policy, Seen};
use tollgate_store::{
    Store,
    port::{Rejudged, RescoreItem, Says},
};

use crate::{
    error::Result,
    judge::{self, Lanes},
};

/// Entries judged again at once. To judge them keeps a thread of the host busy, and workers wait for it meanwhile.
const CHUNK: u32 = 100;

/// Lifts what is due and judges one chunk again; how many entries were touched, so that the caller goes on until it is none.
///
/// # Errors
///
/// When the store fails.
pub async fn tick(store: &dyn Store, policy: &Policy, lanes: &Lanes) -> Result<u64> {
    Ok(store.lift_due().await? + judge_due(store, policy, lanes).await?)
}

/// Judges one chunk of what is due again; how many entries that were.
///
/// # Errors
///
/// When the store fails.
pub async fn judge_due(store: &dyn Store, policy: &Policy, lanes: &Lanes) -> Result<u64> {
    let due = store.due_for_rescoring(CHUNK).await?;
    if due.is_empty() {
        return Ok(0);
    }
    let now = store.now().await?;
    let judged = due.iter().map(|entry| judge_again(policy, lanes, entry, now));
    Ok(store.rescore(judged.collect()).await?)
}

/// What the policy says now. An entry whose backlog it no longer names is not due again, or it would be for ever.
fn judge_again(policy: &Policy, lanes: &Lanes, entry: &RescoreItem, now: Timestamp) -> Rejudged {
    let (says, admission) = match policy.backlog(&entry.backlog) {
        Some(backlog) => {
            let seen = Seen { first: entry.first_seen_at, now };
            let judged = backlog.judge_with(&entry.item, &entry.known.supplement, seen);
            let admission = judge::admission(backlog, lanes, &judged);
            (
                Some(Says { snapshot: judged.snapshot, revision: judged.revision, basis: judged.basis }),
                admission,
            )
        }
        None => (None, judge::without_backlog(&entry.backlog)),
    };
    Rejudged { id: entry.id, says, supplement_version: entry.known.version, admission }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tollgate_core::{
        EntryId,
        entry::{EntryName, HoldKind},
        item::SourceItem,
    };
    use tollgate_store::port::Known;

    use super::*;

    #[test]
    fn an_entry_of_a_backlog_that_was_taken_out_is_held_and_never_due_again() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("tollgate.toml"), "[instance]\n").unwrap();
        let policy = Policy::load(folder.path()).unwrap_or_else(|error| panic!("{error}"));
        let item = SourceItem {
            name: EntryName { tracker: "folder:backlog".into(), key: "LIB-1".into() },
            url: None,
            kind: String::new(),
            title: "Opening hours".into(),
            body: String::new(),
            author: None,
            labels: Vec::new(),
            created_at: None,
            closed: false,
            shelf: tollgate_core::item::Shelf::Open,
            front_matter: serde_json::Map::new(),
            headings: BTreeMap::new(),
            depends: Vec::new(),
        };
        let now = Timestamp::default();
        let known = Known::default();
        let entry = RescoreItem { id: EntryId(1), backlog: "old".into(), item, known, first_seen_at: now };
        let admission = judge_again(&policy, &Lanes::default(), &entry, now).admission;
        assert_eq!((admission.place, admission.due_at), (None, None));
        let [hold] = admission.holds.try_into().unwrap();
        assert_eq!(hold.kind, HoldKind::NoPipeline);
        assert_eq!(
            hold.reason,
            "the policy has no backlog `old` any more; put it back, or move the item to another source"
        );
    }
}

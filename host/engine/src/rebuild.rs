//! What was done before a store was made, from the records that stand in the trackers.
//!
//! A store that reads a tracker for the first time reads its records first, so that whatever they tell is known before any item is:
//! nothing that was done runs again because a store was lost. A record counts when it stands as it was written and is of the item
//! that it stands beside. One that does not verify holds its item for a person, and so does a file of records in which none can be
//! found.

use std::{collections::HashMap, sync::Arc};

use tollgate_core::{entry::EntryName, item::SourceItem, record::RecordError};
use tollgate_store::{
    Store,
    port::{FoundAccount, PriorAccount, Rebuilt},
};
use tollgate_tracker::{FoundRecord, Integrity, RecordReport, Tracker};

use crate::{
    error::{EngineError, Result},
    observer::{Notice, Observer},
};

/// Reads the records of a tracker, unless the store did so before; `items` are those that stand there.
pub(crate) async fn at_first_reading(
    store: &dyn Store,
    tracker: &Arc<dyn Tracker>,
    items: &[SourceItem],
    complete: bool,
    observer: &dyn Observer,
) -> Result<()> {
    if store.has_read_records(tracker.name()).await? {
        return Ok(());
    }
    let rebuilt = again(store, tracker, items, complete).await?;
    if rebuilt != Rebuilt::default() {
        observer.notice(&Notice::Rebuilt { tracker: tracker.name().to_owned(), rebuilt });
    }
    Ok(())
}

/// Reads the records of a tracker.
///
/// # Errors
///
/// When the tracker cannot be read, or the store fails.
pub async fn again(
    store: &dyn Store,
    tracker: &Arc<dyn Tracker>,
    items: &[SourceItem],
    complete: bool,
) -> Result<Rebuilt> {
    let report = tracker.records().await.map_err(|error| EngineError::Tracker {
        tracker: tracker.name().to_owned(),
        reason: error.to_string(),
    })?;
    let accounts = Reading::of(tracker.name(), items).accounts(report);
    Ok(store.rebuild(tracker.name(), accounts, complete).await?)
}

/// Finds the items that records stand beside.
struct Reading<'i> {
    tracker: &'i str,
    by_place: HashMap<&'i str, &'i str>,
}

impl<'i> Reading<'i> {
    fn of(tracker: &'i str, items: &'i [SourceItem]) -> Self {
        let key = |item: &'i SourceItem| item.name.key.as_str();
        let place = |item: &'i SourceItem| Some((item.url.as_deref()?, key(item)));
        Self { tracker, by_place: items.iter().filter_map(place).collect() }
    }

    fn accounts(&self, report: RecordReport) -> Vec<FoundAccount> {
        let mut accounts = Vec::new();
        for found in report.records {
            let name = found.account.as_ref().ok().map(|record| record.entry.name.clone());
            let verified = verified(&found, |record| record.run == found.id && record.chain.is_some());
            let account = verified.map(|record| PriorAccount::Run(Box::new(record)));
            accounts.extend(self.account(&found.place, &found.beside, found.item.as_deref(), name, account));
        }
        for found in report.adoptions {
            let name = found.account.as_ref().ok().map(|adoption| adoption.entry.name.clone());
            let verified = verified(&found, |adoption| adoption.id == found.id);
            let account = verified.map(|adoption| PriorAccount::Adoption(Box::new(adoption)));
            accounts.extend(self.account(&found.place, &found.beside, found.item.as_deref(), name, account));
        }
        for damaged in report.damaged {
            let (beside, item) = (&damaged.beside, damaged.item.as_deref());
            accounts.extend(self.account(&damaged.place, beside, item, None, Err(damaged.reason)));
        }
        accounts
    }

    /// An account and the key of its item. What does not verify is of the item that it stands beside; where there is none, it keeps
    /// nothing from running.
    fn account(
        &self,
        place: &str,
        beside: &str,
        marked: Option<&str>,
        named: Option<EntryName>,
        account: std::result::Result<PriorAccount, String>,
    ) -> Option<FoundAccount> {
        let beside = self.by_place.get(beside).copied();
        let named = named.filter(|name| name.tracker == self.tracker);
        let (key, account) = match (account, named) {
            (Ok(account), Some(name)) => (name.key, account),
            (Ok(_), None) => {
                let reason = format!("{place}: it is the record of an item of another tracker");
                (beside.or(marked)?.to_owned(), PriorAccount::Damaged(reason))
            }
            (Err(reason), _) => {
                (beside.or(marked)?.to_owned(), PriorAccount::Damaged(format!("{place}: {reason}")))
            }
        };
        Some(FoundAccount { key, place: place.to_owned(), account })
    }
}

/// What a record says, if it stands as it was written and is what its markers say.
fn verified<I: std::fmt::Display, A: Clone>(
    found: &FoundRecord<I, A>,
    is_what_it_says: impl FnOnce(&A) -> bool,
) -> std::result::Result<A, String> {
    let what = format!("the record {}", found.id);
    if let Integrity::Changed { .. } = found.integrity {
        return Err(format!("{what} was changed after it was written"));
    }
    match &found.account {
        Ok(account) if is_what_it_says(account) => Ok(account.clone()),
        Ok(_) => Err(format!("{what} is of another run than its markers say, or not whole")),
        Err(error @ RecordError::UnknownVersion { .. }) => Err(error.to_string()),
        Err(error) => Err(format!("{what}: {error}")),
    }
}

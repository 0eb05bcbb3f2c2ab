//! Reads sources and takes in what they hold.
//!
//! Properties wanted: a source that cannot be read harms no other; an item that cannot be read is named and passed over; and reading
//! the same source again changes nothing. An item is gone when its place is empty, never because it could not be read.

use std::sync::Arc;

use tollgate_core::{Timestamp, crash, item::SourceItem};
use tollgate_policy::{Backlog, Seen};
use tollgate_store::{
    Store,
    port::{Arrival, Change, Known, Reading},
};
use tollgate_tracker::{ScanReport, Tracker};

use crate::{
    error::{EngineError, Result},
    judge::{self, Lanes},
    observer::{Notice, Observer},
    rebuild,
    source::Trackers,
};

/// Entries taken in by one transaction: enough to share its commit, few enough to let claims through in between.
const BATCH: usize = 500;

/// What a reading left for the next one, which is not to be far off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unread {
    /// Items that were still being written.
    pub unsettled: usize,
    /// Trackers during whose reading the store failed.
    pub failed: usize,
}

impl Unread {
    /// Whether there is any.
    pub fn is_any(self) -> bool {
        self != Self::default()
    }

    /// This and what another reading left.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { unsettled: self.unsettled + other.unsettled, failed: self.failed + other.failed }
    }
}

/// Reads every tracker of one backlog, once; what is left for the next time. A tracker that fails is told to the observer and harms no
/// other.
pub async fn backlog(
    store: &dyn Store,
    backlog: &Backlog,
    lanes: &Lanes,
    trackers: &Trackers,
    observer: &dyn Observer,
) -> Unread {
    let mut unread = Unread::default();
    for tracker in trackers.of(&backlog.name) {
        match tick(store, backlog, lanes, tracker, observer).await {
            Ok(count) => unread.unsettled += count,
            Err(error) => {
                unread.failed += usize::from(error.may_pass());
                observer.notice(&Notice::PullFailed {
                    backlog: backlog.name.clone(),
                    tracker: tracker.name().to_owned(),
                    reason: match error {
                        EngineError::Tracker { reason, .. } => reason,
                        other => other.to_string(),
                    },
                });
            }
        }
    }
    unread
}

/// Reads one tracker of one backlog, once; how many items were left for the next time because they were still being written.
///
/// # Errors
///
/// When the tracker cannot be read at all, or the store fails.
pub async fn tick(
    store: &dyn Store,
    backlog: &Backlog,
    lanes: &Lanes,
    tracker: &Arc<dyn Tracker>,
    observer: &dyn Observer,
) -> Result<usize> {
    let failed = |error: tollgate_tracker::TrackerError| EngineError::Tracker {
        tracker: tracker.name().to_owned(),
        reason: error.to_string(),
    };
    observer.notice(&Notice::Pulling { tracker: tracker.name().to_owned() });
    // Begun before anything is read: what the store did since then may not have been seen.
    let reconcile = store.begin_reconcile(&backlog.name, tracker.name()).await?;
    let report = tracker.scan().await.map_err(failed)?;
    crash::point("pull.read");
    let (read, unsettled) = (report.items.len(), report.unsettled.len());
    let reading = match report.complete {
        true => Reading::Full { unread: report.unread().map(str::to_owned).collect() },
        false => Reading::Partial,
    };
    let skipped =
        report.skipped.iter().map(|skipped| (skipped.path.clone(), skipped.reason.clone())).collect();
    let complete = report.complete && unsettled == 0;
    rebuild::at_first_reading(store, tracker, &report.items, complete, observer).await?;
    let changes = take_in(store, backlog, lanes, tracker.name(), reconcile, report).await?;
    let reconciled = store.finish_reconcile(reconcile, reading).await?;
    observer.notice(&Notice::Pulled {
        backlog: backlog.name.clone(),
        tracker: tracker.name().to_owned(),
        items: read,
        created: changes.iter().filter(|change| change.created).count(),
        revised: changes.iter().filter(|change| change.revised && !change.created).count(),
        gone: reconciled.gone.len(),
        skipped,
        unsettled,
        settle: backlog.settle(),
    });
    Ok(unsettled)
}

async fn take_in(
    store: &dyn Store,
    backlog: &Backlog,
    lanes: &Lanes,
    tracker: &str,
    reconcile: i64,
    report: ScanReport,
) -> Result<Vec<Change>> {
    let now = store.now().await?;
    let mut changes = Vec::new();
    let mut items = report.items.into_iter().peekable();
    while items.peek().is_some() {
        let batch: Vec<SourceItem> = items.by_ref().take(BATCH).collect();
        let arrivals = judge_all(store, backlog, lanes, tracker, batch, now).await?;
        changes.extend(store.admit(reconcile, arrivals).await?);
    }
    Ok(changes)
}

async fn judge_all(
    store: &dyn Store,
    backlog: &Backlog,
    lanes: &Lanes,
    tracker: &str,
    items: Vec<SourceItem>,
    now: Timestamp,
) -> Result<Vec<Arrival>> {
    let undated = items.iter().filter(|item| item.created_at.is_none()).map(|item| item.name.key.clone());
    let first_seen = store.first_seen(tracker, undated.collect()).await?;
    let keys = items.iter().map(|item| item.name.key.clone());
    let known = store.known(tracker, keys.collect()).await?;
    let nothing = Known::default();
    let arrival = |item: SourceItem| {
        let first = first_seen.get(&item.name.key).copied().unwrap_or(now);
        let known = known.get(&item.name.key).unwrap_or(&nothing);
        judge::arrival(backlog, lanes, item, known, Seen { first, now })
    };
    Ok(items.into_iter().map(arrival).collect())
}

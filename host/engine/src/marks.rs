//! Marks that show in a tracker which run works on an item, where the project asked for them.
//!
//! The store alone decides who works on what. A mark is for people: it is set when a run is claimed, and taken away by the
//! outbox after its record. What a crash leaves behind, or a store that is gone, is put back when a host starts.

use std::time::Duration;

use tollgate_core::{crash, effect::Delivered, entry::EntryName, run::RunState};
use tollgate_store::{Store, StoreError, port::ClaimedRun};
use tollgate_tracker::{
    ClaimMark, Delivery, DeliveryError, DeliveryRequest, FoundClaim, ItemRef, Leave, Tracker,
};

use crate::{
    error::Result,
    observer::{Notice, Observer},
    source::Trackers,
};

/// Marks an item as worked on. A mark that cannot be set, or not within `patience`, stops no work; it is told.
pub(crate) async fn set(
    trackers: &Trackers,
    observer: &dyn Observer,
    claimed: &ClaimedRun,
    patience: Duration,
) {
    let run = &claimed.run;
    let Some(tracker) = trackers.named(&run.entry.tracker) else { return };
    let mark = ClaimMark { run: run.id, host: run.host.clone(), since: claimed.claimed_at };
    let item = ItemRef { key: run.entry.key.clone(), url: claimed.snapshot.url.clone() };
    let request = DeliveryRequest { item, what: Delivery::Claim(mark), ambiguous: claimed.begun };
    let key = run.entry.key.clone();
    let answer = tokio::time::timeout(patience, tracker.deliver(request)).await;
    let no_answer = || {
        let message = format!("the tracker did not answer within {} s; the work goes on", patience.as_secs());
        Err(DeliveryError { message, retry_after: None })
    };
    match answer.unwrap_or_else(|_| no_answer()) {
        Ok(Delivered::Done { .. }) => {}
        Ok(became @ (Delivered::Refused { .. } | Delivered::Withheld { .. })) => {
            observer.notice(&Notice::Delivered { key, what: "claim marker".into(), became });
        }
        Err(DeliveryError { message, .. }) => {
            let doing = format!("mark the claim of {key}");
            observer.notice(&Notice::Trouble { doing, reason: message });
        }
    }
}

/// Takes away the marks of runs that are over or unknown, and puts their items back.
pub(crate) async fn put_back_orphans(
    store: &dyn Store,
    trackers: &Trackers,
    observer: &dyn Observer,
) -> Result<()> {
    for tracker in trackers.all() {
        let claims = match tracker.claims().await {
            Ok(claims) => claims,
            Err(error) => {
                let doing = format!("look for claims in {}", tracker.name());
                observer.notice(&Notice::Trouble { doing, reason: error.to_string() });
                continue;
            }
        };
        for claim in claims {
            crash::point("marks.found");
            if is_orphan(store, tracker.name(), &claim).await? {
                put_back(&**tracker, observer, claim).await;
            }
        }
    }
    Ok(())
}

/// Whether the run of a mark is over and nothing is on its way to the item, or unknown.
async fn is_orphan(store: &dyn Store, tracker: &str, claim: &FoundClaim) -> Result<bool> {
    let run = match claim.run {
        Some(run) => Some(run),
        None => {
            let name = EntryName { tracker: tracker.to_owned(), key: claim.item.key.clone() };
            store.newest_run(&name).await?
        }
    };
    let Some(run) = run else { return Ok(true) };
    match store.run(run).await {
        Ok(detail) => Ok(!detail.summary.state.is_live() && detail.record_delivered.is_some()),
        Err(StoreError::NotFound { .. }) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

async fn put_back(tracker: &dyn Tracker, observer: &dyn Observer, claim: FoundClaim) {
    let key = claim.item.key.clone();
    let leave = Leave { run: claim.run, ended: None::<RunState> };
    let request = DeliveryRequest { item: claim.item, what: Delivery::Leave(leave), ambiguous: true };
    match tracker.deliver(request).await {
        Ok(became) => observer.notice(&Notice::PutBack { key, became }),
        Err(DeliveryError { message, .. }) => {
            observer.notice(&Notice::Trouble { doing: format!("put {key} back"), reason: message });
        }
    }
}

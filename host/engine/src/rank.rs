//! Scores again what a new day, or a time that has come, has changed.

use tollgate_policy::{Policy, Seen};
use tollgate_store::Store;

use crate::{
    error::Result,
    judge::{self, Lanes},
};

/// Entries scored again by one transaction, so that claims get through in between.
const CHUNK: u32 = 500;

/// Lifts what is due and scores one chunk again; how many entries were touched, so that the caller goes on until it is none.
///
/// # Errors
///
/// When the store fails.
pub async fn tick(store: &dyn Store, policy: &Policy, lanes: &Lanes) -> Result<u64> {
    let lifted = store.lift_due().await?;
    let due = store.due_for_rescoring(CHUNK).await?;
    if due.is_empty() {
        return Ok(lifted);
    }
    let now = store.now().await?;
    let scored = due.into_iter().filter_map(|entry| {
        let backlog = policy.backlog(&entry.backlog)?;
        let judged = backlog.judge(&entry.item, Seen { first: entry.first_seen_at, now });
        Some((entry.id, judge::admission(backlog, lanes, &judged)))
    });
    Ok(lifted + store.rescore(scored.collect()).await?)
}

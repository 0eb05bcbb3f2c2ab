//! Opens entries that live in the store alone: for a person, and for a run that asks for it by the effect `open-entry`.
//!
//! Properties wanted: such an entry is judged by its backlog's policy as any other, and again whenever a policy is applied; and to
//! ask for the same entry again, after a crash or in a later round, opens nothing.

use std::sync::Arc;

use serde_json::json;
use tollgate_core::{
    RunId,
    effect::Delivered,
    entry::{Hold, HoldKind, INTERNAL_TRACKER, Link, LinkKind},
    likeness::LIKENESS_SOURCE,
    opening::OpenEntry,
};
use tollgate_policy::{Backlog, Policy, Seen};
use tollgate_store::{
    Store, StoreError,
    port::{Arrival, Known, Opened, OpenedHow, Opener, Opening, Reading, StoredItem},
};

use crate::{
    error::Result,
    judge::{self, Lanes},
};

/// Items read, and entries judged, by one transaction.
const CHUNK: u32 = 500;

/// Why an entry was not opened.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    /// It must not be, or cannot be, as it stands: what is wrong, and what to do.
    #[error("{0}")]
    Refused(String),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for NotOpened {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(reason) => Self::Refused(reason),
            other => Self::Store(other),
        }
    }
}

impl From<tollgate_policy::NotOpened> for NotOpened {
    fn from(problems: tollgate_policy::NotOpened) -> Self {
        Self::Refused(problems.to_string())
    }
}

/// Who opens an entry.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// The backlog that it enters.
    pub backlog: &'a str,
    /// Its key, where a person gives it one.
    pub key: Option<&'a str>,
    /// Its author.
    pub author: &'a str,
    /// Who says what it links to.
    pub source: &'a str,
    /// The run that asks for it; none for a person.
    pub run: Option<RunId>,
}

/// What openings are judged by.
#[derive(Debug, Clone)]
pub struct Openings {
    /// The policy.
    pub policy: Arc<Policy>,
    /// The lanes of the applied policy.
    pub lanes: Lanes,
}

impl Openings {
    /// Opens an entry, unless one of its fingerprint is there.
    ///
    /// # Errors
    ///
    /// When the policy or the store refuses it, or the store fails. Nothing is changed then.
    pub async fn open(
        &self,
        store: &dyn Store,
        opening: &OpenEntry,
        asked: Asked<'_>,
    ) -> std::result::Result<Opened, NotOpened> {
        let backlog = self.policy.internal_backlog(asked.backlog)?;
        let key = asked.key.map_or_else(|| opening.key_in(&backlog.name), str::to_owned);
        let composed = backlog.compose(opening, &key, asked.author, asked.source)?;
        let now = store.now().await?;
        let first_seen = store.first_seen(INTERNAL_TRACKER, vec![key.clone()]).await?;
        let first = first_seen.get(&key).copied().unwrap_or(now);
        let known = store.known(INTERNAL_TRACKER, vec![key.clone()]).await?.remove(&key).unwrap_or_default();
        let mut arrival = judge::arrival(backlog, &self.lanes, composed.item, &known, Seen { first, now });
        arrival.links.extend(composed.links);
        hold_until_applied(backlog, &mut arrival);
        let opener = match asked.run {
            None => Opener::Person,
            Some(run) => Opener::Run { run, depth_max: backlog.intake.depth },
        };
        let fingerprint = match (&opening.fingerprint, asked.key) {
            (None, Some(key)) => key.to_owned(),
            _ => opening.fingerprint(),
        };
        Ok(store.open_entry(Opening { arrival, fingerprint, opener }).await?)
    }

    /// Opens an entry that a run asks for.
    pub(crate) async fn of_run(
        &self,
        store: &dyn Store,
        run: RunId,
        opening: &OpenEntry,
    ) -> std::result::Result<Delivered, NotOpened> {
        let opener = store.run(run).await?;
        let backlog = opening.backlog.as_deref().unwrap_or(&opener.order.backlog);
        let author = format!("{OWN_AUTHOR}{}", opener.summary.pipeline);
        let asked =
            Asked { backlog, key: None, author: &author, source: "effect:open-entry", run: Some(run) };
        let opened = self.open(store, opening, asked).await?;
        let data = json!({
            "key": opened.name.key,
            "created": opened.how == OpenedHow::Created,
            "state": opened.state,
        });
        Ok(Delivered::Done { reference: Some(opened.name.key), data })
    }
}

/// How the author of everything begins that a run opens; what comes after it is the pipeline.
pub const OWN_AUTHOR: &str = "tollgate:";

/// An entry whose pipeline no host has applied yet waits for one that does.
fn hold_until_applied(backlog: &Backlog, arrival: &mut Arrival) {
    let admission = &mut arrival.admission;
    if admission.place.is_none() && admission.holds.is_empty() {
        admission.holds.push(Hold {
            kind: HoldKind::NoPipeline,
            subject: backlog.name.clone(),
            reason: "no host has applied the policy that says where it waits; the next `tollgate run` does"
                .to_owned(),
            until: None,
        });
    }
}

/// Judges every internal entry that waits by the present policy: nothing reads them as sources are read.
///
/// # Errors
///
/// When the store fails.
pub(crate) async fn judge_again(store: &dyn Store, policy: &Policy, lanes: &Lanes) -> Result<()> {
    for backlog in policy.backlogs.values().filter(|backlog| backlog.internal) {
        let mut last = None;
        let mut reconcile = None;
        loop {
            let items = store.internal_items(last, CHUNK).await?;
            let Some(newest) = items.last() else { break };
            last = Some(newest.id);
            let arrivals = judge_all(store, backlog, lanes, items).await?;
            if arrivals.is_empty() {
                continue;
            }
            let number = match reconcile {
                Some(number) => number,
                None => store.begin_reconcile(&backlog.name, INTERNAL_TRACKER).await?,
            };
            reconcile = Some(number);
            store.admit(number, arrivals).await?;
        }
        if let Some(number) = reconcile {
            store.finish_reconcile(number, Reading::Partial).await?;
        }
    }
    Ok(())
}

async fn judge_all(
    store: &dyn Store,
    backlog: &Backlog,
    lanes: &Lanes,
    items: Vec<StoredItem>,
) -> Result<Vec<Arrival>> {
    let now = store.now().await?;
    let keys = items.iter().map(|item| item.item.name.key.clone());
    let known = store.known(INTERNAL_TRACKER, keys.collect()).await?;
    let nothing = Known::default();
    let mut arrivals = Vec::new();
    for StoredItem { backlog: of, item, first_seen_at, .. } in items {
        if of != backlog.name {
            continue;
        }
        let detail = store.entry(&item.name.key, Some(INTERNAL_TRACKER)).await?;
        let links = detail.links.into_iter().map(|status| status.link);
        let is_said = |link: &Link| link.kind != LinkKind::DependsOn && link.source != LIKENESS_SOURCE;
        let links: Vec<_> = links.filter(is_said).collect();
        let known = known.get(&item.name.key).unwrap_or(&nothing);
        let seen = Seen { first: first_seen_at, now };
        let mut arrival = judge::arrival(backlog, lanes, item, known, seen);
        arrival.links.extend(links);
        arrivals.push(arrival);
    }
    Ok(arrivals)
}

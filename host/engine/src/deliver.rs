//! Carries the outbox to the trackers.
//!
//! Properties wanted:
//!
//! 1. Everything in the outbox reaches its target or is refused by it; nothing is dropped.
//! 2. Any interleaving of crashes converges to exactly one: a delivery that may have been sent is read back before it is sent.
//! 3. To one entry, deliveries arrive in the order in which they were committed.
//! 4. A deliverer that was away too long sends nothing more of what it took: somebody else may have taken it by now. What it was
//!    in the middle of is cut before its lease ends, and counts as what may have been sent.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use tollgate_core::{
    Clock, HostId, crash,
    effect::{Delivered, KnownEffect},
    lease::{LeaseTerms, LocalBound},
    opening::OpenEntry,
};
use tollgate_store::{
    Store,
    port::{Delivery, DeliveryKind, DeliveryOutcome},
};
use tollgate_tracker::{DeliveryRequest, ItemRef, Leave};

use crate::{
    applied::{Applied, Present},
    error::Result,
    observer::{Notice, Observer},
    opening::{NotOpened, Openings},
    port::ArtifactStore,
    store_time::StoreTime,
};

/// Deliveries taken by one transaction.
const BATCH: u32 = 64;

/// Waited after the first failure; doubled after each further one.
const RETRY_MIN: Duration = Duration::from_secs(1);

/// Never waited longer, unless the tracker asks for it.
const RETRY_MAX: Duration = Duration::from_secs(300);

/// What a deliverer needs.
pub(crate) struct Deliverer {
    pub(crate) host: HostId,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) present: Arc<Present>,
    pub(crate) artifacts: Arc<dyn ArtifactStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) time: Arc<StoreTime>,
    pub(crate) observer: Arc<dyn Observer>,
    /// How long a batch may take before another host reads back and goes on.
    pub(crate) lease: Duration,
}

/// What was taken together.
struct Batch {
    deliveries: Vec<Delivery>,
    /// When it was asked for, by the monotonic clock.
    sent: Duration,
}

impl Deliverer {
    /// Delivers what is due, until nothing is; how many deliveries were taken. What became of some is written and the next are taken
    /// in one commit.
    ///
    /// # Errors
    ///
    /// When the store fails: then the deliveries are taken again once their lease ends, and read back first.
    pub(crate) async fn tick(&self) -> Result<usize> {
        let mut batch = self.take().await?;
        let mut count = 0;
        while !batch.deliveries.is_empty() {
            count += batch.deliveries.len();
            let outcomes = self.deliver_batch(batch).await;
            let (settled, next) = tokio::join!(self.settle(&outcomes), self.take());
            settled?;
            batch = next?;
        }
        Ok(count)
    }

    async fn take(&self) -> Result<Batch> {
        let sent = self.clock.monotonic();
        let deliveries = self.store.take_deliveries(&self.host, self.lease, BATCH).await?;
        Ok(Batch { deliveries, sent })
    }

    /// Delivers what was taken; what became of each. Of one that was cut off nothing is known, so nothing is said: the store will
    /// have it read back.
    async fn deliver_batch(&self, batch: Batch) -> Vec<(Delivery, DeliveryOutcome)> {
        let bound = LeaseTerms::new(self.lease).bound(batch.sent);
        let begin_until = batch.sent + self.lease / 2;
        let mut outcomes = Vec::with_capacity(batch.deliveries.len());
        for delivery in batch.deliveries {
            if self.clock.monotonic() >= begin_until {
                outcomes.push((delivery, DeliveryOutcome::NotBegun));
                continue;
            }
            crash::point("deliver.before");
            let outcome = self.deliver_within(&delivery, bound).await;
            crash::point("deliver.after");
            outcomes.extend(outcome.map(|outcome| (delivery, outcome)));
        }
        outcomes
    }

    /// What became of a delivery; none when it was cut off.
    async fn deliver_within(&self, delivery: &Delivery, bound: LocalBound) -> Option<DeliveryOutcome> {
        if let Some(outcome) = self.within(bound, self.deliver(delivery)).await {
            return Some(outcome);
        }
        self.observer.notice(&Notice::DeliveryDelayed {
            key: delivery.entry.key.clone(),
            what: what(delivery),
            reason: "it took longer than the lease; whether it was done is read back first".into(),
            until: self.clock.now().after(LeaseTerms::new(self.lease).margin()),
        });
        None
    }

    /// Works until a bound, and drops the work there. The clock is looked at whenever the work could go on: after a pause of the process
    /// nothing more is sent, whatever it was about to do.
    async fn within<F: Future>(&self, bound: LocalBound, work: F) -> Option<F::Output> {
        let mut work = pin!(work);
        let mut lapse = pin!(tokio::time::sleep(bound.remaining_at(self.clock.monotonic())));
        poll_fn(|context| {
            let holds = bound.holds_at(self.clock.monotonic()) && lapse.as_mut().poll(context).is_pending();
            if holds { work.as_mut().poll(context).map(Some) } else { Poll::Ready(None) }
        })
        .await
    }

    /// Writes what became of deliveries, and says so.
    async fn settle(&self, outcomes: &[(Delivery, DeliveryOutcome)]) -> Result<()> {
        let became = outcomes.iter().map(|(delivery, outcome)| (delivery.ticket(), outcome.clone()));
        let stale = self.store.settle_deliveries(became.collect()).await?;
        for (delivery, outcome) in outcomes.iter().filter(|(delivery, _)| !stale.contains(&delivery.id)) {
            self.tell(delivery, outcome);
        }
        Ok(())
    }

    async fn deliver(&self, delivery: &Delivery) -> DeliveryOutcome {
        let applied = self.present.applied();
        let Some(tracker) = applied.trackers.named(&delivery.entry.tracker) else {
            let reason =
                format!("no source of the project is {}; put it back or retry later", delivery.entry.tracker);
            return self.retry(delivery, reason, None).await;
        };
        let what = match self.prepare(delivery).await {
            Ok(Prepared::Opening(opening)) => return self.open(delivery, &opening).await,
            Ok(Prepared::Outside(what)) => what,
            Err(Unready::Refused(reason)) => return DeliveryOutcome::Settled(Delivered::Refused { reason }),
            Err(Unready::Later(reason)) => return self.retry(delivery, reason, None).await,
        };
        let item = ItemRef { key: delivery.entry.key.clone(), url: delivery.url.clone() };
        let request = DeliveryRequest { item, what, ambiguous: delivery.ambiguous };
        match tracker.deliver(request).await {
            Ok(delivered) => DeliveryOutcome::Settled(delivered),
            Err(error) => self.retry(delivery, error.message, error.retry_after).await,
        }
    }

    /// Opens an entry in the store. The same opening opens nothing twice, so one of unknown outcome needs nothing more.
    async fn open(&self, delivery: &Delivery, opening: &OpenEntry) -> DeliveryOutcome {
        let Some(run) = delivery.run else {
            let reason = "no run asked for it, and only a run has effects".into();
            return DeliveryOutcome::Settled(Delivered::Refused { reason });
        };
        let Applied { policy, lanes, .. } = &*self.present.applied();
        let openings = Openings { policy: Arc::clone(policy), lanes: lanes.clone() };
        match openings.of_run(&*self.store, run, opening).await {
            Ok(delivered) => DeliveryOutcome::Settled(delivered),
            Err(NotOpened::Refused(reason)) => DeliveryOutcome::Settled(Delivered::Refused { reason }),
            Err(NotOpened::Store(error)) => self.retry(delivery, error.to_string(), None).await,
        }
    }

    /// Brings an effect or record into the form that trackers take.
    async fn prepare(&self, delivery: &Delivery) -> std::result::Result<Prepared, Unready> {
        let effect = match &delivery.kind {
            DeliveryKind::Record(record) => {
                return Ok(Prepared::Outside(tollgate_tracker::Delivery::Record(record.clone())));
            }
            DeliveryKind::Adopted(adoption) => {
                return Ok(Prepared::Outside(tollgate_tracker::Delivery::Adopted(adoption.clone())));
            }
            DeliveryKind::Leave(ended) => {
                let leave = Leave { run: delivery.run, ended: Some(*ended) };
                return Ok(Prepared::Outside(tollgate_tracker::Delivery::Leave(leave)));
            }
            DeliveryKind::Effect { effect, .. } => effect,
        };
        match KnownEffect::parse(effect).map_err(|error| Unready::Refused(error.to_string()))? {
            KnownEffect::OpenEntry(opening) => Ok(Prepared::Opening(Box::new(opening))),
            KnownEffect::SetState(state) => {
                Ok(Prepared::Outside(tollgate_tracker::Delivery::SetState(state)))
            }
            KnownEffect::PublishFile(file) => {
                let bytes =
                    self.artifacts.read(file.artifact).await.map_err(|error| Unready::Later(error.0))?;
                let missing =
                    || Unready::Refused(format!("the artifact {} is not in the store", file.artifact));
                let bytes = bytes.ok_or_else(missing)?;
                let previous = delivery.previous;
                Ok(Prepared::Outside(tollgate_tracker::Delivery::PublishFile { file, bytes, previous }))
            }
        }
    }

    async fn retry(&self, delivery: &Delivery, reason: String, after: Option<Duration>) -> DeliveryOutcome {
        let wait = after.unwrap_or_else(|| backoff(delivery.failures));
        // The store decides when the time has come, so it is asked; where it cannot be asked now, what it said last has to do.
        let now = self.store.now().await.inspect(|now| self.time.hear(*now));
        let now = now.unwrap_or_else(|_| self.time.now());
        DeliveryOutcome::Retry { at: now.after(wait), reason, ambiguous: true }
    }

    fn tell(&self, delivery: &Delivery, outcome: &DeliveryOutcome) {
        let (key, what) = (delivery.entry.key.clone(), what(delivery));
        self.observer.notice(&match outcome.clone() {
            DeliveryOutcome::Settled(became) => Notice::Delivered { key, what, became },
            DeliveryOutcome::Retry { at, reason, .. } => {
                Notice::DeliveryDelayed { key, what, reason, until: at }
            }
            DeliveryOutcome::NotBegun => return,
        });
    }
}

/// The word for what is delivered.
fn what(delivery: &Delivery) -> String {
    match &delivery.kind {
        DeliveryKind::Record(_) | DeliveryKind::Adopted(_) => "record".to_owned(),
        DeliveryKind::Leave(_) => "place".to_owned(),
        DeliveryKind::Effect { effect, .. } => effect.kind.clone(),
    }
}

/// What a delivery brings about, and where.
enum Prepared {
    /// Something in a tracker.
    Outside(tollgate_tracker::Delivery),
    /// An entry in the store.
    Opening(Box<OpenEntry>),
}

/// Why a delivery cannot be sent as it stands.
enum Unready {
    Refused(String),
    Later(String),
}

fn backoff(failures: u32) -> Duration {
    RETRY_MIN.saturating_mul(1 << failures.min(16)).min(RETRY_MAX)
}

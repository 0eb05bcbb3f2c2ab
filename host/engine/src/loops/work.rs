//! Workers: each claims a run and drives it, over and over.
//!
//! Properties wanted:
//!
//! 1. No more runs are driven at once than workers were asked for.
//! 2. The price of a commit is shared: the end of a run, the next claim and what other workers have to write at that moment go to
//!    the disk together, and no core is idle meanwhile.
//! 3. What is claimed is driven soon: who comes from long work claims nothing before there is a place for it.
//! 4. Of a host that has nothing to do, one worker looks for work.
//!
//! So there are more workers than places to drive at, and a run gives up its place when nothing is left of it but the last write.
//! Another worker takes the place while that write is on its way. A worker claims when it has a place; only where runs are short
//! does it claim before, and then it waits for its place about as long as such a run takes, or, where long ones have come
//! between, as long as the first of these takes. Of workers that find nothing, one looks again from time to time, and one when something
//! happens; what these find, others look for more of.

use std::{sync::atomic::Ordering, time::Duration};

use tokio::sync::{SemaphorePermit, oneshot};
use tollgate_core::{LaneId, run::RunKind};
use tollgate_policy::Backlog;
use tollgate_store::port::ClaimedRun;

use super::{AFTER_TROUBLE, ALL, Loops};
use crate::{
    applied::Applied,
    claim::{self, Tick, Wish},
    drive::Driven,
    error::Result,
    host::{Host, HostOptions, Parts},
    lease_table::HeldLease,
    marks,
    shutdown::Phase,
};

/// A worker whose run took no longer claims the next one before it has a place.
const SHORT_RUN: Duration = Duration::from_millis(50);

/// Workers a place: some drive, the others wait for a commit.
const IN_FLIGHT: usize = 3;

/// A claim, and the place to drive at where there was one.
struct Claim<'l> {
    tick: Result<Tick>,
    place: Option<SemaphorePermit<'l>>,
}

/// How many workers there are. One alone drives in the strict order of claims.
pub(super) fn workers(options: &HostOptions) -> usize {
    match options.workers.max(1) {
        1 => 1,
        places => places * IN_FLIGHT,
    }
}

impl Loops {
    pub(super) async fn worker_loop(self) {
        let (mut next, mut has_rested) = (None, false);
        loop {
            let claim = match next.take() {
                Some(claim) => claim,
                None => match self.place().await {
                    Some(place) => self.claim(Some(place)).await,
                    None => return,
                },
            };
            let Claim { tick, place } = claim;
            match tick {
                Ok(Tick::Claimed(claimed, lease)) => {
                    if std::mem::take(&mut has_rested) {
                        // Where there is one, there may be more. Two look, and two more for each of them that finds something: soon all
                        // are at work, and few look in vain.
                        self.shared.changed();
                        self.shared.resting.call();
                    }
                    let (driven, ahead) = self.drive(*claimed, lease, place).await;
                    next = ahead;
                    if let Err(error) = driven {
                        self.trouble("drive a run", &error);
                        self.host.shutdown.sleep(AFTER_TROUBLE, Phase::Stopping).await;
                    }
                }
                Ok(Tick::Idle | Tick::Capped(_) | Tick::Stopped) => {
                    drop(place);
                    self.shared.idle_claims.fetch_add(1, Ordering::SeqCst);
                    self.rest_until_work().await;
                    has_rested = true;
                }
                Err(error) => {
                    drop(place);
                    self.trouble("claim a run", &error);
                    self.host.shutdown.sleep(AFTER_TROUBLE, Phase::Stopping).await;
                }
            }
        }
    }

    /// A place to drive at; none when the host stops.
    async fn place(&self) -> Option<SemaphorePermit<'_>> {
        tokio::select! {
            biased;
            () = self.host.shutdown.reached(Phase::Stopping) => None,
            place = self.shared.places.acquire() => place.ok(),
        }
    }

    /// Waits until there may be something to do.
    async fn rest_until_work(&self) {
        tokio::select! {
            biased;
            () = self.shared.resting.rest(self.shared.pace.poll()) => {}
            () = self.host.shutdown.reached(Phase::Stopping) => {}
        }
    }

    /// One claim, for a run to be driven at `place`.
    async fn claim<'l>(&self, place: Option<SemaphorePermit<'l>>) -> Claim<'l> {
        Claim { tick: self.tick().await, place }
    }

    /// Claims. A claimed run counts as driven from here on.
    async fn tick(&self) -> Result<Tick> {
        let permitted = self.phase() == Phase::Working && self.shared.take_permit();
        let wish = self.wish(permitted);
        let Host { parts: Parts { store, machine, observer, .. }, options, time, leases, .. } = &*self.host;
        self.shared.busy.fetch_add(1, Ordering::SeqCst);
        let tick = claim::tick(&options.id, &**store, &**machine, time, leases, &**observer, wish);
        let tick = tick.await;
        let begins_work = |claimed: &ClaimedRun| !claimed.begun && claimed.run.kind == RunKind::Work;
        if permitted && !matches!(&tick, Ok(Tick::Claimed(claimed, _)) if begins_work(claimed)) {
            self.shared.return_permit();
        }
        if let Ok(Tick::Capped(until)) = &tick {
            self.shared.with_outcome(|outcome| outcome.capped_until = Some(*until));
        }
        if !matches!(tick, Ok(Tick::Claimed(..))) {
            self.shared.busy.fetch_sub(1, Ordering::SeqCst);
        }
        tick
    }

    /// What a worker may take.
    pub(super) fn wish(&self, may_begin: bool) -> Wish {
        Wish { lanes: self.open_lanes(), only_begun: !may_begin, only: self.host.options.only.clone() }
    }

    /// Drives a run; with it comes the next claim, where one was made.
    async fn drive<'l>(
        &'l self,
        claimed: ClaimedRun,
        lease: HeldLease,
        place: Option<SemaphorePermit<'l>>,
    ) -> (Result<()>, Option<Claim<'l>>) {
        let (closing, closed) = oneshot::channel();
        let kind = claimed.run.kind;
        let place = match place {
            Some(place) => Some(place),
            None => self.place().await,
        };
        let beside_others = self.beside_others(claimed.run.crashes).await;
        let Parts { observer, clock, .. } = &self.host.parts;
        let begun_at = clock.monotonic();
        if kind == RunKind::Work {
            let patience = self.host.leases.terms().margin();
            let trackers = &self.host.present.applied().trackers;
            marks::set(trackers, &**observer, &claimed, patience).await;
        }
        let next = async {
            let closed = closed.await;
            drop(place);
            closed.ok()?;
            self.claim_ahead(kind, clock.monotonic().saturating_sub(begun_at)).await
        };
        let (driven, next) = tokio::join!(self.host.driver.drive(claimed, lease, closing), next);
        drop(beside_others);
        match &driven {
            Ok(Driven::Finished { end, cost }) => {
                self.shared.with_outcome(|outcome| outcome.count(kind, end, *cost));
                if kind == RunKind::Refine {
                    self.judge_refined().await;
                }
            }
            Ok(Driven::Asking) => self.shared.with_outcome(|outcome| outcome.asked += 1),
            Ok(Driven::Waiting | Driven::LetGo) | Err(_) => {}
        }
        if driven.is_ok() {
            self.shared.changed();
        }
        self.shared.busy.fetch_sub(1, Ordering::SeqCst);
        (driven.map(drop), next)
    }

    /// The next claim, made while the last write of a run is on its way.
    async fn claim_ahead(&self, kind: RunKind, took: Duration) -> Option<Claim<'_>> {
        // What comes after a refine run is known when what it found is judged.
        if kind != RunKind::Work || self.phase() >= Phase::Stopping {
            return None;
        }
        let place = self.shared.places.try_acquire().ok();
        if place.is_none() && took > SHORT_RUN {
            return None;
        }
        Some(self.claim(place).await)
    }

    /// Judges what was refined before anybody looks for work again. What fails here is due, so the rank loop does it.
    async fn judge_refined(&self) {
        let host = &self.host;
        if let Err(error) = host.present.applied().ranker.judge_due(&*host.parts.store).await {
            self.trouble("judge a refined entry", &error);
        }
    }

    /// Waits until a run may be driven. One under which a host vanished is driven alone: when it takes this one down as well, no
    /// other run is charged with that.
    async fn beside_others(&self, crashes: u32) -> Option<SemaphorePermit<'_>> {
        let permits = if crashes > 0 { ALL } else { 1 };
        tokio::select! {
            biased;
            permit = self.shared.side_by_side.acquire_many(permits) => permit.ok(),
            // The driver gives the run back by itself then.
            () = self.host.shutdown.reached(Phase::Stopping) => None,
        }
    }

    /// The lanes of backlogs whose window is open now, of pipelines for which this host has the labels; and all in which entries wait to be
    /// refined: that is no work yet.
    fn open_lanes(&self) -> Vec<LaneId> {
        let now = self.now();
        let Applied { policy, lanes, .. } = &*self.host.present.applied();
        let backlogs = policy.backlogs.values();
        let labels = &self.host.options.labels;
        let is_for_us = |(pipeline, _): &(&str, LaneId)| {
            policy.host_labels(pipeline).iter().all(|label| labels.contains(label))
        };
        let of_backlog = |backlog: &Backlog| match backlog.is_open(now) {
            true => {
                lanes.of_backlog(&backlog.name).filter(is_for_us).map(|(_, lane)| lane).collect::<Vec<_>>()
            }
            false => lanes.refine_of(&backlog.name).into_iter().collect(),
        };
        backlogs.flat_map(of_backlog).collect()
    }
}

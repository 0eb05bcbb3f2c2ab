//! Takes the next run for a worker.

use std::sync::Arc;

use tollgate_core::{EntryId, HostId, LaneId, Timestamp};
use tollgate_store::{
    Store,
    port::{ClaimOutcome, ClaimRequest, ClaimedRun},
};

use crate::{
    error::Result,
    lease_table::{HeldLease, LeaseTable},
    observer::{Notice, Observer},
    port::Machine,
    store_time::StoreTime,
};

/// What a claim gave.
pub(crate) enum Tick {
    /// A run to drive, while the lease holds.
    Claimed(Box<ClaimedRun>, HeldLease),
    /// Nothing waits.
    Idle,
    /// Something waits, and a cap has no room before this time.
    Capped(Timestamp),
    /// Hosts were asked to stop.
    Stopped,
}

/// What a worker may take.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    /// The lanes whose window is open.
    pub(crate) lanes: Vec<LaneId>,
    /// Only runs that begun before.
    pub(crate) only_begun: bool,
    /// Only these entries, when not empty.
    pub(crate) only: Vec<EntryId>,
}

/// One claim.
pub(crate) async fn tick(
    host: &HostId,
    store: &dyn Store,
    machine: &dyn Machine,
    time: &StoreTime,
    leases: &Arc<LeaseTable>,
    observer: &dyn Observer,
    wish: Wish,
) -> Result<Tick> {
    let asking = leases.ask();
    let request = ClaimRequest {
        host: host.clone(),
        lease: leases.terms().length,
        lanes: wish.lanes,
        new_run: machine.new_run(),
        only_begun: wish.only_begun,
        only: wish.only,
    };
    match store.claim(request).await? {
        ClaimOutcome::Claimed(claimed) => {
            time.hear(claimed.claimed_at);
            let lease = leases.hold(claimed.claim, asking.sent());
            observer.notice(&Notice::Claimed {
                run: claimed.run.id,
                key: claimed.run.entry.key.clone(),
                title: claimed.run.title.clone(),
                begun: claimed.begun,
            });
            Ok(Tick::Claimed(claimed, lease))
        }
        ClaimOutcome::Nothing => Ok(Tick::Idle),
        ClaimOutcome::Stopped => Ok(Tick::Stopped),
        ClaimOutcome::CapReached { cap, until } => {
            observer.notice(&Notice::CapReached { cap: cap.to_string(), until });
            Ok(Tick::Capped(until))
        }
    }
}

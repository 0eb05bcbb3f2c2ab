//! Takes the next run and drives it: what one worker does, over and over.

use std::sync::Arc;

use tollgate_core::{EntryId, HostId, LaneId, RunId, Timestamp};
use tollgate_store::{
    Store,
    port::{ClaimOutcome, ClaimRequest},
};

use crate::{
    drive::{Driven, Driver},
    error::Result,
    lease_table::LeaseTable,
    observer::Notice,
};

/// What a worker did.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tick {
    /// It drove a run; whether that run was new, and how the drive ended.
    Drove {
        /// Whether the run was born by this claim.
        fresh: bool,
        /// How the drive ended.
        driven: Driven,
    },
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

/// One claim and the drive that follows it.
pub(crate) async fn tick(
    host: &HostId,
    store: &dyn Store,
    leases: &Arc<LeaseTable>,
    driver: &Driver,
    wish: Wish,
) -> Result<Tick> {
    let sent = leases.sending();
    let request = ClaimRequest {
        host: host.clone(),
        lease: leases.terms().length,
        lanes: wish.lanes,
        new_run: RunId::generate(),
        only_begun: wish.only_begun,
        only: wish.only,
    };
    let claimed = match store.claim(request).await? {
        ClaimOutcome::Claimed(claimed) => *claimed,
        ClaimOutcome::Nothing => return Ok(Tick::Idle),
        ClaimOutcome::Stopped => return Ok(Tick::Stopped),
        ClaimOutcome::CapReached { cap, until } => {
            driver.observer.notice(&Notice::CapReached { cap: cap.to_string(), until });
            return Ok(Tick::Capped(until));
        }
    };
    let lease = leases.hold(claimed.claim, sent);
    let fresh = !claimed.begun;
    driver.observer.notice(&Notice::Claimed {
        run: claimed.run.id,
        key: claimed.run.entry.key.clone(),
        title: claimed.run.title.clone(),
        begun: claimed.begun,
    });
    let driven = driver.drive(claimed, lease).await?;
    Ok(Tick::Drove { fresh, driven })
}

//! Renews the leases of this host, whatever its guests do.
//!
//! Property wanted: neither a guest that spins, nor a store call that hangs, nor a full executor keeps a healthy host from
//! renewing. So the machine runs the heartbeat beside the loops, and one statement renews all leases.

use std::sync::Arc;

use tollgate_core::HostId;
use tollgate_store::{Store, StoreError};

use crate::{
    lease_table::LeaseTable,
    observer::{Notice, Observer},
    shutdown::{Phase, Shutdown},
};

/// One renewal of all leases of `host`, which is a sign of its life where there are none. What the host holds in the store and knows
/// nothing of is given back.
///
/// # Errors
///
/// When the store fails: then the leases lapse unless a later renewal succeeds in time.
pub(crate) async fn tick(store: &dyn Store, host: &HostId, leases: &LeaseTable) -> Result<(), StoreError> {
    let sent = leases.sending();
    let renewed = store.renew_leases(host, leases.terms().length).await?;
    for claim in leases.renewed(&renewed, sent) {
        match store.release(claim, "its host lost it without an answer").await {
            // It ended since.
            Ok(()) | Err(StoreError::StaleFence { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Renews until the host is over.
pub(crate) async fn beat(
    store: Arc<dyn Store>,
    host: HostId,
    leases: Arc<LeaseTable>,
    shutdown: Shutdown,
    observer: Arc<dyn Observer>,
) {
    while shutdown.phase() < Phase::Over {
        if let Err(error) = tick(&*store, &host, &leases).await {
            let doing = "renew leases".into();
            observer.notice(&Notice::Trouble { doing, reason: error.to_string() });
        }
        shutdown.sleep(leases.terms().renew_every(), Phase::Over).await;
    }
}

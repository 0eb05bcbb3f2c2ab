//! Renews the leases of this host, whatever its guests do.
//!
//! Property wanted: neither a guest that spins, nor a store call that hangs, nor a full executor keeps a healthy host from
//! renewing. So the machine runs the heartbeat beside the loops, and one statement renews all leases. What failed is tried again soon,
//! or a store that is away for a moment costs a renewal, and leases lapse of which nobody else is in need.

use std::{sync::Arc, time::Duration};

use tollgate_core::{HostId, lease::LeaseTerms};
use tollgate_store::{Store, StoreError};

use crate::{
    lease_table::LeaseTable,
    loops::AFTER_TROUBLE,
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
        let renewed = tick(&*store, &host, &leases).await;
        if let Err(error) = &renewed {
            let doing = "renew leases".into();
            observer.notice(&Notice::Trouble { doing, reason: error.to_string() });
        }
        shutdown.sleep(pause(leases.terms(), renewed.is_err()), Phase::Over).await;
    }
}

/// How soon leases are renewed again.
fn pause(terms: LeaseTerms, failed: bool) -> Duration {
    if failed { terms.renew_every().min(AFTER_TROUBLE) } else { terms.renew_every() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renewal_that_failed_is_tried_again_soon() {
        let minute = LeaseTerms::new(Duration::from_secs(60));
        assert_eq!(pause(minute, false), minute.renew_every());
        assert_eq!(pause(minute, true), AFTER_TROUBLE);
        let moment = LeaseTerms::new(Duration::from_millis(900));
        assert_eq!(pause(moment, true), moment.renew_every());
    }
}

//! The lease: who drives a run, until when, and how a driver knows without asking.
//!
//! Properties wanted:
//!
//! 1. No two hosts drive a run at the same time, whatever their clocks show.
//! 2. A host that can no longer be sure stops before anybody else may start.
//!
//! The store decides by its own clock and raises the *fence* with every claim; every write of a driver names its fence. Between
//! writes the driver trusts a [`LocalBound`], computed from its own monotonic clock:
//!
//! ```text
//! renewal sent            local bound                lease ends (store's clock)
//!      |------------------------|------- margin --------|
//!      trusted                  in-flight work is cut   others may claim
//! ```
//!
//! The bound starts when the renewal is *sent*: the store's own count can only start later, so the bound lapses first however
//! long the answer takes.

use std::{fmt, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A number that only rises. A write that names an older one than the store holds is refused.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Fence(pub i64);

impl Fence {
    /// The fence of the next claim.
    #[must_use]
    pub fn raised(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How often a host says that it lives, at the least.
pub const HEARD_OF_EVERY: Duration = Duration::from_secs(20);

/// A host that was not heard of for so long is taken for gone.
pub const SILENT_AFTER: Duration = Duration::from_secs(90);

/// How long a lease lasts and what is kept back of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTerms {
    /// What the store grants.
    pub length: Duration,
}

impl LeaseTerms {
    /// Terms of this length.
    pub fn new(length: Duration) -> Self {
        Self { length }
    }

    /// What a driver gives up at the end, so that its work is cut before the lease ends: a sixth.
    pub fn margin(&self) -> Duration {
        self.length / 6
    }

    /// How often leases are renewed: two renewals may be lost before one lapses, and a host with long leases is heard of all the same.
    pub fn renew_every(&self) -> Duration {
        (self.length / 3).min(HEARD_OF_EVERY)
    }

    /// The bound that a claim or renewal gives, sent at `sent` by the monotonic clock.
    pub fn bound(&self, sent: Duration) -> LocalBound {
        LocalBound { until: sent + self.length.saturating_sub(self.margin()) }
    }
}

/// Until when a driver may act without asking, by its own monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalBound {
    until: Duration,
}

impl LocalBound {
    /// Whether the driver may act at `monotonic`.
    pub fn holds_at(&self, monotonic: Duration) -> bool {
        monotonic < self.until
    }

    /// What is left at `monotonic`.
    pub fn remaining_at(&self, monotonic: Duration) -> Duration {
        self.until.saturating_sub(monotonic)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_fence_is_told_by_its_number() {
        assert_eq!(format!("fence {:>3}", Fence::default().raised()), "fence   1");
    }

    proptest! {
        /// Whatever the delay between sending and the store's stamping: when the store's lease ends, the local bound has lapsed.
        #[test]
        fn the_local_bound_lapses_before_the_lease(
            length_ms in 6u64..600_000, sent_ms in 0u64..1_000_000, delay_ms in 0u64..100_000,
        ) {
            let terms = LeaseTerms::new(Duration::from_millis(length_ms));
            let sent = Duration::from_millis(sent_ms);
            let lease_end = sent + Duration::from_millis(delay_ms) + terms.length;
            let bound = terms.bound(sent);
            prop_assert!(!bound.holds_at(lease_end));
            prop_assert!(!bound.holds_at(lease_end.saturating_sub(terms.margin())));
            prop_assert!(terms.margin() > Duration::ZERO);
            prop_assert!(bound.holds_at(sent));
            let lasts = bound.remaining_at(sent);
            prop_assert_eq!(lasts, terms.length - terms.margin());
            prop_assert!(!bound.holds_at(sent + lasts), "not at its end");
        }

        /// One lost renewal is survived.
        #[test]
        fn two_renewal_periods_fit_into_the_bound(length_ms in 6u64..600_000) {
            let terms = LeaseTerms::new(Duration::from_millis(length_ms));
            prop_assert!(terms.bound(Duration::ZERO).holds_at(terms.renew_every() * 2));
            prop_assert!(terms.renew_every() * 3 < SILENT_AFTER);
            prop_assert!(terms.renew_every() > Duration::ZERO);
        }
    }
}

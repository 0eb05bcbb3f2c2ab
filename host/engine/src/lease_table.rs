//! What this host may still drive, by its own monotonic clock.
//!
//! Property wanted: a worker can ask at every host call of a guest whether it may go on, without I/O and without a lock, and
//! the answer is no before anybody else may claim the run (see [`tollgate_core::lease`]).

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tollgate_core::{
    Clock,
    lease::{LeaseTerms, LocalBound},
    run::Claim,
};

/// The leases of one host.
pub(crate) struct LeaseTable {
    clock: Arc<dyn Clock>,
    terms: LeaseTerms,
    held: Mutex<HashMap<Claim, Arc<Known>>>,
}

/// What is known of a lease without asking the store.
struct Known {
    until_nanos: AtomicU64,
    /// A person cancelled the run.
    cancelled: AtomicBool,
}

/// One lease, as its worker holds it. Dropped, it is forgotten.
pub(crate) struct HeldLease {
    table: Arc<LeaseTable>,
    claim: Claim,
    known: Arc<Known>,
}

impl LeaseTable {
    /// An empty table.
    pub(crate) fn new(clock: Arc<dyn Clock>, terms: LeaseTerms) -> Arc<Self> {
        Arc::new(Self { clock, terms, held: Mutex::default() })
    }

    /// The terms of every lease here.
    pub(crate) fn terms(&self) -> LeaseTerms {
        self.terms
    }

    /// The moment to note before a claim or renewal is sent.
    pub(crate) fn sending(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Notes a claim that was sent at `sent`.
    pub(crate) fn hold(self: &Arc<Self>, claim: Claim, sent: Duration) -> HeldLease {
        let until_nanos = AtomicU64::new(nanos(self.terms.bound(sent)));
        let known = Arc::new(Known { until_nanos, cancelled: AtomicBool::new(false) });
        self.lock().insert(claim, Arc::clone(&known));
        HeldLease { table: Arc::clone(self), claim, known }
    }

    /// Notes that the store renewed these claims, by a renewal that was sent at `sent`. The others lapse by themselves.
    pub(crate) fn renewed(&self, claims: &[Claim], sent: Duration) {
        let until = nanos(self.terms.bound(sent));
        let held = self.lock();
        for claim in claims {
            if let Some(known) = held.get(claim) {
                known.until_nanos.fetch_max(until, Ordering::Relaxed);
            }
        }
    }

    /// Notes that the runs of these claims were cancelled: whoever drives them stops.
    pub(crate) fn cancelled(&self, claims: &[Claim]) {
        let held = self.lock();
        for known in claims.iter().filter_map(|claim| held.get(claim)) {
            known.cancelled.store(true, Ordering::Relaxed);
        }
    }

    /// Whether there is anything to renew.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Claim, Arc<Known>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HeldLease {
    /// The claim.
    pub(crate) fn claim(&self) -> Claim {
        self.claim
    }

    /// Whether the holder may act now.
    pub(crate) fn holds(&self) -> bool {
        let now = u64::try_from(self.table.clock.monotonic().as_nanos()).unwrap_or(u64::MAX);
        now < self.known.until_nanos.load(Ordering::Relaxed)
    }

    /// Whether a person cancelled the run since it was claimed.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.known.cancelled.load(Ordering::Relaxed)
    }
}

impl Drop for HeldLease {
    fn drop(&mut self) {
        self.table.lock().remove(&self.claim);
    }
}

/// The bound as nanoseconds of the monotonic clock, which fit 64 bits for five hundred years.
fn nanos(bound: LocalBound) -> u64 {
    u64::try_from(bound.remaining_at(Duration::ZERO).as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use tollgate_core::{RunId, Timestamp, lease::Fence, time::ManualClock};

    use super::*;

    fn table() -> (Arc<ManualClock>, Arc<LeaseTable>) {
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(0)));
        let terms = LeaseTerms::new(Duration::from_secs(60));
        (clock.clone(), LeaseTable::new(clock, terms))
    }

    #[test]
    fn a_lease_that_is_not_renewed_lapses_before_its_end() {
        let (clock, table) = table();
        let lease = table.hold(Claim { run: RunId::generate(), fence: Fence(1) }, table.sending());
        assert!(lease.holds());
        clock.advance(Duration::from_secs(50));
        assert!(!lease.holds());
    }

    #[test]
    fn a_renewal_counts_from_when_it_was_sent() {
        let (clock, table) = table();
        let lease = table.hold(Claim { run: RunId::generate(), fence: Fence(1) }, table.sending());
        clock.advance(Duration::from_secs(20));
        let sent = table.sending();
        clock.advance(Duration::from_secs(25));
        table.renewed(&[lease.claim()], sent);
        clock.advance(Duration::from_secs(24));
        assert!(lease.holds());
        clock.advance(Duration::from_secs(1));
        assert!(!lease.holds());
    }

    #[test]
    fn a_renewal_of_another_fence_renews_nothing() {
        let (clock, table) = table();
        let run = RunId::generate();
        let lease = table.hold(Claim { run, fence: Fence(1) }, table.sending());
        clock.advance(Duration::from_secs(40));
        table.renewed(&[Claim { run, fence: Fence(2) }], table.sending());
        clock.advance(Duration::from_secs(10));
        assert!(!lease.holds());
        drop(lease);
        assert!(table.is_empty());
    }
}

//! What this host may still drive, by its own monotonic clock.
//!
//! Property wanted: a worker can ask at every host call of a guest whether it may go on, without I/O and without a lock, and
//! the answer is no before anybody else may claim the run (see [`tollgate_core::lease`]).

use std::{
    collections::{BTreeSet, HashMap},
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
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: HashMap<Claim, Arc<Known>>,
    /// How many claims were asked for.
    asked: u64,
    /// The numbers of those whose answers are not here yet.
    under_way: BTreeSet<u64>,
    /// Claims that the store renewed and nobody here holds, with how many claims had been asked for when that showed.
    stray: HashMap<Claim, u64>,
}

/// A claim that is asked for. Dropped, its answer is here, or will never be.
pub(crate) struct Asking<'t> {
    table: &'t LeaseTable,
    number: u64,
    sent: Duration,
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
        Arc::new(Self { clock, terms, state: Mutex::default() })
    }

    /// The terms of every lease here.
    pub(crate) fn terms(&self) -> LeaseTerms {
        self.terms
    }

    /// To be called before a claim is sent, and kept until what it gave is held.
    pub(crate) fn ask(&self) -> Asking<'_> {
        let sent = self.sending();
        let mut state = self.lock();
        let number = state.asked;
        state.asked += 1;
        state.under_way.insert(number);
        Asking { table: self, number, sent }
    }

    /// The moment to note before a renewal is sent.
    pub(crate) fn sending(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Notes a claim that was sent at `sent`.
    pub(crate) fn hold(self: &Arc<Self>, claim: Claim, sent: Duration) -> HeldLease {
        let until_nanos = AtomicU64::new(nanos(self.terms.bound(sent)));
        let known = Arc::new(Known { until_nanos, cancelled: AtomicBool::new(false) });
        self.lock().held.insert(claim, Arc::clone(&known));
        HeldLease { table: Arc::clone(self), claim, known }
    }

    /// Notes that the store renewed these claims, by a renewal that was sent at `sent`. The others lapse by themselves.
    ///
    /// Returned are those that nobody here holds or is about to hold: the answer to the claim was lost, or a driver could not write any
    /// more. They are to be given back, or this host would renew them for as long as it lives.
    pub(crate) fn renewed(&self, claims: &[Claim], sent: Duration) -> Vec<Claim> {
        let until = nanos(self.terms.bound(sent));
        let mut state = self.lock();
        let State { held, asked, under_way, stray } = &mut *state;
        let before = std::mem::take(stray);
        let mut lost = Vec::new();
        for claim in claims {
            if let Some(known) = held.get(claim) {
                known.until_nanos.fetch_max(until, Ordering::Relaxed);
                continue;
            }
            let showed = before.get(claim).copied().unwrap_or(*asked);
            let is_awaited = under_way.first().is_some_and(|number| *number < showed);
            if before.contains_key(claim) && !is_awaited {
                lost.push(*claim);
            } else {
                stray.insert(*claim, showed);
            }
        }
        lost
    }

    /// Notes that the runs of these claims were cancelled: whoever drives them stops.
    pub(crate) fn cancelled(&self, claims: &[Claim]) {
        let state = self.lock();
        for known in claims.iter().filter_map(|claim| state.held.get(claim)) {
            known.cancelled.store(true, Ordering::Relaxed);
        }
    }

    /// Whether there is anything to renew.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().held.is_empty()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.table.lock().held.remove(&self.claim);
    }
}

impl Asking<'_> {
    /// When it was sent.
    pub(crate) fn sent(&self) -> Duration {
        self.sent
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.table.lock().under_way.remove(&self.number);
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

    #[test]
    fn a_claim_that_nobody_holds_is_given_back_when_no_answer_can_bring_it_any_more() {
        let (_, table) = table();
        let claim = Claim { run: RunId::generate(), fence: Fence(1) };
        let renewed = || table.renewed(&[claim], table.sending());
        let asking = table.ask();
        assert_eq!((renewed(), renewed()), (vec![], vec![]), "the answer may be on its way");
        let later = table.ask();
        drop(asking);
        assert_eq!(renewed(), [claim], "what was asked for later has brought another");
        drop(later);

        assert_eq!(renewed(), [], "a driver may be about to say how it left it");
        let lease = table.hold(claim, table.sending());
        assert_eq!((renewed(), renewed()), (vec![], vec![]), "it is held");
        drop(lease);
        assert_eq!((renewed(), renewed()), (vec![], vec![claim]));
    }
}

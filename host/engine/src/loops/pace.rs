//! How long a loop that found nothing waits before it looks again.
//!
//! Property wanted: hosts that began together do not look together for ever. So each wait is longer or shorter by chance, which comes from
//! the name of the host: the same host waits the same again.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use fastrand::Rng;
use tollgate_core::{Digest, HostId};

/// How long a loop that found nothing waits for a hint, more or less.
pub(super) const POLL: Duration = Duration::from_millis(250);

/// By so much a wait is longer or shorter at the most.
const JITTER: Duration = POLL.checked_div(4).expect("four is not zero");

/// The waits of one host.
pub(super) struct Pace(Mutex<Rng>);

impl Pace {
    pub(super) fn of(host: &HostId) -> Self {
        let seed = Digest::of(&host.0).as_bytes().first_chunk().copied().map_or(0, u64::from_le_bytes);
        Self(Mutex::new(Rng::with_seed(seed)))
    }

    /// The next wait.
    pub(super) fn poll(&self) -> Duration {
        let mut chance = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        POLL - JITTER + (JITTER * 2).mul_f64(chance.f64())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn waits(host: &str) -> Vec<Duration> {
        let pace = Pace::of(&HostId(host.into()));
        (0..100).map(|_| pace.poll()).collect()
    }

    #[test]
    fn hosts_do_not_look_together() {
        let (one, other) = (waits("desk-7/1"), waits("desk-7/2"));
        assert_eq!(one, waits("desk-7/1"), "a host waits the same again");
        assert!(one.iter().zip(&other).all(|(one, other)| one != other));
        assert!(one.iter().collect::<BTreeSet<_>>().len() > 90);
        let within = Duration::from_micros(187_500)..=Duration::from_micros(312_500);
        assert!(one.iter().chain(&other).all(|wait| within.contains(wait)));
    }
}

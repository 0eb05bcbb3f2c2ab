//! The time by the store's clock, as a host knows it without asking.
//!
//! Property wanted: what hosts write down for one another, and when they try again, does not depend on what their machines' clocks show.
//! A host whose clock is an hour behind would find every retry too early that the store woke for it, and one whose clock is an hour
//! ahead would put everything off by that hour. So a host notes what the store said last, and adds what has passed since by its own
//! monotonic clock.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tollgate_core::{Clock, Timestamp};

/// The store's time.
pub(crate) struct StoreTime {
    machine: Arc<dyn Clock>,
    heard: Mutex<Heard>,
}

/// What the store said, and when by the machine's monotonic clock.
#[derive(Clone, Copy)]
struct Heard {
    said: Timestamp,
    monotonic: Duration,
}

impl StoreTime {
    /// The time after the store has just said that it is `said`.
    pub(crate) fn new(machine: Arc<dyn Clock>, said: Timestamp) -> Arc<Self> {
        let heard = Mutex::new(Heard { said, monotonic: machine.monotonic() });
        Arc::new(Self { machine, heard })
    }

    /// Notes that the store has just said that it is `said`. It is that or later by now, so what waits for a time that the store has
    /// come to is never too early.
    pub(crate) fn hear(&self, said: Timestamp) {
        let monotonic = self.machine.monotonic();
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Heard { said, monotonic };
    }

    /// What the store's clock shows when the machine's wall clock shows `at`.
    pub(crate) fn when(&self, at: Timestamp) -> Timestamp {
        self.now().after(at.since(self.machine.now()))
    }
}

impl Clock for StoreTime {
    fn now(&self) -> Timestamp {
        let Heard { said, monotonic } = *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        said.after(self.machine.monotonic().saturating_sub(monotonic))
    }

    fn monotonic(&self) -> Duration {
        self.machine.monotonic()
    }
}

#[cfg(test)]
mod tests {
    use tollgate_core::time::ManualClock;

    use super::*;

    #[test]
    fn it_goes_on_from_what_the_store_said_whatever_the_machine_shows() {
        let hour = Duration::from_secs(3600);
        let machine = Arc::new(ManualClock::at(Timestamp::default().after(hour)));
        let time = StoreTime::new(Arc::clone(&machine) as _, Timestamp::from_millis(1_000));
        machine.advance(Duration::from_millis(500));
        assert_eq!(time.now(), Timestamp::from_millis(1_500));
        machine.set_wall(Timestamp::default());
        assert_eq!(time.now(), Timestamp::from_millis(1_500), "the wall clock was set");
        time.hear(Timestamp::from_millis(9_000));
        assert_eq!(time.now(), Timestamp::from_millis(9_000), "the store's clock was set");
        assert_eq!(time.when(Timestamp::from_millis(20)), Timestamp::from_millis(9_020));
    }
}

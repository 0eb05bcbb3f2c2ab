//! How a host comes to its end: at once, in good order, or not yet.
//!
//! Whoever learns that the host is to stop (a signal, a stop file, the store's control row, a spent item count) says so here;
//! every loop listens. A wish is only ever strengthened: who was asked to stop at once no longer drains.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use tokio::sync::watch;
use tollgate_core::StopMode;

/// What the loops of a host are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Work.
    Working = 0,
    /// Finish what was begun, and take up nothing new.
    Draining = 1,
    /// Give everything back now.
    Stopping = 2,
    /// Nothing is driven any more; loops end.
    Over = 3,
}

impl From<StopMode> for Phase {
    fn from(mode: StopMode) -> Self {
        match mode {
            StopMode::Drain => Self::Draining,
            StopMode::Now => Self::Stopping,
        }
    }
}

/// The phase of a host, shared by all its loops.
#[derive(Clone)]
pub struct Shutdown {
    fast: Arc<AtomicU8>,
    slow: watch::Sender<Phase>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self { fast: Arc::default(), slow: watch::Sender::new(Phase::Working) }
    }
}

impl Shutdown {
    /// The present phase; cheap enough for every host call of a guest.
    pub fn phase(&self) -> Phase {
        match self.fast.load(Ordering::Relaxed) {
            0 => Phase::Working,
            1 => Phase::Draining,
            2 => Phase::Stopping,
            _ => Phase::Over,
        }
    }

    /// Goes to `phase`, unless the host is further already.
    pub fn request(&self, phase: Phase) {
        self.slow.send_if_modified(|present| {
            let further = phase > *present;
            if further {
                *present = phase;
                self.fast.store(phase as u8, Ordering::Relaxed);
            }
            further
        });
    }

    /// Waits until the host is in `phase` or further.
    pub async fn reached(&self, phase: Phase) {
        let mut present = self.slow.subscribe();
        let there = present.wait_for(|present| *present >= phase).await;
        debug_assert!(there.is_ok(), "the sender lives as long as `self`, so the channel cannot close");
    }

    /// Waits for `duration`, or less when `phase` is reached meanwhile.
    pub async fn sleep(&self, duration: std::time::Duration, phase: Phase) {
        tokio::select! {
            biased;
            () = tokio::time::sleep(duration) => {}
            () = self.reached(phase) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wish_is_only_ever_strengthened() {
        let shutdown = Shutdown::default();
        shutdown.request(Phase::Stopping);
        shutdown.request(Phase::Draining);
        assert_eq!(shutdown.phase(), Phase::Stopping);
        shutdown.reached(Phase::Draining).await;
    }
}

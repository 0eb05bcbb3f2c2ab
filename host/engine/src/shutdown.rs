//! How a host comes to its end: at once, in good order, or not yet.
//!
//! Whoever learns that the host is to stop (a signal, a stop file, the store's control row, a spent item count) says so here;
//! every loop listens. A wish is only ever strengthened: who was asked to stop at once no longer drains.

use std::sync::Arc;

use tollgate_core::StopMode;

use crate::rising::Rising;

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
#[derive(Clone, Default)]
pub struct Shutdown {
    phase: Arc<Rising>,
}

impl Shutdown {
    /// The present phase; cheap enough for every host call of a guest.
    pub fn phase(&self) -> Phase {
        match self.phase.value() {
            0 => Phase::Working,
            1 => Phase::Draining,
            2 => Phase::Stopping,
            _ => Phase::Over,
        }
    }

    /// Goes to `phase`, unless the host is further already.
    pub fn request(&self, phase: Phase) {
        self.phase.raise_to(phase as u64);
    }

    /// Waits until the host is in `phase` or further.
    pub async fn reached(&self, phase: Phase) {
        self.phase.reaches(phase as u64).await;
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

//! A number that only rises, and tasks that wait until it has.
//!
//! Property wanted: whoever waits is woken in the order in which they came, so that a host does the same again when the same happens.

use std::{
    pin::pin,
    sync::atomic::{AtomicU64, Ordering},
};

use tokio::sync::Notify;

/// A number that only rises.
#[derive(Debug, Default)]
pub(crate) struct Rising {
    value: AtomicU64,
    risen: Notify,
}

impl Rising {
    /// What it is now; cheap enough for every host call of a guest.
    pub(crate) fn value(&self) -> u64 {
        self.value.load(Ordering::Acquire)
    }

    /// Raises it by one.
    pub(crate) fn raise(&self) {
        self.value.fetch_add(1, Ordering::AcqRel);
        self.risen.notify_waiters();
    }

    /// Raises it to `value`, unless it is there or higher.
    pub(crate) fn raise_to(&self, value: u64) {
        if self.value.fetch_max(value, Ordering::AcqRel) < value {
            self.risen.notify_waiters();
        }
    }

    /// Waits until it is `value` or higher.
    pub(crate) async fn reaches(&self, value: u64) {
        loop {
            let mut risen = pin!(self.risen.notified());
            // Before the number is looked at, so that no rise is missed.
            risen.as_mut().enable();
            if self.value() >= value {
                return;
            }
            risen.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn who_waits_is_woken_when_it_is_reached_and_not_before() {
        let rising = Arc::new(Rising::default());
        let waiting = tokio::spawn({
            let rising = Arc::clone(&rising);
            async move { rising.reaches(2).await }
        });
        rising.raise();
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        rising.raise_to(5);
        rising.raise_to(1);
        waiting.await.unwrap();
        assert_eq!(rising.value(), 5);
        rising.reaches(3).await;
    }
}

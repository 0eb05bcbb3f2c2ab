//! Workers that found nothing to do.
//!
//! Properties wanted:
//!
//! 1. Who is called is one of them, whoever has rested longest: were all of them to come for one thing, all but one would find it
//!    taken.
//! 2. A call is never lost. One that comes while nobody rests is for whoever does so next.
//! 3. One of them looks by itself from time to time, since a call from another process may be missed.

use std::time::Duration;

use tokio::sync::{Mutex, Notify};

/// Where workers rest.
#[derive(Debug, Default)]
pub(super) struct Resting {
    called: Notify,
    /// Held by the one who looks by itself.
    lookout: Mutex<()>,
}

impl Resting {
    /// Calls one of them. Several calls of which nobody took notice yet are one.
    pub(super) fn call(&self) {
        self.called.notify_one();
    }

    /// Rests until called, or, as the one who looks out, for as long as `poll`.
    pub(super) async fn rest(&self, poll: Duration) {
        let look_out = async {
            let _only_one = self.lookout.lock().await;
            tokio::time::sleep(poll).await;
        };
        tokio::select! {
            biased;
            () = self.called.notified() => {}
            () = look_out => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::task::JoinSet;

    use super::*;

    const POLL: Duration = Duration::from_millis(250);

    /// Five who rest.
    async fn five(resting: &Arc<Resting>) -> JoinSet<()> {
        let mut workers = JoinSet::new();
        for _ in 0..5 {
            let resting = Arc::clone(resting);
            workers.spawn(async move { resting.rest(POLL).await });
        }
        settle().await;
        workers
    }

    /// Lets everybody go as far as possible without any time.
    async fn settle() {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }

    fn who_woke(workers: &mut JoinSet<()>) -> usize {
        std::iter::from_fn(|| workers.try_join_next()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_wakes_one() {
        let resting = Arc::default();
        let mut workers = five(&resting).await;
        resting.call();
        settle().await;
        assert_eq!(who_woke(&mut workers), 1);
        resting.call();
        resting.call();
        settle().await;
        assert_eq!(who_woke(&mut workers), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn one_looks_by_itself() {
        let resting = Arc::default();
        let mut workers = five(&resting).await;
        tokio::time::advance(POLL - Duration::from_millis(1)).await;
        settle().await;
        assert_eq!(who_woke(&mut workers), 0);
        tokio::time::advance(Duration::from_millis(2)).await;
        settle().await;
        assert_eq!(who_woke(&mut workers), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_nobody_hears_is_for_whoever_rests_next() {
        let resting = Arc::new(Resting::default());
        resting.call();
        resting.call();
        let mut workers = five(&resting).await;
        assert_eq!(who_woke(&mut workers), 1);
    }
}

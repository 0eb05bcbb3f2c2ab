//! Acts on what is applied while the host runs, and reads the sources by it.

use tokio::task::{JoinError, JoinSet};

use super::{AFTER_TROUBLE, Loops};
use crate::{error::EngineError, observer::Notice, shutdown::Phase};

impl Loops {
    /// Follows whatever is applied, with `sources`, the loops that read the sources. All of them are read again then: what this host
    /// judged by the policy before, when the other one was applied already, is judged as others judge it.
    pub(super) async fn policy_loop(self, mut sources: JoinSet<()>) {
        loop {
            let next = self.host.present.applied().version.unsigned_abs() + 1;
            tokio::select! {
                biased;
                () = self.shared.newest_policy.reaches(next) => {}
                Some(ended) = sources.join_next() => {
                    pass_on_panic(ended);
                    continue;
                }
                () = self.host.shutdown.reached(Phase::Over) => return,
            }
            match self.host.present.follow(&self.host.parts).await {
                Ok(true) => {
                    sources.shutdown().await;
                    self.shared.changed();
                    if self.phase() < Phase::Draining {
                        sources = self.read_sources().await;
                    }
                }
                // The store said more a moment ago.
                Ok(false) => self.host.shutdown.sleep(AFTER_TROUBLE, Phase::Over).await,
                Err(error @ EngineError::Unfollowable { .. }) => {
                    return self.leave_it_to_others(&error, sources).await;
                }
                Err(error) => {
                    self.trouble("read the applied policy", &error);
                    self.host.shutdown.sleep(AFTER_TROUBLE, Phase::Over).await;
                }
            }
        }
    }

    /// What began is pinned to what it began with, and is finished. What begins is for hosts that can judge it.
    async fn leave_it_to_others(&self, error: &EngineError, mut sources: JoinSet<()>) {
        self.shared.with_outcome(|outcome| outcome.stopped = true);
        let reason = format!("{error}; what began is finished, and the rest is left to other hosts");
        self.host.parts.observer.notice(&Notice::Stopping { reason });
        self.host.shutdown.request(Phase::Draining);
        while let Some(ended) = sources.join_next().await {
            pass_on_panic(ended);
        }
    }
}

/// A loop that ends by a panic ends the host.
fn pass_on_panic(ended: Result<(), JoinError>) {
    if let Some(panic) = ended.err().and_then(|error| error.try_into_panic().ok()) {
        std::panic::resume_unwind(panic);
    }
}

//! Has the store pack the events of runs that were over long ago.

use std::time::Duration;

use super::{AFTER_TROUBLE, Loops};
use crate::{error::Result, shutdown::Phase};

/// How often a host looks for some.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// Runs whose events are packed at once, in a transaction of some milliseconds.
const RUNS_AT_ONCE: u32 = 32;

/// Where there are more, the host's own work comes in between.
const BETWEEN: Duration = Duration::from_millis(50);

impl Loops {
    pub(super) async fn pack_loop(self) {
        while self.phase() < Phase::Over {
            let pause = match self.pack().await {
                Ok(runs) if runs < u64::from(RUNS_AT_ONCE) => EVERY,
                Ok(_) => BETWEEN,
                Err(error) => {
                    self.trouble("pack old events", &error);
                    AFTER_TROUBLE
                }
            };
            self.host.shutdown.sleep(pause, Phase::Over).await;
        }
    }

    async fn pack(&self) -> Result<u64> {
        let store = &self.host.parts.store;
        let over_by = store.now().await?.before(self.host.parts.policy.instance.pack_after);
        Ok(store.pack_events(over_by, RUNS_AT_ONCE).await?)
    }
}

//! What a connection is for, and what it may therefore take.
//!
//! Whatever hangs ends by itself: the server interrupts a statement, a wait for a lock and a transaction that nobody goes on with; the
//! kernel gives up a line on which nothing comes back; and who asks gives up a server that says nothing at all. Each waits a little
//! longer than the one before it, so that the error is the one that says most.

use std::time::Duration;

use tokio_postgres::Config;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Transactions, whichever comes next.
    Transactions,
    /// The renewal of leases, which has to come in time or is worth nothing.
    Heartbeat,
    /// Hearing what others say.
    Hints,
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long nothing is said on a line before it is asked whether it is there, how often, and after how many times it is not.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(15);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_RETRIES: u32 = 3;

/// How long what was sent may be on its way.
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(20);

impl Purpose {
    /// How to connect for this. What the address says by itself holds.
    pub(super) fn settle(self, config: &Config) -> Config {
        let mut config = config.clone();
        let options = config.get_options().unwrap_or_default();
        let options = format!("{} {options}", self.settings());
        config.options(options).connect_timeout(CONNECT_TIMEOUT);
        config.keepalives_idle(KEEPALIVE_IDLE).keepalives_interval(KEEPALIVE_INTERVAL);
        config.keepalives_retries(KEEPALIVE_RETRIES);
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(UNACKNOWLEDGED_MAX);
        }
        config
    }

    /// What the server is told of the session. A host that hangs in the middle of a transaction would keep others waiting, and one
    /// statement that takes so long is a fault. No statement takes as long as it takes to compile one, whatever the server expects.
    fn settings(self) -> &'static str {
        match self {
            Self::Transactions => {
                "-c application_name=tollgate -c synchronous_commit=on -c jit=off -c statement_timeout=30s -c lock_timeout=10s \
                 -c idle_in_transaction_session_timeout=10s -c client_min_messages=warning"
            }
            Self::Heartbeat => {
                "-c application_name=tollgate-heartbeat -c synchronous_commit=on -c jit=off -c statement_timeout=4s -c lock_timeout=2s \
                 -c idle_in_transaction_session_timeout=4s -c client_min_messages=warning"
            }
            Self::Hints => {
                "-c application_name=tollgate-hints -c statement_timeout=5s -c client_min_messages=warning"
            }
        }
    }

    /// How long an answer may take.
    pub(super) fn patience(self) -> Duration {
        match self {
            Self::Transactions => Duration::from_secs(40),
            Self::Heartbeat | Self::Hints => Duration::from_secs(5),
        }
    }

    /// Whether its transactions count anything.
    pub(super) fn counts(self) -> bool {
        self == Self::Transactions
    }
}

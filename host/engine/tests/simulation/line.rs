//! A host's line to the servers, on which requests are late, lost, or answered to nobody; and the life of the host, which may end in
//! any of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::oneshot, time::Instant};
use tollgate_core::{Clock, HostId, Timestamp};

use crate::{
    history::Fact,
    plan::LEASE,
    world::{Act, World, at_once},
};

/// How long a host waits for an answer that does not come.
const PATIENCE_MS: u64 = 400;

/// A host, as far as the world sees it.
pub(crate) struct Line {
    pub(crate) world: Arc<World>,
    pub(crate) host: HostId,
    born_ms: u64,
    /// When it was born, by the clock of its own runtime.
    born: Instant,
    wall_ahead_ms: AtomicI64,
    is_dead: AtomicBool,
}

/// How long a request may be under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// As long as it takes: even after its sender is gone and others have taken over.
    Any,
    /// No longer than the margin of a lease.
    Margin,
}

impl Line {
    /// The line of a host that is born now. In the host's runtime.
    pub(crate) fn new(world: Arc<World>, host: HostId) -> Arc<Self> {
        Arc::new(Self {
            host,
            born_ms: world.now_ms(),
            born: Instant::now(),
            wall_ahead_ms: AtomicI64::new(0),
            is_dead: AtomicBool::new(false),
            world,
        })
    }

    /// The moment of the world that the host lives in. In its runtime.
    pub(crate) fn now_ms(&self) -> u64 {
        self.born_ms + self.born.elapsed().as_millis() as u64
    }

    /// How far behind a moment the host is. In its runtime.
    pub(crate) fn behind_ms(&self, at_ms: u64) -> u64 {
        at_ms.saturating_sub(self.now_ms())
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::SeqCst)
    }

    /// Nothing that the host does from now on has any effect.
    pub(crate) fn kill(&self, during: &'static str) {
        if !self.is_dead.swap(true, Ordering::SeqCst) {
            self.world.note(Fact::HostKilled { host: self.host.clone(), during });
        }
    }

    pub(crate) fn step_wall_clock(&self, by_ms: i64) {
        self.wall_ahead_ms.fetch_add(by_ms, Ordering::SeqCst);
        self.world.note(Fact::WallStepped { host: self.host.clone(), by_ms });
    }

    /// Comes back while the host lives, and never when it does not.
    pub(crate) async fn lives(&self) {
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
        self.world.reach(self.now_ms());
    }

    /// Asks a server for something. `act` is what the server does; `broken` makes an error of what the line did.
    pub(crate) async fn ask<T, E>(
        &self,
        what: &'static str,
        reach: Reach,
        act: impl FnOnce() -> Act<Result<T, E>> + Send + 'static,
        broken: impl Fn(&str) -> E,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        self.lives().await;
        crate::tell(|| format!("             {} asks {what}", self.host));
        let faults = self.world.plan.faults;
        if self.world.strikes(faults.killed) {
            match self.world.dice.number(0..=2) {
                0 => {}
                1 => drop(at_once(act())),
                _ => self.send(reach, act, |_| ()),
            }
            self.kill(what);
            std::future::pending().await
        } else if self.world.strikes(faults.lost) {
            tokio::time::sleep(Duration::from_millis(PATIENCE_MS)).await;
            self.lives().await;
            Err(broken("the connection was lost before the request was sent"))
        } else if self.world.strikes(faults.ambiguous) {
            self.send(reach, act, |_| ());
            tokio::time::sleep(Duration::from_millis(PATIENCE_MS)).await;
            self.lives().await;
            Err(broken("the connection was lost before the answer came"))
        } else if self.world.delays(faults.delayed) {
            let (answer, answered) = oneshot::channel();
            self.send(reach, act, |done| {
                // Whoever asked may be gone.
                answer.send(done).ok();
            });
            let answered = answered.await;
            let back_ms = self.world.dice.number(0..=300);
            tokio::time::sleep(Duration::from_millis(back_ms)).await;
            self.lives().await;
            answered.unwrap_or_else(|_| Err(broken("the server is gone")))
        } else {
            at_once(act())
        }
    }

    /// Sends something that arrives some time later, whatever becomes of this host.
    fn send<T: Send + 'static>(
        &self,
        reach: Reach,
        act: impl FnOnce() -> Act<T> + Send + 'static,
        done: impl FnOnce(T) + Send + 'static,
    ) {
        let longest_ms = match reach {
            Reach::Any if self.world.dice.happens(100) => 3 * LEASE.as_millis() as u64,
            Reach::Any => PATIENCE_MS,
            Reach::Margin => LEASE.as_millis() as u64 / 12,
        };
        let at_ms = self.now_ms() + self.world.dice.number(1..=longest_ms);
        self.world.later(at_ms, move || done(at_once(act())));
    }
}

/// The clocks of a host's machine.
pub(crate) struct HostClock(pub(crate) Arc<Line>);

impl Clock for HostClock {
    fn now(&self) -> Timestamp {
        let ahead_ms = self.0.wall_ahead_ms.load(Ordering::SeqCst);
        Timestamp::from_millis(self.0.world.true_time(self.0.now_ms()).as_millis() + ahead_ms)
    }

    fn monotonic(&self) -> Duration {
        self.0.born.elapsed()
    }
}

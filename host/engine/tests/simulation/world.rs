//! The world that hosts and servers share: its time, its chance, what is under way in it, and what happened.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::Thread,
    time::Duration,
};

use tollgate_core::{Clock, Timestamp};

use crate::{
    dice::Dice,
    history::{Fact, History},
    plan::Plan,
};

/// Something that happens later, on the side of a server.
type Job = Box<dyn FnOnce() + Send>;

/// What is to be done, as a future that owns all that it needs.
pub(crate) type Act<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The world.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) dice: Dice,
    pub(crate) history: History,
    began_at: Timestamp,
    /// The furthest moment that anything has come to.
    now_ms: AtomicU64,
    store_ahead_ms: AtomicI64,
    is_troubled: AtomicBool,
    is_slow: AtomicBool,
    under_way: Mutex<BTreeMap<(u64, u64), Job>>,
    sent: AtomicU64,
}

impl World {
    pub(crate) fn new(plan: Plan, dice: Dice) -> Arc<Self> {
        let day_ms = 24 * 3_600_000;
        let noon_ms = 20_778 * day_ms + day_ms / 2;
        let began_ms = match plan.near_midnight {
            true => noon_ms + day_ms / 2 - dice.number(0..=10_000) as i64,
            false => noon_ms,
        };
        Arc::new(Self {
            plan,
            dice,
            history: History::default(),
            began_at: Timestamp::from_millis(began_ms),
            now_ms: AtomicU64::new(0),
            store_ahead_ms: AtomicI64::new(0),
            is_troubled: AtomicBool::new(true),
            is_slow: AtomicBool::new(false),
            under_way: Mutex::default(),
            sent: AtomicU64::new(0),
        })
    }

    /// Milliseconds since the world began, as far as anything has come.
    pub(crate) fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    /// Something has come as far as this.
    pub(crate) fn reach(&self, at_ms: u64) {
        self.now_ms.fetch_max(at_ms, Ordering::SeqCst);
    }

    /// The true time of a moment.
    pub(crate) fn true_time(&self, at_ms: u64) -> Timestamp {
        self.began_at.after(Duration::from_millis(at_ms))
    }

    pub(crate) fn note(&self, fact: Fact) {
        self.history.note(self.now_ms(), fact);
    }

    /// Whether faults happen.
    pub(crate) fn is_troubled(&self) -> bool {
        self.is_troubled.load(Ordering::SeqCst)
    }

    pub(crate) fn calm_down(&self) {
        self.is_troubled.store(false, Ordering::SeqCst);
    }

    /// Nothing goes wrong, and requests are under way for long all the same, as long as this holds.
    pub(crate) fn be_slow(&self, is_slow: bool) {
        self.is_slow.store(is_slow, Ordering::SeqCst);
    }

    /// Whether nothing goes wrong and nothing is slow.
    pub(crate) fn is_calm(&self) -> bool {
        !self.is_troubled() && !self.is_slow.load(Ordering::SeqCst)
    }

    /// Whether a request is under way for long, of which there are so many in a thousand.
    pub(crate) fn delays(&self, per_mille: u32) -> bool {
        !self.is_calm() && self.dice.happens(per_mille)
    }

    /// Whether a fault happens, of which there are so many in a thousand.
    pub(crate) fn strikes(&self, per_mille: u32) -> bool {
        self.is_troubled() && self.dice.happens(per_mille)
    }

    pub(crate) fn step_store_clock(&self, by_ms: i64) {
        self.store_ahead_ms.fetch_add(by_ms, Ordering::SeqCst);
        self.note(Fact::StoreStepped { by_ms });
    }

    /// Does something at a moment that is still to come.
    pub(crate) fn later(&self, at_ms: u64, job: impl FnOnce() + Send + 'static) {
        let number = self.sent.fetch_add(1, Ordering::SeqCst);
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.insert((at_ms, number), Box::new(job));
    }

    pub(crate) fn is_anything_under_way(&self) -> bool {
        !self.under_way.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Does what was to be done by now.
    pub(crate) fn arrive(&self) {
        loop {
            let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(first) = under_way.first_entry().filter(|first| first.key().0 <= self.now_ms()) else {
                return;
            };
            let job = first.remove();
            drop(under_way);
            job();
        }
    }
}

/// The clock of the machine that the store is on.
pub(crate) struct StoreClock(pub(crate) Arc<World>);

impl StoreClock {
    pub(crate) fn time_of(world: &World) -> Timestamp {
        let ahead_ms = world.store_ahead_ms.load(Ordering::SeqCst);
        Timestamp::from_millis(world.true_time(world.now_ms()).as_millis() + ahead_ms)
    }
}

impl Clock for StoreClock {
    fn now(&self) -> Timestamp {
        Self::time_of(&self.0)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.now_ms())
    }
}

/// Does something at once. What a store does on threads of its own is waited for, so that it takes no time in the world.
pub(crate) fn at_once<T>(act: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    // A task that has had its share would be told to come back later.
    let mut act = pin!(tokio::task::unconstrained(act));
    let mut waker = None::<Waker>;
    if let Poll::Ready(done) = act.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        return done;
    }
    loop {
        let waker = waker.get_or_insert_with(|| Arc::new(Unpark(std::thread::current())).into());
        if let Poll::Ready(done) = act.as_mut().poll(&mut Context::from_waker(waker)) {
            return done;
        }
        std::thread::park();
    }
}

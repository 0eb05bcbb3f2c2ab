//! Places at which a test kills the process.
//!
//! What must survive a power cut is tested by one: a debug build whose environment says
//! `TOLLGATE_CRASH_AT=store.commit.after:7` kills itself with SIGKILL when it comes to that place the seventh time. In a release build, and
//! so in every binary that people get, [`point`] is nothing.

/// Comes to a place.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn point(_name: &'static str) {}

/// Comes to a place, and ends here when a test says so.
#[cfg(debug_assertions)]
pub fn point(name: &'static str) {
    use std::sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    };

    static PLAN: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static HITS: AtomicU64 = AtomicU64::new(0);

    #[expect(clippy::disallowed_methods, reason = "only debug builds contain this, and only a test sets it")]
    let plan = PLAN.get_or_init(|| {
        let text = std::env::var("TOLLGATE_CRASH_AT").ok()?;
        let (name, count) = text.rsplit_once(':')?;
        Some((name.to_owned(), count.parse().ok()?))
    });
    if let Some((wanted, count)) = plan
        && wanted == name
        && HITS.fetch_add(1, Ordering::SeqCst) + 1 == *count
    {
        let me = rustix::process::getpid();
        rustix::process::kill_process(me, rustix::process::Signal::KILL)
            .expect("a process may signal itself");
    }
}

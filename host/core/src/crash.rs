//! Places at which a test kills the process, or somebody it depends on.
//!
//! What must survive a power cut is tested by one. In a debug build the environment says what happens at a place:
//!
//! * `TOLLGATE_CRASH_AT=store.commit.after:7`: when the process comes to that place the seventh time, it kills itself with SIGKILL.
//!   There may be several, with commas between them.
//! * `TOLLGATE_CRASH_HOLD=/tmp/socket`: it says the name of the place to whoever listens there instead, and whoever came to the place is held
//!   until that one hangs up.
//! * `TOLLGATE_CRASH_LOG=/tmp/log`: the name of each place that it comes to is added to that file, a line each.
//!
//! A place to which different work comes has a name for each: `store.commit.after` is also `store.commit.after/claim a run`. In a release
//! build, and so in every binary that people get, [`point`] and [`point_of`] are nothing.

/// Comes to a place.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn point(_name: &'static str) {}

/// Comes to a place in the course of some work.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn point_of(_name: &'static str, _work: &'static str) {}

/// Comes to a place, and ends here when a test says so.
#[cfg(debug_assertions)]
pub fn point(name: &'static str) {
    armed::come_to(name, None);
}

/// Comes to a place in the course of some work, and ends here when a test says so.
#[cfg(debug_assertions)]
pub fn point_of(name: &'static str, work: &'static str) {
    armed::come_to(name, Some(work));
}

#[cfg(debug_assertions)]
mod armed {
    use std::{
        fs::{File, OpenOptions},
        io::{Read as _, Write as _},
        os::unix::net::UnixStream,
        path::{Path, PathBuf},
        sync::{
            OnceLock,
            atomic::{AtomicU64, Ordering},
        },
    };

    /// What a test wants of this process.
    struct Plan {
        kills: Vec<Kill>,
        hold: Option<PathBuf>,
        log: Option<File>,
    }

    /// Something to happen at a visit of a place.
    struct Kill {
        place: String,
        count: u64,
        visits: AtomicU64,
    }

    impl Plan {
        #[expect(
            clippy::disallowed_methods,
            reason = "only debug builds contain this, and only a test sets it"
        )]
        fn of_environment() -> Self {
            let said = |name: &str| std::env::var(format!("TOLLGATE_CRASH_{name}")).ok();
            let open = |path| OpenOptions::new().create(true).append(true).open(path);
            Self {
                kills: said("AT").iter().flat_map(|kills| kills.split(',')).filter_map(Kill::read).collect(),
                hold: said("HOLD").map(PathBuf::from),
                log: said("LOG").map(|path| open(path).expect("a test can write its log")),
            }
        }
    }

    impl Kill {
        fn read(text: &str) -> Option<Self> {
            let (place, count) = text.rsplit_once(':')?;
            let (place, count) = (place.to_owned(), count.parse().ok()?);
            Some(Self { place, count, visits: AtomicU64::new(0) })
        }

        /// Whether this visit of a place is the one.
        fn is_now(&self, place: &str, whole: &str) -> bool {
            (self.place == place || self.place == whole)
                && self.visits.fetch_add(1, Ordering::SeqCst) + 1 == self.count
        }
    }

    pub(super) fn come_to(place: &str, work: Option<&str>) {
        static PLAN: OnceLock<Plan> = OnceLock::new();
        let plan = PLAN.get_or_init(Plan::of_environment);
        if plan.kills.is_empty() && plan.log.is_none() {
            return;
        }
        let whole = work.map_or_else(|| place.to_owned(), |work| format!("{place}/{work}"));
        if let Some(mut log) = plan.log.as_ref() {
            log.write_all(format!("{whole}\n").as_bytes()).expect("a test can write its log");
        }
        // Each of them counts each visit, whichever is for this one.
        if plan.kills.iter().filter(|kill| kill.is_now(place, &whole)).count() > 0 {
            match &plan.hold {
                Some(listener) => wait_at(listener, &whole),
                None => end(),
            }
        }
    }

    fn wait_at(listener: &Path, place: &str) {
        let mut line = UnixStream::connect(listener).expect("somebody listens");
        line.write_all(format!("{place}\n").as_bytes()).expect("somebody listens");
        // However it ends, it is over.
        drop(line.read(&mut [0]));
    }

    fn end() {
        let me = rustix::process::getpid();
        rustix::process::kill_process(me, rustix::process::Signal::KILL)
            .expect("a process may signal itself");
    }
}

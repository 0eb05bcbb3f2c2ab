//! Who is killed.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rustix::process::{Pid, Signal, kill_process};

use super::line::Line;
use crate::support::{
    Project, Store,
    postgres::{self, Server},
};

/// Who is killed while a host is held at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Victim {
    /// The process that came there. The next one goes on.
    Host,
    /// The answer to the commit that it is about to make: the database makes it, and the line to it ends. The same process goes on.
    Answer,
    /// Its connection, by who administers the database. The same process goes on.
    Connection,
    /// The database's process behind that connection, whereupon the database ends all the others as well and recovers.
    Backend,
    /// Every process of the database's server, which is started again.
    Server,
}

/// Where the scenes of a test keep their state, and who is killed there.
#[derive(Clone, Copy)]
pub(super) struct Setting<'s> {
    pub(super) store: Store,
    /// A server of the test's own, which may be killed.
    pub(super) server: Option<&'s Mutex<Server>>,
    /// Where answers are lost.
    pub(super) line: Option<&'s OnceLock<Line>>,
}

impl Setting<'_> {
    /// Gives a project a store in which nothing is.
    pub(super) fn new_store(&self, project: &Project) {
        let address = match (self.store, self.server) {
            (Store::Sqlite, _) => format!("sqlite:.tollgate/{}.db", ulid::Ulid::new()),
            (Store::Postgres, None) => postgres::new_database(),
            (Store::Postgres, Some(server)) => lock(server).new_database(""),
        };
        project.store_at(&match self.line {
            None => address,
            Some(line) => line.get_or_init(|| Line::to(&address)).through(&address),
        });
    }

    /// Kills who is to be killed for a host that is held, the process `host` of `project`.
    pub(super) fn kill(&self, victim: Victim, project: &Project, host: u32) {
        let own_server = || lock(self.server.expect("a server of the test's own"));
        match victim {
            Victim::Host => kill(host),
            Victim::Answer => self.line.and_then(OnceLock::get).expect("a line").lose_next_answer(),
            Victim::Connection => drop(postgres::ask(
                &project.store(),
                &format!("SELECT pg_terminate_backend(pid, 5000) FROM {BUSY}"),
            )),
            Victim::Backend => {
                let server = own_server();
                // It may still recover from the last time.
                server.wait_until_it_answers();
                let busy = postgres::ask(&project.store(), &format!("SELECT pid FROM {BUSY} LIMIT 1"));
                busy.lines().filter_map(|pid| pid.parse().ok()).for_each(|pid| server.kill_backend(pid));
            }
            Victim::Server => {
                let mut server = own_server();
                server.wait_until_it_answers();
                server.kill();
                server.begin_again();
            }
        }
    }

    /// Waits until the store can be asked again.
    pub(super) fn recover(&self) {
        if let Some(server) = self.server {
            lock(server).wait_until_it_answers();
        }
    }
}

/// The connections of a database that have a transaction in hand; all of them, where none has.
const BUSY: &str = "(SELECT pid, state <> 'idle' AS busy, bool_or(state <> 'idle') OVER () AS any_busy FROM pg_stat_activity \
                    WHERE datname = current_database() AND pid <> pg_backend_pid()) AS other WHERE busy OR NOT any_busy";

/// Ends a process as nothing else does.
pub(super) fn kill(process: u32) {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw).expect("a process has a number");
    // It may have ended by itself since.
    let _gone = kill_process(pid, Signal::KILL);
}

fn lock(server: &Mutex<Server>) -> MutexGuard<'_, Server> {
    server.lock().unwrap_or_else(PoisonError::into_inner)
}

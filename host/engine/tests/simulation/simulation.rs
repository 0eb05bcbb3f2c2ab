//! One world from its beginning to its end.
//!
//! First comes trouble, for as long as the plan says: everything that can go wrong does. Then everything holds, people answer whatever
//! they are asked, and the hosts that there are must bring all work to its end, soon ([`PATIENCE`]).

use std::{sync::Arc, time::Duration};

use tollgate_core::{HostId, StoreId, Timestamp, course::End, entry::EntryStatus, run::RunKind};
use tollgate_engine::{Phase, audit, rebuild};
use tollgate_store::{
    SqliteOptions, SqliteStore, Store,
    memory::MemoryStore,
    port::{EntryFilter, OpenWork, RunFilter},
};
use tollgate_tracker::Tracker;

use crate::{
    checker::{Ending, RunEnd},
    dice::Dice,
    flaw::Flaw,
    history::{Event, Fact},
    host::{Servers, SimHost},
    people::People,
    plan::{LEASE, Plan, SLICE_MS},
    project::{POLICIES, PROJECT, TRACKERS, reruns},
    tracker::{OnSite, Server},
    world::{StoreClock, World, at_once},
};

/// In how many leases some run ends, as long as one can, once nothing goes wrong any more: what a vanished host held comes back within two,
/// a delivery that failed again and again meanwhile waits for as long as that went on, and one run asks for no more than that.
const PATIENCE: u32 = 40;

/// The longest that a host stands still.
const LONGEST_PAUSE: u32 = 10;

/// Days that may pass because a cap has no room.
const DAYS: u32 = 12;

/// A world that is over.
pub(crate) struct Life {
    pub(crate) history: Vec<Event>,
    pub(crate) ending: Ending,
}

/// What keeps the state of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeper {
    /// The model, which takes no time and no thread.
    Memory,
    /// SQLite, in memory.
    Sqlite,
}

impl Keeper {
    fn open(self, world: &Arc<World>) -> Arc<dyn Store> {
        let clock = Arc::new(StoreClock(Arc::clone(world)));
        match self {
            Self::Memory => Arc::new(MemoryStore::new(StoreId(ulid::Ulid::from(world.dice.bits())), clock)),
            Self::Sqlite => {
                let opened = SqliteStore::open(SqliteOptions::in_memory().with_clock(clock));
                Arc::new(opened.expect("a store in memory"))
            }
        }
    }
}

/// A world while it lasts.
struct Simulation {
    world: Arc<World>,
    keeper: Keeper,
    servers: Servers,
    hosts: Vec<SimHost>,
    born: u64,
    flaw: Flaw,
}

/// Lives through the world of a seed.
pub(crate) fn live(seed: u64, keeper: Keeper, flaw: Flaw) -> Life {
    let dice = Dice::of(seed);
    let mut plan = Plan::of(&dice, POLICIES);
    match flaw {
        Flaw::GuestsAreNotCut => plan = plan.with_late_answers(),
        Flaw::StoreForgetsWhatIsReady => plan = plan.with_drains(),
        _ => {}
    }
    let mut simulation = Simulation::new(World::new(plan, dice), keeper, flaw);
    simulation.people().write_items(simulation.world.plan.items);
    simulation.be_troubled();
    simulation.calm_down();
    let undone = simulation.drain();
    let left = simulation.be_calm();
    let ending = Ending { undone, ..simulation.end(left) };
    Life { history: simulation.world.history.take(), ending }
}

impl Simulation {
    fn new(world: Arc<World>, keeper: Keeper, flaw: Flaw) -> Self {
        let store = keeper.open(&world);
        let names = TRACKERS.iter().map(|(_, name)| *name).chain(["internal"]);
        let servers =
            Servers { store, trackers: names.map(Server::new).collect(), artifacts: Arc::default() };
        Self { world, keeper, servers, hosts: Vec::new(), born: 0, flaw }
    }

    fn people(&self) -> People<'_> {
        People { world: &self.world, store: &*self.servers.store, trackers: &self.servers.trackers[..2] }
    }

    /// Lets everything go wrong.
    fn be_troubled(&mut self) {
        let mut is_lost = false;
        while self.world.now_ms() < self.world.plan.trouble_ms {
            self.hosts.retain(|host| !host.is_over());
            let missing = (self.hosts.len() as u64) < self.world.plan.hosts;
            if missing && (self.born == 0 || self.world.dice.happens(100)) {
                self.start_host();
            }
            self.strike();
            self.pass();
            if self.world.plan.store_lost_ms.is_some_and(|at_ms| self.world.now_ms() >= at_ms) && !is_lost {
                is_lost = true;
                self.lose_store();
            }
        }
    }

    /// The machine of the store burns down, with the hosts. Whatever is under way arrives, and another store begins with nothing but what
    /// people know how to take over: records of entries that lived in the store alone.
    fn lose_store(&mut self) {
        self.hosts.iter().for_each(|host| host.line.kill("the loss of the store"));
        self.hosts.clear();
        while self.world.is_anything_under_way() {
            self.world.reach(self.world.now_ms() + SLICE_MS);
            self.world.arrive();
        }
        let done = self.servers.trackers[..TRACKERS.len()].iter().flat_map(|server| server.keys_done());
        // Where what changed is done again, another version of the policy may have changed it.
        let policy = self.world.plan.policy;
        let stays = !reruns(policy) && !reruns(policy + 2);
        let done = done.filter(|_| stays).collect();
        self.world.note(Fact::StoreLost { done });
        self.servers.store = self.keeper.open(&self.world);
        let internal = &self.servers.trackers[TRACKERS.len()];
        let site: Arc<dyn Tracker> = Arc::new(OnSite(Arc::clone(internal)));
        at_once(rebuild::again(&*self.servers.store, &site, &[], true)).expect("records can be taken over");
    }

    fn start_host(&mut self) {
        self.born += 1;
        let world = &self.world;
        // A host that starts later may have another version of the policy's files before it.
        let newer = if self.born > 1 && world.is_troubled() && world.dice.happens(200) { 2 } else { 0 };
        let policy = PROJECT.policy(world.plan.policy + newer);
        self.hosts.push(SimHost::start(world, self.born, &self.servers, policy, self.flaw));
    }

    /// What goes wrong between two slices of time.
    fn strike(&mut self) {
        let (world, faults) = (Arc::clone(&self.world), self.world.plan.faults);
        let dice = &world.dice;
        let any = dice.number(0..=self.hosts.len().max(1) as u64 - 1) as usize;
        if let Some(host) = self.hosts.get_mut(any).filter(|host| !host.is_paused()) {
            if world.strikes(faults.paused) {
                host.pause(dice.number(1..=u64::from(LONGEST_PAUSE) * LEASE.as_millis() as u64));
            } else if world.strikes(faults.restarts) {
                host.signal(if dice.happens(500) { Phase::Stopping } else { Phase::Draining });
            } else if world.strikes(faults.killed) {
                host.line.kill("nothing");
            }
        }
        if world.strikes(faults.clock_steps) {
            let hour_ms = 3_600_000;
            let by_ms = dice.number(0..=2 * hour_ms) as i64 - hour_ms as i64;
            match self.hosts.get(any).filter(|_| dice.happens(700)) {
                Some(host) => host.line.step_wall_clock(by_ms),
                None => world.step_store_clock(by_ms),
            }
        }
        if world.strikes(faults.people) {
            self.people().act();
        }
    }

    /// A slice of time passes: for one host after the other, in any order.
    fn pass(&mut self) {
        let from_ms = self.world.now_ms();
        self.world.arrive();
        let to_ms = from_ms + self.world.dice.number(10..=SLICE_MS);
        let mut order: Vec<usize> = (0..self.hosts.len()).collect();
        self.world.dice.shuffle(&mut order);
        for host in order {
            self.hosts[host].live_until(to_ms);
        }
        self.world.reach(to_ms);
        self.check_caps();
    }

    fn check_caps(&self) {
        let caps = at_once(self.servers.store.cap_balances()).expect("a store tells its caps");
        for cap in caps {
            if cap.balance.settled + cap.balance.escrow > cap.cap.limit {
                self.world.note(Fact::CapBroken { which: format!("{}: {:?}", cap.cap, cap.balance) });
            }
        }
    }

    /// From here on nothing goes wrong.
    fn calm_down(&mut self) {
        self.world.calm_down();
        self.people().resume();
        self.wait_for_store_clock();
    }

    /// Lets hosts end by themselves, in a world in which nothing happens but what they do, however long that is under way; what they left.
    fn drain(&mut self) -> Vec<String> {
        if !self.world.plan.drains {
            return Vec::new();
        }
        self.world.be_slow(true);
        // Those that were there may have been told to stop.
        (0..self.world.plan.hosts).for_each(|_| self.start_host());
        let deadline_ms = self.world.now_ms() + 4 * u64::from(PATIENCE) * LEASE.as_millis() as u64;
        while !self.hosts.is_empty() && self.world.now_ms() < deadline_ms {
            self.pass();
            self.hosts.retain(|host| !host.is_over());
        }
        self.world.be_slow(false);
        // What arrives when nobody is there any more is for the next host, and so is what costs too much today.
        if self.world.is_anything_under_way() || self.is_capped() {
            return Vec::new();
        }
        let work = self.work();
        let mut left = if is_over(&work, self.store_time()) { Vec::new() } else { self.what_is_left(&work) };
        left.extend(self.hosts.iter().map(|host| format!("{} did not end", host.line.host)));
        left
    }

    /// Lets everything go well until nothing is left to do; what is left when it takes too long.
    fn be_calm(&mut self) -> Vec<String> {
        let mut days = 0;
        let (mut since_ms, mut before) = (self.world.now_ms(), None);
        let mut ended = self.world.history.runs_ended();
        let patience_ms = u64::from(PATIENCE) * LEASE.as_millis() as u64;
        let mut deadline_ms = since_ms + patience_ms;
        let read_ms = since_ms + 5 * LEASE.as_millis() as u64 / 2;
        loop {
            self.hosts.retain(|host| !host.is_over());
            if self.hosts.iter().all(SimHost::is_paused) {
                self.start_host();
            }
            self.people().answer(true);
            self.people().signal_all();
            self.people().retry_children();
            for _ in 0..4 {
                self.pass();
            }
            let now_ms = self.world.now_ms();
            let work = self.work();
            if now_ms > read_ms && is_done(&work) && !self.world.is_anything_under_way() {
                return Vec::new();
            }
            if before.replace(work) != Some(work) {
                since_ms = now_ms;
            }
            // How long all of it takes depends on how much it is, so each run that ends earns the others more time.
            let ended_before = std::mem::replace(&mut ended, self.world.history.runs_ended());
            if ended > ended_before {
                deadline_ms = now_ms + patience_ms;
            }
            let is_stuck = now_ms > since_ms + 3 * LEASE.as_millis() as u64;
            if is_stuck && days < DAYS && self.is_capped() {
                days += 1;
                self.pass_until_midnight();
                since_ms = self.world.now_ms();
                deadline_ms = since_ms + patience_ms;
            }
            if now_ms > deadline_ms {
                return self.what_is_left(&work);
            }
        }
    }

    fn work(&self) -> OpenWork {
        at_once(self.servers.store.open_work()).expect("a store tells what is left")
    }

    fn store_time(&self) -> Timestamp {
        at_once(self.servers.store.now()).expect("a store tells the time")
    }

    fn is_capped(&self) -> bool {
        !at_once(self.servers.store.cap_balances()).expect("a store tells its caps").is_empty()
    }

    /// A store whose clock was set back stands still until the time it has seen comes round again.
    fn wait_for_store_clock(&mut self) {
        let lag = self.store_time().since(StoreClock::time_of(&self.world));
        self.stand_still(lag);
    }

    fn pass_until_midnight(&mut self) {
        let now = self.store_time();
        let day_ms = 86_400_000;
        let left_ms = day_ms - now.as_millis().rem_euclid(day_ms);
        self.stand_still(Duration::from_millis(left_ms.unsigned_abs()));
    }

    /// Time passes in which no host does anything.
    fn stand_still(&mut self, time: Duration) {
        let for_ms = time.as_millis() as u64;
        if for_ms > 0 {
            self.hosts.retain(|host| !host.is_over());
            self.hosts.iter_mut().for_each(|host| host.pause(for_ms));
            self.world.reach(self.world.now_ms() + for_ms);
        }
    }

    fn what_is_left(&self, work: &OpenWork) -> Vec<String> {
        let mut left = vec![format!("{work:?}")];
        let runs =
            at_once(self.servers.store.runs(RunFilter::default())).expect("a store tells its runs").rows;
        let live = runs.iter().filter(|run| run.state.is_live());
        left.extend(live.map(|run| {
            format!(
                "{} {} of {} by {}, driven {}: {:?}",
                run.id, run.state, run.entry.key, run.host, run.driven, run.reason
            )
        }));
        left
    }

    /// Whether an audit found the record of an item that nobody has brought before the store since an earlier one was lost: it was taken
    /// away, or was opened by a run and never opened again.
    fn is_of_nothing_known(&self, problem: &str) -> bool {
        let entries = at_once(self.servers.store.entries(EntryFilter::default()));
        let entries = entries.expect("a store tells its entries").rows;
        let stands =
            |entry: &EntryStatus| problem.starts_with(&format!("{}/{}#", entry.name.tracker, entry.name.key));
        self.world.plan.store_lost_ms.is_some()
            && problem.ends_with("is not in this store")
            && !entries.iter().any(stands)
    }

    /// Marks of runs that are over. One that came late, or that a crash left behind, is taken away by the next host that starts.
    fn marks_left(&mut self) -> Vec<String> {
        if self.servers.trackers.iter().any(|server| !server.marks().is_empty()) {
            self.start_host();
            self.pass();
        }
        let marks = self.servers.trackers.iter().flat_map(|server| server.marks());
        let is_over =
            |run| !at_once(self.servers.store.run(run)).is_ok_and(|run| run.summary.state.is_live());
        marks.filter(|(_, run)| is_over(*run)).map(|(key, run)| format!("{key} by {run}")).collect()
    }

    /// Ends the hosts, lets everything arrive, and looks at what there is.
    fn end(&mut self, left: Vec<String>) -> Ending {
        let marks = self.marks_left();
        let by_ms = self.world.now_ms() + u64::from(LONGEST_PAUSE + 4) * LEASE.as_millis() as u64;
        while self.hosts.iter().any(|host| !host.is_over()) && self.world.now_ms() < by_ms {
            self.hosts.iter().for_each(|host| host.signal(Phase::Stopping));
            self.pass();
        }
        let endless = self.hosts.iter().filter(|host| !host.is_over());
        let endless: Vec<HostId> = endless.map(|host| host.line.host.clone()).collect();
        self.hosts.clear();
        let store = &*self.servers.store;
        let sites: Vec<Arc<dyn Tracker>> =
            self.servers.trackers.iter().map(|server| Arc::new(OnSite(Arc::clone(server))) as _).collect();
        let audit = at_once(audit::verify(store, &sites)).expect("an audit of a store in memory");
        let problems =
            audit.problems.into_iter().filter(|problem| !self.is_of_nothing_known(problem)).collect();
        let runs = at_once(store.runs(RunFilter::default())).expect("a store tells its runs").rows;
        let runs = runs.into_iter().map(|run| {
            let detail = at_once(store.run(run.id)).expect("a store tells a run");
            let records = self.servers.trackers.iter().filter(|server| server.name() == run.entry.tracker);
            let records =
                records.map(|server| server.records_by_run().get(&run.id).copied().unwrap_or(0)).sum();
            let is_refine = run.kind == RunKind::Refine;
            RunEnd {
                run: run.id,
                state: run.state,
                records: (!is_refine).then_some(records),
                is_done: detail.record.is_some_and(|record| record.end == End::Done),
            }
        });
        Ending { left, marks, endless, audit: problems, runs: runs.collect(), ..Ending::default() }
    }
}

/// Whether nothing is left for hosts that drain: what comes by itself later than within a minute is for others.
fn is_over(work: &OpenWork, now: Timestamp) -> bool {
    let soon = now.after(Duration::from_secs(60));
    let comes = |count: u64, at: Option<Timestamp>| count > 0 && at.is_none_or(|at| at <= soon);
    let OpenWork { ready, driven, waiting, listening, to_judge, .. } = *work;
    let awaited =
        comes(waiting - listening, work.next_wake_at) || comes(work.undelivered, work.next_delivery_at);
    ready + driven == 0 && !to_judge && !awaited
}

/// Whether nothing is left that could be done.
fn is_done(work: &OpenWork) -> bool {
    let OpenWork { ready, driven, waiting, asking, undelivered, to_judge, .. } = work;
    ready + driven + waiting + asking + undelivered == 0 && !to_judge
}

//! One scene, undisturbed or with kills at some of the places that it goes through.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    fs,
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError, mpsc},
    time::{Duration, SystemTime},
};

use serde_json::json;

use super::{
    account::{Account, Row, Tables},
    hold,
    line::Line,
    recovery::{self, BEYOND_LEASE, LEASE},
    scene::{KEY, STOPPED_AT, Scene, Step},
    victim::{self, Setting, Victim},
};
use crate::support::{Finished, Project, command};

/// A scene as it goes when nobody is killed.
pub(super) struct Undisturbed {
    pub(super) scene: &'static Scene,
    pub(super) steps: Vec<UndisturbedStep>,
    account: Account,
}

pub(super) struct UndisturbedStep {
    code: Option<i32>,
    /// The places that it came to, in the order of their first visits, and how often.
    pub(super) visits: Vec<(String, u64)>,
}

/// A kill at a visit of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kill {
    /// The number of the step in its scene.
    pub(super) step: usize,
    pub(super) place: String,
    pub(super) visit: u64,
}

impl Kill {
    /// The same, at the visit before it where there is one.
    fn earlier(self) -> Self {
        Self { visit: self.visit.saturating_sub(1).max(1), ..self }
    }
}

/// What came of the kills of a scene.
#[derive(Debug, Default)]
pub(super) struct Figures {
    /// How many there were.
    pub(super) kills: u64,
    /// How often a command gave up and said why, so that it had to be given again.
    pub(super) gave_up: u64,
    /// How often a run waited for a host after the lease of the one before it had lapsed.
    pub(super) lapses: u64,
    /// The longest time until the work went on: after the end of such a lease, or the last kill where that came later, and after a kill.
    pub(super) after_lease: Duration,
    pub(super) after_kill: Duration,
}

impl Figures {
    pub(super) fn add(&mut self, other: &Self) {
        self.kills += other.kills;
        self.gave_up += other.gave_up;
        self.lapses += other.lapses;
        self.after_lease = self.after_lease.max(other.after_lease);
        self.after_kill = self.after_kill.max(other.after_kill);
    }
}

/// Exit codes: of hosts whose runs ended well, or not; of commands that find nothing left to do; of those whose store failed.
const DONE: i32 = 0;
const FAILED: i32 = 1;
const MISTAKE: i32 = 3;
const PLATFORM: i32 = 4;

/// More often than that nobody has to give a command again.
const GIVES_UP_MAX: u64 = 50;

/// Plays a scene in which nobody is killed.
pub(super) fn undisturbed(scene: &'static Scene, setting: &Setting<'_>) -> Undisturbed {
    let project = (scene.project)();
    setting.new_store(&project);
    let mut steps = Vec::new();
    for step in scene.steps {
        let log = project.path().join(".tollgate-visits");
        drop(fs::remove_file(&log));
        let play = Play { scene, setting, victim: None, project: &project };
        let (ended, _) = play.perform(step, &[]);
        steps.push(UndisturbedStep { code: ended.and_then(|ended| ended.code), visits: visits(&log) });
    }
    check_audit(&project, scene.name);
    Undisturbed { scene, steps, account: Tables::of(&project).account(&project) }
}

fn visits(log: &std::path::Path) -> Vec<(String, u64)> {
    let mut visits = Vec::<(String, u64)>::new();
    for place in fs::read_to_string(log).unwrap_or_default().lines() {
        match visits.iter_mut().find(|(known, _)| known == place) {
            Some((_, count)) => *count += 1,
            None => visits.push((place.to_owned(), 1)),
        }
    }
    visits
}

/// So often in a row a scene may be played without getting anywhere. A place to which a host comes by the clock it may come to less often
/// than it did undisturbed, so an earlier visit is tried then.
const IN_VAIN_MAX: u32 = 3;

/// Plays a scene with kills. What cannot be reached because of what was killed before, or would take too many hosts down under one run, is
/// tried in another project.
pub(super) fn with_kills(
    undisturbed: &Undisturbed,
    setting: &Setting<'_>,
    victim: Victim,
    kills: &[Kill],
) -> Figures {
    let (mut figures, mut left, mut in_vain) = (Figures::default(), kills.to_vec(), 0);
    while !left.is_empty() {
        let (of_play, missed) = play(undisturbed, setting, victim, &left);
        figures.add(&of_play);
        in_vain = if missed.len() < left.len() { 0 } else { in_vain + 1 };
        assert!(in_vain < IN_VAIN_MAX, "{}: {missed:?} are not reached", undisturbed.scene.name);
        left = if in_vain == 0 { missed } else { missed.into_iter().map(Kill::earlier).collect() };
    }
    figures
}

fn play(
    undisturbed: &Undisturbed,
    setting: &Setting<'_>,
    victim: Victim,
    kills: &[Kill],
) -> (Figures, Vec<Kill>) {
    let scene = undisturbed.scene;
    let project = (scene.project)();
    setting.new_store(&project);
    let play = Play { scene, setting, victim: Some(victim), project: &project };
    let (mut disturbance, mut missed) = (Disturbance::default(), Vec::new());
    for (number, step) in scene.steps.iter().enumerate() {
        let of_step = kills.iter().filter(|kill| kill.step == number).cloned().collect();
        let left = play.to_the_end(step, of_step, &undisturbed.steps[number], &mut disturbance);
        missed.extend(left);
        setting.recover();
        disturbance.note_signs(&project);
    }
    let context = format!("{} {victim:?} {kills:?}", scene.name);
    let line = setting.line.and_then(OnceLock::get);
    assert!(line.is_none_or(Line::has_lost_all), "{context}: whose answer was to be lost did not commit");
    check_audit(&project, &context);
    drop(project.run(&["store", "doctor"]).expect_code(0));
    let tables = Tables::of(&project);
    check_account(scene, &undisturbed.account, tables.account(&project), &context);
    (disturbance.figures(&tables, &context), missed)
}

/// Who was killed in a scene, when, and how often a command gave up for that.
#[derive(Default)]
struct Disturbance {
    /// When somebody was killed, in the unit of the store's times.
    kills: Vec<u64>,
    /// When something was written down, or a step was done.
    signs: BTreeSet<u64>,
    gave_up: u64,
    /// How many hosts each run has lost.
    hosts_lost: HashMap<String, usize>,
}

/// A run that loses more is given to a person.
const HOSTS_LOST_MAX: usize = 2;

impl Disturbance {
    /// Notes what a step that is done wrote down, which later steps may take away.
    fn note_signs(&mut self, project: &Project) {
        if !self.kills.is_empty() {
            self.signs.extend(Tables::of_any(project).iter().flat_map(recovery::signs));
            self.signs.insert(recovery::millis_of(now()));
        }
    }

    /// Notes what a host held that was killed just now.
    fn lose_host(&mut self, project: &Project) {
        let tables = Tables::of_any(project);
        let runs = tables.iter().flat_map(|tables| tables.rows("run"));
        for run in runs.filter(|run| !run["lease_until"].is_null()) {
            *self.hosts_lost.entry(run["id"].to_string()).or_default() += 1;
        }
    }

    /// Whether the next host may be killed whatever it drives: no run is given to a person for that.
    fn may_lose_host(&self, project: &Project) -> bool {
        let is_at_risk = |run: &Row| {
            let is_live = run["state"] == "running" || run["state"] == "waiting";
            is_live && self.hosts_lost.get(&run["id"].to_string()).is_some_and(|lost| *lost >= HOSTS_LOST_MAX)
        };
        let any = self.hosts_lost.values().any(|lost| *lost >= HOSTS_LOST_MAX);
        !any || !Tables::of(project).rows("run").iter().any(is_at_risk)
    }

    fn figures(&self, tables: &Tables, context: &str) -> Figures {
        let of_lost_hosts = recovery::of_lost_hosts(tables, &self.kills);
        let of_kills = recovery::of_kills(&self.signs, &self.kills);
        let figures = Figures {
            kills: self.kills.len() as u64,
            gave_up: self.gave_up,
            lapses: of_lost_hosts.len() as u64,
            after_lease: of_lost_hosts.into_iter().max().unwrap_or_default(),
            after_kill: of_kills.into_iter().max().unwrap_or_default(),
        };
        let patience = super::patience();
        let in_time = figures.after_kill <= (LEASE + BEYOND_LEASE) * patience
            && figures.after_lease <= BEYOND_LEASE * patience;
        assert!(in_time, "{context}: {figures:?}");
        figures
    }
}

/// A scene that is played.
struct Play<'p> {
    scene: &'static Scene,
    setting: &'p Setting<'p>,
    victim: Option<Victim>,
    project: &'p Project,
}

impl Play<'_> {
    /// Does a step until it is done, whoever is killed on the way; the kills that were not reached.
    fn to_the_end(
        &self,
        step: &Step,
        kills: Vec<Kill>,
        undisturbed: &UndisturbedStep,
        disturbance: &mut Disturbance,
    ) -> Vec<Kill> {
        self.setting.recover();
        let (mut left, mut missed) = (VecDeque::from(kills), Vec::new());
        let was_disturbed = !left.is_empty();
        let words = (was_disturbed && matches!(step, Step::Said(_))).then(|| self.words());
        loop {
            // A host is killed once, and the next one at the next place. Who goes on can meet all of it.
            let loses_hosts = self.victim == Some(Victim::Host);
            if loses_hosts && !left.is_empty() && !disturbance.may_lose_host(self.project) {
                missed.extend(left.drain(..));
            }
            let at_once = if loses_hosts { 1 } else { left.len() };
            let tried: Vec<Kill> = left.drain(..at_once.min(left.len())).collect();
            let (ended, killed) = self.perform(step, &tried);
            disturbance.kills.extend(killed.iter().map(|(_, at)| recovery::millis_of(*at)));
            let not_reached =
                tried.iter().filter(|kill| !killed.iter().any(|(place, _)| *place == kill.place));
            let not_reached: Vec<_> = not_reached.cloned().collect();
            let Some(ended) = ended else {
                if matches!(step, Step::Dies(_)) && loses_hosts {
                    disturbance.lose_host(self.project);
                }
                return missed;
            };
            match ended.code {
                None if loses_hosts => {
                    missed.extend(not_reached);
                    disturbance.lose_host(self.project);
                }
                Some(PLATFORM) if was_disturbed => {
                    disturbance.gave_up += 1;
                    let says_why = ended.stderr.contains("error: the store ");
                    assert!(says_why && disturbance.gave_up < GIVES_UP_MAX, "{}: {ended:?}", self.scene.name);
                    self.setting.recover();
                    left.extend(not_reached);
                }
                code => {
                    // Somebody else may have done it before, all of it or a part.
                    let is_done = was_disturbed && matches!(code, Some(DONE | FAILED | MISTAKE));
                    assert!(
                        code == undisturbed.code || is_done,
                        "{} {:?} {tried:?}: {ended:?}",
                        self.scene.name,
                        self.victim
                    );
                    missed.extend(not_reached);
                    if left.is_empty() && (tried.is_empty() || !loses_hosts) {
                        return missed;
                    }
                }
            }
            if words.is_some_and(|words| words != self.words()) {
                missed.extend(left);
                return missed;
            }
        }
    }

    /// How often people said something.
    fn words(&self) -> usize {
        self.setting.recover();
        Tables::of(self.project).words()
    }

    /// Does a step once, with these kills; how its process ended, and who was killed where and when.
    fn perform(&self, step: &Step, kills: &[Kill]) -> (Option<Finished>, Vec<(String, SystemTime)>) {
        match step {
            Step::Done(act) => {
                act(self.setting, self.project);
                (None, Vec::new())
            }
            Step::Dies(at) => {
                let mut host = self.command(&["run", "--drain", "--workers", "1"]);
                host.env("TOLLGATE_CRASH_AT", at);
                let ended = finish(host, |_| ());
                assert_eq!(ended.code, None, "{}: it was to be killed: {ended:?}", self.scene.name);
                (None, Vec::new())
            }
            Step::Command(args) | Step::Said(args) => self.held(args, kills, None),
            Step::Stopped => {
                // Where it was stopped before it was killed.
                drop(self.project.run(&["resume"]));
                // Of the entry whose call does not end: lanes take turns.
                self.held(&["run", "W-9", "--workers", "1"], kills, Some(STOPPED_AT))
            }
        }
    }

    /// Runs a command, and holds it at each of these kills; and at the first visit of `stop`, where somebody stops all hosts.
    fn held(
        &self,
        args: &[&str],
        kills: &[Kill],
        stop: Option<&str>,
    ) -> (Option<Finished>, Vec<(String, SystemTime)>) {
        let (host, killed) = (OnceLock::new(), Mutex::new(Vec::new()));
        let act = |place: &str| {
            if stop == Some(place) {
                self.setting.recover();
                drop(self.project.run(&["stop", "--now", "--reason", "a person says so"]).expect_code(0));
                return;
            }
            let victim = self.victim.expect("nobody is held undisturbed");
            self.setting.kill(victim, self.project, *host.wait());
            lock(&killed).push((place.to_owned(), now()));
        };
        let ended = hold::at_each(act, |socket| {
            let mut command = self.command(args);
            let at = kills.iter().map(|kill| format!("{}:{}", kill.place, kill.visit));
            let at = at.chain(stop.map(|place| format!("{place}:1"))).collect::<Vec<_>>().join(",");
            command.env("TOLLGATE_CRASH_AT", at).env("TOLLGATE_CRASH_HOLD", socket);
            finish(command, |process| host.get_or_init(|| process))
        });
        (Some(ended), killed.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = command(self.project.path(), args);
        command.env(KEY, "sk-of-a-test");
        if self.victim.is_none() {
            command.env("TOLLGATE_CRASH_LOG", self.project.path().join(".tollgate-visits"));
        }
        command
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "it is compared with the times of other processes on this machine"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

/// Nothing here takes so long, on whatever machine.
const ENDS_WITHIN: Duration = Duration::from_secs(120);

/// Runs a command to its end; who wants to know learns its number when it has begun.
pub(super) fn finish<T>(mut command: Command, began: impl FnOnce(u32) -> T) -> Finished {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.expect("the binary can be started");
    let process = child.id();
    began(process);
    let (ended, wait) = mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        let hangs = wait.recv_timeout(ENDS_WITHIN) == Err(mpsc::RecvTimeoutError::Timeout);
        if hangs {
            victim::kill(process);
        }
        hangs
    });
    let output = child.wait_with_output().expect("it ends");
    drop(ended);
    let finished = Finished {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    assert!(!watch.join().expect("it only waits"), "{command:?} does not end: {finished:?}");
    finished
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

fn check_audit(project: &Project, context: &str) {
    let audit = project.run(&["audit", "verify", "--json"]).json(0);
    assert_eq!(audit["problems"], json!([]), "{context}");
}

fn check_account(scene: &Scene, expected: &Account, mut account: Account, context: &str) {
    let mut expected = expected.clone();
    let [cost, least] = [&mut account, &mut expected].map(without_costs);
    // Prices are of fuel, of which who is told another time burns a little more or less.
    let about = least - least / COST_DIFFERS..=least + least / COST_DIFFERS;
    let costs_as_much = about.contains(&cost) || scene.may_cost_more && cost >= least;
    for (table, rows) in &expected {
        assert_eq!(&account[table], rows, "{context}: {table}");
    }
    assert!(costs_as_much, "{context}: {cost} microcents, undisturbed {least}");
}

/// By this part of what it costs undisturbed.
const COST_DIFFERS: u64 = 20;

/// What is said of money.
const COSTS: [&str; 2] = ["cost=", "settled="];

/// Takes what was spent out of an account; the sum of it.
fn without_costs(account: &mut Account) -> u64 {
    let mut sum = 0;
    for line in account.values_mut().flatten() {
        let words = line.split(' ').filter(|word| {
            let cost = COSTS.iter().find_map(|name| word.strip_prefix(name));
            sum += cost.and_then(|cost| cost.parse::<u64>().ok()).unwrap_or_default();
            cost.is_none()
        });
        *line = words.collect::<Vec<_>>().join(" ");
    }
    sum
}

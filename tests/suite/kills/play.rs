//! One scene, undisturbed or with kills at some of the places that it goes through.

use std::{
    collections::VecDeque,
    fs,
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError, mpsc},
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    account::{self, Account},
    hold,
    scene::{KEY, Scene, Step},
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
    took: Duration,
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

/// What came of the kills of a scene.
#[derive(Debug, Default)]
pub(super) struct Figures {
    /// How many there were.
    pub(super) kills: u64,
    /// How often a command gave up and said why, so that it had to be given again.
    pub(super) gave_up: u64,
    /// The longest time from the last kill of a step to its end, without what it takes undisturbed.
    pub(super) recovery: Duration,
}

impl Figures {
    pub(super) fn add(&mut self, other: &Self) {
        self.kills += other.kills;
        self.gave_up += other.gave_up;
        self.recovery = self.recovery.max(other.recovery);
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
        let began = Instant::now();
        let play = Play { scene, setting, victim: None, project: &project };
        let (ended, _) = play.perform(step, &[]);
        let took = began.elapsed();
        steps.push(UndisturbedStep { code: ended.and_then(|ended| ended.code), took, visits: visits(&log) });
    }
    check_audit(&project, scene.name);
    Undisturbed { scene, steps, account: account::of(&project) }
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

/// Plays a scene with kills. What cannot be reached because of what was killed before is tried again alone.
pub(super) fn with_kills(
    undisturbed: &Undisturbed,
    setting: &Setting<'_>,
    victim: Victim,
    kills: &[Kill],
) -> Figures {
    if kills.is_empty() {
        return Figures::default();
    }
    let (mut figures, missed) = play(undisturbed, setting, victim, kills);
    for kill in missed {
        assert!(kills.len() > 1, "{}: {kill:?} is not reached", undisturbed.scene.name);
        figures.add(&with_kills(undisturbed, setting, victim, &[kill]));
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
    let (mut figures, mut missed) = (Figures::default(), Vec::new());
    for (number, step) in scene.steps.iter().enumerate() {
        let of_step = kills.iter().filter(|kill| kill.step == number).cloned().collect();
        let left = play.to_the_end(step, of_step, &undisturbed.steps[number], &mut figures);
        missed.extend(left);
    }
    setting.recover();
    let context = format!("{} {victim:?} {kills:?}", scene.name);
    check_audit(&project, &context);
    check_account(scene, &undisturbed.account, account::of(&project), &context);
    (figures, missed)
}

/// A scene that is played.
struct Play<'p> {
    scene: &'static Scene,
    setting: &'p Setting<'p>,
    victim: Option<Victim>,
    project: &'p Project,
}

/// How long a host may be gone from the project's policy, and how much longer it may take until the work goes on.
const LEASE: Duration = Duration::from_secs(5);
const BEYOND_LEASE: Duration = Duration::from_secs(5);

impl Play<'_> {
    /// Does a step until it is done, whoever is killed on the way; the kills that were not reached.
    fn to_the_end(
        &self,
        step: &Step,
        kills: Vec<Kill>,
        undisturbed: &UndisturbedStep,
        figures: &mut Figures,
    ) -> Vec<Kill> {
        self.setting.recover();
        let (mut left, mut missed, mut last_kill) = (VecDeque::from(kills), Vec::new(), None);
        let was_disturbed = !left.is_empty();
        loop {
            // A host is killed once, and the next one at the next place. Who goes on can meet all of it.
            let at_once = if self.victim == Some(Victim::Host) { 1 } else { left.len() };
            let tried: Vec<Kill> = left.drain(..at_once.min(left.len())).collect();
            let (ended, killed) = self.perform(step, &tried);
            figures.kills += killed.len() as u64;
            last_kill = killed.last().map(|(_, at)| *at).or(last_kill);
            let not_reached =
                tried.iter().filter(|kill| !killed.iter().any(|(place, _)| *place == kill.place));
            let not_reached: Vec<_> = not_reached.cloned().collect();
            let Some(ended) = ended else { return missed };
            match ended.code {
                None if self.victim == Some(Victim::Host) => missed.extend(not_reached),
                Some(PLATFORM) if was_disturbed => {
                    figures.gave_up += 1;
                    let says_why = ended.stderr.contains("error: the store ");
                    assert!(says_why && figures.gave_up < GIVES_UP_MAX, "{}: {ended:?}", self.scene.name);
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
                    if left.is_empty() && (tried.is_empty() || self.victim != Some(Victim::Host)) {
                        break;
                    }
                }
            }
        }
        if let Some(at) = last_kill {
            let recovery = at.elapsed().saturating_sub(undisturbed.took);
            assert!(
                recovery <= (LEASE + BEYOND_LEASE) * super::patience(),
                "{} {:?}: the work went on after {recovery:?}",
                self.scene.name,
                self.victim
            );
            figures.recovery = figures.recovery.max(recovery);
        }
        missed
    }

    /// Does a step once, with these kills; how its process ended, and who was killed where and when.
    fn perform(&self, step: &Step, kills: &[Kill]) -> (Option<Finished>, Vec<(String, Instant)>) {
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
            Step::Command(args) => self.held(args, kills, None),
            Step::Stopped => {
                // Where it was stopped before it was killed.
                drop(self.project.run(&["resume"]));
                // Of the entry whose call does not end: lanes take turns.
                self.held(&["run", "W-9", "--workers", "1"], kills, Some("drive.call"))
            }
        }
    }

    /// Runs a command, and holds it at each of these kills; and at the first visit of `stop`, where somebody stops all hosts.
    fn held(
        &self,
        args: &[&str],
        kills: &[Kill],
        stop: Option<&str>,
    ) -> (Option<Finished>, Vec<(String, Instant)>) {
        let (host, killed) = (OnceLock::new(), Mutex::new(Vec::new()));
        let act = |place: &str| {
            if stop == Some(place) {
                drop(self.project.run(&["stop", "--now", "--reason", "a person says so"]).expect_code(0));
                return;
            }
            let victim = self.victim.expect("nobody is held undisturbed");
            self.setting.kill(victim, self.project, *host.wait());
            lock(&killed).push((place.to_owned(), Instant::now()));
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

/// Nothing here takes so long, on whatever machine.
const ENDS_WITHIN: Duration = Duration::from_secs(300);

/// Runs a command to its end; who wants to know learns its number when it has begun.
fn finish<T>(mut command: Command, began: impl FnOnce(u32) -> T) -> Finished {
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
    if scene.may_cost_more {
        let [costs, least] = [&mut account, &mut expected].map(without_costs);
        assert!(costs >= least, "{context}: {costs} microcents, undisturbed {least}");
    }
    for (table, rows) in &expected {
        assert_eq!(&account[table], rows, "{context}: {table}");
    }
}

/// Takes the costs out of an account; their sum.
fn without_costs(account: &mut Account) -> u64 {
    let mut sum = 0;
    for line in account.values_mut().flatten() {
        let words = line.split(' ').filter(|word| match word.strip_prefix("cost=") {
            Some(cost) => {
                sum += cost.parse::<u64>().unwrap_or_default();
                false
            }
            None => true,
        });
        *line = words.collect::<Vec<_>>().join(" ");
    }
    sum
}

//! What a host does, while it does it: lines for what ended, and on a terminal a foot with a line a worker and the totals.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use tollgate_core::{
    Microcents, RunId,
    course::End,
    effect::Delivered,
    step::{FailureClass, Judgement, Severity, Step, StepOutcome, Verdict},
};
use tollgate_engine::observer::{Notice, Observer};

use super::{
    printer::{Printer, Tone},
    quiet_keys::QuietKeys,
    text::{count, duration, list, shorten, time},
};

/// How often what moves at the foot moves.
const TICK: Duration = Duration::from_millis(120);

/// Titles are cut to this in lines and at the foot.
const TITLE_COLUMNS: usize = 56;

/// The line of a worker that drives a run, and of one that drives none.
const BUSY: &str = "  • {wide_msg}";
const IDLE: &str = "  ·";

/// Shows what a host does.
#[derive(Debug)]
pub(crate) struct Progress {
    printer: Printer,
    board: Mutex<Board>,
}

/// What is shown now.
#[derive(Debug, Default)]
struct Board {
    totals: Totals,
    titles: HashMap<RunId, String>,
    /// Trackers that were read and had something.
    greeted: HashSet<String>,
    /// Items of a tracker that were still being written when it was read last.
    unsettled: HashMap<String, usize>,
    /// What was passed over when a tracker was read last: path and reason.
    skipped: HashMap<String, Vec<(String, String)>>,
    foot: Option<Foot>,
}

/// Runs that ended under this host.
#[derive(Debug, Default, Clone, Copy)]
struct Totals {
    done: u64,
    failed: u64,
    escalated: u64,
    cancelled: u64,
    driven: u64,
    cost: Microcents,
}

/// The lines that stay at the foot of a terminal. Only the last one moves by itself: each move draws all of them again.
#[derive(Debug)]
struct Foot {
    workers: Vec<(ProgressBar, Option<RunId>)>,
    totals: ProgressBar,
    _quiet_keys: Option<QuietKeys>,
}

/// A line about something that happened.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    tone: Tone,
    word: &'static str,
    rest: String,
}

impl Line {
    fn new(tone: Tone, word: &'static str, rest: String) -> Self {
        Self { tone, word, rest }
    }
}

impl Progress {
    /// Shows what a host with so many workers does.
    pub(crate) fn new(printer: Printer, workers: usize) -> Self {
        let foot = (!printer.foot().is_hidden()).then(|| Foot::new(&printer, workers));
        Self { board: Mutex::new(Board { foot, ..Board::default() }), printer }
    }

    /// Takes the foot away; what follows is printed as if it had never been there.
    pub(crate) fn finish(&self) {
        if let Some(foot) = self.lock().foot.take() {
            foot.clear();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Progress {
    fn notice(&self, notice: &Notice) {
        let lines = self.lock().take(notice);
        // Printed without the lock: the printer makes the foot give way, and has a lock of its own.
        for Line { tone, word, rest } in lines {
            self.printer.event(tone, word, rest);
        }
    }
}

impl Board {
    /// Takes a notice; the lines that it is worth.
    fn take(&mut self, notice: &Notice) -> Vec<Line> {
        self.follow(notice);
        match notice {
            Notice::Pulled { .. } => self.pulled(notice),
            Notice::Finished { run, key, end, .. } => {
                let title = self.titles.remove(run).unwrap_or_default();
                vec![finished(key, &title, end)]
            }
            Notice::Refined { run, key, .. } => {
                let title = self.titles.remove(run).unwrap_or_default();
                vec![Line::new(Tone::Plain, "refined", format!("{key}  {title}"))]
            }
            Notice::Waiting { run, key, ask: Some(ask), .. } => {
                let title = self.titles.remove(run).unwrap_or_default();
                vec![Line::new(Tone::Notable, "asks", format!("{key}  {title}  {}", ask.reason))]
            }
            Notice::StepsEnded { key, steps, .. } => {
                steps.iter().filter_map(|step| setback(key, step)).collect()
            }
            other => plain(other).into_iter().collect(),
        }
    }

    fn follow(&mut self, notice: &Notice) {
        match notice {
            Notice::ScoredAgain { entries, all: false } => {
                self.say(format!("scoring entries again: {entries} so far"))
            }
            Notice::ScoredAgain { all: true, .. } => self.say(self.totals.to_string()),
            Notice::Pulling { tracker } => self.say(format!("reading {tracker}")),
            Notice::Pulled { unsettled: 0, .. } => self.say(self.totals.to_string()),
            Notice::Pulled { tracker, unsettled, .. } => {
                let items = count(*unsettled as u64, "item", "items");
                self.say(format!("waiting for {items} of {tracker}; {}", self.totals));
            }
            Notice::Claimed { run, key, title, .. } => {
                self.totals.driven += 1;
                let title = shorten(title, TITLE_COLUMNS);
                self.show(*run, &format!("{key}  {title}"));
                self.titles.insert(*run, title);
            }
            Notice::StepStarted { run, key, step } => {
                let title = self.titles.get(run).cloned().unwrap_or_default();
                self.show(*run, &format!("{key}  {step}  {title}"));
            }
            Notice::Waiting { run, .. } | Notice::LetGo { run, .. } => self.let_go(*run),
            Notice::Refined { run, cost, .. } => {
                self.totals.cost = self.totals.cost + *cost;
                self.let_go(*run);
            }
            Notice::Finished { run, end, cost, .. } => {
                self.totals.count(end, *cost);
                self.let_go(*run);
            }
            _ => {}
        }
    }

    fn let_go(&mut self, run: RunId) {
        self.totals.driven = self.totals.driven.saturating_sub(1);
        if let Some(foot) = &mut self.foot {
            foot.free(run);
        }
        self.say(self.totals.to_string());
    }

    fn say(&self, message: String) {
        if let Some(foot) = &self.foot {
            foot.totals.set_message(message);
        }
    }

    fn show(&mut self, run: RunId, message: &str) {
        if let Some(foot) = &mut self.foot {
            foot.show(run, message);
        }
        self.say(self.totals.to_string());
    }

    /// A source is read every so often: it is worth a line when something in it is new.
    fn pulled(&mut self, notice: &Notice) -> Vec<Line> {
        let Notice::Pulled { backlog, tracker, items, created, revised, gone, skipped, unsettled, settle } =
            notice
        else {
            return Vec::new();
        };
        let mut lines = Vec::new();
        // Nothing at all is what a first look at files finds that were written just now.
        let first = *items > 0 && self.greeted.insert(tracker.clone());
        if first || created + revised + gone > 0 {
            let changes = [(created, "new"), (revised, "changed"), (gone, "gone")];
            let changes =
                changes.iter().filter(|(number, _)| **number > 0).map(|(n, word)| format!(", {n} {word}"));
            let items = count(*items as u64, "item", "items");
            lines.push(Line::new(
                Tone::Plain,
                "read",
                format!("{items} of {tracker} for {backlog}{}", changes.collect::<String>()),
            ));
        }
        if *unsettled > self.unsettled.insert(tracker.clone(), *unsettled).unwrap_or_default() {
            let items = count(*unsettled as u64, "item", "items");
            let settle = duration(*settle);
            lines.push(Line::new(
                Tone::Plain,
                "waiting",
                format!("{items} of {tracker} changed just now, to be read after {settle} without a change"),
            ));
        }
        let known = self.skipped.insert(tracker.clone(), skipped.clone()).unwrap_or_default();
        let fresh = skipped.iter().filter(|skip| !known.contains(skip));
        lines.extend(fresh.map(|(path, why)| Line::new(Tone::Notable, "skipped", format!("{path}: {why}"))));
        lines
    }
}

impl Totals {
    fn count(&mut self, end: &End, cost: Microcents) {
        self.cost = self.cost + cost;
        match end {
            End::Done => self.done += 1,
            End::Failed(_) => self.failed += 1,
            End::Escalated { .. } => self.escalated += 1,
            End::Cancelled { .. } => self.cancelled += 1,
        }
    }
}

impl std::fmt::Display for Totals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} done", self.done)?;
        let others = [(self.failed, "failed"), (self.escalated, "escalated"), (self.cancelled, "cancelled")];
        for (number, word) in others.into_iter().filter(|(number, _)| *number > 0) {
            write!(f, ", {number} {word}")?;
        }
        write!(f, ", {} under way, {} spent", self.driven, self.cost)
    }
}

impl Foot {
    fn new(printer: &Printer, workers: usize) -> Self {
        let bar = |template: &str| {
            let bar = printer.foot().add(ProgressBar::new_spinner().with_style(style(template)));
            bar.tick();
            bar
        };
        let workers = (0..workers.max(1)).map(|_| (bar(IDLE), None)).collect();
        let totals = bar("  {spinner} {elapsed}  {wide_msg}");
        totals.enable_steady_tick(TICK);
        Self { workers, totals, _quiet_keys: QuietKeys::begin() }
    }

    /// Shows a run on the line of its worker, which is the first free one when the run is new.
    fn show(&mut self, run: RunId, message: &str) {
        let mine = self.workers.iter().position(|(_, shown)| *shown == Some(run));
        let free = || self.workers.iter().position(|(_, shown)| shown.is_none());
        if let Some((bar, shown)) = mine.or_else(free).and_then(|at| self.workers.get_mut(at)) {
            if shown.replace(run).is_none() {
                bar.set_style(style(BUSY));
            }
            bar.set_message(message.to_owned());
        }
    }

    fn free(&mut self, run: RunId) {
        if let Some((bar, shown)) = self.workers.iter_mut().find(|(_, shown)| *shown == Some(run)) {
            *shown = None;
            bar.set_style(style(IDLE));
            bar.set_message("");
        }
    }

    fn clear(&self) {
        for (bar, _) in &self.workers {
            bar.finish_and_clear();
        }
        self.totals.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn finished(key: &str, title: &str, end: &End) -> Line {
    let place = |at: &Option<tollgate_core::pipeline::StepName>| match at {
        Some(at) => format!(" in {at}"),
        None => String::new(),
    };
    match end {
        End::Done => Line::new(Tone::Good, "done", format!("{key}  {title}")),
        End::Failed(stopped) => Line::new(
            Tone::Bad,
            "failed",
            format!("{key}  {title}{}: {}", place(&stopped.at), stopped.reason),
        ),
        End::Escalated { to, stopped } => {
            let place = place(&stopped.at);
            Line::new(
                Tone::Notable,
                "escalated",
                format!("{key}  {title}{place}, to {to}: {}", stopped.reason),
            )
        }
        End::Cancelled { reason } => {
            Line::new(Tone::Notable, "cancelled", format!("{key}  {title}: {reason}"))
        }
    }
}

/// A call that sends work back, or that is tried again, is worth a line.
fn setback(key: &str, step: &Step) -> Option<Line> {
    let (word, why) = match &step.outcome {
        StepOutcome::Produced(_) | StepOutcome::NotApplicable(_) | StepOutcome::Waits(_) => return None,
        StepOutcome::Judged(verdict) => match verdict.judgement {
            Judgement::Pass => return None,
            Judgement::Fail => ("not passed", first_error(verdict)),
            Judgement::Inconclusive => ("undecided", verdict.summary.clone()),
        },
        StepOutcome::Failed(failure) => match failure.class {
            FailureClass::Transient | FailureClass::RateLimited | FailureClass::Infrastructure => {
                ("fault", failure.message.clone())
            }
            // The run ends with it, and its end is a line.
            FailureClass::Configuration | FailureClass::Permanent | FailureClass::Escalate => return None,
        },
    };
    Some(Line::new(Tone::Notable, word, format!("{key}  {}: {why}", step.key)))
}

/// The first thing that a gate objects to, and how many more there are.
fn first_error(verdict: &Verdict) -> String {
    let mut errors = verdict.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let Some(first) = errors.next() else { return verdict.summary.clone() };
    let more = match errors.count() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    format!("{} {}{more}", first.rule, first.message)
}

/// That this host acts on what others applied, and where its own files say something else.
fn policy_followed(version: i64, who: &str, differ: &[String]) -> Line {
    let what = format!("this host acts on version {version} of the policy, which {who} applied");
    match differ {
        [] => Line::new(Tone::Plain, "policy", format!("{what}; the files here say the same")),
        files => {
            let files = files.join(", ");
            let what =
                format!("{what}, and not on its own files, which differ: {files}; a start applies them");
            Line::new(Tone::Notable, "policy", what)
        }
    }
}

/// The line of a notice that is a line whatever came before it.
fn plain(notice: &Notice) -> Option<Line> {
    let line = match notice {
        Notice::PolicyApplied { version } => {
            Line::new(Tone::Plain, "applied", format!("version {version} of the policy"))
        }
        Notice::PolicyFollowed { version, who, differ } => policy_followed(*version, who, differ),
        Notice::ScoredAgain { entries, all: true } => {
            Line::new(Tone::Plain, "scored", format!("{} again", count(*entries, "entry", "entries")))
        }
        Notice::PullFailed { backlog, tracker, reason } => {
            Line::new(Tone::Bad, "unread", format!("{tracker} for {backlog}: {reason}"))
        }
        Notice::LetGo { key, reason, .. } => Line::new(Tone::Notable, "let go", format!("{key}: {reason}")),
        Notice::Delivered { key, what, became: Delivered::Refused { reason } } => {
            Line::new(Tone::Bad, "refused", format!("{what} of {key}: {reason}"))
        }
        Notice::DeliveryDelayed { key, what, reason, until } => {
            Line::new(Tone::Notable, "delayed", format!("{what} of {key}, until {}: {reason}", time(*until)))
        }
        Notice::Swept { runs, deliveries, hosts } if runs + deliveries > 0 => {
            let runs = count(*runs as u64, "run", "runs");
            let deliveries = count(*deliveries as u64, "delivery", "deliveries");
            let hosts: Vec<_> = hosts.iter().map(|host| host.0.clone()).collect();
            let rest = format!("{runs} and {deliveries} of {}, not heard of in time", list(&hosts));
            Line::new(Tone::Notable, "taken back", rest)
        }
        Notice::PutBack { key, became: Delivered::Done { reference, .. } } => {
            let place = reference.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
            Line::new(Tone::Notable, "put back", format!("{key}{place}: no run works on it any more"))
        }
        Notice::PutBack { key, became: Delivered::Refused { reason } } => {
            Line::new(Tone::Bad, "left", format!("{key}: {reason}"))
        }
        Notice::Rebuilt { tracker, rebuilt } => {
            let runs = count(rebuilt.runs, "run", "runs");
            let adoptions = count(rebuilt.adoptions, "adoption", "adoptions");
            let held = match rebuilt.damaged.as_slice() {
                [] => String::new(),
                keys => format!("; held, since what is beside them does not verify: {}", list(keys)),
            };
            Line::new(
                Tone::Notable,
                "rebuilt",
                format!("{runs} and {adoptions} from the records in {tracker}{held}"),
            )
        }
        Notice::StaleStopFile { path } => Line::new(
            Tone::Notable,
            "removed",
            format!("the stop file {path}: it is older than this host's start"),
        ),
        Notice::CapReached { cap, until } => {
            Line::new(Tone::Notable, "capped", format!("{cap}: no room before {}", time(*until)))
        }
        Notice::Stopping { reason } => Line::new(Tone::Notable, "stopping", reason.clone()),
        Notice::Trouble { doing, reason } => {
            Line::new(Tone::Bad, "trouble", format!("cannot {doing}: {reason}"))
        }
        _ => return None,
    };
    Some(line)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use tollgate_core::{
        Digest, Timestamp,
        approval::{Allowance, Ask, Lack},
        course::Stopped,
        pipeline::StepName,
        step::{Finding, StepKey, Usage},
    };

    use super::*;
    use crate::ui::printer::{Format, captured};

    fn gate() -> StepName {
        StepName { stage: "draft".into(), gate: Some("spec-lint".into()) }
    }

    fn judged(judgement: Judgement) -> Step {
        let finding = |rule: &str, severity| Finding {
            rule: rule.into(),
            severity,
            message: "has no measure".into(),
            location: None,
        };
        let findings = vec![
            finding("SPEC-011", Severity::Info),
            finding("SPEC-002", Severity::Error),
            finding("SPEC-003", Severity::Error),
        ];
        let verdict = Verdict { judgement, summary: "failed".into(), findings, evidence: vec![] };
        Step {
            key: StepKey { name: gate(), rework: 0, attempt: 1 },
            plugin: Digest::of(""),
            input: Digest::of(""),
            started_at: Timestamp::from_millis(0),
            ended_at: Timestamp::from_millis(0),
            usage: Usage::default(),
            outcome: StepOutcome::Judged(verdict),
            log: vec![],
        }
    }

    fn unsettled(unsettled: usize) -> Notice {
        let (backlog, tracker) = ("specs".into(), "folder:backlog".into());
        let settle = Duration::from_secs(2);
        let (items, created, revised, gone, skipped) = (0, 0, 0, 0, Vec::new());
        Notice::Pulled { backlog, tracker, items, created, revised, gone, skipped, unsettled, settle }
    }

    fn pulled(created: usize, skipped: &[&str]) -> Notice {
        let skipped = skipped.iter().map(|path| ((*path).to_owned(), "is not UTF-8".to_owned())).collect();
        let (backlog, tracker) = ("specs".into(), "folder:backlog".into());
        let (items, revised, gone, unsettled, settle) = (35, 0, 0, 0, Duration::from_secs(2));
        Notice::Pulled { backlog, tracker, items, created, revised, gone, skipped, unsettled, settle }
    }

    #[test]
    fn piped_every_end_is_a_line_and_nothing_is_said_twice() {
        let (printer, out, err) = captured::printer(Format::Text);
        let progress = Progress::new(printer, 2);
        let run = RunId::generate();
        let (key, title): (String, String) = ("LIB-1".into(), "A hold \u{1b}[2J".into());
        let stopped = Stopped {
            at: Some(gate()),
            reason: "the rework is spent".into(),
            recovery: "Say what must hold.".into(),
        };
        let finished =
            |end| Notice::Finished { run, key: key.clone(), end, last: None, cost: Microcents(1_200_000) };
        for notice in [
            unsettled(35),
            unsettled(1),
            pulled(35, &["backlog/a.md"]),
            pulled(0, &["backlog/a.md"]),
            pulled(0, &["backlog/a.md", "backlog/b.md"]),
            Notice::Claimed { run, key: key.clone(), title, begun: false },
            Notice::StepsEnded {
                run,
                key: key.clone(),
                steps: vec![judged(Judgement::Pass), judged(Judgement::Fail)],
            },
            finished(End::Done),
            finished(End::Failed(stopped.clone())),
            finished(End::Escalated { to: "tech-lead".into(), stopped }),
            Notice::Waiting { run, key: key.clone(), reason: "until noon".into(), ask: None },
            Notice::Waiting {
                run,
                key: key.clone(),
                reason: "out of fuel".into(),
                ask: Some(Ask {
                    step: StepKey { name: gate(), rework: 0, attempt: 1 },
                    lack: Lack::Fuel,
                    role: None,
                    reason: "out of fuel".into(),
                    suggested: Allowance::default(),
                }),
            },
            Notice::Swept { runs: 0, deliveries: 0, hosts: [].into() },
            Notice::Swept { runs: 1, deliveries: 0, hosts: [tollgate_core::HostId("desk-1".into())].into() },
            Notice::StaleStopFile { path: ".tollgate/stop".into() },
            Notice::Trouble { doing: "claim".into(), reason: "the disk is full".into() },
        ] {
            progress.notice(&notice);
        }
        progress.finish();
        assert_eq!(out.text(), "", "what a host does is no data");
        assert_snapshot!(err.text(), @r"
        waiting    35 items of folder:backlog changed just now, to be read after 2.0 s without a change
        read       35 items of folder:backlog for specs, 35 new
        skipped    backlog/a.md: is not UTF-8
        skipped    backlog/b.md: is not UTF-8
        not passed LIB-1  draft/spec-lint: SPEC-002 has no measure (and 1 more)
        done       LIB-1  A hold �[2J
        failed     LIB-1   in draft/spec-lint: the rework is spent
        escalated  LIB-1   in draft/spec-lint, to tech-lead: the rework is spent
        asks       LIB-1    out of fuel
        taken back 1 run and 0 deliveries of desk-1, not heard of in time
        removed    the stop file .tollgate/stop: it is older than this host's start
        trouble    cannot claim: the disk is full
        ");
    }

    #[test]
    fn totals_count_how_runs_ended() {
        let mut totals = Totals { driven: 2, ..Totals::default() };
        totals.count(&End::Done, Microcents(100_000_000));
        totals.count(&End::Cancelled { reason: "no".into() }, Microcents::ZERO);
        assert_eq!(totals.to_string(), "1 done, 1 cancelled, 2 under way, $1.00 spent");
    }
}

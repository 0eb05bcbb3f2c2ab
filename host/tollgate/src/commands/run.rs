//! `tollgate run`.

mod dry;

use std::collections::BTreeMap;

use clap::Args;
use tollgate_core::{
    EntryId, RunId,
    approval::Lack,
    course::End,
    effect::Delivered,
    entry::{EntryState, EntryStatus, HoldKind},
    run::{RunState, RunSummary},
};
use tollgate_policy::Policy;
use tollgate_store::{
    Store,
    port::{Control, EntryFilter, RunFilter},
};

use crate::{
    context::Context,
    error::{Failure, Result},
    exit::Exit,
    host::{self, Ended, Wish},
    ui::{
        explain,
        json::{EntryOutcome, HostReport, NotForThisHost},
        printer::{Printer, Tone},
        text::{count, hold, shorten, time},
    },
};

/// Run the backlog: read it, and drive what is ready through its pipelines
///
/// Goes on until Ctrl-C, `tollgate stop` or the stop file, unless told otherwise. The first Ctrl-C finishes what was begun, the
/// second one stops now and loses nothing.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Run these entries and what their runs open only, and end: each a key, `TRACKER#KEY` or the path of its file
    #[arg(value_name = "ENTRY")]
    entries: Vec<String>,
    /// End when nothing is left that could run now
    #[arg(long)]
    drain: bool,
    /// Start one run and end when it is over
    #[arg(long, conflicts_with = "items")]
    once: bool,
    /// Start at most N runs and end when they are over
    #[arg(long, value_name = "N", value_parser = |text: &str| whole::<u64>(text, u64::MAX), allow_negative_numbers = true)]
    items: Option<u64>,
    /// Drive up to N runs at the same time [default: `workers` in tollgate.toml]
    #[arg(long, value_name = "N", value_parser = |text: &str| whole::<u16>(text, 256), allow_negative_numbers = true)]
    workers: Option<u16>,
    /// A label of this host, which pipelines may ask for by `host = ["gpu"]`; may be given more than once [default: TOLLGATE_LABELS]
    #[arg(long, value_name = "LABEL", value_parser = label)]
    label: Vec<String>,
    /// Show what would run, in which order, and what is held; change nothing
    #[arg(long, conflicts_with_all = ["drain", "once", "items", "workers", "label"])]
    dry_run: bool,
}

/// A number of something that is wanted at least once.
fn whole<N: TryFrom<u64>>(text: &str, max: u64) -> std::result::Result<N, String> {
    let number = text.parse().ok().filter(|number| (1..=max).contains(number));
    number.and_then(|number| N::try_from(number).ok()).ok_or_else(|| match max {
        u64::MAX => "expected a whole number, at least 1".to_owned(),
        max => format!("expected a whole number from 1 to {max}"),
    })
}

fn label(text: &str) -> std::result::Result<String, String> {
    tollgate_policy::host_label(text).map(|()| text.to_owned())
}

impl RunArgs {
    fn wish(self) -> Wish {
        let items = if self.once { Some(1) } else { self.items };
        Wish {
            workers: self.workers.map(usize::from),
            drain: self.drain || items.is_some() || !self.entries.is_empty(),
            items,
            labels: self.label,
            entries: self.entries,
        }
    }
}

pub(crate) async fn run(context: &Context, args: RunArgs) -> Result<Exit> {
    let project = context.project()?;
    if args.dry_run {
        return dry::run(context, &project, &args.entries).await;
    }
    let mut wish = args.wish();
    for label in &context.environment.labels {
        let bad = |message| Failure::mistake(format!("TOLLGATE_LABELS: {message}"));
        tollgate_policy::host_label(label).map_err(bad)?;
        wish.labels.push(label.clone());
    }
    let labels = wish.labels.clone();
    let ended = host::run(context, &project, wish).await?;
    let mut report = HostReport::new(&ended.outcome);
    report.stopped |= ended.interrupted;
    match look_around(&ended, &project.policy, &labels, &mut report).await {
        Ok(control) => note_stop(context, &ended, control),
        // What the host did is done; only this is not known.
        Err(Failure::Store(error)) if error.may_pass() => {
            context.printer.tagged(Tone::Notable, "warning", format!("what is left is not known: {error}"));
            report.unknown = Some(error.to_string());
        }
        Err(error) => return Err(error),
    }
    context.printer.show(&report, |report| summary(&context.printer, report))?;
    Ok(ended.exit())
}

/// Asks the store what it looks like now, and what people ask of hosts.
async fn look_around(
    ended: &Ended,
    policy: &Policy,
    labels: &[String],
    report: &mut HostReport,
) -> Result<Control> {
    let store = &*ended.store;
    report.cover(store.coverage().await?);
    report.entries = outcomes(store, &ended.named).await?;
    report.asking = asking(store).await?;
    report.not_for_this_host = for_others(store, policy, labels).await?;
    Ok(store.control().await?)
}

/// Says who stopped the hosts, where a person did.
fn note_stop(context: &Context, ended: &Ended, control: Control) {
    if let (true, Some(stop), Some(since)) = (ended.outcome.stopped, control.stop, control.since) {
        let since = time(since);
        context.printer.note(format!(
            "{} stopped the hosts at {since}: {}; `tollgate resume` lets them go on",
            stop.who, stop.why
        ));
    }
}

/// How many of what is ready are looked through for what this host may not do.
const READY_LOOKED_AT: u32 = 10_000;

/// What is ready in pipelines that ask for labels which this host has not.
async fn for_others(store: &dyn Store, policy: &Policy, labels: &[String]) -> Result<Vec<NotForThisHost>> {
    let asks_for_others =
        |pipeline: &str| policy.host_labels(pipeline).iter().any(|label| !labels.contains(label));
    if !policy.pipelines.keys().any(|pipeline| asks_for_others(pipeline)) {
        return Ok(Vec::new());
    }
    let ready =
        EntryFilter { states: vec![EntryState::Ready], limit: READY_LOOKED_AT, ..EntryFilter::default() };
    let mut counts = BTreeMap::<String, u64>::new();
    for entry in store.entries(ready).await?.rows {
        *counts.entry(entry.pipeline.unwrap_or_default()).or_default() += 1;
    }
    let others = counts.into_iter().filter(|(pipeline, _)| asks_for_others(pipeline));
    let others = others.map(|(pipeline, entries)| NotForThisHost {
        labels: policy.host_labels(&pipeline).to_vec(),
        pipeline,
        entries,
    });
    Ok(others.collect())
}

/// Every run that waits for a person's answer, newest first.
///
/// # Errors
///
/// When the store fails.
pub(super) async fn asking(store: &dyn Store) -> Result<Vec<RunSummary>> {
    let waiting = RunFilter { states: vec![RunState::Waiting], ..RunFilter::default() };
    let waiting = store.runs(waiting).await?.rows;
    Ok(waiting.into_iter().filter(|run| run.ask.is_some()).collect())
}

/// What became of these entries.
///
/// # Errors
///
/// When the store fails.
async fn outcomes(store: &dyn Store, entries: &[EntryId]) -> Result<Vec<EntryOutcome>> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let named = store.entries_by_id(entries.to_vec()).await?;
    Ok(outcomes_of(store, named).await?.into_iter().map(|(_, outcome)| outcome).collect())
}

/// What became of every entry, in the order of their numbers.
///
/// # Errors
///
/// When the store fails.
pub(super) async fn all_outcomes(store: &dyn Store) -> Result<Vec<(EntryId, EntryOutcome)>> {
    let all = store.entries(EntryFilter::default()).await?.rows;
    outcomes_of(store, all).await
}

async fn outcomes_of(store: &dyn Store, entries: Vec<EntryStatus>) -> Result<Vec<(EntryId, EntryOutcome)>> {
    let mut outcomes = Vec::new();
    for status in entries {
        let run = store.newest_run(&status.name).await?;
        let found = match run {
            Some(run) => of_run(store, run).await?,
            None => OfRun::default(),
        };
        let held = status.holds.first().map(hold);
        outcomes.push((
            status.id,
            EntryOutcome {
                key: status.name.key,
                title: status.title,
                state: status.state,
                reworks: found.reworks,
                reason: if status.state == EntryState::Held { held } else { found.reason },
                published: found.published,
            },
        ));
    }
    outcomes.sort_by_key(|(id, _)| id.0);
    Ok(outcomes)
}

/// What the newest run of an entry says of it.
#[derive(Default)]
struct OfRun {
    reworks: u32,
    reason: Option<String>,
    published: Vec<String>,
}

async fn of_run(store: &dyn Store, run: RunId) -> Result<OfRun> {
    let detail = store.run(run).await?;
    let published = detail.effects.iter().filter_map(|(_, effect, became)| match became {
        Some(Delivered::Done { reference: Some(reference), .. }) if effect.kind == "publish-file" => {
            Some(reference.clone())
        }
        _ => None,
    });
    let published = published.collect();
    let Some(record) = detail.record else {
        return Ok(OfRun { published, reason: detail.summary.reason, reworks: 0 });
    };
    let reason = match record.end {
        End::Done => None,
        End::Failed(stopped) | End::Escalated { stopped, .. } => Some(stopped.reason),
        End::Cancelled { reason } => Some(reason),
    };
    Ok(OfRun { reworks: u32::try_from(record.reworks.len()).unwrap_or(u32::MAX), reason, published })
}

/// What a host did, for people.
pub(super) fn summary(printer: &Printer, report: &HostReport) -> String {
    let mut lines = Vec::new();
    if !report.entries.is_empty() {
        lines.push(entries_table(printer, &report.entries));
        lines.push(String::new());
    }
    let HostReport { done, refined, failed, escalated, cancelled, asked, cost, .. } = report;
    let cancelled_too = if *cancelled > 0 { format!(", {cancelled} cancelled") } else { String::new() };
    lines.push(match done + failed + escalated + cancelled {
        0 if report.stopped => "nothing ran: the host was asked to stop".to_owned(),
        0 if *asked > 0 => "no run ended".to_owned(),
        0 if *refined > 0 => "no entry was worked on".to_owned(),
        0 if report.left.as_ref().is_some_and(|left| left.ready == 0) => {
            "nothing to do: no entry is ready".to_owned()
        }
        0 => "nothing ran".to_owned(),
        runs => format!(
            "{}: {done} done, {failed} failed, {escalated} escalated{cancelled_too}, {cost} spent",
            count(runs, "run ended", "runs ended")
        ),
    });
    if *refined > 0 {
        lines.push(format!("refined: {}", count(*refined, "entry", "entries")));
    }
    lines.extend(held(report));
    lines.extend(left(report));
    lines.extend(report.not_for_this_host.iter().map(for_another_host));
    lines.extend(asks(report));
    if failed + escalated > 0 {
        lines.push("`tollgate why ENTRY` says what happened to an entry and what to do next".to_owned());
    }
    lines.join("\n")
}

/// A line an entry: what became of it and why.
pub(super) fn entries_table(printer: &Printer, entries: &[EntryOutcome]) -> String {
    let mut table = printer.table(&["entry", "state", "title", "what happened"]);
    for entry in entries {
        table.row([entry.key.clone(), entry.state.to_string(), entry.title.clone(), what_happened(entry)]);
    }
    table.render()
}

/// `why` says all of it.
const WHAT_HAPPENED_COLUMNS: usize = 100;

fn what_happened(entry: &EntryOutcome) -> String {
    let mut parts = Vec::new();
    match entry.reworks {
        0 => {}
        1 => parts.push("sent back once".to_owned()),
        times => parts.push(format!("sent back {times} times")),
    }
    parts.extend(entry.reason.clone());
    parts.extend(entry.published.iter().cloned());
    shorten(&parts.join("; "), WHAT_HAPPENED_COLUMNS)
}

/// How many runs that wait for a person are named; `runs list` has all of them.
const ASKS_SHOWN: usize = 5;

/// What people are asked, with the command that answers.
fn asks(report: &HostReport) -> Vec<String> {
    let runs = report.asking.len() as u64;
    let Some(first) = (runs > 0).then(|| format!("waiting for a person: {}", count(runs, "run", "runs")))
    else {
        return Vec::new();
    };
    let ask = |run: &RunSummary| {
        let key = &run.entry.key;
        let ask = run.ask.as_ref()?;
        let lacks = match ask.lack {
            Lack::Fuel => "used all its fuel",
            Lack::Time => "used all its time",
            Lack::RunCost => "lacks money",
            Lack::RunTime => "has used the run's time",
            Lack::Approval => "needs an approval",
            Lack::Evidence => "could not judge",
            Lack::Answer => "asks a question",
        };
        let command = explain::how_to_answer(key, ask);
        Some(format!("  {key}  {} {lacks}: {command}", ask.step))
    };
    let shown = report.asking.iter().filter_map(ask).take(ASKS_SHOWN);
    let more = (report.asking.len() > ASKS_SHOWN)
        .then(|| "  … `tollgate runs list --state waiting` shows all".to_owned());
    std::iter::once(first).chain(shown).chain(more).collect()
}

fn held(report: &HostReport) -> Option<String> {
    let mut kinds = BTreeMap::<HoldKind, u64>::new();
    for (kind, entries) in report.backlogs.iter().flat_map(|backlog| &backlog.holds) {
        *kinds.entry(*kind).or_default() += entries;
    }
    let held: u64 = report.backlogs.iter().filter_map(|backlog| backlog.states.get(&EntryState::Held)).sum();
    let kinds: Vec<_> = kinds.iter().map(|(kind, entries)| format!("{entries} {kind}")).collect();
    (held > 0).then(|| format!("held: {} ({})", count(held, "entry", "entries"), kinds.join(", ")))
}

/// `  2 for hosts with the label gpu: tollgate run --label gpu`
fn for_another_host(waiting: &NotForThisHost) -> String {
    format!(
        "  {} of the pipeline {} {} for a host with {}: {}",
        count(waiting.entries, "entry", "entries"),
        waiting.pipeline,
        if waiting.entries == 1 { "waits" } else { "wait" },
        explain::labels(&waiting.labels),
        explain::run_with(&waiting.labels)
    )
}

fn left(report: &HostReport) -> Option<String> {
    let left = report.left.as_ref()?;
    let counts = [
        (left.ready, "ready"),
        (left.driven, "driven by another host"),
        (left.waiting, "waiting"),
        (left.undelivered, "to be delivered"),
    ];
    let parts: Vec<_> = counts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    let until = report.capped_until.map(|until| format!("; a cap leaves no room before {}", time(until)));
    match (parts.is_empty(), until) {
        (true, None) => None,
        (empty, until) => {
            let parts = if empty { "nothing".to_owned() } else { parts.join(", ") };
            Some(format!("left: {parts}{}", until.unwrap_or_default()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use insta::assert_snapshot;
    use tollgate_core::{
        Digest, HostId, LaneId, Microcents, Timestamp,
        approval::{Allowance, Ask},
        entry::EntryName,
        lease::Fence,
        pipeline::StepName,
        run::RunKind,
        step::StepKey,
    };

    use super::*;
    use crate::ui::{
        json::{BacklogCoverage, Left},
        printer::{Format, captured},
    };

    fn report() -> HostReport {
        HostReport {
            done: 0,
            refined: 0,
            failed: 0,
            escalated: 0,
            cancelled: 0,
            asked: 0,
            cost: Microcents::ZERO,
            stopped: false,
            capped_until: None,
            unknown: None,
            left: Some(Left { ready: 0, driven: 0, waiting: 0, asking: 0, undelivered: 0 }),
            backlogs: Vec::new(),
            entries: Vec::new(),
            asking: Vec::new(),
            not_for_this_host: Vec::new(),
        }
    }

    fn text(report: &HostReport) -> String {
        summary(&captured::printer(Format::Text).0, report)
    }

    #[test]
    fn that_there_is_nothing_to_do_is_said() {
        assert_snapshot!(text(&report()), @"nothing to do: no entry is ready");
        let stopped = HostReport { stopped: true, ..report() };
        assert_snapshot!(text(&stopped), @"nothing ran: the host was asked to stop");
    }

    #[test]
    fn what_a_person_cancelled_has_ended() {
        let cancelled = HostReport { done: 1, cancelled: 2, cost: Microcents(3_400_000), ..report() };
        assert_snapshot!(
            text(&cancelled), @"3 runs ended: 1 done, 0 failed, 0 escalated, 2 cancelled, $0.034 spent"
        );
    }

    #[test]
    fn what_failed_what_is_held_and_what_is_left_are_named() {
        let coverage = BacklogCoverage {
            backlog: "specs".into(),
            states: BTreeMap::from([(EntryState::Held, 3), (EntryState::Done, 24)]),
            holds: BTreeMap::from([(HoldKind::Closed, 1), (HoldKind::NotEligible, 2)]),
            adopted: 0,
            cost: Microcents(5),
        };
        let entry = EntryOutcome {
            key: "LIB-121".into(),
            title: "Search is slow".into(),
            state: EntryState::Done,
            reworks: 1,
            reason: None,
            published: vec!["specs/LIB-121.md".into()],
        };
        let report = HostReport {
            done: 24,
            failed: 1,
            escalated: 1,
            cost: Microcents(3_400_000),
            capped_until: Some(Timestamp::from_millis(0)),
            left: Some(Left { ready: 2, driven: 0, waiting: 0, asking: 0, undelivered: 1 }),
            backlogs: vec![coverage],
            entries: vec![entry],
            ..report()
        };
        assert_snapshot!(text(&report), @r#"
        ENTRY    STATE  TITLE           WHAT HAPPENED
        LIB-121  done   Search is slow  sent back once; specs/LIB-121.md

        26 runs ended: 24 done, 1 failed, 1 escalated, $0.034 spent
        held: 3 entries (2 not-eligible, 1 closed)
        left: 2 ready, 1 to be delivered; a cap leaves no room before 1970-01-01 00:00:00Z
        `tollgate why ENTRY` says what happened to an entry and what to do next
        "#);
    }

    #[test]
    fn what_people_are_asked_is_said_with_what_to_type() {
        let step = StepKey { name: StepName { stage: "triage".into(), gate: None }, rework: 0, attempt: 1 };
        let ask = Ask {
            step,
            lack: Lack::Fuel,
            role: None,
            reason: "out of fuel".into(),
            suggested: Allowance { fuel: 9_000_000, ..Allowance::default() },
        };
        let run = RunSummary {
            id: RunId::generate(),
            entry_id: EntryId(1),
            entry: EntryName { tracker: "folder:backlog".into(), key: "LIB-115".into() },
            title: "Kiosk 07".into(),
            lane: LaneId(1),
            pipeline: "spec".into(),
            kind: RunKind::Work,
            round: 1,
            state: RunState::Waiting,
            reason: Some("out of fuel".into()),
            ask: Some(ask),
            host: HostId("desk".into()),
            driven: false,
            lost_hosts: Vec::new(),
            fence: Fence(1),
            crashes: 0,
            started_at: Timestamp::from_millis(0),
            ended_at: None,
            cost: Microcents(90),
            rebuilt: false,
            pins: Digest::of(""),
            revision: Digest::of(""),
        };
        let left = Some(Left { ready: 0, driven: 0, waiting: 0, asking: 1, undelivered: 0 });
        assert_snapshot!(text(&HostReport { asked: 1, left, asking: vec![run], ..report() }), @r"
        no run ended
        waiting for a person: 1 run
          LIB-115  triage used all its fuel: tollgate approve LIB-115 --add fuel=9M
        ");
    }

    #[test]
    fn what_waits_for_another_host_is_said_with_what_it_needs() {
        let waiting = |entries, labels: &[&str]| NotForThisHost {
            pipeline: "train".into(),
            labels: labels.iter().map(|&label| label.to_owned()).collect(),
            entries,
        };
        let not_for_this_host = vec![waiting(1, &["gpu"]), waiting(3, &["git", "gpu"])];
        let left = Some(Left { ready: 4, driven: 0, waiting: 0, asking: 0, undelivered: 0 });
        assert_snapshot!(text(&HostReport { done: 1, left, not_for_this_host, ..report() }), @r"
        1 run ended: 1 done, 0 failed, 0 escalated, $0.00 spent
        left: 4 ready
          1 entry of the pipeline train waits for a host with the label gpu: tollgate run --label gpu
          3 entries of the pipeline train wait for a host with the labels git and gpu: tollgate run --label git --label gpu
        ");
    }

    #[test]
    fn to_name_entries_is_to_drain() {
        let args = |entries: &[&str], once| RunArgs {
            entries: entries.iter().map(|&entry| entry.to_owned()).collect(),
            drain: false,
            once,
            items: None,
            workers: None,
            label: Vec::new(),
            dry_run: false,
        };
        assert!(!args(&[], false).wish().drain);
        assert!(args(&["LIB-1"], false).wish().drain);
        let once = args(&[], true).wish();
        assert_eq!((once.drain, once.items), (true, Some(1)));
    }
}

//! What keeps a lane from being served, and what would bring an entry to its head.

use tollgate_core::{Microcents, Timestamp, ledger::Cap};
use tollgate_store::port::{Control, EntryDetail, Standing, StopMode};

use super::{
    super::text::{list, score, time},
    chain::Awaited,
    known::waits_to_be_refined,
};

/// What surrounds an entry, as far as it decides when it runs.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    /// What hosts were asked.
    pub(crate) control: Control,
    /// The stop file, when it is there.
    pub(crate) stop_file: Option<String>,
    /// When work may start; none at any time.
    pub(crate) window: Option<Window>,
    /// Caps without room for a run.
    pub(crate) full_caps: Vec<FullCap>,
    /// The files on the disk are not the applied policy.
    pub(crate) policy_differs: bool,
    /// The labels that its pipeline asks for, when no host at work has all of them.
    pub(crate) lacking_host: Option<Vec<String>>,
    /// What its age alone does for its place.
    pub(crate) by_age: ByAge,
    /// What it waits for.
    pub(crate) chain: Vec<Awaited>,
}

/// When work of a backlog may start.
#[derive(Debug)]
pub(crate) struct Window {
    /// As it is written.
    pub(crate) cron: String,
    /// The next minute in which it may, when that is not now; none for never.
    pub(crate) opens_at: Option<Timestamp>,
    /// Whether it may now.
    pub(crate) is_open: bool,
}

/// A cap that has no room for a run.
#[derive(Debug)]
pub(crate) struct FullCap {
    /// Which.
    pub(crate) cap: Cap,
    /// What is left of it.
    pub(crate) room: Microcents,
    /// What a run sets aside.
    pub(crate) needed: Microcents,
    /// When its next period begins.
    pub(crate) until: Timestamp,
}

/// What age alone does for a place.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByAge {
    /// It is not known: there are too many to compare, or nothing to gain.
    #[default]
    Unknown,
    /// It comes first on that day.
    ComesFirst(Timestamp),
    /// Not within a year.
    Never,
}

/// Why nothing of its lane is begun just now, and what ends that.
pub(super) fn obstacles(backlog: &str, surroundings: &Surroundings) -> Vec<String> {
    let mut sentences = Vec::new();
    let Surroundings { control, stop_file, window, full_caps, policy_differs, lacking_host, .. } =
        surroundings;
    if let Some(stop) = &control.stop {
        let what = match stop.mode {
            StopMode::Drain => "end what they have begun and begin nothing",
            StopMode::Now => "stop at once",
        };
        let since = control.since.map(|since| format!(" at {}", time(since))).unwrap_or_default();
        sentences.push(format!(
            "Nothing is begun: {} asked all hosts{since} to {what} ({}); `tollgate resume` lets them go on.",
            stop.who, stop.why
        ));
    }
    if let Some(file) = stop_file {
        sentences.push(format!("Nothing is begun while the stop file {file} is there: remove it."));
    }
    if let Some(Window { cron, opens_at, is_open: false }) = window {
        let next = match opens_at {
            Some(opens) => format!("the next is at {}", time(*opens)),
            None => "there is none any more".to_owned(),
        };
        sentences
            .push(format!("Work of the backlog {backlog} starts in the minutes of `{cron}` alone; {next}."));
    }
    if let Some(asked) = lacking_host {
        sentences.push(format!(
            "No host with {} is running: `{}` starts one.",
            labels(asked),
            run_with(asked)
        ));
    }
    for FullCap { cap, room, needed, until } in full_caps {
        sentences.push(format!(
            "The cap of {cap} has {room} left, and a run sets {needed} aside: nothing is begun before {}, unless the cap is \
             raised in tollgate.toml.",
            time(*until)
        ));
    }
    if *policy_differs {
        sentences.push(
            "The files of the project are not the policy that is applied; the next `tollgate run` applies them, which may \
             change this."
                .to_owned(),
        );
    }
    sentences
}

/// `the label gpu`, `the labels git and gpu`
pub(crate) fn labels(labels: &[String]) -> String {
    let noun = if labels.len() == 1 { "label" } else { "labels" };
    format!("the {noun} {}", list(labels))
}

/// `tollgate run --label git --label gpu`
pub(crate) fn run_with(labels: &[String]) -> String {
    let arguments = labels.iter().map(|label| format!(" --label {label}"));
    format!("tollgate run{}", arguments.collect::<String>())
}

/// Its place, and what would bring it to the head.
pub(super) fn place(detail: &EntryDetail, standing: &Standing, is_held: bool, by_age: ByAge) -> Vec<String> {
    if waits_to_be_refined(detail) {
        let backlog = &detail.status.backlog;
        let Standing { ahead, waiting, .. } = standing;
        return vec![format!(
            "It is number {} of {waiting} that wait to be refined in the backlog {backlog}.",
            ahead + 1
        )];
    }
    let lane = match &detail.status.pipeline {
        Some(pipeline) => format!("for the pipeline {pipeline} of the backlog {}", detail.status.backlog),
        None => format!("in the backlog {}", detail.status.backlog),
    };
    let Standing { ahead, waiting, head, .. } = standing;
    let mut sentences = match (is_held, ahead) {
        (false, 0) => vec![format!("It is the next one of {waiting} {lane}.")],
        (false, _) => vec![format!("It is number {} of {waiting} {lane}.", ahead + 1)],
        (true, _) => {
            vec![format!("Were it not held, it would be number {} of {} {lane}.", ahead + 1, waiting + 1)]
        }
    };
    let Some(head) = head.as_ref().filter(|_| *ahead > 0) else { return sentences };
    if head.is_begun {
        sentences
            .push(format!("{} is next: its run was begun, and what was begun is ended first.", head.key));
    } else if let Some(first) = head.score_thousandths {
        let first = score(first);
        sentences
            .push(format!("{} is next, with a score of {first}: one above that would come first.", head.key));
    } else {
        sentences.push(format!("{} is next, by what `order_by` says.", head.key));
    }
    match by_age {
        ByAge::Unknown => {}
        ByAge::ComesFirst(day) => sentences.push(format!(
            "If nothing else comes in or is done, its age alone brings it to the head at {}.",
            time(day)
        )),
        ByAge::Never => {
            sentences.push("Its age alone does not bring it to the head within a year.".to_owned())
        }
    }
    sentences
}

//! What `escalations --json` prints.

use std::collections::BTreeSet;

use serde::Serialize;
use tollgate_core::{
    RunId, Timestamp,
    approval::Allowance,
    entry::EntryName,
    escalation::{EscalationKind, LiftedBy},
    pipeline::StepName,
    step::Finding,
};
use tollgate_store::port;

use crate::ui::explain;

/// `escalations`.
#[derive(Debug, Serialize)]
pub(crate) struct EscalationList {
    /// What is shown, the longest first.
    pub(crate) escalations: Vec<Escalation>,
    /// How many there are in all.
    pub(crate) total: u64,
}

/// Something that waits for a person.
#[derive(Debug, Serialize)]
pub(crate) struct Escalation {
    /// For what.
    pub(crate) kind: EscalationKind,
    /// Since when.
    pub(crate) since: Timestamp,
    /// How long that is by now.
    pub(crate) waits_ms: u64,
    /// Who is asked; null where anyone is.
    pub(crate) role: Option<String>,
    /// The entry.
    #[serde(flatten)]
    pub(crate) entry: EntryName,
    /// Its title.
    pub(crate) title: String,
    /// The backlog that it entered by.
    pub(crate) backlog: String,
    /// The run that asks, or that was given to a person; null for an entry that is held.
    pub(crate) run: Option<RunId>,
    /// The stage or gate that asks, or where the run stopped; null where there is none.
    pub(crate) step: Option<StepName>,
    /// Why, a sentence each.
    pub(crate) reasons: Vec<String>,
    /// What the gate found that gave it to a person, or could not judge it.
    pub(crate) findings: Vec<Finding>,
    /// Commands that answer it; the first lets it go on.
    pub(crate) answers: Vec<String>,
}

impl Escalation {
    /// What is said of it at this time.
    pub(crate) fn new(escalation: port::Escalation, now: Timestamp) -> Self {
        let port::Escalation { kind, since, role, entry, run, more, stopped, findings } = escalation;
        let key = entry.name.key.clone();
        let lifted: Vec<_> =
            entry.holds.iter().filter_map(|hold| Some((hold, LiftedBy::of(hold.kind)?))).collect();
        let ask = run.as_ref().and_then(|run| run.ask.as_ref());
        let (step, reasons, answers) = match (ask, stopped) {
            _ if more.is_some() => {
                let cost = more.unwrap_or_default();
                let added = Allowance { cost, ..Allowance::default() };
                let reason =
                    format!("What it opened needs {cost} more than its budget has left, at the most.");
                (None, vec![reason], vec![explain::how_to_approve(&key, &added)])
            }
            (Some(ask), _) => (
                Some(ask.step.name.clone()),
                vec![explain::sentence(&ask.reason)],
                vec![explain::how_to_answer(&key, ask), explain::how_to_reject(&key)],
            ),
            (None, Some(stopped)) => (
                stopped.at,
                [stopped.reason, stopped.recovery].iter().map(|text| explain::sentence(text)).collect(),
                vec![explain::how_to_lift(&key, LiftedBy::Retry)],
            ),
            (None, None) if lifted.is_empty() => {
                let reason = run.as_ref().and_then(|run| run.reason.as_deref());
                let reasons = reason.map(explain::sentence).into_iter().collect();
                (None, reasons, vec![explain::how_to_lift(&key, LiftedBy::Retry)])
            }
            (None, None) => {
                let by: BTreeSet<_> = lifted.iter().map(|(_, by)| *by).collect();
                let reasons = lifted.iter().map(|(hold, _)| explain::sentence(&hold.reason)).collect();
                (None, reasons, by.into_iter().map(|by| explain::how_to_lift(&key, by)).collect())
            }
        };
        Self {
            kind,
            since,
            waits_ms: u64::try_from(now.since(since).as_millis()).unwrap_or(u64::MAX),
            role,
            entry: entry.name,
            title: entry.title,
            backlog: entry.backlog,
            run: run.map(|run| run.id),
            step,
            reasons,
            findings,
            answers,
        }
    }
}

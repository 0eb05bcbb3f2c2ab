//! What waits for a person.

use tollgate_core::{
    EntryId, Microcents, Timestamp,
    course::{End, Stopped},
    entry::{EntryState, HoldKind},
    escalation::EscalationKind,
    event::EventKind,
    pipeline::StepName,
    step::{Finding, StepOutcome},
};

use super::{
    report::page,
    state::{KeptHold, State},
    table::RunNo,
};
use crate::port::{Escalation, EscalationFilter, Page};

/// What a person alone lifts, unless it lifts by itself.
const FOR_A_PERSON: [HoldKind; 6] = [
    HoldKind::Person,
    HoldKind::RefineFailed,
    HoldKind::OwnOutput,
    HoldKind::Duplicate,
    HoldKind::Intake,
    HoldKind::Budget,
];

/// What the policy says no with, whatever a person does.
const REFUSALS: [HoldKind; 3] = [HoldKind::Closed, HoldKind::NotEligible, HoldKind::OnHold];

impl KeptHold {
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.hold.until.is_some_and(|until| until <= now)
    }
}

impl State {
    /// What waits for a person, the longest first.
    pub(super) fn escalations(&self, filter: &EscalationFilter) -> Page<Escalation> {
        let asked = self.runs.numbers().filter_map(|run| self.asked_of_a_person(run));
        let unpaid = self.runs.numbers().filter_map(|run| self.unpaid(run));
        let given = self.entries.numbers().filter_map(|id| self.given_to_a_person(id));
        let held = self.entries.numbers().filter_map(|id| self.held_for_a_person(id));
        let mut all: Vec<_> = asked.chain(unpaid).chain(given).chain(held).collect();
        all.retain(|one| {
            let role = one.role.as_ref();
            (filter.kinds.is_empty() || filter.kinds.contains(&one.kind))
                && filter.role.as_ref().is_none_or(|wanted| role == Some(wanted))
                && role.is_none_or(|role| !filter.not_roles.contains(role))
        });
        all.sort_by_key(|one| (one.since, one.entry.id));
        page(all, filter.limit, filter.offset)
    }

    fn escalation(&self, kind: EscalationKind, since: Timestamp, entry: EntryId) -> Escalation {
        let entry = self.status(entry);
        let findings = Vec::new();
        Escalation { kind, since, role: None, entry, run: None, more: None, stopped: None, findings }
    }

    fn waits_since(&self, run: RunNo) -> Timestamp {
        let waiting = self.runs[run].events.iter().filter(|event| event.what.kind == EventKind::Waiting);
        waiting.map(|event| event.at).max().unwrap_or_default()
    }

    fn asked_of_a_person(&self, number: RunNo) -> Option<Escalation> {
        let run = &self.runs[number];
        let ask = run.wakes.ask.as_ref()?;
        let kind = EscalationKind::from(ask.lack);
        let findings = match kind {
            EscalationKind::Evidence => self.last_findings(number, &ask.step.name),
            _ => Vec::new(),
        };
        let asked = self.escalation(kind, self.waits_since(number), run.entry);
        Some(Escalation { role: ask.role.clone(), run: Some(self.summary(number)), findings, ..asked })
    }

    /// What a gate of a live run found last.
    fn last_findings(&self, number: RunNo, gate: &StepName) -> Vec<Finding> {
        let last = self.runs[number].steps.iter().rfind(|(_, step)| step.key.name == *gate);
        match last.map(|(_, step)| &step.outcome) {
            Some(StepOutcome::Judged(verdict)) => verdict.findings.clone(),
            _ => Vec::new(),
        }
    }

    /// A run that cannot pay for what it opened, and how much more that needs at the most.
    fn unpaid(&self, payer: RunNo) -> Option<Escalation> {
        let unfunded = self.entries.iter().filter_map(|(id, entry)| Some((id, entry.unfunded?)));
        let waiting: Vec<_> = unfunded.filter(|(_, unfunded)| unfunded.payer == payer).collect();
        let since = waiting.iter().filter_map(|(id, unfunded)| {
            let mut holds = self.entries[*id].holds.iter();
            let held = holds.find(|kept| kept.hold.kind == HoldKind::Budget).map(|kept| kept.since);
            held.or_else(|| unfunded.run.map(|run| self.waits_since(run)))
        });
        let since = since.min()?;
        let more: Microcents = waiting.iter().map(|(_, unfunded)| unfunded.amount).sum();
        let unpaid = self.escalation(EscalationKind::Budget, since, self.runs[payer].entry);
        Some(Escalation { run: Some(self.summary(payer)), more: Some(more), ..unpaid })
    }

    /// An entry whose newest run was given to a person: where it stopped, why, and what was found there.
    fn given_to_a_person(&self, id: EntryId) -> Option<Escalation> {
        let number = self.newest_work(id).filter(|_| self.state_of(id) == EntryState::Escalated)?;
        let ended_at = self.runs[number].ended_at?;
        let given = self.escalation(EscalationKind::Escalated, ended_at, id);
        let given = Escalation { run: Some(self.summary(number)), ..given };
        let Some((record, _)) = self.record_of(number) else { return Some(given) };
        let End::Escalated { to, stopped } = record.end else { return Some(given) };
        let is_there = |stopped: &Stopped, name: &StepName| stopped.at.as_ref() == Some(name);
        let last = record.steps.into_iter().rfind(|step| is_there(&stopped, &step.key.name));
        let findings = last.map(|step| step.findings).unwrap_or_default();
        Some(Escalation { role: Some(to), stopped: Some(stopped), findings, ..given })
    }

    fn held_for_a_person(&self, id: EntryId) -> Option<Escalation> {
        let entry = &self.entries[id];
        let refused = entry.holds.iter().any(|kept| REFUSALS.contains(&kept.hold.kind));
        if self.state_of(id) != EntryState::Held || refused {
            return None;
        }
        let for_a_person = entry.holds.iter().filter(|kept| {
            let waits_for_money = kept.hold.kind == HoldKind::Budget && entry.unfunded.is_some();
            FOR_A_PERSON.contains(&kept.hold.kind) && kept.hold.until.is_none() && !waits_for_money
        });
        let since = for_a_person.map(|kept| kept.since).min()?;
        Some(self.escalation(EscalationKind::Held, since, id))
    }
}

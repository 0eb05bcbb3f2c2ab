//! The account of a run: what its events and its record say.

use serde_json::json;
use tollgate_core::{
    Clock as _,
    course::{EffectRef, End},
    digest::Digest,
    effect::{Delivered, Effect},
    event::{EventKind, NewEvent},
    record::{EffectFacts, EntryFacts, PinFacts, Record, SCHEMA, StepFacts, StepResult},
    step::{Step, StepOutcome, Usage},
};

/// A released effect and what became of it so far.
pub(super) type ReleasedEffectFacts = (EffectRef, Effect, Option<Delivered>);

impl super::Journey<'_> {
    /// The record of a run that ends like this now.
    pub(super) fn account(&self, end: &End) -> Record {
        Record {
            schema: SCHEMA.to_owned(),
            run: self.run.id,
            kind: self.run.kind,
            entry: self.entry_facts(),
            store: self.driver.store.id(),
            host: self.driver.host.clone(),
            fence: self.lease.claim().fence.0,
            round: self.run.round,
            started_at: self.run.started_at,
            ended_at: self.driver.time.now().max(self.run.started_at),
            end: end.clone(),
            order: self.order.clone(),
            pins: self.pin_facts(),
            steps: self.steps.iter().map(step_facts).collect(),
            reworks: self.course.reworks().to_vec(),
            effects: self.effect_facts(),
            decisions: self.course.decisions().to_vec(),
            waits: self.course.waits().to_vec(),
            total: self.total(),
            chain: None,
        }
    }

    fn total(&self) -> Usage {
        let steps = self.steps.iter().fold(Usage::default(), |total, step| add(total, step.usage));
        Usage { cost: self.course.spent(), ..steps }
    }

    fn entry_facts(&self) -> EntryFacts {
        let entry = &self.entry.snapshot;
        EntryFacts {
            name: entry.name.clone(),
            url: entry.url.clone(),
            title: entry.title.clone(),
            revision: self.entry.revision,
            basis: self.basis(),
            fields: entry.fields.clone(),
            changed_since: false,
        }
    }

    /// What done is said of, where that is not all of what the entry said.
    fn basis(&self) -> Option<Digest> {
        let backlog = self.policy.backlog(&self.order.backlog)?;
        Some(backlog.basis(&self.entry.snapshot)).filter(|basis| *basis != self.entry.revision)
    }

    fn pin_facts(&self) -> PinFacts {
        PinFacts {
            digest: self.run.pins,
            pipeline: self.pins.pipeline.name.clone(),
            owner: self.pins.pipeline.owner.clone(),
            policy: self.pins.policy,
            engine: self.pins.engine.clone(),
            plugins: self.pins.plugins.values().cloned().collect(),
            models: self.pins.models.clone(),
        }
    }

    fn effect_facts(&self) -> Vec<EffectFacts> {
        let became = |reference: &EffectRef| {
            let delivered = self.course.delivered().iter().find(|(other, _)| other == reference);
            delivered.map(|(_, became)| became.clone())
        };
        let facts = self.effects.iter().map(|(reference, effect, _)| EffectFacts {
            step: reference.step.clone(),
            id: reference.id.clone(),
            kind: effect.kind.clone(),
            became: became(reference),
            leaves: self.basis_after(effect),
        });
        facts.collect()
    }
}

fn add(total: Usage, step: Usage) -> Usage {
    Usage {
        fuel: total.fuel.saturating_add(step.fuel),
        memory_bytes: total.memory_bytes.max(step.memory_bytes),
        host_calls: total.host_calls.saturating_add(step.host_calls),
        input_tokens: total.input_tokens.saturating_add(step.input_tokens),
        output_tokens: total.output_tokens.saturating_add(step.output_tokens),
        cost: total.cost + step.cost,
    }
}

/// What the record says of a step.
fn step_facts(step: &Step) -> StepFacts {
    let (result, summary, findings, artifacts) = match &step.outcome {
        StepOutcome::Produced(produced) => {
            (StepResult::Produced, produced.summary.clone(), Vec::new(), produced.artifacts.clone())
        }
        StepOutcome::Judged(verdict) => (
            StepResult::Judged { judgement: verdict.judgement },
            verdict.summary.clone(),
            verdict.findings.clone(),
            verdict.evidence.clone(),
        ),
        StepOutcome::Failed(failure) => (
            StepResult::Failed { fault: failure.fault, class: failure.class },
            failure.message.clone(),
            Vec::new(),
            Vec::new(),
        ),
        StepOutcome::Waits(wait) => (StepResult::Waited, wait.to_string(), Vec::new(), Vec::new()),
        StepOutcome::NotApplicable(why) => {
            (StepResult::NotApplicable(why.clone()), why.to_string(), Vec::new(), Vec::new())
        }
    };
    StepFacts {
        key: step.key.clone(),
        plugin: step.plugin,
        input: step.input,
        started_at: step.started_at,
        ended_at: step.ended_at,
        result,
        summary,
        findings,
        artifacts,
        usage: step.usage,
    }
}

/// The event of a step: everything that must not be changed afterwards, texts by digest.
pub(super) fn step_ended(step: &Step) -> NewEvent {
    NewEvent {
        kind: EventKind::StepEnded,
        body: json!({
            "step": step.key,
            "plugin": step.plugin,
            "input": step.input,
            "outcome": Digest::of_json(&step.outcome),
            "fuel": step.usage.fuel,
            "cost": step.usage.cost,
        }),
    }
}

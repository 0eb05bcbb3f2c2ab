//! What a component is handed: what it declared to read, and nothing more.

use std::collections::BTreeMap;

use tollgate_core::{
    Digest, EntryId,
    course::Component,
    entry::EntrySnapshot,
    journal::Begun,
    step::{Produced, StepKey},
};
use tollgate_registry::Manifest;
use tollgate_sandbox::{CallInput, DeliveredEffect};

/// The entry of a run, frozen.
pub(super) struct Entry {
    pub(super) id: EntryId,
    pub(super) snapshot: EntrySnapshot,
    pub(super) revision: Digest,
}

impl super::Journey<'_> {
    /// What the next call is handed.
    pub(super) fn input(
        &self,
        key: &StepKey,
        component: &Component<'_>,
        manifest: &Manifest,
        begun: &Begun,
    ) -> CallInput {
        CallInput {
            run: self.run.id,
            step: key.clone(),
            attempt: self.course.attempt_that_counts(key),
            woken: self.course.woken().cloned(),
            entry_id: self.entry.id,
            entry: self.entry.snapshot.part(|part| manifest.reads.covers(part)),
            revision: self.entry.revision,
            settings: component.settings.clone(),
            prior: self.prior(),
            subject: key.name.gate.as_ref().and_then(|_| self.produced_by(&key.name.stage)),
            reworks: self.course.reworks().to_vec(),
            delivered: self.delivered(begun),
            now: begun.now,
        }
    }

    fn produced_by(&self, stage: &str) -> Option<Produced> {
        self.course.output(stage).map(|output| output.produced.clone())
    }

    fn prior(&self) -> BTreeMap<String, Produced> {
        let stages = self.pins.pipeline.stages.iter();
        stages.filter_map(|stage| Some((stage.name.clone(), self.produced_by(&stage.name)?))).collect()
    }

    /// What became of the effects that had ended when the attempt began.
    fn delivered(&self, begun: &Begun) -> Vec<DeliveredEffect> {
        let kind_of =
            |id| self.effects.iter().find(|(effect, _, _)| effect == id).map(|(_, effect, _)| &effect.kind);
        let delivered = self.course.delivered().iter();
        let delivered = delivered.filter(|(effect, _)| begun.delivered.contains(effect));
        delivered
            .filter_map(|(effect, became)| {
                let kind = kind_of(effect)?.clone();
                Some(DeliveredEffect { effect: effect.clone(), kind, became: became.clone() })
            })
            .collect()
    }
}

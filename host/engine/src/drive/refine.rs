//! What comes of a refine run: what is known of its entry from then on.

use tollgate_core::{
    Clock as _,
    course::{End, Stopped},
    refine::{self, Found, Refinement},
    run::RunKind,
};

impl super::Journey<'_> {
    /// What came of the run, where it is a refine run. It holds for what its stages were handed, whatever the entry says by now.
    pub(super) fn refinement(&self, end: &End) -> Option<Refinement> {
        if self.run.kind != RunKind::Refine {
            return None;
        }
        let stages = &self.pins.pipeline.stages;
        let plugins = stages.iter().map(|stage| self.pins.plugins.get(&stage.plugin));
        let reads = plugins.flat_map(|pinned| self.driver.components.reads(pinned)).collect();
        Some(Refinement {
            run: self.run.id,
            at: self.driver.time.now(),
            asked: refine::asked(&self.pins.pipeline),
            handed: refine::handed(&self.entry.snapshot, &reads),
            reads,
            found: self.found(end),
        })
    }

    fn found(&self, end: &End) -> Found {
        let nothing = |stopped: &Stopped| {
            let place = stopped.at.as_ref().map(|at| format!("`{at}` ")).unwrap_or_default();
            Found::Nothing { reason: format!("{place}{}", stopped.reason) }
        };
        match end {
            End::Done => {
                let stages = self.pins.pipeline.stages.iter();
                let data = stages.filter_map(|stage| {
                    let output = self.course.output(&stage.name)?;
                    Some((stage.name.clone(), refine::for_fields(output.produced.data.clone())))
                });
                Found::Data(data.collect())
            }
            End::Failed(stopped) | End::Escalated { stopped, .. } => nothing(stopped),
            End::Cancelled { reason } => Found::Nothing { reason: reason.clone() },
        }
    }
}

//! What is wrong with what a store keeps of runs, whatever database it is in, and with the artifacts that runs name.
//!
//! Properties wanted: a run that cannot be read hides no other; what is found names the run, so that a person can begin it again.

use std::collections::HashSet;

use serde::Serialize;
use tollgate_core::Digest;
use tollgate_store::{
    Store,
    artifacts::{ArtifactError, ArtifactPlace},
    doctor::{Examination, Finding, FindingKind},
    port::RunDetail,
};

use crate::{adapter::artifacts::artifacts_named_by, audit::Audit, error::Result};

/// How much was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Extent {
    /// Runs.
    pub runs: u64,
    /// Events in them.
    pub events: u64,
    /// Artifacts that are named and were looked for.
    pub artifacts: u64,
    /// Those of them whose bytes were read.
    pub artifacts_read: u64,
}

/// Looks at every run of a store and at the artifacts that they name; of these, up to `read_max` are read, those of the newest runs first.
///
/// # Errors
///
/// When the store cannot even say which runs there are.
pub async fn examine_runs(
    store: &dyn Store,
    artifacts: &dyn ArtifactPlace,
    read_max: u64,
    found: &mut Examination,
) -> Result<Extent> {
    let mut extent = Extent::default();
    let mut look = LookAtArtifacts { artifacts, read_max, known: HashSet::new(), is_reachable: true };
    for run in store.run_ids().await?.into_iter().rev() {
        extent.runs += 1;
        match store.run(run).await {
            Ok(detail) => {
                extent.events += detail.events.len() as u64;
                look.at_those_of(&detail, &mut extent, found).await;
                examine_run(&detail, found);
            }
            Err(error) => {
                let what = format!("run {run} cannot be read: {error}");
                found.add(
                    Finding::fault(FindingKind::Run, what, "put a backup of the store back").of(vec![run]),
                );
            }
        }
    }
    Ok(extent)
}

/// Its chain, its record, and its steps.
fn examine_run(detail: &RunDetail, found: &mut Examination) {
    let mut audit = Audit::default();
    audit.check_run(detail);
    for problem in audit.problems {
        let advice = "the record in the tracker vouches for what was done: `tollgate audit verify` compares; to have the store as it was, put \
                      a backup back";
        found.add(Finding::fault(FindingKind::Run, problem, advice).of(vec![detail.summary.id]));
    }
}

/// What was found out about artifacts so far.
struct LookAtArtifacts<'a> {
    artifacts: &'a dyn ArtifactPlace,
    read_max: u64,
    known: HashSet<Digest>,
    /// Where they are kept could be asked, as far as is known.
    is_reachable: bool,
}

impl LookAtArtifacts<'_> {
    async fn at_those_of(&mut self, run: &RunDetail, extent: &mut Extent, found: &mut Examination) {
        for digest in run.steps.iter().flat_map(artifacts_named_by) {
            if !self.known.insert(digest) {
                continue;
            }
            extent.artifacts += 1;
            if !self.is_reachable {
                continue;
            }
            let is_read = extent.artifacts_read < self.read_max;
            extent.artifacts_read += u64::from(is_read);
            if let Err(error) = self.look(digest, is_read).await {
                found.add(self.judge(error, digest, run));
            }
        }
    }

    async fn look(&self, digest: Digest, is_read: bool) -> std::result::Result<(), ArtifactError> {
        match is_read {
            true => self.artifacts.read(digest).await.map(drop),
            false => self.artifacts.size_bytes(digest).await.map(drop),
        }
    }

    fn judge(&mut self, error: ArtifactError, digest: Digest, of: &RunDetail) -> Finding {
        let (run, key) = (of.summary.id, &of.summary.entry.key);
        let what = match error {
            ArtifactError::Bucket { .. } => {
                self.is_reachable = false;
                let advice = "no other was looked for: see to it that the bucket can be reached with these keys, and look again";
                return Finding::fault(FindingKind::Artifact, error.to_string(), advice);
            }
            ArtifactError::Missing { .. } => format!("the artifact {digest} is gone"),
            error => error.to_string(),
        };
        let place = self.artifacts.location();
        let needs = match of.summary.state.is_live() {
            true => {
                "else the run fails where it needs these bytes, and `tollgate runs retry` has them made again"
            }
            false => "nothing that is under way needs these bytes",
        };
        let what = format!("{what}; run {run} of {key} made it");
        Finding::fault(FindingKind::Artifact, what, format!("put a backup of {place} back; {needs}"))
            .of(vec![run])
    }
}

//! What is wrong with what a store keeps of runs, whatever database it is in, and with the artifacts that runs name.
//!
//! Properties wanted: a run that cannot be read hides no other; what is found names the run, so that a person can begin it again.

use std::collections::HashSet;

use serde::Serialize;
use tollgate_core::Digest;
use tollgate_store::{
    Store,
    artifacts::{ArtifactError, ArtifactFolder},
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
    artifacts: &ArtifactFolder,
    read_max: u64,
    found: &mut Examination,
) -> Result<Extent> {
    let mut extent = Extent::default();
    let mut named: HashSet<Digest> = HashSet::new();
    for run in store.run_ids().await?.into_iter().rev() {
        extent.runs += 1;
        match store.run(run).await {
            Ok(detail) => {
                extent.events += detail.events.len() as u64;
                for digest in detail.steps.iter().flat_map(artifacts_named_by) {
                    if !named.insert(digest) {
                        continue;
                    }
                    let is_read = extent.artifacts_read < read_max;
                    extent.artifacts += 1;
                    extent.artifacts_read += u64::from(is_read);
                    if let Some(finding) = examine_artifact(artifacts, digest, &detail, is_read) {
                        found.add(finding);
                    }
                }
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

fn examine_artifact(
    artifacts: &ArtifactFolder,
    digest: Digest,
    of: &RunDetail,
    is_read: bool,
) -> Option<Finding> {
    let looked =
        if is_read { artifacts.read(digest).map(drop) } else { artifacts.size_bytes(digest).map(drop) };
    let what = match looked {
        Ok(()) => return None,
        Err(ArtifactError::Missing { .. }) => format!("the artifact {digest} is gone"),
        Err(error) => error.to_string(),
    };
    let (run, key) = (of.summary.id, &of.summary.entry.key);
    let what = format!("{what}; run {run} of {key} made it");
    let advice = match of.summary.state.is_live() {
        true => {
            "put a backup of the folder of artifacts back; else the run fails where it needs these bytes, and `tollgate runs retry` has \
                 them made again"
        }
        false => "put a backup of the folder of artifacts back; nothing that is under way needs these bytes",
    };
    Some(Finding::fault(FindingKind::Artifact, what, advice).of(vec![run]))
}

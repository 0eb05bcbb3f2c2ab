//! Whether the artifacts are there that runs name.

use std::collections::BTreeSet;

use tollgate_engine::artifacts_named_by;
use tollgate_store::{Store, artifacts::ArtifactError};

use crate::{
    error::{Failure, Result},
    project::Project,
    ui::json::ArtifactsFound,
};

/// Reads each of them.
pub(super) async fn look(store: &dyn Store, project: &Project) -> Result<ArtifactsFound> {
    let artifacts = project.artifacts_to_read()?;
    let mut named = BTreeSet::new();
    for run in store.run_ids().await? {
        named.extend(store.run(run).await?.steps.iter().flat_map(artifacts_named_by));
    }
    let count = named.len() as u64;
    let mut missing = Vec::new();
    for digest in named {
        match artifacts.read(digest).await {
            Ok(_) => {}
            Err(error @ ArtifactError::Bucket { .. }) => {
                let doing =
                    "look for what runs named; all else is done, and `tollgate store doctor` looks again"
                        .into();
                return Err(Failure::Io { doing, source: std::io::Error::other(error) });
            }
            Err(_) => missing.push(digest),
        }
    }
    Ok(ArtifactsFound { place: artifacts.location(), named: count, missing })
}

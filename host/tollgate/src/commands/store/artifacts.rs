//! Whether the artifacts are there that runs name.

use std::{collections::BTreeSet, path::Path};

use tollgate_engine::artifacts_named_by;
use tollgate_store::{Store, artifacts::ArtifactFolder};

use crate::{
    error::{Failure, Result},
    ui::json::ArtifactsFound,
};

/// Reads each of them.
pub(super) async fn look(store: &dyn Store, folder: &Path) -> Result<ArtifactsFound> {
    let mut named = BTreeSet::new();
    for run in store.run_ids().await? {
        named.extend(store.run(run).await?.steps.iter().flat_map(artifacts_named_by));
    }
    let opened = ArtifactFolder::open(folder).map_err(|error| Failure::Io {
        doing: format!("open the artifacts in {}", folder.display()),
        source: std::io::Error::other(error),
    })?;
    let count = named.len() as u64;
    let missing = named.into_iter().filter(|digest| opened.read(*digest).is_err()).collect();
    Ok(ArtifactsFound { folder: folder.display().to_string(), named: count, missing })
}

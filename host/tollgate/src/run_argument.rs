//! Runs as people name them: an id, or an entry, whose newest run is meant.

use tollgate_core::RunId;
use tollgate_store::Store;

use crate::{
    entry_argument,
    error::{Failure, Result},
    project::Project,
};

/// What the help says of such an argument.
pub(crate) const HELP: &str = "A run's id, or an entry, whose newest run is meant";

/// The run that is meant.
///
/// # Errors
///
/// When there is no such entry, or it has not run.
pub(crate) async fn find(store: &dyn Store, project: &Project, argument: &str) -> Result<RunId> {
    if let Ok(run) = argument.parse() {
        return Ok(run);
    }
    let entry = entry_argument::find(store, &project.folder, argument).await?;
    let newest = entry.runs.first().map(|run| run.id);
    newest.ok_or_else(|| {
        let key = entry.status.name.key;
        Failure::mistake_with_hint(format!("{key} has not run yet"), format!("`tollgate why {key}` says why"))
    })
}

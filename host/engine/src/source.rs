//! The trackers of a project, opened.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::task::JoinSet;
use tollgate_core::{Clock, StoreId, entry::INTERNAL_TRACKER};
use tollgate_policy::{Backlog, FolderSource, Policy, policy};
use tollgate_tracker::{
    ClaimMarker, FolderConfig, FolderTracker, InternalTracker, MoveTable, Ownership, Shelves, Tracker,
};

use crate::error::{EngineError, Result};

/// The trackers of a project, by backlog.
#[derive(Clone, Default)]
pub struct Trackers {
    by_backlog: BTreeMap<String, Vec<Arc<dyn Tracker>>>,
    /// Of entries that live in the store alone; it is never read.
    internal: Option<Arc<dyn Tracker>>,
    /// Where they were opened, and by which clock; none for those that somebody brought.
    opened: Option<(PathBuf, Arc<dyn Clock>)>,
}

impl Trackers {
    /// Opens every tracker that the policy names.
    ///
    /// # Errors
    ///
    /// When a source is configured in a way that its tracker cannot take, e.g. with a bad pattern.
    pub fn open(policy: &Policy, project: &Path, clock: &Arc<dyn Clock>) -> Result<Self> {
        let internal = InternalTracker::open(project, Arc::clone(clock)).map_err(|error| {
            EngineError::Tracker { tracker: INTERNAL_TRACKER.to_owned(), reason: error.to_string() }
        })?;
        let opened = Some((project.to_owned(), Arc::clone(clock)));
        let mut trackers = Self { by_backlog: BTreeMap::new(), internal: Some(Arc::new(internal)), opened };
        for backlog in policy.backlogs.values() {
            for source in &backlog.sources {
                let config = folder_config(backlog, source, project);
                let tracker =
                    FolderTracker::open(config, Arc::clone(clock)).map_err(|error| EngineError::Tracker {
                        tracker: format!("folder:{}", source.folder),
                        reason: error.to_string(),
                    })?;
                trackers.add(&backlog.name, Arc::new(tracker));
            }
        }
        Ok(trackers)
    }

    /// Those of another policy of the same project. Whoever brought trackers brought them for every policy.
    pub(crate) fn of_policy(&self, policy: &Policy) -> Result<Self> {
        match &self.opened {
            Some((project, clock)) => Self::open(policy, project, clock),
            None => Ok(self.clone()),
        }
    }

    /// Adds a tracker to a backlog.
    pub fn add(&mut self, backlog: &str, tracker: Arc<dyn Tracker>) {
        self.by_backlog.entry(backlog.to_owned()).or_default().push(tracker);
    }

    /// Sets where the records of entries go that live in the store alone.
    pub fn set_internal(&mut self, tracker: Arc<dyn Tracker>) {
        self.internal = Some(tracker);
    }

    /// The trackers of a backlog.
    pub fn of(&self, backlog: &str) -> &[Arc<dyn Tracker>] {
        self.by_backlog.get(backlog).map_or(&[], Vec::as_slice)
    }

    /// The tracker of this name.
    pub fn named(&self, name: &str) -> Option<&Arc<dyn Tracker>> {
        self.all().find(|tracker| tracker.name() == name)
    }

    /// Waits until a tracker of a backlog has reason to believe that it changed.
    pub(crate) async fn changed(&self, backlog: &str) {
        let mut waits = JoinSet::new();
        for tracker in self.of(backlog) {
            let tracker = Arc::clone(tracker);
            waits.spawn(async move { tracker.changed().await });
        }
        if waits.join_next().await.is_none() {
            std::future::pending().await
        }
    }

    /// Every tracker.
    pub fn all(&self) -> impl Iterator<Item = &Arc<dyn Tracker>> {
        self.by_backlog.values().flatten().chain(&self.internal)
    }

    /// Marks every tracker as kept by this store.
    ///
    /// # Errors
    ///
    /// [`EngineError::Foreign`] when one is kept by another store: then nothing of it may be claimed.
    pub async fn claim_ownership(&self, store: StoreId) -> Result<()> {
        for tracker in self.all() {
            let failed = |reason: String| EngineError::Tracker { tracker: tracker.name().to_owned(), reason };
            match tracker.claim_ownership(store).await.map_err(|error| failed(error.to_string()))? {
                Ownership::Owned => {}
                Ownership::OwnedBy { store, marker, .. } => {
                    let tracker = tracker.name().to_owned();
                    return Err(EngineError::Foreign { tracker, owner: store.to_string(), marker });
                }
            }
        }
        Ok(())
    }
}

fn folder_config(backlog: &Backlog, source: &FolderSource, project: &Path) -> FolderConfig {
    let mut config = FolderConfig::new(project, &source.folder);
    config.kind = source.kind.clone().unwrap_or_default();
    config.ignore = source.ignore.clone();
    config.settle = source.settle;
    config.zone = backlog.zone.clone();
    config.closed = source.closed.clone();
    config.records = source.records.clone();
    config.claim_marker = match source.claim_marker {
        policy::ClaimMarker::None => ClaimMarker::None,
        policy::ClaimMarker::Sidecar => ClaimMarker::Sidecar,
        policy::ClaimMarker::Move => ClaimMarker::Move,
    };
    let policy::Shelves { done, failed, escalated } = source.shelves.clone();
    config.shelves = Shelves { done, failed, escalated };
    config.moves = source
        .moves
        .as_ref()
        .map(|moves| MoveTable { field: moves.field.clone(), states: moves.states.clone() });
    if let Some(state) = &source.names.state {
        config.state_field = state.clone();
    }
    let names = &source.names;
    for (configured, spellings) in [
        (&names.key, &mut config.names.id),
        (&names.title, &mut config.names.title),
        (&names.labels, &mut config.names.labels),
        (&names.created, &mut config.names.created),
        (&names.depends, &mut config.names.depends),
    ] {
        if let Some(name) = configured {
            *spellings = vec![name.clone()];
        }
    }
    config
}

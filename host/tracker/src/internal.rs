//! The tracker of entries that live in the store alone.
//!
//! What they say is in the store, so nothing is read here. Their records are files in the project's own folder, written by the rules
//! that hold for records beside items, so that an audit compares them as any other. What one of them costs does not grow with how many there
//! are.

use std::{io, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use tollgate_core::{Clock, StoreId, effect::Delivered, entry::INTERNAL_TRACKER};

use crate::{
    folder::{FolderConfig, FolderConfigError, FolderTracker},
    port::{
        Delivery, DeliveryError, DeliveryRequest, ItemRef, Ownership, RecordReport, ScanReport, Tracker,
        TrackerError,
    },
};

/// Where the records are, relative to the project.
const FOLDER: &str = ".tollgate/internal";

/// Entries of the store, and their records.
#[derive(Debug, Clone)]
pub struct InternalTracker {
    folder: PathBuf,
    records: FolderTracker,
}

impl InternalTracker {
    /// That of a project. Nothing is made before there is a record.
    ///
    /// # Errors
    ///
    /// Never, as long as the folder's name is one.
    pub fn open(project: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Result<Self, FolderConfigError> {
        let project = project.into();
        let folder = project.join(FOLDER);
        Ok(Self { folder, records: FolderTracker::of_records(FolderConfig::new(&project, FOLDER), clock)? })
    }
}

#[async_trait]
impl Tracker for InternalTracker {
    fn name(&self) -> &str {
        INTERNAL_TRACKER
    }

    /// The entries are the store's own.
    async fn claim_ownership(&self, _store: StoreId) -> Result<Ownership, TrackerError> {
        Ok(Ownership::Owned)
    }

    async fn scan(&self) -> Result<ScanReport, TrackerError> {
        Ok(ScanReport::default())
    }

    async fn deliver(&self, request: DeliveryRequest) -> Result<Delivered, DeliveryError> {
        if let Delivery::SetState(state) = &request.what {
            let reason = format!(
                "an internal entry has no state outside the store, so it is not moved to `{}`",
                state.state
            );
            return Ok(Delivered::Refused { reason });
        }
        let folder = self.folder.clone();
        let made = tokio::task::spawn_blocking(move || std::fs::create_dir_all(folder)).await;
        made.map_err(io::Error::other).flatten().map_err(|error| DeliveryError {
            message: format!("cannot make {}: {error}", self.folder.display()),
            retry_after: None,
        })?;
        let item = ItemRef { url: None, ..request.item };
        self.records.deliver(DeliveryRequest { item, ..request }).await
    }

    async fn records(&self) -> Result<RecordReport, TrackerError> {
        match self.records.records().await {
            Err(TrackerError::Missing { .. }) => Ok(RecordReport::default()),
            read => read,
        }
    }
}

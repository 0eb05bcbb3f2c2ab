//! A tracker that takes everything and keeps nothing, so that a measurement shows the engine alone.

use async_trait::async_trait;
use serde_json::Value;
use tollgate_core::{StoreId, effect::Delivered, item::SourceItem};

use crate::port::{
    DeliveryError, DeliveryRequest, Ownership, RecordReport, ScanReport, Tracker, TrackerError,
};

/// Finds the same items at every scan and says done to every delivery.
#[derive(Debug, Clone)]
pub struct NullTracker {
    name: String,
    items: Vec<SourceItem>,
}

impl NullTracker {
    /// A tracker of this name in which these items stand.
    pub fn new(name: impl Into<String>, items: Vec<SourceItem>) -> Self {
        Self { name: name.into(), items }
    }
}

#[async_trait]
impl Tracker for NullTracker {
    fn name(&self) -> &str {
        &self.name
    }

    async fn claim_ownership(&self, _store: StoreId) -> Result<Ownership, TrackerError> {
        Ok(Ownership::Owned)
    }

    async fn scan(&self) -> Result<ScanReport, TrackerError> {
        Ok(ScanReport { items: self.items.clone(), complete: true, ..ScanReport::default() })
    }

    async fn deliver(&self, _request: DeliveryRequest) -> Result<Delivered, DeliveryError> {
        Ok(Delivered::Done { reference: None, data: Value::Null })
    }

    async fn records(&self) -> Result<RecordReport, TrackerError> {
        Ok(RecordReport::default())
    }
}

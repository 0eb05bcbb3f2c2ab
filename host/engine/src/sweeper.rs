//! Takes back what vanished hosts held: runs go to their lanes, deliveries to the outbox.
//!
//! A run is taken back when its lease has ended by the store's clock, never because of its age or of a host's name.

use tollgate_store::Store;

use crate::{
    error::Result,
    observer::{Notice, Observer},
};

/// One sweep.
///
/// # Errors
///
/// When the store fails.
pub(crate) async fn tick(store: &dyn Store, observer: &dyn Observer) -> Result<()> {
    let swept = store.sweep().await?;
    let (runs, deliveries) = (swept.lapsed_runs.len(), swept.lapsed_deliveries.len());
    if runs + deliveries > 0 {
        observer.notice(&Notice::Swept { runs, deliveries, hosts: swept.lost_hosts });
    }
    Ok(())
}

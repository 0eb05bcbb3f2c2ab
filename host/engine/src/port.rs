//! What the loops ask of the world, besides the store, the trackers, the models and the clock, which have traits of their own.
//!
//! Property wanted: a host is a function of its ports. Whatever starts a thread, draws a number, reads a file or runs a guest stands
//! behind one of them, so that the simulation (`host/engine/tests/simulation`) runs whole hosts, unchanged, a thousand times faster
//! than time passes, and again from a seed. The adapters to the real world are in [`crate::adapter`].

use std::{future::Future, io, pin::Pin, sync::Arc};

use async_trait::async_trait;
use tokio::sync::oneshot;
use tollgate_core::{Digest, RunId, step::StepFailure};
use tollgate_sandbox::{
    Call, CallReport, Grants, Interrupted,
    port::{Artifacts, ArtifactsError},
};

/// Where components run.
#[async_trait]
pub trait Guests: Send + Sync {
    /// What results and fuel depend on besides the component: pinned by every run.
    fn engine_id(&self) -> &str;

    /// Makes a component callable with these grants.
    ///
    /// # Errors
    ///
    /// The failure of the step that was to call it.
    async fn prepare(
        &self,
        digest: Digest,
        component: &[u8],
        grants: Grants,
    ) -> Result<Arc<dyn Guest>, StepFailure>;
}

/// A component that can be called.
#[async_trait]
pub trait Guest: Send + Sync {
    /// Whether it can reach beyond its input, so that its calls need a journal.
    fn needs_journal(&self) -> bool;

    /// Calls it.
    ///
    /// # Errors
    ///
    /// When the call was told not to go on. However else it ends is in the report.
    async fn call(&self, call: Call) -> Result<CallReport, Interrupted>;
}

/// Where the bytes of artifacts are.
#[async_trait]
pub trait ArtifactStore: Artifacts {
    /// Makes what was written durable.
    ///
    /// # Errors
    ///
    /// When one of them is not there, or cannot be made durable.
    async fn sync(&self, digests: Vec<Digest>) -> Result<(), ArtifactsError>;
}

/// Work that a host does beside its loops.
pub type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The machine that a host runs on.
pub trait Machine: Send + Sync {
    /// Starts work that goes on whatever the loops and guests of the host do. Something is received when it is over; when it ended by
    /// a panic, the sender is gone.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    fn beside(&self, name: &str, work: Work) -> io::Result<oneshot::Receiver<()>>;

    /// An id that no run of any host ever had.
    fn new_run(&self) -> RunId;
}

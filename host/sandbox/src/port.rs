//! What the sandbox needs of others. Whoever starts calls brings the adapters.

use std::sync::Arc;

use async_trait::async_trait;
use tollgate_core::Digest;

/// Whether a call may still act.
pub trait Liveness: Send + Sync {
    /// Asked at every host call and every few milliseconds while a guest computes, so it must not wait for anything.
    ///
    /// # Errors
    ///
    /// Why the call has to stop now.
    fn check(&self) -> Result<(), Interrupted>;
}

/// The platform stopped a call. That is nobody's fault, costs no attempt, and leaves nothing behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Interrupted {
    /// Another host may claim the run from now on.
    #[error("the lease of the run has lapsed")]
    LeaseLost,
    /// This host is being stopped.
    #[error("the host is shutting down")]
    ShuttingDown,
}

/// The content-addressed store.
#[async_trait]
pub trait Artifacts: Send + Sync {
    /// All bytes of a blob; none when there is no such blob. The bytes are those that the digest names: whoever reads
    /// from something that may decay checks it.
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    async fn read(&self, digest: Digest) -> Result<Option<Arc<[u8]>>, ArtifactsError>;

    /// Keeps a blob. Writing one that is there already changes nothing.
    ///
    /// # Errors
    ///
    /// When the store cannot keep it.
    async fn write(&self, digest: Digest, bytes: Arc<[u8]>) -> Result<(), ArtifactsError>;
}

/// The store of artifacts failed; the sentence says how.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ArtifactsError(pub String);

//! What the sandbox needs of others. Whoever starts calls brings the adapters.

use std::sync::Arc;

use async_trait::async_trait;
use tollgate_core::{
    Digest, Microcents,
    journal::{Answer, CallClass, Intent},
};

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
    /// The journal did not take an entry; whoever keeps it knows why.
    #[error("the journal of the call did not take an entry")]
    NotJournalled,
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

/// Where what a call asks of its capabilities is kept.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Makes durable that a capability is about to be asked, with its largest cost set aside. `call` is the place in the
    /// journal, from 0. An intent whose answer was lost comes again when the capability is asked again.
    ///
    /// # Errors
    ///
    /// When it cannot be kept or not be paid: then nothing is asked, and the call stops.
    async fn intend(&self, call: u32, intent: &Intent) -> Result<(), Interrupted>;

    /// Makes the answer durable. The guest is told it afterwards.
    ///
    /// # Errors
    ///
    /// When it cannot be kept: then the guest is not told, and the call stops.
    async fn answer(&self, call: u32, answer: &Answer) -> Result<(), Interrupted>;
}

/// A capability that is no part of the contract: whoever makes a sandbox brings it. Its functions take a text and answer
/// one. Granting, prices, the journal and feeding are as for any other capability.
#[async_trait]
pub trait Extension: std::fmt::Debug + Send + Sync {
    /// As components import it, e.g. `example:weather/forecast@1.0.0`.
    fn interface(&self) -> &str;

    /// The grant that a stage needs for it.
    fn grant(&self) -> &str;

    /// Its functions, each of the type `func(request: string) -> string`.
    fn functions(&self) -> &[ExtensionFunction];

    /// The most that a call can cost. The same for the same request.
    fn largest_cost(&self, function: &str, request: &str) -> Microcents;

    /// Does what is asked. The body of the answer is a JSON string.
    async fn call(&self, function: &str, request: &str, key: &IdempotencyKey) -> Answer;
}

/// A function of an [`Extension`].
#[derive(Debug, Clone)]
pub struct ExtensionFunction {
    /// Its name, as in the interface.
    pub name: String,
    /// What may be done when its answer is lost.
    pub class: CallClass,
}

/// The same for every repetition of one call of a capability, and for no other call: by it, whoever is asked knows a request
/// again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(pub String);

/// The store of artifacts failed; the sentence says how.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ArtifactsError(pub String);

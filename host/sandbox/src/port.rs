//! What the sandbox needs of others. Whoever starts calls brings the adapters.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tollgate_core::{
    Digest, Microcents, Timestamp,
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
    /// A person cancelled the run.
    #[error("the run was cancelled")]
    Cancelled,
    /// This host is being stopped.
    #[error("the host is shutting down")]
    ShuttingDown,
    /// The journal did not take an entry; whoever keeps it knows why.
    #[error("the journal of the call did not take an entry")]
    NotJournalled,
    /// A capability has to be asked later; whoever keeps the journal knows when.
    #[error("a capability has to be asked later")]
    AskLater,
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

    /// Takes an intent back: it was not even begun, and has to be asked later. The call stops.
    ///
    /// # Errors
    ///
    /// When that cannot be kept.
    async fn withdraw(&self, call: u32, later: &Later) -> Result<(), Interrupted>;
}

/// When something has to be asked that nobody has begun to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Later {
    /// Not before then.
    pub at: Timestamp,
    /// A sentence for people.
    pub reason: String,
}

/// Language models.
#[async_trait]
pub trait Model: Send + Sync {
    /// One request to a model, and one reply. It never costs more than the tokens of the request and its `max_tokens`.
    ///
    /// # Errors
    ///
    /// When the model has to be asked later, and has not begun to answer.
    async fn complete(&self, request: &ModelRequest) -> Result<Completion, Later>;
}

/// What a model is asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelRequest {
    /// The project's name for the model.
    pub name: String,
    /// Its name at its provider.
    pub model: String,
    /// Oldest first; at least one is not the system's.
    pub messages: Vec<ModelMessage>,
    /// Where the reply is cut.
    pub max_tokens: u32,
    /// None for the provider's default.
    pub temperature: Option<f32>,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelMessage {
    /// Who speaks.
    pub role: Role,
    /// Plain text.
    pub content: String,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Whoever set the model to work.
    System,
    /// Whoever asks.
    User,
    /// The model.
    Assistant,
}

/// What came of a request to a model. It is kept in the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Completion {
    /// A reply, cut at `max_tokens` if it was longer.
    Reply {
        /// Plain text.
        content: String,
        /// The model that answered, as its provider names it.
        model: String,
        /// What was read and written.
        #[serde(flatten)]
        tokens: Tokens,
    },
    /// The model does not want to answer this.
    Refused {
        /// What was read and written.
        #[serde(flatten)]
        tokens: Tokens,
    },
    /// The provider does not take such a request; nothing was worked on.
    Invalid {
        /// A sentence that may be shown to the guest.
        reason: String,
    },
    /// The provider may have worked on it, and no reply came.
    Lost {
        /// A sentence.
        reason: String,
    },
    /// The provider has not received it.
    Unreachable {
        /// A sentence.
        reason: String,
    },
    /// The project has to change something before this model can be asked.
    Misconfigured {
        /// A sentence that says what.
        reason: String,
    },
}

/// Tokens that a model read and wrote, as its provider counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tokens {
    /// Read.
    #[serde(rename = "input_tokens")]
    pub input: u64,
    /// Written.
    #[serde(rename = "output_tokens")]
    pub output: u64,
}

impl std::ops::Add for Tokens {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            output: self.output.saturating_add(other.output),
        }
    }
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

//! How a call ends well: done, or waiting for something.

use serde_json::Value;

use crate::{Effect, Produced, Verdict};

/// How a call ends when it does not fail. A stage is done with [`Produced`], a gate with [`Verdict`].
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome<T = Produced> {
    /// The result.
    Done(T),
    /// Nothing yet: the plugin is called again when the wait ends.
    Wait(Wait),
}

impl<T> Outcome<T> {
    /// The result, or `None` if the call ended waiting.
    pub fn done(self) -> Option<T> {
        match self {
            Outcome::Done(result) => Some(result),
            Outcome::Wait(_) => None,
        }
    }
}

impl From<Produced> for Outcome<Produced> {
    fn from(produced: Produced) -> Self {
        Outcome::Done(produced)
    }
}

impl From<Verdict> for Outcome<Verdict> {
    fn from(verdict: Verdict) -> Self {
        Outcome::Done(verdict)
    }
}

impl<T> From<Wait> for Outcome<T> {
    fn from(wait: Wait) -> Self {
        Outcome::Wait(wait)
    }
}

/// Something that ends a wait.
#[derive(Clone, Debug, PartialEq)]
pub struct Wake {
    /// `at`, `event`, `approval`, `answer` or `children`.
    pub kind: String,
    /// By the schema of the kind.
    pub body: Value,
}

/// What a run waits for. Nothing is held meanwhile: no instance, no lease, no money.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    /// Any one of these ends the wait.
    pub any: Vec<Wake>,
    /// A sentence for whoever asks why the run stands still.
    pub reason: String,
    /// Handed back in [`Woken::resume`].
    pub resume: Value,
    /// Delivered before the wait begins.
    pub effects: Vec<Effect>,
    /// The wait fails then: RFC 3339 in UTC.
    pub expires: Option<String>,
}

/// What ended a wait.
#[derive(Clone, Debug, PartialEq)]
pub struct Woken {
    /// The condition that was met.
    pub by: Wake,
    /// When it was met: RFC 3339 in UTC.
    pub at: String,
    /// What the plugin left in [`Wait::resume`].
    pub resume: Value,
}

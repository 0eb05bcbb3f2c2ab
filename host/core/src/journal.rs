//! The journal of a call: what it asked of its capabilities and what it was told.
//!
//! Properties wanted:
//!
//! 1. No answer is paid twice. Before a capability acts, its [`Intent`] is durable; before the guest sees the [`Answer`], that is.
//!    The same attempt, called again after a crash or with more fuel, time or money, is fed from its journal and goes on live
//!    where the journal ends.
//! 2. A call is a function of its input and its journal. What may differ from one day to the next is kept with the journal
//!    ([`Begun`]), so that an attempt that goes on is handed what it was handed before.
//! 3. Whether something happened of which no answer was kept is never guessed: the [`CallClass`] of the function decides.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Digest, Microcents, Timestamp, course::EffectRef};

/// What may be done when a capability was asked and its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallClass {
    /// Asked again: it changes nothing, and another answer is as good.
    Repeatable,
    /// Asked again with the same key, by which whoever is asked knows the request again.
    Keyed,
    /// Not asked again: a person has to look whether it happened.
    Unsafe,
}

/// What a capability is about to be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The interface without its version, and the function: `tollgate:plugin/model.complete`.
    pub function: String,
    /// The digest of everything that was passed.
    pub request: Digest,
    /// The most that it can cost; set aside before it is asked.
    pub reserved: Microcents,
    /// What may be done if its answer is lost.
    pub class: CallClass,
}

/// What a capability said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// What the guest is told, in the shape of its capability.
    pub body: Value,
    /// What it cost.
    pub cost: Microcents,
}

/// One call of a capability, in its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// What was asked.
    pub intent: Intent,
    /// What was said; none when that was lost, so that nobody knows whether it happened.
    pub answer: Option<Answer>,
}

/// What an attempt was handed that could be another when it is called again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// The time that it was told.
    pub now: Timestamp,
    /// The effects of whose end it was told.
    pub delivered: Vec<EffectRef>,
}

/// An attempt that was begun and has not ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// What it was handed.
    pub begun: Begun,
    /// What it has cost so far: answers, intents whose answer was lost at their largest, and calls that paused.
    pub charged: Microcents,
    /// What it asked and was told, oldest first.
    pub journal: Vec<JournalEntry>,
}

impl Intent {
    /// Whether the capability is asked the same as in `other`.
    pub fn is_same_request(&self, other: &Self) -> bool {
        self.function == other.function && self.request == other.request
    }
}

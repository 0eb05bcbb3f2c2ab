//! The record: the versioned account of a run that is written back to the tracker.
//!
//! Properties wanted:
//!
//! 1. The record alone, without logs and without the store, tells months later what was done, with what, by whom, at what cost
//!    and why it ended as it did.
//! 2. Readers for every version ever written stay in the code. A field is added as optional or comes with a new version.
//! 3. The record vouches for the store: it carries the head of the run's chain, and the chain carries its digest.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Digest, HostId, RunId, StoreId, Timestamp,
    approval::Decision,
    course::{End, Rework},
    effect::Delivered,
    entry::EntryName,
    event::ChainHead,
    model::PinnedModel,
    pins::PinnedPlugin,
    run::RunKind,
    step::{Artifact, FailureClass, Fault, Finding, Judgement, NotApplicable, StepKey, Usage},
    wait::WaitEnd,
};

/// The version that this code writes.
pub const SCHEMA: &str = "tollgate.record/1";

/// The account of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// Always `tollgate.record/1`.
    pub schema: String,
    /// Which run.
    pub run: RunId,
    /// What the run was for.
    pub kind: RunKind,
    /// Which entry.
    pub entry: EntryFacts,
    /// The store that the run was kept in.
    pub store: StoreId,
    /// The host that wrote this.
    pub host: HostId,
    /// The number of the claim under which this was written.
    pub fence: i64,
    /// 1 for the first work on the entry.
    pub round: u32,
    /// When the run was first claimed.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How it ended, why, and what to do next.
    #[serde(rename = "final")]
    pub end: End,
    /// Why it came when it came: the place at claim.
    pub order: OrderFacts,
    /// What it was pinned to.
    pub pins: PinFacts,
    /// Every call, oldest first.
    pub steps: Vec<StepFacts>,
    /// Every time work was sent back, oldest first.
    pub reworks: Vec<Rework>,
    /// Every effect that was released, and what became of it.
    pub effects: Vec<EffectFacts>,
    /// What people said when the run lacked fuel, time, money or an approval, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
    /// How the waits of its calls ended, oldest first; what people said to them is among the decisions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits: Vec<WaitEnd>,
    /// What all steps used together, and what an attempt cost that never ended.
    pub total: Usage,
    /// The head of the run's chain of events; absent only while the record is being made.
    pub chain: Option<ChainHead>,
}

/// What the record says of the entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EntryFacts {
    /// Which entry.
    #[serde(flatten)]
    pub name: EntryName,
    /// Where a person can read it.
    pub url: Option<String>,
    /// Its title when the run began.
    pub title: String,
    /// The digest of all that it said when the run began.
    pub revision: Digest,
    /// The same without the fields that refine stages may find, where there are any: done is said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Digest>,
    /// Its declared fields when the run began.
    pub fields: serde_json::Map<String, Value>,
    /// Whether it said something else when the run ended.
    pub changed_since: bool,
}

/// Why a run came when it came.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct OrderFacts {
    /// The backlog.
    pub backlog: String,
    /// The score in thousandths; none where the backlog orders by keys.
    pub score_thousandths: Option<i64>,
    /// The terms of the formula and their values.
    pub terms: Vec<Term>,
}

/// One term of a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Term {
    /// As it stands in the formula.
    pub text: String,
    /// Its value.
    pub value: f64,
}

/// What a run was pinned to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PinFacts {
    /// The digest of all pins.
    pub digest: Digest,
    /// The pipeline's name.
    pub pipeline: String,
    /// Who answers for it.
    pub owner: String,
    /// The policy that was applied.
    pub policy: Digest,
    /// The WebAssembly engine and its settings.
    pub engine: String,
    /// Every plugin that could be called.
    pub plugins: Vec<PinnedPlugin>,
    /// Every model that could be asked, by the project's names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub models: BTreeMap<String, PinnedModel>,
}

/// What the record says of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepFacts {
    /// Which call.
    #[serde(flatten)]
    pub key: StepKey,
    /// The component that was called.
    pub plugin: Digest,
    /// The digest of everything it was handed.
    pub input: Digest,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How it ended.
    pub result: StepResult,
    /// In a sentence.
    pub summary: String,
    /// What a gate found, rule by rule.
    pub findings: Vec<Finding>,
    /// What it produced, or what a verdict rests on.
    pub artifacts: Vec<Artifact>,
    /// What it used.
    pub usage: Usage,
}

/// How a call ended, in short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum StepResult {
    /// A stage produced something.
    Produced,
    /// A gate judged.
    Judged {
        /// In one word.
        judgement: Judgement,
    },
    /// No result.
    Failed {
        /// Whose fault.
        fault: Fault,
        /// What became of the run.
        class: FailureClass,
    },
    /// It was not called: the stage does not apply to the entry.
    NotApplicable(NotApplicable),
    /// It waited for something, and was called again when that had come.
    Waited,
}

/// What the record says of an effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EffectFacts {
    /// The call that asked for it.
    pub step: StepKey,
    /// Its id within the call.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// What became of it; none while it is still to be delivered.
    pub became: Option<Delivered>,
    /// For a change of the item's state: the revision that the item has with it, by which the change is known as our own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaves: Option<Digest>,
}

impl Record {
    /// The digest that the run's last event vouches for: of everything but the chain, which contains that event.
    pub fn digest(&self) -> Digest {
        match self.chain {
            None => Digest::of_json(self),
            Some(_) => Digest::of_json(&Self { chain: None, ..self.clone() }),
        }
    }

    /// The record of any version that was ever written.
    ///
    /// # Errors
    ///
    /// When the text is no JSON, or no record of a known version.
    pub fn read(json: &str) -> Result<Self, RecordError> {
        let value: Value = serde_json::from_str(json).map_err(|e| RecordError::NotJson(e.to_string()))?;
        match value.get("schema").and_then(Value::as_str) {
            Some(SCHEMA) => serde_json::from_value(value).map_err(|e| RecordError::Malformed(e.to_string())),
            Some(other) => Err(RecordError::UnknownVersion { found: other.to_owned(), known: SCHEMA }),
            None => Err(RecordError::Malformed("it has no `schema`".into())),
        }
    }
}

/// A text that is no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// No JSON.
    #[error("the record is not JSON: {0}")]
    NotJson(String),
    /// JSON, but not what its version says.
    #[error("the record does not fit its schema: {0}")]
    Malformed(String),
    /// Written by a later version.
    #[error("the record says `{found}`, which this version cannot read; known is `{known}`")]
    UnknownVersion {
        /// What it says.
        found: String,
        /// What this version writes.
        known: &'static str,
    },
}

//! Steps: one call of one component, what it was, what it said and what it cost.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Digest, Microcents, Timestamp, effect::Effect, pipeline::StepName};

/// Which call, within a run. No two calls of a run have the same key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct StepKey {
    /// Which component of the pipeline.
    #[serde(flatten)]
    pub name: StepName,
    /// How often work had been sent back in this run, by any gate, when the call began.
    pub rework: u32,
    /// 1 for the first try; an interruption of the host does not count.
    pub attempt: u32,
}

impl fmt::Display for StepKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        if self.rework > 0 {
            write!(f, ", rework {}", self.rework)?;
        }
        if self.attempt > 1 {
            write!(f, ", attempt {}", self.attempt)?;
        }
        Ok(())
    }
}

/// A call that ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Which call.
    #[serde(flatten)]
    pub key: StepKey,
    /// The component that was called.
    pub plugin: Digest,
    /// The digest of everything that the component was handed.
    pub input: Digest,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// What it used.
    pub usage: Usage,
    /// What it said, or why it said nothing.
    pub outcome: StepOutcome,
    /// What it logged, oldest first, within the limits of the sandbox.
    pub log: Vec<LogLine>,
}

/// What a call used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// Units of fuel.
    pub fuel: u64,
    /// The most memory that it held.
    pub memory_bytes: u64,
    /// Calls of host functions.
    pub host_calls: u64,
    /// Tokens that models read for it; where an answer was lost, the most that it can have been.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub input_tokens: u64,
    /// Tokens that models wrote for it; where an answer was lost, the most that it can have been.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub output_tokens: u64,
    /// What all that cost; with what its capabilities cost, and calls of the same attempt that paused.
    pub cost: Microcents,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// One line of a plugin's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogLine {
    /// `trace`, `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// The text.
    pub message: String,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum StepOutcome {
    /// A stage produced something.
    Produced(Produced),
    /// A gate judged.
    Judged(Verdict),
    /// It produced no result.
    Failed(StepFailure),
    /// It was not called: the stage does not apply to the entry.
    NotApplicable(NotApplicable),
}

/// Why a stage does not apply to an entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotApplicable {
    /// The stage's condition, which is false.
    pub expression: String,
    /// What the condition reads, as it stood when the run began; null for what has no value.
    pub inputs: BTreeMap<String, Value>,
}

impl fmt::Display for NotApplicable {
    /// The condition, and what made it false.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is false", self.expression)?;
        for (position, (name, value)) in self.inputs.iter().enumerate() {
            let before = if position == 0 { ", where" } else { " and" };
            match value {
                Value::Null => write!(f, "{before} `{name}` has no value")?,
                value => write!(f, "{before} `{name}` is {value}")?,
            }
        }
        Ok(())
    }
}

/// What a stage produced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Produced {
    /// A sentence.
    pub summary: String,
    /// Facts for later stages, by the schema of the plugin.
    pub data: Value,
    /// Files.
    pub artifacts: Vec<Artifact>,
    /// Changes outside that it asks for.
    pub effects: Vec<Effect>,
}

/// What a gate said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// In one word.
    pub judgement: Judgement,
    /// In a sentence.
    pub summary: String,
    /// In detail.
    pub findings: Vec<Finding>,
    /// What it rests on.
    pub evidence: Vec<Artifact>,
}

/// A verdict in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// Go on.
    Pass,
    /// Not like this.
    Fail,
    /// Nothing can be said.
    Inconclusive,
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
        })
    }
}

/// One thing that a gate has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Stable across versions: audits are searched by it.
    pub rule: String,
    /// How much it matters.
    pub severity: Severity,
    /// A sentence.
    pub message: String,
    /// Where.
    pub location: Option<Location>,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Contradicts a pass.
    Error,
    /// Worth a look.
    Warning,
    /// Good to know.
    Info,
}

/// A place in an artifact or worktree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: Option<u32>,
}

/// A named blob in the content-addressed store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Artifact {
    /// What the plugin called it, e.g. `spec.md`.
    pub name: String,
    /// e.g. `text/markdown`.
    pub media_type: String,
    /// The digest of its bytes.
    pub digest: Digest,
    /// How many bytes.
    pub size_bytes: u64,
}

/// Why a call produced no result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepFailure {
    /// Whose fault, and what happened.
    pub fault: Fault,
    /// What becomes of the run.
    pub class: FailureClass,
    /// A sentence.
    pub message: String,
    /// For [`FailureClass::RateLimited`]: when to try again.
    pub retry_at: Option<Timestamp>,
    /// More, for machines.
    pub detail: Option<Value>,
}

/// Whose fault a failure is. A guest's fault and the platform's never share a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The plugin returned a failure of its own accord.
    Reported,
    /// The plugin trapped: a panic, an unreachable, an access out of bounds, a stack overflow.
    Trap,
    /// The plugin used all its fuel.
    OutOfFuel,
    /// The plugin used all its time.
    OutOfTime,
    /// The plugin asked for more memory than it may have, and died of the refusal.
    OutOfMemory,
    /// The plugin returned more than a result may hold, or asked for too many effects.
    TooLarge,
    /// The plugin returned something that its contract forbids.
    Contract,
    /// The plugin asked for something that it was not granted.
    NotGranted,
    /// The component could not be loaded: truncated, of another world, of an unknown contract.
    Unloadable,
    /// The condition of the stage has no result for the entry.
    Condition,
    /// An effect that it asked for was refused by the tracker.
    EffectRefused,
    /// Called again, the plugin asked its capabilities for something else than before.
    Diverged,
    /// A capability was asked for something that must not be asked twice, and its answer was lost.
    Ambiguous,
    /// The host could not do its part.
    Platform,
}

/// What becomes of a run after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// May pass: tried again, as often as the stage's `retry` says.
    Transient,
    /// Comes back later; costs no attempt.
    RateLimited,
    /// Not the plugin's matter: tried again once, then the run fails.
    Infrastructure,
    /// The project must change something: the run fails.
    Configuration,
    /// Will not pass: the run fails.
    Permanent,
    /// A person must decide.
    Escalate,
}

impl FailureClass {
    /// The class that a plugin named; an unknown one counts as permanent.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "transient" => Self::Transient,
            "rate-limited" => Self::RateLimited,
            "infrastructure" => Self::Infrastructure,
            "configuration" => Self::Configuration,
            "permanent" => Self::Permanent,
            "escalate" => Self::Escalate,
            _ => return None,
        })
    }
}

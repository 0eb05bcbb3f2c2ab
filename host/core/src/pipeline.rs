//! Pipelines as the engine drives them: every default filled in, nothing left to look up.

use std::{collections::BTreeMap, fmt, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Microcents;

/// Stages in order. Never empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pipeline {
    /// The file's name without its ending.
    pub name: String,
    /// Who answers for it.
    pub owner: String,
    /// What one run may cost.
    pub budget: RunBudget,
    /// What is done, in order.
    pub stages: Vec<Stage>,
}

/// One thing that a pipeline does, and the gates that judge it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stage {
    /// Unique in the pipeline.
    pub name: String,
    /// Which entries it applies to, as a formula over what the entry said when the run began; none means all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// After which ends of the stages before it it runs.
    #[serde(default, skip_serializing_if = "On::is_default")]
    pub on: On,
    /// Who must approve it before it begins; none: nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// `name@^1.2`, `name` or a digest; resolved when a run starts.
    pub plugin: String,
    /// What it may touch beyond the base world, e.g. `effect:publish-file`.
    pub grants: Vec<String>,
    /// What one call may use.
    pub budget: StepBudget,
    /// What happens when a call fails for a reason that may pass.
    pub retry: Retry,
    /// The `with` table.
    pub settings: serde_json::Value,
    /// The gates that judge its output, in order.
    pub gates: Vec<Gate>,
}

/// Whose word a stage needs before it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    /// Who is asked.
    pub role: String,
    /// For which entries, as a formula over what the entry said when the run began; none means all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

/// After which ends of the stages before it a stage runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    /// All of them passed.
    #[default]
    Success,
    /// The run failed or is given to a person.
    Failure,
    /// Whatever became of them.
    Always,
}

impl On {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Always => "always",
        })
    }
}

/// A judge of a stage's output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gate {
    /// Unique in the pipeline.
    pub name: String,
    /// `name@^1.2`, `name` or a digest; resolved when a run starts.
    pub plugin: String,
    /// What it may touch beyond the base world.
    pub grants: Vec<String>,
    /// What one call may use.
    pub budget: StepBudget,
    /// What happens when a call fails for a reason that may pass.
    pub retry: Retry,
    /// The `with` table.
    pub settings: serde_json::Value,
    /// Whether a fail sends the work back; an advisory gate only records.
    pub enforced: bool,
    /// The stage that a fail sends the work back to: this one or an earlier one.
    pub rework_to: String,
    /// How often, at most, in one round of the entry; counted for this gate alone, never reset.
    pub rework_limit: u32,
    /// Where an inconclusive verdict leads.
    pub on_inconclusive: OnInconclusive,
    /// The role that is asked when the rework is spent.
    pub escalate_to: Option<String>,
}

/// Where an inconclusive verdict leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnInconclusive {
    /// A person is asked.
    #[default]
    Escalate,
    /// The run fails.
    Fail,
    /// The run waits until a person has provided what the gate lacks; then it judges again.
    Wait,
}

/// What one call of a stage or gate may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepBudget {
    /// Units of fuel: one a WebAssembly instruction, more for host calls.
    pub fuel: u64,
    /// Wall time.
    #[serde(rename = "time_ms", with = "millis")]
    #[schemars(with = "u64")]
    pub time: Duration,
    /// Linear memory and tables together.
    pub memory_bytes: u64,
    /// Tokens that models read and write for it; none: money alone is the limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
}

/// What one run may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunBudget {
    /// Money, all steps together.
    pub cost: Microcents,
    /// Time spent in steps, all together.
    #[serde(rename = "time_ms", with = "millis")]
    #[schemars(with = "u64")]
    pub time: Duration,
}

/// What happens when a call fails for a reason that may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Retry {
    /// Calls in all, the first included; at least 1.
    pub attempts: u32,
    /// Waited before the second call; doubled before each further one.
    #[serde(rename = "backoff_min_ms", with = "millis")]
    #[schemars(with = "u64")]
    pub backoff_min: Duration,
    /// Never waited longer.
    #[serde(rename = "backoff_max_ms", with = "millis")]
    #[schemars(with = "u64")]
    pub backoff_max: Duration,
}

impl Retry {
    /// How long to wait after `failed_attempts` calls have failed.
    pub fn backoff_after(&self, failed_attempts: u32) -> Duration {
        let doublings = failed_attempts.saturating_sub(1).min(31);
        self.backoff_min.saturating_mul(1 << doublings).min(self.backoff_max)
    }
}

/// Durations as whole milliseconds, the unit that their names carry.
pub(crate) mod millis {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

/// Which component of a pipeline: a stage, or one of its gates.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct StepName {
    /// The stage's name.
    pub stage: String,
    /// The gate's name; none for the stage itself.
    pub gate: Option<String>,
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.gate {
            Some(gate) => write!(f, "{}/{gate}", self.stage),
            None => f.write_str(&self.stage),
        }
    }
}

impl Stage {
    /// The budgets of the stage and of its gates.
    pub fn step_budgets(&self) -> impl Iterator<Item = &StepBudget> {
        std::iter::once(&self.budget).chain(self.gates.iter().map(|gate| &gate.budget))
    }
}

impl Pipeline {
    /// The stage of this name and its position.
    pub fn stage(&self, name: &str) -> Option<(usize, &Stage)> {
        self.stages.iter().enumerate().find(|(_, stage)| stage.name == name)
    }

    /// Every plugin request of the pipeline, once, with the steps that use it.
    pub fn plugin_requests(&self) -> BTreeMap<&str, Vec<StepName>> {
        let mut requests: BTreeMap<&str, Vec<StepName>> = BTreeMap::new();
        for stage in &self.stages {
            let name =
                |gate: Option<&str>| StepName { stage: stage.name.clone(), gate: gate.map(str::to_owned) };
            requests.entry(&stage.plugin).or_default().push(name(None));
            for gate in &stage.gates {
                requests.entry(&gate.plugin).or_default().push(name(Some(&gate.name)));
            }
        }
        requests
    }

    /// Everything that its stages and gates were granted.
    pub fn grants(&self) -> impl Iterator<Item = &str> {
        let of_stages = self.stages.iter().flat_map(|stage| &stage.grants);
        let of_gates = self.stages.iter().flat_map(|stage| &stage.gates).flat_map(|gate| &gate.grants);
        of_stages.chain(of_gates).map(String::as_str)
    }

    /// The budgets of all steps, each counted once: what a run without rework may use.
    pub fn step_budgets(&self) -> impl Iterator<Item = &StepBudget> {
        self.stages.iter().flat_map(Stage::step_budgets)
    }
}

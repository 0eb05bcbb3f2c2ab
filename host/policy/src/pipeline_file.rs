//! `pipelines/*.toml`, as they are written. What they mean is found in `resolve`.

use schemars::JsonSchema;
use serde::Deserialize;
use tollgate_core::pipeline::{On, OnInconclusive};

/// A pipeline: stages in order, and the gates that judge them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PipelineFile {
    /// Who answers for it.
    pub owner: String,
    /// What one run may use.
    #[serde(default)]
    pub budget: RunBudgetTable,
    /// Labels that a host must have to drive its runs, e.g. `["git", "gpu"]`; a host says its own by `tollgate run --label`.
    #[serde(default)]
    pub host: Vec<String>,
    /// What is done, in order.
    #[schemars(length(min = 1))]
    pub stage: Vec<StageTable>,
}

/// What one run may use.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunBudgetTable {
    /// Dollars, all steps together; default `$1.00`.
    pub cost: Option<String>,
    /// Time spent in steps, all together; default `20m`.
    pub time: Option<String>,
}

/// What one call may use.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetTable {
    /// Units of fuel, e.g. `2G`: one a WebAssembly instruction, more for host calls; default `1G`.
    pub fuel: Option<String>,
    /// Wall time, e.g. `60s`; default `30s`.
    pub time: Option<String>,
    /// Memory, e.g. `64MiB`; default `64MiB`.
    pub memory: Option<String>,
    /// Tokens that models read and write for it, e.g. `50k`; each request counts at its largest until it is answered.
    /// Without it, money is the limit.
    pub tokens: Option<String>,
}

/// What happens when a call fails for a reason that may pass.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryTable {
    /// Calls in all, the first included; default 3.
    #[schemars(range(min = 1, max = 100))]
    pub attempts: Option<u32>,
    /// The first and the longest wait between two calls; default `10s..5m`.
    pub backoff: Option<String>,
}

/// A stage.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StageTable {
    /// Unique in the pipeline.
    pub name: String,
    /// `name@^1`, `name` or a digest.
    pub plugin: String,
    /// Which entries it applies to, as a formula, e.g. `field.kind == "security"`; default all. It reads what the entry said when
    /// the run began. Where it is false, the stage and its gates are not called, and the record says why.
    pub when: Option<String>,
    /// `success`: it runs when all before it passed. `failure`: it runs when one before it ended the run as failed or escalated.
    /// `always`: it runs in either case, and when the run is cancelled. Default `success`.
    #[serde(default)]
    pub on: On,
    /// Who must approve it before it begins: the run waits for `tollgate approve`, and `tollgate reject` ends it. Asked again when the
    /// work was sent back.
    pub approval: Option<ApprovalTable>,
    /// What it may touch, e.g. `effect:publish-file`, `model` or `model:NAME`; default nothing.
    #[serde(default)]
    pub grant: Vec<String>,
    /// What one call may use.
    #[serde(default)]
    pub budget: BudgetTable,
    /// What happens when a call fails for a reason that may pass.
    #[serde(default)]
    pub retry: RetryTable,
    /// The plugin's settings.
    #[serde(default)]
    pub with: serde_json::Map<String, serde_json::Value>,
    /// The gates that judge its output, in order.
    #[serde(default)]
    pub gate: Vec<GateTable>,
}

/// Whose word a stage needs before it begins.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalTable {
    /// One of `[roles]` in tollgate.toml; its members, by name, can approve and reject.
    pub role: String,
    /// For which entries, as a formula, e.g. `field.effort >= 8`; default all.
    pub when: Option<String>,
}

/// A gate.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateTable {
    /// Unique in the pipeline; default the plugin's name.
    pub name: Option<String>,
    /// `name@^1`, `name` or a digest.
    pub plugin: String,
    /// The stage that a fail sends the work back to: this one or an earlier one; default this one.
    pub rework_to: Option<String>,
    /// How often, at most, in one round of the entry; default 3.
    #[schemars(range(max = 100))]
    pub rework_limit: Option<u32>,
    /// Whether a fail sends the work back; an advisory gate only records; default true.
    pub enforce: Option<bool>,
    /// Where an inconclusive verdict leads: `escalate`, `fail`, or `wait` until `tollgate approve` lets the gate judge again; default
    /// `escalate`.
    #[serde(default)]
    pub on_inconclusive: OnInconclusive,
    /// The role that is asked when the rework is spent.
    pub escalate: Option<String>,
    /// What it may touch: `model` or `model:NAME`; default nothing. A gate asks for no effects.
    #[serde(default)]
    pub grant: Vec<String>,
    /// What one call may use.
    #[serde(default)]
    pub budget: BudgetTable,
    /// What happens when a call fails for a reason that may pass.
    #[serde(default)]
    pub retry: RetryTable,
    /// The plugin's settings.
    #[serde(default)]
    pub with: serde_json::Map<String, serde_json::Value>,
}

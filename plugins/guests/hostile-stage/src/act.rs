//! What the settings may ask for.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::tollgate::plugin::input;
use crate::tollgate::plugin::types::{Effect, Wait, Wake};

/// `{"do": "loop"}`, `{"do": "giant-result", "amount": 2000000}` or `{"do": {"fail": "transient"}}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// What to do; `ok` when nothing is said.
    #[serde(rename = "do", default)]
    pub(crate) act: Act,
    /// How much of it, in bytes, calls, lines or effects; each has a default above every limit.
    pub(crate) amount: Option<usize>,
}

/// What to do.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Act {
    /// Write one artifact, `ok.md`, and hand it on.
    #[default]
    Ok,
    /// Hand on, as data, everything that the host answers.
    Echo,
    /// Compute and never end.
    Loop,
    /// Allocate until refused, and then abort as Rust does.
    MemoryBomb,
    /// Call oneself until the stack is spent.
    Recurse,
    /// Data of `amount` bytes and some more.
    GiantResult,
    /// A Rust panic, its message not logged.
    Panic,
    /// The instruction of that name.
    Unreachable,
    /// Ask the host for the fuel that is left, `amount` times.
    ManyHostCalls,
    /// Write `amount` lines of 16 KiB.
    LogFlood,
    /// Write an artifact of `amount` bytes; by default more than an artifact may have and less than a call may pass.
    BigArtifact,
    /// Data that is no JSON.
    BadJson,
    /// Data that is JSON and no object.
    NotAnObject,
    /// Ask for `amount` effects.
    ManyEffects,
    /// Ask for two effects of one id.
    SameEffectTwice,
    /// Ask for these effects.
    Ask(Vec<Asked>),
    /// Fail with a class that is not in the contract.
    UnknownFailureClass,
    /// Fail with this class.
    Fail(String),
    /// Fail with class `transient` before this attempt, and do nothing from then on.
    FailUntilAttempt(u32),
    /// Hand on an artifact that was never written.
    ForgedArtifact,
    /// Wait for an event that never comes.
    Wait,
    /// Wait for this, and hand on, as data, what ended the wait.
    WaitFor(Awaited),
}

/// What to wait for, as the settings name it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Awaited {
    any: Vec<Condition>,
    #[serde(default)]
    effects: Vec<Asked>,
    #[serde(default = "one")]
    times: u64,
    expires: Option<String>,
}

/// A condition of a wait.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Condition {
    kind: String,
    body: Value,
}

fn one() -> u64 {
    1
}

/// The wait, or what ended it once it was waited often enough.
pub(crate) fn wait_for(awaited: Awaited) -> Result<Wait, String> {
    let woken = input::get_woken();
    let waited = woken.as_ref().map_or(0, |woken| woken.resume.parse().unwrap_or(u64::MAX));
    if let (Some(woken), true) = (woken, waited >= awaited.times) {
        let body: Value = serde_json::from_str(&woken.by.body).unwrap_or_default();
        let told = json!({ "kind": woken.by.kind, "body": body, "attempt": input::get_attempt() });
        return Err(told.to_string());
    }
    let wake = |Condition { kind, body }| Wake { kind, body: body.to_string() };
    Ok(Wait {
        any: awaited.any.into_iter().map(wake).collect(),
        reason: "as the settings say".into(),
        resume: (waited + 1).to_string(),
        effects: effects(awaited.effects),
        expires: awaited.expires,
    })
}

/// An effect as the settings name it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    kind: String,
    body: Value,
    #[serde(default)]
    later: bool,
}

pub(crate) fn effects(asked: Vec<Asked>) -> Vec<Effect> {
    let effect = |(number, Asked { kind, body, later })| Effect {
        id: format!("effect-{number}"),
        kind,
        body: body.to_string(),
        later,
    };
    asked.into_iter().enumerate().map(effect).collect()
}

/// Everything that the host answers, for a test to compare with what it meant to say.
pub(crate) fn echo() -> String {
    let entry = input::get_entry();
    let delivered =
        |one: crate::tollgate::plugin::types::Delivered| json!([one.stage, one.kind, one.reference]);
    json!({
        "entry": {
            "id": entry.id,
            "tracker": entry.tracker,
            "key": entry.key,
            "url": entry.url,
            "kind": entry.kind,
            "title": entry.title,
            "body": entry.body,
            "author": entry.author,
            "labels": entry.labels,
            "created-at": entry.created_at,
            "fields": entry.fields,
            "revision": entry.revision,
        },
        "subject": input::get_subject().map(|output| output.stage),
        "rework": input::get_rework().into_iter().map(|one| json!([one.gate, one.round])).collect::<Vec<_>>(),
        "delivered": input::get_delivered().into_iter().map(delivered).collect::<Vec<_>>(),
        "woken": input::get_woken().map(|woken| woken.by.kind),
        "run-id": input::get_run_id(),
        "attempt": input::get_attempt(),
        "now": crate::tollgate::plugin::clock::now(),
    })
    .to_string()
}

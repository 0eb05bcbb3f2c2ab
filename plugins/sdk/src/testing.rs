//! Helpers for a plugin's native tests. See also the `with_…` functions of [`Context`].

use serde_json::Value;

use crate::log::Level;
use crate::{Artifact, Context, Entry, Failure, Gate, Outcome, Output, Produced, Stage, Verdict, settings};

/// An entry with this key, title and body in the tracker `folder:backlog`, and nothing else said.
pub fn entry(key: &str, title: &str, body: &str) -> Entry {
    Entry {
        id: format!("folder:backlog/{key}"),
        tracker: "folder:backlog".to_string(),
        key: key.to_string(),
        title: title.to_string(),
        body: body.to_string(),
        created_at: "2026-01-01T00:00:00.000Z".to_string(),
        revision: format!("sha256:{:064x}", 0),
        ..Entry::default()
    }
}

/// What a stage handed on, as a later step finds it.
pub fn output(stage: &str, data: Value, artifacts: Vec<Artifact>) -> Output {
    Output { stage: stage.to_string(), summary: String::new(), data, artifacts }
}

/// Calls a stage as the host does: with settings as JSON.
///
/// # Errors
///
/// The stage's own failure, or one of class `configuration` when the settings do not fit.
pub fn run_stage<S: Stage>(ctx: &Context, settings: Value) -> Result<Outcome<Produced>, Failure> {
    S::run(ctx, settings::parse(&settings.to_string())?)
}

/// Calls a gate as the host does: with settings as JSON.
///
/// # Errors
///
/// The gate's own failure, or one of class `configuration` when the settings do not fit.
pub fn check_gate<G: Gate>(ctx: &Context, settings: Value) -> Result<Outcome<Verdict>, Failure> {
    G::check(ctx, settings::parse(&settings.to_string())?)
}

/// The lines logged on this thread since it was last asked, in order.
pub fn take_log() -> Vec<(Level, String)> {
    crate::double::take_log()
}

//! The parts, once they are entries.

use serde::Deserialize;
use serde_json::json;
use tollgate_plugin::{Effect, Failure, Wait, Wake, Woken};

/// What the host says of an entry that this run opened.
#[derive(Deserialize)]
struct Child {
    key: String,
    state: String,
}

/// Opens the parts and waits until they are over.
pub(crate) fn wait(effects: Vec<Effect>) -> Wait {
    Wait {
        any: vec![Wake { kind: "children".to_string(), body: json!({}) }],
        reason: "it goes on when its parts are done".to_string(),
        resume: json!({}),
        effects,
        expires: None,
    }
}

/// The keys of the parts, which are over.
///
/// # Errors
///
/// A failure of class `escalate` when fewer were opened than there are, or one of them is not done.
pub(crate) fn all_done(woken: &Woken, parts: usize) -> Result<Vec<String>, Failure> {
    let children = woken.by.body.get("children").cloned().unwrap_or_default();
    let children: Vec<Child> = serde_json::from_value(children).map_err(|error| {
        Failure::permanent(format!("what the host says of the parts is not as expected: {error}"))
    })?;
    if children.len() < parts {
        return Err(Failure::escalate(format!(
            "{} of {parts} parts could be opened; `tollgate runs show` says why the others were refused",
            children.len()
        )));
    }
    let not_done: Vec<_> = children.iter().filter(|child| child.state != "done").collect();
    if not_done.is_empty() {
        return Ok(children.into_iter().map(|child| child.key).collect());
    }
    let named: Vec<_> = not_done.iter().map(|child| format!("{} is {}", child.key, child.state)).collect();
    Err(Failure::escalate(format!(
        "{} of {} parts are not done: {}; see to them, then retry the entry",
        not_done.len(),
        children.len(),
        named.join(", ")
    )))
}

//! What is waited for.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tollgate_plugin::{Context, Failure, Wait, Wake};

use crate::fill::{fill, refused};
use crate::settings::Settings;

/// The longest name of an event.
const EVENT_CHARS_MAX: usize = 200;

/// The wait that the settings speak of.
///
/// # Errors
///
/// A failure of class `configuration` that names the setting and what was expected; one of class `permanent` for an
/// entry whose key makes no name of an event.
pub(crate) fn wait(ctx: &Context, settings: &Settings) -> Result<Wait, Failure> {
    let began = Began(ctx.now());
    let mut any = Vec::new();
    match (&settings.question, &settings.approval) {
        (Some(_), Some(_)) => {
            return Err(refused(
                "approval",
                "expected no `question` beside it: one person is asked one thing at a time",
            ));
        }
        (Some(question), None) => {
            let question = fill("question", question, ctx.entry(), str::to_owned)?;
            if question.trim().is_empty() {
                return Err(refused("question", "expected something to ask"));
            }
            any.push(wake("answer", json!({ "question": question })));
        }
        (None, Some(role)) => any.push(wake("approval", json!({ "role": role }))),
        (None, None) => {}
    }
    if let Some(event) = &settings.event {
        any.push(wake("event", json!({ "name": event_name(ctx, event)? })));
    }
    if let Some(at) = &settings.at {
        let at: Timestamp = at.parse().map_err(|_| {
            refused("at", &format!("expected a time such as 2026-12-01T08:00:00Z, got `{at}`"))
        })?;
        any.push(wake("at", json!({ "at": at.to_string() })));
    }
    if let Some(after) = &settings.after {
        any.push(wake("at", json!({ "at": began.after("after", after)? })));
    }
    if any.is_empty() {
        return Err(Failure::configuration(
            "there is nothing to wait for: expected one of the settings `question`, `approval`, `event`, `at` and `after`",
        ));
    }
    let expires = settings.expires.as_ref().map(|span| began.after("expires", span)).transpose()?;
    let reason = format!("{} goes on when that has come", ctx.entry().key);
    Ok(Wait { any, reason, resume: json!({}), effects: Vec::new(), expires })
}

fn wake(kind: &str, body: serde_json::Value) -> Wake {
    Wake { kind: kind.to_string(), body }
}

/// Spaces would end the name on the command line.
fn event_name(ctx: &Context, event: &str) -> Result<String, Failure> {
    let solid = |text: &str| {
        text.chars().map(|c| if c.is_whitespace() || c.is_control() { '-' } else { c }).collect::<String>()
    };
    if event != solid(event) {
        return Err(refused("event", "expected a name without spaces"));
    }
    let name = fill("event", event, ctx.entry(), solid)?;
    match name.chars().count() {
        1..=EVENT_CHARS_MAX => Ok(name),
        0 => {
            Err(Failure::permanent("the name of the event is empty for this entry: see the setting `event`"))
        }
        chars => Err(Failure::permanent(format!(
            "the name of the event has {chars} characters for this entry; it may have {EVENT_CHARS_MAX}"
        ))),
    }
}

/// When the wait began, as the host says it.
struct Began(String);

impl Began {
    /// So long after it.
    fn after(&self, setting: &str, span: &str) -> Result<String, Failure> {
        let expected =
            || refused(setting, &format!("expected a span such as 90s, 30m, 2h or 7d, got `{span}`"));
        let seconds = seconds(span).ok_or_else(expected)?;
        let began: Timestamp = self
            .0
            .parse()
            .map_err(|error| Failure::permanent(format!("the host's time `{}` is none: {error}", self.0)))?;
        let at = began.checked_add(SignedDuration::from_secs(seconds)).map_err(|_| expected())?;
        Ok(at.to_string())
    }
}

/// A span in seconds.
fn seconds(span: &str) -> Option<i64> {
    let unit = span.chars().last()?;
    let number = &span[..span.len() - unit.len_utf8()];
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(seconds)
}

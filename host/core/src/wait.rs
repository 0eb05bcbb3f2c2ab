//! What a run waits for because a call asked to wait, and what ended that.
//!
//! A call that waits has ended: it is a step, and holds nothing. It was no failure and no attempt that counts; the next call of the same
//! component is told what ended the wait and what it left for itself.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Timestamp,
    approval::{Allowance, Ask, Lack},
    effect::Effect,
    step::StepKey,
};

/// The kinds of conditions that can be waited for.
pub const KINDS: [&str; 5] = ["answer", "approval", "at", "children", "event"];

/// What a call waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Wait {
    /// Any one of these ends it. Never empty; at most one of them is asked of a person.
    pub any: Vec<WakeOn>,
    /// A sentence.
    pub reason: String,
    /// What the plugin is told again when it is called next.
    pub resume: Value,
    /// Changes outside that are delivered before the wait begins.
    pub effects: Vec<Effect>,
    /// The step fails then.
    pub expires: Option<Timestamp>,
}

/// Something that ends a wait.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "body", rename_all = "kebab-case")]
pub enum WakeOn {
    /// A time.
    At(At),
    /// Something that is said to have happened.
    Event(Event),
    /// A person's approval.
    Approval(Approval),
    /// A person's answer.
    Answer(Answer),
    /// All entries that the run opened are over.
    Children(Children),
}

/// A time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct At {
    /// Not before then.
    pub at: Timestamp,
}

/// Something that is said to have happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Its name.
    pub name: String,
}

/// A person's approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Who is asked; anyone where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// A person's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// What is asked.
    pub question: String,
}

/// All entries that the run opened are over (see [`EntryState::is_over`](crate::entry::EntryState::is_over)); a run that opened none does
/// not wait.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Children {}

/// How a wait ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WaitEnd {
    /// The call that waited.
    pub step: StepKey,
    /// When.
    pub at: Timestamp,
    /// How.
    #[serde(flatten)]
    pub how: Ended,
}

/// How a wait ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "ended", rename_all = "kebab-case")]
pub enum Ended {
    /// A condition was met.
    Met {
        /// Which.
        by: WakeOn,
        /// What came with it; null for a time.
        with: Value,
    },
    /// Nothing came in time.
    Expired,
}

/// What a call is told that follows a wait.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Woken {
    /// The condition that was met.
    pub by: WakeOn,
    /// What came with it.
    pub with: Value,
    /// When it was met.
    pub at: Timestamp,
    /// What the waiting call left.
    pub resume: Value,
}

impl WakeOn {
    /// The condition of this kind.
    ///
    /// # Errors
    ///
    /// When the kind is not known or the body is not what the kind says; a sentence.
    pub fn parse(kind: &str, body: &Value) -> Result<Self, String> {
        if !KINDS.contains(&kind) {
            return Err(format!("`{kind}` is no kind of wake; known are {}", KINDS.join(", ")));
        }
        let parsed: Self = serde_json::from_value(json!({ "kind": kind, "body": body }))
            .map_err(|error| format!("the body of a wake of kind `{kind}` is malformed: {error}"))?;
        match &parsed {
            Self::Event(Event { name }) if !is_name(name) => {
                Err(format!("`{name}` is no name of an event: 1 to 200 characters, none of them a space"))
            }
            Self::Answer(Answer { question }) if question.trim().is_empty() => {
                Err("a wake of kind `answer` asks nothing".into())
            }
            _ => Ok(parsed),
        }
    }

    /// Its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::At(_) => "at",
            Self::Event(_) => "event",
            Self::Approval(_) => "approval",
            Self::Answer(_) => "answer",
            Self::Children(_) => "children",
        }
    }

    /// Whether a person is asked.
    pub fn asks(&self) -> bool {
        matches!(self, Self::Approval(_) | Self::Answer(_))
    }

    /// The body that the plugin gave, with what came beside it.
    pub fn body_with(&self, with: &Value) -> Value {
        let mut body = serde_json::to_value(self).map(|mut value| value["body"].take()).unwrap_or_default();
        if let (Some(body), Some(with)) = (body.as_object_mut(), with.as_object()) {
            body.extend(with.clone());
        }
        body
    }
}

impl fmt::Display for WakeOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(At { at }) => write!(f, "{at}"),
            Self::Event(Event { name }) => write!(f, "the event `{name}`"),
            Self::Approval(Approval { role: Some(role) }) => write!(f, "the approval of `{role}`"),
            Self::Approval(Approval { role: None }) => f.write_str("an approval"),
            Self::Answer(Answer { question }) => write!(f, "an answer to “{question}”"),
            Self::Children(_) => f.write_str("the entries that it opened"),
        }
    }
}

/// Whether a text can name an event.
pub fn is_name(name: &str) -> bool {
    (1..=200).contains(&name.chars().count()) && !name.chars().any(|c| c.is_whitespace() || c.is_control())
}

impl Wait {
    /// What a person is asked, where one is: about the call that follows this one.
    pub fn ask(&self, step: &StepKey) -> Option<Ask> {
        let (lack, role) = self.any.iter().find_map(|wake| match wake {
            WakeOn::Approval(Approval { role }) => Some((Lack::Approval, role.clone())),
            WakeOn::Answer(_) => Some((Lack::Answer, None)),
            WakeOn::At(_) | WakeOn::Event(_) | WakeOn::Children(_) => None,
        })?;
        let (step, reason) = (StepKey { attempt: step.attempt + 1, ..step.clone() }, self.to_string());
        Some(Ask { step, lack, role, reason, suggested: Allowance::default() })
    }

    /// The condition that a person is asked to meet.
    pub fn asked(&self) -> Option<&WakeOn> {
        self.any.iter().find(|wake| wake.asks())
    }

    /// How it has ended by `now` where nothing but time has passed.
    pub fn due(&self, now: Timestamp) -> Option<Ended> {
        let times = self.any.iter().filter_map(|wake| match wake {
            WakeOn::At(At { at }) => Some((*at, wake)),
            _ => None,
        });
        let first = times.min_by_key(|(at, _)| *at).filter(|(at, _)| *at <= now);
        let expired = self.expires.filter(|expires| *expires <= now);
        match (first, expired) {
            (Some((at, wake)), expired) if expired.is_none_or(|expires| at <= expires) => {
                Some(Ended::Met { by: wake.clone(), with: Value::Null })
            }
            (_, Some(_)) => Some(Ended::Expired),
            _ => None,
        }
    }

    /// The times at which it may end.
    pub fn times(&self) -> impl Iterator<Item = Timestamp> {
        let at = self.any.iter().filter_map(|wake| match wake {
            WakeOn::At(At { at }) => Some(*at),
            _ => None,
        });
        at.chain(self.expires)
    }

    /// The condition that all entries are over that the run opened.
    pub fn children(&self) -> Option<&WakeOn> {
        self.any.iter().find(|wake| matches!(wake, WakeOn::Children(_)))
    }

    /// The names of the events that end it.
    pub fn event_names(&self) -> impl Iterator<Item = &str> {
        self.any.iter().filter_map(|wake| match wake {
            WakeOn::Event(Event { name }) => Some(name.as_str()),
            _ => None,
        })
    }
}

impl fmt::Display for Wait {
    /// Why, and for what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let any: Vec<_> = self.any.iter().map(ToString::to_string).collect();
        write!(f, "{}; it waits for {}", self.reason, any.join(" or "))?;
        match self.expires {
            Some(expires) => write!(f, ", until {expires} at the latest"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(any: Vec<WakeOn>, expires: Option<i64>) -> Wait {
        let expires = expires.map(Timestamp::from_millis);
        Wait { any, reason: "r".into(), resume: Value::Null, effects: vec![], expires }
    }

    fn at(millis: i64) -> WakeOn {
        WakeOn::At(At { at: Timestamp::from_millis(millis) })
    }

    #[test]
    fn a_condition_is_read_and_what_is_wrong_with_it_is_named() {
        for (kind, body, expected) in [
            ("event", json!({ "name": "ci" }), ""),
            ("at", json!({ "at": "2026-11-21T04:07:00.000Z" }), ""),
            ("approval", json!({}), ""),
            ("approval", json!({ "role": "tech-lead" }), ""),
            ("answer", json!({ "question": "which?" }), ""),
            ("children", json!({}), ""),
            ("children", json!({ "of": "W-1" }), "the body of a wake of kind `children` is malformed"),
            (
                "sunrise",
                json!({}),
                "`sunrise` is no kind of wake; known are answer, approval, at, children, event",
            ),
            ("event", json!({ "name": "two words" }), "`two words` is no name of an event"),
            ("event", json!({ "name": "" }), "`` is no name of an event"),
            ("event", json!([]), "the body of a wake of kind `event` is malformed"),
            ("event", json!({ "nam": "ci" }), "unknown field `nam`"),
            ("at", json!({ "at": "tomorrow" }), "the body of a wake of kind `at` is malformed"),
            ("answer", json!({ "question": " " }), "a wake of kind `answer` asks nothing"),
        ] {
            match WakeOn::parse(kind, &body) {
                Ok(wake) => assert_eq!((expected, wake.kind()), ("", kind)),
                Err(error) => assert!(!expected.is_empty() && error.contains(expected), "{kind}: {error}"),
            }
        }
    }

    #[test]
    fn time_alone_ends_a_wait_at_its_first_time() {
        let now = Timestamp::from_millis;
        let met = |millis| Some(Ended::Met { by: at(millis), with: Value::Null });
        assert_eq!(wait(vec![at(20), at(10)], None).due(now(9)), None);
        assert_eq!(wait(vec![at(20), at(10)], None).due(now(30)), met(10));
        assert_eq!(wait(vec![at(20)], Some(10)).due(now(15)), Some(Ended::Expired));
        assert_eq!(wait(vec![at(20)], Some(10)).due(now(30)), Some(Ended::Expired), "it was over before");
        assert_eq!(wait(vec![at(10)], Some(10)).due(now(30)), met(10), "it came in time");
        assert_eq!(wait(vec![WakeOn::Event(Event { name: "ci".into() })], None).due(now(30)), None);
    }
}

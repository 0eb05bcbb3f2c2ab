//! Why a call produced no result.

use std::fmt;

use serde_json::Value;

/// What the host does about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// Trying again soon may well succeed.
    Transient,
    /// Something outside asked for a pause; [`Failure::retry_at`] says until when, if that is known.
    RateLimited,
    /// What the plugin stands on is broken: try again later, and tell the operator.
    Infrastructure,
    /// The settings, or the pipeline around the plugin, have to be changed by a person.
    Configuration,
    /// The same input will fail the same way: do not try again.
    Permanent,
    /// A person has to decide.
    Escalate,
}

impl FailureClass {
    /// The word the contract uses.
    pub fn as_str(self) -> &'static str {
        match self {
            FailureClass::Transient => "transient",
            FailureClass::RateLimited => "rate-limited",
            FailureClass::Infrastructure => "infrastructure",
            FailureClass::Configuration => "configuration",
            FailureClass::Permanent => "permanent",
            FailureClass::Escalate => "escalate",
        }
    }
}

/// Why a call produced no result, and what sort of trouble it is.
///
/// The message stands in the run's record and is read by a person months later: say what happened, to what, and
/// what to do about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Routes the failure: retry, escalate or give up.
    pub class: FailureClass,
    /// A sentence for the record.
    pub message: String,
    /// Not before then: RFC 3339 in UTC.
    pub retry_at: Option<String>,
    /// Anything a machine may want to know.
    pub detail: Option<Value>,
}

impl Failure {
    /// A failure of a class, with a sentence for the record.
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Failure { class, message: message.into(), retry_at: None, detail: None }
    }

    /// Trying again soon may well succeed.
    pub fn transient(message: impl Into<String>) -> Self {
        Failure::new(FailureClass::Transient, message)
    }

    /// A person has to change the settings or the pipeline.
    pub fn configuration(message: impl Into<String>) -> Self {
        Failure::new(FailureClass::Configuration, message)
    }

    /// The same input will fail the same way.
    pub fn permanent(message: impl Into<String>) -> Self {
        Failure::new(FailureClass::Permanent, message)
    }

    /// A person has to decide.
    pub fn escalate(message: impl Into<String>) -> Self {
        Failure::new(FailureClass::Escalate, message)
    }

    /// The same failure with something for machines to read.
    pub fn detail(self, detail: Value) -> Self {
        Failure { detail: Some(detail), ..self }
    }

    /// The same failure with a time before which trying again is of no use: RFC 3339 in UTC.
    pub fn retry_at(self, at: impl Into<String>) -> Self {
        Failure { retry_at: Some(at.into()), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class.as_str(), self.message)
    }
}

impl std::error::Error for Failure {}

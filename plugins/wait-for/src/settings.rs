//! The `with` table.

use serde::{Deserialize, Serialize};

/// The `with` table of the stage. The first of the first five that comes ends the wait.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// What a person is asked, with `{key}`, `{title}` and `{kind}`.
    pub question: Option<String>,
    /// The role one of whose members is asked to approve.
    pub approval: Option<String>,
    /// The name of an event, with the same placeholders.
    pub event: Option<String>,
    /// A time: RFC 3339.
    pub at: Option<String>,
    /// How long after the wait began, such as `2h`.
    pub after: Option<String>,
    /// How long the wait lasts at the most; the stage fails then.
    pub expires: Option<String>,
}

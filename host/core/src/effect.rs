//! Effects: changes outside that a plugin asks for and the host decides and delivers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Digest, opening::OpenEntry};

/// A change outside that a plugin asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Effect {
    /// Unique in its call.
    pub id: String,
    /// What kind of change, e.g. `publish-file`.
    pub kind: String,
    /// What exactly, by the schema of the kind.
    pub body: Value,
    /// The next step need not wait for it.
    pub later: bool,
}

/// The kinds of effects that the host can deliver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KnownEffect {
    /// Put an artifact into the tracker's project.
    PublishFile(PublishFile),
    /// Move the item to another state of the project's.
    SetState(SetState),
    /// Make an entry that lives in the store alone.
    OpenEntry(OpenEntry),
}

/// Put an artifact into the tracker's project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishFile {
    /// Relative to the project, with `/` between its parts; never absolute, never with `..`.
    pub path: String,
    /// The artifact whose bytes are written.
    pub artifact: Digest,
    /// e.g. `text/markdown`.
    #[serde(rename = "media-type")]
    pub media_type: String,
}

/// Move the item to another state of the project's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetState {
    /// The name that the source's `move` table gives the state.
    pub state: String,
}

/// An effect that cannot be delivered as it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EffectError {
    /// No such kind.
    #[error("effects of kind `{kind}` are not known; known are {}", KnownEffect::KINDS.join(", "))]
    UnknownKind {
        /// The kind that was asked for.
        kind: String,
    },
    /// The kind is known, its body is wrong.
    #[error("the body of the `{kind}` effect `{id}` is wrong: {message}")]
    Body {
        /// The effect's id.
        id: String,
        /// The effect's kind.
        kind: String,
        /// What is wrong.
        message: String,
    },
}

impl KnownEffect {
    /// Every kind, as plugins and grants name them.
    pub const KINDS: [&'static str; 3] = ["publish-file", "set-state", "open-entry"];

    /// The effect, its body checked.
    ///
    /// # Errors
    ///
    /// When the kind is unknown, the body is not what the kind takes, or a path would leave the project.
    pub fn parse(effect: &Effect) -> Result<Self, EffectError> {
        let body_error =
            |message: String| EffectError::Body { id: effect.id.clone(), kind: effect.kind.clone(), message };
        let body = effect.body.clone();
        match effect.kind.as_str() {
            "publish-file" => {
                let file: PublishFile =
                    serde_json::from_value(body).map_err(|e| body_error(e.to_string()))?;
                check_path(&file.path).map_err(body_error)?;
                Ok(Self::PublishFile(file))
            }
            "set-state" => {
                Ok(Self::SetState(serde_json::from_value(body).map_err(|e| body_error(e.to_string()))?))
            }
            "open-entry" => {
                let opening: OpenEntry =
                    serde_json::from_value(body).map_err(|e| body_error(e.to_string()))?;
                opening.check().map_err(body_error)?;
                Ok(Self::OpenEntry(opening))
            }
            kind => Err(EffectError::UnknownKind { kind: kind.to_owned() }),
        }
    }
}

fn check_path(path: &str) -> Result<(), String> {
    let plain =
        |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0', ':']);
    if path.split('/').all(plain) {
        Ok(())
    } else {
        Err(format!("`{path}` is not a path inside the project; expected e.g. `specs/12.md`"))
    }
}

/// What became of an effect or record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Delivered {
    /// It is there, and was read back.
    Done {
        /// Where, e.g. a path or a comment's URL.
        reference: Option<String>,
        /// More, for later steps.
        data: Value,
    },
    /// The tracker cannot or must not do it.
    Refused {
        /// A sentence: what and what to do.
        reason: String,
    },
    /// It was never sent.
    Withheld {
        /// Why.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_path_of(path: &str, inside: bool) {
        let body =
            serde_json::json!({ "path": path, "artifact": Digest::of(""), "media-type": "text/plain" });
        let effect = Effect { id: "e".into(), kind: "publish-file".into(), body, later: false };
        assert_eq!(KnownEffect::parse(&effect).is_ok(), inside, "{path}");
    }

    #[test]
    fn a_file_is_published_inside_the_project_only() {
        check_path_of("specs/12.md", true);
        check_path_of("ümlaut/日本.md", true);
        for outside in ["", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", "C:\\x", "a\\..\\b", "a\0"] {
            check_path_of(outside, false);
        }
    }

    #[test]
    fn an_unknown_kind_is_named() {
        let effect = Effect { id: "e".into(), kind: "launch".into(), body: Value::Null, later: false };
        assert_eq!(
            KnownEffect::parse(&effect).unwrap_err().to_string(),
            "effects of kind `launch` are not known; known are publish-file, set-state, open-entry"
        );
    }
}

//! How a pipeline asks for a plugin.

use std::fmt;
use std::str::FromStr;

use semver::VersionReq;
use tollgate_core::Digest;

use crate::manifest::is_name;

/// What a pipeline asks for: `spec-lint`, `spec-lint@^1.2` or `sha256:…`.
///
/// A requirement has the syntax and meaning it has in Cargo: `1.2` is `^1.2`, exactly one version is `=1.2.0`, and
/// a pre-release is taken only where the requirement names one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// The newest version of that name that satisfies the requirement.
    Name {
        /// The plugin's name.
        name: String,
        /// What its version must satisfy; `*` when nothing was said.
        requirement: VersionReq,
    },
    /// This component and no other.
    Digest(Digest),
}

/// A text that asks for no plugin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Neither a name nor a digest.
    #[error(
        "`{0}` asks for no plugin; expected a name such as `spec-lint`, a name with a version such as \
         `spec-lint@^1.2`, or `sha256:` and 64 hexadecimal digits"
    )]
    Malformed(String),
    /// A name with something that is no version requirement.
    #[error(
        "`{request}` asks for no version: {reason}; expected one such as `^1.2`, `=1.2.0` or `>=1.2, <3`"
    )]
    Requirement {
        /// The whole text.
        request: String,
        /// What was wrong with the part behind the `@`.
        reason: String,
    },
}

impl FromStr for Request {
    type Err = RequestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(digest) = text.parse() {
            return Ok(Request::Digest(digest));
        }
        let (name, requirement) = match text.split_once('@') {
            Some((name, requirement)) => (name, Some(requirement)),
            None => (text, None),
        };
        if !is_name(name) {
            return Err(RequestError::Malformed(text.to_owned()));
        }
        let requirement = match requirement {
            None => VersionReq::STAR,
            Some(requirement) => VersionReq::parse(requirement).map_err(|error| {
                RequestError::Requirement { request: text.to_owned(), reason: error.to_string() }
            })?,
        };
        Ok(Request::Name { name: name.to_owned(), requirement })
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Request::Name { name, requirement } if *requirement == VersionReq::STAR => f.write_str(name),
            Request::Name { name, requirement } => write!(f, "{name}@{requirement}"),
            Request::Digest(digest) => digest.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    #[test]
    fn a_request_prints_as_it_was_asked() {
        let digest = Digest::of("a component").to_string();
        for text in ["spec-lint", "spec-lint@^1", "spec-lint@=1.2.3", "spec-lint@>=1.2, <3", &digest] {
            assert_eq!(text.parse::<Request>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_asks_for_nothing_is_refused_with_what_was_expected() {
        let error = |text: &str| text.parse::<Request>().unwrap_err().to_string();
        assert_snapshot!(error("Spec Lint"), @"`Spec Lint` asks for no plugin; expected a name such as `spec-lint`, a name with a version such as `spec-lint@^1.2`, or `sha256:` and 64 hexadecimal digits");
        assert_snapshot!(error("spec-lint@newest"), @"`spec-lint@newest` asks for no version: unexpected character 'n' while parsing major version number; expected one such as `^1.2`, `=1.2.0` or `>=1.2, <3`");
        assert!(error("sha256:abc").contains("64 hexadecimal digits"));
        assert!(error("").contains("asks for no plugin"));
        assert!(error("../x").contains("asks for no plugin"));
    }
}

//! `plugins.lock`: what each checked-in component was built from, and by what.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tollgate_core::Digest;

const HEADER: &str = "# Written by `cargo xtask plugins`, which also checks it: see --check.\n\n";

/// The lock file of one group of plugins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lock {
    /// What built all of them.
    pub(crate) toolchain: String,
    /// The contract that all of them were built for.
    pub(crate) contract: String,
    /// By name.
    pub(crate) plugin: BTreeMap<String, LockedPlugin>,
}

/// One plugin in the lock file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockedPlugin {
    /// See [`super::source::Sources::digest`].
    pub(crate) source: Digest,
    /// Of the component's bytes.
    pub(crate) component: Digest,
    /// Length of the component in bytes.
    pub(crate) size_bytes: u64,
}

impl Lock {
    pub(crate) fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    pub(crate) fn render(&self) -> Result<String, toml::ser::Error> {
        Ok(format!("{HEADER}{}", toml::to_string(self)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_reads_back_what_it_writes() {
        let locked = LockedPlugin { source: Digest::of("s"), component: Digest::of("c"), size_bytes: 7 };
        let lock = Lock {
            toolchain: "rustc 1".to_owned(),
            contract: "0.1".to_owned(),
            plugin: BTreeMap::from([("spec-lint".to_owned(), locked)]),
        };
        assert_eq!(Lock::parse(&lock.render().unwrap()), Ok(lock));
    }
}

//! A file whose presence asks hosts to stop.
//!
//! A stop file that is older than the host's start was meant for an earlier one: it is removed, and that is said.

use std::path::{Path, PathBuf};

use tollgate_core::{StopMode, Timestamp};

use crate::shutdown::Phase;

/// The stop file of a project.
pub(crate) struct StopFile {
    path: PathBuf,
    mode: StopMode,
}

impl StopFile {
    pub(crate) fn new(path: PathBuf, mode: StopMode) -> Self {
        Self { path, mode }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes a file that an earlier host was meant to see; whether there was one.
    pub(crate) fn remove_stale(&self, started: Timestamp) -> std::io::Result<bool> {
        let modified = match self.path.metadata() {
            Ok(metadata) => metadata.modified()?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let modified = jiff::Timestamp::try_from(modified).map_err(std::io::Error::other)?;
        if Timestamp::from(modified) >= started {
            return Ok(false);
        }
        std::fs::remove_file(&self.path)?;
        Ok(true)
    }

    /// What it asks for while it is there.
    pub(crate) fn wish(&self) -> Option<(Phase, String)> {
        let reason = || format!("the stop file {} is there", self.path.display());
        self.path.exists().then(|| (self.mode.into(), reason()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_stale_stop_file_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stop");
        let file = StopFile::new(path.clone(), StopMode::Now);
        assert_eq!(file.wish(), None);
        assert!(!file.remove_stale(Timestamp::from_millis(0)).unwrap());
        std::fs::write(&path, "").unwrap();
        assert!(!file.remove_stale(Timestamp::from_millis(0)).unwrap(), "it was made after the start");
        assert_eq!(file.wish().map(|(phase, _)| phase), Some(Phase::Stopping));
        assert!(file.remove_stale(Timestamp::from_millis(i64::MAX)).unwrap());
        assert_eq!(file.wish(), None);
    }
}

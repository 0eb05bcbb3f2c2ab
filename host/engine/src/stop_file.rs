//! A file whose presence asks hosts to stop.
//!
//! A stop file that is older than the host's start was meant for an earlier one: it is removed, and that is said.

use std::path::PathBuf;

use tollgate_core::Timestamp;

/// The stop file of a project.
pub(crate) struct StopFile {
    path: PathBuf,
}

impl StopFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
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

    pub(crate) fn is_there(&self) -> bool {
        self.path.exists()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_stale_stop_file_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stop");
        let file = StopFile::new(path.clone());
        assert!(!file.is_there());
        assert!(!file.remove_stale(Timestamp::from_millis(0)).unwrap());
        std::fs::write(&path, "").unwrap();
        assert!(!file.remove_stale(Timestamp::from_millis(0)).unwrap(), "it was made after the start");
        assert!(file.remove_stale(Timestamp::from_millis(i64::MAX)).unwrap());
        assert!(!file.is_there());
    }
}

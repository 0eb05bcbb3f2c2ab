//! Plugins that a project brings along: every `*.wasm` directly in its `plugins/` folder.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::registry::SkipReason;
use crate::version::{Origin, Version};

/// Larger than any component of the usual toolchains, and small enough to read a folder of them into memory.
pub(crate) const COMPONENT_BYTES_MAX: u64 = 64 << 20;

/// The components of a folder, sorted by file name, so that what is reported does not depend on the file system.
/// A folder that is not there holds none.
pub(crate) fn component_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new("wasm")) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

pub(crate) fn read_version(path: &Path) -> Result<Version, SkipReason> {
    let metadata = fs::metadata(path).map_err(SkipReason::Unreadable)?;
    if !metadata.is_file() {
        return Err(SkipReason::NotAFile);
    }
    if metadata.len() > COMPONENT_BYTES_MAX {
        return Err(SkipReason::TooLarge { size_bytes: metadata.len() });
    }
    let bytes = fs::read(path).map_err(SkipReason::Unreadable)?;
    Ok(Version::read(bytes, Origin::File(path.to_owned()))?)
}

//! Files: read within limits, written as a whole or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use rustix::{fs::OFlags, io::Errno};
use tollgate_core::{Timestamp, crash};
use walkdir::WalkDir;

/// How the names of files begin that are being written. They are hidden, so no source reads one that a crash left behind.
const TEMPORARY_PREFIX: &str = ".tollgate-write-";

/// What tells one state of a file from the next without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    /// When it was written last.
    pub(super) modified_at: Timestamp,
    /// How long it is.
    pub(super) size_bytes: u64,
}

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// It was there a moment ago, or never.
    #[error("is not there")]
    Missing,
    /// A folder, a link, a pipe, a device.
    #[error("is no plain file; move it out of the folder or list it under `ignore`")]
    NotPlain,
    /// Nobody writes so much by hand.
    #[error(
        "has {} bytes, and at most {limit_bytes} are read; shorten it, e.g. by attaching logs elsewhere",
        size_bytes
    )]
    TooLarge {
        /// How long it is.
        size_bytes: u64,
        /// How long it may be.
        limit_bytes: u64,
    },
    /// The platform failed.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
}

impl Stamp {
    /// The stamp of a file's metadata.
    pub(super) fn of(metadata: &fs::Metadata) -> io::Result<Self> {
        let modified = metadata.modified()?;
        let milliseconds = match modified.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        };
        Ok(Self { modified_at: Timestamp::from_millis(milliseconds), size_bytes: metadata.len() })
    }
}

/// The bytes of a plain file and the stamp that it had when they were read. Links are not followed, pipes do not block.
pub(super) fn read(path: &Path, limit_bytes: u64) -> Result<(Vec<u8>, Stamp), ReadError> {
    // Without NONBLOCK the opening of a pipe would wait for a writer.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path);
    let file = opened.map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::NOENT) => ReadError::Missing,
        Some(Errno::LOOP) => ReadError::NotPlain,
        _ => ReadError::Io(error),
    })?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(ReadError::NotPlain);
    }
    let too_large = |size_bytes| ReadError::TooLarge { size_bytes, limit_bytes };
    if metadata.len() > limit_bytes {
        return Err(too_large(metadata.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    let read = (&file).take(limit_bytes + 1).read_to_end(&mut bytes)? as u64;
    if read > limit_bytes {
        return Err(too_large(read));
    }
    Ok((bytes, Stamp::of(&metadata)?))
}

/// The stamp that a file has now.
pub(super) fn stamp(path: &Path) -> io::Result<Stamp> {
    Stamp::of(&fs::symlink_metadata(path)?)
}

/// What may happen to a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    /// It is replaced, and hands on its permissions.
    Replace,
    /// It stays, and the writing fails as [`io::ErrorKind::AlreadyExists`].
    Keep,
}

/// Writes a file so that at every moment, crashes included, the old or the new one is there, whole.
pub(super) fn write(path: &Path, bytes: &[u8], existing: Existing) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::other("a file needs a folder"))?;
    let permissions = match existing {
        Existing::Replace => fs::metadata(path).ok().map(|metadata| metadata.permissions()),
        Existing::Keep => None,
    };
    let mut temporary = tempfile::Builder::new()
        .prefix(TEMPORARY_PREFIX)
        // As for any new file, the process's mask takes from this.
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(folder)?;
    if let Some(permissions) = permissions {
        temporary.as_file().set_permissions(permissions)?;
    }
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    crash::point("tracker.write.synced");
    match existing {
        Existing::Replace => temporary.persist(path).map_err(|error| error.error)?,
        Existing::Keep => temporary.persist_noclobber(path).map_err(|error| error.error)?,
    };
    crash::point("tracker.write.renamed");
    File::open(folder)?.sync_all()
}

/// Removes from a folder and those below what a crash left half done: files of [`write()`] that nobody has touched for an hour.
/// What cannot be removed stays; it is hidden and does no harm.
pub(super) fn remove_abandoned(folder: &Path, now: Timestamp) {
    const ABANDONED_AFTER: Duration = Duration::from_secs(3600);
    for entry in WalkDir::new(folder).into_iter().filter_map(Result::ok) {
        let ours = entry.file_name().as_encoded_bytes().starts_with(TEMPORARY_PREFIX.as_bytes());
        let stamp = entry.metadata().ok().and_then(|metadata| Stamp::of(&metadata).ok());
        let old = stamp.is_some_and(|stamp| now.since(stamp.modified_at) >= ABANDONED_AFTER);
        if ours && old && entry.file_type().is_file() {
            match fs::remove_file(entry.path()) {
                Ok(()) => {
                    tracing::info!(path = %entry.path().display(), "removed what a crash left half written")
                }
                Err(error) => {
                    tracing::warn!(path = %entry.path().display(), %error, "cannot remove a temporary file")
                }
            }
        }
    }
}

/// Held while something is read, changed and written back, so that two deliverers of any process do not undo each other.
#[derive(Debug)]
pub(super) struct FolderLock(#[expect(dead_code, reason = "the lock ends when the file is closed")] File);

impl FolderLock {
    /// Waits for the lock of a folder.
    pub(super) fn take(folder: &Path) -> io::Result<Self> {
        let handle = File::open(folder)?;
        handle.lock()?;
        Ok(Self(handle))
    }
}

/// A path with `/` between its parts, for reports.
pub(super) fn with_slashes(path: &Path) -> String {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// Where a path leads when every link in it is followed; for what is not there yet, where its nearest folder leads.
pub(super) fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut missing = Vec::new();
    let mut there = path;
    loop {
        match there.canonicalize() {
            Ok(found) => return Ok(missing.into_iter().rev().fold(found, |path, part| path.join(part))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // A link to nothing is there, and nobody can say where it leads.
                if fs::symlink_metadata(there).is_ok() {
                    return Err(error);
                }
                let (Some(parent), Some(name)) = (there.parent(), there.file_name()) else {
                    return Err(error);
                };
                missing.push(name);
                there = parent;
            }
            Err(error) => return Err(error),
        }
    }
}

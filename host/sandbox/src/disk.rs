//! Compiled components on disk, so that a restart compiles nothing.
//!
//! A compiled component is machine code, and loading one runs whatever is in it. So the folder is the host's alone, and
//! a file is loaded only if it is, byte for byte, what this host wrote: each begins with the digest of the rest, which
//! is checked on the bytes in memory that are then loaded. A file that decayed is compiled again. Files are kept under
//! everything that the code depends on, and nothing ever overwrites one in place.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;
use tollgate_core::Digest;
use wasmtime::{Engine, component::Component};

use crate::{SandboxError, engine};

/// A digest's length, which is where the code begins.
const CODE_BEGINS: usize = 32;

/// The folder of one engine's code.
#[derive(Debug)]
pub(crate) struct CodeFolder {
    path: PathBuf,
}

impl CodeFolder {
    /// Makes the folder, or looks at the one that is there.
    ///
    /// # Errors
    ///
    /// When it cannot be made, or is open to others.
    pub(crate) fn open(path: &Path, engine: &Engine) -> Result<Self, SandboxError> {
        let unusable = |reason: String| SandboxError::CacheDir { path: path.to_owned(), reason };
        make_private(path).map_err(|error| unusable(error.to_string()))?;
        check_private(path).map_err(unusable)?;
        let path = path.join(engine::code_key(engine).short());
        make_private(&path).map_err(|error| unusable(error.to_string()))?;
        Ok(Self { path })
    }

    /// The code of a component, if there is a file of it that is whole.
    pub(crate) fn load(&self, engine: &Engine, component: Digest) -> Option<Component> {
        let path = self.file(component);
        let file = match fs::read(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a compiled component cannot be read");
                return None;
            }
        };
        let loaded = match file.split_at_checked(CODE_BEGINS) {
            Some((digest, code)) if digest == Digest::of(code).as_bytes() => deserialize(engine, code),
            _ => Err(wasmtime::format_err!("it is not what was written")),
        };
        loaded
            .inspect_err(|error| {
                tracing::warn!(path = %path.display(), %error, "a compiled component is compiled again");
            })
            .ok()
    }

    /// Keeps the code of a component. Failing to is no failure of the load: the next start compiles again.
    pub(crate) fn keep(&self, component: Digest, code: &[u8]) {
        if let Err(error) = self.write(component, code) {
            tracing::warn!(path = %self.path.display(), %error, "a compiled component cannot be kept");
        }
    }

    fn write(&self, component: Digest, code: &[u8]) -> io::Result<()> {
        let mut file = NamedTempFile::new_in(&self.path)?;
        file.write_all(Digest::of(code).as_bytes())?;
        file.write_all(code)?;
        file.persist(self.file(component))?;
        Ok(())
    }

    fn file(&self, component: Digest) -> PathBuf {
        self.path.join(format!("{}.code", component.hex()))
    }
}

#[expect(unsafe_code, reason = "see the safety comment; there is no safe way to load compiled code")]
fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `code` has to be what wasmtime serialised, unaltered. Only `CodeFolder::write` puts files into a folder
    // that nobody else may write to, and the caller has compared the digest of these very bytes with the one written
    // with them. Code of another version or configuration is a clean error.
    unsafe { Component::deserialize(engine, code) }
}

#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make_private(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Others must not be able to write: what is in the folder is run.
#[cfg(unix)]
fn check_private(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path).map_err(|error| error.to_string())?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(format!(
        "others may enter it (mode {:o}), and what is in it is run; `chmod 700` it, or name another folder",
        mode & 0o777
    ))
}

#[cfg(not(unix))]
fn check_private(_: &Path) -> Result<(), String> {
    Ok(())
}

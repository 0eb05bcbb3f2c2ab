//! Bytes by their digest, in a folder or a [bucket](ArtifactBucket).
//!
//! Properties wanted:
//!
//! 1. What is read under a digest has that digest, or it is an error.
//! 2. Bytes that a committed row names survive a power cut: [`ArtifactPlace::sync`] is called before the commit.
//! 3. Any number of writers may put the same or other bytes at the same time; a reader never sees half of a file.
//!
//! A file is written beside its place and renamed into it, so it is there at once and whole, and nobody waits for the disk
//! before it matters. Its name is its digest, in folders by the first two digits: `ab/ab12…`.

mod bucket;

use std::{
    fs::{self, File},
    io::{self, Write as _},
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use tollgate_core::{Digest, crash};

pub use self::bucket::ArtifactBucket;

/// Where files are written before they are renamed.
const INCOMING: &str = "incoming";

/// Where artifacts are kept.
#[async_trait]
pub trait ArtifactPlace: Send + Sync + 'static {
    /// Where that is, for people.
    fn location(&self) -> String;

    /// Keeps bytes; they can be read as soon as this returns, and survive whatever comes after [`ArtifactPlace::sync`].
    async fn put(&self, bytes: Arc<[u8]>) -> Result<Digest>;

    /// Makes sure that these artifacts survive a power cut.
    async fn sync(&self, digests: Vec<Digest>) -> Result<()>;

    /// The bytes.
    async fn read(&self, digest: Digest) -> Result<Vec<u8>>;

    /// How many bytes it has, as far as the place says; the bytes are not looked at.
    async fn size_bytes(&self, digest: Digest) -> Result<u64>;
}

/// A folder of artifacts.
#[derive(Debug, Clone)]
pub struct ArtifactFolder {
    root: PathBuf,
    next_incoming: Arc<AtomicU64>,
}

/// Why an artifact cannot be had or kept.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// Nobody ever put it.
    #[error("there is no artifact {digest}")]
    Missing {
        /// Which.
        digest: Digest,
    },
    /// The file holds other bytes than were put.
    #[error(
        "the artifact {digest} is damaged: the bytes in {path} have another digest; restore the file from a backup"
    )]
    Damaged {
        /// Which.
        digest: Digest,
        /// Where it is kept.
        path: PathBuf,
    },
    /// A range beyond the end was asked for.
    #[error("the artifact {digest} has {size_bytes} bytes, and bytes {start} to {end} were asked for")]
    OutOfRange {
        /// Which.
        digest: Digest,
        /// How long it is.
        size_bytes: u64,
        /// Where the range begins.
        start: u64,
        /// Where it ends.
        end: u64,
    },
    /// The bucket failed, or refuses.
    #[error("artifacts cannot be kept: to {doing} {place}: {message}")]
    Bucket {
        /// What was being done, as a verb.
        doing: &'static str,
        /// To what.
        place: String,
        /// In the bucket's own words.
        message: String,
    },
    /// The work of a folder was given up.
    #[error("the folder of artifacts failed: {0}")]
    Abandoned(String),
    /// The disk failed.
    #[error("the folder of artifacts failed while it was to {doing} {path}: {error}")]
    Platform {
        /// What was being done, as a verb.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's words.
        error: io::Error,
    },
}

/// What functions here return.
pub type Result<T> = std::result::Result<T, ArtifactError>;

impl ArtifactFolder {
    /// The folder at `root`, which is made when there is none.
    ///
    /// # Errors
    ///
    /// [`ArtifactError::Platform`].
    pub fn open(root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        let incoming = root.join(INCOMING);
        make_folder(&incoming)?;
        Ok(Self { root, next_incoming: Arc::default() })
    }

    /// The folder at `root` for reading, whether it is there or not.
    pub fn existing(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), next_incoming: Arc::default() }
    }

    /// Keeps `bytes`; they can be read as soon as this returns, and survive a power cut after [`ArtifactFolder::sync`].
    ///
    /// # Errors
    ///
    /// [`ArtifactError::Platform`].
    pub fn put(&self, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        // A file that an earlier power cut left without its bytes is replaced, so it is read and not only looked for.
        if self.read(digest).is_ok() {
            return Ok(digest);
        }
        let path = self.path(digest);
        make_folder(folder_of(&path))?;
        let incoming = self.incoming();
        let written = File::create_new(&incoming).and_then(|mut file| file.write_all(bytes));
        written.map_err(|error| platform("write", &incoming, error))?;
        crash::point("artifact.written");
        fs::rename(&incoming, &path).map_err(|error| platform("rename to", &path, error))?;
        crash::point("artifact.renamed");
        Ok(digest)
    }

    /// Makes sure that these artifacts survive a power cut.
    ///
    /// # Errors
    ///
    /// [`ArtifactError::Missing`] when one was never put, [`ArtifactError::Platform`].
    pub fn sync(&self, digests: &[Digest]) -> Result<()> {
        let mut folders = Vec::new();
        for digest in digests {
            let path = self.path(*digest);
            let file = File::open(&path).map_err(|error| missing_or(*digest, "open", &path, error))?;
            file.sync_all().map_err(|error| platform("sync", &path, error))?;
            folders.push(folder_of(&path).to_owned());
        }
        if folders.is_empty() {
            return Ok(());
        }
        folders.push(self.root.clone());
        folders.sort();
        folders.dedup();
        for folder in folders {
            let synced = File::open(&folder).and_then(|folder| folder.sync_all());
            synced.map_err(|error| platform("sync", &folder, error))?;
        }
        crash::point("artifact.synced");
        Ok(())
    }

    /// The bytes.
    ///
    /// # Errors
    ///
    /// [`ArtifactError::Missing`], [`ArtifactError::Damaged`], [`ArtifactError::Platform`].
    pub fn read(&self, digest: Digest) -> Result<Vec<u8>> {
        let path = self.path(digest);
        let bytes = fs::read(&path).map_err(|error| missing_or(digest, "read", &path, error))?;
        if Digest::of(&bytes) == digest { Ok(bytes) } else { Err(ArtifactError::Damaged { digest, path }) }
    }

    /// Some of the bytes. All of them are read, since the digest is that of all.
    ///
    /// # Errors
    ///
    /// As [`ArtifactFolder::read`], and [`ArtifactError::OutOfRange`].
    pub fn read_range(&self, digest: Digest, range: Range<u64>) -> Result<Vec<u8>> {
        let mut bytes = self.read(digest)?;
        let size_bytes = bytes.len() as u64;
        if range.start > range.end || range.end > size_bytes {
            let Range { start, end } = range;
            return Err(ArtifactError::OutOfRange { digest, size_bytes, start, end });
        }
        // Both ends are at most the length, which is a `usize`.
        bytes.truncate(range.end as usize);
        bytes.drain(..range.start as usize);
        Ok(bytes)
    }

    /// How many bytes it has, as far as the folder says; the bytes are not looked at.
    ///
    /// # Errors
    ///
    /// [`ArtifactError::Missing`], [`ArtifactError::Platform`].
    pub fn size_bytes(&self, digest: Digest) -> Result<u64> {
        let path = self.path(digest);
        let metadata = fs::metadata(&path).map_err(|error| missing_or(digest, "look at", &path, error))?;
        Ok(metadata.len())
    }

    /// Where the bytes are kept.
    pub fn path(&self, digest: Digest) -> PathBuf {
        let name = digest.hex();
        self.root.join(&name[..2]).join(name)
    }

    /// A file name that nobody else uses: other processes have other numbers.
    fn incoming(&self) -> PathBuf {
        let number = self.next_incoming.fetch_add(1, Ordering::Relaxed);
        let unlike_others = tollgate_core::RunId::generate();
        self.root.join(INCOMING).join(format!("{}-{number}-{unlike_others}", std::process::id()))
    }
}

#[async_trait]
impl ArtifactPlace for ArtifactFolder {
    fn location(&self) -> String {
        self.root.display().to_string()
    }

    async fn put(&self, bytes: Arc<[u8]>) -> Result<Digest> {
        self.in_background(move |folder| folder.put(&bytes)).await
    }

    async fn sync(&self, digests: Vec<Digest>) -> Result<()> {
        self.in_background(move |folder| folder.sync(&digests)).await
    }

    async fn read(&self, digest: Digest) -> Result<Vec<u8>> {
        self.in_background(move |folder| folder.read(digest)).await
    }

    async fn size_bytes(&self, digest: Digest) -> Result<u64> {
        self.in_background(move |folder| folder.size_bytes(digest)).await
    }
}

impl ArtifactFolder {
    async fn in_background<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let folder = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&folder)).await;
        done.unwrap_or_else(|panicked| Err(ArtifactError::Abandoned(panicked.to_string())))
    }
}

fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| platform("make", path, error))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().expect("an artifact's file is in a folder")
}

fn platform(doing: &'static str, path: &Path, error: io::Error) -> ArtifactError {
    ArtifactError::Platform { doing, path: path.to_owned(), error }
}

fn missing_or(digest: Digest, doing: &'static str, path: &Path, error: io::Error) -> ArtifactError {
    match error.kind() {
        io::ErrorKind::NotFound => ArtifactError::Missing { digest },
        _ => platform(doing, path, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, ArtifactFolder) {
        let root = tempfile::tempdir().unwrap();
        let folder = ArtifactFolder::open(root.path().join("artifacts")).unwrap();
        (root, folder)
    }

    #[test]
    fn bytes_are_read_back_under_their_digest() {
        let (_root, folder) = folder();
        for bytes in [b"".as_slice(), b"a specification", &[0xff; 70_000]] {
            let digest = folder.put(bytes).unwrap();
            assert_eq!(digest, Digest::of(bytes));
            folder.sync(&[digest]).unwrap();
            assert_eq!(folder.read(digest).unwrap(), bytes);
            assert_eq!(folder.size_bytes(digest).unwrap(), bytes.len() as u64);
        }
    }

    #[test]
    fn a_range_is_part_of_the_bytes_or_refused() {
        let (_root, folder) = folder();
        let digest = folder.put(b"0123456789").unwrap();
        assert_eq!(folder.read_range(digest, 2..5).unwrap(), b"234");
        assert_eq!(folder.read_range(digest, 10..10).unwrap(), b"");
        #[expect(clippy::reversed_empty_ranges, reason = "a caller may compute one")]
        let refused = [0..11, 11..11, 5..4, 0..u64::MAX];
        for range in refused {
            assert!(matches!(folder.read_range(digest, range), Err(ArtifactError::OutOfRange { .. })));
        }
    }

    #[test]
    fn what_is_not_there_is_missing() {
        let (_root, folder) = folder();
        let digest = Digest::of("never put");
        assert!(matches!(folder.read(digest), Err(ArtifactError::Missing { .. })));
        assert!(matches!(folder.size_bytes(digest), Err(ArtifactError::Missing { .. })));
        assert!(matches!(folder.sync(&[digest]), Err(ArtifactError::Missing { .. })));
        folder.sync(&[]).unwrap();
    }

    #[test]
    fn damaged_bytes_are_never_handed_out_and_can_be_put_again() {
        let (_root, folder) = folder();
        let digest = folder.put(b"as it was").unwrap();
        fs::write(folder.path(digest), b"as it is!").unwrap();
        assert!(matches!(folder.read(digest), Err(ArtifactError::Damaged { .. })));
        assert!(matches!(folder.read_range(digest, 0..1), Err(ArtifactError::Damaged { .. })));
        assert_eq!(folder.put(b"as it was").unwrap(), digest);
        assert_eq!(folder.read(digest).unwrap(), b"as it was");
    }

    #[test]
    fn many_writers_of_the_same_bytes_do_not_disturb_each_other() {
        let (_root, folder) = folder();
        let bytes = vec![7; 300_000];
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| {
                    for _ in 0..10 {
                        let digest = folder.put(&bytes).unwrap();
                        assert_eq!(folder.read(digest).unwrap(), bytes);
                    }
                });
            }
        });
        let left = fs::read_dir(folder.root.join(INCOMING)).unwrap().count();
        assert_eq!(left, 0, "nothing is left beside its place");
    }
}

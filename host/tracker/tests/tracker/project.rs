//! A project in a folder of its own, whose clock only the test moves.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use tempfile::TempDir;
use tollgate_core::{Clock as _, Timestamp, effect::Delivered, time::ManualClock};
use tollgate_tracker::{
    Delivery, DeliveryError, DeliveryRequest, FolderConfig, FolderTracker, ItemRef, ScanReport, Tracker as _,
};

/// A project with the folder `backlog`.
pub(crate) struct Project {
    folder: TempDir,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) config: FolderConfig,
}

impl Project {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("backlog")).unwrap();
        let config = FolderConfig::new(folder.path(), "backlog");
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_795_234_020_000)));
        Self { folder, clock, config }
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// Writes a file an hour before the clock's time.
    pub(crate) fn write(&self, relative: &str, content: impl AsRef<[u8]>) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        self.touch(relative, -3_600_000);
    }

    /// Sets when a file was written, relative to the clock's time.
    pub(crate) fn touch(&self, relative: &str, milliseconds: i64) {
        let at = self.clock.now().as_millis() + milliseconds;
        let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(at).unwrap());
        fs::File::open(self.path(relative)).unwrap().set_modified(at).unwrap();
    }

    pub(crate) fn read(&self, relative: &str) -> String {
        fs::read_to_string(self.path(relative)).unwrap()
    }

    /// Every file below a folder of the project that is not hidden.
    pub(crate) fn files(&self, relative: &str) -> Vec<String> {
        let mut files = Vec::new();
        collect(&self.path(relative), self.folder.path(), &mut files);
        files.sort();
        files
    }

    pub(crate) fn tracker(&self) -> FolderTracker {
        FolderTracker::open(self.config.clone(), self.clock.clone()).unwrap()
    }

    pub(crate) fn scan(&self) -> ScanReport {
        scan(&self.tracker())
    }

    pub(crate) fn deliver(&self, what: Delivery) -> Result<Delivered, DeliveryError> {
        self.deliver_for("A-1", Some("backlog/a.md"), what)
    }

    pub(crate) fn deliver_for(
        &self,
        key: &str,
        url: Option<&str>,
        what: Delivery,
    ) -> Result<Delivered, DeliveryError> {
        let item = ItemRef { key: key.into(), url: url.map(str::to_owned) };
        block_on(self.tracker().deliver(DeliveryRequest { item, what, ambiguous: false }))
    }
}

pub(crate) fn scan(tracker: &FolderTracker) -> ScanReport {
    block_on(tracker.scan()).unwrap()
}

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

/// The reason of a refusal.
#[track_caller]
pub(crate) fn refusal(answer: Result<Delivered, DeliveryError>) -> String {
    match answer {
        Ok(Delivered::Refused { reason }) => reason,
        other => panic!("this is no refusal: {other:?}"),
    }
}

/// Whether it was there before, of something that is there now.
#[track_caller]
pub(crate) fn was_there(answer: Result<Delivered, DeliveryError>) -> bool {
    match answer {
        Ok(Delivered::Done { data, .. }) => data["was-there"].as_bool().unwrap(),
        other => panic!("this is not done: {other:?}"),
    }
}

fn collect(folder: &Path, root: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, root, files);
        } else if !path.file_name().unwrap().to_string_lossy().starts_with('.') {
            files.push(path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
        }
    }
}

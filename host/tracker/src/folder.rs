//! A folder of Markdown files as a tracker.
//!
//! * An item is a file that ends in `.md`, with YAML front matter or with headings. Its key is its front matter's `id`, else
//!   the stem of its file. Of two files with one key the first by path is the item; the other is reported.
//! * A file is taken when it has been still for a while. What cannot be read is reported and passed over.
//! * Records stand beside the items, in files that no source reads.
//! * The folder belongs to the store that first marked it.
//!
//! Files are local and small, so the work on them is plain synchronous code on tokio's threads for blocking work.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use ignore::gitignore::Gitignore;
use tollgate_core::{Clock, StoreId, effect::Delivered};

use crate::{
    port::{
        Damaged, Delivery, DeliveryError, DeliveryRequest, FoundClaim, FoundRecord, ItemRef, Ownership,
        RecordReport, ScanReport, Skipped, TakeOver, Tracker, TrackerError,
    },
    record::Section,
};

mod config;

mod created;
mod front_matter;
mod hints;
mod item;
mod plain;
mod scan;
mod settle;

mod files;
mod locate;
mod owner;
mod publish;
mod record_file;
mod shelves;
mod state_move;

pub use config::{ClaimMarker, FolderConfig, FolderConfigError, MoveTable, Names, Shelves};

/// The tracker of one folder.
#[derive(Debug, Clone)]
pub struct FolderTracker {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    config: FolderConfig,
    ignored: Gitignore,
    clock: Arc<dyn Clock>,
    watch: Mutex<settle::Watch>,
    hints: hints::Hints,
    /// Whether items stand in the folder. Where none do, none is looked for: to look through the records for each that is written
    /// takes the longer, the more of them there are.
    has_items: bool,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("config", &self.config).finish_non_exhaustive()
    }
}

impl FolderTracker {
    /// The tracker of the folder that `config` names. Nothing is read yet, and the folder may still be missing.
    ///
    /// # Errors
    ///
    /// When no folder could be read by these settings.
    pub fn open(config: FolderConfig, clock: Arc<dyn Clock>) -> Result<Self, FolderConfigError> {
        Self::with(config, clock, true)
    }

    /// The tracker of a folder that has records and no items.
    ///
    /// # Errors
    ///
    /// As for [`FolderTracker::open`].
    pub(crate) fn of_records(config: FolderConfig, clock: Arc<dyn Clock>) -> Result<Self, FolderConfigError> {
        Self::with(config, clock, false)
    }

    fn with(
        mut config: FolderConfig,
        clock: Arc<dyn Clock>,
        has_items: bool,
    ) -> Result<Self, FolderConfigError> {
        let written = config.folder.clone();
        config.folder = written.trim_start_matches("./").trim_end_matches('/').to_owned();
        if config.folder.is_empty() || config.folder.starts_with('/') {
            return Err(FolderConfigError::Folder(written));
        }
        let suffix = config.records.as_str();
        let word = suffix.strip_prefix('.').and_then(|rest| rest.strip_suffix(".md"));
        if word.is_none_or(|word| word.is_empty() || word.contains('/')) {
            return Err(FolderConfigError::Suffix(suffix.to_owned()));
        }
        let ignored = scan::ignored(&config)?;
        let name = format!("folder:{}", config.folder);
        let (watch, hints) = (Mutex::default(), hints::Hints::default());
        Ok(Self { shared: Arc::new(Shared { name, config, ignored, clock, watch, hints, has_items }) })
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> T + Send + 'static,
    ) -> Result<T, io::Error> {
        let shared = Arc::clone(&self.shared);
        tokio::task::spawn_blocking(move || work(&shared)).await.map_err(io::Error::other)
    }
}

#[async_trait]
impl Tracker for FolderTracker {
    fn name(&self) -> &str {
        &self.shared.name
    }

    async fn claim_ownership(&self, store: StoreId) -> Result<Ownership, TrackerError> {
        self.blocking(move |shared| shared.claim_ownership(store))
            .await
            .map_err(|e| self.shared.io_error(e))?
    }

    async fn take_over(&self, store: StoreId, note: TakeOver) -> Result<(), TrackerError> {
        self.blocking(move |shared| shared.take_over(store, note))
            .await
            .map_err(|e| self.shared.io_error(e))?
    }

    async fn scan(&self) -> Result<ScanReport, TrackerError> {
        self.blocking(Shared::scan).await.map_err(|e| self.shared.io_error(e))?
    }

    async fn changed(&self) {
        if let Err(error) = self.blocking(Shared::watch).await.and_then(|watched| watched) {
            let tracker = &self.shared.name;
            tracing::debug!(%tracker, %error, "cannot be watched; it is read when the backlog says so");
        }
        self.shared.hints.next().await;
    }

    async fn deliver(&self, request: DeliveryRequest) -> Result<Delivered, DeliveryError> {
        if matches!(request.what, Delivery::Claim(_)) && !self.shared.marks_claims() {
            return Ok(Delivered::Done { reference: None, data: serde_json::Value::Null });
        }
        let done = self.blocking(move |shared| shared.deliver(&request)).await;
        done.unwrap_or_else(|error| Err(DeliveryError { message: error.to_string(), retry_after: None }))
    }

    async fn claims(&self) -> Result<Vec<FoundClaim>, TrackerError> {
        if !self.shared.marks_claims() {
            return Ok(Vec::new());
        }
        self.blocking(Shared::claims).await.map_err(|e| self.shared.io_error(e))?
    }

    async fn records(&self) -> Result<RecordReport, TrackerError> {
        self.blocking(Shared::records).await.map_err(|e| self.shared.io_error(e))?
    }
}

impl Shared {
    /// The folder of items without links on the way, so that paths can be compared.
    fn root(&self) -> Result<PathBuf, TrackerError> {
        let root =
            self.config.project.join(&self.config.folder).canonicalize().map_err(|e| self.io_error(e))?;
        if root.is_dir() { Ok(root) } else { Err(self.io_error(io::ErrorKind::NotADirectory.into())) }
    }

    fn io_error(&self, source: io::Error) -> TrackerError {
        let place = self.config.folder.clone();
        match source.kind() {
            io::ErrorKind::NotFound => TrackerError::Missing { place },
            _ => TrackerError::Io { place, source },
        }
    }

    fn claim_ownership(&self, store: StoreId) -> Result<Ownership, TrackerError> {
        let shown = format!("{}/{}", self.config.folder, owner::MARKER);
        let (root, now) = (self.root()?, self.clock.now());
        let ownership = owner::claim(&root, &shown, store, now)?;
        if ownership == Ownership::Owned {
            files::remove_abandoned(&root, now);
        }
        Ok(ownership)
    }

    fn take_over(&self, store: StoreId, note: TakeOver) -> Result<(), TrackerError> {
        let shown = format!("{}/{}", self.config.folder, owner::MARKER);
        let root = self.root()?;
        let _lock = files::FolderLock::take(&root).map_err(|e| self.io_error(e))?;
        owner::take_over(&root, &shown, store, self.clock.now(), note)
    }

    fn scan(&self) -> Result<ScanReport, TrackerError> {
        let root = self.root()?;
        let walk = scan::walk(&self.config, &root, &self.ignored);
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(scan::scan(&self.config, &self.name, walk, &mut watch, self.clock.now()))
    }

    /// Watches the folder from here on. One that is not there yet is watched from when it is, which the next reading finds out.
    fn watch(&self) -> io::Result<()> {
        let root = self.config.project.join(&self.config.folder).canonicalize()?;
        self.hints.watch(&self.config, &root)
    }

    fn deliver(&self, request: &DeliveryRequest) -> Result<Delivered, DeliveryError> {
        let later = |message: String| DeliveryError { message, retry_after: None };
        let root = self.root().map_err(|error| later(error.to_string()))?;
        let failed = |error: io::Error| later(format!("cannot write to {}: {error}", self.config.folder));
        let _lock = files::FolderLock::take(&root).map_err(failed)?;
        let find = || locate::item_file(&self.config, &self.name, &root, &self.ignored, &request.item);
        let found = || self.has_items.then(find).flatten();
        // Every delivery looks at what is there first, so one of unknown outcome needs nothing more.
        match &request.what {
            Delivery::PublishFile { file, bytes, previous } => {
                publish::publish(&self.config, &root, file, bytes, *previous)
            }
            Delivery::SetState(effect) => match found() {
                Some(candidate) => state_move::set_state(&self.config, &candidate, effect, self.clock.now()),
                None => Ok(self.no_such_item(&request.item.key)),
            },
            Delivery::Record(record) => self.append_record(&root, found().as_ref(), &request.item, &**record),
            Delivery::Adopted(adoption) => {
                self.append_record(&root, found().as_ref(), &request.item, &**adoption)
            }
            Delivery::Claim(mark) => match found() {
                Some(candidate) => shelves::claim(&self.config, &root, &candidate, &request.item, mark),
                None => Ok(self.no_such_item(&request.item.key)),
            },
            Delivery::Leave(leave) => {
                shelves::leave(&self.config, &root, found().as_ref(), &request.item, leave, self.clock.now())
            }
        }
    }

    fn append_record(
        &self,
        root: &Path,
        found: Option<&scan::Candidate>,
        item: &ItemRef,
        account: &impl record_file::Account,
    ) -> Result<Delivered, DeliveryError> {
        let path = locate::record_file(&self.config, root, found, item).map_err(|error| DeliveryError {
            message: format!("cannot write to {}: {error}", self.config.folder),
            retry_after: None,
        })?;
        record_file::append(&path, &scan::url(&self.config, root, &path), account)
    }

    fn marks_claims(&self) -> bool {
        self.config.claim_marker != ClaimMarker::None
    }

    fn no_such_item(&self, key: &str) -> Delivered {
        Delivered::Refused { reason: format!("{} has no item `{key}` that can be read", self.config.folder) }
    }

    fn claims(&self) -> Result<Vec<FoundClaim>, TrackerError> {
        let root = self.root()?;
        let walk = scan::walk(&self.config, &root, &self.ignored);
        Ok(shelves::claims(&self.config, &root, &self.name, &walk.candidates))
    }

    fn records(&self) -> Result<RecordReport, TrackerError> {
        let root = self.root()?;
        // What is ignored as an item may still have records.
        let walk = scan::walk(&self.config, &root, &Gitignore::empty());
        let mut report = RecordReport::default();
        for file in walk.record_files {
            match files::read(&file.path, record_file::RECORD_FILE_BYTES_MAX) {
                Ok((bytes, _)) => self.read_records(&file.url, &String::from_utf8_lossy(&bytes), &mut report),
                Err(error) => {
                    report.damaged.push(self.damaged(
                        &file.url,
                        None,
                        format!("it cannot be read: it {error}"),
                    ));
                    report.skipped.push(Skipped { path: file.url, reason: error.to_string() });
                }
            }
        }
        Ok(report)
    }

    /// Adds what stands in a file of records. One in which nothing stands was something else once.
    fn read_records(&self, url: &str, text: &str, report: &mut RecordReport) {
        let crate::record::Sections { records, adoptions, unfinished } = crate::record::read_sections(text);
        if records.is_empty() && adoptions.is_empty() && unfinished.is_empty() {
            report.damaged.push(self.damaged(url, None, "no record can be found in it".to_owned()));
        }
        report.records.extend(records.into_iter().map(|section| self.found_at(url, section)));
        report.adoptions.extend(adoptions.into_iter().map(|section| self.found_at(url, section)));
        report.damaged.extend(
            unfinished.into_iter().map(|(subject, item)| {
                self.damaged(url, item, format!("the record of {subject} has no end"))
            }),
        );
    }

    fn found_at<I, A>(&self, url: &str, section: Section<I, A>) -> FoundRecord<I, A> {
        let Section { id, item, account, integrity } = section;
        let (beside, item) = (self.item_beside(url), item.and_then(|item| self.key_in(&item)));
        FoundRecord { place: url.to_owned(), beside, item, id, account, integrity }
    }

    fn damaged(&self, url: &str, item: Option<String>, reason: String) -> Damaged {
        let item = item.and_then(|item| self.key_in(&item));
        Damaged { place: url.to_owned(), beside: self.item_beside(url), item, reason }
    }

    /// The place of the item whose records these are.
    fn item_beside(&self, url: &str) -> String {
        format!("{}.md", url.strip_suffix(self.config.records.as_str()).unwrap_or(url))
    }

    fn key_in(&self, item: &str) -> Option<String> {
        item.strip_prefix(&self.name)?.strip_prefix('#').map(str::to_owned)
    }
}

//! Looking through the folder.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use ignore::{
    Match,
    gitignore::{Gitignore, GitignoreBuilder},
};
use tollgate_core::Timestamp;
use walkdir::{DirEntry, WalkDir};

use super::{
    config::{FolderConfig, FolderConfigError},
    files::{self, ReadError},
    item::{self, ItemError},
    settle::Watch,
    shelves,
};
use crate::port::{ScanReport, Skipped};

/// The longest file that is read: many times what a person writes, and little enough to read all of a folder.
pub(super) const ITEM_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What explains a folder to the people who keep it; not work to be done.
const IGNORED_ALWAYS: &str = "[Rr][Ee][Aa][Dd][Mm][Ee].[Mm][Dd]";

/// A file whose name says that it is an item.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its path relative to the project, as reports and entries name it.
    pub(super) url: String,
}

/// What a walk through the folder met.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Files that may be items, in the order of their paths.
    pub(super) candidates: Vec<Candidate>,
    /// Record files, in the order of their paths.
    pub(super) record_files: Vec<Candidate>,
    /// What has the name of an item and is none.
    pub(super) skipped: Vec<Skipped>,
    /// Every folder could be read.
    pub(super) complete: bool,
}

/// Which files of the folder are not read.
pub(super) fn ignored(config: &FolderConfig) -> Result<Gitignore, FolderConfigError> {
    let mut builder = GitignoreBuilder::new("");
    let patterns = std::iter::once(IGNORED_ALWAYS).chain(config.ignore.iter().map(String::as_str));
    for pattern in patterns {
        builder.add_line(None, pattern).map_err(|error| pattern_error(pattern, &error))?;
    }
    builder.build().map_err(|error| pattern_error(&config.ignore.join(", "), &error))
}

fn pattern_error(pattern: &str, error: &ignore::Error) -> FolderConfigError {
    FolderConfigError::Pattern { pattern: pattern.to_owned(), message: error.to_string() }
}

/// Walks through the folder at `root`, which has no link in it. Links are never followed: a file that one leads to inside
/// the folder is met by itself.
pub(super) fn walk(config: &FolderConfig, root: &Path, ignored: &Gitignore) -> Walk {
    let mut walk = Walk { complete: true, ..Walk::default() };
    let is_wanted = |entry: &DirEntry| {
        entry.depth() == 0
            || !(is_hidden(entry)
                || is_ignored(config, ignored, root, entry.path(), entry.file_type().is_dir()))
    };
    let mut entries = WalkDir::new(root).sort_by_file_name().into_iter();
    while let Some(entry) = entries.next() {
        match entry {
            Ok(entry) if !is_wanted(&entry) => {
                if entry.file_type().is_dir() {
                    entries.skip_current_dir();
                }
            }
            Ok(entry) => {
                let named_as_item = is_markdown(entry.path()) && entry.depth() > 0;
                if entry.file_type().is_dir() && named_as_item {
                    entries.skip_current_dir();
                }
                meet(config, root, &entry, named_as_item, &mut walk);
            }
            Err(error) => {
                let path = url(config, root, error.path().unwrap_or(root));
                // What was removed since the folder was listed is no trouble.
                if error.io_error().is_none_or(|error| error.kind() != std::io::ErrorKind::NotFound) {
                    walk.skipped
                        .push(Skipped { path, reason: format!("cannot be read: {}", plain_reason(&error)) });
                    walk.complete = false;
                }
            }
        }
    }
    walk
}

fn meet(config: &FolderConfig, root: &Path, entry: &DirEntry, named_as_item: bool, walk: &mut Walk) {
    let url = url(config, root, entry.path());
    let mut skip = |reason: String| walk.skipped.push(Skipped { path: url.clone(), reason });
    let file_type = entry.file_type();
    if file_type.is_symlink() {
        if let Some(reason) = trouble_with_link(root, entry.path(), named_as_item) {
            skip(reason);
        }
    } else if !named_as_item {
    } else if file_type.is_dir() {
        skip("is a folder with the name of an item; rename it".to_owned());
    } else if entry.file_name().to_str().is_none() {
        skip("its name is not UTF-8; rename it".to_owned());
    } else {
        let candidate = Candidate { path: entry.path().to_owned(), url };
        let list = if is_record_file(config, &candidate.url) {
            &mut walk.record_files
        } else {
            &mut walk.candidates
        };
        list.push(candidate);
    }
}

/// What a person should know of a link; nothing of one that stays inside the folder, or that is no item.
fn trouble_with_link(root: &Path, path: &Path, named_as_item: bool) -> Option<String> {
    let Ok(target) = path.canonicalize() else {
        return named_as_item.then(|| "is a link to nothing; remove it or mend it".to_owned());
    };
    if target.starts_with(root) || !(named_as_item || target.is_dir()) {
        return None;
    }
    let to = fs::read_link(path).unwrap_or(target);
    Some(format!("is a link that leads out of the folder, to {}; put the file itself here", to.display()))
}

/// Reads every item.
pub(super) fn scan(
    config: &FolderConfig,
    tracker: &str,
    walk: Walk,
    watch: &mut Watch,
    now: Timestamp,
) -> ScanReport {
    let mut report = ScanReport { skipped: walk.skipped, complete: walk.complete, ..ScanReport::default() };
    let mut taken: HashMap<String, String> = HashMap::new();
    let mut round = watch.begin(now, config.settle);
    for candidate in walk.candidates {
        let stamp = files::stamp(&candidate.path);
        if stamp.as_ref().is_ok_and(|&stamp| !round.is_still(&candidate.path, stamp)) {
            report.unsettled.push(candidate.url);
            continue;
        }
        match read(config, tracker, &candidate) {
            Ok(item) => match taken.get(&item.name.key) {
                Some(first) => {
                    let reason = format!(
                        "has the key `{}` of {first}, which is taken; give it another",
                        item.name.key
                    );
                    report.skipped.push(Skipped { path: candidate.url, reason });
                }
                None => {
                    taken.insert(item.name.key.clone(), candidate.url);
                    report.items.push(item);
                }
            },
            Err(CandidateError::Read(ReadError::Missing)) => {}
            Err(CandidateError::Changing) => report.unsettled.push(candidate.url),
            Err(error) => report.skipped.push(Skipped { path: candidate.url, reason: error.to_string() }),
        }
    }
    round.end();
    report.skipped.sort();
    report
}

/// A candidate that gave no item.
#[derive(Debug, thiserror::Error)]
pub(super) enum CandidateError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Item(#[from] ItemError),
    #[error("is being written just now")]
    Changing,
}

/// Reads one item, and notices when it is written meanwhile.
pub(super) fn read(
    config: &FolderConfig,
    tracker: &str,
    candidate: &Candidate,
) -> Result<tollgate_core::item::SourceItem, CandidateError> {
    let (bytes, stamp) = files::read(&candidate.path, ITEM_BYTES_MAX)?;
    let item = item::read(config, tracker, &candidate.url, &bytes);
    let unchanged = files::stamp(&candidate.path).is_ok_and(|now| now == stamp);
    if !unchanged || stamp.size_bytes != bytes.len() as u64 {
        return Err(CandidateError::Changing);
    }
    Ok(item?)
}

/// Whether a path has the name of a record file.
pub(super) fn is_record_file(config: &FolderConfig, path: &str) -> bool {
    path.to_lowercase().ends_with(&config.records.to_lowercase())
}

/// The path of something in the folder, relative to the project.
pub(super) fn url(config: &FolderConfig, root: &Path, path: &Path) -> String {
    let inside = files::with_slashes(path.strip_prefix(root).unwrap_or(path));
    if inside.is_empty() { config.folder.clone() } else { format!("{}/{inside}", config.folder) }
}

/// What is on a shelf is read as if it were not: a pattern such as `completed/**` hides what people put there, not what we did.
fn is_ignored(config: &FolderConfig, ignored: &Gitignore, root: &Path, path: &Path, is_folder: bool) -> bool {
    let below = shelves::place(config, path.strip_prefix(root).unwrap_or(path)).below;
    !below.as_os_str().is_empty() && matches!(ignored.matched(below, is_folder), Match::Ignore(_))
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

fn is_markdown(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("md"))
}

fn plain_reason(error: &walkdir::Error) -> String {
    error.io_error().map_or_else(|| error.to_string(), ToString::to_string)
}

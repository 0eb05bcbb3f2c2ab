//! Where the file of an item is now: people rename and move files while a run is under way.

use std::{
    io,
    path::{Component, Path, PathBuf},
};

use ignore::gitignore::Gitignore;
use tollgate_core::item::SourceItem;

use super::{
    config::FolderConfig,
    scan::{self, Candidate},
};
use crate::port::ItemRef;

/// The file of an item, where it was last seen if it is still there, else wherever in the folder its key is found.
pub(super) fn item_file(
    config: &FolderConfig,
    tracker: &str,
    root: &Path,
    ignored: &Gitignore,
    item: &ItemRef,
) -> Option<Candidate> {
    let is_it = |candidate: &Candidate| {
        scan::read(config, tracker, candidate).is_ok_and(|found: SourceItem| found.name.key == item.key)
    };
    let last_seen = item.url.as_deref().and_then(|url| candidate_at(config, root, url));
    let candidates = || scan::walk(config, root, ignored).candidates.into_iter();
    last_seen.filter(is_it).or_else(|| candidates().find(is_it))
}

/// Where the records of an item stand: beside its file, or where that was; in the folder itself when nobody knows.
///
/// # Errors
///
/// When a folder on the way cannot be read, or leads out.
pub(super) fn record_file(
    config: &FolderConfig,
    root: &Path,
    found: Option<&Candidate>,
    item: &ItemRef,
) -> io::Result<PathBuf> {
    let last_seen = item.url.as_deref().and_then(|url| candidate_at(config, root, url));
    let beside = found.or(last_seen.as_ref());
    let folder = beside.and_then(|candidate| candidate.path.parent()).filter(|folder| folder.is_dir());
    let name = match beside.and_then(|candidate| candidate.path.file_stem()?.to_str()) {
        Some(stem) => format!("{stem}{}", config.records),
        None => format!("{}{}", file_name_of_key(&item.key), config.records),
    };
    let folder = folder.unwrap_or(root).canonicalize()?;
    if !folder.starts_with(root) {
        return Err(io::Error::other(format!("{} leads out of the folder of items", folder.display())));
    }
    Ok(folder.join(name))
}

pub(super) fn candidate_at(config: &FolderConfig, root: &Path, url: &str) -> Option<Candidate> {
    let inside = url.strip_prefix(config.folder.as_str())?.strip_prefix('/')?;
    let plain = Path::new(inside).components().all(|part| matches!(part, Component::Normal(_)));
    plain.then(|| Candidate { path: root.join(inside), url: url.to_owned() })
}

fn file_name_of_key(key: &str) -> String {
    let name: String =
        key.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
    name.trim_start_matches('.').to_owned()
}

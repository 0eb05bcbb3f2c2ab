//! Folders below the folder of items that say what became of those in them, and marks of claims.
//!
//! An item keeps its path below the shelf that it is on: `a/b.md` is `completed/a/b.md` when it is done, and `a/b.md` again when
//! somebody puts it back. So where it belongs can be told from where it is.
//!
//! Properties wanted:
//!
//! 1. A file is renamed within its file system or stays where it is. What has the name already is never overwritten.
//! 2. Whatever happens in between, asking once more brings about the same.
//! 3. An item that a person moved meanwhile stays where that person put it.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use rustix::fs::{CWD, RenameFlags};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tollgate_core::{HostId, RunId, Timestamp, crash, effect::Delivered, item::Shelf, run::RunState};
use walkdir::WalkDir;

use super::{
    config::{ClaimMarker, FolderConfig},
    files::{self, Existing},
    record_file,
    scan::{self, Candidate},
    settle,
};
use crate::port::{ClaimMark, DeliveryError, FoundClaim, ItemRef, Leave};

/// Where items are while runs work on them.
pub(super) const IN_PROGRESS: &str = "in-progress";

/// How the name of a claim marker ends; what comes before is the stem of the item's file.
pub(super) const MARKER_SUFFIX: &str = ".tollgate-claim";

/// More than a marker ever has.
const MARKER_BYTES_MAX: u64 = 64 * 1024;

/// Where an item is, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place<'p> {
    /// The shelf's folder, relative to the folder of items; none where the item is in neither.
    pub(super) folder: Option<&'p str>,
    /// The item's path below it.
    pub(super) below: &'p Path,
}

/// The place of a path below the folder of items.
pub(super) fn place<'p>(config: &'p FolderConfig, inside: &'p Path) -> Place<'p> {
    let shelves = &config.shelves;
    let in_progress = (config.claim_marker == ClaimMarker::Move).then_some(IN_PROGRESS);
    let folders = [&shelves.done, &shelves.failed, &shelves.escalated].map(|folder| folder.as_deref());
    let shelf = folders.into_iter().chain([in_progress]).flatten();
    let found = shelf
        .filter_map(|folder| Some(Place { folder: Some(folder), below: inside.strip_prefix(folder).ok()? }));
    found
        .min_by_key(|place| place.below.components().count())
        .unwrap_or(Place { folder: None, below: inside })
}

/// What the place of an item says of its work.
pub(super) fn shelf(config: &FolderConfig, url: &str) -> Shelf {
    let inside = url.strip_prefix(config.folder.as_str()).unwrap_or(url).trim_start_matches('/');
    match place(config, Path::new(inside)).folder {
        None | Some(IN_PROGRESS) => Shelf::Open,
        folder if folder == config.shelves.done.as_deref() => Shelf::Done,
        Some(_) => Shelf::OnHold,
    }
}

/// A claim marker, as it is written.
#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    /// Always `tollgate.claim/1`.
    schema: String,
    key: String,
    run: RunId,
    host: HostId,
    since: Timestamp,
}

/// Shows that a run works on an item, in the way that the project chose.
pub(super) fn claim(
    config: &FolderConfig,
    root: &Path,
    candidate: &Candidate,
    item: &ItemRef,
    mark: &ClaimMark,
) -> Result<Delivered, DeliveryError> {
    match config.claim_marker {
        ClaimMarker::None => Ok(done(&candidate.url, true)),
        ClaimMarker::Sidecar => write_marker(&marker_path(&candidate.path), &candidate.url, item, mark),
        ClaimMarker::Move => {
            let inside = candidate.path.strip_prefix(root).unwrap_or(&candidate.path);
            match place(config, inside).folder {
                None => move_to(config, root, candidate, &root.join(IN_PROGRESS).join(inside)),
                Some(_) => Ok(done(&candidate.url, true)),
            }
        }
    }
}

fn write_marker(
    path: &Path,
    shown: &str,
    item: &ItemRef,
    mark: &ClaimMark,
) -> Result<Delivered, DeliveryError> {
    let marker = Marker {
        schema: "tollgate.claim/1".to_owned(),
        key: item.key.clone(),
        run: mark.run,
        host: mark.host.clone(),
        since: mark.since,
    };
    let failed = |error: io::Error| failure(&format!("mark the claim of {shown}"), &error);
    let text = serde_json::to_string_pretty(&marker).map_err(|error| failed(error.into()))? + "\n";
    match files::write(path, text.as_bytes(), Existing::Keep) {
        Ok(()) => return Ok(done(shown, false)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(error)),
    }
    // The store says whose the item is: a marker of ours that another run left behind says what is no longer so.
    if read_marker(path).is_none() {
        let reason =
            format!("the claim of {shown} is not marked: what has the marker's name is none; remove it");
        return Ok(Delivered::Refused { reason });
    }
    files::write(path, text.as_bytes(), Existing::Replace).map_err(failed)?;
    Ok(done(shown, true))
}

/// Takes the mark of a run from an item, and puts the item where the end of the run belongs.
pub(super) fn leave(
    config: &FolderConfig,
    root: &Path,
    found: Option<&Candidate>,
    item: &ItemRef,
    leave: &Leave,
    now: Timestamp,
) -> Result<Delivered, DeliveryError> {
    let last_seen = item.url.as_deref().and_then(|url| super::locate::candidate_at(config, root, url));
    for candidate in found.into_iter().chain(&last_seen) {
        remove_marker(&marker_path(&candidate.path), leave.run)
            .map_err(|error| failure(&format!("take the claim marker from {}", candidate.url), &error))?;
    }
    let Some(candidate) = found else {
        let reason =
            format!("{} has no item `{}` that can be read; nothing is moved", config.folder, item.key);
        return Ok(Delivered::Refused { reason });
    };
    let inside = candidate.path.strip_prefix(root).unwrap_or(&candidate.path);
    let Place { folder, below } = place(config, inside);
    let wanted = wanted_folder(config, leave.ended);
    let target = match (folder, wanted) {
        (None | Some(IN_PROGRESS), Some(wanted)) => root.join(wanted).join(below),
        (Some(IN_PROGRESS), None) => root.join(below),
        // It is there, or a person put it elsewhere. What a crash left half done is its record.
        _ => {
            follow(config, root, below, candidate, leave.run)
                .map_err(|error| failure("move a record", &error))?;
            return Ok(done_at(config, &candidate.url, true));
        }
    };
    if leave.ended.is_some()
        && !files::stamp(&candidate.path).is_ok_and(|stamp| settle::is_old(stamp, now, config.settle))
    {
        let message = format!("{} is being edited; it is moved when it has been still", candidate.url);
        return Err(DeliveryError { message, retry_after: Some(config.settle) });
    }
    match move_to(config, root, candidate, &target)? {
        refused @ Delivered::Refused { .. } if folder == Some(IN_PROGRESS) && wanted.is_some() => {
            // Nobody works on it any more, so it does not stay among what is worked on.
            move_to(config, root, candidate, &root.join(below))?;
            Ok(refused)
        }
        delivered => Ok(delivered),
    }
}

fn wanted_folder(config: &FolderConfig, ended: Option<RunState>) -> Option<&str> {
    let shelves = &config.shelves;
    let folder = match ended? {
        RunState::Done => &shelves.done,
        RunState::Escalated => &shelves.escalated,
        RunState::Failed | RunState::Cancelled => &shelves.failed,
        RunState::Running | RunState::Waiting => &None,
    };
    folder.as_deref()
}

/// Moves an item and its record.
fn move_to(
    config: &FolderConfig,
    root: &Path,
    candidate: &Candidate,
    target: &Path,
) -> Result<Delivered, DeliveryError> {
    let shown = scan::url(config, root, target);
    let failed = |error: io::Error| failure(&format!("move {} to {shown}", candidate.url), &error);
    let folder = target.parent().unwrap_or(root);
    if !files::resolve(folder).map_err(failed)?.starts_with(root) {
        let reason =
            format!("{} is not moved: a link on the way to {shown} leads out of the folder", candidate.url);
        return Ok(Delivered::Refused { reason });
    }
    fs::create_dir_all(folder).map_err(failed)?;
    match rename_new(&candidate.path, target) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let reason =
                format!("{} is not moved: {shown} is there already; rename one of them", candidate.url);
            return Ok(Delivered::Refused { reason });
        }
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let reason = format!("{} is not moved: {shown} is on another file system", candidate.url);
            return Ok(Delivered::Refused { reason });
        }
        Err(error) => return Err(failed(error)),
    }
    crash::point("tracker.move.renamed");
    let record = record_path(config, &candidate.path);
    if record.exists() {
        move_record(&record, &record_path(config, target)).map_err(failed)?;
    }
    Ok(done_at(config, &shown, false))
}

/// Brings the record of a run after its item, where a crash came between the two.
fn follow(
    config: &FolderConfig,
    root: &Path,
    below: &Path,
    candidate: &Candidate,
    run: Option<RunId>,
) -> io::Result<()> {
    let Some(run) = run else { return Ok(()) };
    let to = record_path(config, &candidate.path);
    for from in [root.join(below), root.join(IN_PROGRESS).join(below)] {
        let from = record_path(config, &from);
        if from != to && record_file::has_run(&from, run) {
            move_record(&from, &to)?;
        }
    }
    Ok(())
}

/// A record whose name is taken where it should go stays: an audit finds it wherever it is.
fn move_record(from: &Path, to: &Path) -> io::Result<()> {
    match rename_new(from, to) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            tracing::warn!(from = %from.display(), to = %to.display(), "a record stays where it is: the name is taken");
            Ok(())
        }
        moved => moved,
    }
}

/// Renames a file unless the new name is taken, and makes that durable.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => {}
        // Some file systems cannot look and rename in one go. A second name can be given only where none is.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {
            link_and_remove(from, to)?
        }
        Err(error) => return Err(error.into()),
    }
    for folder in [to.parent(), from.parent()].into_iter().flatten() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn link_and_remove(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && !is_same_file(from, to)? => {
            return Err(error);
        }
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    fs::remove_file(from)
}

fn is_same_file(one: &Path, other: &Path) -> io::Result<bool> {
    let (one, other) = (fs::symlink_metadata(one)?, fs::symlink_metadata(other)?);
    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}

/// Every mark of a claim in the folder.
pub(super) fn claims(
    config: &FolderConfig,
    root: &Path,
    tracker: &str,
    candidates: &[Candidate],
) -> Vec<FoundClaim> {
    let mut claims: Vec<_> = markers(config, root).collect();
    if config.claim_marker == ClaimMarker::Move {
        let in_progress = root.join(IN_PROGRESS);
        let there = candidates.iter().filter(|candidate| candidate.path.starts_with(&in_progress));
        let read = there.filter_map(|candidate| scan::read(config, tracker, candidate).ok());
        claims.extend(
            read.map(|item| FoundClaim { item: ItemRef { key: item.name.key, url: item.url }, run: None }),
        );
    }
    claims
}

fn markers<'a>(config: &'a FolderConfig, root: &'a Path) -> impl Iterator<Item = FoundClaim> + 'a {
    let files = WalkDir::new(root).sort_by_file_name().into_iter().filter_map(Result::ok);
    files.filter_map(move |file| {
        let stem = file.file_name().to_str()?.strip_suffix(MARKER_SUFFIX)?;
        let marker = read_marker(file.path())?;
        let url = scan::url(config, root, &file.path().with_file_name(format!("{stem}.md")));
        Some(FoundClaim { item: ItemRef { key: marker.key, url: Some(url) }, run: Some(marker.run) })
    })
}

fn read_marker(path: &Path) -> Option<Marker> {
    let (bytes, _) = files::read(path, MARKER_BYTES_MAX).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Removes a marker of this run; that of another stays.
fn remove_marker(path: &Path, run: Option<RunId>) -> io::Result<()> {
    let Some(marker) = read_marker(path) else { return Ok(()) };
    if run.is_some_and(|run| run != marker.run) {
        return Ok(());
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => {
            crash::point("tracker.marker.removed");
            Ok(())
        }
    }
}

fn marker_path(item: &Path) -> PathBuf {
    beside(item, MARKER_SUFFIX)
}

fn record_path(config: &FolderConfig, item: &Path) -> PathBuf {
    beside(item, &config.records)
}

fn beside(item: &Path, suffix: &str) -> PathBuf {
    let mut name = item.file_stem().unwrap_or_default().to_owned();
    name.push(suffix);
    item.with_file_name(name)
}

fn done(shown: &str, was_there: bool) -> Delivered {
    Delivered::Done { reference: Some(shown.to_owned()), data: json!({ "was-there": was_there }) }
}

fn done_at(config: &FolderConfig, shown: &str, was_there: bool) -> Delivered {
    let data = json!({ "was-there": was_there, "shelf": shelf(config, shown) });
    Delivered::Done { reference: Some(shown.to_owned()), data }
}

fn failure(doing: &str, error: &io::Error) -> DeliveryError {
    DeliveryError { message: format!("cannot {doing}: {error}"), retry_after: None }
}

//! Hints that something in the folder may have changed.
//!
//! A hint saves waiting for the next reading, and is nothing more. Hints get lost where the system's queue overflows, where there
//! are more folders than it will watch, and on file systems that report nothing; a reading is the truth. What is lost as a whole
//! (a full queue, a folder that was replaced by another) is a hint itself.

use std::{
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;

use super::{config::FolderConfig, scan, shelves};

/// The hints of one folder.
#[derive(Debug, Default)]
pub(super) struct Hints {
    changed: Arc<Notify>,
    watched: Mutex<Option<Watched>>,
}

/// A folder that is being watched.
#[derive(Debug)]
struct Watched {
    /// Device and number of the folder: another one of the same name is not watched yet.
    identity: (u64, u64),
    _watcher: RecommendedWatcher,
}

impl Hints {
    /// Waits for the next hint.
    pub(super) async fn next(&self) {
        self.changed.notified().await;
    }

    /// Watches the folder at `root`, unless it is watched already. What happened before is a hint: nobody saw it.
    pub(super) fn watch(&self, config: &FolderConfig, root: &Path) -> io::Result<()> {
        let metadata = root.metadata()?;
        let identity = (metadata.dev(), metadata.ino());
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.as_ref().is_some_and(|watched| watched.identity == identity) {
            return Ok(());
        }
        *watched = None;
        let watcher = watcher(config.clone(), root.to_owned(), Arc::clone(&self.changed));
        *watched = Some(Watched { identity, _watcher: watcher.map_err(io::Error::other)? });
        self.changed.notify_one();
        Ok(())
    }
}

fn watcher(config: FolderConfig, root: PathBuf, changed: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let folder = root.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // Who watches no longer sees everything may have missed something.
        if event.map_or(true, |event| concerns(&config, &root, &event)) {
            changed.notify_one();
        }
    })?;
    watcher.watch(&folder, RecursiveMode::Recursive)?;
    if let Some(parent) = folder.parent() {
        // Here another folder takes the place of this one.
        watcher.watch(parent, RecursiveMode::NonRecursive)?;
    }
    Ok(watcher)
}

/// Whether an event may be about an item. What Tollgate itself writes beside items is about none.
fn concerns(config: &FolderConfig, root: &Path, event: &Event) -> bool {
    if event.need_rescan() {
        return true;
    }
    let may_be_item = |path: &PathBuf| {
        let Ok(inside) = path.strip_prefix(root) else { return false };
        let is_hidden = inside.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."));
        let is_ours =
            |inside: &str| scan::is_record_file(config, inside) || inside.ends_with(shelves::MARKER_SUFFIX);
        !is_hidden && !inside.to_str().is_some_and(is_ours)
    };
    !matches!(event.kind, EventKind::Access(_)) && event.paths.iter().any(may_be_item)
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, CreateKind, Flag};

    use super::*;

    #[track_caller]
    fn check(kind: EventKind, path: &str, expected: bool) {
        let config = FolderConfig::new("/project", "backlog");
        let event = Event::new(kind).add_path(path.into());
        assert_eq!(concerns(&config, Path::new("/project/backlog"), &event), expected, "{event:?}");
    }

    #[test]
    fn only_what_may_be_an_item_is_worth_a_reading() {
        let created = EventKind::Create(CreateKind::Any);
        check(created, "/project/backlog/a.md", true);
        check(created, "/project/backlog/sub", true);
        check(created, "/project/backlog", true);
        check(created, "/project/backlog/a.tollgate.md", false);
        check(created, "/project/backlog/a.tollgate-claim", false);
        check(created, "/project/backlog/.tollgate-write-1", false);
        check(created, "/project/backlog/.git/index.md", false);
        check(created, "/project/README.md", false);
        check(EventKind::Access(AccessKind::Any), "/project/backlog/a.md", false);
        let overflow = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert!(concerns(
            &FolderConfig::new("/project", "backlog"),
            Path::new("/project/backlog"),
            &overflow
        ));
    }
}

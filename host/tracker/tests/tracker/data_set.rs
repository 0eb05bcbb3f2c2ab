use std::{path::Path, sync::Arc};

use tollgate_core::time::SystemClock;
use tollgate_tracker::{FolderConfig, FolderTracker};

use crate::project::scan;

/// A backlog that people and tools kept for more than a year. It is not part of the repository.
#[test]
fn a_real_backlog_is_read() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/backlog-md");
    if !project.join("backlog").is_dir() {
        println!("skipped: {} is not there", project.display());
        return;
    }
    let tracker =
        FolderTracker::open(FolderConfig::new(project, "backlog"), Arc::new(SystemClock::default())).unwrap();
    let report = scan(&tracker);

    // Some files begin with the same mistake, under one name or another.
    for skipped in &report.skipped {
        assert!(
            skipped.reason.contains("the value needs quotes: ") && skipped.reason.ends_with("\"@MrLesk\""),
            "{skipped}"
        );
    }
    assert_eq!((report.items.len(), report.skipped.len(), report.complete), (571, 21, true));
    assert!(report.items.iter().all(|item| item.created_at.is_some() && !item.title.is_empty()));
    let open: Vec<_> = report.items.iter().filter(|item| !item.closed).collect();
    assert_eq!(open.len(), 37);
    let dependent = open.iter().find(|item| item.name.key == "BACK-200").unwrap();
    let keys: Vec<_> = dependent.depends.iter().map(|dependency| dependency.key.as_str()).collect();
    assert_eq!(keys, ["task-24.1", "task-208"]);
}

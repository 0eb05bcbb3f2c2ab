use std::{fs, time::Duration};

use tollgate_tracker::{FolderTracker, Tracker as _};

use crate::project::Project;

const ITEM: &str = "---\nid: A-1\n---\ntext\n";

/// Waits for hints and reads, until the folder's keys are these.
async fn until_keys(tracker: &FolderTracker, expected: &[&str]) {
    let found = async {
        loop {
            tracker.changed().await;
            let Ok(report) = tracker.scan().await else { continue };
            if report.items.iter().map(|item| item.name.key.as_str()).eq(expected.iter().copied()) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), found).await.expect("a hint comes long before");
}

#[tokio::test]
async fn a_change_is_told_and_so_is_a_folder_in_the_place_of_another() {
    let mut project = Project::new();
    project.config.settle = Duration::ZERO;
    let tracker = project.tracker();
    until_keys(&tracker, &[]).await;
    project.write("backlog/a.md", ITEM);
    until_keys(&tracker, &["A-1"]).await;
    project.write("backlog/below/b.md", ITEM.replace("A-1", "B-1"));
    until_keys(&tracker, &["A-1", "B-1"]).await;
    fs::remove_file(project.path("backlog/a.md")).unwrap();
    until_keys(&tracker, &["B-1"]).await;

    project.write("other/c.md", ITEM.replace("A-1", "C-1"));
    fs::rename(project.path("backlog"), project.path("before")).unwrap();
    fs::rename(project.path("other"), project.path("backlog")).unwrap();
    until_keys(&tracker, &["C-1"]).await;
    project.write("backlog/d.md", ITEM.replace("A-1", "D-1"));
    until_keys(&tracker, &["C-1", "D-1"]).await;
}

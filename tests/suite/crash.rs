//! Kill -9 at every commit point of a run and of its deliveries: the next host finishes the work, and there is exactly one
//! record.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::support::{GOOD_ITEM, Project, command, finish};

/// Where a process may be killed. Each is hit many times in one run.
const POINTS: &[&str] = &[
    "store.commit.before",
    "store.commit.after",
    "deliver.before",
    "deliver.after",
    "tracker.write.synced",
    "tracker.write.renamed",
];

/// Kills the first process at the `count`th visit of `point`, lets a second one go on, and checks what is there then. False when
/// the first process ended before it came to that place so often.
fn kill_and_go_on(point: &str, count: u64) -> bool {
    let project = Project::with_one_item();
    let mut first = command(project.path(), &["run", "--drain", "--workers", "1"]);
    first.env("TOLLGATE_CRASH_AT", format!("{point}:{count}"));
    let first = finish(first);
    let was_killed = first.code.is_none();
    if !was_killed {
        drop(first.expect_code(0));
    }

    let context = format!("{point}:{count}");
    let second = project.run(&["run", "--drain"]);
    assert_eq!(second.code, Some(0), "{context}: {}{}", second.stdout, second.stderr);
    assert_eq!(project.records(), [("backlog/w-1.tollgate.md".to_owned(), 1)], "{context}");
    assert!(project.read("specs/W-1.md").contains("Show the opening hours of a branch"), "{context}");
    assert_eq!(project.read("backlog/w-1.md"), GOOD_ITEM, "{context}: the item was touched");
    let audit = project.run(&["audit", "verify", "--json"]).json(0);
    assert_eq!(audit["problems"], serde_json::json!([]), "{context}");
    let runs = project.run(&["runs", "list", "--json"]).json(0);
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(1), "{context}: {runs}");
    was_killed
}

#[test]
fn a_process_killed_at_any_commit_point_loses_and_doubles_nothing() {
    let killed = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for point in POINTS {
            let killed = &killed;
            scope.spawn(move || {
                let mut count = 1;
                while kill_and_go_on(point, count) {
                    killed.fetch_add(1, Ordering::Relaxed);
                    count += 1;
                    assert!(count < 500, "{point} is visited without end");
                }
                assert!(count > 1, "{point} is never visited");
            });
        }
    });
    assert!(killed.load(Ordering::Relaxed) > 10, "the run has more commit points than that");
}

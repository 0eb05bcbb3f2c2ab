//! Folders whose items move with their work.

use tollgate_core::{
    entry::{EntryState, HoldKind},
    run::RunState,
};
use tollgate_engine::observer::Notice;

use crate::support::{Project, stage};

const MOVES: &str =
    "settle = \"0s\"\non_done = \"completed/\"\non_failed = \"on-hold/\"\non_escalated = \"on-hold/\"";

async fn project(claim_marker: &str, retry_failed: bool) -> Project {
    let pipelines =
        [("good", stage("work", "{ do = \"ok\" }")), ("bad", stage("work", "{ do = \"panic\" }"))];
    let source = format!("{MOVES}\nclaim_marker = \"{claim_marker}\"\nretry_failed = {retry_failed}");
    Project::with_pipelines(&pipelines).await.with_policy("settle = \"0s\"", &source)
}

fn rename(project: &Project, from: &str, to: &str) {
    std::fs::rename(project.path().join("backlog").join(from), project.path().join("backlog").join(to))
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn items_and_records_go_to_their_shelves_and_entries_follow() {
    for claim_marker in ["none", "sidecar", "move"] {
        let project = project(claim_marker, false).await;
        project.item("A-1", "good").item("B-1", "bad");
        let (outcome, heard) = project.drain().await;
        assert_eq!((outcome.done, outcome.failed), (1, 1), "{}", heard.text());
        let there =
            ["completed/A-1.md", "completed/A-1.tollgate.md", "on-hold/B-1.md", "on-hold/B-1.tollgate.md"];
        assert_eq!(project.files(), there, "{claim_marker}");

        // Whatever is read again, what is over stays over, and is known where it is now.
        for _ in 0..3 {
            assert_eq!(project.drain().await.0.done, 0);
        }
        let done = project.store.entry("A-1", None).await.unwrap().status;
        assert_eq!((done.state, done.url.as_deref()), (EntryState::Done, Some("backlog/completed/A-1.md")));
        let failed = project.store.entry("B-1", None).await.unwrap().status;
        assert_eq!(
            (failed.state, failed.url.as_deref()),
            (EntryState::Failed, Some("backlog/on-hold/B-1.md"))
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_item_that_is_moved_back_is_worked_on_again_where_the_project_says_so() {
    for (retry_failed, rounds) in [(true, 2), (false, 1)] {
        let project = project("none", retry_failed).await;
        project.item("B-1", "bad");
        project.drain().await;
        // No reading has seen it on hold.
        rename(&project, "on-hold/B-1.md", "B-1.md");
        project.drain().await;
        let entry = project.store.entry("B-1", None).await.unwrap();
        assert_eq!((entry.status.state, entry.runs.len()), (EntryState::Failed, rounds));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_item_that_is_edited_on_hold_is_no_question_until_it_is_moved_back() {
    let project = project("none", true).await;
    project.item("B-1", "bad");
    project.drain().await;
    let path = project.path().join("backlog/on-hold/B-1.md");
    std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + "More.\n").unwrap();
    assert_eq!(project.drain().await.0.failed, 0);
    assert_eq!(project.store.entry("B-1", None).await.unwrap().status.state, EntryState::Failed);
    rename(&project, "on-hold/B-1.md", "B-1.md");
    assert_eq!(project.drain().await.0.failed, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_item_without_a_date_that_is_read_again_has_not_changed() {
    let project = project("none", false).await;
    let path = project.path().join("backlog/A-1.md");
    std::fs::write(path, "---\nid: A-1\ntitle: Undated\nkind: good\n---\n").unwrap();
    project.drain().await;
    project.drain().await;
    assert_eq!(project.store.entry("A-1", None).await.unwrap().status.state, EntryState::Done);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_item_that_a_person_put_on_hold_waits_until_it_is_moved_back() {
    let project = project("none", false).await;
    std::fs::create_dir(project.path().join("backlog/on-hold")).unwrap();
    project.item("A-1", "good");
    rename(&project, "A-1.md", "on-hold/A-1.md");
    assert_eq!(project.drain().await.0.done, 0);
    let held = project.store.entry("A-1", None).await.unwrap().status;
    assert_eq!(held.holds.iter().map(|hold| hold.kind).collect::<Vec<_>>(), [HoldKind::OnHold]);
    assert_eq!(
        held.holds[0].reason,
        "it is on hold: backlog/on-hold/A-1.md; move it back to have it worked on"
    );
    rename(&project, "on-hold/A-1.md", "A-1.md");
    assert_eq!(project.drain().await.0.done, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_store_left_in_progress_is_put_back_and_that_is_said() {
    for claim_marker in ["sidecar", "move"] {
        let project = project(claim_marker, false).await;
        project.item("A-1", "good");
        if claim_marker == "move" {
            std::fs::create_dir(project.path().join("backlog/in-progress")).unwrap();
            rename(&project, "A-1.md", "in-progress/A-1.md");
        } else {
            let marker = "{\"schema\":\"tollgate.claim/1\",\"key\":\"A-1\",\"run\":\"01M7YV3CNFQMN6Z544ZSKX9TV6\",\
                          \"host\":\"gone-1\",\"since\":\"2026-01-01T00:00:00.000Z\"}";
            std::fs::write(project.path().join("backlog/A-1.tollgate-claim"), marker).unwrap();
        }
        let (outcome, heard) = project.drain().await;
        assert_eq!(outcome.done, 1);
        let is_said = |notice: &Notice| matches!(notice, Notice::PutBack { key, .. } if key == "A-1");
        assert!(heard.all().iter().any(is_said), "{}", heard.text());
        assert_eq!(project.files(), ["completed/A-1.md", "completed/A-1.tollgate.md"]);
        assert_eq!(project.run_of("A-1").await.summary.state, RunState::Done);
    }
}

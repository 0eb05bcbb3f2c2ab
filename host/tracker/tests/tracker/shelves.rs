use std::fs;

use tollgate_core::{HostId, RunId, Timestamp, effect::Delivered, item::Shelf, run::RunState};
use tollgate_tracker::{
    ClaimMark, ClaimMarker, Delivery, DeliveryError, FolderTracker, Leave, Shelves, Tracker as _,
};

use crate::project::{Project, block_on, refusal, scan, was_there};

const ITEM: &str = "---\nid: A-1\n---\ntext\n";

fn project(claim_marker: ClaimMarker) -> Project {
    let mut project = Project::new();
    let shelf = |folder: &str| Some(folder.to_owned());
    project.config.claim_marker = claim_marker;
    project.config.shelves =
        Shelves { done: shelf("completed"), failed: shelf("on-hold"), escalated: shelf("on-hold") };
    project
}

fn claim(project: &Project, run: RunId) -> Result<Delivered, DeliveryError> {
    let mark = ClaimMark { run, host: HostId("desk-1".into()), since: Timestamp::from_millis(0) };
    project.deliver(Delivery::Claim(mark))
}

fn leave(project: &Project, run: RunId, ended: Option<RunState>) -> Result<Delivered, DeliveryError> {
    project.deliver(Delivery::Leave(Leave { run: Some(run), ended }))
}

fn shelves(tracker: &FolderTracker) -> Vec<(String, Shelf, bool)> {
    let items = scan(tracker).items.into_iter();
    items.map(|item| (item.url.unwrap(), item.shelf, item.closed)).collect()
}

#[test]
fn an_item_and_its_record_go_where_the_end_of_the_run_says() {
    for (ended, folder) in [
        (RunState::Done, "completed"),
        (RunState::Failed, "on-hold"),
        (RunState::Cancelled, "on-hold"),
        (RunState::Escalated, "on-hold"),
    ] {
        let project = project(ClaimMarker::None);
        project.write("backlog/sub/a.md", ITEM);
        project.write("backlog/sub/a.tollgate.md", "a record\n");
        let run = RunId::generate();
        assert!(!was_there(leave(&project, run, Some(ended))));
        assert!(was_there(leave(&project, run, Some(ended))), "asking again changes nothing");
        let moved = [format!("backlog/{folder}/sub/a.md"), format!("backlog/{folder}/sub/a.tollgate.md")];
        assert_eq!(project.files("backlog"), moved);
        assert_eq!(project.read(&moved[0]), ITEM);
        let shelf = if ended == RunState::Done { Shelf::Done } else { Shelf::OnHold };
        assert_eq!(shelves(&project.tracker()), [(moved[0].clone(), shelf, shelf == Shelf::Done)]);
    }
}

#[test]
fn what_is_on_a_shelf_is_read_whatever_is_ignored() {
    let mut project = project(ClaimMarker::None);
    project.config.ignore = vec!["completed/**".into(), "drafts/**".into()];
    for path in ["backlog/completed/a.md", "backlog/completed/README.md", "backlog/drafts/b.md"] {
        project.write(path, ITEM);
    }
    let done = ("backlog/completed/a.md".to_owned(), Shelf::Done, true);
    assert_eq!(shelves(&project.tracker()), [done]);
}

#[test]
fn a_name_that_is_taken_is_refused_and_nothing_is_overwritten() {
    for marker in [ClaimMarker::None, ClaimMarker::Move] {
        let project = project(marker);
        project.write("backlog/a.md", ITEM);
        project.write("backlog/completed/a.md", "---\nid: OLD\n---\n");
        let run = RunId::generate();
        claim(&project, run).unwrap();
        let reason = refusal(leave(&project, run, Some(RunState::Done)));
        assert!(
            reason.ends_with("is not moved: backlog/completed/a.md is there already; rename one of them"),
            "{reason}"
        );
        assert_eq!(project.files("backlog"), ["backlog/a.md", "backlog/completed/a.md"]);
        assert_eq!(project.read("backlog/completed/a.md"), "---\nid: OLD\n---\n");
    }
}

#[test]
fn an_item_that_a_person_moved_or_edits_is_left_alone() {
    let project = project(ClaimMarker::None);
    project.write("backlog/on-hold/a.md", ITEM);
    assert!(was_there(leave(&project, RunId::generate(), Some(RunState::Done))));
    assert_eq!(project.files("backlog"), ["backlog/on-hold/a.md"]);
    fs::rename(project.path("backlog/on-hold/a.md"), project.path("backlog/a.md")).unwrap();
    project.touch("backlog/a.md", -500);
    let error = leave(&project, RunId::generate(), Some(RunState::Done)).unwrap_err();
    assert_eq!(error.message, "backlog/a.md is being edited; it is moved when it has been still");
    assert_eq!(error.retry_after, Some(project.config.settle));
}

#[test]
fn a_sidecar_names_the_run_and_is_gone_with_it() {
    let mut project = project(ClaimMarker::Sidecar);
    project.config.shelves = Shelves::default();
    project.write("backlog/a.md", ITEM);
    let [first, second] = [RunId::generate(), RunId::generate()];
    assert!(!was_there(claim(&project, first)));
    let marker: serde_json::Value = serde_json::from_str(&project.read("backlog/a.tollgate-claim")).unwrap();
    assert_eq!(
        (&marker["run"], &marker["host"], &marker["key"]),
        (&first.to_string().into(), &"desk-1".into(), &"A-1".into())
    );
    assert_eq!(shelves(&project.tracker()).len(), 1, "a marker is no item");

    // The next run came before the mark of the one before was taken away.
    claim(&project, second).unwrap();
    leave(&project, first, Some(RunState::Failed)).unwrap();
    assert!(project.path("backlog/a.tollgate-claim").exists(), "it is the mark of another run");
    let found = block_on(project.tracker().claims()).unwrap();
    assert_eq!(found.iter().map(|claim| claim.run).collect::<Vec<_>>(), [Some(second)]);
    leave(&project, second, Some(RunState::Done)).unwrap();
    assert_eq!(project.files("backlog"), ["backlog/a.md"]);

    project.write("backlog/a.tollgate-claim", "a note of a person's");
    assert!(refusal(claim(&project, first)).contains("is not marked"));
    assert_eq!(project.read("backlog/a.tollgate-claim"), "a note of a person's");
}

#[test]
fn an_item_in_progress_goes_on_to_where_it_belongs_or_back() {
    let project = project(ClaimMarker::Move);
    project.write("backlog/sub/a.md", ITEM);
    project.write("backlog/sub/a.tollgate.md", "a record\n");
    let run = RunId::generate();
    assert!(!was_there(claim(&project, run)));
    assert!(was_there(claim(&project, run)));
    assert_eq!(
        project.files("backlog"),
        ["backlog/in-progress/sub/a.md", "backlog/in-progress/sub/a.tollgate.md"]
    );
    assert_eq!(
        shelves(&project.tracker()),
        [("backlog/in-progress/sub/a.md".to_owned(), Shelf::Open, false)]
    );
    let found = block_on(project.tracker().claims()).unwrap();
    assert_eq!(found.iter().map(|claim| claim.item.key.as_str()).collect::<Vec<_>>(), ["A-1"]);

    let back = Delivery::Leave(Leave { run: None, ended: None });
    assert!(!was_there(project.deliver(back)));
    assert_eq!(project.files("backlog"), ["backlog/sub/a.md", "backlog/sub/a.tollgate.md"]);
    claim(&project, run).unwrap();
    leave(&project, run, Some(RunState::Done)).unwrap();
    assert_eq!(
        project.files("backlog"),
        ["backlog/completed/sub/a.md", "backlog/completed/sub/a.tollgate.md"]
    );
    assert_eq!(block_on(project.tracker().claims()).unwrap(), []);
}

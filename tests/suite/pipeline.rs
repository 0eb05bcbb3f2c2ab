//! What a pipeline does with an entry, seen from outside.

use crate::support::{GOOD_ITEM, Project};

#[test]
fn an_item_goes_through_stages_and_gates_and_gets_its_record() {
    let project = Project::with_one_item();
    drop(project.run(&["run", "--drain"]).expect_code(0));
    assert_eq!(project.records(), [("backlog/w-1.tollgate.md".to_owned(), 1)]);
    assert_eq!(project.read("backlog/w-1.md"), GOOD_ITEM, "what a person wrote is not touched");
    let shown = project.run(&["runs", "show", "W-1", "--json"]).json(0);
    assert_eq!(shown["record"]["schema"], "tollgate.record/1");
    assert_eq!(shown["record"]["final"]["state"], "done");
    let steps: Vec<_> =
        shown["record"]["steps"].as_array().expect("steps").iter().map(|step| &step["stage"]).collect();
    assert_eq!(steps.first().and_then(|stage| stage.as_str()), Some("triage"));
    assert_eq!(steps.last().and_then(|stage| stage.as_str()), Some("publish"));
}

#[test]
fn nothing_is_done_twice() {
    let project = Project::with_one_item();
    for _ in 0..3 {
        drop(project.run(&["run", "--drain"]).expect_code(0));
    }
    assert_eq!(project.records(), [("backlog/w-1.tollgate.md".to_owned(), 1)]);
}

#[test]
fn a_changed_record_is_found_by_the_audit() {
    let project = Project::with_one_item();
    drop(project.run(&["run", "--drain"]).expect_code(0));
    let record = project.read("backlog/w-1.tollgate.md");
    project.write("backlog/w-1.tollgate.md", &record.replace("triage", "tirage"));
    let audit = project.run(&["audit", "verify", "--json"]).json(1);
    assert!(audit["problems"].to_string().contains("w-1.tollgate.md"), "{audit}");
}

#[test]
fn a_bad_file_is_named_and_the_rest_goes_on() {
    let project = Project::with_one_item();
    project.write("backlog/broken.md", "---\nassignee: @someone\n---\n");
    let run = project.run(&["run", "--drain"]);
    assert!(format!("{}{}", run.stdout, run.stderr).contains("broken.md"), "{run:?}");
    assert_eq!(project.records().len(), 1);
}

#[test]
fn a_dry_run_writes_nothing() {
    let project = Project::with_one_item();
    let shown = project.run(&["run", "--dry-run"]).expect_code(0);
    assert!(shown.contains("W-1"), "{shown}");
    assert!(project.records().is_empty());
    assert!(!project.path().join(".tollgate").exists());
    assert!(!project.path().join("backlog/.tollgate-owner").exists());
}

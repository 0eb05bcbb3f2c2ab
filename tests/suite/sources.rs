//! What two folders of one backlog, broken files and moved items make of entries, seen from outside.

use serde_json::Value;

use crate::support::{GOOD_ITEM, Project};

/// The table of a second source beside the usual one.
const SECOND: &str = "
[[backlog.work.source]]
folder = \"done\"
settle = \"0s\"
";

fn entry(project: &Project, key: &str) -> Value {
    let entries = project.run(&["backlog", "list", "--limit", "0", "--json"]).json(0);
    let entries = entries["entries"].as_array().expect("a list of entries");
    entries.iter().find(|entry| entry["key"] == key).unwrap_or_else(|| panic!("{key} in {entries:?}")).clone()
}

#[test]
fn an_item_may_depend_on_one_of_another_folder() {
    let project = Project::empty();
    project.change("tollgate.toml", |text| text + SECOND);
    project.write("backlog/w-1.md", &GOOD_ITEM.replace("created:", "depends: [W-9]\ncreated:"));
    project.write("done/none.md", "no item of that key\n");
    drop(project.run(&["run", "--drain"]));
    let held = entry(&project, "W-1");
    assert_eq!(held["holds"][0]["kind"], "dependency-unknown", "{held}");

    project.write("done/w-9.md", &GOOD_ITEM.replace("W-1", "W-9"));
    drop(project.run(&["run", "--drain"]));
    let states = ["W-9", "W-1"].map(|key| entry(&project, key)["state"].clone());
    assert_eq!(states, ["done", "done"]);
}

#[test]
fn a_file_that_stays_broken_hides_nothing_but_itself() {
    let project = Project::with_one_item();
    project.write("backlog/w-2.md", &GOOD_ITEM.replace("W-1", "W-2"));
    drop(project.run(&["run", "--drain"]).expect_code(0));
    project.write("backlog/w-1.md", "---\nassignee: @someone\n---\n");
    std::fs::remove_file(project.path().join("backlog/w-2.md")).expect("the file can be removed");
    for _ in 0..2 {
        drop(project.run(&["run", "--drain"]));
    }
    let states = ["W-1", "W-2"].map(|key| entry(&project, key)["state"].clone());
    assert_eq!(states, ["done", "gone"]);
}

#[test]
fn a_state_that_we_set_is_no_reason_to_work_again_and_one_that_a_person_sets_is() {
    let project = Project::with_one_item();
    project.change("tollgate.toml", |text| {
        let fields = "\n[backlog.work.fields]\nstatus = { type = \"string\", purpose = \"eligibility\", from = \
                      \"front-matter:status\" }\n";
        let eligible = "eligible = 'field.status != \"Cancelled\"'\non_change = \"rerun\"";
        let moves = "settle = \"0s\"\nmove = { done = \"Specified\" }";
        text.replace("eligible = 'true'", eligible).replace("settle = \"0s\"", moves) + fields
    });
    project.change("pipelines/spec.toml", |text| {
        text.replace(
            "grant = [\"effect:publish-file\"]",
            "grant = [\"effect:publish-file\", \"effect:set-state\"]",
        )
        .replace("specs/{key}.md\" }", "specs/{key}.md\", state = \"done\" }")
    });
    let rounds = || {
        drop(project.run(&["run", "--drain"]).expect_code(0));
        entry(&project, "W-1")["rounds"].clone()
    };
    assert_eq!(rounds(), 1);
    assert!(project.read("backlog/w-1.md").contains("status: Specified"));
    assert_eq!(rounds(), 1, "our own move is no change");
    project.change("backlog/w-1.md", |text| text.replace("status: Specified", "status: To Do"));
    assert_eq!(rounds(), 2, "a person moved it back");
    project.change("backlog/w-1.md", |text| text.replace("Readers ask", "Many readers ask"));
    assert_eq!(rounds(), 3, "a person edited it");
    assert_eq!(rounds(), 3);
}

#[test]
fn an_edit_of_what_is_done_is_ignored_or_asked_as_the_backlog_says() {
    for (rule, state, said) in [
        ("ignore", "done", "It was edited since: what it says now was not worked on"),
        ("ask", "held", "It changed after its work was done; retry it to have it worked on again."),
    ] {
        let project = Project::with_one_item();
        project.change("tollgate.toml", |text| {
            text.replace("priority =", &format!("on_change = \"{rule}\"\npriority ="))
        });
        drop(project.run(&["run", "--drain"]).expect_code(0));
        let record = project.read("backlog/w-1.tollgate.md");
        project.change("backlog/w-1.md", |text| text.replace("Readers ask", "Many readers ask"));
        for _ in 0..2 {
            drop(project.run(&["run", "--drain"]).expect_code(0));
        }
        assert_eq!(entry(&project, "W-1")["state"], state, "{rule}");
        let why = project.run(&["why", "W-1"]).expect_code(0);
        assert!(why.contains(said), "{rule}: {why}");
        assert_eq!(project.read("backlog/w-1.tollgate.md"), record, "{rule}");
    }
}

#[test]
fn a_dry_run_reads_a_store_that_was_written_to_and_leaves_it_alone() {
    let project = Project::with_one_item();
    drop(project.run(&["run", "--drain"]).expect_code(0));
    project.write("backlog/w-2.md", &GOOD_ITEM.replace("W-1", "W-2"));
    let shown = project.run(&["run", "--dry-run"]).expect_code(0);
    assert!(shown.contains("W-2") && !shown.contains("W-1"), "{shown}");
    let entries = project.run(&["backlog", "list", "--json"]).json(0);
    assert_eq!(entries["entries"].as_array().map(Vec::len), Some(1), "{entries}");
}

#[test]
fn a_source_inside_another_is_named_by_check_and_nothing_runs() {
    let project = Project::with_one_item();
    project.write("backlog/old/w-2.md", &GOOD_ITEM.replace("W-1", "W-2"));
    project.change("tollgate.toml", |text| text + &SECOND.replace("done", "backlog/old"));
    for command in [&["check"][..], &["run", "--drain"]] {
        let ended = project.run(command);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert_eq!(ended.code, Some(3), "{said}");
        assert!(said.contains("`backlog/old` of backlog `work` is inside the source `backlog`"), "{said}");
    }
    assert!(project.records().is_empty());
}

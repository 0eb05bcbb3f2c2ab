//! A store that is lost is built again from the records beside the items, and nothing runs twice.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use crate::support::{GOOD_ITEM, Project};

/// Every record file with its text.
fn records(project: &Project) -> BTreeMap<String, String> {
    project.records().into_iter().map(|(path, _)| (path.clone(), project.read(&path))).collect()
}

fn states(project: &Project) -> Value {
    project.run(&["report", "coverage", "--json"]).json(0)["backlogs"].clone()
}

fn runs(project: &Project) -> Vec<Value> {
    let listed = project.run(&["runs", "list", "--limit", "0", "--json"]).json(0);
    let mut runs: Vec<_> = listed["runs"].as_array().expect("runs").clone();
    runs.sort_by_key(|run| run["id"].to_string());
    runs
}

fn lose_store(project: &Project) {
    fs::remove_dir_all(project.path().join(".tollgate")).expect("the store can be removed");
}

fn lose_mark(project: &Project) {
    fs::remove_file(project.path().join("backlog/.tollgate-owner")).expect("the mark can be removed");
}

fn exists(project: &Project, path: &str) -> bool {
    Path::new(project.path()).join(path).exists()
}

/// S0-3.
#[test]
fn a_lost_store_is_rebuilt_from_its_records_and_nothing_runs_twice() {
    let project = Project::example("spec-generation");
    // What waits for a person has no record, so it would begin anew.
    drop(project.run(&["run", "--drain"]));
    drop(project.run(&["reject", "LIB-115", "--why", "too long"]).expect_code(0));
    drop(project.run(&["run", "--drain"]));
    let (before, coverage, done) = (records(&project), states(&project), runs(&project));
    assert!(done.len() >= 24, "{} runs", done.len());
    lose_store(&project);

    let refused = project.run(&["run", "--drain"]);
    assert_eq!(refused.code, Some(3), "{}", refused.stderr);
    assert!(refused.stderr.contains("tollgate backlog take-over --reason"), "{}", refused.stderr);
    let mark = project.read("backlog/.tollgate-owner");
    let shown = project.run(&["backlog", "take-over", "--reason", "a look", "--dry-run"]).expect_code(0);
    assert!(shown.contains(&format!("{} runs and 0 adoptions rebuilt", done.len())), "{shown}");
    assert_eq!(project.read("backlog/.tollgate-owner"), mark, "a dry run changes nothing");
    let taken = project.run(&["backlog", "take-over", "--reason", "the disk is gone", "--json"]).json(0);
    assert_eq!(taken["trackers"][0]["runs"].as_u64(), Some(done.len() as u64), "{taken}");
    assert!(project.read("backlog/.tollgate-owner").contains("the disk is gone"));

    let again = project.run(&["run", "--drain"]);
    assert!(again.stdout.contains("nothing to do"), "{}{}", again.stdout, again.stderr);
    assert_eq!(records(&project), before, "records are as they were");
    assert_eq!(states(&project), coverage);
    let rebuilt = runs(&project);
    let facts = |run: &Value| ["id", "state", "round", "cost", "reason"].map(|fact| run[fact].clone());
    assert_eq!(rebuilt.iter().map(facts).collect::<Vec<_>>(), done.iter().map(facts).collect::<Vec<_>>());
    let audit = project.run(&["audit", "verify", "--json"]).json(0);
    assert_eq!(audit["rebuilt"].as_u64(), Some(done.len() as u64));
    assert_eq!(audit["problems"], serde_json::json!([]));

    // What is rebuilt can be worked on again: its next round knows its own work, and is a run with a chain.
    drop(project.run(&["runs", "retry", "LIB-101", "--reason", "once more"]).expect_code(0));
    drop(project.run(&["run", "LIB-101"]).expect_code(0));
    let newest = runs(&project).pop().expect("a run");
    assert_eq!((newest["round"].as_u64(), newest["rebuilt"].as_bool()), (Some(2), Some(false)));
    drop(project.run(&["audit", "verify"]).expect_code(0));
}

#[test]
fn what_does_not_verify_is_held_and_what_changed_since_is_asked() {
    let project = Project::empty();
    for number in 1..=5 {
        let item = GOOD_ITEM
            .replace("W-1", &format!("W-{number}"))
            .replace("a branch\n", &format!("branch {number}\n"));
        project.write(&format!("backlog/w-{number}.md"), &item);
    }
    drop(project.run(&["backlog", "adopt", "W-5", "--evidence", "the page shows them"]).expect_code(0));
    drop(project.run(&["run", "--drain"]).expect_code(0));
    let whole = project.read("backlog/w-1.tollgate.md");
    project.change("backlog/w-1.tollgate.md", |text| text.replace("## Done", "## Failed"));
    project.change("backlog/w-2.tollgate.md", |text| text[..text.len() / 2].to_owned());
    project.write("backlog/w-3.tollgate.md", "Somebody took the records away.\n");
    project.change("backlog/w-4.md", |text| text.replace("Readers ask", "Many readers ask"));
    let before = records(&project);
    lose_store(&project);
    lose_mark(&project);

    let first = project.run(&["run", "--drain"]).expect_code(0);
    assert!(first.contains("nothing to do"), "{first}");
    let entries = project.run(&["backlog", "list", "--json"]).json(0);
    let mut said: Vec<_> = entries["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| {
            let reason = entry["holds"][0]["reason"].as_str().unwrap_or_default();
            let reason: Vec<_> = reason.split(' ').filter(|word| word.len() != 26).collect();
            format!("{} {}: {}", entry["key"].as_str().unwrap_or_default(), entry["state"], reason.join(" "))
        })
        .collect();
    said.sort();
    insta::assert_debug_snapshot!(said, @r#"
    [
        "W-1 \"held\": backlog/w-1.tollgate.md: the record was changed after it was written; restore it and read the records again (`tollgate backlog take-over`)",
        "W-2 \"held\": backlog/w-2.tollgate.md: the record of run has no end; restore it and read the records again (`tollgate backlog take-over`)",
        "W-3 \"held\": backlog/w-3.tollgate.md: no record can be found in it; restore it and read the records again (`tollgate backlog take-over`)",
        "W-4 \"held\": it changed after its work was done; retry it to have it worked on again",
        "W-5 \"done\": ",
    ]
    "#);
    assert_eq!(records(&project), before);
    assert!(project.run(&["audit", "verify"]).expect_code(1).contains("was changed"));

    // A record that is restored is read again.
    project.write("backlog/w-1.tollgate.md", &whole);
    let taken = project.run(&["backlog", "take-over", "--reason", "w-1 is restored"]).expect_code(1);
    assert!(taken.contains("1 run and 0 adoptions rebuilt") && taken.contains("W-2 and W-3"), "{taken}");
    assert_eq!(project.run(&["backlog", "show", "W-1", "--json"]).json(0)["state"], "done");

    // What is held runs by a person's word alone.
    drop(project.run(&["runs", "retry", "W-3", "--reason", "there is no other way"]).expect_code(0));
    drop(project.run(&["run", "--drain"]));
    assert!(exists(&project, "specs/W-3.md"));
    assert_eq!(project.run(&["backlog", "show", "W-2", "--json"]).json(0)["state"], "held");
}

/// What was refined is not in the records that stand beside items: it is found out again, and no work is done again for it.
#[test]
fn a_lost_store_of_a_backlog_with_refine_stages_is_rebuilt_and_refined_again() {
    let project = Project::example("refined-backlog");
    project.change("tollgate.toml", |policy| {
        policy.replace("folder = \"backlog\"", "folder = \"backlog\"\nsettle = \"0s\"")
    });
    drop(project.run(&["run", "--drain"]).expect_code(0));
    let (before, coverage) = (records(&project), states(&project)[0].clone());
    let work =
        |project: &Project| runs(project).into_iter().filter(|run| run["kind"] == "work").collect::<Vec<_>>();
    let done = work(&project);
    assert_eq!(done.len(), 3);
    lose_store(&project);

    let taken = project.run(&["backlog", "take-over", "--reason", "the disk is gone", "--json"]).json(0);
    assert_eq!(
        taken["trackers"].as_array().map(Vec::len),
        Some(1),
        "no internal source, no internal tracker: {taken}"
    );
    assert_eq!(taken["trackers"][0]["runs"], 3, "{taken}");
    drop(project.run(&["run", "--drain"]).expect_code(0));
    let ids = |runs: &[Value]| runs.iter().map(|run| run["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&work(&project)), ids(&done), "nothing is worked on again");
    assert_eq!(records(&project), before);
    let again = states(&project)[0].clone();
    assert_eq!((&again["states"], &again["holds"]), (&coverage["states"], &coverage["holds"]));
    let shown = project.run(&["backlog", "show", "05-wrong-sum-for-children", "--json"]).json(0);
    let told =
        shown["fields_told"].as_array().expect("fields").iter().find(|told| told["name"] == "criteria");
    assert_eq!(told.map(|told| &told["value"]), Some(&serde_json::json!(1)), "{shown}");

    assert_eq!(project.run(&["audit", "verify", "--json"]).json(0)["problems"], serde_json::json!([]));
}

//! Pipelines that branch: the example, and what its page says of it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::Project;

/// The state of every entry, by its key.
fn states(project: &Project) -> BTreeMap<String, String> {
    let list = project.run(&["backlog", "list", "--json"]).json(0);
    let entries = list["entries"].as_array().expect("entries").clone();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    entries.iter().map(|entry| (text(&entry["key"]), text(&entry["state"]))).collect()
}

fn run_of(project: &Project, key: &str) -> Value {
    project.run(&["runs", "show", key, "--json"]).json(0)
}

/// The stages that a run came to, and how each ended.
fn steps(run: &Value) -> Vec<String> {
    let steps = run["record"]["steps"].as_array().expect("a record has steps");
    let stage = |step: &&Value| step["gate"].is_null();
    let name = |step: &Value| format!("{}: {}", step["stage"], step["result"]["kind"]).replace('"', "");
    steps.iter().filter(stage).map(name).collect()
}

#[test]
fn the_example_branches_as_its_page_says() {
    let project = Project::example("branching");
    assert!(project.run(&["check"]).expect_code(0).contains("nothing is wrong"));
    let said = project.run(&["run", "--drain"]);
    assert!(said.stdout.contains("needs an approval: tollgate approve C-2"), "{said:?}");
    let expected = [("C-1", "done"), ("C-2", "busy"), ("C-3", "escalated"), ("C-4", "done")];
    assert_eq!(states(&project), expected.map(|(key, state)| (key.into(), state.into())).into());

    let ordinary = run_of(&project, "C-1");
    assert_eq!(
        steps(&ordinary),
        ["triage: produced", "draft: produced", "copy: not-applicable", "publish: produced"]
    );
    let why_not = &ordinary["record"]["steps"][3]["result"];
    assert_eq!(why_not["inputs"]["field.area"], "reading-room", "{ordinary}");
    assert!(project.read("backlog/C-1.tollgate.md").contains("not applicable"));

    let vague = run_of(&project, "C-3");
    assert_eq!(steps(&vague).last().map(String::as_str), Some("keep: produced"));
    assert!(project.path().join("drafts/C-3.md").exists() && !project.path().join("specs/C-3.md").exists());
    assert_eq!(run_of(&project, "C-4")["pipeline"], "note");
}

/// S0-8: who may answer, what they are told, and what becomes of it.
#[test]
fn a_stage_waits_for_who_the_role_names() {
    let project = Project::example("branching");
    drop(project.run(&["run", "--drain", "C-2"]));
    assert!(project.path().join("accounts/C-2.md").exists() && !project.path().join("specs/C-2.md").exists());
    let why = project.run(&["why", "C-2"]).expect_code(0);
    assert!(
        why.contains("`publish` begins when `maintainer` approves it, since `field.size == \"large\"`"),
        "{why}"
    );
    assert!(why.contains("A member of `maintainer` is asked: `tollgate approve C-2` lets it go on"), "{why}");

    let stranger = project.run(&["approve", "C-2", "--who", "nobody"]);
    assert!(stranger.stderr.contains("`nobody` is not named in the role `maintainer`"), "{stranger:?}");
    assert!(stranger.stderr.contains("ines and tomas can"), "{stranger:?}");
    let more = project.run(&["approve", "C-2", "--who", "ines", "--add", "fuel=1G"]);
    assert!(more.stderr.contains("approve it and add nothing"), "{more:?}");
    assert_eq!(states(&project)["C-2"], "busy");

    let approved = project.run(&["approve", "C-2", "--who", "ines", "--why", "the letter"]).expect_code(0);
    assert!(approved.contains("C-2 may go on with `publish`"), "{approved}");
    let twice = project.run(&["approve", "C-2", "--who", "ines"]);
    assert!(twice.stderr.contains("asks nothing"), "{twice:?}");
    drop(project.run(&["run", "--drain", "C-2"]).expect_code(0));
    let run = run_of(&project, "C-2");
    assert_eq!(run["record"]["decisions"][0]["who"], "ines");
    assert!(project.path().join("specs/C-2.md").exists());
    let shown = project.run(&["runs", "show", "C-2"]).expect_code(0);
    assert!(shown.contains("ines approved publish at"), "{shown}");
    assert!(project.read("backlog/C-2.tollgate.md").contains("the letter"));
    assert_eq!(project.run(&["audit", "verify", "--json"]).json(0)["problems"], serde_json::json!([]));
}

#[test]
fn an_entry_whose_fields_change_takes_the_other_pipeline() {
    let project = Project::example("branching");
    drop(project.run(&["run", "--drain", "C-4"]).expect_code(0));
    assert_eq!(run_of(&project, "C-4")["pipeline"], "note");
    project.change("backlog/C-4.md", |text| text.replace("size: small", "size: normal"));
    drop(project.run(&["run", "--drain", "C-4"]));
    let run = run_of(&project, "C-4");
    assert_eq!((run["pipeline"].as_str(), run["round"].as_u64()), (Some("specification"), Some(2)));
}

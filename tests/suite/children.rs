//! Runs that wait for the entries that they opened, through the binary.

use serde_json::{Value, json};

use crate::{
    internal::project_that_opens,
    support::{Project, repository},
};

/// A project whose item opens `times` entries and waits for them; they go through the stages `leaf`, with the plugins named there.
fn project_that_waits(times: usize, leaf: &str) -> Project {
    let with = format!(
        "{{ entries = [{{ title = \"Part {{n}} of {{key}}\", fingerprint = \"{{key}}/{{n}}\" }}], times = {times}, wait = true }}"
    );
    let project = project_that_opens(&with);
    let guest = repository().join("tests/guests/dist/hostile-stage.wasm");
    std::fs::copy(guest, project.path().join("plugins/hostile-stage.wasm")).expect("the guest was built");
    project.write(
        "pipelines/leaf.toml",
        &format!("owner = \"team\"\nbudget = {{ cost = \"$0.50\", time = \"5m\" }}\n\n{leaf}"),
    );
    project
}

const QUICK: &str = "[[stage]]\nname = \"tell\"\nplugin = \"open-stage@^1\"\n";

fn show(project: &Project, key: &str) -> Value {
    project.run(&["backlog", "show", key, "--json"]).json(0)
}

fn run_of(project: &Project, key: &str) -> Value {
    project.run(&["runs", "show", key, "--json"]).json(0)
}

/// The keys of the entries that runs of `key` opened.
fn children(project: &Project, key: &str) -> Vec<String> {
    let children = show(project, key)["children"].as_array().expect("a list").clone();
    children.iter().map(|child| child["key"].as_str().expect("a key").to_owned()).collect()
}

#[test]
fn a_run_waits_for_what_it_opened_and_goes_on_with_what_became_of_it() {
    let project = project_that_waits(3, QUICK);
    drop(project.run(&["run", "--drain"]).expect_code(0));
    let run = run_of(&project, "W-1");
    let keys = children(&project, "W-1");
    let woken = run["steps"][1]["outcome"]["data"]["woken"].clone();
    assert_eq!(woken["resume"], json!({ "opened": 3 }), "{run}");
    let told = woken["by"]["children"].as_array().unwrap_or_else(|| panic!("{run}")).clone();
    assert_eq!(told.iter().map(|child| child["key"].clone()).collect::<Vec<_>>(), keys);
    let mut cost = 0;
    for child in &told {
        assert_eq!((&child["state"], &child["run_state"]), (&json!("done"), &json!("done")), "{child}");
        let of_run = run_of(&project, child["run"].as_str().expect("a run"));
        assert_eq!(child["cost"], of_run["cost"]);
        cost += child["cost"].as_u64().expect("an amount");
    }
    assert!(cost > 0);
    assert_eq!(woken["by"]["cost"], cost);
    assert_eq!(run["record"]["waits"][0]["by"]["kind"], "children");
    let shown = project.run(&["runs", "show", "W-1"]).expect_code(0);
    assert!(shown.contains(&format!("opened {} “Part 1 of W-1”: done, $", keys[0])), "{shown}");
    assert_eq!(project.run(&["audit", "verify", "--json"]).json(0)["problems"], json!([]));
}

#[test]
fn a_child_that_fails_ends_the_wait_too() {
    let fails =
        "[[stage]]\nname = \"break\"\nplugin = \"hostile-stage@^1\"\nwith = { do = \"unreachable\" }\n";
    let project = project_that_waits(2, fails);
    drop(project.run(&["run", "--drain"]).expect_code(1));
    assert_eq!(show(&project, "W-1")["state"], "done");
    let told = run_of(&project, "W-1")["steps"][1]["outcome"]["data"]["woken"]["by"].clone();
    assert_eq!(told["children"][1]["state"], "failed", "{told}");
    assert!(told["children"][1]["reason"].as_str().is_some_and(|reason| reason.contains("`break` failed")));
}

/// A child that the policy never lets in holds its parent up by name, and a drain ends all the same.
#[test]
fn why_names_the_child_that_holds_its_parent_up() {
    let project = project_that_waits(2, QUICK);
    project.change("tollgate.toml", |text| {
        text.replace("eligible = 'true'", "eligible = 'title != \"Part 2 of W-1\"'")
    });
    drop(project.run(&["run", "--drain"]));
    let keys = children(&project, "W-1");
    assert_eq!(
        (show(&project, &keys[0])["state"].clone(), show(&project, "W-1")["state"].clone()),
        (json!("done"), json!("busy"))
    );
    let why = project.run(&["why", "W-1"]).expect_code(0);
    let waits = format!(
        "waits for what it opened; it waits for the entries that it opened: 1 of 2 is not over yet, {}",
        keys[1]
    );
    assert!(why.contains(&waits), "{why}");
    let held = format!("- Waits for {} (its run opened it), which is held: ", keys[1]);
    assert!(why.contains(&held) && why.contains("`eligible` in tollgate.toml"), "{why}");
    let list = project.run(&["runs", "list"]).expect_code(0);
    assert!(list.contains("1 of 2 is not over yet"), "{list}");

    project.change("tollgate.toml", |text| {
        text.replace("eligible = 'title != \"Part 2 of W-1\"'", "eligible = 'true'")
    });
    drop(project.run(&["run", "--drain"]).expect_code(0));
    assert_eq!(show(&project, "W-1")["state"], "done");
}

#[test]
fn who_runs_one_entry_runs_what_it_opens_as_well() {
    let project = project_that_waits(2, QUICK);
    drop(project.run(&["run", "--drain", "W-1"]).expect_code(0));
    assert_eq!(show(&project, "W-1")["state"], "done");
}

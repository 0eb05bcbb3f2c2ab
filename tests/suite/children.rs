//! Runs that wait for the entries that they opened, through the binary.

use serde_json::{Value, json};

use crate::{
    internal::project_that_opens,
    support::{Project, repository},
};

/// A project whose item opens `times` entries and waits for them; they go through the stages `leaf`, with the plugins named there.
pub(crate) fn project_that_waits(times: usize, leaf: &str) -> Project {
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

pub(crate) fn show(project: &Project, key: &str) -> Value {
    project.run(&["backlog", "show", key, "--json"]).json(0)
}

pub(crate) fn run_of(project: &Project, key: &str) -> Value {
    project.run(&["runs", "show", key, "--json"]).json(0)
}

/// The keys of the entries that runs of `key` opened.
pub(crate) fn children(project: &Project, key: &str) -> Vec<String> {
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

/// A budget that lets two of three children run, until somebody gives it more.
#[test]
fn a_parents_budget_bounds_what_its_children_cost_together() {
    let leaf = "[[stage]]\nname = \"work\"\nplugin = \"hostile-stage@^1\"\nbudget = { fuel = \"1G\" }\nwith = { do = \
                \"many-host-calls\", amount = 500000 }\n";
    let project = project_that_waits(3, leaf);
    project.change("tollgate.toml", |text| text + "\n[prices]\nper_gigafuel = \"$0.10\"\n");
    project.change("pipelines/split.toml", |text| {
        text.replace("cost = \"$0.50\"", "cost = \"$0.20\"").replace(
            "plugin = \"open-stage@^1\"\n",
            "plugin = \"open-stage@^1\"\nbudget = { fuel = \"50M\" }\n",
        )
    });
    drop(project.run(&["run", "--drain"]));
    let keys = children(&project, "W-1");
    let states = || keys.iter().map(|key| show(&project, key)["state"].clone()).collect::<Vec<_>>();
    assert_eq!(states(), ["done", "done", "held"]);
    assert_eq!(show(&project, &keys[2])["holds"][0]["kind"], "budget");
    let why = project.run(&["why", &keys[2]]).expect_code(0);
    assert!(why.contains("The budget of W-1 pays for what its run "), "{why}");
    assert!(why.contains(" left, and this sets $0.10 aside; `tollgate approve W-1 --add 'cost=$0."), "{why}");
    let why = project.run(&["why", "W-1"]).expect_code(0);
    let held = format!("- Waits for {} (its run opened it), which is held: The budget of W-1 pays", keys[2]);
    assert!(why.contains(&held), "{why}");

    let run = run_of(&project, "W-1");
    let (own, family) = (run["cost"].as_u64().expect("an amount"), run["family"].clone());
    let of_children: u64 = keys[..2].iter().filter_map(|key| run_of(&project, key)["cost"].as_u64()).sum();
    assert_eq!((family["cost"].as_u64(), family["escrow"].as_u64()), (Some(of_children), Some(0)), "{run}");
    assert_eq!(family["limit"], 20_000_000);
    assert!(own > 0 && own + of_children <= 20_000_000, "{run}");
    let shown = project.run(&["runs", "show", "W-1"]).expect_code(0);
    assert!(shown.contains("\nwith what it opened $0.1") && shown.contains(" of $0.20\n"), "{shown}");

    let fuel = project.run(&["approve", "W-1", "--add", "fuel=1G"]);
    assert!(fuel.stderr.contains("asks nothing"), "{fuel:?}");
    let asked = project.run(&["escalations", "--json"]).json(0);
    let [escalation] = asked["escalations"].as_array().expect("a list").as_slice() else { panic!("{asked}") };
    assert_eq!((&escalation["kind"], &escalation["key"]), (&"budget".into(), &"W-1".into()));
    let answer = escalation["answers"][0].as_str().expect("a command").to_owned();
    assert!(answer.starts_with("tollgate approve W-1 --add 'cost=$"), "{answer}");
    assert!(project.run(&["escalations"]).expect_code(0).contains(" for more money for what it opened:\n"));
    let said = project.run(&["approve", "W-1", "--add", "cost=$0.05", "--why", "one more", "--who", "ines"]);
    assert!(said.expect_code(0).contains("W-1 may go on with cost=$0.05"));
    drop(project.run(&["run", "--drain"]).expect_code(0));
    assert_eq!(states(), ["done", "done", "done"]);
    let run = run_of(&project, "W-1");
    assert_eq!(run["state"], "done", "{run}");
    assert_eq!(run["record"]["decisions"][0]["who"], "ines");
    assert_eq!(project.run(&["audit", "verify", "--json"]).json(0)["problems"], json!([]));
}

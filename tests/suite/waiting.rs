//! Stages that wait, and parts of what is too large: the examples, and what their pages say of them.

use serde_json::{Value, json};

use crate::support::{Project, Store, on_both};

fn run_of(project: &Project, key: &str) -> Value {
    project.run(&["runs", "show", key, "--json"]).json(0)
}

fn state(project: &Project, key: &str) -> String {
    let shown = project.run(&["backlog", "show", key, "--json"]).json(0);
    shown["state"].as_str().expect("a state").to_owned()
}

/// What a stage of a run handed on.
fn data(run: &Value, stage: &str) -> Value {
    let steps = run["steps"].as_array().expect("steps");
    let last = steps.iter().rfind(|step| step["stage"] == stage);
    last.unwrap_or_else(|| panic!("{run} has no step {stage}"))["outcome"]["data"].clone()
}

on_both! {
    the_example_waits_for_a_person_an_event_and_time_as_its_page_says,
}

fn the_example_waits_for_a_person_an_event_and_time_as_its_page_says(store: Store) {
    let project = Project::example("asking").on(store);
    assert!(project.run(&["check"]).expect_code(0).contains("nothing is wrong"));
    let said = project.run(&["run", "--drain"]);
    assert!(said.stdout.contains("asks a question: tollgate runs answer A-1 …"), "{said:?}");
    assert_eq!(["A-1", "A-2", "A-3"].map(|key| state(&project, key)), ["busy", "busy", "done"]);
    assert_eq!(data(&run_of(&project, "A-3"), "settled")["by"], "at");

    let asked = project.run(&["escalations", "--json"]).json(0);
    assert_eq!(asked["total"], 1, "what waits for an event waits for no person: {asked}");
    let reason = &asked["escalations"][0]["reasons"][0];
    let question = "“Which readers does this concern: Show how many seats of the reading room are free?”";
    assert!(reason.as_str().is_some_and(|reason| reason.contains(question)), "{reason}");
    let why = project.run(&["why", "A-2"]).expect_code(0);
    assert!(why.contains("it waits for the event `deployed-A-2`"), "{why}");

    let answer = ["runs", "answer", "A-1", "all who read there", "--who", "ines"];
    drop(project.run(&answer).expect_code(0));
    let event = |key: &str, data: &str| {
        drop(
            project.run(&["event", &format!("deployed-{key}"), "--data", data, "--who", "ci"]).expect_code(0),
        );
    };
    event("A-2", r#"{"build": 7}"#);
    drop(project.run(&["run", "--drain"]).expect_code(0));
    assert_eq!(["A-1", "A-2"].map(|key| state(&project, key)), ["busy", "done"], "A-1 was not deployed yet");
    event("A-1", r#"{"build": 8}"#);
    drop(project.run(&["run", "--drain"]).expect_code(0));
    assert_eq!(state(&project, "A-1"), "done");

    let told = project.read("announcements/A-1.md");
    assert!(told.contains("# Answer\n\nall who read there\n\nines, "), "{told}");
    assert_eq!(project.read("builds/A-2.json"), "{\n  \"build\": 7\n}\n");
    let run = run_of(&project, "A-1");
    assert_eq!(data(&run, "ask")["said"], "all who read there");
    assert_eq!(run["record"]["decisions"][0]["who"], "ines");
    assert_eq!(project.run(&["audit", "verify", "--json"]).json(0)["problems"], json!([]));
}

/// S3-14, S3-22: what is larger than 5 is opened in ceil(effort/5) parts, and is done when these are.
#[test]
fn the_example_splits_what_is_large_and_waits_for_its_parts_as_its_page_says() {
    let project = Project::example("splitting");
    assert!(project.run(&["check"]).expect_code(0).contains("nothing is wrong"));
    drop(project.run(&["run", "--drain"]));
    let list = project.run(&["backlog", "list", "--json", "--limit", "0"]).json(0);
    let parts: Vec<_> = list["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .filter(|entry| entry["tracker"] == "internal")
        .collect();
    let titles = ["Prices by zones (1 of 3)", "Prices by zones (2 of 3)", "Prices by zones (3 of 3)"];
    assert_eq!(parts.iter().map(|part| &part["title"]).collect::<Vec<_>>(), titles);
    let efforts: Vec<_> = parts
        .iter()
        .map(|part| {
            let shown =
                project.run(&["backlog", "show", part["key"].as_str().expect("a key"), "--json"]).json(0);
            assert_eq!(
                (&shown["state"], &shown["links"][0]["kind"]),
                (&json!("done"), &json!("child-of")),
                "{shown}"
            );
            assert_eq!(shown["links"][0]["to"]["key"], "02-prices-by-zones");
            shown["fields"]["effort"].as_u64().expect("an effort")
        })
        .collect();
    assert_eq!(efforts, [5, 4, 4]);
    assert_eq!(state(&project, "02-prices-by-zones"), "done");
    let split = data(&run_of(&project, "02-prices-by-zones"), "split");
    assert_eq!((&split["effort"], split["done"].as_array().map(Vec::len)), (&json!(13), Some(3)));

    assert_eq!(state(&project, "01-typo"), "done");
    assert_eq!(
        data(&run_of(&project, "01-typo"), "split")["parts"][0]["title"],
        "Typo in the list of harbours"
    );

    // What is no size is a person's to say.
    for (key, state_now, said) in [
        ("03-nobody-knows", "held", "`effort` is missing"),
        ("04-nothing", "escalated", "the effort of 04-nothing is 0"),
        ("05-everything", "escalated", "an effort of 900 makes more than 20 parts of 5"),
    ] {
        assert_eq!(state(&project, key), state_now);
        let why = project.run(&["why", key]).expect_code(0);
        assert!(why.contains(said), "{why}");
    }
    assert_eq!(project.run(&["escalations", "--kind", "escalated", "--json"]).json(0)["total"], 2);
    drop(project.run(&["runs", "retry", "02-prices-by-zones", "--reason", "again"]).expect_code(0));
    drop(project.run(&["run", "--drain", "02-prices-by-zones"]));
    let again = project.run(&["backlog", "list", "--json", "--limit", "0"]).json(0);
    assert_eq!(again["total"], list["total"], "the same parts are found again");
}

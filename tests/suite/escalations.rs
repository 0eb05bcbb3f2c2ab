//! What waits for a person, in one list.

use serde_json::{Value, json};

use crate::support::{GOOD_ITEM, Project, Store, on_both, repository};

fn escalations(project: &Project, args: &[&str]) -> Vec<Value> {
    let list = project.run(&[&["escalations", "--json"], args].concat()).json(0);
    list["escalations"].as_array().expect("a list").clone()
}

/// `kind key` of each.
fn lines(escalations: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    escalations.iter().map(|one| format!("{} {}", text(&one["kind"]), text(&one["key"]))).collect()
}

on_both! {
    what_a_pipeline_asks_and_what_it_gave_up_is_listed_with_what_to_type,
}

fn what_a_pipeline_asks_and_what_it_gave_up_is_listed_with_what_to_type(store: Store) {
    let project = Project::example("branching").on(store);
    drop(project.run(&["run", "--drain"]));
    let found = escalations(&project, &[]);
    let mut kinds = lines(&found);
    kinds.sort();
    assert_eq!(kinds, ["approval C-2", "escalated C-3"], "{found:?}");

    let said = project.run(&["escalations"]).expect_code(0);
    for expected in [
        "C-2 “Close accounts that nobody has used for three years” has waited ",
        " for the approval of maintainer:\n    `publish` begins when `maintainer` approves it",
        "  > tollgate approve C-2\n  > tollgate reject C-2 --why …\n",
        " for maintainer to take it on:\n",
        "    SPEC-003 error: there is no acceptance criterion",
        "  > tollgate runs retry C-3 --reason …\n",
        "2 wait for a person\n",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    assert_eq!(lines(&escalations(&project, &["--kind", "approval"])), ["approval C-2"]);
    assert_eq!(escalations(&project, &["--mine", "--who", "ines"]).len(), 2);
    assert_eq!(escalations(&project, &["--mine", "--who", "nobody"]).len(), 0);
    assert_eq!(escalations(&project, &["--role", "maintainer", "--limit", "1"]).len(), 1);
    let none = project.run(&["escalations", "--kind", "held"]).expect_code(0);
    assert_eq!(none, "nothing of that kind waits for a person\n");
    let unknown = project.run(&["escalations", "--role", "maintaner"]);
    assert!(unknown.stderr.contains("did you mean `maintainer`?"), "{unknown:?}");

    // What is typed answers it.
    for answer in [
        ["approve", "C-2", "--who", "ines", "--why", "yes"],
        ["runs", "retry", "C-3", "--reason", "mended", "--json"],
    ] {
        drop(project.run(&answer).expect_code(0));
    }
    assert_eq!(project.run(&["escalations"]).expect_code(0), "nothing waits for a person\n");
}

/// A question, a budget and an entry that is too like another.
#[test]
fn questions_budgets_and_what_a_person_must_let_in_are_listed() {
    let project = Project::empty();
    let guest = repository().join("tests/guests/dist/hostile-stage.wasm");
    std::fs::create_dir(project.path().join("plugins")).expect("the folder can be made");
    std::fs::copy(guest, project.path().join("plugins/hostile-stage.wasm")).expect("the guest can be copied");
    let stage = "[[stage]]\nname = \"wait\"\nplugin = \"hostile-stage\"\n";
    let ask = "{ do = { wait-for = { any = [{ kind = \"answer\", body = { question = \"which?\" } }] } } }";
    project.write("pipelines/spec.toml", &format!("owner = \"team\"\n\n{stage}with = {ask}\n"));
    project.write(
        "pipelines/small.toml",
        "owner = \"team\"\n\n[[stage]]\nname = \"draft\"\nplugin = \"spec-draft@^1\"\nbudget = { fuel = \"10k\" }\n",
    );
    project.change("tollgate.toml", |text| {
        let pipelines = "pipeline = [{ use = \"small\", when = 'key == \"W-2\"' }, { use = \"spec\" }]\nintake = { duplicates = true }";
        text.replace("pipeline = \"spec\"", pipelines)
    });
    project.write("backlog/w-1.md", GOOD_ITEM);
    let other = "---\nid: W-2\ntitle: Serve tea at the desk\n---\n\nReaders would stay longer.\n";
    project.write("backlog/w-2.md", other);
    project.write("backlog/w-3.md", &GOOD_ITEM.replace("W-1", "W-3").replace("Summary", "In short"));
    drop(project.run(&["run", "--drain"]));

    let found = escalations(&project, &[]);
    let of_kind = |kind: &str| found.iter().find(|one| one["kind"] == kind).unwrap_or(&Value::Null);
    assert_eq!(found.len(), 3, "{found:#?}");
    assert_eq!(of_kind("question")["answers"][0], "tollgate runs answer W-1 …");
    let budget = of_kind("budget");
    assert!(
        budget["answers"][0]
            .as_str()
            .is_some_and(|said| said.starts_with("tollgate approve W-2 --add fuel=")),
        "{budget}"
    );
    assert_eq!(budget["step"], json!({ "stage": "draft", "gate": null }));
    let held = of_kind("held");
    assert_eq!((&held["key"], &held["run"]), (&json!("W-3"), &Value::Null));
    assert_eq!(held["answers"], json!(["tollgate backlog admit W-3 --why …"]));
    assert!(
        held["reasons"][0].as_str().is_some_and(|said| said.contains("It says nearly what W-1 says")),
        "{held}"
    );
    let since = |one: &Value| one["since"].as_str().expect("a time").to_owned();
    assert!(found.windows(2).all(|pair| since(&pair[0]) <= since(&pair[1])), "the longest first: {found:#?}");

    drop(project.run(&["backlog", "admit", "W-3", "--why", "it is another"]).expect_code(0));
    assert_eq!(escalations(&project, &["--kind", "held"]).len(), 0);
}

//! Entries that live in the store alone: added by people, opened by runs.

use serde_json::Value;

use crate::support::{GOOD_ITEM, Project, repository};

/// What lets a backlog take such entries, and two fields to say of them.
const INTERNAL: &str = "
[[backlog.work.source]]
internal = true

[backlog.work.fields]
effort = { type = \"number\", purpose = \"order\", from = \"front-matter:effort\", default = 1 }
risk = { type = \"string\", purpose = \"order\", from = \"label:risk/*\", default = \"low\", values = [\"low\", \"high\"] }
";

/// A pipeline whose first stage opens entries for items of the folder, and nothing for what was opened.
pub(crate) fn opening(with: &str) -> String {
    format!(
        "owner = \"team\"\nbudget = {{ cost = \"$0.50\", time = \"5m\" }}\n\n[[stage]]\nname = \"split\"\nplugin = \
         \"open-stage@^1\"\ngrant = [\"effect:open-entry\"]\nwith = {with}\n\n[[stage]]\nname = \"tell\"\nplugin = \
         \"open-stage@^1\"\ngrant = [\"effect:open-entry\"]\n"
    )
}

/// A project that takes internal entries.
fn project() -> Project {
    let project = Project::empty();
    project.change("tollgate.toml", |text| {
        text.replace(
            "priority = 'age_days'",
            "priority = 'age_days + field.effort + {\"low\": 0, \"high\": 9}[field.risk]'",
        ) + INTERNAL
    });
    project
}

/// The same, whose items go through a stage that opens entries, and whose entries do nothing.
pub(crate) fn project_that_opens(with: &str) -> Project {
    let project = project();
    project.change("tollgate.toml", |text| {
        text.replace(
            "pipeline = \"spec\"",
            "pipeline = [{ use = \"split\", when = 'tracker != \"internal\"' }, { use = \"leaf\" }]",
        )
    });
    std::fs::remove_file(project.path().join("pipelines/spec.toml")).expect("the file is there");
    project.write("pipelines/split.toml", &opening(with));
    project.write("pipelines/leaf.toml", &opening("{}").replace("grant = [\"effect:open-entry\"]\n", ""));
    add_guest(&project);
    project.write("backlog/w-1.md", GOOD_ITEM);
    project
}

fn add_guest(project: &Project) {
    std::fs::create_dir(project.path().join("plugins")).expect("a folder can be made");
    let guest = repository().join("tests/guests/dist/open-stage.wasm");
    std::fs::copy(guest, project.path().join("plugins/open-stage.wasm")).expect("the guest was built");
}

fn add(project: &Project, args: &[&str]) -> Value {
    project.run(&[&["backlog", "add", "--json"], args].concat()).json(0)
}

fn show(project: &Project, key: &str) -> Value {
    project.run(&["backlog", "show", key, "--json"]).json(0)
}

fn body() -> &'static str {
    GOOD_ITEM.split_once("---\n\n").expect("an item has front matter").1
}

#[test]
fn an_entry_that_a_person_adds_is_judged_run_recorded_and_audited_like_any_other() {
    let project = project();
    let title = "Show the opening hours of a branch";
    let added = add(
        &project,
        &[
            "--key",
            "REL-1",
            "--title",
            title,
            "--body",
            body(),
            "--kind",
            "task",
            "--label",
            "web",
            "--field",
            "effort=3",
            "--field",
            "risk=HIGH",
        ],
    );
    assert_eq!(
        (&added["key"], &added["state"]),
        (&"REL-1".into(), &"held".into()),
        "nothing is applied yet: {added}"
    );
    drop(project.run(&["run", "--drain"]).expect_code(0));

    let shown = show(&project, "REL-1");
    assert_eq!(shown["state"], "done", "{shown}");
    assert_eq!(shown["tracker"], "internal");
    assert_eq!(shown["fields"], serde_json::json!({ "effort": 3, "risk": "high" }));
    assert_eq!(shown["labels"], serde_json::json!(["web", "risk/HIGH"]));
    assert_eq!(shown["score_thousandths"], 12_000);
    assert!(project.read("specs/REL-1.md").contains(title));
    assert_eq!(project.records(), [(".tollgate/internal/REL-1.tollgate.md".to_owned(), 1)]);
    let run = project.run(&["runs", "show", "REL-1", "--json"]).json(0);
    assert_eq!(run["record"]["entry"]["tracker"], "internal", "{run}");
    let audit = project.run(&["audit", "verify", "--json"]).json(0);
    assert_eq!((&audit["problems"], &audit["records_delivered"]), (&serde_json::json!([]), &1.into()));

    project.change(".tollgate/internal/REL-1.tollgate.md", |text| text.replace("Done", "Gone"));
    let audit = project.run(&["audit", "verify", "--json"]).json(1);
    assert!(audit["problems"][0].as_str().is_some_and(|said| said.contains("was changed")), "{audit}");
}

#[test]
fn to_add_the_same_entry_again_changes_nothing_and_with_its_key_what_it_says() {
    let project = project();
    let change = |args: &[&str]| {
        let added = add(&project, args);
        (
            added["change"].as_str().expect("a word").to_owned(),
            added["key"].as_str().expect("a key").to_owned(),
        )
    };
    let (first, key) = change(&["--title", "Count the copies"]);
    assert_eq!(
        (first.as_str(), change(&["--title", "Count the copies"])),
        ("created", ("none".into(), key.clone()))
    );
    assert_ne!(change(&["--title", "Count the copies", "--kind", "task"]).1, key);

    let (first, key) = change(&["--title", "One", "--fingerprint", "scan:7"]);
    assert_eq!(
        (first.as_str(), change(&["--title", "Two", "--fingerprint", "scan:7"])),
        ("created", ("revised".into(), key.clone()))
    );
    assert_eq!(show(&project, &key)["title"], "Two");

    assert_eq!(change(&["--title", "One", "--key", "REL-1"]), ("created".into(), "REL-1".into()));
    assert_eq!(change(&["--title", "One", "--key", "REL-1"]), ("none".into(), "REL-1".into()));
    assert_eq!(change(&["--title", "One", "--key", "REL-1", "--depends-on", "REL-2"]).0, "revised");
    assert_eq!(show(&project, "REL-1")["links"][0]["to"]["key"], "REL-2");

    project.write(
        "entry.json",
        r#"{"title": "One", "fingerprint": "scan:8", "links": [{"kind": "member-of", "key": "REL-1"}]}"#,
    );
    let file = project.path().join("entry.json").display().to_string();
    let (first, key) = change(&["--file", &file]);
    assert_eq!((first.as_str(), change(&["--file", &file]).0.as_str()), ("created", "none"));
    assert_eq!(show(&project, &key)["links"][0]["kind"], "member-of");
}

#[test]
fn what_cannot_be_added_is_refused_with_the_reason_and_changes_nothing() {
    let project = project();
    let second = "\n[backlog.other]\nowner = \"team\"\npipeline = \"spec\"\neligible = 'true'\norder_by = [\"key\"]\n\n\
                  [[backlog.other.source]]\nfolder = \"other\"\n";
    project.change("tollgate.toml", |text| text + second);
    add(&project, &["--key", "A", "--title", "Waits", "--depends-on", "B"]);
    add(&project, &["--key", "C", "--title", "Waits too", "--depends-on", "A"]);
    let cases: &[(&[&str], &str)] = &[
        (&["--title", "x", "--backlog", "wrok"], "there is no backlog `wrok`; did you mean `work`?"),
        (&["--title", "x", "--backlog", "other"], "the backlog `other` takes no entries that somebody opens"),
        (
            &["--title", "x", "--field", "efort=3"],
            "the field `efort` is not declared in `work`; did you mean `effort`?",
        ),
        (&["--title", "x", "--field", "effort=much"], "the field `effort` is `much`; expected a number"),
        (&["--title", "x", "--field", "risk=some"], "the field `risk` is `some`; expected `low`, `high`"),
        (
            &["--title", "x", "--label", "risk/low", "--field", "risk=high"],
            "is read from label:risk/*, which says something else",
        ),
        (&["--title", "x", "--key", "a b"], "`a b` is no key"),
        (&["--title", " "], "`title` is no line of text"),
        (&["--title", "x", "--key", "D", "--depends-on", "D"], "`depends-on` links `D` to itself"),
        (&["--title", "x", "--key", "B", "--depends-on", "C"], "it would wait for itself: B → C → A → B"),
        (&["--title", "x", "--key", "A", "--fingerprint", "z"], "internal#A is there already"),
        (&["--title", "x", "--fingerprint", "A", "--key", "E"], "internal#A has the fingerprint `A` already"),
    ];
    for (args, words) in cases {
        let ended = project.run(&[&["backlog", "add"], *args].concat());
        assert_eq!(ended.code, Some(3), "{args:?}: {}{}", ended.stdout, ended.stderr);
        assert!(ended.stderr.contains(words), "{args:?}: {}", ended.stderr);
    }
    for (text, words) in
        [("[]", "is no entry"), ("{\"title\": \"x\", \"colour\": 1}", "unknown field `colour`")]
    {
        project.write("entry.json", text);
        let file = project.path().join("entry.json").display().to_string();
        let said = project.run(&["backlog", "add", "--file", &file]).stderr;
        assert!(said.contains(words), "{said}");
    }
    let entries = project.run(&["backlog", "list", "--json"]).json(0);
    assert_eq!(entries["total"], 2, "{entries}");
}

#[test]
fn a_link_to_nothing_holds_until_there_is_something() {
    let project = project();
    project.write("backlog/w-1.md", &GOOD_ITEM.replace("created:", "depends: [internal#REL-1]\ncreated:"));
    add(&project, &["--key", "REL-2", "--title", "After", "--body", body(), "--depends-on", "W-1"]);
    drop(project.run(&["run", "--drain"]));
    for (key, kind) in [("W-1", "dependency-unknown"), ("REL-2", "dependency")] {
        assert_eq!(show(&project, key)["holds"][0]["kind"], kind, "{key}");
    }
    add(&project, &["--key", "REL-1", "--title", "Before", "--body", body()]);
    drop(project.run(&["run", "--drain"]).expect_code(0));
    for key in ["REL-1", "W-1", "REL-2"] {
        assert_eq!(show(&project, key)["state"], "done", "{key}");
    }
}

#[test]
fn a_stage_opens_entries_that_run_like_any_other_and_is_told_their_keys() {
    let with = "{ entries = [{ title = \"Part {n} of {key}\", body = \"text\", kind = \"task\", labels = [\"part\"], fields = { \
                effort = 2 }, fingerprint = \"{key}/{n}\" }], times = 3 }";
    let project = project_that_opens(with);
    drop(project.run(&["run", "--drain"]).expect_code(0));
    let parent = show(&project, "W-1");
    let children = parent["children"].as_array().expect("a list").clone();
    assert_eq!(children.len(), 3, "{parent}");
    let run = project.run(&["runs", "show", "W-1", "--json"]).json(0);
    let told =
        run["steps"][1]["outcome"]["data"]["delivered"].as_array().unwrap_or_else(|| panic!("{run}")).clone();
    for (child, told) in children.iter().zip(&told) {
        assert_eq!(told["reference"], child["key"], "{told}");
        assert_eq!(told["data"]["created"], true);
        let shown = show(&project, child["key"].as_str().expect("a key"));
        assert_eq!((&shown["state"], &shown["fields"]["effort"]), (&"done".into(), &2.into()), "{shown}");
        let link = &shown["links"][0];
        assert_eq!(
            (&link["kind"], &link["to"]["key"], &link["source"]),
            (&"child-of".into(), &"W-1".into(), &"effect:open-entry".into())
        );
    }
    assert_eq!(project.records().len(), 4);
    let why = project.run(&["why", "W-1"]).expect_code(0);
    assert!(why.contains("Its runs opened 3 entries: "), "{why}");
    let why = project.run(&["why", children[0]["key"].as_str().expect("a key")]).expect_code(0);
    assert!(why.contains("A run of W-1 opened it, which is done."), "{why}");

    drop(project.run(&["runs", "retry", "W-1", "--reason", "once more"]).expect_code(0));
    drop(project.run(&["run", "--drain"]).expect_code(0));
    let again = show(&project, "W-1");
    assert_eq!(
        (&again["rounds"], &again["children"]),
        (&2.into(), &parent["children"]),
        "nothing was opened twice"
    );
    assert_eq!(project.run(&["audit", "verify", "--json"]).json(0)["problems"], serde_json::json!([]));
}

#[test]
fn what_a_stage_may_not_open_is_refused_and_fails_its_run_with_a_sentence() {
    for (entry, words) in [
        ("{ title = \"x\", backlog = \"nowhere\" }", "there is no backlog `nowhere`"),
        ("{ title = \"x\", fields = { colour = \"red\" } }", "the field `colour` is not declared in `work`"),
        (
            "{ title = \"x\", links = [{ kind = \"child-of\", key = \"W-1\" }] }",
            "`child-of` is said by the host",
        ),
    ] {
        let project = project_that_opens(&format!("{{ entries = [{entry}] }}"));
        drop(project.run(&["run", "--drain"]).expect_code(1));
        let why = project.run(&["why", "W-1"]).expect_code(0);
        assert!(why.contains(words), "{why}");
        assert_eq!(project.run(&["backlog", "list", "--json"]).json(0)["total"], 1);
    }
}

#[test]
fn entries_that_open_entries_end_at_the_depth_of_their_backlog() {
    let project =
        project_that_opens("{ entries = [{ title = \"Part of {key}\", fingerprint = \"{run}\" }] }");
    project.change("tollgate.toml", |text| {
        text.replace(
            "pipeline = [{ use = \"split\", when = 'tracker != \"internal\"' }, { use = \"leaf\" }]",
            "pipeline = \"split\"\nintake = { depth = 2 }",
        )
    });
    std::fs::remove_file(project.path().join("pipelines/leaf.toml")).expect("the file is there");
    drop(project.run(&["run", "--drain"]).expect_code(1));
    let entries = project.run(&["backlog", "list", "--json"]).json(0);
    assert_eq!(entries["total"], 3, "the item, its child, and the child of that: {entries}");
    let failed =
        entries["entries"].as_array().expect("a list").iter().find(|entry| entry["state"] == "failed");
    let why =
        project.run(&["why", failed.expect("one failed")["key"].as_str().expect("a key")]).expect_code(0);
    assert!(why.contains("entries open others 2 deep at most"), "{why}");
}

#[test]
fn more_than_the_intake_of_a_backlog_is_held_and_let_in_by_a_person() {
    let with = "{ entries = [{ title = \"Part {n} of {key}\" }], times = 4 }";
    let project = project_that_opens(with);
    project.change("tollgate.toml", |text| {
        text.replace(
            "eligible = 'true'",
            "eligible = 'true'\nintake = { per_author = \"2 / 1h\", per_origin = 3 }",
        )
    });
    drop(project.run(&["run", "--drain"]).expect_code(0));
    let children = show(&project, "W-1")["children"].as_array().expect("a list").clone();
    let states: Vec<_> = children.iter().map(|child| child["state"].as_str().expect("a state")).collect();
    assert_eq!(states, ["done", "done", "held", "held"]);
    let last = children[3]["key"].as_str().expect("a key");
    let why = project.run(&["why", last]).expect_code(0);
    assert!(why.contains("is held for 2 reasons"), "{why}");
    assert!(why.contains("Of the author tollgate:split, 2 entries came in within 1h"), "{why}");
    assert!(why.contains("W-1 and what came of it led to 3 entries already"), "{why}");
    assert!(why.contains(&format!("`tollgate backlog admit {last} --why …` lets it in.")), "{why}");
    let said = project.run(&["backlog", "admit", last, "--why", "needed"]).expect_code(0);
    assert!(said.contains(&format!("{last} was let in; it is ready")), "{said}");
    drop(project.run(&["run", "--drain"]).expect_code(0));
    assert_eq!(show(&project, last)["state"], "done");
    assert_eq!(project.run(&["backlog", "admit", last, "--why", "again"]).code, Some(3));
}

#[test]
fn an_item_that_a_record_was_pasted_into_is_held() {
    let project = Project::with_one_item();
    drop(project.run(&["run", "--drain"]).expect_code(0));
    let record = project.read("backlog/w-1.tollgate.md");
    project.write("backlog/w-2.md", &(GOOD_ITEM.replace("W-1", "W-2") + &record));
    drop(project.run(&["run", "--drain"]));
    let held = show(&project, "W-2");
    assert_eq!(held["holds"][0]["kind"], "own-output", "{held}");
    drop(project.run(&["backlog", "admit", "W-2", "--why", "it is meant"]).expect_code(0));
    assert_eq!(show(&project, "W-2")["state"], "ready");
}

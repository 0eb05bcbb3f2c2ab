//! Entries that are refined before they are judged (S0-5, S0-12, S1-8): on arrival and on change, once, and never silently.

use serde_json::{Value, json};

use crate::support::{GOOD_ITEM, Project};

/// Order and route are decided by what `triage` finds, where nobody says otherwise.
const POLICY: &str = r#"
[instance]
lease = "5s"

[backlog.work]
owner = "team"
pipeline = [{ use = "large", when = 'field.effort >= 8' }, { use = "spec" }]
refine = [{ plugin = "triage@^1", budget = { fuel = "50M" } }]
eligible = '!("draft" in labels)'
priority = 'field.impact'

[[backlog.work.source]]
folder = "backlog"
settle = "0s"

[backlog.work.fields]
impact = { type = "number", purpose = "order", from = ["front-matter:impact", "refine:triage.impact"], trust = "text" }
effort = { type = "number", purpose = "routing", from = ["front-matter:effort", "refine:triage.effort"], trust = "text" }
"#;

fn project() -> Project {
    let project = Project::empty();
    project.write("tollgate.toml", POLICY);
    project.write("pipelines/large.toml", &project.read("pipelines/spec.toml"));
    project
}

/// An item that passes, with these lines more in its front matter.
fn item(project: &Project, key: &str, title: &str, lines: &str) {
    let text = GOOD_ITEM
        .replace("id: W-1\n", &format!("id: {key}\n{lines}"))
        .replace("title: Show the opening hours of a branch", &format!("title: {title}"));
    project.write(&format!("backlog/{key}.md"), &text);
}

fn drain(project: &Project) {
    drop(project.run(&["run", "--drain", "--workers", "1"]).expect_code(0));
}

/// Kind, key and pipeline of every run, oldest first.
fn runs(project: &Project) -> Vec<String> {
    let runs = project.run(&["runs", "list", "--json", "--limit", "0"]).json(0);
    let line = |run: &Value| {
        format!("{} {} {}", text(&run["kind"]), text(&run["entry"]["key"]), text(&run["pipeline"]))
    };
    runs["runs"].as_array().expect("a list of runs").iter().rev().map(line).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn shown(project: &Project, key: &str) -> Value {
    project.run(&["backlog", "show", key, "--json"]).json(0)
}

/// The value of a field and whose word it is.
fn told(project: &Project, key: &str, field: &str) -> (Value, String) {
    let shown = shown(project, key);
    let told = shown["fields_told"].as_array().expect("fields").iter().find(|told| told["name"] == field);
    let told = told.unwrap_or_else(|| panic!("{shown} tells of no {field}"));
    (told["value"].clone(), text(&told["source"]).to_owned())
}

#[test]
fn entries_are_refined_first_and_then_run_in_the_order_and_by_the_route_that_gives() {
    let project = project();
    item(&project, "A", "Rename the docs folder", "");
    item(&project, "B", "Fix the wrong sum of fees", "");
    item(&project, "C", "Migrate the search to a new index, it crashes", "");
    item(&project, "D", "Fix the crash of the export", "labels: [draft]\n");
    drain(&project);
    assert_eq!(
        runs(&project),
        [
            "refine A refine",
            "refine B refine",
            "refine C refine",
            "work C large",
            "work B spec",
            "work A spec",
        ],
        "what does not enter is not refined"
    );
    assert_eq!(told(&project, "C", "effort"), (json!(8), "refine:triage.effort".to_owned()));
    assert_eq!(shown(&project, "C")["score_thousandths"], 8000);
    assert_eq!(told(&project, "D", "effort"), (Value::Null, "not refined".to_owned()));

    // Trackers hear of work alone, and the audit knows of both.
    let records = ["A", "B", "C"].map(|key| (format!("backlog/{key}.tollgate.md"), 1));
    assert_eq!(project.records(), records);
    let audit = project.run(&["audit", "verify", "--json"]).json(0);
    assert_eq!(audit["problems"], json!([]));
    assert_eq!(audit["runs"], 6);
    let record = project.run(&["runs", "show", "C", "--json"]).json(0);
    assert_eq!(
        record["record"]["entry"]["fields"]["effort"], 8,
        "what was found is what the work began with"
    );
}

#[test]
fn what_is_refined_is_refined_again_when_what_is_read_of_it_changes_and_only_then() {
    let project = project();
    item(&project, "A", "Rename the docs folder", "");
    drain(&project);
    drain(&project);
    assert_eq!(runs(&project), ["refine A refine", "work A spec"]);

    // It waits for its work again, so what it says now counts.
    item(&project, "A", "Rename the docs folder", "team: desk\n");
    item(&project, "B", "Fix the wrong sum of fees", "not_read: 1\n");
    drain(&project);
    assert_eq!(runs(&project)[2..], ["refine B refine", "work B spec"], "nobody reads the team of A");
    project.write("tollgate.toml", &POLICY.replace("priority =", "on_change = \"rerun\"\npriority ="));
    item(&project, "A", "Fix the crash of the export", "");
    drain(&project);
    assert_eq!(runs(&project)[4..], ["refine A refine", "work A spec"]);
    assert_eq!(told(&project, "A", "impact").0, 8);

    // To ask something else of the stage is to have all that waits refined again.
    item(&project, "C", "Fix the wrong sum of fees", "depends: [GONE-1]\n");
    drain(&project);
    assert_eq!(runs(&project)[6..], ["refine C refine"], "a dependency does not keep it from being refined");
    assert_eq!(told(&project, "C", "impact").0, 5);
    project.change("tollgate.toml", |policy| {
        policy.replace(
            "budget = { fuel = \"50M\" }",
            "with = { rules = [{ words = [\"fees\"], impact = 13 }] }",
        )
    });
    drain(&project);
    assert_eq!(runs(&project)[7..], ["refine C refine"]);
    assert_eq!(told(&project, "C", "impact").0, 13);
}

/// An item whose text takes more fuel to read than others.
fn long_item(project: &Project, key: &str) {
    item(project, key, "Fix the wrong sum of fees", "");
    project.change(&format!("backlog/{key}.md"), |text| {
        text + &"The kiosk printed another line of its log, and the reader went home.\n".repeat(4_000)
    });
}

fn lean_project() -> Project {
    let project = project();
    project.write("tollgate.toml", &POLICY.replace("50M", "9M"));
    project
}

fn why(project: &Project, key: &str) -> String {
    project.run(&["why", key]).expect_code(0)
}

#[test]
fn a_refine_run_that_asks_or_fails_keeps_its_entry_and_no_other() {
    let project = lean_project();
    long_item(&project, "A");
    item(&project, "B", "Rename the docs folder", "");
    let lines = project.run(&["run", "--drain"]);
    assert_eq!(lines.code, Some(1), "{lines:?}");
    assert_eq!(runs(&project), ["refine A refine", "refine B refine", "work B spec"]);
    assert!(why(&project, "A").contains("is begun, and waits for a person"), "{}", why(&project, "A"));

    drop(project.run(&["reject", "A", "--why", "it is a log"]).expect_code(0));
    drop(project.run(&["run", "--drain"]).expect_code(1));
    let held = shown(&project, "A");
    assert_eq!((&held["state"], &held["holds"][0]["kind"]), (&json!("held"), &json!("refine-failed")));
    let said = why(&project, "A");
    assert!(said.contains("It could not be refined: ") && said.contains("it is a log"), "{said}");
    assert!(said.contains("`tollgate runs retry A --reason …` has it refined once more"), "{said}");
    drain(&project);
    assert_eq!(runs(&project).len(), 3, "it is not refined again by itself, and never worked on");

    drop(project.run(&["runs", "retry", "A", "--reason", "the log matters"]).expect_code(0));
    drop(project.run(&["run", "--drain"]).expect_code(1));
    drop(project.run(&["approve", "A", "--add", "fuel=2G"]).expect_code(0));
    // Its work reads the text as well, with the fuel of its own pipeline.
    drop(project.run(&["run", "--drain"]).expect_code(0));
    assert_eq!(runs(&project)[3..], ["refine A refine", "work A spec"]);
    assert_eq!(told(&project, "A", "impact"), (json!(5), "refine:triage.impact".to_owned()));
}

#[test]
fn what_changes_while_it_is_refined_is_refined_once_more() {
    let project = lean_project();
    long_item(&project, "A");
    drop(project.run(&["run", "--drain"]).expect_code(1));
    item(&project, "A", "Fix the crash of the export", "");
    drop(project.run(&["approve", "A", "--add", "fuel=2G"]).expect_code(0));
    drain(&project);
    assert_eq!(runs(&project), ["refine A refine", "refine A refine", "work A spec"]);
    assert_eq!(told(&project, "A", "impact").0, 8);
}

#[test]
fn what_a_person_sets_wins_until_it_is_taken_back() {
    let project = project();
    item(&project, "A", "Rename the docs folder", "");
    item(&project, "B", "Fix the crash of the export", "impact: 4\n");
    item(&project, "C", "Fix the wrong sum of fees", "");
    // Nothing of A and C is begun.
    drop(project.run(&["run", "B", "--drain"]).expect_code(0));
    assert_eq!(told(&project, "B", "impact"), (json!(4), "front-matter:impact".to_owned()));

    let set = |args: &[&str]| project.run(&[&["backlog", "set"], args].concat());
    let said = set(&["A", "impact=13", "--who", "anna", "--why", "the auditors ask"]).expect_code(0);
    assert!(said.starts_with("`impact` of A is 13 now, as anna says\nA is held"), "{said}");
    drop(set(&["C", "effort=8"]).expect_code(0));
    drain(&project);
    assert_eq!(runs(&project)[2..], ["refine A refine", "refine C refine", "work C large", "work A spec"]);
    assert_eq!(told(&project, "A", "impact"), (json!(13), "person".to_owned()));
    assert!(why(&project, "A").contains("anna set `impact` to 13 at "), "{}", why(&project, "A"));
    drop(set(&["B", "impact=2"]).expect_code(0));
    assert_eq!(told(&project, "B", "impact").0, 2, "before its source as well");

    for key in ["A", "B"] {
        drop(set(&[key, "impact="]).expect_code(0));
    }
    assert_eq!(told(&project, "A", "impact"), (json!(3), "refine:triage.impact".to_owned()));
    assert_eq!(told(&project, "B", "impact"), (json!(4), "front-matter:impact".to_owned()));

    let refused = |args: &[&str], expected: &str| {
        let refused = set(args);
        assert_eq!(refused.code, Some(3), "{args:?}: {refused:?}");
        assert!(refused.stderr.contains(expected), "{args:?}: {}", refused.stderr);
    };
    refused(&["A", "impact=lots"], "`impact` is `lots`; expected a number");
    refused(&["A", "impct=3"], "did you mean `impact`?");
    refused(&["A", "effort=3", "impact"], "`impact` says no value");
    assert_eq!(told(&project, "A", "effort").1, "refine:triage.effort", "all or nothing");
    let again = set(&["A", "impact="]);
    assert!(again.code != Some(0) && again.stderr.contains("nothing to take back"), "{again:?}");
}

#[test]
fn a_value_of_another_type_holds_its_entry_and_names_whose_it_is() {
    let project = project();
    let from_criteria = POLICY.replace("refine:triage.effort", "refine:triage.kind");
    project.write(
        "tollgate.toml",
        &from_criteria
            .replace("\"number\", purpose = \"routing\"", "\"bool\", purpose = \"routing\"")
            .replace("field.effort >= 8", "field.effort"),
    );
    item(&project, "A", "Fix the crash of the export", "");
    item(&project, "B", "Fix the wrong sum of fees", "effort: true\n");
    drain(&project);
    assert_eq!(runs(&project), ["refine A refine", "refine B refine", "work B large"]);
    let held = shown(&project, "A");
    assert_eq!(held["holds"][0]["kind"], "field-invalid");
    assert_eq!(held["holds"][0]["reason"], "`effort` of refine:triage.kind is `bug`; expected true or false");
}

/// Impact and effort by the words of a team (S3-5, S3-24), what is refined and what is ready (S3-22), and the flag that it is large
/// (S1-8), as the example's page says.
#[test]
fn the_example_is_refined_ordered_and_kept_out_as_its_page_says() {
    let project = Project::example("refined-backlog");
    project.change("tollgate.toml", |policy| {
        policy.replace("folder = \"backlog\"", "folder = \"backlog\"\nsettle = \"0s\"")
    });
    assert!(project.run(&["check"]).expect_code(0).contains("nothing is wrong"));
    drain(&project);
    let [crash, typo, zones, nicer, children, captain] = [
        "01-booking-crashes-on-a-full-ferry",
        "02-typo-in-the-price-list",
        "03-migrate-prices-to-zones",
        "04-the-page-should-be-nicer",
        "05-wrong-sum-for-children",
        "06-talk-to-the-captain",
    ];
    let work = |key: &str, pipeline: &str| format!("work {key} {pipeline}");
    assert_eq!(runs(&project)[5..], [work(zones, "large"), work(crash, "small"), work(typo, "small")]);
    for (key, impact, effort) in [(crash, 8, 3), (typo, 3, 2), (zones, 13, 8)] {
        assert_eq!(told(&project, key, "impact").0, impact, "{key}");
        assert_eq!(told(&project, key, "effort").0, effort, "{key}");
    }
    assert!(project.path().join(format!("designs/{zones}.md")).is_file());
    // New, refined and not ready, and a draft that nobody reads.
    let held = |key: &str| {
        let hold = &shown(&project, key)["holds"][0];
        (text(&hold["kind"]).to_owned(), text(&hold["subject"]).to_owned())
    };
    assert_eq!(held(nicer), ("not-eligible".into(), "field.criteria >= 1".into()));
    assert_eq!(told(&project, nicer, "criteria").0, 0);
    assert_eq!(held(children).0, "no-pipeline");
    assert_eq!(told(&project, children, "criteria"), (json!(1), "refine:reading.criteria".to_owned()));
    assert_eq!(held(captain), ("not-eligible".into(), "!(\"draft\" in labels)".into()));
    assert_eq!(told(&project, captain, "effort"), (Value::Null, "not refined".to_owned()));

    let tests = "tests=Two children, and one child";
    drop(project.run(&["backlog", "set", children, "impact=9", tests, "--who", "anna"]).expect_code(0));
    drain(&project);
    assert_eq!(runs(&project)[8..], [work(children, "small")], "what it was found to say still holds");
    assert_eq!(told(&project, children, "impact"), (json!(9), "person".to_owned()));
    assert_eq!(project.run(&["audit", "verify", "--json"]).json(0)["problems"], json!([]));
}

//! Work that was done before Tollgate: found, told apart, adopted, and not done again.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::Project;

/// A backlog of 340 items. 57 have a label that says they are done, and one of these was opened again; two of the 57 say the same,
/// and so does one of them and one that is open. Three more are in a list, which names one of them twice.
fn backlog() -> Project {
    let project = Project::empty();
    project.change("tollgate.toml", |text| {
        let done = "done = { when = '\"has-spec\" in labels', doubt = '\"reopened\" in labels' }\npriority =";
        text.replace("priority =", done)
    });
    for number in 1..=340 {
        let labels = match number {
            57 => "[has-spec, reopened]",
            1..=56 => "[has-spec]",
            _ => "[]",
        };
        let title = match number {
            2 => "Work: number 1!".to_owned(),
            100 => "Number 3 work".to_owned(),
            _ => format!("Work number {number}"),
        };
        // What waits for an adopted one can go on.
        let depends = if number == 200 { "[S-004]" } else { "[]" };
        let item = format!(
            "---\nid: S-{number:03}\ntitle: \"{title}\"\nlabels: {labels}\ndepends: {depends}\ncreated: 2026-01-01\n---\n\n## Summary\n\n\
             Part {number} shall say what it does.\n\n## Acceptance Criteria\n\n- [ ] The page of part {number} says what it does\n\n\
             ## Out of scope\n\nOther parts.\n"
        );
        project.write(&format!("backlog/s-{number:03}.md"), &item);
    }
    project.write(
        "done.txt",
        "# closed in spring\nS-301 https://wiki/301\nS-302\nS-303 pull 7\nS-301 https://wiki/301b\n",
    );
    project
}

fn adopt(project: &Project, args: &[&str], code: i32) -> Value {
    project.run(&[&["backlog", "adopt", "--json"], args].concat()).json(code)
}

fn keys(found: &Value) -> Vec<&str> {
    found.as_array().expect("a list").iter().map(|found| found["key"].as_str().expect("a key")).collect()
}

fn states(project: &Project) -> BTreeMap<String, u64> {
    let report = project.run(&["report", "coverage", "--json"]).json(0);
    let states = report["backlogs"][0]["states"].as_object().expect("states").clone();
    let mut states: BTreeMap<_, _> =
        states.into_iter().map(|(state, entries)| (state, entries.as_u64().expect("a number"))).collect();
    states.insert("adopted".into(), report["backlogs"][0]["adopted"].as_u64().expect("a number"));
    states.retain(|_, entries| *entries > 0);
    states
}

/// S0-2, S0-3: 340 issues, 60 done, 3 of them more than once.
#[test]
fn what_was_done_before_is_adopted_once_and_never_run() {
    let project = backlog();
    let shown = adopt(&project, &["--file", "done.txt", "--dry-run"], 0);
    assert!(!project.path().join(".tollgate").exists(), "a dry run makes nothing");
    assert_eq!(shown["certain"].as_array().map(Vec::len), Some(59));
    assert_eq!(keys(&shown["doubtful"]), ["S-057", "S-100"]);
    let twice: Vec<_> =
        shown["twice_done"].as_array().expect("a list").iter().map(|twice| &twice["entries"]).collect();
    assert_eq!(serde_json::to_string(&twice).expect("JSON"), r#"[["S-301"],["S-001","S-002"]]"#);

    let adopted = adopt(&project, &["--file", "done.txt"], 0);
    assert_eq!(
        (adopted["adopted"].as_u64(), adopted["certain"].as_array().map(Vec::len)),
        (Some(59), Some(59))
    );
    assert_eq!(
        states(&project),
        BTreeMap::from([("adopted".into(), 59), ("done".into(), 59), ("ready".into(), 281)])
    );
    let records = project.records();
    assert_eq!(records.len(), 59);
    let record = project.read("backlog/s-301.tollgate.md");
    assert!(record.contains("https://wiki/301b") && record.contains("tollgate.adopted/1"), "{record}");

    // Again, everything is as it was.
    let again = adopt(&project, &["--file", "done.txt"], 0);
    assert_eq!((again["adopted"].as_u64(), again["adopted_before"].as_u64()), (Some(0), Some(59)));
    assert_eq!(project.read("backlog/s-301.tollgate.md"), record);

    // A doubtful one is adopted by its name, with the doubt on record.
    let named = adopt(&project, &["S-057"], 0);
    assert_eq!(named["adopted"], 1);
    assert!(project.read("backlog/s-057.tollgate.md").contains("in spite of"));

    drop(project.run(&["run", "S-200", "S-004", "S-301"]).expect_code(0));
    let runs = project.run(&["runs", "list", "--json"]).json(0);
    let worked: Vec<_> =
        runs["runs"].as_array().expect("runs").iter().map(|run| &run["entry"]["key"]).collect();
    assert_eq!(worked, ["S-200"], "what is adopted is not worked on, and what waited for it is");
    assert_eq!(states(&project)["adopted"], 60);
    let audit = project.run(&["audit", "verify", "--json"]).json(0);
    assert_eq!((audit["adoptions"].as_u64(), &audit["problems"]), (Some(60), &serde_json::json!([])));
}

#[test]
fn who_adopted_an_entry_is_said_and_taken_back() {
    let project = Project::with_one_item();
    let refused = adopt(&project, &["W-1", "--evidence", "the page shows them since May"], 0);
    assert_eq!(refused["adopted"], 1);
    let said = project.run(&["why", "W-1"]).expect_code(0);
    assert!(said.contains("done before Tollgate") && said.contains("since May"), "{said}");
    let shown = project.run(&["backlog", "show", "W-1"]).expect_code(0);
    assert!(shown.contains("adopted      by "), "{shown}");
    drop(project.run(&["run", "--drain"]).expect_code(0));
    assert!(!project.path().join("specs").exists(), "it is not worked on");

    drop(project.run(&["runs", "retry", "W-1", "--reason", "the page is gone"]).expect_code(0));
    drop(project.run(&["run", "--drain"]).expect_code(0));
    assert!(project.path().join("specs/W-1.md").exists());
    assert_eq!(project.records(), [("backlog/w-1.tollgate.md".to_owned(), 2)]);
    let refused = adopt(&project, &["W-1", "--evidence", "again"], 1);
    assert_eq!(refused["refused"][0]["reason"], "it is done by a run; there is nothing to adopt");
    drop(project.run(&["audit", "verify"]).expect_code(0));
}

#[test]
fn two_signs_must_agree_and_names_are_found_however_they_are_written() {
    let project = Project::with_one_item();
    project.write(
        "backlog/w-2.md",
        &crate::support::GOOD_ITEM.replace("W-1", "W-2").replace("opening", "closing"),
    );
    project.change("tollgate.toml", |text| {
        let done = "done = { when = 'key == \"W-1\"', file = \"specs/{key}.md\" }\npriority =";
        text.replace("priority =", done)
    });
    project.write("specs/W-2.md", "a specification\n");
    let doubts = |found: &Value| -> Vec<String> {
        let found = found["doubtful"].as_array().expect("a list");
        found.iter().map(|found| found["doubts"].to_string()).collect()
    };
    let shown = adopt(&project, &["--dry-run"], 0);
    insta::assert_debug_snapshot!(doubts(&shown), @r#"
    [
        "[\"specs/W-1.md is not there, where its work would have left it\"]",
        "[\"specs/W-2.md is there, and `done` of the backlog work is not true for it\"]",
    ]
    "#);

    project.write("done.csv", "Issue;Name;Closed\nw-1;Show the opening hours;2099-01-01\nW-3;x;\n");
    let columns = [
        "--csv",
        "done.csv",
        "--column",
        "key=Issue",
        "--column",
        "title=Name",
        "--column",
        "done-at=Closed",
    ];
    let shown = adopt(&project, &[&columns[..], &["--dry-run"]].concat(), 1);
    assert_eq!(doubts(&shown).len(), 2);
    assert_eq!(shown["refused"][0]["reason"], "done.csv:3 names it, and no source has an entry of that key");
    let text = project.run(&[&["backlog", "adopt", "--dry-run"], &columns[..]].concat()).expect_code(1);
    insta::assert_snapshot!(text, @r#"
    DOUBTFUL  TITLE                               EVIDENCE                                                        DOUBT
    W-1       Show the opening hours of a branch  `done` of the backlog work: `key == "W-1"` is true; done.csv:2  specs/W-1.md is not there, where its work would have left it; done.csv:2 says `w-1`, and the entry is W-1; done.csv:2 calls it “Show the opening hours”; done.csv:2 says that it was done at 2099-01-01T00:00:00.000Z, which is still to come
    W-2       Show the closing hours of a branch  specs/W-2.md: it is there                                       specs/W-2.md is there, and `done` of the backlog work is not true for it

    NOT ADOPTED  WHY
    W-3          done.csv:3 names it, and no source has an entry of that key

    0 entries would be adopted; nothing was changed; 2 doubtful, adopted when you name them
    "#);
}

#[test]
fn nothing_to_go_by_is_a_mistake_with_advice() {
    let project = Project::with_one_item();
    let ended = project.run(&["backlog", "adopt"]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("nothing says what was done before"), "{}", ended.stderr);
}

//! Why an entry does not run, what comes first, and what is declared: the answers of `why`, `backlog rank`, `backlog schema` and
//! `check`.

use std::{io::Write as _, process::Stdio};

use insta::assert_snapshot;
use tollgate_core::{Clock as _, time::SystemClock};

use crate::support::{GOOD_ITEM, Project, command};

const FIELDS: &str = r#"
[backlog.work.fields]
priority = { type = "string", purpose = "order", from = "front-matter:priority", default = "low", values = ["high", "low"] }
not_before = { type = "timestamp", purpose = "constraint", from = "front-matter:not_before", required = false }
"#;

/// A project that is ordered by priority and weeks, five at most, with a store and a lane.
fn project() -> Project {
    let project = Project::empty();
    let priority = "'{\"high\": 3, \"low\": 1}[field.priority] + min(floor(age_days / 7), 5)'";
    let policy = project.read("tollgate.toml").replace("'age_days'", priority);
    project.write("tollgate.toml", &format!("{policy}{FIELDS}"));
    item(&project, "FIRST", "priority: high\n");
    drop(project.run(&["run", "--drain"]).expect_code(0));
    project
}

/// An item that passes, with these lines more in its front matter, and old enough for all its weeks.
fn item(project: &Project, key: &str, lines: &str) {
    let text = GOOD_ITEM.replace("id: W-1\n", &format!("id: {key}\n{lines}"));
    project.write(&format!("backlog/{key}.md"), &text);
}

/// Reads the items in without working on any: `FIRST` is done already.
fn read_in(project: &Project) {
    drop(project.run(&["run", "FIRST", "--drain"]).expect_code(0));
}

/// What commands say, one after the other.
fn said(project: &Project, commands: &[&[&str]]) -> String {
    let say = |args: &&[&str]| {
        let ended = project.run(args);
        let code = ended.code.expect("it was not killed");
        format!("$ tollgate {}\n{}{}exit {code}\n", args.join(" "), ended.stdout, ended.stderr)
    };
    commands.iter().map(say).collect::<Vec<_>>().join("\n")
}

/// What differs between two runs of a test: times and ids.
fn filtered() -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"20[0-8]\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z", "[time]");
    settings.add_filter(r"\b[0-9A-HJKMNP-TV-Z]{26}\b", "[id]");
    settings.add_filter(r"\S+ asked all hosts", "[who] asked all hosts");
    settings.bind_to_scope()
}

#[test]
fn why_looks_through_what_an_entry_waits_for() {
    let _filtered = filtered();
    let project = project();
    item(&project, "TOP", "depends: [MIDDLE, GONE-1]\n");
    item(&project, "MIDDLE", "depends: [HELD, FREE]\n");
    item(&project, "HELD", "not_before: 2099-01-01\n");
    item(&project, "FREE", "");
    item(&project, "RING-1", "depends: [RING-2]\n");
    item(&project, "RING-2", "depends: [RING-3]\n");
    item(&project, "RING-3", "depends: [RING-1]\n");
    read_in(&project);
    assert_snapshot!(said(&project, &[&["why", "TOP"], &["why", "RING-2"]]), @r#"
    $ tollgate why TOP
    TOP “Show the opening hours of a branch” is held for 2 reasons:
    - Depends on GONE-1, and no entry of that key is known; correct the key, or declare an alias for it.
    - Waits for MIDDLE (front-matter:depends), which waits as well:
      - Waits for HELD (front-matter:depends), which is held: Not before 2099-01-01T00:00:00.000Z, says `not_before`. It lifts by itself at 2099-01-01 00:00:00Z.
      - Waits for FREE (front-matter:depends), which is the next one of its lane.
    It depends on GONE-1 (front-matter:depends), which no source knows.
    Were it not held, it would be number 2 of 2 for the pipeline spec of the backlog work.
    FREE is next, with a score of 6: one above that would come first.
    Its score is 6: 1 from `{"high": 3, "low": 1}[field.priority]` and 5 from `min(floor(age_days / 7), 5)`.
    exit 0

    $ tollgate why RING-2
    RING-2 “Show the opening hours of a branch” is held:
    - Waits for RING-3 (front-matter:depends), which waits as well:
      - Waits for RING-1 (front-matter:depends), which waits as well:
        - Waits in a circle: RING-2 → RING-3 → RING-1 → RING-2. None of them can ever run; take one of the dependencies out.
    Were it not held, it would be number 2 of 2 for the pipeline spec of the backlog work.
    FREE is next, with a score of 6: one above that would come first.
    Its score is 6: 1 from `{"high": 3, "low": 1}[field.priority]` and 5 from `min(floor(age_days / 7), 5)`.
    RING-1 waits for it.
    exit 0
    "#);
}

#[test]
fn a_long_chain_is_told_as_far_as_anybody_reads() {
    let project = project();
    for link in 0..12 {
        item(&project, &format!("L-{link}"), &format!("depends: [L-{}]\n", link + 1));
    }
    item(&project, "L-12", "not_before: 2099-01-01\n");
    read_in(&project);
    let said = said(&project, &[&["why", "L-0"]]);
    assert!(said.contains("- Waits for L-9, and so on: `tollgate why L-9` goes on from there."), "{said}");
    assert!(!said.contains("L-10"), "{said}");
}

#[test]
fn why_says_what_brings_an_entry_to_the_head() {
    let _filtered = filtered();
    let project = project();
    item(&project, "OLD", "");
    // Without a date it is as old as its first reading: today.
    let undated = GOOD_ITEM.replace("id: W-1\n", "id: NEW\npriority: high\n");
    project.write("backlog/NEW.md", &undated.replace("created: 2026-03-02\n", ""));
    read_in(&project);
    assert_snapshot!(said(&project, &[&["why", "NEW"], &["why", "OLD"]]), @r#"
    $ tollgate why NEW
    NEW “Show the opening hours of a branch” is ready and waits for its turn.
    It is number 2 of 2 for the pipeline spec of the backlog work.
    OLD is next, with a score of 6: one above that would come first.
    If nothing else comes in or is done, its age alone brings it to the head at [time].
    Its score is 3: 3 from `{"high": 3, "low": 1}[field.priority]` and 0 from `min(floor(age_days / 7), 5)`.
    Nothing else keeps it: a host that runs (`tollgate run`) takes it in its turn.
    exit 0

    $ tollgate why OLD
    OLD “Show the opening hours of a branch” is ready and waits for its turn.
    It is the next one of 2 for the pipeline spec of the backlog work.
    Its score is 6: 1 from `{"high": 3, "low": 1}[field.priority]` and 5 from `min(floor(age_days / 7), 5)`.
    Nothing else keeps it: a host that runs (`tollgate run`) takes it in its turn.
    exit 0
    "#);
    item(&project, "URGENT", "priority: high\n");
    read_in(&project);
    assert_snapshot!(said(&project, &[&["why", "NEW"]]), @r#"
    $ tollgate why NEW
    NEW “Show the opening hours of a branch” is ready and waits for its turn.
    It is number 3 of 3 for the pipeline spec of the backlog work.
    URGENT is next, with a score of 8: one above that would come first.
    Its age alone does not bring it to the head within a year.
    Its score is 3: 3 from `{"high": 3, "low": 1}[field.priority]` and 0 from `min(floor(age_days / 7), 5)`.
    Nothing else keeps it: a host that runs (`tollgate run`) takes it in its turn.
    exit 0
    "#);
}

#[test]
fn why_says_what_keeps_a_lane_from_being_served() {
    let _filtered = filtered();
    let project = project();
    item(&project, "OLD", "");
    // As much as one run sets aside, of which FIRST has spent a little already: OLD is begun and gets no further.
    let policy = project
        .read("tollgate.toml")
        .replace("[backlog.work]", "[caps]\nday = \"$0.0004\"\n\n[backlog.work]");
    project.write("tollgate.toml", &policy);
    drop(project.run(&["run", "--drain"]).expect_code(2));
    item(&project, "LATE", "");
    drop(project.run(&["run", "--drain"]).expect_code(2));
    drop(project.run(&["stop", "--reason", "the printer burns"]).expect_code(0));
    project.write(".tollgate/stop", "");
    let window = "[backlog.work]\nclaim = { cron = \"0 0 29 2 *\" }";
    project.write("tollgate.toml", &policy.replace("[backlog.work]", window));
    assert_snapshot!(said(&project, &[&["why", "OLD"], &["why", "LATE"]]), @r#"
    $ tollgate why OLD
    OLD “Show the opening hours of a branch” is begun, and no host drives it just now.
    Its score is 6: 1 from `{"high": 3, "low": 1}[field.priority]` and 5 from `min(floor(age_days / 7), 5)`.
    Nothing is begun: [who] asked all hosts at [time] to end what they have begun and begin nothing (the printer burns); `tollgate resume` lets them go on.
    Nothing is begun while the stop file .tollgate/stop is there: remove it.
    Work of the backlog work starts in the minutes of `0 0 29 2 *` alone; the next is at [time].
    The cap of $0.0004 a day for project has $0.00039965 left, and a run sets $0.0004 aside: nothing is begun before [time], unless the cap is raised in tollgate.toml.
    The files of the project are not the policy that is applied; the next `tollgate run` applies them, which may change this.
    Its run [id] began at [time] on test-[id]; the last call that ended was publish.
    exit 0

    $ tollgate why LATE
    LATE “Show the opening hours of a branch” is ready and waits for its turn.
    It is number 2 of 2 for the pipeline spec of the backlog work.
    OLD is next: its run was begun, and what was begun is ended first.
    Its score is 6: 1 from `{"high": 3, "low": 1}[field.priority]` and 5 from `min(floor(age_days / 7), 5)`.
    Nothing is begun: [who] asked all hosts at [time] to end what they have begun and begin nothing (the printer burns); `tollgate resume` lets them go on.
    Nothing is begun while the stop file .tollgate/stop is there: remove it.
    Work of the backlog work starts in the minutes of `0 0 29 2 *` alone; the next is at [time].
    The cap of $0.0004 a day for project has $0.00039965 left, and a run sets $0.0004 aside: nothing is begun before [time], unless the cap is raised in tollgate.toml.
    The files of the project are not the policy that is applied; the next `tollgate run` applies them, which may change this.
    exit 0
    "#);
}

fn project_of_four() -> Project {
    let project = project();
    for (key, lines) in
        [("A", ""), ("B", "priority: high\n"), ("C", "priority: high\nnot_before: 2099-01-01\n"), ("D", "")]
    {
        item(&project, key, lines);
    }
    read_in(&project);
    project
}

#[test]
fn named_entries_stand_in_the_order_of_the_whole_backlog() {
    let _filtered = filtered();
    let project = project_of_four();
    assert_snapshot!(said(&project, &[
        &["backlog", "rank"],
        &["backlog", "rank", "D", "C", "FIRST", "B", "D", "X"],
        &["backlog", "rank", "D", "C", "--as-of", "2099-06-01", "--explain"],
        &["backlog", "rank", "--as-of", "2026-03-10"],
        &["backlog", "rank", "--as-of", "soon"],
    ]), @r#"
    $ tollgate backlog rank
    PLACE  ENTRY  SCORE  STATE  BACKLOG  PIPELINE  TITLE                               TERMS
    1      B      8      ready  work     spec      Show the opening hours of a branch
    2      A      6      ready  work     spec      Show the opening hours of a branch
    3      D      6      ready  work     spec      Show the opening hours of a branch
    3 entries that can run
    exit 0

    $ tollgate backlog rank D C FIRST B D X
    PLACE  ENTRY  SCORE  STATE  BACKLOG  PIPELINE  TITLE                               TERMS
    1      B      8      ready  work     spec      Show the opening hours of a branch
    2      C      8      held   work     spec      Show the opening hours of a branch
    3      D      6      ready  work     spec      Show the opening hours of a branch
    3 entries that can run
    FIRST has no place: it is done
    error: there is no entry `X`
    exit 3

    $ tollgate backlog rank D C --as-of 2099-06-01 --explain
    As of 2099-06-01 00:00:00Z, computed from what is stored:
    PLACE  ENTRY  SCORE  STATE TODAY  BACKLOG  PIPELINE  TITLE                               TERMS
    2      C      8      held         work     spec      Show the opening hours of a branch  {"high": 3, "low": 1}[field.priority] = 3; min(floor(age_days / 7), 5) = 5
    4      D      6      ready        work     spec      Show the opening hours of a branch  {"high": 3, "low": 1}[field.priority] = 1; min(floor(age_days / 7), 5) = 5
    2 entries of 4 that can run
    As it is today, because it is not known how it was or will be:
    - Texts, labels and fields are what the sources said last.
    - What is closed in its tracker today counts as closed.
    - Nothing comes in, begins, ends or is held until then.
    exit 0

    $ tollgate backlog rank --as-of 2026-03-10
    As of [time], computed from what is stored:
    PLACE  ENTRY  SCORE  STATE TODAY  BACKLOG  PIPELINE  TITLE                               TERMS
    1      FIRST  4      done         work     spec      Show the opening hours of a branch
    2      B      4      ready        work     spec      Show the opening hours of a branch
    3      A      2      ready        work     spec      Show the opening hours of a branch
    4      D      2      ready        work     spec      Show the opening hours of a branch
    4 entries that can run
    As it is today, because it is not known how it was or will be:
    - Texts, labels and fields are what the sources said last.
    - What is closed in its tracker today counts as closed.
    - The formulas are those of today's policy; its version 1 was applied later, at [time].
    - Of the entries that were written by then, 5 had not been read yet.
    - Entries that had run, and waited for another round, are left out.
    exit 0

    $ tollgate backlog rank --as-of soon
    error: `soon` is no time
    hint: write a date, e.g. `2026-11-21`, or a time in RFC 3339, e.g. `[time]`
    exit 3
    "#);
}

#[test]
fn however_entries_are_named_the_order_is_that_of_the_backlog() {
    let project = project_of_four();
    let keys = |list: serde_json::Value| -> Vec<String> {
        let entries = list["entries"].as_array().expect("entries").clone();
        entries.iter().map(|entry| entry["key"].as_str().expect("a key").to_owned()).collect()
    };
    let whole = keys(project.run(&["backlog", "rank", "--json"]).json(0));
    let today = SystemClock::default().now().to_string();
    assert_eq!(keys(project.run(&["backlog", "rank", "--as-of", &today, "--json"]).json(0)), whole);
    project.write("keys", "D\nA\nB\n");
    assert_eq!(keys(project.run(&["backlog", "rank", "--file", "keys", "--json"]).json(0)), whole);
    let mut piped = command(project.path(), &["backlog", "rank", "-", "--json"]);
    let mut piped = piped.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it can be started");
    piped.stdin.take().expect("it is piped").write_all(b"A\nB\nD\n").expect("it reads");
    let ended = piped.wait_with_output().expect("it ends");
    assert_eq!(keys(serde_json::from_slice(&ended.stdout).expect("it is JSON")), whole);
}

#[test]
fn a_schema_names_every_reader() {
    assert_snapshot!(said(&project(), &[&["backlog", "schema"], &["backlog", "schema", "wrok"]]), @r#"
    $ tollgate backlog schema
    backlog work
    FIELD       TYPE               PURPOSE     SOURCE                   DEFAULT  TRUST  USED BY
    not_before  timestamp          constraint  front-matter:not_before  none            not before
    priority    string: high, low  order       front-matter:priority    low             priority; spec: draft (spec-draft)
    not declared, so nobody is handed it: depends, for spec: draft (spec-draft)
    not declared, so nobody is handed it: effort, for spec: draft (spec-draft), spec: triage (triage)
    not declared, so nobody is handed it: impact, for spec: draft (spec-draft), spec: triage (triage)
    not declared, so nobody is handed it: kind, for spec: draft (spec-draft), spec: triage (triage)
    exit 0

    $ tollgate backlog schema wrok
    error: there is no backlog `wrok`
    hint: did you mean `work`?
    exit 3
    "#);
    let schema = project().run(&["backlog", "schema", "work", "--json"]).json(0);
    let priority = &schema["backlogs"][0]["fields"][1];
    assert_eq!((priority["type"].as_str(), priority["default"].as_str()), (Some("string"), Some("low")));
    assert_eq!(priority["used_by"][0], "priority");
}

#[test]
fn check_reads_the_items_and_runs_the_tests_of_the_policy() {
    let project = project();
    for key in ["A", "B", "C"] {
        item(&project, key, "labels: [area/x]\n");
    }
    item(&project, "D", "priority: high\ndepends: [D]\n");
    let test = r#"
[[backlog.work.expect]]
given = [{ key = "new-high", field.priority = "high" }, { key = "old-low", age_days = 40 }]
order = ["new-high", "old-low"]
eligible = true
"#;
    let policy = project.read("tollgate.toml");
    project.write("tollgate.toml", &format!("{policy}{test}"));
    assert_snapshot!(said(&project, &[&["check"]]), @r#"
    $ tollgate check
    warning: `D` waits for itself
      --> tollgate.toml:11:16
       |
    11 | [[backlog.work.source]]
       |                ^^^^^^
       |
       = help: that never ends: take a dependency out

    warning: all 3 entries with label `area/x` take the default of `priority`, which is `low`
      --> tollgate.toml:16:1
       |
    16 | priority = { type = "string", purpose = "order", from = "front-matter:priority", default = "low", values = ["high", "low"] }
       | ^^^^^^^^
       |
       = help: none of them says it in `front-matter:priority`: do they say it elsewhere?

    error: expected new-high, old-low; the order is old-low, new-high
      --> tollgate.toml:21:9
       |
    21 | order = ["new-high", "old-low"]
       |         ^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: old-low has 6: 1 from `{"high": 3, "low": 1}[field.priority]`, 5 from `min(floor(age_days / 7), 5)`
               new-high has 3: 3 from `{"high": 3, "low": 1}[field.priority]`, 0 from `min(floor(age_days / 7), 5)`

    2 files checked: 1 error, 2 warnings
    exit 3
    "#);
}

#[test]
fn the_examples_have_nothing_to_mend() {
    for example in ["spec-generation", "backlog-md"] {
        let said = said(&Project::example(example), &[&["check"]]);
        assert!(said.ends_with("checked, nothing is wrong\nexit 0\n"), "{example}: {said}");
    }
}

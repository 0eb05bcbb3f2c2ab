//! `tollgate store doctor`: whatever lies where the store should be, it is named, and what it advises helps.

use std::{fs, path::PathBuf};

use serde_json::Value;

use crate::support::{GOOD_ITEM, Project, postgres};

const STORE: &str = ".tollgate/tollgate.db";

fn project_that_ran() -> Project {
    let project = Project::with_one_item();
    drop(project.run(&["run", "--drain"]).expect_code(0));
    project
}

fn examine(project: &Project, code: i32) -> Value {
    project.run(&["store", "doctor", "--json"]).json(code)
}

/// `gravity kind` of each finding whose words are not about room on this machine's disk.
fn kinds(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("findings").iter();
    let findings = findings.filter(|finding| finding["kind"] != "room");
    findings
        .map(|finding| {
            assert!(!finding["advice"].as_str().expect("advice").is_empty());
            format!(
                "{} {}",
                finding["gravity"].as_str().unwrap_or("?"),
                finding["kind"].as_str().unwrap_or("?")
            )
        })
        .collect()
}

/// The artifacts of the project.
fn artifacts(project: &Project) -> Vec<PathBuf> {
    let list =
        |folder: PathBuf| fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    let folders = list(project.path().join(".tollgate/artifacts"));
    let mut files: Vec<_> = folders.flat_map(list).collect();
    files.sort();
    files
}

fn change(project: &Project, statement: &str) {
    let database = rusqlite::Connection::open(project.path().join(STORE)).expect("the store is a database");
    database.execute_batch(statement).expect("it can be changed");
}

#[test]
fn a_store_that_is_whole_has_nothing_wrong_with_it() {
    let project = project_that_ran();
    let before = fs::read(project.path().join(STORE)).expect("the store can be read");
    let report = examine(&project, 0);
    assert_eq!(kinds(&report), [] as [&str; 0], "{report}");
    assert_eq!((&report["runs"], &report["is_readable"]), (&1.into(), &true.into()), "{report}");
    assert_eq!(report["artifacts"], artifacts(&project).len(), "{report}");
    assert_eq!(report["artifacts"], report["artifacts_read"]);
    assert_eq!(examine_text(&project).lines().count(), 1);
    assert_eq!(fs::read(project.path().join(STORE)).ok(), Some(before), "it changed nothing");
}

fn examine_text(project: &Project) -> String {
    project.run(&["store", "doctor"]).expect_code(0)
}

#[test]
fn whatever_lies_where_the_store_should_be_is_named() {
    let check = |harm: &dyn Fn(&Project), code: i32, expected: &[&str]| {
        let project = project_that_ran();
        harm(&project);
        let report = examine(&project, code);
        assert_eq!(kinds(&report), expected, "{report:#}");
        report
    };
    let path = |project: &Project| project.path().join(STORE);
    check(&|project| fs::remove_file(path(project)).expect("gone"), 1, &["fault place"]);
    check(&|project| project.write(STORE, "Dear diary, this never was a database."), 1, &["fault database"]);
    check(&|project| project.write(STORE, ""), 0, &["risk database"]);
    check(&|project| project.write(".tollgate/tollgate.db-shm", ""), 1, &["fault log"]);
    let cut = |project: &Project| {
        let bytes = fs::read(path(project)).expect("the store can be read");
        fs::write(path(project), &bytes[..bytes.len() / 2]).expect("it can be written");
    };
    check(&cut, 1, &["fault database"]);
    let later =
        "INSERT INTO schema_migration (version, name, applied_at, needs) VALUES (999, '0999_later', 0, 999)";
    check(&|project| change(project, later), 1, &["fault schema"]);
    let foreign = "PRAGMA foreign_keys = OFF; DELETE FROM pins";
    let report = check(&|project| change(project, foreign), 1, &["fault database", "fault rows"]);
    assert!(
        report["findings"][0]["what"].as_str().is_some_and(|what| what.contains("rows name others")),
        "{report}"
    );
}

#[test]
fn rows_chains_and_artifacts_that_are_not_what_was_written_name_their_run() {
    let check = |harm: &dyn Fn(&Project), expected: &str, words: &str| {
        let project = project_that_ran();
        let run = project.run(&["runs", "list", "--json"]).json(0)["runs"][0]["id"].clone();
        harm(&project);
        let report = examine(&project, 1);
        assert_eq!(kinds(&report)[0], expected, "{report:#}");
        let finding = &report["findings"][0];
        assert!(finding["what"].as_str().is_some_and(|what| what.contains(words)), "{finding}");
        assert_eq!(finding["runs"], serde_json::json!([run]), "{finding}");
    };
    check(
        &|project| change(project, "UPDATE run SET cost = cost + 1"),
        "fault rows",
        "a run costs what was settled",
    );
    check(
        &|project| change(project, "UPDATE event SET body = '{}' WHERE seq = 2"),
        "fault run",
        "event 2 of run",
    );
    check(&|project| change(project, "UPDATE step SET body = '{'"), "fault run", "cannot be read");
    let artifact = |project: &Project| artifacts(project).first().expect("an artifact").clone();
    check(&|project| fs::remove_file(artifact(project)).expect("gone"), "fault artifact", "is gone");
    check(&|project| fs::write(artifact(project), "else").expect("written"), "fault artifact", "is damaged");
}

#[test]
fn of_a_database_it_says_what_only_tollgate_knows() {
    let database = postgres::new_database();
    let project = Project::with_one_item();
    project.store_at(&database);
    assert_eq!(kinds(&examine(&project, 0)), ["risk schema"], "nothing is there yet");
    drop(project.run(&["run", "--drain"]).expect_code(0));
    let report = examine(&project, 0);
    assert_eq!(kinds(&report), [] as [&str; 0], "{report}");
    assert_eq!((&report["runs"], &report["is_readable"]), (&1.into(), &true.into()), "{report}");
    assert_eq!(report["artifacts_read"], artifacts(&project).len(), "{report}");

    let run = project.run(&["runs", "list", "--json"]).json(0)["runs"][0]["id"].clone();
    let harm = |statement: &str| drop(postgres::ask(&database, statement));
    harm("UPDATE run SET cost = cost + 1");
    let report = examine(&project, 1);
    assert_eq!(kinds(&report), ["fault rows"; 2], "neither the run nor its backlog: {report:#}");
    assert_eq!(report["findings"][0]["runs"], serde_json::json!([run]), "{report:#}");
    harm("UPDATE run SET cost = cost - 1; UPDATE event SET body = '{}' WHERE seq = 2");
    assert_eq!(kinds(&examine(&project, 1)), ["fault run"]);
    harm(
        "INSERT INTO schema_migration (version, name, applied_at, needs) VALUES (999, '0999_later', 0, 999)",
    );
    assert_eq!(kinds(&examine(&project, 1)), ["fault schema"]);
    project.store_at("postgres://127.0.0.1:1/nowhere");
    assert_eq!(kinds(&examine(&project, 1)), ["fault place"]);
}

/// What it says of a store that is past help: move it away, and have a new one made of the records.
#[test]
fn what_it_advises_helps() {
    let project = project_that_ran();
    project.write(STORE, "torn");
    let report = examine(&project, 1);
    let advice = report["findings"][0]["advice"].as_str().expect("advice");
    assert!(advice.contains("`tollgate backlog take-over --reason …`"), "{advice}");
    fs::remove_file(project.path().join(STORE)).expect("it can be moved away");
    drop(project.run(&["backlog", "take-over", "--reason", "the disk tore it"]).expect_code(0));
    project.write("backlog/w-2.md", &GOOD_ITEM.replace("id: W-1", "id: W-2"));
    drop(project.run(&["run", "--drain"]).expect_code(0));
    let runs = project.run(&["runs", "list", "--json"]).json(0)["runs"].clone();
    assert_eq!(runs.as_array().map(Vec::len), Some(2), "W-1 was not done again: {runs}");
    assert_eq!(examine(&project, 0)["runs"], 2);
}

//! Sources inside one another, sources in dependencies, and what moving an item makes of its entry.

use std::fs;

use insta::assert_snapshot;
use serde_json::json;
use tollgate_core::item::Dependency;
use tollgate_policy::Policy;

use crate::support::*;

/// What a check says of a project with these sources, whose folders are there.
fn check(sources: &[(&str, &str)], prepare: impl FnOnce(&std::path::Path)) -> String {
    let tables: String = sources
        .iter()
        .map(|(folder, more)| format!("[[backlog.specs.source]]\nfolder = \"{folder}\"\n{more}\n"))
        .collect();
    let policy =
        policy(|project| project.replace("[[backlog.specs.source]]\nfolder = \"backlog\"\n", &tables));
    let project = tempfile::tempdir().unwrap();
    prepare(project.path());
    for (folder, _) in sources.iter().filter(|(folder, _)| *folder != "absent") {
        fs::create_dir_all(project.path().join(folder)).unwrap();
    }
    policy.check_sources(project.path()).to_string()
}

#[test]
fn a_source_inside_another_is_refused() {
    assert_snapshot!(check(&[("docs/specs", ""), ("docs", "")], |_| {}), @r#"
    tollgate.toml:10:10: error: the source `docs/specs` of backlog `specs` is inside the source `docs` of backlog `specs`: its files would be read twice
      help: take one of them out, or add `ignore = ["/specs/"]` to the outer one
    "#);
}

#[test]
fn folders_beside_each_other_are_fine() {
    assert_eq!(check(&[("docs", ""), ("docs-old", ""), ("absent", "")], |_| {}), "");
}

#[test]
fn a_folder_that_the_outer_source_does_not_read_is_fine() {
    assert_eq!(check(&[("docs", "ignore = [\"/specs/\"]"), ("docs/specs", "")], |_| {}), "");
    assert_eq!(check(&[("docs", "ignore = [\"specs\"]"), ("docs/specs/new", "")], |_| {}), "");
    assert_eq!(check(&[("docs", ""), ("docs/.old", "")], |_| {}), "");
    assert_ne!(check(&[("docs", "ignore = [\"*.md\"]"), ("docs/specs", "")], |_| {}), "");
}

#[test]
fn a_link_to_a_source_is_the_source() {
    let said = check(&[("docs", ""), ("same", "")], |project| {
        fs::create_dir(project.join("docs")).unwrap();
        std::os::unix::fs::symlink("docs", project.join("same")).unwrap();
    });
    assert_snapshot!(said, @"
    tollgate.toml:13:10: error: the source `same` of backlog `specs` is the same folder as the source `docs` of backlog `specs`: its files would be read twice
      help: take one of them out
    ");
}

#[test]
fn a_dependency_may_name_the_source_that_is_meant() {
    let policy = policy(|project| {
        let more = "[[backlog.specs.source]]\nfolder = \"./done\"\n\n[backlog.specs.fields]";
        let alias = "depends = { alias = { \"task-\" = \"BACK-\" } }\nzone =";
        project.replace("[backlog.specs.fields]", more).replace("zone =", alias)
    });
    let mut item = item();
    let keys = ["BACK-7", "folder:done#BACK-7", "folder:done#task-3", "folder:none#BACK-1"];
    item.depends =
        keys.map(|key| Dependency { key: key.into(), source: "front-matter:depends".into() }).into();
    let links = policy.backlog("specs").unwrap().judge(&item, seen("2026-11-16T12:00:00Z")).links;
    let shown: Vec<_> = links.iter().map(|link| format!("{} <- {:?}", link.to, link.written)).collect();
    assert_snapshot!(shown.join("\n"), @r#"
    folder:backlog#BACK-7 <- None
    folder:done#BACK-7 <- Some("folder:done#BACK-7")
    folder:done#BACK-3 <- Some("folder:done#task-3")
    folder:backlog#folder:none#BACK-1 <- None
    "#);
}

#[test]
fn an_entry_that_was_moved_is_foreseen() {
    let policy = policy(|project| {
        project
            .replace(
                "folder = \"backlog\"",
                "folder = \"backlog\"\nmove = { specified = \"low\", lost = \"away\" }",
            )
            .replace("front-matter:priority", "front-matter:status")
    });
    let backlog = policy.backlog("specs").unwrap();
    let saying = |status: &str| {
        let mut item = item();
        item.front_matter.insert("status".into(), json!(status));
        backlog.judge(&item, seen("2026-11-16T12:00:00Z")).snapshot
    };
    let before = saying("high");
    assert_eq!(backlog.moved(&before, "specified").unwrap().revision(), saying("low").revision());
    assert_ne!(before.revision(), saying("low").revision());
    assert_eq!(backlog.moved(&before, "lost").unwrap().revision(), saying("away").revision());
    assert_eq!(backlog.moved(&before, "unheard of"), None);
    let elsewhere = tollgate_core::entry::EntryName { tracker: "folder:done".into(), key: "BACK-12".into() };
    let elsewhere = tollgate_core::entry::EntrySnapshot { name: elsewhere, ..before };
    assert_eq!(backlog.moved(&elsewhere, "specified"), None);
}

#[track_caller]
fn check_source_refused(source: &str, words: &str) {
    let project = PROJECT.replace("folder = \"backlog\"\n", &format!("{source}\n"));
    let errors = load(&project, PIPELINE).expect_err("it is wrong").to_string();
    assert!(errors.contains(words), "{errors}");
}

#[test]
fn a_source_is_a_folder_or_internal() {
    let internal = policy(|project| project.replace("folder = \"backlog\"\n", "internal = true\n"));
    assert!(internal.backlogs["specs"].internal && internal.backlogs["specs"].sources.is_empty());
    check_source_refused("folder = \"backlog\"\ninternal = true", "a source is either a folder or internal");
    check_source_refused("internal = false", "expected `true`; take it out instead");
    check_source_refused("internal = true\nkind = \"task\"", "so nothing else is said of it");
    check_source_refused("kind = \"task\"", "a source without `folder`");
    let twice = "internal = true\n[[backlog.specs.source]]\ninternal = true";
    check_source_refused(twice, "there is an internal source already");
}

#[test]
fn an_item_may_depend_on_an_internal_entry_where_its_backlog_takes_some() {
    let mut item = item();
    item.depends = vec![Dependency { key: "internal#REL-1".into(), source: "front-matter:depends".into() }];
    let second = "[[backlog.specs.source]]\ninternal = true\n\n[backlog.specs.fields]";
    let taking = policy(|project| project.replace("[backlog.specs.fields]", second));
    let to = |policy: &Policy| {
        policy.backlogs["specs"].judge(&item, seen("2026-11-02T00:00:00Z")).links[0].to.clone()
    };
    assert_eq!(to(&taking).to_string(), "internal#REL-1");
    assert_eq!(to(&policy(|project| project)).to_string(), "folder:backlog#internal#REL-1");
}

#[test]
fn a_stage_that_opens_entries_needs_a_backlog_that_takes_some() {
    let pipeline = PIPELINE.replace("\"effect:publish-file\"", "\"effect:open-entry\"");
    let errors = |project: &str| load(project, &pipeline).unwrap().check(&crate::check::Catalog).to_string();
    assert!(errors(PROJECT).contains("no backlog takes what this stage opens"), "{}", errors(PROJECT));
    let taking = PROJECT.replace("folder = \"backlog\"", "internal = true");
    assert!(!errors(&taking).contains("no backlog takes"), "{}", errors(&taking));
}

#[test]
fn intake_is_said_in_rates_and_shares() {
    let intake = |text: &str| {
        load(
            &PROJECT
                .replace("[[backlog.specs.source]]", &format!("intake = {text}\n\n[[backlog.specs.source]]")),
            PIPELINE,
        )
    };
    let says = |text: &str| {
        intake(text).unwrap_or_else(|errors| panic!("{errors}")).backlogs["specs"].intake.clone()
    };
    let rate = says("{ per_author = \"10 / 5m\" }").per_author.expect("a rate");
    assert_eq!((rate.count, rate.window.as_secs()), (10, 300));
    assert_eq!((says("{}").rates(false), says("{}").per_origin, says("{}").depth), ((None, None), 100, 3));
    assert!(says("{}").rates(true).0.is_some());
    assert_eq!(says("{ duplicates = true }").duplicate_thousandths, Some(750));
    assert_eq!(says("{ duplicates = 0.9 }").duplicate_thousandths, Some(900));
    assert_eq!(says("{ duplicates = false }").duplicate_thousandths, None);
    for (text, words) in [
        ("{ per_source = \"10\" }", "`10` is not so many in so long; expected e.g. `10 / 5m`"),
        ("{ per_source = \"0 / 5m\" }", "is not so many in so long"),
        ("{ per_source = \"5 / 0s\" }", "is not so many in so long"),
        ("{ duplicates = 1.5 }", "`1.5` is no share of words"),
        ("{ per_autor = \"10 / 5m\" }", "did you mean `per_author`?"),
    ] {
        let errors = intake(text).expect_err("it is wrong").to_string();
        assert!(errors.contains(words), "{errors}");
    }
}

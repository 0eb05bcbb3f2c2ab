//! A real backlog that nobody here wrote.

use std::collections::BTreeMap;

use crate::support::{Project, copy, repository};

/// Every one of the 37 open items ends with a record or is held with a reason.
#[test]
fn every_open_item_of_a_real_backlog_is_accounted_for() {
    let data = repository().join("../shared/data/backlog-md/backlog");
    if !data.is_dir() {
        // The data set is not part of the repository; where it is not beside it, there is nothing to read.
        eprintln!("SKIPPED: there is no {}", data.display());
        return;
    }
    let project = Project::example("backlog-md");
    std::fs::remove_dir_all(project.path().join("backlog")).expect("the example's own items can be removed");
    copy(&data, &project.path().join("backlog"));

    let run = project.run(&["run", "--drain"]);
    assert!(matches!(run.code, Some(0 | 1)), "{}{}", run.stdout, run.stderr);
    let entries = project.run(&["backlog", "list", "--limit", "0", "--json"]).json(0);
    let entries = entries["entries"].as_array().expect("a list of entries");
    let open: Vec<_> = entries.iter().filter(|entry| !is_closed(entry)).collect();
    assert_eq!(open.len(), 37, "37 items are to do");

    let mut states = BTreeMap::new();
    for entry in &open {
        let (key, state) = (entry["key"].as_str().expect("a key"), entry["state"].as_str().expect("a state"));
        *states.entry(state).or_insert(0) += 1;
        match state {
            "done" | "failed" | "escalated" => assert_eq!(records_of(&project, key), 1, "{key}"),
            "held" => {
                let reasons = entry["holds"].as_array().expect("reasons");
                assert!(
                    reasons.iter().all(|hold| hold["reason"].as_str().is_some_and(|text| text.len() > 10)),
                    "{entry}"
                );
                assert!(!reasons.is_empty(), "{entry}");
            }
            other => panic!("{key} is {other}"),
        }
    }
    assert!(states["done"] >= 20, "{states:?}");
    let twice_dependent = entries.iter().find(|entry| entry["key"] == "BACK-200").expect("BACK-200");
    assert_ne!(
        twice_dependent["state"], "held",
        "its dependencies have keys of an older prefix: {twice_dependent}"
    );
}

fn is_closed(entry: &serde_json::Value) -> bool {
    entry["holds"].as_array().is_some_and(|holds| holds.iter().any(|hold| hold["kind"] == "closed"))
}

fn records_of(project: &Project, key: &str) -> usize {
    let stem = format!("{}.", key.to_lowercase());
    let named = |path: &str| {
        let file = path.rsplit('/').next().unwrap_or(path).to_lowercase();
        file.starts_with(&format!("{} ", key.to_lowercase())) || file.starts_with(&stem)
    };
    project.records().iter().filter(|(path, _)| named(path)).map(|(_, count)| count).sum()
}

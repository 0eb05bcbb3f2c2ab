//! The demonstration, as a newcomer sees it, twice.

use crate::support::{Project, tollgate};

#[test]
fn a_second_demo_finds_nothing_to_do() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let first = tollgate(folder.path(), &["demo"]).expect_code(0);
    assert!(first.contains("LIB-101"), "{first}");
    let demo = folder.path().join("tollgate-demo");
    let runs = tollgate(&demo, &["runs", "list", "--json"]).json(0);
    let count = runs["runs"].as_array().map(Vec::len);
    assert!(count >= Some(24), "{count:?} runs");

    let second = tollgate(folder.path(), &["demo"]).expect_code(0);
    assert!(second.contains("nothing to do"), "{second}");
    let again = tollgate(&demo, &["runs", "list", "--json"]).json(0);
    assert_eq!(again, runs);
    let audit = tollgate(&demo, &["audit", "verify", "--json"]).json(0);
    assert_eq!(audit["problems"], serde_json::json!([]));
}

#[test]
fn every_example_passes_its_check() {
    for name in ["spec-generation", "backlog-md", "spec-with-model"] {
        drop(Project::example(name).run(&["check"]).expect_code(0));
    }
}

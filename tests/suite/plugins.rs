//! Components that people bring along.

use crate::support::{Finished, Project, repository};

/// How a component names the section of its plugin.toml: a length, and these bytes.
const SECTION: &[u8] = b"\x0ftollgate:plugin";

/// A stage of the tests' own, with or without its plugin.toml.
fn component(project: &Project, with_manifest: bool) {
    let mut bytes = std::fs::read(repository().join("tests/guests/dist/idle-stage.wasm")).expect("a guest");
    if !with_manifest {
        let at = bytes.windows(SECTION.len()).rposition(|bytes| bytes == SECTION).expect("a section");
        bytes[at + 1] = b'x';
    }
    project.write("build/.keep", "");
    std::fs::write(project.path().join("build/stage.wasm"), bytes).expect("a file can be written");
}

fn manifest(change: impl FnOnce(String) -> String) -> String {
    let path = repository().join("plugins/guests/idle-stage/plugin.toml");
    change(std::fs::read_to_string(path).expect("a manifest"))
}

fn add(project: &Project, more: &[&str]) -> Finished {
    project.run(&[&["plugin", "add", "build/stage.wasm"], more].concat())
}

#[test]
fn a_component_of_any_toolchain_gets_its_manifest_and_is_a_plugin() {
    let project = Project::empty();
    component(&project, false);
    let refused = add(&project, &[]);
    assert_eq!(refused.code, Some(3));
    assert!(
        refused.stderr.contains("has no plugin.toml embedded, and there is none at build/plugin.toml"),
        "{refused:?}"
    );

    project.write("build/plugin.toml", &manifest(|text| text));
    assert!(add(&project, &["--dry-run"]).expect_code(0).contains("would be added as plugins/idle-stage-"));
    assert!(!project.path().join("plugins").exists(), "a dry run writes nothing");
    let added = add(&project, &["--json"]).json(0);
    assert_eq!((&added["name"], &added["is_there"]), (&"idle-stage".into(), &false.into()));
    assert!(add(&project, &[]).expect_code(0).contains("is there already"));
    assert!(project.run(&["plugin", "list"]).expect_code(0).contains("idle-stage"));
}

#[test]
fn what_is_no_plugin_is_not_added() {
    let project = Project::empty();
    let refused = |words: &str, more: &[&str]| {
        let refused = add(&project, more);
        assert_eq!(refused.code, Some(3), "{refused:?}");
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
        assert!(!project.path().join("plugins").exists(), "something was left behind");
    };
    project.write("build/stage.wasm", "#!/bin/sh\n");
    refused("is not a WebAssembly file", &[]);
    component(&project, false);
    project.write("build/plugin.toml", "name = 7\n");
    refused("has a manifest that does not hold", &[]);
    project.write("build/plugin.toml", &manifest(|text| text.replace("kind = \"stage\"", "kind = \"gate\"")));
    refused("says that it is a gate, and is a stage", &[]);
    component(&project, true);
    project.write("build/other.toml", &manifest(|text| text));
    refused("has a plugin.toml embedded already", &["--manifest", "build/other.toml"]);
}

#[test]
fn a_version_is_never_changed() {
    let project = Project::empty();
    component(&project, false);
    project.write("build/plugin.toml", &manifest(|text| text));
    drop(add(&project, &[]).expect_code(0));
    project.write("build/plugin.toml", &manifest(|text| text.replace("summary = \"", "summary = \"Now: ")));
    let refused = add(&project, &[]);
    assert_eq!(refused.code, Some(3));
    assert!(refused.stderr.contains("a version is never changed"), "{}", refused.stderr);
}

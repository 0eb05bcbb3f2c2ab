//! Stages in other languages, made by the toolchains that people use for them, unmodified: Python and JavaScript bring their whole
//! runtimes and all of WASI that these import, and find nothing behind it.

use crate::support::{Project, repository};

/// A project whose only stage is the component of this language.
fn project(language: &str) -> Project {
    let project = Project::empty();
    let component = repository().join("target/foreign").join(language).join("stage.wasm");
    let path = component.to_str().expect("paths of tests are text");
    drop(project.run(&["plugin", "add", path]).expect_code(0));
    project.write(
        "pipelines/spec.toml",
        &format!(
            "owner = \"team\"\n[[stage]]\nname = \"count\"\nplugin = \"count-{language}@^1\"\n\
             budget = {{ fuel = \"500M\", time = \"60s\", memory = \"64MiB\" }}\n"
        ),
    );
    for (key, body) in [("one", "word"), ("two", "Ä and 日本, that is five"), ("none", "")] {
        project.write(&format!("backlog/{key}.md"), &format!("---\nid: {key}\ntitle: Count\n---\n{body}\n"));
    }
    project
}

#[track_caller]
fn check(language: &str) {
    let project = project(language);
    drop(project.run(&["check"]).expect_code(0));
    drop(project.run(&["run", "--drain"]).expect_code(0));
    for (key, words) in [("one", 1), ("two", 6), ("none", 0)] {
        let shown = project.run(&["runs", "show", key, "--json"]).json(0);
        let step = &shown["record"]["steps"][0];
        assert_eq!(shown["record"]["final"]["state"], "done", "{shown}");
        assert_eq!(step["summary"], format!("{words} words"), "{step}");
    }
    drop(project.run(&["audit", "verify"]).expect_code(0));
}

#[test]
#[ignore = "`cargo xtask test foreign` builds the component first"]
fn a_stage_in_python_runs() {
    check("python");
}

#[test]
#[ignore = "`cargo xtask test foreign` builds the component first"]
fn a_stage_in_javascript_runs() {
    check("javascript");
}

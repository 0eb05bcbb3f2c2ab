//! A project in a temporary folder.

use std::path::Path;

use super::{Finished, repository, tollgate};

/// A project of a test's own, gone with it.
pub(crate) struct Project {
    folder: tempfile::TempDir,
}

const POLICY: &str = r#"
[instance]
lease = "5s"

[backlog.work]
owner = "team"
pipeline = "spec"
eligible = 'true'
priority = 'age_days'

[[backlog.work.source]]
folder = "backlog"
settle = "0s"
"#;

const PIPELINE: &str = r#"
owner = "team"
budget = { cost = "$0.50", time = "5m" }

[[stage]]
name = "triage"
plugin = "triage@^1"

[[stage]]
name = "draft"
plugin = "spec-draft@^1"

[[stage.gate]]
plugin = "spec-lint@^1"
rework_to = "draft"

[[stage]]
name = "publish"
plugin = "publish@^1"
grant = ["effect:publish-file"]
with = { to = "specs/{key}.md" }
"#;

/// An item that passes.
pub(crate) const GOOD_ITEM: &str = "---
id: W-1
title: Show the opening hours of a branch
status: To Do
created: 2026-03-02
---

## Summary

Readers ask at the desk when a branch opens. The page of a branch shall show its opening hours.

## Acceptance Criteria

- [ ] The page of a branch lists the opening hours of each weekday
- [ ] A branch that is closed today shows the date of its next opening

## Out of scope

Opening hours of partner libraries.
";

impl Project {
    /// A project with three stages and a gate, and no items.
    pub(crate) fn empty() -> Self {
        let project = Self { folder: tempfile::tempdir().expect("a temporary folder can be made") };
        project.write("tollgate.toml", POLICY);
        project.write("pipelines/spec.toml", PIPELINE);
        std::fs::create_dir(project.path().join("backlog")).expect("the folder can be made");
        project
    }

    /// The same with one item that passes.
    pub(crate) fn with_one_item() -> Self {
        let project = Self::empty();
        project.write("backlog/w-1.md", GOOD_ITEM);
        project
    }

    /// A copy of one of the repository's examples.
    pub(crate) fn example(name: &str) -> Self {
        let project = Self { folder: tempfile::tempdir().expect("a temporary folder can be made") };
        copy(&repository().join("examples").join(name), project.path());
        project
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("folders can be made");
        std::fs::write(path, text).expect("a file can be written");
    }

    /// Changes the text of a file.
    #[track_caller]
    pub(crate) fn change(&self, path: &str, change: impl FnOnce(String) -> String) {
        let before = self.read(path);
        let after = change(before.clone());
        assert_ne!(before, after, "{path} is as it was");
        self.write(path, &after);
    }

    #[track_caller]
    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Runs the binary here.
    pub(crate) fn run(&self, args: &[&str]) -> Finished {
        tollgate(self.path(), args)
    }

    /// Every record file below the project, with how many records it holds.
    pub(crate) fn records(&self) -> Vec<(String, usize)> {
        let mut found = Vec::new();
        visit(self.path(), &mut |path| {
            let name = path.strip_prefix(self.path()).expect("below the project").display().to_string();
            if name.ends_with(".tollgate.md") {
                let text = std::fs::read_to_string(path).expect("a record is text");
                found.push((name, text.matches("<!-- tollgate:end ").count()));
            }
        });
        found.sort();
        found
    }
}

/// Copies a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    visit(from, &mut |path| {
        let target = to.join(path.strip_prefix(from).expect("below the folder"));
        std::fs::create_dir_all(target.parent().expect("a file has a folder")).expect("folders can be made");
        std::fs::copy(path, target).expect("a file can be copied");
    });
}

fn visit(folder: &Path, each: &mut dyn FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).expect("a folder can be read") {
        let path = entry.expect("a folder can be read").path();
        if path.is_dir() { visit(&path, each) } else { each(&path) }
    }
}

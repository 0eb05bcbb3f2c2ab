//! Sources inside one another.

use std::fs;

use insta::assert_snapshot;

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

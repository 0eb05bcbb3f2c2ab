use std::{fs, os::unix::fs::symlink, sync::Arc};

use tollgate_core::{
    Digest,
    effect::{Delivered, PublishFile},
};
use tollgate_tracker::{Delivery, DeliveryError};

use crate::project::{Project, refusal, was_there};

fn publish(
    project: &Project,
    path: &str,
    content: &str,
    previous: Option<&str>,
) -> Result<Delivered, DeliveryError> {
    let file =
        PublishFile { path: path.into(), artifact: Digest::of(content), media_type: "text/markdown".into() };
    let bytes = Arc::from(content.as_bytes());
    project.deliver(Delivery::PublishFile { file, bytes, previous: previous.map(Digest::of) })
}

#[test]
fn a_file_is_published_once() {
    let project = Project::new();
    assert!(!was_there(publish(&project, "specs/deep/A-1.md", "spec", None)));
    assert_eq!(project.read("specs/deep/A-1.md"), "spec");
    assert!(was_there(publish(&project, "specs/deep/A-1.md", "spec", None)));
    assert_eq!(project.files(""), ["specs/deep/A-1.md"]);
}

#[test]
fn only_what_tollgate_wrote_is_replaced() {
    let project = Project::new();
    project.write("specs/A-1.md", "written by hand");
    let expected = "specs/A-1.md is not published: a file that Tollgate did not write is there; move it, or publish to another path";
    assert_eq!(refusal(publish(&project, "specs/A-1.md", "spec", None)), expected);
    assert_eq!(refusal(publish(&project, "specs/A-1.md", "spec", Some("an earlier spec"))), expected);
    assert_eq!(project.read("specs/A-1.md"), "written by hand");

    project.write("specs/A-1.md", "an earlier spec");
    assert!(!was_there(publish(&project, "specs/A-1.md", "spec", Some("an earlier spec"))));
    assert_eq!(project.read("specs/A-1.md"), "spec");
}

#[track_caller]
fn check_refused(project: &Project, path: &str, reason: &str) {
    let before = project.files("");
    assert_eq!(refusal(publish(project, path, "spec", None)), format!("{path} is not published: {reason}"));
    assert_eq!(project.files(""), before);
}

#[test]
fn a_plugin_cannot_publish_what_decides() {
    let mut project = Project::new();
    project.config.reserved.push("on-hold".into());
    for place in ["tollgate.toml", "pipelines", "plugins", "on-hold"] {
        let path = if place.ends_with(".toml") { place.to_owned() } else { format!("{place}/x.toml") };
        check_refused(
            &project,
            &path,
            &format!("`{place}` decides what Tollgate does; publish to another path"),
        );
    }
    check_refused(
        &project,
        "Plugins/x.wasm",
        "`plugins` decides what Tollgate does; publish to another path",
    );
    let hidden = "hidden files and folders are not for plugins; publish to another path";
    check_refused(&project, ".git/hooks/post-commit", hidden);
    check_refused(&project, "specs/.x", hidden);
    check_refused(&project, "backlog/new.md", "`backlog` holds the items; publish to another path");
    check_refused(
        &project,
        "specs/a.tollgate.md",
        "names that end in `.tollgate.md` are for records; publish to another path",
    );
    for outside in ["/etc/x", "../x", "a/../../x", ""] {
        check_refused(&project, outside, "expected a path inside the project, such as specs/12.md");
    }
}

#[test]
fn links_on_the_way_are_judged_by_where_they_lead() {
    let project = Project::new();
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(elsewhere.path(), project.path("out")).unwrap();
    symlink("backlog", project.path("specs")).unwrap();
    symlink("nowhere", project.path("lost")).unwrap();
    symlink("/etc/hostname", project.path("file.md")).unwrap();
    check_refused(&project, "out/a/x.md", "a link on the way leads out of the project");
    check_refused(&project, "specs/x.md", "`backlog` holds the items; publish to another path");
    check_refused(&project, "lost/x.md", "a link on the way leads to nothing");
    check_refused(&project, "file.md", "what is there is no plain file; move it, or publish to another path");
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);

    fs::create_dir(project.path("docs")).unwrap();
    symlink("docs", project.path("papers")).unwrap();
    assert!(!was_there(publish(&project, "papers/deep/x.md", "spec", None)));
    assert_eq!(project.read("docs/deep/x.md"), "spec");
}

#[test]
fn a_file_in_the_way_of_a_folder_is_named() {
    let project = Project::new();
    project.write("specs", "a file");
    check_refused(&project, "specs/x.md", "a file stands where a folder of its path should be");
}

#[test]
fn bytes_that_are_not_the_artifact_are_refused() {
    let project = Project::new();
    let file =
        PublishFile { path: "x.md".into(), artifact: Digest::of("spec"), media_type: "text/plain".into() };
    let what = Delivery::PublishFile { file, bytes: Arc::from(b"other".as_slice()), previous: None };
    assert!(refusal(project.deliver(what)).contains("and the effect names"));
}

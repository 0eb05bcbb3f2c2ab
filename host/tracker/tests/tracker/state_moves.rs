use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;
use tollgate_core::effect::{Delivered, SetState};
use tollgate_tracker::{Delivery, DeliveryError, MoveTable};

use crate::project::{Project, refusal, was_there};

fn project(state: &str) -> Project {
    let mut project = Project::new();
    let states = BTreeMap::from([("specified".to_owned(), state.to_owned())]);
    project.config.moves = Some(MoveTable { field: "status".into(), states });
    project
}

fn set_state(project: &Project) -> Result<Delivered, DeliveryError> {
    project.deliver(Delivery::SetState(SetState { state: "specified".into() }))
}

#[track_caller]
fn check(state: &str, before: &str, after: &str) {
    let project = project(state);
    project.write("backlog/a.md", before);
    let url = Some("backlog/a.md");
    let key = if before.contains("id: A-1") { "A-1" } else { "a" };
    let what = || Delivery::SetState(SetState { state: "specified".into() });
    assert!(!was_there(project.deliver_for(key, url, what())));
    assert_eq!(project.read("backlog/a.md"), after);
    assert!(was_there(project.deliver_for(key, url, what())));
    assert_eq!(project.read("backlog/a.md"), after);
}

#[test]
fn one_line_of_the_front_matter_changes() {
    check(
        "Specified",
        "---\nid: A-1\nstatus: Open   # as of May\n---\n\nstatus: Open\n",
        "---\nid: A-1\nstatus: Specified   # as of May\n---\n\nstatus: Open\n",
    );
    check("Specified", "---\r\nstatus: 'Open'\r\n---\r\nx\r\n", "---\r\nstatus: 'Specified'\r\n---\r\nx\r\n");
    check(
        "Specified",
        "\u{feff}---\nö: ü\nstatus: \"Open\"\n---",
        "\u{feff}---\nö: ü\nstatus: \"Specified\"\n---",
    );
    check("New", "---\nstatus: 'It''s' # x\n---\n", "---\nstatus: 'New' # x\n---\n");
    check("New", "---\nstatus: \"a\\\"b\" # x\n---\n", "---\nstatus: \"New\" # x\n---\n");
    check("It's: done", "---\nstatus: Open\n---\n", "---\nstatus: 'It''s: done'\n---\n");
    check("No", "---\nstatus: Open\n---\n", "---\nstatus: No\n---\n");
    check("Done", "---\nother: &s Open\nstatus: *s\n---\n", "---\nother: &s Open\nstatus: Done\n---\n");
    check("yes", "---\n{ id: A-1, status: Open }\n---\n", "---\n{ id: A-1, status: yes }\n---\n");
}

#[test]
fn one_heading_changes() {
    check("Specified", "# T\n\n## Status: Open\n\ntext\n", "# T\n\n## Status: Specified\n\ntext\n");
    check("Specified", "# T\r\n**Status:** Open\r\n", "# T\r\n**Status:** Specified\r\n");
    check("Specified", "# T\nStatus: Open\nTeam: x\n", "# T\nStatus: Specified\nTeam: x\n");
}

#[track_caller]
fn check_refused(project: &Project, content: &str, expected: &str) {
    project.write("backlog/a.md", content);
    let key = if content.contains("id: A-1") { "A-1" } else { "a" };
    let what = Delivery::SetState(SetState { state: "specified".into() });
    assert_eq!(refusal(project.deliver_for(key, Some("backlog/a.md"), what)), expected);
    assert_eq!(project.read("backlog/a.md"), content);
}

#[test]
fn anything_more_than_one_line_is_refused() {
    let project = project("Specified");
    let refused = |why: &str| format!("backlog/a.md is not moved to `Specified`: {why}");
    check_refused(&project, "---\nid: A-1\n---\n", &refused("its front matter has no `status`"));
    check_refused(&project, "---\nstatus: [a, b]\n---\n", &refused("`status` holds more than one text"));
    check_refused(
        &project,
        "---\nstatus: >\n  Open\n---\n",
        &refused("`status` is not written as one text on one line"),
    );
    check_refused(
        &project,
        "---\nstatus:\nid: A-1\n---\n",
        &refused("`status` is not written as one text on one line"),
    );
    check_refused(
        &project,
        "---\nstatus: &s Open\nother: *s\n---\n",
        &refused("`status` cannot be changed without changing more"),
    );
    check_refused(&project, "# T\n\ntext\n", &refused("it says no `status`, in front matter or headings"));
    check_refused(
        &project,
        "# T\n## Status\n\nOpen\n",
        &refused("its `status` does not stand beside its name"),
    );
}

#[test]
fn what_the_project_did_not_declare_is_refused() {
    let mut project = project("Specified");
    project.write("backlog/a.md", "---\nid: A-1\nstatus: Open\n---\n");
    let what = || Delivery::SetState(SetState { state: "shipped".into() });
    insta::assert_snapshot!(refusal(project.deliver(what())), @"the state `shipped` is not set: the `move` table of backlog has `specified`; add a line for it");
    project.config.moves = None;
    insta::assert_snapshot!(refusal(project.deliver(what())), @"the state `shipped` is not set: the source backlog declares no `move` table; add one to let items be moved");
}

#[test]
fn the_item_is_found_where_it_is_now() {
    let project = project("Specified");
    project.write("backlog/sub/renamed.md", "---\nid: A-1\nstatus: Open\n---\n");
    project.write("backlog/a.md", "---\nid: A-2\nstatus: Open\n---\n");
    assert!(!was_there(set_state(&project)));
    assert!(project.read("backlog/sub/renamed.md").contains("Specified"));
    assert!(project.read("backlog/a.md").contains("Open"));
    std::fs::remove_dir_all(project.path("backlog/sub")).unwrap();
    insta::assert_snapshot!(refusal(set_state(&project)), @"backlog has no item `A-1` that can be read");
}

#[test]
fn a_file_that_is_being_edited_is_left_alone() {
    let project = project("Specified");
    project.write("backlog/a.md", "---\nid: A-1\nstatus: Open\n---\n");
    project.touch("backlog/a.md", -500);
    let error = set_state(&project).unwrap_err();
    assert_eq!(error.retry_after, Some(Duration::from_secs(2)));
    assert_eq!(error.message, "backlog/a.md is being edited; its state is set when it has been still");
    assert!(project.read("backlog/a.md").contains("Open"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whatever the file and the state: nothing happens, or one line is different and says the state.
    #[test]
    fn one_line_differs_or_none(
        state in "[A-Za-z#:'\" @-]{1,12}",
        before in "([a-z]{1,3}: [a-z'\"\\[]{0,6}\r?\n){0,3}",
        written in "(Open|'Open'|\"Open\"|Open # x|@x|\\[a\\]|>)",
        body in "(\\PC|\r?\n){0,40}",
    ) {
        let project = project(&state);
        let text = format!("---\n{before}status: {written}\n---\n{body}");
        project.write("backlog/a.md", &text);
        let what = Delivery::SetState(SetState { state: "specified".into() });
        let answer = project.deliver_for("a", Some("backlog/a.md"), what).unwrap();
        let after = project.read("backlog/a.md");
        let differing: Vec<_> = text.split('\n').zip(after.split('\n')).filter(|(a, b)| a != b).collect();
        prop_assert_eq!(text.split('\n').count(), after.split('\n').count());
        prop_assert!(differing.len() <= 1, "{:?}", differing);
        let is_done = matches!(answer, Delivered::Done { .. });
        prop_assert!(differing.is_empty() || is_done);
        if let [(before, after)] = differing[..] {
            prop_assert!(before.starts_with("status: ") && after.starts_with("status: "));
        }
    }
}

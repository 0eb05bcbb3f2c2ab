//! Runs that a person ends, through the binary.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    children::{children, project_that_waits, run_of, show},
    support::{Project, Store, on_both},
    vanish::{ENDLESS, in_a_call_of},
};

on_both! {
    a_cancelled_run_takes_with_it_all_that_it_led_to,
}

/// W-1 waits for an entry that it opened, which waits for one that it opened, which waits for an event.
fn three_deep(store: Store) -> Project {
    let wait = "[[stage]]\nname = \"work\"\nplugin = \"hostile-stage@^1\"\nwith = { do = { wait-for = { any = [{ kind = \"event\", \
                body = { name = \"go\" } }] } } }\n";
    let project = project_that_waits(1, wait).on(store);
    project.change("tollgate.toml", |text| {
        text.replace(
            "{ use = \"leaf\" }",
            "{ use = \"middle\", when = 'title.startsWith(\"Part\")' }, { use = \"leaf\" }",
        )
    });
    let middle = project.read("pipelines/split.toml").replace("Part {n}", "Piece {n}");
    project.write("pipelines/middle.toml", &middle);
    drop(project.run(&["run", "--drain"]));
    project
}

fn a_cancelled_run_takes_with_it_all_that_it_led_to(store: Store) {
    let project = three_deep(store);
    let child = children(&project, "W-1").remove(0);
    let grandchild = children(&project, &child).remove(0);
    for key in ["W-1", &child, &grandchild] {
        assert_eq!(run_of(&project, key)["state"], "waiting", "{key}");
    }
    let said = project.run(&["runs", "cancel", "W-1", "--reason", "it is not needed"]).expect_code(0);
    let run = run_of(&project, "W-1")["id"].as_str().expect("an id").to_owned();
    let expected = format!(
        "run {run} of W-1 is cancelled; the next `tollgate run` ends it and writes its record\ncancelled with it: {child} and \
         {grandchild}\n"
    );
    assert_eq!(said, expected);
    let why = project.run(&["why", "W-1"]).expect_code(0);
    assert!(
        why.contains(" cancelled it: it is not needed. The host that has it, or the next one, ends it"),
        "{why}"
    );
    let twice = project.run(&["runs", "cancel", "W-1"]);
    assert_eq!(twice.code, Some(3));
    assert!(twice.stderr.contains("ends already, since "), "{twice:?}");

    drop(project.run(&["run", "--drain"]));
    for key in ["W-1", &child, &grandchild] {
        let run = run_of(&project, key);
        assert_eq!(
            (&run["state"], &show(&project, key)["state"]),
            (&json!("cancelled"), &json!("failed")),
            "{run}"
        );
        assert_eq!(run["record"]["final"]["state"], "cancelled");
    }
    let reason = run_of(&project, &grandchild)["reason"].as_str().expect("a reason").to_owned();
    assert!(
        reason.ends_with(" cancelled it: W-1, a run of which led to it, was cancelled: it is not needed"),
        "{reason}"
    );
    assert!(project.read("backlog/w-1.tollgate.md").contains("it is not needed"));
    let over = project.run(&["runs", "cancel", "W-1"]);
    assert!(over.stderr.contains("is cancelled; only one that is under way can be cancelled"), "{over:?}");
    let event = project.run(&["event", "go"]).expect_code(0);
    assert_eq!(event, "`go` is noted; no run waits for it now\n");
    drop(project.run(&["run", "--drain"]).expect_code(0));
    assert_eq!(show(&project, "W-1")["rounds"], 1, "it does not simply run again");
    assert_eq!(project.run(&["audit", "verify", "--json"]).json(0)["problems"], json!([]));
    let unknown = project.run(&["runs", "cancel", "W-9"]);
    assert_eq!(unknown.code, Some(3), "{unknown:?}");
}

#[test]
fn a_call_under_way_ends_at_once_and_what_cleans_up_runs() {
    let tidy = "[[stage]]\nname = \"next\"\nplugin = \"hostile-stage\"\n\n[[stage]]\nname = \"tidy\"\nplugin = \"hostile-stage\"\non = \
                \"always\"\n";
    let (project, mut host) = in_a_call_of(&format!("{ENDLESS}\n{tidy}"));
    let asked = Instant::now();
    let said = project.run(&["runs", "cancel", "W-1", "--reason", "it spins", "--json"]).json(0);
    assert!(said["driven_by"].as_str().is_some_and(|host| host.starts_with("test-")), "{said}");
    while run_of(&project, "W-1")["state"] == "running" {
        assert!(asked.elapsed() < Duration::from_secs(60), "its host was told");
    }
    drop(project.run(&["stop", "--now"]).expect_code(0));
    assert_eq!(host.wait().expect("a child can be waited for").code(), Some(2));
    let run = run_of(&project, "W-1");
    assert_eq!(
        (&run["state"], &run["crashes"], &run["fence"]),
        (&json!("cancelled"), &json!(0), &json!(2)),
        "{run}"
    );
    let stages: Vec<_> =
        run["steps"].as_array().expect("steps").iter().map(|step| step["stage"].clone()).collect();
    assert_eq!(stages, ["tidy"], "{run}");
    assert!(
        run["reason"].as_str().is_some_and(|reason| reason.ends_with(" cancelled it: it spins")),
        "{run}"
    );
    assert_eq!(run["escrow"], 0);
}

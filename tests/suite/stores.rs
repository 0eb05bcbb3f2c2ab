//! The binary on each kind of store, and what only a shared one is for: several hosts.

use std::process::Child;

use serde_json::{Value, json};

use crate::support::{GOOD_ITEM, Project, Store, command, finish, on_both, postgres};

on_both! {
    the_main_job_is_done_and_told,
    a_dry_run_changes_nothing,
    what_a_dead_host_left_the_next_one_finishes,
    a_pipeline_is_driven_by_hosts_with_its_labels,
    old_events_are_packed_and_read_as_before,
}

/// Items `W-1`, `W-2`, …, each of which passes.
fn project_with_items(items: usize) -> Project {
    let project = Project::empty();
    for number in 1..=items {
        let text = GOOD_ITEM.replace("id: W-1", &format!("id: W-{number}"));
        project
            .write(&format!("backlog/w-{number}.md"), &text.replace("a branch", &format!("branch {number}")));
    }
    project
}

fn runs_of(project: &Project) -> Vec<String> {
    let runs = project.run(&["runs", "list", "--limit", "0", "--json"]).json(0);
    let runs = runs["runs"].as_array().expect("a list of runs").clone();
    let mut keys: Vec<_> =
        runs.iter().map(|run| run["entry"]["key"].as_str().expect("a key").to_owned()).collect();
    keys.sort();
    keys
}

#[track_caller]
fn assert_audited(project: &Project) {
    assert_eq!(project.run(&["audit", "verify", "--json"]).json(0)["problems"], json!([]));
}

fn the_main_job_is_done_and_told(store: Store) {
    let project = Project::with_one_item().on(store);
    let nothing = project.run(&["backlog", "list"]);
    assert!(nothing.stderr.contains("nothing has run here"), "{nothing:?}");
    drop(project.run(&["run", "--drain"]).expect_code(0));
    assert!(project.read("specs/W-1.md").contains("Show the opening hours of a branch"));
    assert_eq!(project.records(), [("backlog/w-1.tollgate.md".to_owned(), 1)]);
    assert!(project.run(&["why", "W-1"]).expect_code(0).contains("done"));
    let covered = project.run(&["report", "coverage", "--json"]).json(0);
    assert_eq!(covered["backlogs"][0]["states"]["done"], 1, "{covered}");
    drop(project.run(&["runs", "retry", "W-1", "--reason", "once more"]).expect_code(0));
    drop(project.run(&["run", "--drain"]).expect_code(0));
    assert_eq!(runs_of(&project), ["W-1", "W-1"]);
    let status = project.run(&["store", "status", "--json"]).json(0);
    assert_eq!(
        (&status["entries"], &status["runs"], &status["undelivered"]),
        (&json!(1), &json!(2), &json!(0))
    );
    assert_audited(&project);
}

fn a_dry_run_changes_nothing(store: Store) {
    let project = project_with_items(2).on(store);
    let plan = |project: &Project| {
        let plan = project.run(&["run", "--dry-run", "--json"]).json(0);
        plan["would_run"].as_array().expect("a list").len()
    };
    assert_eq!(plan(&project), 2);
    assert!(project.run(&["backlog", "list"]).stderr.contains("nothing has run here"));
    drop(project.run(&["run", "--once"]).expect_code(0));
    let before = project.run(&["store", "status", "--json"]).json(0);
    assert_eq!(plan(&project), 1);
    let after = project.run(&["store", "status", "--json"]).json(0);
    for member in ["id", "runs", "events", "entries"] {
        assert_eq!(before[member], after[member], "{member}");
    }
}

fn what_a_dead_host_left_the_next_one_finishes(store: Store) {
    let project = project_with_items(3).on(store);
    let mut first = command(project.path(), &["run", "--drain", "--workers", "1"]);
    first.env("TOLLGATE_CRASH_AT", "deliver.before:2");
    assert_eq!(finish(first).code, None, "it was to be killed");
    drop(project.run(&["run", "--drain"]).expect_code(0));
    assert_eq!(runs_of(&project), ["W-1", "W-2", "W-3"]);
    assert!(project.records().iter().all(|(_, records)| *records == 1), "{:?}", project.records());
    assert_audited(&project);
}

fn a_pipeline_is_driven_by_hosts_with_its_labels(store: Store) {
    let project = project_with_items(2).on(store);
    project.change("pipelines/spec.toml", |text| {
        text.replacen("owner =", "host = [\"git\", \"gpu\"]\nowner =", 1)
    });
    let without = project.run(&["run", "--drain", "--label", "git"]).expect_code(0);
    let left = "2 entries of the pipeline spec wait for a host with the labels git and gpu: tollgate run --label git --label gpu";
    assert!(without.contains("left: 2 ready") && without.contains(left), "{without}");
    let why = project.run(&["why", "W-1"]).expect_code(0);
    assert!(
        why.contains("No host with the labels git and gpu is running: `tollgate run --label git --label gpu` starts one."),
        "{why}"
    );
    let malformed = project.run(&["run", "--label", "big gpu"]);
    assert_eq!(malformed.code, Some(3), "{malformed:?}");

    let mut with = command(project.path(), &["run", "--drain", "--label", "gpu"]);
    with.env("TOLLGATE_LABELS", "git, fast");
    let with = finish(with).expect_code(0);
    assert!(with.contains("2 done") && !with.contains("wait for a host"), "{with}");
    let status = project.run(&["store", "status", "--json"]).json(0);
    assert_eq!(status["hosts"], json!([]), "who ends in good order is forgotten");
}

fn old_events_are_packed_and_read_as_before(store: Store) {
    let project = project_with_items(3).on(store);
    drop(project.run(&["run", "--drain"]).expect_code(0));
    let told = || {
        let runs = project.run(&["runs", "list", "--limit", "0", "--json"]).json(0);
        let ids = runs["runs"].as_array().expect("a list of runs").iter();
        ids.map(|run| project.run(&["runs", "show", run["id"].as_str().expect("an id"), "--json"]).json(0))
            .collect::<Vec<_>>()
    };
    let events = || project.run(&["store", "status", "--json"]).json(0)["events"].clone();
    let exported = || {
        drop(std::fs::remove_file(project.path().join("all.jsonl")));
        drop(project.run(&["store", "export", "all.jsonl"]).expect_code(0));
        project.read("all.jsonl")
    };
    let packs = |export: &str| {
        let (_, packs) = export.split_once("{\"table\":\"event_pack\"").expect("a table of packs");
        packs.lines().skip(1).take_while(|line| line.starts_with('[')).count()
    };
    assert_eq!(packs(&exported()), 0);
    let before = (told(), events());

    project.change("tollgate.toml", |text| {
        text.replacen("[instance]\n", "[instance]\npack_after_days = 0\n", 1)
    });
    drop(project.run(&["run", "--drain"]).expect_code(0));
    assert_eq!((told(), events()), before);
    assert_eq!(packs(&exported()), 3);
    assert_audited(&project);
    drop(project.run(&["store", "doctor"]).expect_code(0));
}

fn start(project: &Project, host: &str) -> Child {
    let mut command = command(project.path(), &["run", "--drain", "--workers", "2"]);
    command
        .env("TOLLGATE_HOST", host)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped());
    command.spawn().expect("it can be started")
}

#[test]
fn several_hosts_share_a_backlog_and_do_everything_once() {
    let project = project_with_items(30).on(Store::Postgres);
    // So that components are compiled, and none of them waits for that alone.
    drop(project.run(&["run", "--once"]).expect_code(0));
    let hosts = ["here", "there", "far"].map(|host| start(&project, host));
    for host in hosts {
        let ended = host.wait_with_output().expect("it ends");
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    }
    let mut keys: Vec<_> = (1..=30).map(|number| format!("W-{number}")).collect();
    keys.sort();
    assert_eq!(runs_of(&project), keys);
    assert_eq!(project.records().len(), 30);
    assert!(project.records().iter().all(|(_, records)| *records == 1));
    assert_audited(&project);
}

#[test]
fn a_host_that_dies_beside_others_costs_a_lease_and_nothing_else() {
    let project = project_with_items(12).on(Store::Postgres);
    drop(project.run(&["run", "--once"]).expect_code(0));
    let mut dying = command(project.path(), &["run", "--drain", "--workers", "2"]);
    dying.env("TOLLGATE_HOST", "dying").env("TOLLGATE_CRASH_AT", "store.commit.after:25");
    let beside = start(&project, "beside");
    let died = finish(dying);
    let ended = beside.wait_with_output().expect("it ends");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    // Should the other one have been quicker, there was nothing to die of.
    assert!(died.code.is_none() || died.code == Some(0), "{died:?}");
    drop(project.run(&["run", "--drain"]).expect_code(0));
    assert_eq!(runs_of(&project).len(), 12);
    assert!(project.records().iter().all(|(_, records)| *records == 1));
    assert_audited(&project);
}

#[test]
fn a_project_moves_to_postgresql_and_back_and_goes_on() {
    let project = project_with_items(3);
    drop(project.run(&["run", "--once"]).expect_code(0));
    let id = |project: &Project| project.run(&["store", "status", "--json"]).json(0)["id"].clone();
    let first = id(&project);
    let address = postgres::new_database();

    let exported = project.run(&["store", "export", "there.jsonl", "--move-to", &address, "--json"]).json(0);
    let refused = project.run(&["run", "--drain"]);
    assert_eq!(refused.code, Some(3));
    assert!(refused.stderr.contains(&format!("the store went to {address} at ")), "{refused:?}");
    assert!(project.run(&["store", "status"]).expect_code(0).contains("moved   to postgres://"));

    project.store_at(&address);
    let imported = project.run(&["store", "import", "there.jsonl", "--json"]).json(0);
    for member in ["store", "rows", "runs", "events", "heads", "lines"] {
        assert_eq!(exported[member], imported[member], "{member}");
    }
    assert_eq!(imported["artifacts"]["missing"], json!([]));
    assert_eq!((id(&project), &imported["store"]), (first.clone(), &first));
    drop(project.run(&["run", "--once"]).expect_code(0));
    let again = project.run(&["store", "import", "there.jsonl"]);
    assert_eq!(again.code, Some(3));
    assert!(again.stderr.contains("the store is not empty"), "{again:?}");

    drop(project.run(&["store", "export", "back.jsonl", "--move-to", "here"]).expect_code(0));
    project.store_at("sqlite:.tollgate/back.db");
    drop(project.run(&["store", "import", "back.jsonl"]).expect_code(0));
    assert_eq!(id(&project), first);
    drop(project.run(&["run", "--drain"]).expect_code(0));
    assert_eq!(runs_of(&project), ["W-1", "W-2", "W-3"]);
    assert_eq!(project.records().len(), 3);
    assert_audited(&project);
}

#[test]
fn an_artifact_that_was_left_behind_is_named() {
    let project = Project::with_one_item();
    drop(project.run(&["run", "--drain"]).expect_code(0));
    drop(project.run(&["store", "export", "a.jsonl"]).expect_code(0));
    drop(project.run(&["run", "--drain"]).expect_code(0));
    std::fs::rename(project.path().join(".tollgate/artifacts"), project.path().join("kept"))
        .expect("it is there");
    project.store_at("sqlite:.tollgate/other.db");
    let imported = project.run(&["store", "import", "a.jsonl"]);
    assert_eq!(imported.code, Some(1), "{imported:?}");
    assert!(imported.stdout.contains("or damaged; copy those of the old store there"), "{imported:?}");
}

/// What is said of an address with a mistake in it.
#[track_caller]
fn check_refusal(address: &str, code: i32, says: &[&str]) {
    let project = Project::with_one_item();
    project.store_at(address);
    for args in
        [&["run", "--drain"] as &[&str], &["backlog", "list"], &["run", "--dry-run"], &["store", "status"]]
    {
        let refused = project.run(args);
        assert_eq!(refused.code, Some(code), "{args:?} {refused:?}");
        for part in says {
            assert!(refused.stderr.contains(part), "{args:?} {part}: {}", refused.stderr);
        }
        assert!(!refused.stderr.contains("s3cret") && !refused.stdout.contains("s3cret"), "{refused:?}");
    }
}

#[test]
fn what_keeps_a_host_from_its_database_is_said() {
    let there = postgres::new_database();
    let there = there.split('?').next().expect("an address");
    let (server, name) = there.rsplit_once('/').expect("a name");
    let listens_nowhere = "postgres://ines:s3cret@127.0.0.1:1/x";
    check_refusal(
        listens_nowhere,
        4,
        &["the store at postgres://127.0.0.1:1/x cannot be reached", "Connection refused"],
    );
    let none = format!("{server}/{name}_none");
    check_refusal(&none, 3, &["cannot be used: database", "does not exist", "`createdb"]);
    let unknown = there.replace("tollgate@", "nobody_known:s3cret@");
    check_refusal(&unknown, 3, &["cannot be used: role \"nobody_known\" does not exist"]);

    let role = format!("guest_{name}");
    postgres::ask(there, &format!("CREATE ROLE {role} LOGIN"));
    let guest = there.replace("tollgate@", &format!("{role}@"));
    let project = Project::with_one_item();
    project.store_at(&guest);
    let refused = project.run(&["run", "--drain"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(
        refused.stderr.contains("permission denied for schema public; let the store's user own"),
        "{refused:?}"
    );
}

#[test]
fn a_later_schema_and_another_program_are_told_apart() {
    let address = postgres::new_database();
    let project = Project::with_one_item();
    project.store_at(&address);
    drop(project.run(&["run", "--drain"]).expect_code(0));
    postgres::ask(&address, "INSERT INTO schema_migration VALUES (2, '0002_later', 0, 2)");
    let refused = project.run(&["run", "--drain"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.stderr.contains("has schema version 2 (`0002_later`)"), "{refused:?}");

    let other = postgres::new_database();
    postgres::ask(&other, "CREATE TABLE photo (id integer)");
    project.store_at(&other);
    let refused = project.run(&["run", "--drain"]);
    assert!(refused.stderr.contains("is a database of another program"), "{refused:?}");
}

#[test]
fn a_store_is_made_before_anything_runs() {
    let project = Project::with_one_item().on(Store::Postgres);
    let made = project.run(&["store", "migrate"]).expect_code(0);
    assert!(made.contains(" is made, with schema version 1 (`0001_initial`)"), "{made}");
    let again: Value = project.run(&["store", "migrate", "--json"]).json(0);
    assert_eq!((&again["made"], &again["changed"]), (&json!(false), &json!(false)));
}

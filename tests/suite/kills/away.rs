//! A database that is away for a moment, while a host is at a place at which it reads.

use super::{hold, play::finish};
use crate::support::{Finished, Project, Store, command, postgres};

/// A host that ends by itself.
const DRAIN: [&str; 4] = ["run", "--drain", "--workers", "1"];

/// Runs a command, and does this when it comes to the place the first, and the second time.
fn run_and_hold(project: &Project, args: &[&str], place: &str, act: impl FnMut(&str) + Send) -> Finished {
    hold::at_each(act, |socket| {
        let mut host = command(project.path(), args);
        host.env("TOLLGATE_CRASH_AT", format!("{place}:1,{place}:2")).env("TOLLGATE_CRASH_HOLD", socket);
        finish(host, |_| ())
    })
}

/// Runs a draining host whose database goes away at the first visit of this place, and comes back at the second, if there is one.
fn run_while_away(project: &Project, place: &str) -> Finished {
    let address = project.store();
    let mut visits = 0;
    let ended = run_and_hold(project, &DRAIN, place, |_| {
        visits += 1;
        admit(&address, visits > 1);
    });
    admit(&address, true);
    ended
}

/// Whether the server lets anybody into a database; if not, whoever is there has to go.
fn admit(address: &str, admits: bool) {
    let (server, name) = address.split_once('?').expect("an option").0.rsplit_once('/').expect("a database");
    drop(postgres::ask(
        &format!("{server}/postgres"),
        &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {admits}"),
    ));
    if !admits {
        postgres::end_connections(address);
    }
}

#[test]
fn a_source_during_whose_reading_the_store_failed_is_read_again() {
    let project = Project::with_one_item().on(Store::Postgres);
    let (address, mut is_first) = (project.store(), true);
    let ended = run_and_hold(&project, &DRAIN, "store.commit.before/take arrivals in", |_| {
        if std::mem::take(&mut is_first) {
            postgres::end_connections(&address);
        }
    });
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(project.records(), [("backlog/w-1.tollgate.md".to_owned(), 1)], "{ended:?}");
}

#[test]
fn what_the_store_could_not_take_in_is_not_taken_for_missing() {
    let project = Project::with_one_item().on(Store::Postgres);
    project
        .change("tollgate.toml", |text| text.replace("priority =", "done = { when = 'true' }\npriority ="));
    let address = project.store();
    for args in [&["backlog", "adopt"][..], &["run", "W-1"]] {
        let ended = run_and_hold(&project, args, "store.commit.before/take arrivals in", |_| {
            postgres::end_connections(&address);
        });
        assert_eq!(ended.code, Some(4), "{ended:?}");
        assert!(ended.stderr.contains("error: the store failed while it was to take in"), "{ended:?}");
    }
    let adopted = project.run(&["backlog", "adopt", "--json"]).json(0);
    assert_eq!(adopted["adopted"], 1, "{adopted}");
}

#[test]
fn the_mark_of_a_lost_host_is_put_back_when_the_store_can_say_whose_it_is() {
    let project = Project::with_one_item().on(Store::Postgres);
    project.change("tollgate.toml", |text| {
        text.replace("settle = \"0s\"", "settle = \"0s\"\nclaim_marker = \"sidecar\"")
    });
    drop(project.run(&["run", "--drain"]).expect_code(0));
    // As a host of another store left it.
    let mark = "{\"schema\":\"tollgate.claim/1\",\"key\":\"W-1\",\"run\":\"01M7YV3CNFQMN6Z544ZSKX9TV6\",\
                \"host\":\"gone-1\",\"since\":\"2026-01-01T00:00:00.000Z\"}";
    project.write("backlog/w-1.tollgate-claim", mark);
    let ended = run_while_away(&project, "marks.found");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!project.path().join("backlog/w-1.tollgate-claim").exists(), "{ended:?}");
}

#[test]
fn a_host_whose_database_goes_away_when_all_is_done_ends_by_what_it_did() {
    let project = Project::with_one_item().on(Store::Postgres);
    let ended = run_while_away(&project, "store.commit.before/let a host go");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("1 run ended: 1 done"), "{ended:?}");
    assert!(ended.stderr.contains("warning: what is left is not known: the store "), "{ended:?}");
    assert_eq!(project.records(), [("backlog/w-1.tollgate.md".to_owned(), 1)]);
}

//! That every query fits the schema, and how SQLite goes about those that matter.

use rusqlite::Connection;
use tollgate_core::Timestamp;

use super::{migrate, open};
use crate::sql::*;

fn connection() -> Connection {
    let mut connection = open::in_memory().ok().unwrap();
    migrate::migrate(&mut connection, "memory", Timestamp::default()).ok().unwrap();
    connection
}

#[test]
fn every_query_fits_the_schema() {
    let connection = connection();
    for (name, query) in ALL.iter().filter(|(_, query)| !query.sqlite.is_empty()) {
        if let Err(error) = connection.prepare(query.sqlite) {
            panic!("{name}: {error}");
        }
    }
}

/// The steps of the plan of a query.
fn plan(query: Query) -> Vec<String> {
    let connection = connection();
    let explain = format!("EXPLAIN QUERY PLAN {}", query.sqlite);
    let mut statement = connection.prepare(&explain).unwrap();
    // A plan does not depend on the values, so none are given.
    let steps = statement.raw_query().mapped(|row| row.get("detail"));
    steps.collect::<Result<_, _>>().unwrap()
}

#[track_caller]
fn check_searches(query: Query, table: &str, index: &str) {
    let plan = plan(query);
    let about = |step: &&String| step.split_whitespace().nth(1) == Some(table);
    let steps: Vec<_> = plan.iter().filter(about).collect();
    assert!(!steps.is_empty(), "`{table}` is not in {plan:?}");
    for step in steps {
        assert!(step.starts_with("SEARCH") && step.contains(index), "{step}\nin {plan:?}");
    }
}

#[test]
fn a_claim_descends_the_ready_index() {
    check_searches(RUN_CLAIM, "ready", "PRIMARY KEY (lane_id=?)");
    check_searches(RUN_CLAIM, "child", "child_by_entry");
    let sorts = plan(RUN_CLAIM).iter().any(|step| step.contains("TEMP B-TREE"));
    assert!(!sorts, "it reads the first row, and sorts nothing");
    check_searches(RUN_CLAIM_ONLY, "ready", "PRIMARY KEY (lane_id=? AND rank_key=? AND entry_id=?)");
    check_searches(RUN_CLAIM_ONLY, "begun", "ready_begun (entry_id=?");
}

#[test]
fn a_page_of_a_backlog_is_read_along_the_ready_index() {
    let plan = plan(ENTRY_LINE_LIST_READY);
    assert!(plan[0].starts_with("SCAN ready"), "{plan:?}");
    assert!(plan.iter().all(|step| !step.contains("TEMP B-TREE")), "it sorts nothing: {plan:?}");
}

#[test]
fn what_moves_is_found_by_what_its_place_says() {
    let by_place = "PRIMARY KEY (lane_id=? AND rank_key=? AND entry_id=?)";
    for query in [
        PLACE_MOVE,
        PLACE_LIST_DISPLACED,
        READY_MOVE,
        READY_STANDS,
        READY_DELETE_ENTRY,
        READY_DELETE_ELSEWHERE,
    ] {
        check_searches(query, "ready", by_place);
    }
    for query in [PLACE_MOVE, PLACE_LIST_DISPLACED, READY_MOVE, READY_DELETE_ENTRY, READY_DELETE_ELSEWHERE] {
        check_searches(query, "place", "PRIMARY KEY (rowid");
    }
    let sorts = |query| plan(query).iter().any(|step| step.contains("TEMP B-TREE"));
    assert!(!sorts(PLACE_LIST_DISPLACED), "a page is read along the places");
}

#[test]
fn what_is_done_often_scans_nothing() {
    check_searches(OUTBOX_LIST_TAKABLE, "earlier", "outbox_unsettled");
    check_searches(OUTBOX_LIST_TAKABLE, "outbox", "outbox_due");
    check_searches(OUTBOX_LAPSE, "outbox", "outbox_leased");
    check_searches(RUN_LIST_LAPSED, "run", "run_leased");
    check_searches(RUN_RENEW_LEASES, "run", "run_leased");
    check_searches(ENTRY_LIST_DEPENDANTS, "link", "link_by_key");
    check_searches(ENTRY_LINE_LIST_BY_KEY, "entry", "entry_by_key");
    check_searches(LINK_LIST, "link", "PRIMARY KEY (entry_id=?)");
    check_searches(LINK_LIST, "target", "entry_by_key");
    check_searches(LINK_LIST_WAITING, "link", "link_by_key");
    check_searches(OUTBOX_LEAVES, "outbox", "outbox_by_run");
    check_searches(ENTRY_LIST_DUE, "place", "place_due");
    check_searches(HOLD_DELETE_DUE, "hold", "hold_due");
    check_searches(WAKE_LIST_DUE, "wake", "wake_due");
    check_searches(WAKE_CHILDREN_LIST, "child", "child_by_entry");
}

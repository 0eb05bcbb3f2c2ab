use std::{fs, sync::Barrier, thread};

use tollgate_core::{Clock as _, StoreId};
use tollgate_tracker::{Ownership, TakeOver, Tracker as _};

use crate::project::{Project, block_on};

fn claim(project: &Project, store: StoreId) -> Ownership {
    block_on(project.tracker().claim_ownership(store)).unwrap()
}

#[test]
fn the_first_store_owns_the_folder() {
    let project = Project::new();
    let (first, second) = (StoreId::generate(), StoreId::generate());
    assert_eq!(claim(&project, first), Ownership::Owned);
    assert_eq!(claim(&project, first), Ownership::Owned);
    let marker = "backlog/.tollgate-owner".to_owned();
    let owned_by = Ownership::OwnedBy { store: first, since: project.clock.now(), marker };
    assert_eq!(claim(&project, second), owned_by);
    assert!(project.scan().skipped.is_empty());
}

#[test]
fn who_takes_the_folder_over_keeps_whose_it_was() {
    let project = Project::new();
    let (first, second, third) = (StoreId::generate(), StoreId::generate(), StoreId::generate());
    assert_eq!(claim(&project, first), Ownership::Owned);
    for store in [second, second, third] {
        let note = TakeOver { who: "ines".into(), why: "the disk is gone".into() };
        block_on(project.tracker().take_over(store, note)).unwrap();
        assert_eq!(claim(&project, store), Ownership::Owned);
    }
    assert!(matches!(claim(&project, first), Ownership::OwnedBy { store, .. } if store == third));
    let marker: serde_json::Value = serde_json::from_str(&project.read("backlog/.tollgate-owner")).unwrap();
    let before: Vec<_> = marker["before"].as_array().unwrap().iter().map(|it| it["store"].clone()).collect();
    assert_eq!(before, [first.to_string(), second.to_string()]);
    assert_eq!(marker["before"][0]["why"], "the disk is gone");
}

#[test]
fn of_many_stores_at_once_one_wins() {
    let project = Project::new();
    let start = Barrier::new(8);
    let answers: Vec<_> = thread::scope(|scope| {
        let claims: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    claim(&project, StoreId::generate())
                })
            })
            .collect();
        claims.into_iter().map(|claim| claim.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|answer| **answer == Ownership::Owned).count(), 1);
}

#[test]
fn a_marker_that_cannot_be_read_keeps_everyone_out() {
    let project = Project::new();
    fs::write(project.path("backlog/.tollgate-owner"), "{").unwrap();
    let error = block_on(project.tracker().claim_ownership(StoreId::generate())).unwrap_err();
    insta::assert_snapshot!(error, @"backlog/.tollgate-owner says nothing that can be read: EOF while parsing an object at line 1 column 1; remove it if no other store works here");
}

#[test]
fn a_missing_folder_is_named() {
    let project = Project::new();
    fs::remove_dir(project.path("backlog")).unwrap();
    let error = block_on(project.tracker().scan()).unwrap_err();
    insta::assert_snapshot!(error, @"backlog is not there; create it, or correct the source in tollgate.toml");
}

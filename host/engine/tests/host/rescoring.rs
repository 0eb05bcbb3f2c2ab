//! Backlogs that are judged again by more than one host.

use std::{sync::Arc, time::Duration};

use tollgate_core::time::ManualClock;
use tollgate_engine::{
    judge::Lanes,
    rank::{Ranked, Ranker},
};
use tollgate_policy::Policy;

use crate::support::{Project, stage};

/// More than are judged one chunk at a time, although a third of them is never due again.
const ITEMS: usize = 180;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A host that is silent for longer is not going to put in order what it judged.
const SILENCE: Duration = Duration::from_secs(31);

/// The older one is, the later is its turn; one of three is new, one a week old, and one two, after which nothing changes any more.
async fn waiting(clock: &Arc<ManualClock>) -> Project {
    let priority = "priority = '-min(floor(age_days / 7), 2)'";
    let pipelines = [("good", stage("work", "{ do = \"ok\" }"))];
    let project = Project::with_clock(&pipelines, Arc::clone(clock) as _).await;
    let project = project.with_policy("order_by = [\"key\"]", priority);
    for number in 0..ITEMS {
        let created = ["2026-03-01", "2026-02-22", "2026-02-15"][number % 3];
        let text = format!(
            "---\nid: A-{number:03}\nkind: good\ncreated: {created}\n---\n# Item {number}\n\nText.\n"
        );
        std::fs::write(project.path().join(format!("backlog/A-{number:03}.md")), text).unwrap();
    }
    let (host, _) = project.host("first").await;
    host.pull().await;
    project
}

async fn ranker(project: &Project) -> Ranker {
    let policy = Policy::load(project.path()).unwrap_or_else(|error| panic!("{error}"));
    let applied = project.store.applied_policy().await.unwrap().unwrap();
    Ranker::new(&Arc::new(policy), Lanes::of(&applied))
}

/// The keys of what can be claimed, in the order in which it would be.
async fn order(project: &Project) -> Vec<String> {
    let items = project.store.items_of_lane("work", "good", 1_000).await.unwrap();
    items.into_iter().map(|item| item.item.name.key).collect()
}

#[tokio::test]
async fn what_a_host_judged_and_did_not_put_in_order_another_one_puts_in_order() {
    let clock = Arc::new(ManualClock::at("2026-03-02T12:00:00Z".parse().unwrap()));
    let project = waiting(&clock).await;
    let before = order(&project).await;
    assert_eq!(before.len(), ITEMS);
    assert_eq!([&before[0], &before[ITEMS - 1]], ["A-000", "A-179"]);

    clock.advance(30 * DAY);
    let gone = ranker(&project).await;
    let judged = gone.tick(&*project.store).await.unwrap();
    assert_eq!((judged.entries, judged.is_in_order), (ITEMS as u64 * 2 / 3, false));
    drop(gone);
    assert_eq!(order(&project).await, before);

    let other = ranker(&project).await;
    assert!(other.tick(&*project.store).await.unwrap().is_done(), "the first may be at it still");
    clock.advance(SILENCE);
    let mut looks = 0;
    while other.tick(&*project.store).await.unwrap().is_done() {
        looks += 1;
        assert!(looks < 100, "nobody looks for what another host left");
    }
    while other.tick(&*project.store).await.unwrap() != (Ranked { entries: 0, is_in_order: true }) {}
    let after: Vec<_> = before.chunks(ITEMS / 3).rev().flatten().collect();
    assert_eq!(
        order(&project).await.iter().collect::<Vec<_>>(),
        after,
        "where all are alike the oldest come first"
    );
    assert_eq!(project.store.lapsed_rescorings().await.unwrap(), []);
}

#[tokio::test]
async fn what_a_host_left_in_order_is_ended_by_the_first_look_of_another_one() {
    let clock = Arc::new(ManualClock::at("2026-03-02T12:00:00Z".parse().unwrap()));
    let project = waiting(&clock).await;
    let left = project.store.begin_rescoring().await.unwrap();
    clock.advance(SILENCE);
    assert_eq!(project.store.lapsed_rescorings().await.unwrap(), [left]);
    assert!(ranker(&project).await.tick(&*project.store).await.unwrap().is_done());
    assert_eq!(project.store.lapsed_rescorings().await.unwrap(), []);
}

//! Dependencies between the sources of one backlog.

use tollgate_core::{
    course::End,
    entry::{EntryState, HoldKind},
};
use tollgate_store::port::{Arrival, OnChange};

use crate::support::*;

/// Reads a source until what is not there is gone.
async fn read_out(world: &World, tracker: &str, arrivals: &[Arrival]) {
    for _ in 0..3 {
        world.read(tracker, arrivals.to_vec(), full()).await;
    }
}

async fn first_hold(world: &World, key: &str) -> Option<HoldKind> {
    let holds = world.store.entry(key, None).await.unwrap().status.holds;
    holds.first().map(|hold| hold.kind)
}

pub(crate) async fn a_key_of_another_source_is_found_whenever_it_comes(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("B").needs("A")]).await;
    assert_eq!(first_hold(&world, "B").await, Some(HoldKind::DependencyUnknown));

    world.admit(vec![arrival(world.lane, "A", 9).beside()]).await;
    assert_eq!(world.holds("B").await, ["dependency: waits for A, which waits for its turn"]);
    assert_eq!(world.store.entry("A", None).await.unwrap().waiting_for_it, ["B"]);
    world.work(End::Done).await;
    assert_eq!(world.state("B").await, EntryState::Ready, "lifted by the transaction that ended the run");
    let links = world.store.entry("B", None).await.unwrap().links;
    assert_eq!((links[0].target, links[0].satisfied), (Some(EntryState::Done), true));

    world.admit(vec![world.arrival("A")]).await;
    assert_eq!(
        world.holds("B").await,
        ["dependency: waits for A, which waits for its turn"],
        "its own source has the key now"
    );
    read_out(&world, TRACKER, &[world.arrival("B").needs("A")]).await;
    assert_eq!(world.state("B").await, EntryState::Ready, "the one of its own source is gone");
    read_out(&world, BESIDE, &[]).await;
    assert_eq!(world.holds("B").await, ["dependency: waits for A, which is gone from its tracker"]);
    world.admit(vec![arrival(world.lane, "A", 9).beside()]).await;
    assert_eq!(world.state("B").await, EntryState::Ready, "it is back, and was done");
}

pub(crate) async fn who_comes_back_means_itself_and_no_other_of_its_key(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    world.work(End::Done).await;
    world.read(BESIDE, vec![arrival(world.lane, "A", 9).closed().beside()], full()).await;
    read_out(&world, TRACKER, &[]).await;
    let again = world.arrival("A").says("more").needs("A").on_change(OnChange::Rerun);
    assert_eq!(world.admit(vec![again]).await[0].state, EntryState::Held, "the other one is over");
}

pub(crate) async fn a_key_of_several_other_sources_holds_until_one_is_left(make: &Make<'_>) {
    let world = World::new(make).await;
    let third = |key: &str| {
        let mut arrival = world.arrival(key);
        arrival.item.name.tracker = "folder:more".into();
        arrival.snapshot.name.tracker = "folder:more".into();
        arrival
    };
    world.admit(vec![world.arrival("B").needs("A"), world.arrival("A").beside().closed()]).await;
    assert_eq!(world.state("B").await, EntryState::Ready);
    world.read("folder:more", vec![third("A")], full()).await;
    let several = "dependency-unknown: depends on A, and several sources of the backlog have an entry of that key: \
                   folder:done, folder:more; name the one that is meant, e.g. `folder:done#A`";
    assert_eq!(world.holds("B").await, [several]);

    let naming = |tracker: &str| {
        let mut arrival = world.arrival("B").needs("A");
        arrival.links[0].to.tracker = tracker.into();
        arrival
    };
    world.admit(vec![naming(BESIDE)]).await;
    assert_eq!(world.state("B").await, EntryState::Ready, "it says which one is meant");
    world.admit(vec![naming("folder:none")]).await;
    assert_eq!(first_hold(&world, "B").await, Some(HoldKind::DependencyUnknown), "and means no other");

    world.admit(vec![world.arrival("B").needs("A")]).await;
    assert_eq!(world.holds("B").await, [several]);
    read_out(&world, "folder:more", &[]).await;
    assert_eq!(world.state("B").await, EntryState::Ready);
}

pub(crate) async fn another_backlog_is_another_world(make: &Make<'_>) {
    let world = World::new(make).await;
    let elsewhere = || Arrival { backlog: "defects".into(), ..world.arrival("A").beside().closed() };
    world.admit(vec![world.arrival("B").needs("A"), elsewhere()]).await;
    assert_eq!(world.state("B").await, EntryState::Held);
    world.admit(vec![world.arrival("A").beside().closed()]).await;
    assert_eq!(world.state("B").await, EntryState::Ready, "it has come over");
    world.admit(vec![elsewhere()]).await;
    assert_eq!(world.state("B").await, EntryState::Held, "it has left again");
}

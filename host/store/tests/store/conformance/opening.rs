//! Entries that live in the store alone, and how many may come in (S2-25).

use std::time::Duration;

use tollgate_core::{
    RunId, Timestamp,
    course::End,
    entry::{EntryState, INTERNAL_TRACKER, LinkKind},
};
use tollgate_store::{
    StoreError,
    port::{Arrival, EntryFilter, Guard, Opened, OpenedHow, Opener, Opening, Rate},
};

use crate::support::*;

const WINDOW: Duration = Duration::from_secs(300);

pub(crate) fn internal<S: HasStore>(world: &World<S>, key: &str) -> Arrival {
    let mut arrival = arrival(world.lane, key, 0);
    for name in [&mut arrival.item.name, &mut arrival.snapshot.name] {
        name.tracker = INTERNAL_TRACKER.into();
    }
    arrival.revision = arrival.snapshot.revision();
    arrival
}

pub(crate) fn opening<S: HasStore>(world: &World<S>, key: &str, opener: Opener) -> Opening {
    Opening { arrival: internal(world, key), fingerprint: format!("f-{key}"), opener }
}

pub(crate) fn by_run(run: RunId, depth_max: u32) -> Opener {
    Opener::Run { run, depth_max }
}

pub(super) async fn open(world: &World, key: &str, opener: Opener) -> Opened {
    world.store.open_entry(opening(world, key, opener)).await.unwrap()
}

fn conflict<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    match result {
        Err(StoreError::Conflict(reason)) => reason,
        other => panic!("expected a conflict, got {other:?}"),
    }
}

pub(crate) async fn an_entry_of_one_fingerprint_is_opened_once(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let run = world.work(End::Done).await.run.id;
    let first = open(&world, "I", by_run(run, 3)).await;
    assert_eq!((first.how, first.state), (OpenedHow::Created, EntryState::Ready));
    let mut again = opening(&world, "J", by_run(run, 3));
    again.fingerprint = "f-I".into();
    let again = world.store.open_entry(again).await.unwrap();
    assert_eq!((again.id, again.how), (first.id, OpenedHow::Found));

    let parent = world.store.entry("A", None).await.unwrap();
    assert_eq!(parent.children.len(), 1);
    assert_eq!((parent.children[0].name.key.as_str(), parent.children[0].opened_by), ("I", run));
    let link = world.store.entry("I", None).await.unwrap().links.remove(0).link;
    assert_eq!(
        (link.kind, link.to, link.source.as_str()),
        (LinkKind::ChildOf, name("A"), "effect:open-entry")
    );

    let mut other = opening(&world, "I", Opener::Person);
    other.fingerprint = "f-other".into();
    let reason = conflict(world.store.open_entry(other).await);
    assert!(reason.contains("internal#I is there already"), "{reason}");
}

pub(crate) async fn a_chain_of_openings_ends_at_its_depth(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    for key in ["I", "J"] {
        let run = world.work(End::Done).await.run.id;
        open(&world, key, by_run(run, 2)).await;
    }
    let run = world.work(End::Done).await.run.id;
    let reason = conflict(world.store.open_entry(opening(&world, "K", by_run(run, 2))).await);
    assert!(reason.starts_with("J was opened by a run itself, and so on 2 deep"), "{reason}");
    assert_eq!(world.store.entries(EntryFilter::default()).await.unwrap().total, 3, "nothing was made");
}

pub(crate) async fn what_a_person_says_of_an_entry_keeps_who_opened_it(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let run = world.work(End::Done).await.run.id;
    open(&world, "I", by_run(run, 3)).await;
    let mut revised = opening(&world, "I", Opener::Person);
    revised.arrival = revised.arrival.says("It works now.");
    assert_eq!(world.store.open_entry(revised.clone()).await.unwrap().how, OpenedHow::Revised);
    assert_eq!(world.store.open_entry(revised).await.unwrap().how, OpenedHow::Found);
    let entry = world.store.entry("I", None).await.unwrap();
    assert_eq!(
        (entry.snapshot.body.as_str(), entry.links[0].link.kind),
        ("It works now.", LinkKind::ChildOf)
    );
}

/// An arrival of a source that lets two in within five minutes.
fn limited(world: &World, key: &str) -> Arrival {
    let per_source = Some(Rate { count: 2, window: WINDOW });
    Arrival { guard: Guard { per_source, ..Guard::default() }, ..world.arrival(key) }
}

pub(crate) async fn what_exceeds_a_rate_is_let_in_when_there_is_room(make: &Make<'_>) {
    let world = World::new(make).await;
    world.reconcile(vec![], true).await;
    let keys = ["A", "B", "C", "D", "E"];
    let arrivals = || keys.map(|key| limited(&world, key)).to_vec();
    world.reconcile(arrivals(), true).await;
    let ready = || async {
        let mut ready = Vec::new();
        for key in keys {
            ready.extend((world.state(key).await == EntryState::Ready).then_some(key));
        }
        ready
    };
    assert_eq!(ready().await, ["A", "B"]);
    let holds = world.store.entry("C", None).await.unwrap().status.holds;
    assert_eq!(holds[0].until, Some(start().after(WINDOW)));
    assert_eq!(
        world.holds("C").await,
        [
            "intake: of the source folder:docs, 2 entries came in within 5m, as many as `intake` of the backlog lets in"
        ]
    );
    world.reconcile(arrivals(), true).await;
    assert_eq!(ready().await, ["A", "B"], "to be read again is not to come again");

    world.clock.advance(WINDOW);
    assert_eq!(world.store.lift_due().await.unwrap(), 2);
    assert_eq!(ready().await, ["A", "B", "C", "D"]);
    let id = world.id("E").await;
    world.store.let_in(id, "ines", "it is needed now").await.unwrap();
    assert_eq!(ready().await, keys);
    let reason = conflict(world.store.let_in(id, "ines", "again").await);
    assert!(reason.contains("E is ready, and there is nothing to let it in for"), "{reason}");
}

/// S0-2: a backlog of 340 items is no flood.
pub(crate) async fn what_stood_in_a_source_before_it_was_read_in_full_does_not_count(make: &Make<'_>) {
    let world = World::new(make).await;
    let there: Vec<_> = (0..340).map(|number| limited(&world, &format!("W-{number}"))).collect();
    world.reconcile(there[..200].to_vec(), false).await;
    world.reconcile(there.clone(), true).await;
    let held = EntryFilter { states: vec![EntryState::Held], ..EntryFilter::default() };
    assert_eq!(world.store.entries(held.clone()).await.unwrap().total, 0);
    world
        .reconcile(there.into_iter().chain(["A", "B", "C"].map(|key| limited(&world, key))).collect(), true)
        .await;
    assert_eq!(world.store.entries(held).await.unwrap().total, 1);
}

pub(crate) async fn a_flood_of_one_author_is_in_nobody_elses_way(make: &Make<'_>) {
    let world = World::new(make).await;
    world.reconcile(vec![], true).await;
    let by = |author: &str, key: String| {
        let mut arrival = limited(&world, &key);
        arrival.snapshot.author = Some(author.into());
        arrival.guard = Guard {
            per_author: Some(Rate { count: 2, window: WINDOW }),
            per_source: Some(Rate { count: 6, window: WINDOW }),
            ..Guard::default()
        };
        arrival
    };
    let flood: Vec<_> = (0..50).map(|number| by("bot", format!("F-{number}"))).collect();
    world.reconcile(flood, true).await;
    world.reconcile(vec![by("ines", "A".into())], false).await;
    assert_eq!(world.state("A").await, EntryState::Ready);
    let last = world.store.entry("F-49", None).await.unwrap().status.holds.remove(0).until;
    assert_eq!(last, Some(start().after(WINDOW * 24)), "two in every window");
}

pub(crate) async fn what_tollgate_wrote_is_held_until_a_person_lets_it_in(make: &Make<'_>) {
    let world = World::new(make).await;
    let own = |body: &str| {
        let guard = Guard { own_output: Some("its author is tollgate:spec".into()), ..Guard::default() };
        Arrival { guard, ..world.arrival("A").says(body) }
    };
    world.admit(vec![own("one")]).await;
    assert_eq!(
        world.holds("A").await,
        ["own-output: its author is tollgate:spec; what Tollgate wrote is not worked on again by itself"]
    );
    world.admit(vec![own("two")]).await;
    assert_eq!(world.state("A").await, EntryState::Held, "an edit lifts nothing");
    world.store.let_in(world.id("A").await, "ines", "it is meant").await.unwrap();
    world.admit(vec![own("three")]).await;
    assert_eq!(world.state("A").await, EntryState::Ready, "a person's word holds");
}

pub(crate) async fn runs_that_one_entry_led_to_open_so_many_entries(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let run = world.work(End::Done).await.run.id;
    let open = |key: &str, run| {
        let mut opening = opening(&world, key, by_run(run, 9));
        opening.arrival.guard.per_origin = Some(2);
        world.store.open_entry(opening)
    };
    open("I", run).await.unwrap();
    let of_child = world.work(End::Done).await.run.id;
    open("J", of_child).await.unwrap();
    assert_eq!(open("K", of_child).await.unwrap().state, EntryState::Held);
    assert_eq!(
        world.holds("K").await,
        [
            "intake: A and what came of it led to 2 entries already, as many as `per_origin` under `intake` of the backlog lets in"
        ]
    );
    world.store.let_in(world.id("K").await, "ines", "one more").await.unwrap();
    assert_eq!(world.state("K").await, EntryState::Ready);
}

/// A text of its own for every number.
fn text(number: usize) -> String {
    let words = [
        "shelf",
        "reader",
        "branch",
        "loan",
        "desk",
        "hours",
        "catalogue",
        "shelving",
        "return",
        "copy",
        "fine",
    ];
    let word =
        |at: usize| format!("{}{}", words[(number * 7 + at * 3) % words.len()], (number * 31 + at * at) % 97);
    (0..60).map(word).collect::<Vec<_>>().join(" ")
}

/// S0-3: of 340 entries, three say what others say.
pub(crate) async fn an_entry_that_says_nearly_what_an_earlier_one_says_is_held(make: &Make<'_>) {
    let world = World::new(make).await;
    let compared = |key: &str, body: &str| {
        let guard = Guard { duplicate_thousandths: Some(750), ..Guard::default() };
        Arrival { guard, ..world.arrival(key).says(body) }
    };
    let mut there: Vec<_> = (0..337).map(|number| compared(&format!("W-{number}"), &text(number))).collect();
    there.insert(100, compared("D-1", &text(7)));
    there.insert(200, compared("D-2", &format!("Please: {} soon", text(42))));
    there.push(compared("D-3", &text(300).replacen("desk", "counter", 4)));
    world.reconcile(there.clone(), true).await;
    let held = EntryFilter { states: vec![EntryState::Held], ..EntryFilter::default() };
    let mut keys = Vec::new();
    for entry in world.store.entries(held).await.unwrap().rows {
        let links = world.store.entry(&entry.name.key, None).await.unwrap().links;
        keys.push((entry.name.key, links[0].link.kind, links[0].link.to.key.clone(), links.len()));
    }
    let duplicate = |key: &str, of: &str| (key.to_owned(), LinkKind::DuplicateOf, of.to_owned(), 1);
    assert_eq!(keys, [duplicate("D-1", "W-7"), duplicate("D-2", "W-42"), duplicate("D-3", "W-300")]);
    assert_eq!(
        world.holds("D-1").await,
        ["duplicate: it says nearly what W-7 says: 98 % of their words are the same"]
    );
    world.store.let_in(world.id("D-1").await, "ines", "it is another").await.unwrap();
    there[100] = compared("D-1", "something else by now");
    world.reconcile(there, true).await;
    assert_eq!(world.state("D-1").await, EntryState::Ready);
    assert_eq!(world.store.entry("D-1", None).await.unwrap().links.len(), 1, "who said so is not the source");
}

/// How a loop of entries that open entries went.
pub(crate) struct Loop {
    /// When each was let in.
    pub(crate) let_in: Vec<Timestamp>,
    /// How many there are in the end.
    pub(crate) entries: u64,
}

/// Runs whatever is ready; every run opens as many entries as `children` says next, for as many ticks.
pub(crate) async fn feed_itself(
    make: &Make<'_>,
    guard: &Guard,
    depth_max: u32,
    children: &[usize],
    ticks: usize,
) -> Loop {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let (mut let_in, mut made) = (Vec::new(), 0);
    let mut wishes = children.iter().cycle();
    for _ in 0..ticks {
        let request = world.request();
        match world.store.claim(request).await.unwrap() {
            tollgate_store::port::ClaimOutcome::Claimed(run) => {
                if run.run.entry.tracker == INTERNAL_TRACKER {
                    let_in.push(run.claimed_at);
                }
                world.finish(&run, End::Done).await;
                for _ in 0..*wishes.next().unwrap() {
                    made += 1;
                    let mut opening = opening(&world, &format!("I-{made}"), by_run(run.run.id, depth_max));
                    opening.arrival.guard = guard.clone();
                    opening.arrival.snapshot.author = Some("tollgate:spec".into());
                    match world.store.open_entry(opening).await {
                        Ok(_) | Err(StoreError::Conflict(_)) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            }
            _ => {
                world.clock.advance(Duration::from_secs(20));
                world.store.lift_due().await.unwrap();
            }
        }
    }
    let filter = EntryFilter { states: vec![EntryState::Ready], ..EntryFilter::default() };
    assert_eq!(world.store.entries(filter).await.unwrap().total, 0, "it came to an end");
    Loop { let_in, entries: world.store.entries(EntryFilter::default()).await.unwrap().total }
}

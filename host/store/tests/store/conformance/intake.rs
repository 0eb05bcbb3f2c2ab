//! Arrivals, holds, dependencies, reconciles, rescoring.

use std::time::Duration;

use tollgate_core::{
    EntryId,
    course::End,
    entry::{DependencyRule, EntryState, EntryStatus, HoldKind},
};
use tollgate_store::{
    StoreError,
    port::{
        Admission, Arrival, EntryFilter, NamedEntry, OnChange, Reading, Rejudged, ReleasedEffect,
        RescoreItem, RunWrite,
    },
};

use crate::support::*;

pub(crate) async fn an_arrival_that_brings_nothing_new_changes_nothing(make: &Make<'_>) {
    let world = World::new(make).await;
    let arrivals = || vec![world.arrival("A"), world.arrival("B").needs("A"), world.arrival("C").closed()];
    let first = world.admit(arrivals()).await;
    let second = world.admit(arrivals()).await;
    for (first, second) in first.iter().zip(&second) {
        assert_eq!((first.id, &first.key, first.state), (second.id, &second.key, second.state));
        assert_eq!((first.created, second.created, second.revised), (true, false, false));
    }
    let revised = world.admit(vec![world.arrival("A").says("more")]).await;
    assert!(revised[0].revised && !revised[0].created);
    let detail = world.store.entry("A", None).await.unwrap();
    assert_eq!(detail.snapshot.body, "more");
    assert_eq!(world.store.snapshot(first_revision(&world)).await.unwrap().body, "It does not work.");
    let all = world.store.entries(EntryFilter::default()).await.unwrap();
    assert_eq!(all.total, 3);
    assert!(matches!(world.store.admit(99, vec![]).await, Err(StoreError::NotFound { .. })));
    let seen = world.store.first_seen(TRACKER, vec!["A".into(), "Z".into()]).await.unwrap();
    assert_eq!(seen, [("A".to_owned(), start())].into());
}

fn first_revision(world: &World) -> tollgate_core::Digest {
    world.arrival("A").revision
}

pub(crate) async fn a_hold_of_the_policy_keeps_an_entry_until_it_is_lifted(make: &Make<'_>) {
    let world = World::new(make).await;
    let held = || world.arrival("A").held(HoldKind::FieldMissing, "`effort` has no value; add it");
    world.admit(vec![held()]).await;
    assert_eq!(world.holds("A").await, ["field-missing: `effort` has no value; add it"]);
    assert_eq!(world.store.open_work().await.unwrap().ready, 0);
    let coverage = world.store.coverage().await.unwrap();
    assert_eq!(coverage[0].holds, [(HoldKind::FieldMissing, 1)].into());
    world.admit(vec![world.arrival("A")]).await;
    assert_eq!(world.state("A").await, EntryState::Ready);

    let mut nowhere = world.arrival("B");
    nowhere.admission.place = None;
    world.admit(vec![nowhere]).await;
    assert_eq!(world.holds("B").await, ["no-pipeline: the policy gives it no place in any pipeline"]);
}

pub(crate) async fn an_entry_whose_time_comes_is_ready_by_itself(make: &Make<'_>) {
    let world = World::new(make).await;
    let noon = start().after(Duration::from_secs(60));
    world.admit(vec![world.arrival("A").not_before(noon)]).await;
    assert_eq!(world.state("A").await, EntryState::Held);
    world.clock.advance(Duration::from_secs(59));
    assert_eq!(world.store.lift_due().await.unwrap(), 0);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.store.lift_due().await.unwrap(), 1);
    assert_eq!(world.state("A").await, EntryState::Ready);
    world.admit(vec![world.arrival("A").not_before(noon)]).await;
    assert_eq!(world.state("A").await, EntryState::Ready, "a time that has come holds nobody");
}

pub(crate) async fn dependencies_hold_and_lift(make: &Make<'_>) {
    let world = World::new(make).await;
    let b = || world.arrival("B").needs("A").needs("C");
    world.admit(vec![b(), arrival(world.lane, "C", 0).closed()]).await;
    let unknown = "dependency-unknown: depends on A, and no entry of that key is known; correct the key, or \
                   declare an alias for it";
    assert_eq!(world.holds("B").await, [unknown]);
    world.admit(vec![world.arrival("A").held(HoldKind::NotEligible, "no")]).await;
    assert_eq!(world.holds("B").await, ["dependency: waits for A, which is held"]);
    world.admit(vec![arrival(world.lane, "A", 99)]).await;
    assert_eq!(world.holds("B").await, ["dependency: waits for A, which waits for its turn"]);
    let links = world.store.entry("B", None).await.unwrap().links;
    assert_eq!(links.iter().map(|link| link.satisfied).collect::<Vec<_>>(), [false, true]);
    assert_eq!(world.store.entry("A", None).await.unwrap().waiting_for_it, ["B"]);

    world.work(failed("it broke")).await;
    assert_eq!(world.holds("B").await, ["dependency: waits for A, which failed"]);
    world.store.retry(world.id("A").await, "ines", "mended").await.unwrap();
    world.work(End::Done).await;
    assert_eq!(world.state("B").await, EntryState::Ready, "lifted by the transaction that ended the run");
    world.store.retry(world.id("A").await, "ines", "not good").await.unwrap();
    assert_eq!(world.state("B").await, EntryState::Held, "what is done again is not done");
    world.admit(vec![world.arrival("A").closed()]).await;
    assert_eq!(world.state("B").await, EntryState::Ready, "its tracker says that it is closed");
}

pub(crate) async fn a_dependency_is_satisfied_by_its_rule(make: &Make<'_>) {
    let world = World::new(make).await;
    let by = |rule| world.arrival(&format!("{rule:?}")).needs("A").rule(rule);
    use DependencyRule::*;
    world.admit(vec![arrival(world.lane, "A", 99), by(Either), by(Tracker), by(Run)]).await;
    world.work(End::Done).await;
    let states =
        async || [world.state("Either").await, world.state("Tracker").await, world.state("Run").await];
    assert_eq!(states().await, [EntryState::Ready, EntryState::Held, EntryState::Ready]);
    assert_eq!(
        world.holds("Tracker").await,
        ["dependency: waits for A, which is done, and not closed in its tracker"]
    );
    world.admit(vec![arrival(world.lane, "A", 99).closed()]).await;
    assert_eq!(states().await, [EntryState::Ready; 3]);
}

pub(crate) async fn entries_that_wait_for_each_other_say_so(make: &Make<'_>) {
    let world = World::new(make).await;
    world
        .admit(vec![
            world.arrival("A").needs("B"),
            world.arrival("B").needs("A"),
            world.arrival("C").needs("C"),
        ])
        .await;
    assert_eq!(world.holds("A").await, ["dependency: waits for B, which is held"]);
    assert_eq!(world.holds("B").await, ["dependency: waits for A, which is held"]);
    assert_eq!(world.holds("C").await, ["dependency: waits for C, which is held"]);
}

pub(crate) async fn a_key_that_an_alias_changed_is_told_as_written(make: &Make<'_>) {
    let world = World::new(make).await;
    let mut aliased = world.arrival("A").needs("BACK-24.1");
    aliased.links[0].written = Some("task-24.1".into());
    world.admit(vec![aliased]).await;
    let [hold] = world.holds("A").await.try_into().unwrap();
    assert!(hold.contains("depends on BACK-24.1 (written `task-24.1`)"), "{hold}");
}

pub(crate) async fn an_edit_during_a_run_changes_nothing_but_is_remembered(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let run = world.claim().await;
    let edited = || world.arrival("A").says("more").on_change(OnChange::Rerun);
    let change = world.admit(vec![edited()]).await;
    assert_eq!((change[0].revised, change[0].state), (true, EntryState::Busy));
    world.finish(&run, End::Done).await;
    let record = world.store.run(run.claim.run).await.unwrap().record.unwrap();
    assert!(record.entry.changed_since);
    assert_eq!(world.state("A").await, EntryState::Done);
    // Done is said of what the run worked on, so the same arrival means more work now.
    world.admit(vec![edited()]).await;
    let again = world.claim().await;
    assert_eq!((again.run.round, again.run.revision), (2, edited().revision));
    world.finish(&again, End::Done).await;
    world.admit(vec![edited()]).await;
    assert_eq!(world.state("A").await, EntryState::Done);
}

pub(crate) async fn what_a_change_means_for_an_entry_that_is_over(make: &Make<'_>) {
    let world = World::new(make).await;
    let rules = [("I", OnChange::Ignore), ("Q", OnChange::Ask), ("R", OnChange::Rerun)];
    world.admit(rules.map(|(key, _)| world.arrival(key)).to_vec()).await;
    for _ in rules {
        world.work(End::Done).await;
    }
    let same = |(key, rule)| world.arrival(key).on_change(rule);
    let changed = |(key, rule): (&str, _)| world.arrival(key).says("more").on_change(rule);
    let states =
        |changes: Vec<tollgate_store::port::Change>| changes.iter().map(|c| c.state).collect::<Vec<_>>();
    use EntryState::*;
    assert_eq!(states(world.admit(rules.map(same).to_vec()).await), [Done, Done, Done]);
    assert_eq!(states(world.admit(rules.map(changed).to_vec()).await), [Done, Held, Ready]);
    assert_eq!(
        world.holds("Q").await,
        ["person: it changed after its work was done; retry it to have it worked on again"]
    );
    assert_eq!(states(world.admit(rules.map(changed).to_vec()).await), [Done, Held, Ready]);
    world.store.retry(world.id("Q").await, "ines", "yes").await.unwrap();
    assert_eq!(world.state("Q").await, Ready);
}

pub(crate) async fn an_entry_that_was_done_does_not_satisfy_itself(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    world.work(End::Done).await;
    let changed = || world.arrival("A").says("more").needs("A").on_change(OnChange::Rerun);
    assert_eq!(world.admit(vec![changed()]).await[0].state, EntryState::Held, "it was done, and is no more");
    assert_eq!(world.state("A").await, EntryState::Held);
}

pub(crate) async fn a_text_that_goes_to_and_fro_is_given_to_a_person(make: &Make<'_>) {
    let world = World::new(make).await;
    let says = |text: &str| world.arrival("A").says(text).on_change(OnChange::Rerun);
    world.admit(vec![says("one")]).await;
    for round in 0..6 {
        world.work(End::Done).await;
        let changed = world.admit(vec![says(if round % 2 == 0 { "two" } else { "one" })]).await;
        let expected = if round < 5 { EntryState::Ready } else { EntryState::Held };
        assert_eq!(changed[0].state, expected, "round {round}");
    }
    let [hold] = world.holds("A").await.try_into().unwrap();
    assert!(hold.contains("what 3 runs worked on already"), "{hold}");
    world.store.retry(world.id("A").await, "ines", "it is stopped").await.unwrap();
    assert_eq!(world.state("A").await, EntryState::Ready);
}

pub(crate) async fn what_is_absent_twice_is_gone_and_can_come_back(make: &Make<'_>) {
    let world = World::new(make).await;
    let both = || vec![arrival(world.lane, "A", 9), world.arrival("B").needs("A")];
    let without_a = || both().split_off(1);
    let none: Vec<String> = vec![];
    assert_eq!(world.reconcile(both(), true).await, none);
    assert_eq!(world.reconcile(without_a(), true).await, none, "absent once");
    assert_eq!(world.reconcile(both(), false).await, none, "seen by a reading that broke off");
    assert_eq!(world.reconcile(without_a(), true).await, none);
    assert_eq!(world.reconcile(vec![], false).await, none);
    assert_eq!(world.reconcile(without_a(), true).await, ["A"]);
    assert_eq!(world.state("A").await, EntryState::Gone);
    assert_eq!(world.holds("B").await, ["dependency: waits for A, which is gone from its tracker"]);

    world.reconcile(both(), true).await;
    let run = world.work(End::Done).await;
    assert_eq!(run.run.entry.key, "A", "it came back, and waits like a new one");
    assert_eq!(world.state("B").await, EntryState::Ready);
    world.reconcile(without_a(), true).await;
    assert_eq!(world.reconcile(without_a(), true).await, ["A"]);
    assert_eq!(world.state("B").await, EntryState::Held);
    world.reconcile(both(), true).await;
    assert_eq!(
        world.state("A").await,
        EntryState::Done,
        "what is done is not done again for having been away"
    );
    assert_eq!(world.state("B").await, EntryState::Ready);
    let ended = world.store.begin_reconcile(BACKLOG, TRACKER).await.unwrap();
    world.store.finish_reconcile(ended, Reading::Partial).await.unwrap();
    assert!(matches!(world.store.finish_reconcile(ended, full()).await, Err(StoreError::Conflict(_))));
}

/// Two hosts may read one source at the same time, and the one that began first end last.
pub(crate) async fn what_was_seen_by_a_later_reading_is_not_forgotten(make: &Make<'_>) {
    let world = World::new(make).await;
    let early = world.store.begin_reconcile(BACKLOG, TRACKER).await.unwrap();
    world.reconcile(vec![world.arrival("A")], true).await;
    world.store.admit(early, vec![world.arrival("A")]).await.unwrap();
    world.store.finish_reconcile(early, full()).await.unwrap();
    assert_eq!(world.reconcile(vec![], true).await, [""; 0], "it is absent for the first time");
    assert_eq!(world.reconcile(vec![], true).await, ["A"]);
}

pub(crate) async fn what_cannot_be_read_is_not_gone_and_what_is_gone_is(make: &Make<'_>) {
    let world = World::new(make).await;
    let all = ["A", "B", "C"].map(|key| world.arrival(key)).to_vec();
    let broken = |place: &str| Reading::Full { unread: vec![place.into(), "docs/never-read.md".into()] };
    let none: Vec<String> = vec![];
    assert_eq!(world.read(TRACKER, all, full()).await, none);
    for _ in 0..3 {
        world.read(TRACKER, vec![world.arrival("C")], broken("docs/A.md")).await;
    }
    let states = async || [world.state("A").await, world.state("B").await, world.state("C").await];
    use EntryState::*;
    assert_eq!(states().await, [Ready, Gone, Ready], "B is gone though A stays broken");
    assert_eq!(world.read(TRACKER, vec![world.arrival("C")], full()).await, none, "A is absent once");
    assert_eq!(world.read(TRACKER, vec![world.arrival("C")], full()).await, ["A"]);
    world.read(TRACKER, vec![], broken("docs/A.md")).await;
    assert_eq!(states().await, [Gone, Gone, Ready], "what is gone does not come back broken");
}

pub(crate) async fn scores_that_are_due_get_new_places(make: &Make<'_>) {
    let world = World::new(make).await;
    let due = |key, score, hours: u64| {
        let mut arrival: Arrival = arrival(world.lane, key, score);
        let at = start().after(Duration::from_secs(hours * 3_600));
        arrival.admission.due_at = Some(at);
        arrival
    };
    world.admit(vec![due("A", 2, 2), due("B", 1, 1), due("C", 9, 1)]).await;
    let busy = world.claim().await;
    assert_eq!(world.store.due_for_rescoring(None, 10).await.unwrap().len(), 0);
    world.clock.advance(Duration::from_secs(2 * 3_600));
    let items = world.store.due_for_rescoring(None, 10).await.unwrap();
    let keys: Vec<_> = items.iter().map(|item| item.item.name.key.as_str()).collect();
    assert_eq!(keys, ["B", "A"], "the longest due first, and none that is busy");
    assert_eq!(items[0].first_seen_at, start());

    let mut judged: Vec<_> =
        items.iter().map(|item| rejudged(item.id, due(&item.item.name.key, 5, 99).admission)).collect();
    judged[0].admission = arrival(world.lane, "B", 50).admission;
    judged.push(rejudged(busy.run.entry_id, world.arrival("C").admission));
    assert_eq!(world.store.rescore(judged).await.unwrap(), 2);
    assert_eq!(world.claim().await.run.entry.key, "B");
    assert_eq!(world.store.due_for_rescoring(None, 10).await.unwrap().len(), 0);
}

pub(crate) async fn many_that_are_due_are_where_they_are_told(make: &Make<'_>) {
    let world = World::new(make).await;
    let keys: Vec<_> = (0..100).map(|number| format!("K-{number:02}")).collect();
    let later = start().after(Duration::from_secs(3_600));
    let due = |key: &String, score, due_at| {
        let mut arrival: Arrival = arrival(world.lane, key, score);
        arrival.admission.due_at = Some(due_at);
        arrival
    };
    world.admit(keys.iter().zip(0..).map(|(key, score)| due(key, score, later)).collect()).await;
    world.clock.advance(Duration::from_secs(3_600));
    let mut all = Vec::new();
    loop {
        let after = all.last().map(|due: &RescoreItem| (due.due_at, due.id));
        let page = world.store.due_for_rescoring(after, 30).await.unwrap();
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    assert_eq!(all.iter().map(|due| &due.item.name.key).collect::<Vec<_>>(), keys.iter().collect::<Vec<_>>());

    // A third moves, a third stays, a third is held; and one is judged by what is no longer known.
    let again = later.after(Duration::from_secs(3_600));
    let judged = all.iter().zip(0..).map(|(item, number)| {
        let score = if number % 3 == 0 { 1_000 - number } else { number };
        let mut admission = due(&item.item.name.key, score, again).admission;
        if number % 3 == 2 {
            admission = world.arrival("").held(HoldKind::NotEligible, "no").admission;
        }
        Rejudged { supplement_version: i64::from(number == 9), ..rejudged(item.id, admission) }
    });
    assert_eq!(world.store.rescore(judged.collect()).await.unwrap(), 99);
    let left = world.store.due_for_rescoring(None, 200).await.unwrap();
    assert_eq!(left.iter().map(|due| due.item.name.key.as_str()).collect::<Vec<_>>(), ["K-09"]);

    let expected = (0..100).filter(|number| number % 3 != 2).map(|number| {
        let score = if number % 3 == 0 && number != 9 { 1_000 - number } else { number };
        (std::cmp::Reverse(score), format!("K-{number:02}"))
    });
    let mut expected: Vec<_> = expected.collect();
    expected.sort();
    let filter = EntryFilter { states: vec![EntryState::Ready], ..EntryFilter::default() };
    let ready = world.store.entries(filter).await.unwrap().rows;
    let keys_of =
        |entries: &[EntryStatus]| entries.iter().map(|entry| entry.name.key.clone()).collect::<Vec<_>>();
    assert_eq!(keys_of(&ready), expected.iter().map(|(_, key)| key.clone()).collect::<Vec<_>>());
    assert_eq!(ready[0].score_thousandths, Some(1_000));
    assert_eq!(world.claim().await.run.entry.key, "K-00");

    let waiting = world.store.items_of_lane(BACKLOG, "spec", 5).await.unwrap();
    let waiting: Vec<_> = waiting.into_iter().map(|item| item.item.name.key).collect();
    assert_eq!(waiting, keys_of(&ready[1..6]));
    let ids = vec![ready[7].id, EntryId(9_999), ready[2].id];
    assert_eq!(
        keys_of(&world.store.entries_by_id(ids).await.unwrap()),
        [ready[7].name.key.clone(), ready[2].name.key.clone()]
    );

    let named = |status: &EntryStatus| NamedEntry {
        id: status.id,
        name: status.name.clone(),
        url: status.url.clone(),
    };
    let all = world.store.entries(EntryFilter::default()).await.unwrap().rows;
    let mut all: Vec<_> = all.iter().map(named).collect();
    all.sort_by_key(|entry| entry.id);
    assert_eq!(world.store.names(None, 3).await.unwrap(), all[..3]);
    assert_eq!(world.store.names(Some(all[2].id), 1_000).await.unwrap(), all[3..]);
    assert_eq!(world.store.names(all.last().map(|entry| entry.id), 1_000).await.unwrap(), []);
}

pub(crate) async fn what_had_begun_is_known_for_every_moment(make: &Make<'_>) {
    let world = World::new(make).await;
    // Nobody loses a run meanwhile.
    let span = LEASE / 4;
    world.admit(["A", "B", "C"].map(|key| world.arrival(key)).to_vec()).await;
    world.clock.advance(span);
    let a = world.claim().await;
    world.clock.advance(span);
    world.finish(&a, End::Done).await;
    let b = world.claim().await;
    world.clock.advance(span);
    world.finish(&b, failed("it broke")).await;
    world.store.retry(a.run.entry_id, "ada", "once more").await.unwrap();
    world.store.retry(b.run.entry_id, "ada", "once more").await.unwrap();
    world.clock.advance(span);
    let again = world.claim().await;
    assert_eq!(again.run.entry_id, a.run.entry_id);
    let begun = async |spans: u32| {
        let begun = world.store.begun_by(start().after(span * spans)).await.unwrap();
        begun.into_iter().map(|begun| (begun.entry, begun.is_done)).collect::<Vec<_>>()
    };
    let (a, b) = (a.run.entry_id, b.run.entry_id);
    assert_eq!(begun(0).await, []);
    assert_eq!(begun(1).await, [(a, false)]);
    assert_eq!(begun(2).await, [(a, true), (b, false)]);
    assert_eq!(begun(3).await, [(a, true), (b, false)]);
    assert_eq!(begun(4).await, [(a, false), (b, false)], "of several runs of an entry the newest counts");
}

pub(crate) async fn an_entry_without_a_lane_is_judged_again_when_it_is_due(make: &Make<'_>) {
    let world = World::new(make).await;
    let mut young = world.arrival("A").held(HoldKind::NotEligible, "`age_days > 7` is false");
    young.admission.place = None;
    young.admission.due_at = Some(start().after(Duration::from_secs(3_600)));
    world.admit(vec![young.clone()]).await;
    assert_eq!(world.store.due_for_rescoring(None, 10).await.unwrap().len(), 0);
    world.clock.advance(Duration::from_secs(3_600));
    let [due] = world.store.due_for_rescoring(None, 10).await.unwrap().try_into().unwrap();
    assert_eq!(due.item.name.key, "A");

    world.store.rescore(vec![rejudged(due.id, world.arrival("A").admission)]).await.unwrap();
    assert_eq!(world.state("A").await, EntryState::Ready);
    world.admit(vec![young]).await;
    assert_eq!(world.state("A").await, EntryState::Held);
    let never = Admission { place: None, due_at: None, ..world.arrival("A").admission };
    world.store.rescore(vec![rejudged(due.id, never)]).await.unwrap();
    assert_eq!(world.holds("A").await, ["no-pipeline: the policy gives it no place in any pipeline"]);
    assert_eq!(world.store.due_for_rescoring(None, 10).await.unwrap().len(), 0);
}

pub(crate) async fn what_a_run_itself_changes_is_no_change(make: &Make<'_>) {
    let world = World::new(make).await;
    let item = |says: &str| world.arrival("A").says(says).on_change(OnChange::Rerun);
    world.admit(vec![item("open")]).await;
    let run = world.claim().await;
    let moves = [("a", "begun"), ("b", "specified")]
        .map(|(id, state)| ReleasedEffect { leaves: Some(item(state).revision), ..effect("draft", id) });
    world.admit(vec![item("begun")]).await;
    let write = RunWrite { released: moves.to_vec(), ..finish(&run, world.store.id(), End::Done) };
    world.store.write(write).await.unwrap();
    let record = world.store.run(run.claim.run).await.unwrap().record.unwrap();
    assert!(!record.entry.changed_since, "it was the run that changed it");
    for (says, state) in [
        ("begun", EntryState::Done),
        ("specified", EntryState::Done),
        ("specified", EntryState::Done),
        ("open", EntryState::Ready),
    ] {
        world.admit(vec![item(says)]).await;
        assert_eq!(world.state("A").await, state, "it says {says}");
    }
    world.work(End::Done).await;
    world.admit(vec![item("specified")]).await;
    assert_eq!(world.state("A").await, EntryState::Ready, "what an earlier run did is a person's word now");
}

pub(crate) async fn a_key_that_two_trackers_have_must_be_told_apart(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A"), world.arrival("A").beside()]).await;
    let error = world.store.entry("A", None).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "several trackers have an entry `A`: folder:docs, folder:done; name one of them"
    );
    assert_eq!(world.store.entry("A", Some(BESIDE)).await.unwrap().status.name.tracker, BESIDE);
    assert!(matches!(world.store.entry("Z", None).await, Err(StoreError::NotFound { .. })));
}

/// An entry that says what it said before, and of which nothing else is known.
fn rejudged(id: EntryId, admission: Admission) -> Rejudged {
    Rejudged { id, says: None, supplement_version: 0, policy_version: WHICHEVER, admission }
}

pub(crate) async fn pages_together_are_the_whole_list(make: &Make<'_>) {
    let world = World::new(make).await;
    let keys = ["A", "B", "C", "D", "E"];
    let mut arrivals: Vec<_> =
        keys.iter().zip(1..).map(|(key, score)| arrival(world.lane, key, score)).collect();
    arrivals.push(world.arrival("F").held(HoldKind::NotEligible, "not eligible"));
    arrivals.push(world.arrival("G").needs("A"));
    world.admit(arrivals).await;
    world.work(End::Done).await;
    let _driven = world.claim().await;
    let list = async |states: &[EntryState], limit, offset| {
        let filter = EntryFilter { backlog: Some(BACKLOG.into()), states: states.to_vec(), limit, offset };
        let page = world.store.entries(filter).await.unwrap();
        (page.rows.into_iter().map(|row| row.name.key).collect::<Vec<_>>(), page.total)
    };
    for states in
        [&[] as &[_], &[EntryState::Ready], &[EntryState::Ready, EntryState::Done], &[EntryState::Held]]
    {
        let (whole, total) = list(states, 0, 0).await;
        assert_eq!(whole.len() as u64, total, "{states:?}");
        for limit in 1..=8 {
            for offset in 0..=8 {
                let expected: Vec<_> =
                    whole.iter().skip(offset as usize).take(limit as usize).cloned().collect();
                assert_eq!(
                    list(states, limit, offset).await,
                    (expected, total),
                    "{states:?} {limit} {offset}"
                );
            }
        }
    }
    assert_eq!(list(&[], 0, 0).await.0, ["C", "B", "A", "D", "E", "F", "G"]);
}

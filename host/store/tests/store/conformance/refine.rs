//! What becomes known of an entry besides what its source says: by refine runs, and by people.

use std::collections::BTreeMap;

use serde_json::json;
use tollgate_core::{
    Digest, LaneId, Timestamp,
    course::End,
    effect::Delivered,
    entry::{EntryState, HoldKind},
    refine::{self, Found, Refinement},
    run::RunKind,
};
use tollgate_store::{
    StoreError,
    port::{
        Arrival, ClaimOutcome, ClaimRequest, ClaimedRun, EntryFilter, NewFieldValue, NextState, OnChange,
        Rejudged, RescoreItem, Says,
    },
};

use crate::support::*;

/// A world with a second lane, in which entries wait to be refined.
async fn world(make: &Make<'_>) -> (World, LaneId) {
    let world = World::new(make).await;
    let mut application = policy(&["spec", refine::PIPELINE], vec![]);
    application.lanes[1].kind = RunKind::Refine;
    let lanes = world.store.apply_policy(application).await.unwrap().lanes;
    (world, lanes[1].id)
}

/// An item that is to be refined first.
fn unrefined(world: &World, lane: LaneId, key: &str) -> Arrival {
    let mut arrival = world.arrival(key).held(HoldKind::NotRefined, "it is not refined yet");
    arrival.admission.place.as_mut().unwrap().lane = lane;
    arrival
}

async fn claim(world: &World, lane: LaneId) -> ClaimedRun {
    let request = ClaimRequest { lanes: vec![world.lane, lane], ..world.request() };
    match world.store.claim(request).await.unwrap() {
        ClaimOutcome::Claimed(run) => *run,
        other => panic!("expected a run, got {other:?}"),
    }
}

/// Ends a refine run with what it found.
async fn end(world: &World, run: &ClaimedRun, end: End, found: Found) {
    let refinement = Refinement {
        run: run.claim.run,
        at: Timestamp::default(),
        asked: Digest::of("triage"),
        reads: ["body".to_owned()].into(),
        handed: refine::handed(&run.snapshot, &["body".to_owned()].into()),
        found,
    };
    let mut write = finish(run, world.store.id(), end);
    if let NextState::Finish { refinement: place, .. } = &mut write.next {
        *place = Some(Box::new(refinement));
    }
    world.store.write(write).await.unwrap();
}

/// What the policy says of an entry that is due, by what is known of it now.
fn judged(world: &World, due: &RescoreItem) -> Rejudged {
    let mut arrival = world.arrival(&due.item.name.key);
    arrival.snapshot.fields.insert("effort".into(), json!(due.known.version));
    let revision = arrival.snapshot.revision();
    let says = Some(Says { snapshot: arrival.snapshot, revision, basis: arrival.basis });
    let (supplement_version, policy_version) = (due.known.version, WHICHEVER);
    Rejudged { id: due.id, says, supplement_version, policy_version, admission: arrival.admission }
}

async fn due(world: &World) -> RescoreItem {
    let [due] = world.store.due_for_rescoring(None, 10).await.unwrap().try_into().unwrap();
    due
}

pub(crate) async fn an_entry_is_refined_judged_again_and_then_worked_on(make: &Make<'_>) {
    let (world, lane) = world(make).await;
    // Refining comes before work, and a dependency does not keep an entry from it.
    world.admit(vec![world.arrival("OLD"), unrefined(&world, lane, "A").needs("OLD")]).await;
    assert_eq!(world.state("A").await, EntryState::Held);
    let run = claim(&world, lane).await;
    assert_eq!((run.run.entry.key.as_str(), run.run.kind, run.run.round), ("A", RunKind::Refine, 1));
    assert_eq!(world.state("A").await, EntryState::Busy);

    let data = Found::Data(BTreeMap::from([("triage".to_owned(), json!({ "effort": 3 }))]));
    end(&world, &run, End::Done, data.clone()).await;
    assert_eq!(world.state("A").await, EntryState::New, "it is to be judged");
    let judgement = due(&world).await;
    assert_eq!(judgement.known.supplement.refinement.as_ref().unwrap().found, data);
    assert_eq!(world.store.rescore(vec![judged(&world, &judgement)]).await.unwrap(), 1);
    assert_eq!(world.store.due_for_rescoring(None, 10).await.unwrap().len(), 0);
    let detail = world.store.entry("A", None).await.unwrap();
    assert_eq!((detail.status.state, detail.status.rounds), (EntryState::Held, 0), "OLD is not done");
    assert_eq!(detail.snapshot.fields["effort"], 1, "what was found is what it says");

    // The record is in the store, and on its way to nobody.
    assert_eq!(world.take(10).await.len(), 0);
    let detail = world.store.run(run.claim.run).await.unwrap();
    assert!(detail.record.is_some() && matches!(detail.record_delivered, Some(Delivered::Refused { .. })));
    assert_eq!(world.store.newest_run(&name("A")).await.unwrap(), None, "nothing worked on it");

    world.work(End::Done).await;
    let work = claim(&world, lane).await;
    assert_eq!((work.run.entry.key.as_str(), work.run.kind, work.run.round), ("A", RunKind::Work, 1));
    assert_eq!(work.snapshot.fields["effort"], 1);
}

/// What is to be refined stands in a lane like what is ready, and is not ready.
pub(crate) async fn what_waits_to_be_refined_is_listed_once(make: &Make<'_>) {
    let (world, lane) = world(make).await;
    world.admit(vec![unrefined(&world, lane, "A"), world.arrival("B"), unrefined(&world, lane, "C")]).await;
    let listed = async |limit, offset| {
        let page =
            world.store.entries(EntryFilter { limit, offset, ..EntryFilter::default() }).await.unwrap();
        let keys = page.rows.into_iter().map(|entry| entry.name.key).collect::<Vec<_>>();
        (keys.concat(), page.total)
    };
    assert_eq!(listed(0, 0).await, ("BAC".into(), 3));
    assert_eq!(listed(2, 0).await, ("BA".into(), 3));
    assert_eq!(listed(2, 1).await, ("AC".into(), 3));
}

pub(crate) async fn what_is_to_be_judged_is_not_claimed_before(make: &Make<'_>) {
    let (world, lane) = world(make).await;
    world.admit(vec![world.arrival("OLD"), unrefined(&world, lane, "A").needs("OLD")]).await;
    let run = claim(&world, lane).await;
    end(&world, &run, End::Done, Found::Data(BTreeMap::new())).await;
    // What it depends on is done before anybody has judged it by what was found.
    world.work(End::Done).await;
    assert_eq!(world.state("A").await, EntryState::New);
    let request = ClaimRequest { lanes: vec![world.lane, lane], ..world.request() };
    assert!(
        matches!(world.store.claim(request).await.unwrap(), ClaimOutcome::Nothing),
        "it is not refined twice"
    );
    let judgement = due(&world).await;
    world.store.rescore(vec![judged(&world, &judgement)]).await.unwrap();
    assert_eq!(world.state("A").await, EntryState::Ready);
}

/// Runs that refine an entry do none of its work, so they are not counted where its text goes to and fro.
pub(crate) async fn refining_is_no_work_on_a_text(make: &Make<'_>) {
    let (world, lane) = world(make).await;
    for round in 1..=2 {
        let version = world.store.known(TRACKER, vec!["A".into()]).await.unwrap();
        let supplement_version = version.get("A").map_or(0, |known| known.version);
        let text = format!("version {}", round % 2);
        let arrival = unrefined(&world, lane, "A").says(&text).on_change(OnChange::Rerun);
        world.admit(vec![Arrival { supplement_version, ..arrival }]).await;
        let refining = claim(&world, lane).await;
        end(&world, &refining, End::Done, Found::Data(BTreeMap::new())).await;
        let item = due(&world).await;
        let admission = world.arrival("A").admission;
        let (supplement_version, policy_version) = (item.known.version, WHICHEVER);
        let judged = Rejudged { id: item.id, says: None, supplement_version, policy_version, admission };
        world.store.rescore(vec![judged]).await.unwrap();
        world.work(End::Done).await;
    }
    let known = world.store.known(TRACKER, vec!["A".into()]).await.unwrap()["A"].version;
    for _ in 0..3 {
        for text in ["version 1", "version 0"] {
            let arrival = world.arrival("A").says(text).on_change(OnChange::Rerun);
            world.admit(vec![Arrival { supplement_version: known, ..arrival }]).await;
            let status = world.store.entry("A", None).await.unwrap().status;
            if status.state == EntryState::Held {
                assert!(status.holds[0].reason.contains("what 3 runs worked on"), "{:?}", status.holds);
                assert_eq!(status.rounds, 6, "three of each text");
                return;
            }
            world.work(End::Done).await;
        }
    }
    panic!("it goes to and fro for ever");
}

pub(crate) async fn what_becomes_known_while_a_source_is_read_is_not_lost(make: &Make<'_>) {
    let (world, lane) = world(make).await;
    world.admit(vec![unrefined(&world, lane, "A")]).await;
    let run = claim(&world, lane).await;
    // The source was read before the run ended, and is taken in after it.
    end(&world, &run, End::Done, Found::Data(BTreeMap::new())).await;
    world.admit(vec![unrefined(&world, lane, "A").says("more")]).await;
    assert_eq!(world.state("A").await, EntryState::New, "it is not judged by what was known before");
    let judgement = due(&world).await;
    assert_eq!(judgement.item.body, "more");

    let id = judgement.id;
    let set =
        |value| NewFieldValue { field: "effort".into(), value, who: "anna".into(), why: "a test".into() };
    world.store.set_field(id, set(Some(json!(5)))).await.unwrap();
    assert_eq!(world.store.rescore(vec![judged(&world, &judgement)]).await.unwrap(), 0, "nor by less");
    let judgement = due(&world).await;
    assert_eq!(judgement.known.supplement.set["effort"].value, json!(5));
    assert_eq!(world.store.rescore(vec![judged(&world, &judgement)]).await.unwrap(), 1);
    assert_eq!(world.state("A").await, EntryState::Ready);

    world.store.set_field(id, set(None)).await.unwrap();
    let again = world.store.set_field(id, set(None)).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    assert_eq!(due(&world).await.known.supplement.set, BTreeMap::new());
}

/// What people say decides, whenever they say it: nothing begins that was judged without it.
pub(crate) async fn what_was_set_since_it_was_judged_comes_first(make: &Make<'_>) {
    let (world, lane) = world(make).await;
    let request = ClaimRequest { lanes: vec![world.lane, lane], ..world.request() };
    let nothing_can_begin = async || {
        let claimed = world.store.claim(request.clone()).await.unwrap();
        assert!(matches!(claimed, ClaimOutcome::Nothing), "{claimed:?}");
        assert!(world.store.open_work().await.unwrap().to_judge);
        assert_eq!(world.store.entry("A", None).await.unwrap().status.holds[0].kind, HoldKind::Unjudged);
        let judgement = due(&world).await;
        assert_eq!(world.store.rescore(vec![judged(&world, &judgement)]).await.unwrap(), 1);
        assert_eq!(world.state("A").await, EntryState::Ready);
        assert!(!world.store.open_work().await.unwrap().to_judge);
    };
    let set = async |value: u32| {
        let (field, value) = ("effort".into(), Some(json!(value)));
        let new = NewFieldValue { field, value, who: "anna".into(), why: "a test".into() };
        world.store.set_field(world.id("A").await, new).await.unwrap();
    };
    // While it waits, for its work or to be refined.
    for arrival in [world.arrival("A"), unrefined(&world, lane, "A")] {
        let known = world.store.known(TRACKER, vec!["A".into()]).await.unwrap();
        let supplement_version = known.get("A").map_or(0, |known| known.version);
        world.admit(vec![Arrival { supplement_version, ..arrival }]).await;
        set(1).await;
        set(2).await;
        nothing_can_begin().await;
    }
    // While it is in hand, and waits again later.
    let run = world.claim().await;
    set(3).await;
    assert_eq!(world.state("A").await, EntryState::Busy);
    world.finish(&run, failed("out of ideas")).await;
    assert_eq!(world.store.due_for_rescoring(None, 9).await.unwrap().len(), 0, "it does not wait");
    world.store.retry(run.run.entry_id, "anna", "once more").await.unwrap();
    nothing_can_begin().await;
    // One that is judged already is judged by nothing less.
    let run = world.claim().await;
    world.finish(&run, failed("out of ideas")).await;
    world.store.retry(run.run.entry_id, "anna", "once more").await.unwrap();
    assert_eq!(world.state("A").await, EntryState::Ready);
}

pub(crate) async fn what_could_not_be_refined_waits_for_a_person(make: &Make<'_>) {
    let (world, lane) = world(make).await;
    world.admit(vec![unrefined(&world, lane, "A")]).await;
    let run = claim(&world, lane).await;
    end(&world, &run, failed("out of ideas"), Found::Nothing { reason: "out of ideas".into() }).await;
    let judgement = due(&world).await;
    let mut admission = world.arrival("A").held(HoldKind::RefineFailed, "out of ideas").admission;
    admission.place = None;
    let judged = Rejudged { admission, ..judged(&world, &judgement) };
    world.store.rescore(vec![judged]).await.unwrap();
    assert_eq!(world.state("A").await, EntryState::Held);
    let request = ClaimRequest { lanes: vec![world.lane, lane], ..world.request() };
    assert!(matches!(world.store.claim(request).await.unwrap(), ClaimOutcome::Nothing));

    world.store.retry(judgement.id, "anna", "once more").await.unwrap();
    assert_eq!(due(&world).await.known.supplement.refinement, None);
    world.admit(vec![Arrival { supplement_version: 2, ..unrefined(&world, lane, "A") }]).await;
    assert_eq!(claim(&world, lane).await.run.round, 2);
}

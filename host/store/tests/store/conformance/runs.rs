//! Claims, writes, waits and ends.

use std::time::Duration;

use tollgate_core::{
    HostId, Microcents, RunId,
    course::{End, Stopped},
    entry::EntryState,
    event::{ChainHead, EventKind},
    late::{Brought, Late},
    run::RunState,
    time::Clock as _,
};
use tollgate_store::{
    StoreError,
    port::{
        ClaimOutcome, ClaimRequest, Control, DeliveryKind, EscrowAnswer, LaneHead, OpenWork, RunWrite,
        StopMode, StopRequest, Sweep, Wake,
    },
};

use crate::support::*;

pub(crate) async fn an_entry_goes_from_arrival_to_delivered_record(make: &Make<'_>) {
    let world = World::with_caps(make, vec![cap("project", 1_000)]).await;
    let changes = world.admit(vec![world.arrival("A")]).await;
    assert_eq!((changes[0].created, changes[0].state), (true, EntryState::Ready));
    assert_eq!(world.store.open_work().await.unwrap().ready, 1);

    let run = world.claim().await;
    assert_eq!((run.begun, run.escrow, run.run.round), (false, TRANCHE, 1));
    assert_eq!(world.state("A").await, EntryState::Busy);
    assert!(matches!(world.claim_nothing().await, ClaimOutcome::Nothing));

    // The first stage produces something, and the run waits until it is delivered.
    let write = RunWrite {
        steps: vec![step("draft", 1, 30)],
        released: vec![effect("draft", "state")],
        events: vec![event(1)],
        ..wait(run.claim, vec![Wake::Delivered(vec![reference("draft", "state")])])
    };
    world.store.write(write).await.unwrap();
    let detail = world.store.run(run.claim.run).await.unwrap();
    assert_eq!((detail.summary.state, detail.escrow), (RunState::Waiting, Microcents::ZERO));
    assert_eq!(detail.summary.reason.as_deref(), Some("waits for something"));

    let deliveries = world.take(10).await;
    assert!(matches!(&deliveries[0].kind, DeliveryKind::Effect { effect, .. } if effect.kind == "set-state"));
    assert_eq!(deliveries[0].url.as_deref(), Some("docs/A.md"));
    world.settle(&deliveries[0]).await;

    let again = world.claim().await;
    assert!(again.begun);
    assert_eq!(again.claim.run, run.claim.run);
    assert_eq!(again.claim.fence, run.claim.fence.raised());
    let last =
        RunWrite { steps: vec![step("publish", 1, 60)], ..finish(&again, world.store.id(), End::Done) };
    world.store.write(last).await.unwrap();
    assert_eq!(world.state("A").await, EntryState::Done);

    let [record] = world.take(10).await.try_into().expect("one record");
    let DeliveryKind::Record(delivered) = &record.kind else { panic!("expected a record: {record:?}") };
    world.settle(&record).await;
    assert!(world.take(10).await.is_empty());

    let detail = world.store.run(run.claim.run).await.unwrap();
    let head = ChainHead::verify(run.claim.run, &detail.events).unwrap();
    assert_eq!(delivered.chain, Some(head), "the record carries the head of the whole chain");
    let kinds: Vec<_> = detail.events.iter().map(|event| event.what.kind).collect();
    use EventKind::*;
    assert_eq!(kinds, [Claimed, StepEnded, Waiting, Delivered, Woken, Claimed, Finished]);
    let vouched = &detail.events.last().unwrap().what.body["record"];
    assert_eq!(vouched, delivered.digest().to_string().as_str(), "and the chain its digest");
    assert_eq!(detail.summary.cost, Microcents(90));
    assert_eq!(detail.record.as_ref(), Some(&**delivered));
    assert!(detail.record_delivered.is_some());
    assert_eq!(detail.steps.len(), 2);

    let balance = world.store.cap_balances().await.unwrap()[0].balance;
    assert_eq!((balance.settled, balance.escrow), (Microcents(90), Microcents::ZERO));
    assert_eq!(world.store.open_work().await.unwrap(), OpenWork::default());
    let coverage = world.store.coverage().await.unwrap();
    assert_eq!(coverage[0].states, [(EntryState::Done, 1)].into());
    assert_eq!(coverage[0].cost, Microcents(90));
}

pub(crate) async fn a_claim_takes_the_smallest_rank_key_and_begun_runs_first(make: &Make<'_>) {
    let world = World::new(make).await;
    let scores = [("LOW", 1), ("HIGH", 9), ("MID", 5)];
    world.admit(scores.map(|(key, score)| arrival(world.lane, key, score)).to_vec()).await;
    let standing = world.store.entry("LOW", None).await.unwrap().standing.unwrap();
    assert_eq!((standing.ahead, standing.waiting), (2, 3));
    let head = LaneHead { key: "HIGH".into(), score_thousandths: Some(9), is_begun: false };
    assert_eq!(standing.head, Some(head));

    let high = world.claim().await;
    assert_eq!(high.run.entry.key, "HIGH");
    let mid = world.claim().await;
    assert_eq!(mid.run.entry.key, "MID");
    world.store.release(mid.claim, "the host stops").await.unwrap();
    let standing = world.store.entry("LOW", None).await.unwrap().standing.unwrap();
    assert_eq!((standing.ahead, standing.waiting), (1, 2));
    assert!(standing.head.is_some_and(|head| head.key == "MID" && head.is_begun), "finish before start");
    assert_eq!(world.claim().await.run.entry.key, "MID", "finish before start");
    assert_eq!(world.claim().await.run.entry.key, "LOW");
}

pub(crate) async fn lanes_take_turns_and_save_up_nothing(make: &Make<'_>) {
    let world = World::new(make).await;
    let applied = world.store.apply_policy(policy(&["spec", "triage"], vec![])).await.unwrap();
    let [spec, triage] = [applied.lanes[0].id, applied.lanes[1].id];
    let in_lane =
        |lane, prefix: &str| (0..6).map(|n| arrival(lane, &format!("{prefix}{n}"), 0)).collect::<Vec<_>>();
    // Only one lane has work at first; the other is not owed for that time.
    world.admit(in_lane(spec, "S")).await;
    let request = || ClaimRequest { lanes: vec![spec, triage], ..world.request() };
    let claimed = async || match world.store.claim(request()).await.unwrap() {
        ClaimOutcome::Claimed(run) => run.run.entry.key[..1].to_owned(),
        other => panic!("expected a run, got {other:?}"),
    };
    assert_eq!([claimed().await, claimed().await], ["S", "S"]);
    world.admit(in_lane(triage, "T")).await;
    let order = [claimed().await, claimed().await, claimed().await, claimed().await, claimed().await];
    assert!(order.windows(2).all(|pair| pair[0] != pair[1]), "{order:?}");

    // A lane that the policy does not name any more, or whose window is closed, gives nothing new.
    let only_triage = ClaimRequest { lanes: vec![triage], ..world.request() };
    let ClaimOutcome::Claimed(run) = world.store.claim(only_triage).await.unwrap() else { panic!("T waits") };
    assert_eq!(run.run.pipeline, "triage");
    world.store.apply_policy(policy(&["spec"], vec![])).await.unwrap();
    let only_triage = ClaimRequest { lanes: vec![triage], ..world.request() };
    assert!(matches!(world.store.claim(only_triage).await.unwrap(), ClaimOutcome::Nothing));
}

/// A run is pinned to its pipeline, so that it ends whatever becomes of that.
pub(crate) async fn what_began_in_a_lane_that_the_policy_has_no_more_goes_on(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A"), world.arrival("B")]).await;
    let begun = world.claim().await;
    world.store.release(begun.claim, "the host stops").await.unwrap();
    let applied = world.store.apply_policy(policy(&["triage"], vec![])).await.unwrap();
    assert_eq!(world.store.open_work().await.unwrap().ready, 1, "B waits for a lane");
    let request = || ClaimRequest { lanes: vec![applied.lanes[0].id], ..world.request() };
    let ClaimOutcome::Claimed(again) = world.store.claim(request()).await.unwrap() else {
        panic!("A goes on")
    };
    assert_eq!((again.run.id, again.begun), (begun.run.id, true));
    assert!(matches!(world.store.claim(request()).await.unwrap(), ClaimOutcome::Nothing));
    assert_eq!(world.store.open_work().await.unwrap().ready, 0);
}

/// Whoever may claim nothing knows in the same moment what others may still put back.
pub(crate) async fn what_is_left_is_told_to_whom_nothing_is_left_for(make: &Make<'_>) {
    let world = World::new(make).await;
    let left = async |request: ClaimRequest| world.store.left_besides(request).await.unwrap();
    assert_eq!(left(world.request()).await, Some(OpenWork::default()));
    world.admit(vec![world.arrival("A")]).await;
    assert_eq!(left(world.request()).await, None, "A can be claimed");
    let waits = OpenWork { ready: 1, ..OpenWork::default() };
    for cannot in [
        ClaimRequest { lanes: vec![], ..world.request() },
        ClaimRequest { only_begun: true, ..world.request() },
    ] {
        assert_eq!(left(cannot).await, Some(waits));
    }
    let claimed = world.claim().await;
    assert_eq!(left(world.request()).await, Some(OpenWork { driven: 1, ..OpenWork::default() }));
    world.store.release(claimed.claim, "the host stops").await.unwrap();
    let begun = ClaimRequest { only_begun: true, ..world.request() };
    assert_eq!(left(begun.clone()).await, None);
    let stop = |mode| StopRequest { mode, who: "ines".into(), why: "maintenance".into() };
    world.store.stop(stop(StopMode::Drain)).await.unwrap();
    assert_eq!(left(begun.clone()).await, None, "what was begun is driven to its end");
    world.store.stop(stop(StopMode::Now)).await.unwrap();
    assert_eq!(left(begun).await, Some(waits));
}

pub(crate) async fn only_named_entries_are_claimed_when_some_are_named(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![arrival(world.lane, "HIGH", 9), arrival(world.lane, "LOW", 1)]).await;
    let only_low = ClaimRequest { only: vec![world.id("LOW").await], ..world.request() };
    let ClaimOutcome::Claimed(run) = world.store.claim(only_low.clone()).await.unwrap() else { panic!() };
    assert_eq!(run.run.entry.key, "LOW");
    let again = ClaimRequest { new_run: RunId::generate(), ..only_low };
    assert!(matches!(world.store.claim(again).await.unwrap(), ClaimOutcome::Nothing));
}

pub(crate) async fn a_claim_whose_answer_was_lost_is_given_again(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A"), world.arrival("B")]).await;
    let request = world.request();
    let ClaimOutcome::Claimed(first) = world.store.claim(request.clone()).await.unwrap() else { panic!() };
    let ClaimOutcome::Claimed(second) = world.store.claim(request.clone()).await.unwrap() else { panic!() };
    assert_eq!(first.claim, second.claim);
    let other = ClaimRequest { host: HostId("there-1".into()), ..request };
    assert!(matches!(world.store.claim(other).await, Err(StoreError::Conflict(_))));
}

pub(crate) async fn a_stale_fence_changes_nothing(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let stale = world.claim().await;
    world.clock.advance(LEASE);
    let lost = world.store.run(stale.claim.run).await.unwrap().summary;
    assert_eq!(lost.abandoned_by(), Some(&world.host), "before anybody swept");
    let swept = world.store.sweep().await.unwrap();
    assert_eq!(swept.lapsed_runs, [stale.claim.run]);
    assert_eq!(swept.lost_hosts, [world.host.clone()].into());
    let before = world.store.run(stale.claim.run).await.unwrap();
    assert_eq!(before.summary.abandoned_by(), Some(&world.host));

    let write = RunWrite { steps: vec![step("draft", 1, 1)], events: vec![event(1)], ..go_on(stale.claim) };
    let is_stale = |error: StoreError| matches!(error, StoreError::StaleFence { .. });
    assert!(is_stale(world.store.write(write).await.unwrap_err()));
    let end = finish(&stale, world.store.id(), End::Done);
    assert!(is_stale(world.store.write(end).await.unwrap_err()));
    assert!(is_stale(world.store.release(stale.claim, "late").await.unwrap_err()));
    assert!(is_stale(world.store.reserve(stale.claim, Microcents(1)).await.unwrap_err()));
    let after = world.store.run(stale.claim.run).await.unwrap();
    assert_eq!(before.events, after.events);
    assert_eq!(before.summary, after.summary);
    let steps = |steps, end| Brought::Steps { steps, end };
    let brought = [steps(vec![step("draft", 1, 1)], None), steps(vec![], Some(End::Done))];
    let late = |brought| Late { fence: stale.claim.fence, at: start().after(LEASE), brought };
    assert_eq!(after.late, brought.map(late), "it is kept as evidence");

    let next = world.claim().await;
    assert!(next.begun && next.claim.fence > stale.claim.fence);
    assert_eq!((next.run.crashes, next.run.abandoned_by()), (1, None), "this host has it now");
    assert_eq!(next.run.lost_hosts, std::slice::from_ref(&world.host));
    assert_eq!(next.escrow, TRANCHE, "the tranche is set aside anew");
    world.finish(&next, End::Done).await;
    let twice = finish(&next, world.store.id(), End::Done);
    assert!(is_stale(world.store.write(twice).await.unwrap_err()));
}

pub(crate) async fn events_that_are_packed_are_read_as_before(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(["A", "B", "C", "D"].map(|key| world.arrival(key)).to_vec()).await;
    let mut over = Vec::new();
    for end in [End::Done, failed("it is broken")] {
        let run = world.claim().await;
        world.store.write(RunWrite { events: vec![event(1), event(2)], ..go_on(run.claim) }).await.unwrap();
        world.finish(&run, end).await;
        over.push(run.run.id);
        world.clock.advance(Duration::from_secs(60));
    }
    let crashed = world.claim().await;
    world.clock.advance(LEASE * 2);
    world.store.sweep().await.unwrap();
    let again = world.claim().await;
    assert_eq!(again.run.id, crashed.run.id);
    world.finish(&again, End::Done).await;
    let alive = world.claim().await;
    let now = world.clock.now();

    let details = async || {
        let mut details = Vec::new();
        for id in [over[0], over[1], crashed.run.id, alive.run.id] {
            details.push(world.store.run(id).await.unwrap());
        }
        details
    };
    let before = details().await;
    let ended = before[0].summary.ended_at.unwrap();
    let pack = async |over_by, max| world.store.pack_events(over_by, max).await.unwrap();
    assert_eq!(pack(ended.before(Duration::from_millis(1)), 9).await, 0);
    assert_eq!(pack(ended, 9).await, 1);
    // One at a time, and none twice.
    assert_eq!(pack(now, 1).await, 1);
    assert_eq!(pack(now, 9).await, 1);
    assert_eq!(pack(now, 9).await, 0);
    for (before, after) in before.iter().zip(details().await) {
        assert_eq!(after.events, before.events);
        assert_eq!(after.waits, before.waits);
        assert_eq!(after.summary, before.summary);
        ChainHead::verify(after.summary.id, &after.events).unwrap();
    }
}

pub(crate) async fn a_lease_that_is_renewed_does_not_lapse(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A"), world.arrival("B")]).await;
    let first = world.claim().await;
    world.clock.advance(LEASE / 2);
    let second = world.claim().await;
    assert_eq!(world.store.renew_leases(&world.host, LEASE).await.unwrap().len(), 2);
    world.clock.advance(LEASE / 2);
    assert_eq!(world.store.sweep().await.unwrap(), Sweep::default());
    let other = HostId("there-1".into());
    assert_eq!(world.store.renew_leases(&other, LEASE).await.unwrap(), []);
    // A clock that is set back gives nobody more time, and one that lapsed is not brought back.
    world.clock.advance(LEASE / 2);
    world.store.begin_reconcile(BACKLOG, TRACKER).await.unwrap();
    world.clock.set_wall(start());
    assert_eq!(world.store.renew_leases(&world.host, LEASE).await.unwrap(), []);
    let swept = world.store.sweep().await.unwrap();
    assert_eq!(swept.lapsed_runs.len(), 2, "{first:?} {second:?}");
}

/// A store that was out of reach has taken leases from hosts that live.
pub(crate) async fn a_host_that_is_heard_of_again_did_not_vanish(make: &Make<'_>) {
    let world = World::new(make).await;
    let other = HostId("there-1".into());
    world.admit(vec![world.arrival("A")]).await;
    let run = world.claim().await.claim.run;
    let lost_hosts = async || world.store.run(run).await.unwrap().summary.lost_hosts;
    let heard_of = async |host: &HostId| world.store.renew_leases(host, LEASE).await.unwrap();
    for lapses in 1..=3 {
        world.clock.advance(LEASE);
        assert_eq!(world.store.sweep().await.unwrap().lost_hosts, [world.host.clone()].into());
        assert_eq!(lost_hosts().await, std::slice::from_ref(&world.host), "until it is heard of");
        assert_eq!(heard_of(&other).await, []);
        assert_eq!(lost_hosts().await.len(), 1, "another was heard of");
        assert_eq!(heard_of(&world.host).await, []);
        let again = world.claim().await;
        assert_eq!((again.run.crashes, again.run.lost_hosts), (lapses, vec![]));
    }
    world.clock.advance(LEASE);
    world.store.sweep().await.unwrap();
    let ClaimOutcome::Claimed(next) =
        world.store.claim(ClaimRequest { host: other, ..world.request() }).await.unwrap()
    else {
        panic!("it can be claimed")
    };
    assert_eq!(next.run.lost_hosts, std::slice::from_ref(&world.host));
    assert_eq!(heard_of(&world.host).await, [], "another has the run");
    assert_eq!(lost_hosts().await, []);
}

pub(crate) async fn a_write_is_all_or_nothing(make: &Make<'_>) {
    let world = World::with_caps(make, vec![cap("project", 1_000)]).await;
    world.admit(vec![world.arrival("A")]).await;
    let run = world.claim().await;
    let before = world.store.run(run.claim.run).await.unwrap();
    let too_much = RunWrite {
        steps: vec![step("draft", 1, 60), step("publish", 1, 60)],
        released: vec![effect("draft", "state")],
        events: vec![event(1)],
        ..go_on(run.claim)
    };
    let error = world.store.write(too_much).await.unwrap_err();
    assert!(matches!(&error, StoreError::Conflict(text) if text.contains("reserve more")), "{error}");
    let unknown = wait(run.claim, vec![Wake::Delivered(vec![reference("draft", "never released")])]);
    assert!(matches!(world.store.write(unknown).await, Err(StoreError::Conflict(_))));
    let after = world.store.run(run.claim.run).await.unwrap();
    assert_eq!((before.events, before.escrow), (after.events, after.escrow));
    assert_eq!((after.steps.len(), after.effects.len()), (0, 0));
    assert_eq!(world.store.cap_balances().await.unwrap()[0].balance.settled, Microcents::ZERO);
    assert_eq!(world.store.reserve(run.claim, Microcents(20)).await.unwrap(), EscrowAnswer::Reserved);
    let enough = RunWrite { steps: vec![step("draft", 1, 60), step("publish", 1, 60)], ..go_on(run.claim) };
    world.store.write(enough).await.unwrap();
}

pub(crate) async fn a_wait_for_what_has_happened_is_no_wait(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A")]).await;
    let run = world.claim().await;
    let write = RunWrite { released: vec![effect("draft", "state")], ..go_on(run.claim) };
    world.store.write(write).await.unwrap();
    let [delivery] = world.take(9).await.try_into().unwrap();
    world.settle(&delivery).await;
    let effects = Wake::Delivered(vec![reference("draft", "state")]);
    world.store.write(wait(run.claim, vec![effects])).await.unwrap();
    let run = world.claim().await;
    world.store.write(wait(run.claim, vec![Wake::At(start())])).await.unwrap();
    let run = world.claim().await;

    // Whichever comes first ends the wait, and it ends once.
    let soon = start().after(Duration::from_secs(5));
    let later = start().after(Duration::from_secs(9));
    world.store.write(wait(run.claim, vec![Wake::At(later), Wake::At(soon)])).await.unwrap();
    assert!(matches!(world.claim_nothing().await, ClaimOutcome::Nothing));
    let open = world.store.open_work().await.unwrap();
    assert_eq!((open.waiting, open.next_wake_at), (1, Some(soon)));
    assert_eq!(world.store.lift_due().await.unwrap(), 0);
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(world.store.lift_due().await.unwrap(), 1);
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(world.store.lift_due().await.unwrap(), 0);
    assert!(world.claim().await.begun);
}

pub(crate) async fn how_a_run_ends_is_how_its_entry_stands(make: &Make<'_>) {
    let world = World::new(make).await;
    let escalated = End::Escalated {
        to: "ines".into(),
        stopped: Stopped { at: None, reason: "unclear".into(), recovery: "say more".into() },
    };
    let ends = [
        (End::Done, EntryState::Done, RunState::Done),
        (failed("it broke"), EntryState::Failed, RunState::Failed),
        (escalated, EntryState::Escalated, RunState::Escalated),
        (End::Cancelled { reason: "not now".into() }, EntryState::Failed, RunState::Cancelled),
    ];
    for (round, (end, entry_state, run_state)) in (1..).zip(ends) {
        world.admit(vec![world.arrival("A")]).await;
        let run = world.work(end).await;
        assert_eq!(run.run.round, round);
        assert_eq!(world.state("A").await, entry_state);
        assert_eq!(world.store.run(run.claim.run).await.unwrap().summary.state, run_state);
        assert_eq!(world.store.newest_run(&name("A")).await.unwrap(), Some(run.claim.run));
        world.store.retry(world.id("A").await, "ines", "once more").await.unwrap();
    }
    assert_eq!(world.state("A").await, EntryState::Ready);
    let error = world.store.retry(world.id("A").await, "ines", "why not").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "A is ready; only an entry that is done, failed or escalated, or could not be refined, can be retried"
    );
    assert_eq!(world.store.run_ids().await.unwrap().len(), 4);
}

pub(crate) async fn hosts_that_were_asked_to_stop_begin_nothing(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(vec![world.arrival("A"), world.arrival("B")]).await;
    let begun = world.claim().await;
    world.store.release(begun.claim, "room for others").await.unwrap();
    let stop = |mode| StopRequest { mode, who: "ines".into(), why: "maintenance".into() };

    world.store.stop(stop(StopMode::Now)).await.unwrap();
    assert!(matches!(world.claim_nothing().await, ClaimOutcome::Stopped));
    world.store.stop(stop(StopMode::Drain)).await.unwrap();
    assert_eq!(world.store.control().await.unwrap().stop, Some(stop(StopMode::Drain)));
    assert!(world.claim().await.begun, "what was begun is driven to its end");
    assert!(matches!(world.claim_nothing().await, ClaimOutcome::Stopped));
    world.store.resume().await.unwrap();
    assert_eq!(world.store.control().await.unwrap(), Control { policy: 1, ..Control::default() });
    let only_begun = ClaimRequest { only_begun: true, ..world.request() };
    assert!(matches!(world.store.claim(only_begun).await.unwrap(), ClaimOutcome::Nothing));
    assert!(!world.claim().await.begun);
}

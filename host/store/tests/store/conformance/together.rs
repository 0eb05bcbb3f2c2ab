//! What several ask at once, which a store may do in one transaction: each is told what it would be told by itself.

use std::{future::poll_fn, pin::Pin, task::Poll};

use tollgate_core::{Microcents, course::End, entry::EntryState, ledger::CapBalance};
use tollgate_store::{
    StoreError,
    port::{ClaimOutcome, ClaimRequest, ClaimedRun, RunWrite, Wake},
};

use super::budgets;
use crate::support::*;

/// Begins all of them before it waits for any.
pub(crate) async fn at_once<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut under_way: Vec<Pin<Box<F>>> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = under_way.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, done) in under_way.iter_mut().zip(&mut done).filter(|(_, done)| done.is_none()) {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                *done = Some(output);
            }
        }
        if done.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

/// So many claims at once; what each of them gave.
pub(crate) async fn claims<S: HasStore>(
    world: &World<S>,
    request: &ClaimRequest,
    count: usize,
) -> Vec<ClaimOutcome> {
    let request = || ClaimRequest { new_run: tollgate_core::RunId::generate(), ..request.clone() };
    let claims = (0..count).map(|_| world.store.store().claim(request()));
    at_once(claims).await.into_iter().map(Result::unwrap).collect()
}

/// The runs among them, by the keys of their entries.
pub(crate) fn claimed(outcomes: &[ClaimOutcome]) -> Vec<ClaimedRun> {
    let run = |outcome: &ClaimOutcome| match outcome {
        ClaimOutcome::Claimed(run) => Some((**run).clone()),
        _ => None,
    };
    let mut runs: Vec<_> = outcomes.iter().filter_map(run).collect();
    runs.sort_by(|one, other| one.run.entry.key.cmp(&other.run.entry.key));
    runs
}

fn keys(runs: &[ClaimedRun]) -> Vec<&str> {
    runs.iter().map(|run| run.run.entry.key.as_str()).collect()
}

async fn with_entries(make: &Make<'_>, keys: &[&str]) -> (World, Vec<ClaimedRun>) {
    let world = World::new(make).await;
    world.admit(keys.iter().map(|key| world.arrival(key)).collect()).await;
    let runs = claimed(&claims(&world, &world.request(), keys.len()).await);
    assert_eq!(self::keys(&runs), keys);
    (world, runs)
}

pub(crate) async fn lanes_take_turns_among_claims_at_once(make: &Make<'_>) {
    let world = World::new(make).await;
    let applied = world.store.apply_policy(policy(&["spec", "triage"], vec![])).await.unwrap();
    let [spec, triage] = [applied.lanes[0].id, applied.lanes[1].id];
    let of = |lane, name: &str, count: i64| {
        (0..count).map(|n| arrival(lane, &format!("{name}{n}"), -n)).collect::<Vec<_>>()
    };
    world.admit([of(spec, "S", 9), of(triage, "T", 3)].concat()).await;
    let request = ClaimRequest { lanes: vec![spec, triage], ..world.request() };
    let first = claims(&world, &request, 3).await;
    assert_eq!(keys(&claimed(&first)), ["S0", "S1", "T0"]);
    assert_eq!(keys(&claimed(&claims(&world, &request, 1).await)), ["T1"], "it was served less");
    // One of the lanes has less than its turns.
    let rest = claims(&world, &request, 8).await;
    assert_eq!(claimed(&rest).len(), 8);
    assert_eq!(
        claims(&world, &request, 2)
            .await
            .iter()
            .filter(|outcome| matches!(outcome, ClaimOutcome::Nothing))
            .count(),
        2
    );
}

pub(crate) async fn caps_hold_among_claims_at_once(make: &Make<'_>) {
    // A tranche is a hundred.
    let world = World::with_caps(make, vec![cap("project", 350), cap("plugin:draft", 10_000)]).await;
    world.admit(["A", "B", "C", "D", "E", "F"].map(|key| world.arrival(key)).to_vec()).await;
    let outcomes = claims(&world, &world.request(), 6).await;
    let runs = claimed(&outcomes);
    assert_eq!(keys(&runs), ["A", "B", "C"]);
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, ClaimOutcome::CapReached { .. }));
    assert_eq!(refused.count(), 3);
    let ends = runs.iter().zip([10, 20, 30]).map(|(run, cost)| {
        world.store.write(RunWrite {
            steps: vec![step("draft", 1, cost)],
            ..finish(run, world.store.id(), End::Done)
        })
    });
    at_once(ends).await.into_iter().for_each(Result::unwrap);
    for report in world.store.cap_balances().await.unwrap() {
        assert_eq!(report.balance, CapBalance { settled: Microcents(60), ..CapBalance::default() });
    }
    assert_eq!(claimed(&claims(&world, &world.request(), 3).await).len(), 2);
}

pub(crate) async fn a_begun_run_is_among_claims_at_once(make: &Make<'_>) {
    let (world, runs) = with_entries(make, &["A", "B"]).await;
    world.store.release(runs[0].claim, "later").await.unwrap();
    world.admit(vec![world.arrival("C")]).await;
    let again = claims(&world, &world.request(), 3).await;
    let again = claimed(&again);
    assert_eq!(keys(&again), ["A", "C"]);
    assert_eq!(again[0].claim.fence.0, 2);
}

pub(crate) async fn what_a_run_pays_for_is_among_claims_at_once(make: &Make<'_>) {
    let world = World::new(make).await;
    let parent = budgets::parent(&world, 13).await;
    let children = claimed(&claims(&world, &world.request(), 12).await);
    assert_eq!((children.len(), budgets::family(&world, &parent).await), (10, (1_000, 0, 1_000)));
}

pub(crate) async fn a_claim_that_is_repeated_among_others_is_given_again(make: &Make<'_>) {
    let world = World::new(make).await;
    world.admit(["A", "B", "C"].map(|key| world.arrival(key)).to_vec()).await;
    let request = world.request();
    let ClaimOutcome::Claimed(first) = world.store.claim(request.clone()).await.unwrap() else { panic!() };
    let others = [request, world.request(), world.request()];
    let outcomes: Vec<_> = at_once(others.map(|request| world.store.claim(request))).await;
    let outcomes: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
    let ClaimOutcome::Claimed(again) = &outcomes[0] else { panic!("{:?}", outcomes[0]) };
    assert_eq!(again.claim, first.claim);
    assert_eq!(keys(&claimed(&outcomes)), ["A", "B", "C"]);
}

pub(crate) async fn a_stale_write_harms_no_other(make: &Make<'_>) {
    let (world, runs) = with_entries(make, &["A", "B", "C", "D"]).await;
    world.store.release(runs[1].claim, "later").await.unwrap();
    let now = world.claim().await;
    let ends = runs.iter().map(|run| {
        let steps = vec![step("draft", 1, 5)];
        world.store.write(RunWrite { steps, ..finish(run, world.store.id(), End::Done) })
    });
    let told = at_once(ends).await;
    let stale: Vec<_> = told.iter().map(|told| matches!(told, Err(StoreError::StaleFence { .. }))).collect();
    assert_eq!(stale, [false, true, false, false], "{told:?}");
    assert!(told.iter().enumerate().all(|(at, told)| at == 1 || told.is_ok()), "{told:?}");
    for (key, state) in [("A", EntryState::Done), ("B", EntryState::Busy), ("D", EntryState::Done)] {
        assert_eq!(world.state(key).await, state);
    }
    world.finish(&now, End::Done).await;
    // What came too late is kept beside the run.
    assert_eq!(world.store.run(now.claim.run).await.unwrap().late.len(), 1);
}

pub(crate) async fn a_write_that_is_refused_harms_no_other(make: &Make<'_>) {
    let (world, runs) = with_entries(make, &["A", "B", "C"]).await;
    let ends = runs.iter().zip([5, 100_000, 7]).map(|(run, cost)| {
        // The second costs more than is set aside.
        let steps = vec![step("draft", 1, cost)];
        world.store.write(RunWrite { steps, ..finish(run, world.store.id(), End::Done) })
    });
    let told = at_once(ends).await;
    assert!(matches!(&told[..], [Ok(()), Err(StoreError::Conflict(_)), Ok(())]), "{told:?}");
    assert_eq!(world.state("B").await, EntryState::Busy);
    let costs = world.store.coverage().await.unwrap().into_iter().map(|coverage| coverage.cost);
    assert_eq!(costs.max(), Some(Microcents(12)));
}

pub(crate) async fn writes_of_every_kind_at_once_do_what_they_do_alone(make: &Make<'_>) {
    let (world, runs) = with_entries(make, &["A", "B", "C", "D", "E"]).await;
    world.admit(vec![world.arrival("F").needs("A")]).await;
    assert_eq!(world.state("F").await, EntryState::Held);
    let id = world.store.id();
    let writes = [
        // Somebody waits for this one.
        finish(&runs[0], id, End::Done),
        RunWrite { steps: vec![step("draft", 1, 3)], events: vec![event(1)], ..go_on(runs[1].claim) },
        wait(runs[2].claim, vec![Wake::At(start().after(std::time::Duration::from_secs(60)))]),
        RunWrite { released: vec![effect("draft", "status")], ..finish(&runs[3], id, failed("it broke")) },
        finish(&runs[4], id, End::Done),
    ];
    at_once(writes.map(|write| world.store.write(write))).await.into_iter().for_each(Result::unwrap);
    let states = [
        ("A", EntryState::Done),
        ("B", EntryState::Busy),
        ("C", EntryState::Busy),
        ("D", EntryState::Failed),
        ("E", EntryState::Done),
        ("F", EntryState::Ready),
    ];
    for (key, state) in states {
        assert_eq!(world.state(key).await, state, "{key}");
    }
    for run in &runs {
        let detail = world.store.run(run.claim.run).await.unwrap();
        let head = tollgate_core::event::ChainHead::verify(run.claim.run, &detail.events).unwrap();
        assert!(detail.record.is_none_or(|record| record.chain == Some(head)));
    }
    let taken = world.take(10).await;
    assert_eq!(taken.len(), 3, "one of each entry that ended");
    let settled = taken.iter().map(|delivery| (delivery.ticket(), delivered())).collect();
    assert_eq!(world.store.settle_deliveries(settled).await.unwrap(), []);
}

//! Claims, writes, waits and ends.

use std::sync::Arc;

use tollgate_core::{
    Microcents,
    course::End,
    entry::EntryState,
    event::{ChainHead, EventKind},
    run::RunState,
    time::ManualClock,
};
use tollgate_store::{
    Store,
    port::{ClaimOutcome, DeliveryKind, OpenWork, RunWrite, Wake},
};

use crate::support::*;

pub async fn an_entry_goes_from_arrival_to_delivered_record<S: Store>(make: &dyn Fn(Arc<ManualClock>) -> S) {
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
    let last = RunWrite { steps: vec![step("publish", 1, 60)], ..finish(&again, world.store.id(), End::Done) };
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

//! What a store makes of the records of work that it does not know.

use std::time::Duration;

use tollgate_core::{
    AdoptionId, Microcents, RunId,
    adoption::{AdoptedEntry, Adoption, SCHEMA},
    course::End,
    entry::EntryState,
    event::ChainHead,
    record::Record,
    run::{RunKind, RunState},
};
use tollgate_store::port::{FoundAccount, OnChange, PriorAccount, Rebuilt, RunFilter};

use crate::support::{ArrivalExt as _, Make, TRACKER, World, cap, failed, record, start};

/// The record of a run of this entry that some other store kept.
async fn recorded(world: &World, key: &str, end: End) -> Record {
    world.admit(vec![world.arrival(&format!("for {key}"))]).await;
    let run = world.work(End::Cancelled { reason: "it was for its record".into() }).await;
    let id = RunId::generate();
    let mut record = record(&run, world.store.id(), end);
    record.run = id;
    record.entry.name.key = key.into();
    record.entry.revision = world.arrival(key).revision;
    record.order.backlog = world.arrival(key).backlog;
    record.total.cost = Microcents(7);
    record.chain = Some(ChainHead::start(id));
    record
}

/// That an entry was adopted in some other store.
fn adopted(world: &World, key: &str) -> Adoption {
    let arrival = world.arrival(key);
    let entry = AdoptedEntry {
        name: arrival.item.name,
        backlog: arrival.backlog,
        url: None,
        title: arrival.item.title,
        revision: arrival.revision,
    };
    Adoption {
        schema: SCHEMA.into(),
        id: AdoptionId::generate(),
        entry,
        store: world.store.id(),
        who: "ines".into(),
        at: start(),
        evidence: vec![],
        despite: vec![],
    }
}

fn found(key: &str, account: PriorAccount) -> FoundAccount {
    FoundAccount { key: key.into(), place: format!("docs/{key}.tollgate.md"), account }
}

fn of_run(record: &Record) -> FoundAccount {
    found(&record.entry.name.key, PriorAccount::Run(Box::new(record.clone())))
}

pub(crate) async fn what_records_tell_is_over_before_it_can_be_claimed(make: &Make<'_>) {
    let world = World::with_caps(make, vec![cap("project", 10_000)]).await;
    let (done, not_done) =
        (recorded(&world, "A", End::Done).await, recorded(&world, "B", failed("no")).await);
    let mut later = done.clone();
    (later.run, later.round, later.end) = (RunId::generate(), 2, failed("it broke"));
    let refined =
        Record { run: RunId::generate(), kind: RunKind::Refine, ..recorded(&world, "C", End::Done).await };
    let accounts = vec![of_run(&done), of_run(&not_done), of_run(&refined)];
    assert!(!world.store.has_read_records(TRACKER).await.unwrap());
    let rebuilt = world.store.rebuild(TRACKER, accounts.clone(), true).await.unwrap();
    assert_eq!(rebuilt, Rebuilt { runs: 3, ..Rebuilt::default() });
    assert!(world.store.has_read_records(TRACKER).await.unwrap());

    // They come as entries that wait for others come: those are ready at once.
    let all = || {
        ["A", "B", "C"]
            .map(|key| world.arrival(key))
            .into_iter()
            .chain([world.arrival("D").needs("A")])
            .collect()
    };
    let states: Vec<_> = world.admit(all()).await.iter().map(|change| change.state).collect();
    use EntryState::*;
    assert_eq!(states, [Done, Failed, Ready, Ready]);
    let run = world.store.run(done.run).await.unwrap();
    assert_eq!((run.summary.rebuilt, run.summary.state), (true, RunState::Done));
    assert_eq!(run.record.unwrap(), done);
    let spent = world.store.cap_balances().await.unwrap()[0].balance.settled;
    assert_eq!(spent, Microcents(21), "what was spent then counts");

    // Reading them again changes nothing; what is new of an entry that is over here is for its own store to know.
    let again = world.store.rebuild(TRACKER, accounts, true).await.unwrap();
    assert_eq!(again, Rebuilt::default());
    world.store.rebuild(TRACKER, vec![of_run(&later)], true).await.unwrap();
    assert_eq!(world.state("A").await, Done);
    let states: Vec<_> = world.admit(all()).await.iter().map(|change| change.state).collect();
    assert_eq!(states, [Done, Failed, Ready, Ready]);
}

pub(crate) async fn what_is_recorded_twice_was_done_once(make: &Make<'_>) {
    let world = World::with_caps(make, vec![cap("project", 10_000)]).await;
    let (known, coming) = (recorded(&world, "A", End::Done).await, recorded(&world, "B", End::Done).await);
    world.admit(vec![world.arrival("A")]).await;
    let adopted = found("C", PriorAccount::Adoption(Box::new(adopted(&world, "C"))));
    let copied = |account: FoundAccount| {
        let copy = FoundAccount { place: format!("copies/{}", account.place), ..account.clone() };
        [account, copy]
    };
    let accounts: Vec<_> = [of_run(&known), of_run(&coming), adopted].into_iter().flat_map(copied).collect();
    let rebuilt = world.store.rebuild(TRACKER, accounts.clone(), true).await.unwrap();
    assert_eq!(rebuilt, Rebuilt { runs: 2, adoptions: 1, ..Rebuilt::default() });
    assert_eq!(world.state("A").await, EntryState::Done);

    // What is told of entries that were not seen yet is kept until they are.
    let states: Vec<_> = world
        .admit(vec![world.arrival("B"), world.arrival("C")])
        .await
        .iter()
        .map(|change| change.state)
        .collect();
    assert_eq!(states, [EntryState::Done, EntryState::Done]);
    let runs = world.store.runs(RunFilter::default()).await.unwrap().rows;
    for record in [&known, &coming] {
        assert_eq!(runs.iter().filter(|run| run.id == record.run).count(), 1);
    }
    let spent = world.store.cap_balances().await.unwrap()[0].balance.settled;
    assert_eq!(spent, Microcents(14), "what was spent once counts once");
    assert_eq!(world.store.rebuild(TRACKER, accounts, true).await.unwrap(), Rebuilt::default());
}

pub(crate) async fn what_does_not_verify_waits_for_a_person(make: &Make<'_>) {
    let world = World::new(make).await;
    let done = recorded(&world, "A", End::Done).await;
    let damaged = |key| found(key, PriorAccount::Damaged(format!("docs/{key}.tollgate.md: it was changed")));
    world.store.rebuild(TRACKER, vec![damaged("A"), damaged("B")], true).await.unwrap();
    world.admit(vec![world.arrival("A"), world.arrival("B")]).await;
    assert_eq!((world.state("A").await, world.state("B").await), (EntryState::Held, EntryState::Held));
    let [hold] = world.holds("A").await.try_into().unwrap();
    assert!(hold.starts_with("person: docs/A.tollgate.md: it was changed"), "{hold}");

    // The record is restored; the other one is retried by a person, and is not held again.
    world.store.retry(world.id("B").await, "ines", "there is no other way").await.unwrap();
    world.work(End::Done).await;
    let rebuilt = world.store.rebuild(TRACKER, vec![of_run(&done), damaged("B")], true).await.unwrap();
    assert_eq!(rebuilt, Rebuilt { runs: 1, ..Rebuilt::default() });
    assert_eq!(world.state("A").await, EntryState::Done);
}

pub(crate) async fn what_changed_since_its_record_is_for_the_backlog_to_say(make: &Make<'_>) {
    let world = World::new(make).await;
    let rules = [("I", OnChange::Ignore), ("Q", OnChange::Ask), ("R", OnChange::Rerun)];
    let mut accounts = Vec::new();
    for (key, _) in rules {
        accounts.push(of_run(&recorded(&world, key, End::Done).await));
    }
    world.store.rebuild(TRACKER, accounts, true).await.unwrap();
    let changed = |(key, rule): (&str, _)| world.arrival(key).says("more").on_change(rule);
    let states: Vec<_> =
        world.admit(rules.map(changed).to_vec()).await.iter().map(|change| change.state).collect();
    assert_eq!(states, [EntryState::Done, EntryState::Held, EntryState::Ready]);
    assert!(world.store.entry("I", None).await.unwrap().changed_since);
}

pub(crate) async fn what_a_record_cost_counts_in_the_period_in_which_it_ended(make: &Make<'_>) {
    let world = World::with_caps(make, vec![cap("project", 10_000)]).await;
    let settled = async || world.store.cap_balances().await.unwrap()[0].balance.settled;
    let (today, mut before) =
        (recorded(&world, "A", End::Done).await, recorded(&world, "B", End::Done).await);
    before.ended_at = start().before(Duration::from_secs(86_400));
    let accounts = vec![of_run(&today), of_run(&before)];
    world.store.rebuild(TRACKER, accounts, true).await.unwrap();
    let of_today = settled().await;
    world.admit(vec![world.arrival("B")]).await;
    assert_eq!(settled().await, of_today, "it was yesterday");
    world.admit(vec![world.arrival("A")]).await;
    assert_eq!(settled().await, of_today + Microcents(7));
}

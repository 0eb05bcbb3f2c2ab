//! Fifty entries on their way from arrival to delivered record, driven by somebody who remembers nothing: what comes next is read from
//! the store, so whoever opens it after a power cut goes on.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use serde_json::json;
use tollgate_core::{
    Digest, HostId, LaneId, Microcents, RunId,
    course::End,
    entry::EntryState,
    event::ChainHead,
    journal::{Answer, Begun, CallClass, Intent},
    run::RunState,
    time::{Clock as _, ManualClock},
};
use tollgate_store::{
    SqliteStore, Store as _, StoreError,
    port::{
        Arrival, ClaimOutcome, ClaimRequest, ClaimedRun, Delivery, DeliveryKind, EntryFilter, EscrowAnswer,
        NewIntent, RunFilter, RunWrite, Wake,
    },
};

use crate::support::*;

/// What trackers got.
pub(crate) type Outside = BTreeSet<String>;

const BATCH: usize = 10;
const LARGEST: Microcents = Microcents(30);

/// A life of a host: from the moment at which it opens the store.
pub(crate) struct Life<'l> {
    store: &'l SqliteStore,
    clock: &'l ManualClock,
    /// How many entries there are to be.
    entries: usize,
    lane: LaneId,
    host: HostId,
    pub(crate) outside: Outside,
    /// Hears of each transaction once it is said to be durable, and of each write to a tracker.
    told: &'l mut dyn FnMut(&Outside),
}

impl<'l> Life<'l> {
    /// Begins where an earlier life ended, by whatever end.
    pub(crate) async fn begin(
        store: &'l SqliteStore,
        clock: &'l ManualClock,
        entries: usize,
        outside: Outside,
        told: &'l mut dyn FnMut(&Outside),
    ) -> Result<Self, StoreError> {
        let applied = store.apply_policy(policy(&["spec"], vec![cap("project", 1_000_000)])).await?;
        told(&outside);
        clock.advance(LEASE * 2);
        store.sweep().await?;
        told(&outside);
        let host = HostId("here-1".into());
        Ok(Self { store, clock, entries, lane: applied.lanes[0].id, host, outside, told })
    }

    /// Goes on until nothing is left to do.
    pub(crate) async fn go_on(&mut self) -> Result<(), StoreError> {
        while self.turn().await? {}
        Ok(())
    }

    /// Does the next thing; false when nothing is left to do.
    pub(crate) async fn turn(&mut self) -> Result<bool, StoreError> {
        self.clock.advance(Duration::from_secs(1));
        let filter = EntryFilter { limit: 1, ..EntryFilter::default() };
        let known = self.store.entries(filter).await?.total as usize;
        if known < self.entries {
            self.admit(known).await?;
            return Ok(true);
        }
        let deliveries = self.store.take_deliveries(&self.host, LEASE, 4).await?;
        self.tell();
        if !deliveries.is_empty() {
            self.deliver(deliveries).await?;
            return Ok(true);
        }
        let claimed = self.store.claim(self.request()).await?;
        self.tell();
        let ClaimOutcome::Claimed(run) = claimed else { return Ok(false) };
        self.drive(&run).await?;
        Ok(true)
    }

    fn tell(&mut self) {
        (self.told)(&self.outside);
    }

    fn request(&self) -> ClaimRequest {
        ClaimRequest {
            host: self.host.clone(),
            lease: LEASE,
            lanes: vec![self.lane],
            new_run: self.new_run(),
            only_begun: false,
            only: vec![],
        }
    }

    /// No other run is called like that, and the next time that all of this is done it is called so again.
    fn new_run(&self) -> RunId {
        format!("{:026}", self.clock.now().as_millis()).parse().expect("digits name a run")
    }

    /// Takes the next entries in; each third one needs the one before it.
    async fn admit(&mut self, known: usize) -> Result<(), StoreError> {
        let reconcile = self.store.begin_reconcile(BACKLOG, TRACKER).await?;
        self.tell();
        let arrival = |number: usize| -> Arrival {
            let arrival = arrival(self.lane, &format!("E-{number}"), (number % 7) as i64);
            if number % 3 == 2 { arrival.needs(&format!("E-{}", number - 1)) } else { arrival }
        };
        let next = known..self.entries.min(known + BATCH);
        self.store.admit(reconcile, next.map(arrival).collect()).await?;
        self.tell();
        Ok(())
    }

    async fn deliver(&mut self, deliveries: Vec<Delivery>) -> Result<(), StoreError> {
        for delivery in &deliveries {
            let run = delivery.run.expect("a run made it");
            let name = match &delivery.kind {
                DeliveryKind::Record(record) => {
                    assert_eq!(record.run, run);
                    format!("record of {run}")
                }
                _ => format!("effect of {run}"),
            };
            // Who finds it marked reads the tracker before it writes.
            if !self.outside.insert(name.clone()) {
                assert!(delivery.ambiguous, "the {name} would be written twice");
            }
            self.tell();
        }
        let outcomes = deliveries.iter().map(|delivery| (delivery.ticket(), delivered())).collect();
        assert_eq!(self.store.settle_deliveries(outcomes).await?, []);
        self.tell();
        Ok(())
    }

    /// Drives a run to where it waits, or to its end.
    async fn drive(&mut self, run: &ClaimedRun) -> Result<(), StoreError> {
        let is_drafted = run.begun && !self.store.run(run.claim.run).await?.steps.is_empty();
        let write = if is_drafted {
            let end = finish(run, self.store.id(), End::Done);
            RunWrite { steps: vec![step("publish", 1, 20)], events: vec![event(2)], ..end }
        } else {
            let cost = self.ask(run).await?.0 + 7;
            let state = vec![Wake::Delivered(vec![reference("draft", "state")])];
            RunWrite {
                steps: vec![step("draft", 1, cost)],
                released: vec![effect("draft", "state")],
                events: vec![event(1)],
                ..wait(run.claim, state)
            }
        };
        self.store.write(write).await?;
        self.tell();
        Ok(())
    }

    /// The one call that a draft makes, unless it was answered in an earlier life; what the attempt cost by then.
    async fn ask(&mut self, run: &ClaimedRun) -> Result<Microcents, StoreError> {
        let draft = key_of_step("draft", 1);
        let attempt = self.store.attempt(run.claim.run, &draft).await?;
        let is_answered = |attempt: &tollgate_core::journal::Attempt| {
            attempt.journal.first().is_some_and(|entry| entry.answer.is_some())
        };
        if let Some(attempt) = attempt.filter(is_answered) {
            return Ok(attempt.charged);
        }
        let intent = NewIntent {
            claim: run.claim,
            step: draft.clone(),
            plugin: plugin("draft"),
            begun: Begun { now: start(), delivered: vec![] },
            call: 0,
            intent: Intent {
                function: "test:probe/probe.keyed".into(),
                request: Digest::of("request"),
                reserved: LARGEST,
                class: CallClass::Keyed,
            },
            set_aside: Microcents(40 + LARGEST.0),
        };
        assert_eq!(self.store.journal_intend(intent).await?, EscrowAnswer::Reserved);
        self.tell();
        let answer = Answer { body: json!({ "said": "yes" }), cost: Microcents(20) };
        self.store.journal_answer(run.claim, &draft, 0, answer).await?;
        self.tell();
        let attempt = self.store.attempt(run.claim.run, &draft).await?;
        Ok(attempt.expect("it asked").charged)
    }

    /// Everything was done, once: entries, runs, deliveries, and what it cost.
    pub(crate) async fn is_whole(&self) -> Result<(), StoreError> {
        let entries = self.store.entries(EntryFilter::default()).await?;
        assert_eq!(entries.rows.len(), self.entries);
        for entry in entries.rows {
            assert_eq!(entry.state, EntryState::Done, "{}", entry.name);
        }
        let runs = self.store.runs(RunFilter::default()).await?;
        assert_eq!(runs.rows.len(), self.entries);
        let mut outside = Outside::new();
        for run in &runs.rows {
            assert_eq!(run.state, RunState::Done, "{}", run.id);
            outside.extend([format!("effect of {}", run.id), format!("record of {}", run.id)]);
        }
        assert_eq!(self.outside, outside, "trackers have what was done, and nothing else");
        assert_eq!(broken_chains(self.store).await?, [] as [String; 0]);
        Ok(())
    }
}

/// What is wrong with the chains of runs: each is unbroken, and ends where its record says.
pub(crate) async fn broken_chains(store: &SqliteStore) -> Result<Vec<String>, StoreError> {
    let mut broken = Vec::new();
    for run in store.run_ids().await? {
        let detail = store.run(run).await?;
        match ChainHead::verify(run, &detail.events) {
            Err(error) => broken.push(error.to_string()),
            Ok(head) if detail.record.is_some_and(|record| record.chain != Some(head)) => {
                broken.push(format!("the record of {run} does not end its chain"));
            }
            Ok(_) => {}
        }
    }
    Ok(broken)
}

/// A clock for a life that begins `lives` after the first.
pub(crate) fn clock_of_life(lives: u32) -> Arc<ManualClock> {
    Arc::new(ManualClock::at(start().after(Duration::from_secs(7_200) * lives)))
}

//! The same traces through all stores: each answer is the same, and so is all that they keep.
//!
//! A trace is a list of operations of hosts, people, sources and clocks. Its numbers of runs and of adoptions are its own, so the chains of
//! all stores end in the same heads; numbers of entries, lanes and deliveries are each store's, and compared by the order in which they
//! were met first. What a trace compares is exact: nothing happens at the same time as anything else in it.
//!
//! A trace that fails is shrunk, and printed with what became of every operation. `TOLLGATE_TRACES` says how many traces there are;
//! before a release, a hundred thousand (which takes a night):
//!
//! ```text
//! TOLLGATE_TRACES=100000 cargo test --workspace --test store stores_do_not_differ
//! ```

use std::{collections::BTreeMap, fmt::Debug, sync::Arc, time::Duration};

use proptest::prelude::*;
use serde_json::{Value, json};
use tollgate_core::{
    AdoptionId, Clock as _, Digest, HostId, Microcents, RunId, StopMode, StoreId, Timestamp,
    adoption::{AdoptedEntry, Adoption},
    approval::{Allowance, Ask, Lack, Word},
    course::{End, Stopped},
    effect::Delivered,
    entry::{EntryName, INTERNAL_TRACKER},
    event::ChainHead,
    journal::{Answer, Begun, CallClass, Intent},
    refine::{Found, Refinement},
    run::{Claim, RunKind},
    step::StepOutcome,
    time::ManualClock,
    wait::{self, Wait, WakeOn},
};
use tollgate_store::{
    StoreError,
    port::{
        ClaimOutcome, ClaimRequest, ClaimedRun, DeliveryOutcome, FoundAccount, NewAdoption, NewCancellation,
        NewDecision, NewFieldValue, NewIntent, NewSignal, NextState, Opener, Opening, PausedCall,
        PriorAccount, Reading, ReleasedEffect, RunWrite, StopRequest, Wake,
    },
};

use super::{
    asking_step,
    op::{self, Asked, Became, EVENTS, Ending, How, KEYS, OPENED, On, Op, Seen, Told},
    policy,
    side::{self, Side},
};
use crate::{postgres, support::*};

/// After so many operations all that is kept is compared.
const COMPARED_EVERY: usize = 10;

struct Trace {
    clock: Arc<ManualClock>,
    sides: Vec<Side>,
    /// Every claim that was ever given, stale ones included.
    claims: Vec<ClaimedRun>,
    /// For what has a number that the trace gives.
    given: u32,
    /// What was done, and what became of it.
    told: Vec<String>,
}

impl Trace {
    async fn new(database: &str) -> Self {
        let clock = Arc::new(ManualClock::at(start()));
        let sides = side::all(database, &clock).await;
        Self { clock, sides, claims: vec![], given: 0, told: vec![] }
    }

    /// Asks all stores; they have to answer the same.
    async fn ask<T: Debug>(
        &mut self,
        ask: impl AsyncFn(&mut Side) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut answers = Vec::new();
        for side in &mut self.sides {
            let answer = ask(side).await;
            let words = side.told(&answer);
            answers.push((words, answer));
        }
        let short: String = answers[0].0.chars().take(160).collect();
        if let Some(told) = self.told.last_mut() {
            told.push_str(&format!("\n       → {short}"));
        }
        for (side, (words, _)) in self.sides.iter().zip(&answers).skip(1) {
            self.compare("the answer", side, &answers[0].0, words);
        }
        answers.swap_remove(0).1
    }

    /// What all stores keep has to be the same.
    async fn compare_states(&mut self) {
        let mut states = Vec::new();
        for side in &mut self.sides {
            states.push(side.state().await);
        }
        for (side, state) in self.sides.iter().zip(&states).skip(1) {
            for (what, words) in &states[0] {
                self.compare(what, side, words, state.get(what).map_or("", String::as_str));
            }
            let keys = |state: &BTreeMap<String, String>| state.keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(&states[0]), keys(state), "{}", self.told.join("\n"));
        }
    }

    #[track_caller]
    fn compare(&self, what: &str, side: &Side, model: &str, other: &str) {
        if model == other {
            return;
        }
        let same = model.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
        let part = |words: &str| words.chars().skip(same.saturating_sub(120)).take(320).collect::<String>();
        panic!(
            "{what} of {} differs\n   plain maps: …{}…\n   {}: …{}…\nafter\n{}",
            side.name,
            part(model),
            side.name,
            part(other),
            self.told.join("\n")
        );
    }

    async fn perform(&mut self, op: Op) {
        self.told.push(format!("{:>4}. {op:?}", self.told.len() + 1));
        match op {
            Op::Read { .. } | Op::BeginReading { .. } | Op::AdmitLate { .. } | Op::EndReading { .. } => {
                self.read_source(op).await;
            }
            Op::Judge { limit, is_late, moved_by, apart } => {
                self.judge(limit, is_late, moved_by, apart).await;
            }
            Op::PutInOrder { all } => self.put_in_order(all).await,
            Op::Open { .. } | Op::Rebuild { .. } | Op::Adopt { .. } => self.add(op).await,
            Op::Claim { lane, only_begun, only, twice } => self.claim(lane, only_begun, only, twice).await,
            Op::Take { max } => self.take(max).await,
            Op::Settle { delivery, became } => self.settle(delivery, became).await,
            Op::Wait { claim, on } => self.wait(claim, on).await,
            Op::Call { claim, on, expires } => self.call(claim, on, expires).await,
            Op::Renew => {
                drop(self.ask(async |side| sorted(side.store.renew_leases(&host(), LEASE).await)).await)
            }
            Op::Sweep => drop(
                self.ask(async |side| {
                    let mut swept = side.store.sweep().await?;
                    swept.lapsed_deliveries.sort_unstable();
                    Ok(swept)
                })
                .await,
            ),
            Op::LiftDue => drop(self.ask(async |side| side.store.lift_due().await).await),
            Op::Pack { max } => {
                drop(self.ask(async |side| side.store.pack_events(side.store.now().await?, max).await).await)
            }
            Op::Policy { which } => {
                drop(self.ask(async |side| side.store.apply_policy(policy::application(which)).await).await)
            }
            Op::MoveClock { seconds } => self.move_clock(seconds),
            Op::SetField { .. }
            | Op::Retry { .. }
            | Op::LetIn { .. }
            | Op::Stop { .. }
            | Op::Resume
            | Op::Signal { .. } => self.speak(op).await,
            _ => self.drive(op).await,
        }
    }

    async fn read_source(&mut self, op: Op) {
        match op {
            Op::Read { beside, seen, reading } => {
                self.begin_reading(beside).await;
                let last = self.sides[0].readings.len() - 1;
                self.admit(last, &seen).await;
                self.end_reading(last, reading).await;
            }
            Op::BeginReading { beside } => self.begin_reading(beside).await,
            Op::AdmitLate { reading, seen } if reading < self.sides[0].readings.len() => {
                self.admit(reading, &seen).await;
            }
            Op::EndReading { reading, reading_is } if reading < self.sides[0].readings.len() => {
                self.end_reading(reading, reading_is).await;
            }
            _ => {}
        }
    }

    async fn begin_reading(&mut self, beside: bool) {
        let answer = self.ask(async |side| {
            let tracker = if beside { BESIDE } else { TRACKER };
            side.readings.push((side.store.begin_reconcile(BACKLOG, tracker).await?, beside));
            Ok(())
        });
        answer.await.unwrap();
    }

    async fn admit(&mut self, reading: usize, seen: &[Seen]) {
        // What is known of an entry is asked before its source is read, here at the same moment.
        let answer = self.ask(async |side| {
            let (number, beside) = side.readings[reading];
            let mut arrivals = Vec::new();
            for seen in seen {
                let tracker = if beside { BESIDE } else { TRACKER };
                let name = EntryName { tracker: tracker.into(), key: KEYS[seen.key].into() };
                arrivals.push(policy::arrives(seen, beside, &side.known(&name).await, &side.lanes));
            }
            side.store.admit(number, arrivals).await
        });
        drop(answer.await);
    }

    async fn end_reading(&mut self, reading: usize, how: How) {
        let answer = self.ask(async |side| {
            let how = match how {
                How::Partial => Reading::Partial,
                How::Full => full(),
                How::AllBut(key) => Reading::Full { unread: vec![format!("docs/{}.md", KEYS[key])] },
            };
            let (number, _) = side.readings.remove(reading);
            side.store.finish_reconcile(number, how).await
        });
        drop(answer.await);
    }

    async fn judge(&mut self, limit: u32, is_late: bool, moved_by: i64, apart: bool) {
        let answer = self.ask(async |side| {
            let due = side.store.due_for_rescoring(None, limit).await?;
            let judged = due.into_iter().map(|due| policy::rejudged(due, is_late, moved_by, &side.lanes));
            if !apart {
                return side.store.rescore(judged.collect()).await;
            }
            let rescoring = match side.rescoring {
                Some(rescoring) => rescoring,
                None => *side.rescoring.insert(side.store.begin_rescoring().await?),
            };
            Ok(side.store.rescore_apart(rescoring, judged.collect()).await?.entries)
        });
        drop(answer.await);
    }

    /// By whoever displaced them, or by another who finds the first of them.
    async fn put_in_order(&mut self, all: bool) {
        let answer = self.ask(async |side| {
            let Some(rescoring) = side.rescoring else { return Ok(vec![]) };
            let displaced = side.store.displaced(None, if all { 99 } else { 1 }).await?;
            side.store.put_in_order(rescoring, displaced.clone()).await?;
            if all {
                side.rescoring = None;
                side.store.end_rescoring(rescoring).await?;
            }
            Ok(displaced)
        });
        drop(answer.await);
    }

    /// What comes in otherwise than by a source.
    async fn add(&mut self, op: Op) {
        match op {
            Op::Open { by, key, guard, needs, says } => {
                let run = by.map(|claim| self.claim_of(claim).map(|run| run.claim.run));
                let opener = match run {
                    None => Opener::Person,
                    Some(None) => return,
                    Some(Some(run)) => Opener::Run { run, depth_max: 3 },
                };
                let answer = self.ask(async |side| {
                    let known = side.known(&name_of(KEYS.len() + key)).await;
                    let arrival = policy::opens(key, says, guard, needs, &known, &side.lanes);
                    let fingerprint = format!("f-{key}");
                    side.store.open_entry(Opening { arrival, fingerprint, opener }).await
                });
                drop(answer.await);
            }
            Op::Adopt { key, is_edited } => {
                let id = self.adoption();
                let answer = self.ask(async |side| {
                    let entry = side.id(&name_of(key)).await;
                    let says = side.store.entry(&name_of(key).key, Some(&name_of(key).tracker)).await?;
                    let edited = Digest::of("something else");
                    let revision = if is_edited { edited } else { says.status.revision };
                    let (who, despite) = ("ines".into(), vec![]);
                    let new = NewAdoption { id, entry, revision, who, evidence: vec![], despite };
                    side.store.adopt(vec![new]).await
                });
                drop(answer.await);
            }
            Op::Rebuild { key, told, complete, twice } => self.rebuild(key, told, complete, twice).await,
            _ => {}
        }
    }

    async fn rebuild(&mut self, key: usize, told: Told, complete: bool, twice: bool) {
        let name = name_of(key);
        let (run, adoption) = (self.run(), self.adoption());
        let Some(earlier) = self.claims.first().cloned() else { return };
        let at = start().after(Duration::from_secs(u64::from(self.given)));
        let end = match told {
            Told::Failed => failed("it broke"),
            Told::Done | Told::Adopted | Told::Damaged => End::Done,
        };
        let mut record = record(&earlier, store(), end);
        (record.run, record.kind, record.entry.name) = (run, RunKind::Work, name.clone());
        (record.order.backlog, record.ended_at) = (BACKLOG.into(), at);
        record.total.cost = Microcents(7);
        record.chain = Some(ChainHead::start(run));
        let account = match told {
            Told::Done | Told::Failed => PriorAccount::Run(Box::new(record)),
            Told::Damaged => PriorAccount::Damaged("it was cut off".into()),
            Told::Adopted => PriorAccount::Adoption(Box::new(Adoption {
                schema: tollgate_core::adoption::SCHEMA.into(),
                id: adoption,
                entry: AdoptedEntry {
                    name: name.clone(),
                    backlog: BACKLOG.into(),
                    url: None,
                    title: "Title".into(),
                    revision: record.entry.revision,
                },
                store: store(),
                who: "ines".into(),
                at,
                evidence: vec![],
                despite: vec![],
            })),
        };
        let answer = self.ask(async |side| {
            let place = format!("records/{}.json", name.key);
            let found = FoundAccount { key: name.key.clone(), place, account: account.clone() };
            let accounts = vec![found; 1 + usize::from(twice)];
            side.store.rebuild(&name.tracker, accounts, complete).await
        });
        drop(answer.await);
    }

    async fn claim(&mut self, lane: usize, only_begun: bool, only: Option<usize>, twice: bool) {
        let new_run = self.run();
        let asked = async |side: &mut Side| {
            let lanes = side.lanes.get(lane).map_or(side.lanes.to_vec(), |lane| vec![*lane]);
            let only = match only {
                None => vec![],
                Some(key) => vec![side.id(&name_of(key)).await],
            };
            let request = ClaimRequest { host: host(), lease: LEASE, lanes, new_run, only_begun, only };
            side.store.claim(request).await
        };
        let answer = self.ask(asked).await;
        if let Ok(ClaimOutcome::Claimed(run)) = answer {
            self.claims.push(*run);
            if twice {
                drop(self.ask(asked).await);
            }
        }
    }

    /// What a driver says, and what is said to a run.
    async fn drive(&mut self, op: Op) {
        let (Op::Step { claim, .. }
        | Op::Effects { claim, .. }
        | Op::Pause { claim, .. }
        | Op::Finish { claim, .. }
        | Op::Release { claim }
        | Op::Reserve { claim, .. }
        | Op::Intend { claim, .. }
        | Op::Answer { claim, .. }
        | Op::Withdraw { claim }
        | Op::Decide { claim, .. }
        | Op::Cancel { claim }) = op
        else {
            return;
        };
        let Some(run) = self.claim_of(claim) else { return };
        match op {
            Op::Step { cost, .. } => {
                let steps = vec![step("draft", self.next(), cost)];
                let events = vec![event(cost.cast_signed())];
                self.write(RunWrite { steps, events, ..go_on(run.claim) }).await;
            }
            Op::Effects { which, .. } => {
                self.write(RunWrite { released: effects(&run, which), ..go_on(run.claim) }).await;
            }
            Op::Pause { cost, .. } => self.pause(&run, cost).await,
            Op::Finish { end, leaves, .. } => self.finish(&run, end, leaves).await,
            Op::Release { .. } => {
                let answer = self.ask(async |side| side.store.release(run.claim, "room for others").await);
                drop(answer.await);
            }
            Op::Reserve { amount, .. } => {
                let answer = self.ask(async |side| side.store.reserve(run.claim, Microcents(amount)).await);
                drop(answer.await);
            }
            Op::Decide { money, .. } => {
                let word = match money {
                    None => Word::Rejected,
                    Some(cost) => {
                        let added = Allowance { cost: Microcents(cost), ..Allowance::default() };
                        Word::Approved { added }
                    }
                };
                let said = || NewDecision { who: "ines".into(), why: "so".into(), word };
                let answer = self.ask(async |side| side.store.decide(run.claim.run, said()).await);
                drop(answer.await);
            }
            Op::Cancel { .. } => {
                let said = || NewCancellation { who: "ines".into(), why: "enough".into() };
                drop(self.ask(async |side| side.store.cancel(run.claim.run, said()).await).await);
                let answer = self.ask(async |side| sorted(side.store.cancellations(&host()).await));
                drop(answer.await);
            }
            op => self.journal(&run, op).await,
        }
    }

    async fn write(&mut self, write: RunWrite) {
        drop(self.ask(async |side| side.store.write(write.clone()).await).await);
    }

    async fn journal(&mut self, run: &ClaimedRun, op: Op) {
        let step = asking_step();
        let attempt = self.ask(async |side| side.store.attempt(run.claim.run, &step).await).await;
        let journal = attempt.ok().flatten().map(|attempt| attempt.journal).unwrap_or_default();
        let lost = journal.last().filter(|entry| entry.answer.is_none());
        let next = (journal.len() - usize::from(lost.is_some())) as u32;
        let last = journal.len().saturating_sub(1) as u32;
        match op {
            Op::Intend { largest, .. } => {
                let new = || Intent {
                    function: "ask".into(),
                    request: Digest::of(next.to_string()),
                    reserved: Microcents(largest),
                    class: CallClass::Repeatable,
                };
                let intent = lost.map_or_else(new, |entry| entry.intent.clone());
                let new = NewIntent {
                    claim: run.claim,
                    step,
                    plugin: plugin("draft"),
                    begun: begun(),
                    call: next,
                    set_aside: intent.reserved + Microcents(10),
                    intent,
                };
                drop(self.ask(async |side| side.store.journal_intend(new.clone()).await).await);
            }
            Op::Answer { cost, .. } => {
                let answer = || Answer { body: Value::Null, cost: Microcents(cost) };
                let answered =
                    self.ask(async |side| side.store.journal_answer(run.claim, &step, last, answer()).await);
                drop(answered.await);
            }
            _ => drop(self.ask(async |side| side.store.journal_withdraw(run.claim, &step, last).await).await),
        }
    }

    async fn pause(&mut self, run: &ClaimedRun, cost: u64) {
        let asked = Ask {
            step: asking_step(),
            lack: Lack::Fuel,
            role: Some("lead".into()),
            reason: "out of fuel".into(),
            suggested: Allowance::default(),
        };
        let (step, plugin) = (asking_step(), plugin("draft"));
        let paused = Some(PausedCall { step, plugin, begun: begun(), cost: Microcents(cost) });
        let write = wait(run.claim, vec![Wake::Approval(Box::new(asked))]);
        self.write(RunWrite { paused, ..write }).await;
    }

    async fn wait(&mut self, claim: usize, on: Vec<On>) {
        let Some(run) = self.claim_of(claim) else { return };
        let wakes = on.into_iter().map(|on| match on {
            On::Time(seconds) => Wake::At(self.in_seconds(seconds)),
            On::Effects(which) => {
                Wake::Delivered(effects(&run, which).into_iter().map(|effect| effect.reference).collect())
            }
            On::Money(amount) => Wake::Paid(Microcents(amount)),
        });
        let wakes = wakes.collect();
        self.write(wait(run.claim, wakes)).await;
    }

    async fn call(&mut self, claim: usize, on: Vec<Asked>, expires: Option<u64>) {
        let Some(run) = self.claim_of(claim) else { return };
        let any = on.into_iter().map(|asked| match asked {
            Asked::Time(seconds) => WakeOn::At(wait::At { at: self.in_seconds(seconds) }),
            Asked::Event(name) => WakeOn::Event(wait::Event { name: EVENTS[name].into() }),
            Asked::Children => WakeOn::Children(wait::Children {}),
            Asked::Approval => WakeOn::Approval(wait::Approval { role: Some("lead".into()) }),
            Asked::Answer => WakeOn::Answer(wait::Answer { question: "which?".into() }),
        });
        let asked = Wait {
            any: any.collect(),
            reason: "it waits".into(),
            resume: Value::Null,
            effects: vec![],
            expires: expires.map(|seconds| self.in_seconds(seconds)),
        };
        let step = step("draft", self.next(), 0);
        let steps = vec![tollgate_core::step::Step { outcome: StepOutcome::Waits(asked), ..step }];
        self.write(RunWrite { steps, ..wait(run.claim, vec![Wake::Asked]) }).await;
    }

    async fn finish(&mut self, run: &ClaimedRun, end: Ending, leaves: bool) {
        let stopped = || Stopped { at: None, reason: "it is unclear".into(), recovery: "say more".into() };
        let end = match end {
            Ending::Done => End::Done,
            Ending::Failed => failed("it broke"),
            Ending::Escalated => End::Escalated { to: "ines".into(), stopped: stopped() },
            Ending::Cancelled => End::Cancelled { reason: "enough".into() },
        };
        let mut write = finish(run, store(), end.clone());
        if let NextState::Finish { leaves_entry, refinement, .. } = &mut write.next {
            *leaves_entry = leaves && run.run.kind == RunKind::Work;
            *refinement = (run.run.kind == RunKind::Refine).then(|| {
                let found = match end {
                    End::Done => Found::Data(BTreeMap::from([("triage".into(), json!({ "effort": 3 }))])),
                    _ => Found::Nothing { reason: "out of ideas".into() },
                };
                let digest = Digest::of("triage");
                let reads = ["body".to_owned()].into();
                let (at, run) = (Timestamp::default(), run.claim.run);
                Box::new(Refinement { run, at, asked: digest, reads, handed: digest, found })
            });
        }
        self.write(write).await;
    }

    async fn take(&mut self, max: u32) {
        let answer = self.ask(async |side| {
            let taken = side.store.take_deliveries(&host(), LEASE, max).await?;
            side.taken.extend(taken.clone());
            Ok(taken)
        });
        drop(answer.await);
    }

    async fn settle(&mut self, delivery: usize, became: Became) {
        let Some(place) = self.sides[0].taken.len().checked_sub(delivery + 1) else { return };
        let later = self.in_seconds(5);
        let done = |data| Delivered::Done { reference: Some("docs/moved.md".into()), data };
        let outcome = match became {
            Became::Done => DeliveryOutcome::Settled(done(Value::Null)),
            Became::PutOnHold => DeliveryOutcome::Settled(done(json!({ "shelf": "on-hold" }))),
            Became::Refused => DeliveryOutcome::Settled(Delivered::Refused { reason: "no".into() }),
            Became::NotBegun => DeliveryOutcome::NotBegun,
            Became::Retry { is_ambiguous } => {
                DeliveryOutcome::Retry { at: later, reason: "timed out".into(), ambiguous: is_ambiguous }
            }
        };
        let answer = self.ask(async |side| {
            let ticket = side.taken[place].ticket();
            side.store.settle_deliveries(vec![(ticket, outcome.clone())]).await
        });
        drop(answer.await);
    }

    /// What people say of entries and to hosts, and what happens outside.
    async fn speak(&mut self, op: Op) {
        let to = match op {
            Op::Signal { to: Some(claim), .. } => match self.claim_of(claim) {
                None => return,
                found => found.map(|run| run.claim.run),
            },
            _ => None,
        };
        let answer = self.ask(async |side| match op {
            Op::SetField { key, value } => {
                let entry = side.id(&name_of(key)).await;
                let (field, who, why) = ("urgent".into(), "ines".into(), "so".into());
                let new = NewFieldValue { field, value: value.map(Value::Bool), who, why };
                side.store.set_field(entry, new).await
            }
            Op::Retry { key } => side.store.retry(side.id(&name_of(key)).await, "ines", "again").await,
            Op::LetIn { key } => side.store.let_in(side.id(&name_of(key)).await, "ines", "so").await,
            Op::Stop { now } => {
                let mode = if now { StopMode::Now } else { StopMode::Drain };
                side.store.stop(StopRequest { mode, who: "ines".into(), why: "tea".into() }).await
            }
            Op::Signal { name, .. } => {
                let (name, who) = (EVENTS[name].to_owned(), "ci".to_owned());
                let signal = NewSignal { name, run: to, who, data: json!({ "green": true }) };
                side.store.signal(signal).await.map(drop)
            }
            _ => side.store.resume().await,
        });
        drop(answer.await);
    }

    fn move_clock(&self, seconds: i64) {
        match u64::try_from(seconds) {
            Ok(seconds) => self.clock.advance(Duration::from_secs(seconds)),
            Err(_) => {
                let back = self.clock.now().as_millis() + seconds * 1_000;
                self.clock.set_wall(Timestamp::from_millis(back));
            }
        }
    }

    fn in_seconds(&self, seconds: u64) -> Timestamp {
        self.clock.now().after(Duration::from_secs(seconds))
    }

    /// The newest claim is 0.
    fn claim_of(&self, claim: usize) -> Option<ClaimedRun> {
        self.claims.iter().rev().nth(claim).cloned()
    }

    fn next(&mut self) -> u32 {
        self.given += 1;
        self.given
    }

    fn run(&mut self) -> RunId {
        format!("{:026}", self.next()).parse().unwrap()
    }

    fn adoption(&mut self) -> AdoptionId {
        format!("{:026}", self.next()).parse().unwrap()
    }
}

fn host() -> HostId {
    HostId("here-1".into())
}

/// What records say of the store that they come from.
fn store() -> StoreId {
    format!("{:026}", 0).parse().unwrap()
}

fn begun() -> Begun {
    Begun { now: start(), delivered: vec![] }
}

fn name_of(key: usize) -> EntryName {
    match key.checked_sub(KEYS.len()) {
        None => name(KEYS[key]),
        Some(opened) => EntryName { tracker: INTERNAL_TRACKER.into(), key: OPENED[opened].into() },
    }
}

fn sorted(claims: Result<Vec<Claim>, StoreError>) -> Result<Vec<Claim>, StoreError> {
    let mut claims = claims?;
    claims.sort_by_key(|claim| claim.run);
    Ok(claims)
}

/// Some of three effects of a run, by the bits of `which`.
fn effects(run: &ClaimedRun, which: usize) -> Vec<ReleasedEffect> {
    let state = ReleasedEffect { leaves: Some(policy::left(&run.snapshot)), ..effect("draft", "state") };
    let mut opening = effect("draft", "open");
    opening.effect.kind = "open-entry".into();
    let file = publish("draft", "file", "specs/it.md", &run.claim.run.to_string());
    let all = [state, opening, file].into_iter().enumerate();
    all.filter(|(bit, _)| which & (1 << bit) != 0).map(|(_, effect)| effect).collect()
}

async fn run_trace(database: &str, ops: Vec<Op>) {
    let mut trace = Trace::new(database).await;
    for (number, op) in (1..).zip(op::prelude().into_iter().chain(ops)) {
        trace.perform(op).await;
        if number % COMPARED_EVERY == 0 {
            trace.compare_states().await;
        }
    }
    trace.compare_states().await;
}

fn traces() -> u32 {
    #[expect(clippy::disallowed_methods, reason = "who runs the test says how long it may take")]
    let wanted = std::env::var("TOLLGATE_TRACES");
    wanted.ok().and_then(|number| number.parse().ok()).unwrap_or(24)
}

#[test]
fn stores_do_not_differ() {
    let database = postgres::database();
    let config = ProptestConfig {
        cases: traces(),
        max_shrink_time: 120_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let ops = proptest::collection::vec(op::op(), 20..90);
    proptest!(config, |(ops in ops)| block_on(run_trace(&database, ops)));
}

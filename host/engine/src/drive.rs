//! Drives one claimed run to its end, to a wait, or back to where it came from.
//!
//! Properties wanted:
//!
//! 1. What a run does next is computed from its committed steps ([`Course`]), so any host can go on where another stopped.
//! 2. Nothing is seen outside the process before it is durable: effects, notices and verdicts leave with or after the
//!    transaction that holds their step.
//! 3. A stale driver harms nothing: each write names its fence, each host call asks the lease.
//! 4. An interruption costs no attempt: an interrupted call leaves no step.
//!
//! 5. What a capability answered is kept before the guest sees it, and fed to the same attempt when it is called again.
//! 6. To run out of fuel, time or money is a pause: a person is asked, and the same attempt goes on with more.
//!
//! A step whose component answered from durable inputs alone is *recomputable*: it may wait in memory for the next durable point
//! and share its commit, because a host that takes the run over computes the same again. So cheap steps cost two commits a
//! run: the claim and the end.

mod account;
mod attempt;
mod component;
mod condition;
mod input;
mod pause;
mod refine;

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::sync::oneshot;
use tollgate_core::{
    Clock, Digest, HostId, Microcents, Timestamp,
    approval::{Ask, Decision},
    cancel::Cancellation,
    course::{self, Course, End, Next, Stopped},
    crash,
    effect::{Effect, KnownEffect, SetState},
    event::{Event, EventKind, NewEvent},
    journal::Attempt,
    pins::Pins,
    run::RunSummary,
    step::{Step, StepKey, StepOutcome},
    wait::WaitEnd,
};
use tollgate_policy::{FolderSource, Policy};
use tollgate_sandbox::{Call, CallJournal, CallReport, Interrupted, port::Model};
use tollgate_store::{
    Store, StoreError,
    port::{ClaimedRun, EscrowAnswer, NextState, PausedCall, ReleasedEffect, RunWrite, Wake},
};

use crate::{
    adapter::artifacts,
    applied::Present,
    error::Result,
    lease_table::HeldLease,
    observer::{Notice, Observer},
    port::ArtifactStore,
    shutdown::{Phase, Shutdown},
    store_time::StoreTime,
};

pub(crate) use component::Components;

/// A run that took more hosts down than this is given to a person.
const LOST_HOSTS_TOLERATED: usize = 2;

/// What every drive of a host shares.
pub(crate) struct Driver {
    pub(crate) host: HostId,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) components: Components,
    pub(crate) artifacts: Arc<dyn ArtifactStore>,
    pub(crate) models: Arc<dyn Model>,
    pub(crate) time: Arc<StoreTime>,
    pub(crate) shutdown: Shutdown,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) pins: crate::pins::PinCache,
    pub(crate) present: Arc<Present>,
}

/// How a drive ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Driven {
    /// The run is over.
    Finished {
        /// How it ended.
        end: End,
        /// What it cost.
        cost: Microcents,
    },
    /// The run waits and holds nothing.
    Waiting,
    /// The run waits for a person's answer, and holds nothing.
    Asking,
    /// The run was given back, or another host has it by now.
    LetGo,
}

impl Driver {
    /// Drives a run. `closing` is told when nothing is left to do but the last write.
    ///
    /// # Errors
    ///
    /// When the store fails: the lease lapses, and some host drives the run again.
    pub(crate) async fn drive(
        &self,
        claimed: ClaimedRun,
        lease: HeldLease,
        closing: oneshot::Sender<()>,
    ) -> Result<Driven> {
        let pins = self.pins.get(&*self.store, claimed.run.pins).await?;
        let journey = Journey::begin(self, &pins, claimed, Arc::new(lease), closing).await?;
        let (run, key) = (journey.run.id, journey.run.entry.key.clone());
        match journey.go().await {
            Err(crate::EngineError::Store(stale @ StoreError::StaleFence { .. })) => {
                self.observer.notice(&Notice::LetGo { run, key, reason: stale.to_string() });
                Ok(Driven::LetGo)
            }
            other => other,
        }
    }
}

/// One drive of one run.
struct Journey<'d> {
    driver: &'d Driver,
    /// What was applied when the drive began.
    policy: Arc<Policy>,
    pins: &'d Pins,
    lease: Arc<HeldLease>,
    run: RunSummary,
    entry: input::Entry,
    order: tollgate_core::record::OrderFacts,
    course: Course<'d>,
    steps: Vec<Step>,
    effects: Vec<account::ReleasedEffectFacts>,
    unwritten: Unwritten,
    escrow: Microcents,
    durable_at: Timestamp,
    /// The attempt that an earlier drive of the run began.
    begun: Option<(StepKey, Attempt)>,
    closing: Option<oneshot::Sender<()>>,
}

/// When a call began. How long it took is measured, whatever becomes of the clock meanwhile.
#[derive(Clone, Copy)]
struct Started {
    at: Timestamp,
    monotonic: Duration,
}

impl Started {
    fn now(time: &StoreTime) -> Self {
        Self { at: time.now(), monotonic: time.monotonic() }
    }

    fn after(self, monotonic: Duration) -> Timestamp {
        self.at.after(monotonic.saturating_sub(self.monotonic))
    }
}

/// What happened since the last durable point.
#[derive(Default)]
struct Unwritten {
    steps: Vec<Step>,
    released: Vec<ReleasedEffect>,
    events: Vec<NewEvent>,
    /// What of the steps' cost was settled before they ended.
    settled: Microcents,
}

/// How a call ended, for the run.
enum Called {
    /// It is a step.
    Ended,
    /// The platform stopped it.
    Interrupted(Interrupted),
    /// A cap, or a run that pays, has no room for what a capability may cost, or a capability has to be asked later.
    Waiting { wake: Wake, reason: String },
    /// It used up what it may use, and a person is asked; its compute is charged where it ended by itself.
    Paused { ask: Box<Ask>, call: Option<Box<PausedCall>> },
}

/// What a run did before this drive of it; nothing for one that was just born.
#[derive(Default)]
struct Past {
    steps: Vec<Step>,
    effects: Vec<account::ReleasedEffectFacts>,
    decisions: Vec<Decision>,
    waits: Vec<WaitEnd>,
    cancelled: Option<Cancellation>,
}

impl Past {
    async fn of(driver: &Driver, claimed: &ClaimedRun) -> Result<Self> {
        let detail = driver.store.run(claimed.run.id).await?;
        Ok(Self {
            steps: detail.steps,
            effects: detail.effects,
            decisions: detail.decisions,
            cancelled: cancellation(&detail.events)?,
            waits: detail.waits,
        })
    }
}

/// Who ended the run, by its events.
fn cancellation(events: &[Event]) -> Result<Option<Cancellation>> {
    let Some(event) = events.iter().find(|event| event.what.kind == EventKind::Cancelled) else {
        return Ok(None);
    };
    let read = serde_json::from_value(event.what.body.clone());
    read.map(Some).map_err(|error| crate::EngineError::Bug(format!("a cancellation cannot be read: {error}")))
}

impl Unwritten {
    /// What is still to be settled.
    fn cost(&self) -> Microcents {
        let cost: Microcents = self.steps.iter().map(|step| step.usage.cost).sum();
        cost.saturating_sub(self.settled)
    }

    fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.events.is_empty()
    }
}

impl<'d> Journey<'d> {
    async fn begin(
        driver: &'d Driver,
        pins: &'d Pins,
        claimed: ClaimedRun,
        lease: Arc<HeldLease>,
        closing: oneshot::Sender<()>,
    ) -> Result<Self> {
        let past = if claimed.begun { Past::of(driver, &claimed).await? } else { Past::default() };
        let delivered =
            past.effects.iter().filter_map(|(effect, _, became)| Some((effect.clone(), became.clone()?)));
        let behind = course::Past {
            steps: &past.steps,
            delivered: delivered.collect(),
            decisions: past.decisions,
            waits: past.waits,
            cancelled: past.cancelled,
        };
        let mut course = Course::replay(pins, behind);
        course.set_children_cost(claimed.children_cost);
        let begun = match claimed.begun {
            true => attempt::begun(driver, claimed.run.id, &past.steps, &mut course).await?,
            false => None,
        };
        Ok(Self {
            course,
            begun,
            policy: driver.present.policy(),
            driver,
            pins,
            lease,
            entry: input::Entry {
                id: claimed.run.entry_id,
                snapshot: claimed.snapshot,
                revision: claimed.run.revision,
            },
            run: claimed.run,
            order: claimed.order,
            steps: past.steps,
            effects: past.effects,
            unwritten: Unwritten::default(),
            escrow: claimed.escrow,
            durable_at: claimed.claimed_at,
            closing: Some(closing),
        })
    }

    async fn go(mut self) -> Result<Driven> {
        self.stop_if_poisonous();
        loop {
            if self.pass_over().await? {
                continue;
            }
            if let Some(ask) = self.approval() {
                return self.pause(ask, None).await;
            }
            match self.course.next() {
                Next::End(end) => return self.finish(end).await,
                Next::AwaitEffects(effects) => {
                    let reason = match effects.len() {
                        1 => format!("waits until `{}` is delivered", effects[0].id),
                        n => format!("waits until {n} effects are delivered"),
                    };
                    return self.wait(Wake::Delivered(effects), reason).await;
                }
                Next::Call { step, not_before } => {
                    if let Some(at) = not_before.filter(|at| *at > self.driver.time.now()) {
                        return self.wait(Wake::At(at), format!("tries {step} again at {at}")).await;
                    }
                    if self.driver.shutdown.phase() >= Phase::Stopping {
                        return self.let_go("the host stops").await;
                    }
                    // Whoever claims it next knows who did and why, and ends it.
                    if self.lease.is_cancelled() {
                        return self.let_go("it was cancelled").await;
                    }
                    match self.set_money_aside(&step).await? {
                        EscrowAnswer::Reserved => {}
                        EscrowAnswer::CapReached { cap, until } => {
                            return self.wait(Wake::At(until), format!("the cap of {cap} is reached")).await;
                        }
                        EscrowAnswer::BudgetReached(short) => return self.wait_for_money(step, short).await,
                    }
                    match self.call(step).await? {
                        Called::Ended => {}
                        Called::Interrupted(interrupted) => {
                            return self.let_go(&interrupted.to_string()).await;
                        }
                        Called::Waiting { wake, reason } => return self.wait(wake, reason).await,
                        Called::Paused { ask, call } => {
                            return self.pause(*ask, call.map(|call| *call)).await;
                        }
                    }
                }
                Next::Wait { step, wait } => return self.wait_as_asked(&step, &wait).await,
                Next::Ask { step, lack, reason, missing } => {
                    return self
                        .pause(Ask { step, lack, role: None, reason, suggested: missing }, None)
                        .await;
                }
            }
        }
    }

    /// An entry that takes its host down again and again is kept from doing so for ever.
    fn stop_if_poisonous(&mut self) {
        let hosts: Vec<&str> = self.run.lost_hosts.iter().map(|host| host.0.as_str()).collect();
        if hosts.len() > LOST_HOSTS_TOLERATED {
            let (count, hosts) = (hosts.len(), hosts.join(", "));
            let reason = format!("{count} hosts vanished while they drove this run: {hosts}");
            self.course.end_with(End::Escalated {
                to: self.pins.pipeline.owner.clone(),
                stopped: Stopped {
                    at: None,
                    reason,
                    recovery:
                        "find out why these hosts ended (their logs, their memory): the run was driven alone \
                               after the first of them; then retry the entry, or change it"
                            .into(),
                },
            });
        }
    }

    /// Makes sure that the escrow holds the next call at its largest.
    async fn set_money_aside(&mut self, step: &StepKey) -> Result<EscrowAnswer> {
        let largest = self.pins.prices.of_fuel(self.course.component(&step.name).budget.fuel);
        let needed = (self.unwritten.cost() + largest).saturating_sub(self.escrow);
        if needed == Microcents::ZERO {
            return Ok(EscrowAnswer::Reserved);
        }
        let answer = self.driver.store.reserve(self.lease.claim(), needed).await?;
        if answer == EscrowAnswer::Reserved {
            self.escrow = self.escrow + needed;
        }
        Ok(answer)
    }

    /// Calls a component and takes what it did into account.
    async fn call(&mut self, key: StepKey) -> Result<Called> {
        let (run, entry) = (self.run.id, self.run.entry.key.clone());
        crash::point("drive.call");
        self.driver.observer.notice(&Notice::StepStarted { run, key: entry, step: key.clone() });
        let component = self.course.component(&key.name);
        let pinned = self.pins.plugins.get(component.plugin);
        let plugin = pinned.map_or_else(|| Digest::of(""), |plugin| plugin.digest);
        let started = Started::now(&self.driver.time);
        let ready = match self.driver.components.ready(pinned, &component).await {
            Ok(ready) => ready,
            Err(failure) => {
                let input = Digest::of("");
                let charged = self.attempt(&key).charged;
                let step = self.step(key, plugin, input, started, failed_to_load(failure));
                self.take_charged(step, charged, false).await?;
                return Ok(Called::Ended);
            }
        };
        // What is asked of a capability is durable at once, so what led to it is first.
        if ready.guest.needs_journal() && !self.unwritten.is_empty() {
            self.write(NextState::GoOn).await?;
        }
        let attempt = self.attempt(&key);
        let input = Arc::new(self.input(&key, &component, &ready.manifest, &attempt.begun));
        let journal = self.journal(&key, plugin, &component, &attempt);
        let call = Call {
            input: Arc::clone(&input),
            budget: component.budget,
            liveness: Arc::new(MayAct {
                lease: Arc::clone(&self.lease),
                shutdown: self.driver.shutdown.clone(),
            }),
            artifacts: Arc::clone(&self.driver.artifacts) as _,
            models: self.models(&component),
            journal: CallJournal { recorded: attempt.journal, port: Arc::clone(&journal) as _ },
            earlier_fuel_limits: self.course.earlier_fuel_limits(&key),
        };
        let ended = ready.guest.call(call).await;
        crash::point("drive.returned");
        let money = journal.money();
        self.escrow = money.escrow;
        match ended {
            Err(Interrupted::NotJournalled | Interrupted::AskLater) => self.halted(key, &journal),
            Err(interrupted) => Ok(Called::Interrupted(interrupted)),
            Ok(report) => match pause::lack(&report) {
                Some(lack) => {
                    let ask = self.ask(&key, lack, plugin, &component).await?;
                    let cost = self.pins.prices.of_fuel(report.usage.fuel);
                    let call = Box::new(PausedCall { step: key, plugin, begun: attempt.begun, cost });
                    Ok(Called::Paused { ask: Box::new(ask), call: Some(call) })
                }
                None => {
                    let recomputable = report.recomputable;
                    let step = self.step(key, plugin, input.digest(), started, report);
                    self.take_charged(step, money.charged, recomputable).await?;
                    Ok(Called::Ended)
                }
            },
        }
    }

    /// The step that a call made, at the price of its compute.
    fn step(
        &self,
        key: StepKey,
        plugin: Digest,
        input: Digest,
        started: Started,
        report: CallReport,
    ) -> Step {
        let mut usage = report.usage;
        usage.cost = self.pins.prices.of_fuel(usage.fuel);
        Step {
            key,
            plugin,
            input,
            started_at: started.at,
            ended_at: started.after(self.driver.time.monotonic()),
            usage,
            outcome: report.outcome,
            log: report.log,
        }
    }

    /// Takes a step of whose cost `charged` was settled before it ended.
    async fn take_charged(&mut self, mut step: Step, charged: Microcents, recomputable: bool) -> Result<()> {
        step.usage.cost = step.usage.cost + charged;
        self.unwritten.settled = self.unwritten.settled + charged;
        self.take(step, recomputable).await
    }

    async fn take(&mut self, step: Step, recomputable: bool) -> Result<()> {
        let consequences = self.course.apply(&step);
        self.unwritten.events.push(account::step_ended(&step));
        if let Some(rework) = consequences.rework {
            self.unwritten.events.push(NewEvent {
                kind: EventKind::Rework,
                body: json!({ "gate": rework.gate, "to": rework.to, "round": rework.round }),
            });
        }
        for (reference, effect) in consequences.release {
            self.effects.push((reference.clone(), effect.clone(), None));
            let leaves = self.basis_after(&effect);
            self.unwritten.released.push(ReleasedEffect { reference, effect, leaves });
        }
        self.steps.push(step.clone());
        self.unwritten.steps.push(step);
        if !recomputable && matches!(self.course.next(), Next::Call { .. }) {
            self.write(NextState::GoOn).await?;
        }
        Ok(())
    }

    /// The digest of what the entry says once an effect of ours is delivered, where that is a change of its state, without what
    /// refining adds.
    fn basis_after(&self, effect: &Effect) -> Option<Digest> {
        let Ok(KnownEffect::SetState(SetState { state })) = KnownEffect::parse(effect) else { return None };
        let backlog = self.policy.backlog(&self.order.backlog)?;
        Some(backlog.basis(&backlog.moved(&self.entry.snapshot, &state)?))
    }

    /// Where the entry came from, as the present policy has it.
    fn source(&self) -> Option<&FolderSource> {
        self.policy.backlog(&self.order.backlog)?.source(&self.run.entry.tracker)
    }

    /// Makes what happened durable, and then says so.
    async fn write(&mut self, next: NextState) -> Result<()> {
        self.write_with(None, next).await
    }

    /// The same, with a call that paused.
    async fn write_with(&mut self, paused: Option<PausedCall>, next: NextState) -> Result<()> {
        let cost = self.unwritten.cost();
        let Unwritten { steps, released, events, .. } = std::mem::take(&mut self.unwritten);
        if !steps.is_empty() {
            artifacts::sync(&*self.driver.artifacts, &steps).await?;
        }
        if !matches!(next, NextState::GoOn) {
            self.close();
        }
        let write =
            RunWrite { claim: self.lease.claim(), paused, steps: steps.clone(), released, events, next };
        self.driver.store.write(write).await?;
        self.escrow = self.escrow.saturating_sub(cost);
        self.durable_at = self.driver.time.now();
        if !steps.is_empty() {
            let (run, key) = (self.run.id, self.run.entry.key.clone());
            self.driver.observer.notice(&Notice::StepsEnded { run, key, steps });
        }
        Ok(())
    }

    /// Says that the write which follows is the last.
    fn close(&mut self) {
        // Nobody listens any more when the worker goes away; then nobody waits for it either.
        self.closing.take().map(|closing| closing.send(()).ok());
    }

    async fn wait(mut self, wake: Wake, reason: String) -> Result<Driven> {
        self.write(NextState::Wait { wakes: vec![wake], reason: reason.clone() }).await?;
        let (run, key) = (self.run.id, self.run.entry.key.clone());
        self.driver.observer.notice(&Notice::Waiting { run, key, reason, ask: None });
        Ok(Driven::Waiting)
    }

    async fn let_go(mut self, reason: &str) -> Result<Driven> {
        if !self.unwritten.is_empty() {
            self.write(NextState::GoOn).await?;
        }
        self.driver.store.release(self.lease.claim(), reason).await?;
        let (run, key) = (self.run.id, self.run.entry.key.clone());
        self.driver.observer.notice(&Notice::LetGo { run, key, reason: reason.to_owned() });
        Ok(Driven::LetGo)
    }

    async fn finish(mut self, end: End) -> Result<Driven> {
        let record = Box::new(self.account(&end));
        let last = self.steps.last().map(|step| step.key.name.clone());
        let refinement = self.refinement(&end).map(Box::new);
        // A refine run left the item where it was.
        let leaves_entry = refinement.is_none() && self.source().is_some_and(FolderSource::places_items);
        let is_refined = refinement.is_some() && end == End::Done;
        self.write(NextState::Finish { end: end.clone(), record, leaves_entry, refinement }).await?;
        let cost = self.course.spent();
        let key = self.run.entry.key.clone();
        if is_refined {
            self.driver.observer.notice(&Notice::Refined { run: self.run.id, key, cost });
            return Ok(Driven::Finished { end, cost });
        }
        self.driver.observer.notice(&Notice::Finished {
            run: self.run.id,
            key,
            end: end.clone(),
            last,
            cost,
        });
        Ok(Driven::Finished { end, cost })
    }
}

/// Whether a guest may go on: asked at every host call and epoch tick.
struct MayAct {
    lease: Arc<HeldLease>,
    shutdown: Shutdown,
}

impl tollgate_sandbox::port::Liveness for MayAct {
    fn check(&self) -> std::result::Result<(), Interrupted> {
        if self.shutdown.phase() >= Phase::Stopping {
            return Err(Interrupted::ShuttingDown);
        }
        if self.lease.is_cancelled() {
            return Err(Interrupted::Cancelled);
        }
        if self.lease.holds() { Ok(()) } else { Err(Interrupted::LeaseLost) }
    }
}

/// The report of a call that never began.
fn failed_to_load(failure: tollgate_core::step::StepFailure) -> CallReport {
    CallReport {
        outcome: StepOutcome::Failed(failure),
        usage: tollgate_core::step::Usage::default(),
        log: Vec::new(),
        recomputable: false,
        fuel_exact: true,
    }
}

//! One call: what goes in, what comes out, and how the way between is kept within its bounds.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use serde::Serialize;
use serde_json::Value;
use tollgate_core::{
    Digest, EntryId, RunId, Timestamp,
    course::{EffectRef, Rework},
    effect::Delivered,
    entry::EntrySnapshot,
    journal::{Answer, Intent, JournalEntry},
    model::PinnedModel,
    pipeline::StepBudget,
    step::{Fault, LogLine, Produced, StepFailure, StepKey, StepOutcome, Usage},
    wait::Woken,
};
use wasmtime::{Engine, Store};

use crate::{
    Interrupted, Kind, Prepared,
    bindings::v0_1::{gate_api, stage_api, types::Failure},
    budget::{Burnt, Ended},
    cache::{GateResult, StageResult},
    capability::{artifacts::Shelf, log},
    host::{Host, Stop},
    outcome, port,
    ticker::TICK,
};

/// How long a call may wait for the host before it is asked whether it may go on. A guest that computes is asked at every
/// tick; this is for a port that does not answer.
const WATCH: Duration = Duration::from_millis(100);

/// Everything that a call needs.
#[derive(Clone)]
pub struct Call {
    /// What the component is handed.
    pub input: Arc<CallInput>,
    /// What it may use.
    pub budget: StepBudget,
    /// Whether it may still act.
    pub liveness: Arc<dyn port::Liveness>,
    /// Where the artifacts are that it may read, and where those go that it hands on.
    pub artifacts: Arc<dyn port::Artifacts>,
    /// What it asks of its capabilities, and was told.
    pub journal: CallJournal,
    /// The models that it may ask.
    pub models: CallModels,
    /// The fuel limits that the same attempt was called with before, rising. It is shown its fuel as it was then until it has
    /// burnt as much, so that more fuel does not lead it another way.
    pub earlier_fuel_limits: Vec<u64>,
}

/// The journal of an attempt.
#[derive(Clone)]
pub struct CallJournal {
    /// What the attempt asked and was told before, oldest first. It is told the same again, and goes on live where this ends.
    pub recorded: Vec<JournalEntry>,
    /// Where the rest is kept.
    pub port: Arc<dyn port::Journal>,
}

/// The models that a call may ask, and their prices.
#[derive(Clone)]
pub struct CallModels {
    /// By the project's names, in the order in which they were granted; the first is meant where a guest names none.
    pub granted: Vec<(String, PinnedModel)>,
    /// Where they are asked.
    pub port: Arc<dyn port::Model>,
}

/// Everything that a component is handed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallInput {
    /// The run.
    pub run: RunId,
    /// Which call of it.
    pub step: StepKey,
    /// Which attempt that is; calls that waited are none.
    pub attempt: u32,
    /// What ended the wait that this call follows.
    pub woken: Option<Woken>,
    /// The entry's number.
    pub entry_id: EntryId,
    /// What the entry says, blank where the plugin does not read.
    pub entry: EntrySnapshot,
    /// The digest of all that the entry says.
    pub revision: Digest,
    /// The `with` table.
    pub settings: Value,
    /// The newest output of every stage that ran, by the stage's name.
    pub prior: BTreeMap<String, Produced>,
    /// For a gate: what it judges.
    pub subject: Option<Produced>,
    /// Why work was sent back, oldest first.
    pub reworks: Vec<Rework>,
    /// What became of effects, in the order in which they were asked for.
    pub delivered: Vec<DeliveredEffect>,
    /// The time of the run's last durable point.
    pub now: Timestamp,
}

/// An effect of an earlier call, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeliveredEffect {
    /// Which.
    pub effect: EffectRef,
    /// What kind of change it asked for.
    pub kind: String,
    /// What became of it.
    pub became: Delivered,
}

/// How a call ended and what it used.
#[derive(Debug, Clone, PartialEq)]
pub struct CallReport {
    /// How it ended.
    pub outcome: StepOutcome,
    /// What it used. The cost is left at zero: money is the caller's matter.
    pub usage: Usage,
    /// What it logged, oldest first.
    pub log: Vec<LogLine>,
    /// The guest returned of its own accord and asked nothing but its input, so the same input gives the same outcome again.
    pub recomputable: bool,
    /// Whether the fuel is what was burnt. Where it is not, it is more: after a trap the counter is up to a slice behind,
    /// and that slice is charged.
    pub fuel_exact: bool,
}

impl CallJournal {
    /// The journal of a call that may ask nothing: one of a component without capabilities.
    pub fn none() -> Self {
        Self { recorded: Vec::new(), port: Arc::new(NoJournal) }
    }
}

/// Takes no entry.
struct NoJournal;

#[async_trait]
impl port::Journal for NoJournal {
    async fn intend(&self, _: u32, _: &Intent) -> Result<(), Interrupted> {
        Err(Interrupted::NotJournalled)
    }

    async fn answer(&self, _: u32, _: &Answer) -> Result<(), Interrupted> {
        Err(Interrupted::NotJournalled)
    }

    async fn withdraw(&self, _: u32, _: &port::Later) -> Result<(), Interrupted> {
        Err(Interrupted::NotJournalled)
    }
}

impl CallModels {
    /// No model.
    pub fn none() -> Self {
        Self { granted: Vec::new(), port: Arc::new(NoModel) }
    }
}

/// Has no model.
struct NoModel;

#[async_trait]
impl port::Model for NoModel {
    async fn complete(&self, request: &port::ModelRequest) -> Result<port::Completion, port::Later> {
        let reason = format!("there is no model `{}`", request.name);
        Ok(port::Completion::Misconfigured { reason })
    }
}

impl CallInput {
    /// The digest of all of it, as the component is handed it.
    pub fn digest(&self) -> Digest {
        Digest::of_json_as_written(self)
    }

    fn kind(&self) -> Kind {
        if self.step.name.gate.is_some() { Kind::Gate } else { Kind::Stage }
    }
}

/// What the guest's function returned.
pub(crate) enum Returned {
    Stage(Result<stage_api::Outcome, Failure>),
    Gate(Result<gate_api::Outcome, Failure>),
}

/// Where a call was when it failed.
#[derive(Debug)]
pub(crate) enum Broken {
    /// Before the guest's function began.
    Instantiating(wasmtime::Error),
    /// In the guest's function, or when its result was read.
    Calling(wasmtime::Error),
}

/// Runs a call to its end.
///
/// # Errors
///
/// When the call was interrupted.
pub(crate) async fn run(
    engine: &Engine,
    prepared: &Prepared,
    call: Call,
    memory_limit_bytes: u64,
) -> Result<CallReport, Interrupted> {
    call.liveness.check()?;
    let kind = call.input.kind();
    if !prepared.serves(kind) {
        return Ok(CallReport::unused(outcome::wrong_kind(kind)));
    }
    let mut store = match Host::store(engine, &call, memory_limit_bytes) {
        Ok(store) => store,
        Err(error) => return Ok(CallReport::unused(outcome::platform(format!("{error:#}")))),
    };
    // A guest that computes is stopped by the ticker, which knows better what it burnt.
    let deadline = Instant::now().checked_add(call.budget.time.saturating_add(2 * TICK));
    let returned = watched(guest(prepared, kind, &mut store), &*call.liveness, deadline).await;
    let returned = returned.unwrap_or_else(|stop| Err(Broken::Calling(store.data_mut().stop(stop).into())));
    conclude(prepared, &call, memory_limit_bytes, store, returned).await
}

/// Instantiates the component and calls its function.
async fn guest(prepared: &Prepared, kind: Kind, store: &mut Store<Host>) -> Result<Returned, Broken> {
    let loaded = prepared.loaded();
    let instance = loaded.pre.instantiate_async(&mut *store).await.map_err(Broken::Instantiating)?;
    match kind {
        Kind::Stage => {
            let index = loaded.run.as_ref().expect("a stage has the function of a stage");
            let run = instance.get_typed_func::<(), StageResult>(&mut *store, index);
            let (result,) =
                run.map_err(Broken::Instantiating)?.call_async(store, ()).await.map_err(Broken::Calling)?;
            Ok(Returned::Stage(result))
        }
        Kind::Gate => {
            let index = loaded.check.as_ref().expect("a gate has the function of a gate");
            let check = instance.get_typed_func::<(), GateResult>(&mut *store, index);
            let (result,) =
                check.map_err(Broken::Instantiating)?.call_async(store, ()).await.map_err(Broken::Calling)?;
            Ok(Returned::Gate(result))
        }
    }
}

/// Judges what came back, keeps what it hands on, and adds up.
async fn conclude(
    prepared: &Prepared,
    call: &Call,
    memory_limit_bytes: u64,
    store: Store<Host>,
    returned: Result<Returned, Broken>,
) -> Result<CallReport, Interrupted> {
    if let Some(Stop::Interrupted(interrupted)) = store.data().stopped {
        return Err(interrupted);
    }
    store.data().wasi.flush();
    let has_returned = returned.is_ok();
    let left = store.get_fuel().unwrap_or(0);
    let owed = store.data().wasi.owed_fuel();
    let overdrawn = owed > left;
    let mut limits = call.budget;
    limits.memory_bytes = memory_limit_bytes;

    let judged = match returned {
        Ok(_) if overdrawn => Err(outcome::out_of_fuel(&limits)),
        Ok(_) if store.data().journal.has_more() => Err(outcome::returned_too_early(&store.data().journal)),
        Ok(returned) => outcome::judge(returned, store.data(), prepared.grants()),
        Err(broken) => Err(outcome::broken(broken, store.data(), &limits)),
    };
    let ended = match &judged {
        Err(failure) if failure.fault == Fault::OutOfFuel => Ended::OutOfFuel,
        _ if has_returned => Ended::Returned,
        _ => Ended::Stopped,
    };
    let burnt = Burnt::new(limits.fuel, left, owed, ended);
    // The instance goes back to its pool before anything is waited for.
    let host = store.into_data();
    let usage = Usage {
        fuel: burnt.fuel,
        memory_bytes: host.limiter.peak_bytes(),
        host_calls: host.host_calls(),
        input_tokens: host.models.used().input,
        output_tokens: host.models.used().output,
        ..Usage::default()
    };
    let log = log::lock(&host.log).take();
    let outcome = match judged {
        Ok(handed_on) => keep(handed_on, &host.shelf, &*call.liveness).await?,
        Err(failure) => StepOutcome::Failed(failure),
    };
    let recomputable = has_returned && !prepared.needs_journal();
    Ok(CallReport { outcome, usage, log, recomputable, fuel_exact: burnt.exact })
}

/// Keeps the artifacts that a result hands on; without them there is no result.
async fn keep(
    handed_on: outcome::HandedOn,
    shelf: &Shelf,
    liveness: &dyn port::Liveness,
) -> Result<StepOutcome, Interrupted> {
    if handed_on.artifacts.is_empty() {
        return Ok(handed_on.outcome);
    }
    match watched(shelf.keep(&handed_on.artifacts), liveness, None).await {
        Ok(Ok(())) => Ok(handed_on.outcome),
        Ok(Err(error)) => {
            Ok(StepOutcome::Failed(outcome::platform(format!("an artifact cannot be kept: {error}"))))
        }
        Err(Stop::Interrupted(interrupted)) => Err(interrupted),
        Err(stop) => Ok(StepOutcome::Failed(outcome::platform(stop.to_string()))),
    }
}

/// Awaits something that may never come, as long as the call may go on. What is given up is dropped where it stands.
async fn watched<F: Future>(
    future: F,
    liveness: &dyn port::Liveness,
    deadline: Option<Instant>,
) -> Result<F::Output, Stop> {
    let mut future = pin!(future);
    loop {
        let left = deadline.map_or(WATCH, |deadline| deadline.saturating_duration_since(Instant::now()));
        if let Ok(output) = tokio::time::timeout(left.min(WATCH), future.as_mut()).await {
            return Ok(output);
        }
        liveness.check()?;
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Stop::Deadline);
        }
    }
}

impl CallReport {
    /// The report of a call that did not begin.
    fn unused(failure: StepFailure) -> Self {
        Self {
            outcome: StepOutcome::Failed(failure),
            usage: Usage::default(),
            log: Vec::new(),
            recomputable: false,
            fuel_exact: true,
        }
    }
}

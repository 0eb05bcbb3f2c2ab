//! A sandbox, and everything that a call needs besides what a test is about.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::{Value, json};
use tollgate_core::{
    Digest, EntryId, RunId, Timestamp,
    entry::{EntryName, EntrySnapshot},
    pipeline::{StepBudget, StepName},
    step::{Produced, StepFailure, StepKey, StepOutcome},
};
use tollgate_sandbox::{
    Call, CallInput, CallJournal, CallModels, CallReport, Grants, Interrupted, LoadError, Prepared, Sandbox,
    SandboxOptions,
    port::{Artifacts, ArtifactsError, Liveness},
};

/// Enough for any guest that behaves.
pub(crate) const BUDGET: StepBudget =
    StepBudget { fuel: 1_000_000_000, time: Duration::from_secs(60), memory_bytes: 64 << 20, tokens: None };

/// The sandbox that tests share, so that each guest is compiled once.
pub(crate) static SANDBOX: LazyLock<Sandbox> =
    LazyLock::new(|| Sandbox::new(SandboxOptions::default()).expect("a sandbox on this machine"));

/// A component with its digest.
#[derive(Clone)]
pub(crate) struct Component {
    pub(crate) digest: Digest,
    pub(crate) bytes: Arc<[u8]>,
}

impl Component {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self { digest: Digest::of(&bytes), bytes: bytes.into() }
    }

    pub(crate) async fn prepare(&self, sandbox: &Sandbox, grants: &[&str]) -> Result<Prepared, LoadError> {
        self.prepare_without(sandbox, grants, &[]).await
    }

    /// Prepared as one that can do without some of what it imports.
    pub(crate) async fn prepare_without(
        &self,
        sandbox: &Sandbox,
        given: &[&str],
        optional: &[&str],
    ) -> Result<Prepared, LoadError> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let grants = Grants { given: owned(given), optional: owned(optional) };
        sandbox.prepare(self.digest, Arc::clone(&self.bytes), grants).await
    }
}

/// One call, with everything that it needs.
pub(crate) struct Try {
    pub(crate) component: Component,
    pub(crate) grants: Vec<&'static str>,
    /// What it can do without.
    pub(crate) optional: Vec<&'static str>,
    pub(crate) input: CallInput,
    pub(crate) budget: StepBudget,
    pub(crate) earlier_fuel_limits: Vec<u64>,
    pub(crate) models: CallModels,
    pub(crate) liveness: Arc<dyn Liveness>,
    pub(crate) artifacts: Arc<MemoryArtifacts>,
}

impl Try {
    /// A call of a stage with these settings.
    pub(crate) fn stage(component: &Component, settings: Value) -> Self {
        Self {
            component: component.clone(),
            grants: Vec::new(),
            optional: Vec::new(),
            input: input(settings),
            budget: BUDGET,
            earlier_fuel_limits: Vec::new(),
            models: CallModels::none(),
            liveness: Arc::new(Alive),
            artifacts: Arc::default(),
        }
    }

    /// A call of a gate with these settings.
    pub(crate) fn gate(component: &Component, settings: Value) -> Self {
        let mut this = Self::stage(component, settings);
        this.input.step.name.gate = Some("lint".into());
        this.input.subject = this.input.prior.get("draft").cloned();
        this
    }

    pub(crate) fn fuel(mut self, fuel: u64) -> Self {
        self.budget.fuel = fuel;
        self
    }

    pub(crate) fn time(mut self, time: Duration) -> Self {
        self.budget.time = time;
        self
    }

    pub(crate) fn memory(mut self, memory_bytes: u64) -> Self {
        self.budget.memory_bytes = memory_bytes;
        self
    }

    pub(crate) fn granted(mut self, grant: &'static str) -> Self {
        self.grants.push(grant);
        self
    }

    pub(crate) async fn on(&self, sandbox: &Sandbox) -> Result<CallReport, Interrupted> {
        self.with_journal(sandbox, CallJournal::none()).await
    }

    pub(crate) async fn with_journal(
        &self,
        sandbox: &Sandbox,
        journal: CallJournal,
    ) -> Result<CallReport, Interrupted> {
        let prepared = self.component.prepare_without(sandbox, &self.grants, &self.optional).await;
        let prepared = prepared.expect("a component that loads");
        let call = Call {
            input: Arc::new(self.input.clone()),
            budget: self.budget,
            liveness: Arc::clone(&self.liveness),
            artifacts: Arc::clone(&self.artifacts) as Arc<dyn Artifacts>,
            journal,
            models: self.models.clone(),
            earlier_fuel_limits: self.earlier_fuel_limits.clone(),
        };
        sandbox.call(&prepared, call).await
    }

    /// The report of a call that nobody interrupts.
    pub(crate) async fn report(&self) -> CallReport {
        self.on(&SANDBOX).await.expect("a call that nobody interrupts")
    }

    /// What the stage produced.
    pub(crate) async fn produced(&self) -> Produced {
        match self.report().await.outcome {
            StepOutcome::Produced(produced) => produced,
            other => panic!("{other:?} is no result of a stage"),
        }
    }

    /// How the call failed.
    pub(crate) async fn failure(&self) -> StepFailure {
        failure(self.report().await)
    }
}

#[track_caller]
pub(crate) fn failure(report: CallReport) -> StepFailure {
    match report.outcome {
        StepOutcome::Failed(failure) => failure,
        other => panic!("{other:?} is no failure"),
    }
}

/// What a component is handed when nothing else is said: the stage `spec`, after `draft`.
pub(crate) fn input(settings: Value) -> CallInput {
    let draft = Produced {
        summary: "a draft".into(),
        data: json!({ "words": 12 }),
        artifacts: Vec::new(),
        effects: Vec::new(),
    };
    CallInput {
        run: "01KA5PZ3M2Q4R6S8T0V2X4Y6Z8".parse::<RunId>().unwrap(),
        step: StepKey { name: StepName { stage: "spec".into(), gate: None }, rework: 0, attempt: 1 },
        attempt: 1,
        woken: None,
        entry_id: EntryId(12),
        entry: EntrySnapshot {
            name: EntryName { tracker: "folder:backlog".into(), key: "BACK-12".into() },
            url: Some("backlog/back-12.md".into()),
            kind: "task".into(),
            title: "Show the rain".into(),
            body: "Of the last 24 hours.".into(),
            author: None,
            labels: vec!["display".into()],
            created_at: Timestamp::from_millis(1_795_000_000_000),
            fields: serde_json::from_value(json!({ "priority": 3 })).unwrap(),
        },
        revision: Digest::of("revision"),
        settings,
        prior: BTreeMap::from([("draft".into(), draft)]),
        subject: None,
        reworks: Vec::new(),
        delivered: Vec::new(),
        now: Timestamp::from_millis(1_795_234_020_007),
    }
}

/// Nothing ever stops a call.
pub(crate) struct Alive;

impl Liveness for Alive {
    fn check(&self) -> Result<(), Interrupted> {
        Ok(())
    }
}

/// A store in memory, which may be told to misbehave.
#[derive(Default)]
pub(crate) struct MemoryArtifacts {
    blobs: Mutex<BTreeMap<Digest, Arc<[u8]>>>,
    pub(crate) manner: Manner,
}

/// How a store behaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Manner {
    /// As it should.
    #[default]
    Sound,
    /// It says that it cannot.
    Failing,
    /// It never answers.
    Silent,
}

impl MemoryArtifacts {
    pub(crate) fn with(blob: &[u8]) -> (Self, Digest) {
        let digest = Digest::of(blob);
        (Self { blobs: Mutex::new([(digest, blob.into())].into()), manner: Manner::Sound }, digest)
    }

    pub(crate) fn misbehaving(manner: Manner) -> Self {
        Self { manner, ..Self::default() }
    }

    /// Every blob as text.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.blobs.lock().unwrap().values().map(|blob| String::from_utf8_lossy(blob).into_owned()).collect()
    }

    async fn behave(&self) -> Result<(), ArtifactsError> {
        match self.manner {
            Manner::Sound => Ok(()),
            Manner::Failing => Err(ArtifactsError("the disk is full".into())),
            Manner::Silent => std::future::pending().await,
        }
    }
}

#[async_trait]
impl Artifacts for MemoryArtifacts {
    async fn read(&self, digest: Digest) -> Result<Option<Arc<[u8]>>, ArtifactsError> {
        self.behave().await?;
        Ok(self.blobs.lock().unwrap().get(&digest).cloned())
    }

    async fn write(&self, digest: Digest, bytes: Arc<[u8]>) -> Result<(), ArtifactsError> {
        self.behave().await?;
        self.blobs.lock().unwrap().insert(digest, bytes);
        Ok(())
    }
}

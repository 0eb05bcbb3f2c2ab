//! One call through the sandbox against the same component through bare wasmtime with the same brakes.

mod bare;
mod measure;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bare::{Bare, BarePlugin, Handed};
use measure::{Against, Figure, Target, micros_each};
use serde_json::{Value, json};
use tollgate_core::{
    Digest, EntryId, RunId, Timestamp,
    entry::{EntryName, EntrySnapshot},
    pipeline::{StepBudget, StepName},
    step::{Artifact, Produced, StepKey, StepOutcome},
};
use tollgate_sandbox::{
    Call, CallInput, CallJournal, CallModels, Grants, Interrupted, Prepared, Sandbox, SandboxOptions,
    port::{Artifacts, ArtifactsError, Liveness},
};

/// Pairs of blocks.
const PAIRS: usize = 60;

/// A component and what it is called with.
struct Case {
    figure: &'static str,
    component: &'static str,
    gate: bool,
    text: Option<String>,
    calls_per_block: usize,
    ratio_at_most: f64,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let sandbox = Sandbox::new(SandboxOptions::default()).expect("a sandbox on this machine");
        let bare = Bare::new().expect("an engine on this machine");
        for case in cases() {
            measure(&sandbox, &bare, &case).await;
        }
    });
}

fn cases() -> [Case; 3] {
    [
        Case {
            figure: "one call: spec-lint on a specification of 4 KiB",
            component: "plugins/dist/spec-lint.wasm",
            gate: true,
            text: Some(specification()),
            calls_per_block: 50,
            ratio_at_most: 1.2,
        },
        Case {
            figure: "one call: a stage that does nothing",
            component: "tests/guests/dist/idle-stage.wasm",
            gate: false,
            text: None,
            calls_per_block: 500,
            ratio_at_most: 1.5,
        },
        Case {
            figure: "one call: a gate that does nothing",
            component: "tests/guests/dist/idle-gate.wasm",
            gate: true,
            text: None,
            calls_per_block: 500,
            ratio_at_most: 1.5,
        },
    ]
}

async fn measure(sandbox: &Sandbox, bare: &Bare, case: &Case) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(case.component);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let handed = Handed { settings: "{}".into(), text: case.text.clone() };
    let plugin = bare.prepare(&bytes, handed).expect("a component that loads");
    let prepared = sandbox
        .prepare(Digest::of(&bytes), bytes.into(), Grants::default())
        .await
        .expect("a component that loads");
    let call = call(case);
    same_result(&plugin, sandbox, &prepared, &call).await;

    let (mut sandboxed, mut baseline) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        // Whoever comes second in a pair is first in the next.
        for second in [false, true] {
            if (pair % 2 == 0) == second {
                baseline
                    .push(block(case, || async { plugin.call().await.expect("a call that returns") }).await);
            } else {
                sandboxed.push(
                    block(case, || async {
                        sandbox.call(&prepared, call.clone()).await.expect("a call that returns")
                    })
                    .await,
                );
            }
        }
    }
    Figure {
        blocks: sandboxed,
        against: Some(Against { name: "bare wasmtime", blocks: baseline }),
        targets: vec![Target::RatioAtMost(case.ratio_at_most)],
        ..Figure::new(case.figure, "µs")
    }
    .print();
}

/// Both ways must do the same work, or comparing them says nothing.
async fn same_result(plugin: &BarePlugin, sandbox: &Sandbox, prepared: &Prepared, call: &Call) {
    let report = sandbox.call(prepared, call.clone()).await.expect("a call that nobody interrupts");
    let summary = match report.outcome {
        StepOutcome::Produced(produced) => produced.summary,
        StepOutcome::Judged(verdict) => verdict.summary,
        other => panic!("{other:?}"),
    };
    assert_eq!(plugin.call().await.expect("a call that returns"), summary);
}

/// Microseconds of each call of a block.
async fn block<T, F: Future<Output = T>>(case: &Case, one: impl Fn() -> F) -> f64 {
    let began = Instant::now();
    for _ in 0..case.calls_per_block {
        drop(one().await);
    }
    micros_each(began.elapsed(), case.calls_per_block)
}

fn call(case: &Case) -> Call {
    let blob: Arc<[u8]> = case.text.clone().unwrap_or_default().into_bytes().into();
    let subject = case.text.as_ref().map(|_| Produced {
        summary: "a draft".into(),
        data: json!({}),
        artifacts: vec![Artifact {
            name: "spec.md".into(),
            media_type: "text/markdown".into(),
            digest: Digest::of(&blob),
            size_bytes: blob.len() as u64,
        }],
        effects: Vec::new(),
    });
    Call {
        input: Arc::new(input(case.gate.then(|| "lint".to_owned()), subject)),
        budget: StepBudget {
            fuel: bare::FUEL,
            time: Duration::from_secs(60),
            memory_bytes: bare::MEMORY_BYTES,
            tokens: None,
        },
        liveness: Arc::new(Alive),
        artifacts: Arc::new(OneBlob(blob)),
        journal: CallJournal::none(),
        models: CallModels::none(),
        earlier_fuel_limits: Vec::new(),
    }
}

fn input(gate: Option<String>, subject: Option<Produced>) -> CallInput {
    let created_at = Timestamp::from_millis(1_795_000_000_000);
    CallInput {
        run: RunId::generate(),
        step: StepKey { name: StepName { stage: "draft".into(), gate }, rework: 0, attempt: 1 },
        entry_id: EntryId(12),
        entry: EntrySnapshot {
            name: EntryName { tracker: "folder:backlog".into(), key: "LIB-12".into() },
            url: None,
            kind: "task".into(),
            title: "Show opening hours".into(),
            body: "In the search results.".into(),
            author: None,
            labels: Vec::new(),
            created_at,
            fields: serde_json::Map::new(),
        },
        revision: Digest::of("revision"),
        settings: Value::Object(serde_json::Map::new()),
        prior: BTreeMap::new(),
        subject,
        reworks: Vec::new(),
        delivered: Vec::new(),
        now: created_at,
    }
}

/// A specification as the stage `spec-draft` writes it, filled with requirements up to 4 KiB.
fn specification() -> String {
    let mut requirements = String::new();
    let mut criteria = String::new();
    let mut number = 0;
    while requirements.len() + criteria.len() < 3_800 {
        number += 1;
        requirements.push_str(&format!(
            "- **REQ-{number}**: The branch page shows the opening hours of day {number} in the zone of the branch _(line \
             {number})_\n"
        ));
        criteria.push_str(&format!(
            "- **AC-{number}** (REQ-{number}): A reader who opens the page on day {number} reads the hours of that day \
             _(line {number})_\n"
        ));
    }
    format!(
        "# Show opening hours in the search results\n\n## Summary\n\nSearch results show opening hours.\n\n## Problem and \
         context\n\nVisitors open a branch page only to see whether it is open.\n\n## Requirements\n\n{requirements}\n## \
         Acceptance criteria\n\n{criteria}"
    )
}

struct Alive;

impl Liveness for Alive {
    fn check(&self) -> Result<(), Interrupted> {
        Ok(())
    }
}

/// A store of one artifact.
struct OneBlob(Arc<[u8]>);

#[async_trait]
impl Artifacts for OneBlob {
    async fn read(&self, _digest: Digest) -> Result<Option<Arc<[u8]>>, ArtifactsError> {
        Ok(Some(Arc::clone(&self.0)))
    }

    async fn write(&self, _digest: Digest, _bytes: Arc<[u8]>) -> Result<(), ArtifactsError> {
        Ok(())
    }
}

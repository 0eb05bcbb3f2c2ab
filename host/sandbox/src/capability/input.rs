//! `input`: what the call is about. Nothing is converted or serialised before it is asked for.

use tollgate_core::{
    effect::Delivered,
    step::{self, Produced},
    wait::Woken,
};
use wasmtime::{
    StoreContextMut,
    component::{ComponentType, LinkerInstance, Lower},
};

use super::{Copied, enter, pay_for};
use crate::{
    CallInput, DeliveredEffect,
    bindings::v0_1::types as wit,
    budget::SETTINGS_BYTES,
    host::{Host, Stop},
};

pub(super) fn link(input: &mut LinkerInstance<'_, Host>) -> wasmtime::Result<()> {
    answer(input, "get-entry", entry)?;
    answer(input, "get-subject", subject)?;
    answer(input, "get-rework", |input| input.reworks.iter().map(rework).collect::<Vec<_>>())?;
    answer(input, "get-delivered", |input| input.delivered.iter().map(delivered).collect::<Vec<_>>())?;
    answer(input, "get-woken", |input| input.woken.as_ref().map(woken))?;
    answer(input, "get-run-id", |input| input.run.to_string())?;
    answer(input, "get-attempt", |input| input.attempt)?;
    input.func_wrap("get-settings", |mut store: StoreContextMut<'_, Host>, ()| {
        enter(&mut store, 0)?;
        let settings = store.data().input.settings.to_string();
        if settings.len() > SETTINGS_BYTES {
            return Err(store.data_mut().stop(Stop::SettingsTooLarge { bytes: settings.len() }).into());
        }
        pay_for(&mut store, &settings)?;
        Ok((settings,))
    })?;
    input.func_wrap("get-prior", |mut store: StoreContextMut<'_, Host>, (stage,): (String,)| {
        enter(&mut store, stage.copied_bytes())?;
        let output = store.data().input.prior.get(&stage).map(|produced| output(&stage, produced));
        pay_for(&mut store, &output)?;
        Ok((output,))
    })
}

/// A function without arguments, whose answer follows from the call's input alone.
fn answer<A>(
    instance: &mut LinkerInstance<'_, Host>,
    name: &str,
    make: impl Fn(&CallInput) -> A + Send + Sync + 'static,
) -> wasmtime::Result<()>
where
    A: Copied + ComponentType + Lower + 'static,
{
    instance.func_wrap(name, move |mut store: StoreContextMut<'_, Host>, ()| {
        enter(&mut store, 0)?;
        let answer = make(&store.data().input);
        pay_for(&mut store, &answer)?;
        Ok((answer,))
    })
}

fn entry(input: &CallInput) -> wit::Entry {
    let entry = &input.entry;
    wit::Entry {
        id: input.entry_id.to_string(),
        tracker: entry.name.tracker.clone(),
        key: entry.name.key.clone(),
        url: entry.url.clone(),
        kind: entry.kind.clone(),
        title: entry.title.clone(),
        body: entry.body.clone(),
        author: entry.author.clone(),
        labels: entry.labels.clone(),
        created_at: entry.created_at.to_string(),
        fields: json(&entry.fields),
        revision: input.revision.to_string(),
    }
}

fn subject(input: &CallInput) -> Option<wit::Output> {
    input.subject.as_ref().map(|produced| output(&input.step.name.stage, produced))
}

fn output(stage: &str, produced: &Produced) -> wit::Output {
    wit::Output {
        stage: stage.to_owned(),
        summary: produced.summary.clone(),
        data: produced.data.to_string(),
        artifacts: produced.artifacts.iter().map(artifact).collect(),
    }
}

fn artifact(artifact: &step::Artifact) -> wit::Artifact {
    wit::Artifact {
        name: artifact.name.clone(),
        media_type: artifact.media_type.clone(),
        digest: artifact.digest.to_string(),
        size: artifact.size_bytes,
    }
}

fn rework(rework: &tollgate_core::course::Rework) -> wit::Rework {
    wit::Rework {
        gate: rework.gate.clone(),
        round: rework.round,
        summary: rework.summary.clone(),
        findings: rework.findings.iter().map(finding).collect(),
    }
}

fn finding(finding: &step::Finding) -> wit::Finding {
    let severity = match finding.severity {
        step::Severity::Error => "error",
        step::Severity::Warning => "warning",
        step::Severity::Info => "info",
    };
    wit::Finding {
        rule: finding.rule.clone(),
        severity: severity.to_owned(),
        message: finding.message.clone(),
        location: finding
            .location
            .as_ref()
            .map(|location| wit::Location { path: location.path.clone(), line: location.line }),
    }
}

/// What came is told beside what was waited for, in one body.
fn woken(woken: &Woken) -> wit::Woken {
    let by =
        wit::Wake { kind: woken.by.kind().to_owned(), body: woken.by.body_with(&woken.with).to_string() };
    wit::Woken { by, at: woken.at.to_string(), resume: woken.resume.to_string() }
}

/// A refused effect has no reference, and the reason as its data.
fn delivered(delivered: &DeliveredEffect) -> wit::Delivered {
    let (reference, data) = match &delivered.became {
        Delivered::Done { reference, data } => (reference.clone(), data.to_string()),
        Delivered::Refused { reason } => (None, serde_json::json!({ "refused": reason }).to_string()),
        Delivered::Withheld { reason } => (None, serde_json::json!({ "withheld": reason }).to_string()),
    };
    wit::Delivered {
        stage: delivered.effect.step.name.stage.clone(),
        id: delivered.effect.id.clone(),
        kind: delivered.kind.clone(),
        reference,
        data,
    }
}

fn json(fields: &serde_json::Map<String, serde_json::Value>) -> String {
    serde_json::to_string(fields).expect("a map of JSON values is JSON")
}

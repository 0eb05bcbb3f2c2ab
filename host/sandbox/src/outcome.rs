//! What a call's end means: whose fault it is if it failed, and whether what it returned may stand.
//!
//! A result stands as a whole or not at all. It is checked against the contract (limits, JSON, what an artifact may be),
//! the stage's grants, and the shapes of the effects that the host can deliver.

mod wait;

use std::{collections::BTreeSet, fmt::Display};

use serde_json::Value;
use tollgate_core::{
    Digest, Timestamp,
    effect::{Effect, KnownEffect},
    pipeline::StepBudget,
    step::{
        Artifact, FailureClass, Fault, Finding, Judgement, Location, Produced, Severity, StepFailure,
        StepOutcome, Verdict,
    },
};
use wasmtime::{PoolConcurrencyLimitError, Trap, component::ResourceTableError};
use wasmtime_wasi::I32Exit;

use crate::{
    Kind,
    bindings::v0_1::{gate_api, stage_api, types as wit},
    budget::{self, fuel_words, memory_words, time_words},
    call::{Broken, Returned},
    capability::{Copied as _, journal::Journal, log},
    host::{Host, Stop},
};

/// What wasmtime says when a guest passes more than [`budget::TRANSFER_BYTES`]; the error has no type of its own.
const TRANSFER_REFUSED: &str = "fuel allocated for hostcalls has been exhausted";

/// What wasmtime says when a guest makes more than [`budget::HANDLES`] of its own; no type either.
const HANDLES_REFUSED: &str = "store handle limit exceeded";

/// A result that stands.
#[derive(Debug)]
pub(crate) struct HandedOn {
    pub(crate) outcome: StepOutcome,
    /// Every artifact that it names, anywhere.
    pub(crate) artifacts: BTreeSet<Digest>,
}

/// Judges what a guest returned.
///
/// # Errors
///
/// The failure that the guest reported, or why its result may not stand.
pub(crate) fn judge(returned: Returned, host: &Host, grants: &[String]) -> Result<HandedOn, StepFailure> {
    let mut judge = Judge { host, grants, artifacts: BTreeSet::new() };
    let outcome = match returned {
        Returned::Stage(Ok(stage_api::Outcome::Done(produced))) => {
            StepOutcome::Produced(judge.produced(produced)?)
        }
        Returned::Gate(Ok(gate_api::Outcome::Done(verdict))) => StepOutcome::Judged(judge.verdict(verdict)?),
        Returned::Stage(Ok(stage_api::Outcome::Wait(asked)))
        | Returned::Gate(Ok(gate_api::Outcome::Wait(asked))) => StepOutcome::Waits(judge.wait(asked)?),
        Returned::Stage(Err(failure)) | Returned::Gate(Err(failure)) => return Err(reported(failure, host)),
    };
    Ok(HandedOn { outcome, artifacts: judge.artifacts })
}

/// Why a call that did not return failed.
pub(crate) fn broken(broken: Broken, host: &Host, limits: &StepBudget) -> StepFailure {
    if let Some(stop) = &host.stopped {
        return stopped(stop, limits);
    }
    let (error, instantiating) = match broken {
        Broken::Instantiating(error) => (error, true),
        Broken::Calling(error) => (error, false),
    };
    let trap = error.downcast_ref::<Trap>();
    if trap == Some(&Trap::OutOfFuel) {
        return out_of_fuel(limits);
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return platform(format!("{error:#}"));
    }
    if host.limiter.has_refused() {
        return out_of_memory(limits);
    }
    if let Some(trap) = trap {
        return trapped(&trap.to_string(), host);
    }
    if let Some(I32Exit(status)) = error.downcast_ref() {
        return trapped(&format!("it exited with status {status}"), host);
    }
    let text = format!("{error:#}");
    if text.contains(TRANSFER_REFUSED) {
        return too_large(format!(
            "the plugin passed more than {} to the host at once",
            memory_words(budget::TRANSFER_BYTES as u64)
        ));
    }
    if matches!(error.downcast_ref(), Some(ResourceTableError::Full)) || text.contains(HANDLES_REFUSED) {
        return too_large(format!("the plugin holds more than {} handles", budget::HANDLES));
    }
    if instantiating {
        return platform(format!("the plugin could not be instantiated: {text}"));
    }
    contract(format!("the plugin passed the host something that is not what the contract says: {text}"))
}

/// A component that is called as what it is not.
pub(crate) fn wrong_kind(kind: Kind) -> StepFailure {
    StepFailure {
        class: FailureClass::Configuration,
        ..failure(
            Fault::Unloadable,
            format!("the plugin is used as a {kind}, and it is none; name another plugin"),
        )
    }
}

/// The host could not do its part.
pub(crate) fn platform(message: String) -> StepFailure {
    StepFailure { class: FailureClass::Infrastructure, ..failure(Fault::Platform, message) }
}

/// The guest used all its fuel.
pub(crate) fn out_of_fuel(limits: &StepBudget) -> StepFailure {
    failure(
        Fault::OutOfFuel,
        format!(
            "the plugin used all its fuel, {}, before it returned; raise `budget = {{ fuel = … }}` if the work needs more",
            fuel_words(limits)
        ),
    )
}

/// The guest was called again and asked less than before.
pub(crate) fn returned_too_early(journal: &Journal) -> StepFailure {
    let (now, before) = journal.counts();
    diverged(format!(
        "the plugin was called again and returned after {now} of the {before} calls of its journal"
    ))
}

fn diverged(message: String) -> StepFailure {
    StepFailure { class: FailureClass::Escalate, ..failure(Fault::Diverged, message) }
}

fn out_of_time(limits: &StepBudget) -> StepFailure {
    let time = time_words(limits.time);
    let message = format!(
        "the plugin used all its time, {time}, before it returned; raise `budget = {{ time = … }}` if the work needs more"
    );
    StepFailure { class: FailureClass::Transient, ..failure(Fault::OutOfTime, message) }
}

fn out_of_memory(limits: &StepBudget) -> StepFailure {
    failure(
        Fault::OutOfMemory,
        format!(
            "the plugin was refused more memory than its {}, and did not survive it; raise `budget = {{ memory = … }}` if \
             the work needs more",
            memory_words(limits.memory_bytes)
        ),
    )
}

fn stopped(stop: &Stop, limits: &StepBudget) -> StepFailure {
    match stop {
        Stop::Deadline => out_of_time(limits),
        Stop::OutOfFuel => out_of_fuel(limits),
        Stop::SettingsTooLarge { bytes } => StepFailure {
            class: FailureClass::Configuration,
            ..too_large(format!(
                "the `with` table is {} as JSON; a plugin may be given {}",
                memory_words(*bytes as u64),
                memory_words(budget::SETTINGS_BYTES as u64)
            ))
        },
        Stop::Diverged(message) => diverged(message.clone()),
        Stop::Ambiguous(message) => {
            StepFailure { class: FailureClass::Escalate, ..failure(Fault::Ambiguous, message.clone()) }
        }
        Stop::Misconfigured(message) => {
            StepFailure { class: FailureClass::Configuration, ..platform(message.clone()) }
        }
        Stop::Interrupted(_) | Stop::Unavailable(_) | Stop::Platform(_) => platform(stop.to_string()),
    }
}

/// A trap, with the plugin's last words, which is where a panic says what happened.
fn trapped(how: &str, host: &Host) -> StepFailure {
    let log = log::lock(&host.log);
    let last_words = log.last_error().map(|line| format!("; it last logged: {line}")).unwrap_or_default();
    failure(Fault::Trap, format!("the plugin trapped: {how}{last_words}"))
}

/// A failure that the guest reported. What is odd about the report is noted, and does not hide it.
fn reported(reported: wit::Failure, host: &Host) -> StepFailure {
    let mut log = log::lock(&host.log);
    let class = FailureClass::named(&reported.class).unwrap_or_else(|| {
        let class = log::shortened(&reported.class);
        log.note(&format!(
            "the plugin reported a failure of the unknown class `{class}`; it counts as permanent"
        ));
        FailureClass::Permanent
    });
    let retry_at = reported.retry_at.and_then(|time| {
        time.parse::<Timestamp>()
            .inspect_err(|error| log.note(&format!("the failure's `retry-at` is left out: {error}")))
            .ok()
    });
    let detail = reported.detail.and_then(|detail| {
        json("the failure's `detail`", &detail)
            .inspect_err(|failure| log.note(&format!("it is left out: {}", failure.message)))
            .ok()
    });
    let message = log::shortened(&reported.message).to_owned();
    StepFailure { fault: Fault::Reported, class, message, retry_at, detail }
}

fn contract(message: impl Into<String>) -> StepFailure {
    failure(Fault::Contract, message)
}

fn too_large(message: impl Into<String>) -> StepFailure {
    failure(Fault::TooLarge, message)
}

fn failure(fault: Fault, message: impl Into<String>) -> StepFailure {
    StepFailure {
        fault,
        class: FailureClass::Permanent,
        message: message.into(),
        retry_at: None,
        detail: None,
    }
}

/// Reads JSON that a guest wrote, within the limit of an output's data.
fn json(what: impl Display, text: &str) -> Result<Value, StepFailure> {
    if text.len() > budget::DATA_BYTES {
        return Err(too_large(format!(
            "{what} is {}; it may be {}",
            memory_words(text.len() as u64),
            memory_words(budget::DATA_BYTES as u64)
        )));
    }
    serde_json::from_str(text).map_err(|error| contract(format!("{what} is not JSON: {error}")))
}

/// Turns what a guest returned into what the host keeps.
struct Judge<'h> {
    host: &'h Host,
    grants: &'h [String],
    artifacts: BTreeSet<Digest>,
}

impl Judge<'_> {
    fn produced(&mut self, produced: stage_api::Produced) -> Result<Produced, StepFailure> {
        let bytes = produced.summary.copied_bytes()
            + produced.data.copied_bytes()
            + produced.artifacts.copied_bytes()
            + produced.effects.copied_bytes();
        check_bytes(bytes)?;
        check_count("artifacts", produced.artifacts.len(), budget::RESULT_ITEMS)?;
        check_count("effects", produced.effects.len(), budget::EFFECTS)?;
        let data = json("the output's `data`", &produced.data)?;
        if !data.is_object() {
            return Err(contract("the output's `data` is not a JSON object"));
        }
        Ok(Produced {
            summary: summary(produced.summary)?,
            data,
            artifacts: self.artifacts(produced.artifacts)?,
            effects: self.effects(produced.effects)?,
        })
    }

    fn verdict(&mut self, verdict: gate_api::Verdict) -> Result<Verdict, StepFailure> {
        let bytes = verdict.summary.copied_bytes()
            + verdict.findings.copied_bytes()
            + verdict.evidence.copied_bytes();
        check_bytes(bytes)?;
        check_count("findings", verdict.findings.len(), budget::RESULT_ITEMS)?;
        check_count("pieces of evidence", verdict.evidence.len(), budget::RESULT_ITEMS)?;
        let judgement = match verdict.judgement {
            gate_api::Judgement::Pass => Judgement::Pass,
            gate_api::Judgement::Fail => Judgement::Fail,
            gate_api::Judgement::Inconclusive => Judgement::Inconclusive,
        };
        let findings: Vec<Finding> =
            verdict.findings.into_iter().map(|finding| self.finding(finding)).collect();
        let contradiction = findings.iter().find(|finding| finding.severity == Severity::Error);
        if let (Judgement::Pass, Some(finding)) = (judgement, contradiction) {
            return Err(contract(format!(
                "the gate passes the work and reports an error, `{}`: {}",
                finding.rule, finding.message
            )));
        }
        let summary = summary(verdict.summary)?;
        Ok(Verdict { judgement, summary, findings, evidence: self.artifacts(verdict.evidence)? })
    }

    fn finding(&self, finding: wit::Finding) -> Finding {
        let severity = match finding.severity.as_str() {
            "error" => Severity::Error,
            "warning" => Severity::Warning,
            "info" => Severity::Info,
            unknown => {
                let unknown = log::shortened(unknown);
                log::lock(&self.host.log).note(&format!(
                    "the plugin reported the unknown severity `{unknown}`; it counts as warning"
                ));
                Severity::Warning
            }
        };
        let location = finding.location.map(|location| Location { path: location.path, line: location.line });
        Finding { rule: finding.rule, severity, message: finding.message, location }
    }

    fn artifacts(&mut self, artifacts: Vec<wit::Artifact>) -> Result<Vec<Artifact>, StepFailure> {
        artifacts.into_iter().map(|artifact| self.artifact(artifact)).collect()
    }

    fn artifact(&mut self, artifact: wit::Artifact) -> Result<Artifact, StepFailure> {
        let named = format!("the artifact `{}`", log::shortened(&artifact.name));
        let digest = artifact.digest.parse().map_err(|error| contract(format!("{named}: {error}")))?;
        let size_bytes = self.known(&named, digest)?;
        if artifact.size != size_bytes {
            return Err(contract(format!(
                "{named} is said to have {} bytes, and {digest} has {size_bytes}",
                artifact.size
            )));
        }
        Ok(Artifact { name: artifact.name, media_type: artifact.media_type, digest, size_bytes })
    }

    /// The length of a blob that the call may hand on, which it then does.
    fn known(&mut self, named: &str, digest: Digest) -> Result<u64, StepFailure> {
        let size = self.host.shelf.known_size(&self.host.input, digest);
        let size = size.ok_or_else(|| {
            contract(format!("{named} is {digest}, which was neither handed to this call nor written by it"))
        })?;
        self.artifacts.insert(digest);
        Ok(size)
    }

    fn effects(&mut self, effects: Vec<wit::Effect>) -> Result<Vec<Effect>, StepFailure> {
        let mut ids = BTreeSet::new();
        if let Some(twice) = effects.iter().find(|effect| !ids.insert(effect.id.as_str())) {
            return Err(contract(format!("two effects have the same id, `{}`", log::shortened(&twice.id))));
        }
        effects.into_iter().map(|effect| self.effect(effect)).collect()
    }

    fn effect(&mut self, effect: wit::Effect) -> Result<Effect, StepFailure> {
        let named = format!("the effect `{}`", log::shortened(&effect.id));
        if effect.id.is_empty() {
            return Err(contract(format!("an effect of kind `{}` has no id", log::shortened(&effect.kind))));
        }
        let body = json(format!("the body of {named}"), &effect.body)?;
        let effect = Effect { id: effect.id, kind: effect.kind, body, later: effect.later };
        let known = KnownEffect::parse(&effect).map_err(|error| contract(error.to_string()))?;
        let grant = format!("effect:{}", effect.kind);
        if !self.grants.contains(&grant) {
            let message = format!(
                "{named} is of kind `{}`, which the stage was not granted; add `grant = [\"{grant}\"]` to the stage",
                effect.kind
            );
            return Err(StepFailure {
                class: FailureClass::Configuration,
                ..failure(Fault::NotGranted, message)
            });
        }
        if let KnownEffect::PublishFile(file) = known {
            self.known(&named, file.artifact)?;
        }
        Ok(effect)
    }
}

fn summary(summary: String) -> Result<String, StepFailure> {
    if summary.len() > budget::LINE_BYTES {
        return Err(too_large(format!(
            "the summary is {}; it may be {}",
            memory_words(summary.len() as u64),
            memory_words(budget::LINE_BYTES as u64)
        )));
    }
    Ok(summary)
}

fn check_bytes(bytes: u64) -> Result<(), StepFailure> {
    if bytes > budget::RESULT_BYTES {
        return Err(too_large(format!(
            "the result is {}; it may be {}, and artifacts hold the rest",
            memory_words(bytes),
            memory_words(budget::RESULT_BYTES)
        )));
    }
    Ok(())
}

fn check_count(what: &str, count: usize, limit: usize) -> Result<(), StepFailure> {
    if count > limit {
        return Err(too_large(format!("the result has {count} {what}; it may have {limit}")));
    }
    Ok(())
}

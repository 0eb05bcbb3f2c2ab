//! From the contract's records to the author's types and back, field by field.

use serde_json::{Map, Value};

use super::asks::tollgate::plugin::model as wit_model;
use super::base::tollgate::plugin::{artifacts, types};
use super::gate_api;
use super::stage_api;
use crate::model;
use crate::{
    Artifact, ArtifactError, Delivered, Effect, Entry, Failure, Finding, Judgement, Location, Outcome,
    Output, Produced, Rework, Severity, Verdict, Wait, Wake, Woken,
};

fn value(json: &str) -> Value {
    serde_json::from_str(json).expect("the host hands out JSON where the contract says json")
}

fn object(json: &str) -> Map<String, Value> {
    serde_json::from_str(json).expect("the host hands out the fields as a JSON object")
}

pub(super) fn artifact_error(artifact: &str, error: artifacts::Error) -> ArtifactError {
    let artifact = artifact.to_string();
    match error {
        artifacts::Error::NotFound => ArtifactError::NotFound { artifact },
        artifacts::Error::TooLarge(limit_bytes) => ArtifactError::TooLarge { artifact, limit_bytes },
        artifacts::Error::Denied(reason) => ArtifactError::Denied { artifact, reason },
    }
}

impl From<types::Entry> for Entry {
    fn from(entry: types::Entry) -> Self {
        Entry {
            id: entry.id,
            tracker: entry.tracker,
            key: entry.key,
            url: entry.url,
            kind: entry.kind,
            title: entry.title,
            body: entry.body,
            author: entry.author,
            labels: entry.labels,
            created_at: entry.created_at,
            fields: object(&entry.fields),
            revision: entry.revision,
        }
    }
}

impl From<types::Artifact> for Artifact {
    fn from(artifact: types::Artifact) -> Self {
        Artifact {
            name: artifact.name,
            media_type: artifact.media_type,
            digest: artifact.digest,
            size_bytes: artifact.size,
        }
    }
}

impl From<Artifact> for types::Artifact {
    fn from(artifact: Artifact) -> Self {
        types::Artifact {
            name: artifact.name,
            media_type: artifact.media_type,
            digest: artifact.digest,
            size: artifact.size_bytes,
        }
    }
}

impl From<types::Output> for Output {
    fn from(output: types::Output) -> Self {
        Output {
            stage: output.stage,
            summary: output.summary,
            data: value(&output.data),
            artifacts: output.artifacts.into_iter().map(Artifact::from).collect(),
        }
    }
}

impl From<types::Rework> for Rework {
    fn from(rework: types::Rework) -> Self {
        Rework {
            gate: rework.gate,
            round: rework.round,
            summary: rework.summary,
            findings: rework.findings.into_iter().map(Finding::from).collect(),
        }
    }
}

impl From<types::Finding> for Finding {
    fn from(finding: types::Finding) -> Self {
        Finding {
            rule: finding.rule,
            severity: Severity::from_contract(&finding.severity),
            message: finding.message,
            location: finding.location.map(|at| Location { path: at.path, line: at.line }),
        }
    }
}

impl From<Finding> for types::Finding {
    fn from(finding: Finding) -> Self {
        types::Finding {
            rule: finding.rule,
            severity: finding.severity.as_str().to_string(),
            message: finding.message,
            location: finding.location.map(|at| types::Location { path: at.path, line: at.line }),
        }
    }
}

impl From<types::Delivered> for Delivered {
    fn from(delivered: types::Delivered) -> Self {
        Delivered {
            stage: delivered.stage,
            id: delivered.id,
            kind: delivered.kind,
            reference: delivered.reference,
            data: value(&delivered.data),
        }
    }
}

impl From<types::Woken> for Woken {
    fn from(woken: types::Woken) -> Self {
        Woken {
            by: Wake { kind: woken.by.kind, body: value(&woken.by.body) },
            at: woken.at,
            resume: value(&woken.resume),
        }
    }
}

impl From<Effect> for types::Effect {
    fn from(effect: Effect) -> Self {
        types::Effect { id: effect.id, kind: effect.kind, body: effect.body.to_string(), later: effect.later }
    }
}

impl From<Failure> for types::Failure {
    fn from(failure: Failure) -> Self {
        types::Failure {
            class: failure.class.as_str().to_string(),
            message: failure.message,
            retry_at: failure.retry_at,
            detail: failure.detail.map(|detail| detail.to_string()),
        }
    }
}

impl From<Wait> for types::Wait {
    fn from(wait: Wait) -> Self {
        let any = wait.any.into_iter();
        types::Wait {
            any: any.map(|wake| types::Wake { kind: wake.kind, body: wake.body.to_string() }).collect(),
            reason: wait.reason,
            resume: wait.resume.to_string(),
            effects: wait.effects.into_iter().map(types::Effect::from).collect(),
            expires: wait.expires,
        }
    }
}

impl From<Outcome<Produced>> for stage_api::Outcome {
    fn from(outcome: Outcome<Produced>) -> Self {
        match outcome {
            Outcome::Done(produced) => stage_api::Outcome::Done(stage_api::Produced {
                summary: produced.summary,
                data: produced.data.to_string(),
                artifacts: produced.artifacts.into_iter().map(types::Artifact::from).collect(),
                effects: produced.effects.into_iter().map(types::Effect::from).collect(),
            }),
            Outcome::Wait(wait) => stage_api::Outcome::Wait(wait.into()),
        }
    }
}

impl From<Outcome<Verdict>> for gate_api::Outcome {
    fn from(outcome: Outcome<Verdict>) -> Self {
        match outcome {
            Outcome::Done(verdict) => gate_api::Outcome::Done(gate_api::Verdict {
                judgement: match verdict.judgement {
                    Judgement::Pass => gate_api::Judgement::Pass,
                    Judgement::Fail => gate_api::Judgement::Fail,
                    Judgement::Inconclusive => gate_api::Judgement::Inconclusive,
                },
                summary: verdict.summary,
                findings: verdict.findings.into_iter().map(types::Finding::from).collect(),
                evidence: verdict.evidence.into_iter().map(types::Artifact::from).collect(),
            }),
            Outcome::Wait(wait) => gate_api::Outcome::Wait(wait.into()),
        }
    }
}

impl From<&model::Request> for wit_model::Request {
    fn from(request: &model::Request) -> Self {
        let message = |message: &model::Message| wit_model::Message {
            role: message.role.as_str().to_string(),
            content: message.content.clone(),
        };
        wit_model::Request {
            model: request.model.clone(),
            messages: request.messages.iter().map(message).collect(),
            max_tokens: request.max_tokens,
            temperature: request.temperature,
            schema: request.schema.as_ref().map(Value::to_string),
        }
    }
}

impl From<wit_model::Reply> for model::Reply {
    fn from(reply: wit_model::Reply) -> Self {
        model::Reply {
            content: reply.content,
            model: reply.model,
            input_tokens: reply.input_tokens,
            output_tokens: reply.output_tokens,
            microcents: reply.microcents,
        }
    }
}

impl From<wit_model::Error> for model::Error {
    fn from(error: wit_model::Error) -> Self {
        model::Error { code: model::ErrorCode::from_contract(&error.code), message: error.message }
    }
}

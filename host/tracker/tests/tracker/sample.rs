//! Records as runs leave them.

use std::collections::BTreeMap;

use serde_json::json;
use tollgate_core::{
    Digest, HostId, Microcents, RunId, Timestamp,
    adoption::{AdoptedEntry, Adoption, Evidence, EvidenceKind},
    course::{End, Rework, Stopped},
    effect::Delivered,
    entry::EntryName,
    event::ChainHead,
    pins::PinnedPlugin,
    pipeline::StepName,
    record::{EffectFacts, EntryFacts, OrderFacts, PinFacts, Record, SCHEMA, StepFacts, StepResult, Term},
    run::RunKind,
    step::{Artifact, FailureClass, Fault, Finding, Judgement, Location, Severity, StepKey, Usage},
};

const STARTED_AT: i64 = 1_795_234_020_000;

/// A run of `A-1` in `folder:backlog` that was done at the second try.
pub(crate) fn done() -> Record {
    Record {
        schema: SCHEMA.into(),
        run: run(1),
        kind: RunKind::Work,
        entry: entry(),
        store: "01KA5PZ3M2Q4R6S8T0V2X4Y6Z8".parse().unwrap(),
        host: HostId("desk-7/3".into()),
        fence: serde_json::from_value(json!(4)).unwrap(),
        round: 1,
        started_at: at(0),
        ended_at: at(61_500),
        end: End::Done,
        order: OrderFacts {
            backlog: "specs".into(),
            score_thousandths: Some(4_250),
            terms: vec![term(r#"{"high": 3}[field.priority]"#, 3.0), term("age_days / 8", 1.25)],
        },
        pins: pins(),
        steps: vec![
            step("draft", None, 0, StepResult::Produced, "a specification with 3 requirements"),
            judged(0, Judgement::Fail, "one rule is broken"),
            step("draft", None, 1, StepResult::Produced, "a specification with 3 requirements, reworked"),
            judged(1, Judgement::Pass, "12 rules hold"),
        ],
        reworks: vec![Rework {
            gate: "spec-lint".into(),
            to: "draft".into(),
            round: 1,
            summary: "one rule is broken".into(),
            findings: vec![finding()],
        }],
        effects: vec![EffectFacts {
            leaves: None,
            step: key("draft", None, 1),
            id: "spec".into(),
            kind: "publish-file".into(),
            became: Some(Delivered::Done { reference: Some("specs/A-1.md".into()), data: json!({}) }),
        }],
        waits: Vec::new(),
        decisions: vec![],
        total: Usage {
            fuel: 12_300_000,
            memory_bytes: 2_097_152,
            host_calls: 12,
            cost: Microcents(123),
            ..Usage::default()
        },
        chain: Some(ChainHead { events: 9, hash: Digest::of("chain") }),
    }
}

/// A run that could not go on.
pub(crate) fn failed() -> Record {
    let result = StepResult::Failed { fault: Fault::OutOfFuel, class: FailureClass::Permanent };
    Record {
        run: run(2),
        end: End::Failed(stopped("the plugin used all of its 40 M units of fuel")),
        steps: vec![step("draft", None, 0, result, "used all of its fuel")],
        reworks: Vec::new(),
        effects: Vec::new(),
        order: OrderFacts { backlog: "specs".into(), ..OrderFacts::default() },
        ..done()
    }
}

/// A run that asks a person.
pub(crate) fn escalated() -> Record {
    let stopped = stopped("the gate sent the work back 3 times, and it still breaks a rule");
    let entry = EntryFacts { changed_since: true, ..entry() };
    Record {
        run: run(3),
        entry,
        end: End::Escalated { to: "tech-lead".into(), stopped },
        effects: Vec::new(),
        ..done()
    }
}

/// The run of this number.
pub(crate) fn run(number: u32) -> RunId {
    format!("01KA5PZ3M2Q4R6S8T0V2{number:06}").parse().unwrap()
}

/// What a gate found.
pub(crate) fn finding() -> Finding {
    Finding {
        rule: "SPEC-004".into(),
        severity: Severity::Error,
        message: "REQ-2 says `fast` and no number follows".into(),
        location: Some(Location { path: "spec.md".into(), line: Some(14) }),
    }
}

/// A call of the stage or gate.
pub(crate) fn step(
    stage: &str,
    gate: Option<&str>,
    rework: u32,
    result: StepResult,
    summary: &str,
) -> StepFacts {
    let artifact = Artifact {
        name: "spec.md".into(),
        media_type: "text/markdown".into(),
        digest: Digest::of("spec"),
        size_bytes: 2_345,
    };
    let artifacts = if matches!(result, StepResult::Produced) { vec![artifact] } else { Vec::new() };
    StepFacts {
        key: key(stage, gate, rework),
        plugin: Digest::of("plugin"),
        input: Digest::of("input"),
        started_at: at(0),
        ended_at: at(1_250),
        result,
        summary: summary.into(),
        findings: Vec::new(),
        artifacts,
        usage: Usage {
            fuel: 3_075_000,
            memory_bytes: 1_048_576,
            host_calls: 3,
            cost: Microcents(31),
            ..Usage::default()
        },
    }
}

fn judged(rework: u32, judgement: Judgement, summary: &str) -> StepFacts {
    let findings = if judgement == Judgement::Fail { vec![finding()] } else { Vec::new() };
    StepFacts {
        findings,
        ..step("draft", Some("spec-lint"), rework, StepResult::Judged { judgement }, summary)
    }
}

fn stopped(reason: &str) -> Stopped {
    Stopped {
        at: Some(key("draft", None, 0).name),
        reason: reason.into(),
        recovery: "shorten the item or raise `budget.fuel` of the stage, then `tollgate runs retry A-1`"
            .into(),
    }
}

fn key(stage: &str, gate: Option<&str>, rework: u32) -> StepKey {
    let name: StepName = serde_json::from_value(json!({ "stage": stage, "gate": gate })).unwrap();
    StepKey { name, rework, attempt: 1 }
}

fn term(text: &str, value: f64) -> Term {
    Term { text: text.into(), value }
}

/// An adoption of the same item.
pub(crate) fn adopted() -> Adoption {
    let EntryFacts { name, url, title, revision, .. } = entry();
    Adoption {
        schema: tollgate_core::adoption::SCHEMA.into(),
        id: "01KA5PZ3M2Q4R6S8T0V2X4Y6Z9".parse().unwrap(),
        entry: AdoptedEntry { name, backlog: "specs".into(), url, title, revision },
        store: "01KA5PZ3M2Q4R6S8T0V2X4Y6Z8".parse().unwrap(),
        who: "ines".into(),
        at: at(90_000),
        evidence: vec![Evidence {
            kind: EvidenceKind::Table,
            place: "done.csv:7".into(),
            says: "pull request 12".into(),
            done_at: Some(at(0)),
        }],
        despite: vec!["done.csv:7 calls it “Another title”".into()],
    }
}

fn entry() -> EntryFacts {
    EntryFacts {
        name: EntryName { tracker: "folder:backlog".into(), key: "A-1".into() },
        url: Some("backlog/a.md".into()),
        title: "Renewal counts a closing day twice".into(),
        revision: Digest::of("revision"),
        basis: None,
        fields: serde_json::Map::new(),
        changed_since: false,
    }
}

fn pins() -> PinFacts {
    PinFacts {
        digest: Digest::of("pins"),
        pipeline: "spec-generation".into(),
        owner: "platform".into(),
        policy: Digest::of("policy"),
        engine: "wasmtime-48.0.8+a1b2c3d4e5f6".into(),
        plugins: vec![PinnedPlugin {
            name: "spec-draft".into(),
            version: "1.0.0".into(),
            digest: Digest::of("plugin"),
            contract: "0.1".into(),
        }],
        models: BTreeMap::new(),
    }
}

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millis(STARTED_AT + milliseconds)
}

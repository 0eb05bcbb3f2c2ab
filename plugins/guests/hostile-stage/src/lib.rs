//! A stage that misbehaves as its settings say, so that a test can see what its host makes of that.
//!
//! It speaks the contract without the SDK, which would not let it say most of this.

#![cfg(target_family = "wasm")]
#![expect(unsafe_code, reason = "the generated export crosses the component boundary")]

mod act;
mod resources;

use act::{Act, Settings};
use exports::tollgate::plugin::stage_api::{Guest, Outcome, Produced};
use tollgate::plugin::types::{Artifact, Effect, Failure, Wait, Wake};
use tollgate::plugin::{artifacts, input};

#[allow(unreachable_pub, reason = "generated code")]
mod bindings {
    wit_bindgen::generate!({ path: "../../../wit", world: "stage" });
}
use bindings::{exports, tollgate};

/// What answers the host.
struct Hostile;

bindings::export!(Hostile with_types_in bindings);

impl Guest for Hostile {
    fn run() -> Result<Outcome, Failure> {
        let settings: Settings = serde_json::from_str(&input::get_settings())
            .map_err(|error| failure("configuration", &error.to_string()))?;
        perform(settings)
    }
}

fn perform(Settings { act, amount }: Settings) -> Result<Outcome, Failure> {
    match act {
        Act::Ok => Ok(Outcome::Done(Produced { artifacts: vec![written("ok.md", "fine\n")?], ..produced() })),
        Act::Echo => Ok(Outcome::Done(Produced { data: act::echo(), ..produced() })),
        Act::Loop => resources::spin(),
        Act::MemoryBomb => resources::allocate_for_ever(),
        Act::Recurse => Ok(done(format!("{{\"depth\":{}}}", resources::recurse(0)))),
        Act::GiantResult => Ok(done(format!("{{\"text\":\"{}\"}}", "x".repeat(amount.unwrap_or(32 << 20))))),
        Act::Panic => panic!("as the settings say"),
        Act::Unreachable => core::arch::wasm32::unreachable(),
        Act::ManyHostCalls => Ok(done(resources::call_host(amount.unwrap_or(1_000_000)))),
        Act::LogFlood => Ok(done(resources::flood_log(amount.unwrap_or(100_000)))),
        Act::BigArtifact => {
            let text = "x".repeat(amount.unwrap_or(20 << 20));
            Ok(Outcome::Done(Produced { artifacts: vec![written("big.txt", &text)?], ..produced() }))
        }
        Act::BadJson => Ok(done("{\"cut\": ".to_owned())),
        Act::NotAnObject => Ok(done("[1, 2]".to_owned())),
        Act::ManyEffects => {
            Ok(Outcome::Done(Produced { effects: effects(amount.unwrap_or(1_000)), ..produced() }))
        }
        Act::SameEffectTwice => {
            let one = effects(1);
            Ok(Outcome::Done(Produced { effects: [one.clone(), one].concat(), ..produced() }))
        }
        Act::Ask(asked) => Ok(Outcome::Done(Produced { effects: act::effects(asked), ..produced() })),
        Act::UnknownFailureClass => Err(failure("grumpy", "no class of this name is known")),
        Act::Fail(class) => Err(failure(&class, "as the settings say")),
        Act::FailUntilAttempt(attempt) if input::get_attempt() < attempt => {
            Err(failure("transient", "not yet"))
        }
        Act::FailUntilAttempt(_) => Ok(done("{}".to_owned())),
        Act::ForgedArtifact => Ok(Outcome::Done(Produced { artifacts: vec![forged()], ..produced() })),
        Act::Wait => Ok(Outcome::Wait(wait())),
        Act::WaitFor(awaited) => match act::wait_for(awaited) {
            Ok(wait) => Ok(Outcome::Wait(wait)),
            Err(told) => Ok(done(told)),
        },
    }
}

fn produced() -> Produced {
    Produced { summary: "done as told".into(), data: "{}".into(), artifacts: Vec::new(), effects: Vec::new() }
}

fn done(data: String) -> Outcome {
    Outcome::Done(Produced { data, ..produced() })
}

fn failure(class: &str, message: &str) -> Failure {
    Failure { class: class.into(), message: message.into(), retry_at: None, detail: None }
}

fn written(name: &str, text: &str) -> Result<Artifact, Failure> {
    artifacts::write_text(name, "text/plain", text).map_err(|error| failure("permanent", &error.to_string()))
}

/// A digest that nobody wrote.
fn forged() -> Artifact {
    let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
    Artifact { name: "forged.md".into(), media_type: "text/markdown".into(), digest, size: 12 }
}

fn effects(count: usize) -> Vec<Effect> {
    let effect = |number| Effect {
        id: format!("effect-{number}"),
        kind: "publish-file".into(),
        body: format!("{{\"path\":\"out/{number}.md\"}}"),
        later: false,
    };
    (0..count).map(effect).collect()
}

fn wait() -> Wait {
    Wait {
        any: vec![Wake { kind: "event".into(), body: "{\"name\":\"never\"}".into() }],
        reason: "as the settings say".into(),
        resume: "{}".into(),
        effects: Vec::new(),
        expires: None,
    }
}

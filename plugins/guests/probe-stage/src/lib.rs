//! A stage that asks the probe, which only tests have, by the fuel that it has left.
//!
//! Which function it asks, what it passes and how long it computes follow from the fuel that it is shown. So a host that shows
//! it one unit more or less when it feeds it is found out: the guest asks something else.

#![cfg(target_family = "wasm")]

use std::hint::black_box;

use serde::Deserialize;
use serde_json::json;
use tollgate_plugin::{Context, Failure, Outcome, Produced, Stage, stage};

#[allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "asks" });
}
use bindings::test::probe::probe;

/// `{"asks": ["keyed", "repeatable"], "times": 5}`
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    /// The functions to choose from.
    asks: Vec<Function>,
    /// How often.
    times: u64,
    /// How many rounds it computes besides.
    burn: u64,
    /// After how many questions it does that.
    burn_after: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { asks: vec![Function::Repeatable], times: 1, burn: 0, burn_after: 0 }
    }
}

/// A function of the probe.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Function {
    Repeatable,
    Keyed,
    Unsafe,
}

struct Probe;

impl Stage for Probe {
    type Settings = Settings;

    fn run(ctx: &Context, settings: Settings) -> Result<Outcome, Failure> {
        let mut seen = Vec::new();
        for round in 0..settings.times {
            if round == settings.burn_after {
                compute(settings.burn);
            }
            let left = ctx.fuel_left();
            let answer =
                ask(settings.asks[usize(left) % settings.asks.len()], &format!("{round} with {left}"));
            compute(left % 1_000 + answer.len() as u64);
            seen.push(json!({ "left": left, "answer": answer }));
        }
        if settings.burn_after >= settings.times {
            compute(settings.burn);
        }
        Ok(Produced::new("asked").data(json!({ "seen": seen, "left": ctx.fuel_left() }))?.into())
    }
}

stage!(Probe);

fn ask(function: Function, request: &str) -> String {
    match function {
        Function::Repeatable => probe::repeatable(request),
        Function::Keyed => probe::keyed(request),
        Function::Unsafe => probe::unsafe_(request),
    }
}

fn compute(rounds: u64) {
    for round in 0..rounds {
        black_box(round);
    }
}

fn usize(number: u64) -> usize {
    usize::try_from(number % 1_000_000).unwrap_or_default()
}

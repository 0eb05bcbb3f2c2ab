//! A stage that opens entries, as its settings say, and tells what became of those that earlier stages opened.

use serde::Deserialize;
use serde_json::{Value, json};
use tollgate_plugin::{Context, Effect, Failure, Outcome, Produced, Stage, Wait, Wake, stage};

/// `{"entries": [{"title": "Part {n} of {key}"}], "times": 3}`
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// Bodies of the effect; in their texts `{key}` is the entry's key, `{run}` the run's id, `{n}` a number from 1 on.
    entries: Vec<Value>,
    /// How often each is opened, with another number.
    times: usize,
    /// The next stage need not wait for them.
    later: bool,
    /// Waits until all of them are over.
    wait: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { entries: Vec::new(), times: 1, later: false, wait: false }
    }
}

struct Open;

impl Stage for Open {
    type Settings = Settings;

    fn run(ctx: &Context, settings: Settings) -> Result<Outcome, Failure> {
        let woken = ctx.woken();
        let effects = match &woken {
            None => effects(ctx, &settings),
            Some(_) => Vec::new(),
        };
        if settings.wait && woken.is_none() {
            return Ok(Wait {
                any: vec![Wake { kind: "children".into(), body: json!({}) }],
                reason: "waits for what it opened".into(),
                resume: json!({ "opened": effects.len() }),
                effects,
                expires: None,
            }
            .into());
        }
        let delivered: Vec<_> = ctx
            .delivered()
            .into_iter()
            .map(|effect| json!({ "id": effect.id, "reference": effect.reference, "data": effect.data }))
            .collect();
        let woken = woken.map(|woken| json!({ "by": woken.by.body, "resume": woken.resume }));
        let opened = Produced::new("opened").data(json!({ "delivered": delivered, "woken": woken }))?;
        Ok(effects.into_iter().fold(opened, Produced::effect).into())
    }
}

stage!(Open);

fn effects(ctx: &Context, settings: &Settings) -> Vec<Effect> {
    let mut effects = Vec::new();
    for number in 1..=settings.times {
        for entry in &settings.entries {
            let body = filled(entry, &ctx.entry().key, &ctx.run_id(), number);
            let effect = Effect::new(format!("entry-{}", effects.len() + 1), "open-entry", body);
            effects.push(if settings.later { effect.later() } else { effect });
        }
    }
    effects
}

fn filled(value: &Value, key: &str, run: &str, number: usize) -> Value {
    match value {
        Value::String(text) => {
            text.replace("{key}", key).replace("{run}", run).replace("{n}", &number.to_string()).into()
        }
        Value::Array(values) => values.iter().map(|value| filled(value, key, run, number)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), filled(value, key, run, number)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

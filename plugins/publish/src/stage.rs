//! The stage's face to its host.

use std::collections::BTreeMap;

use serde_json::json;
use tollgate_plugin::{Artifact, Context, Effect, Failure, Outcome, Output, Produced, Stage, stage};

use crate::path::{Values, fill};
use crate::settings::Settings;

/// The stage `publish`.
pub struct Publish;

impl Stage for Publish {
    type Settings = Settings;

    fn run(ctx: &Context, settings: Settings) -> Result<Outcome, Failure> {
        let output = ctx.prior(&settings.from).ok_or_else(|| {
            Failure::permanent(format!(
                "there is nothing to publish: stage `{}` has produced nothing",
                settings.from
            ))
        })?;
        let artifacts = chosen(&output, &settings)?;
        let paths = paths(ctx, &settings, &artifacts)?;

        let mut produced = Produced::new(format!("asks for {}", paths.join(", ")));
        for (number, (artifact, path)) in (1..).zip(artifacts.iter().zip(&paths)) {
            let body =
                json!({ "path": path, "artifact": artifact.digest, "media-type": artifact.media_type });
            produced = produced.effect(Effect::new(format!("publish-{number}"), "publish-file", body));
        }
        if let Some(state) = &settings.state {
            produced = produced.effect(Effect::new("set-state", "set-state", json!({ "state": state })));
        }
        Ok(produced.data(json!({ "published": paths }))?.into())
    }
}

fn chosen<'a>(output: &'a Output, settings: &Settings) -> Result<Vec<&'a Artifact>, Failure> {
    let wanted = |artifact: &&Artifact| settings.artifact.as_ref().is_none_or(|name| artifact.name == *name);
    let artifacts: Vec<&Artifact> = output.artifacts.iter().filter(wanted).collect();
    if artifacts.is_empty() {
        let what = settings
            .artifact
            .as_ref()
            .map_or("no artifact".to_string(), |name| format!("no artifact `{name}`"));
        return Err(Failure::permanent(format!(
            "there is nothing to publish: stage `{}` has {what}",
            output.stage
        )));
    }
    Ok(artifacts)
}

fn paths(ctx: &Context, settings: &Settings, artifacts: &[&Artifact]) -> Result<Vec<String>, Failure> {
    let entry = ctx.entry();
    let triage = ctx.prior(&settings.triage);
    let kind = triage.as_ref().and_then(|output| output.data.get("kind")?.as_str()).unwrap_or(&entry.kind);
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    let mut paths = Vec::new();
    for artifact in artifacts {
        let values = Values { key: &entry.key, kind, title: &entry.title, name: &artifact.name };
        let path = fill(&settings.to, &values)?;
        if let Some(other) = taken.insert(path.clone(), &artifact.name) {
            return Err(Failure::configuration(format!(
                "setting `to`: `{other}` and `{}` would both be written to `{path}`; add `{{name}}`, or choose one by `artifact`",
                artifact.name
            )));
        }
        paths.push(path);
    }
    Ok(paths)
}

stage!(Publish);

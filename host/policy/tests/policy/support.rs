//! A small project to change, and items to judge.

use std::collections::BTreeMap;

use serde_json::json;
use tollgate_core::{Timestamp, entry::EntryName, item::SourceItem};
use tollgate_policy::{ConfigFile, Diagnostics, Policy, Seen};

/// A project in which nothing is wrong.
pub(crate) const PROJECT: &str = r#"
[backlog.specs]
owner = "platform"
zone = "Europe/Berlin"
pipeline = "spec"
eligible = '"tollgate" in labels'
priority = '{"high": 3, "medium": 2, "low": 1}[field.priority] + min(floor(age_days / 7), 5)'

[[backlog.specs.source]]
folder = "backlog"

[backlog.specs.fields]
priority = { type = "string", purpose = "order", from = "front-matter:priority", values = ["high", "medium", "low"] }

[roles]
tech-lead = ["team:platform"]
"#;

/// A pipeline in which nothing is wrong.
pub(crate) const PIPELINE: &str = r#"
owner = "platform"

[[stage]]
name = "draft"
plugin = "spec-draft@^1"

  [[stage.gate]]
  plugin = "spec-lint@^1"
  escalate = "tech-lead"

[[stage]]
name = "publish"
plugin = "publish@^1"
grant = ["effect:publish-file"]
with = { from = "draft", to = "specs/{key}.md" }
"#;

pub(crate) fn files(project: &str, pipeline: &str) -> Vec<ConfigFile> {
    [("tollgate.toml", project), ("pipelines/spec.toml", pipeline)]
        .map(|(path, text)| ConfigFile { path: path.into(), text: text.into() })
        .into()
}

pub(crate) fn load(project: &str, pipeline: &str) -> Result<Policy, Diagnostics> {
    Policy::from_files(files(project, pipeline))
}

/// The policy of a project whose backlog has these lines more, or instead of those that set the same keys.
#[track_caller]
pub(crate) fn policy(change: impl FnOnce(String) -> String) -> Policy {
    load(&change(PROJECT.to_owned()), PIPELINE).unwrap_or_else(|errors| panic!("{errors}"))
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Seen for the first time, and now, at this time.
pub(crate) fn seen(now: &str) -> Seen {
    Seen { first: time(now), now: time(now) }
}

/// An eligible item of high priority, written on 2026-11-01 at noon in Berlin.
pub(crate) fn item() -> SourceItem {
    let front_matter = json!({ "priority": "high" });
    SourceItem {
        name: EntryName { tracker: "folder:backlog".into(), key: "BACK-12".into() },
        url: Some("backlog/BACK-12.md".into()),
        kind: "task".into(),
        title: "Scan the shelf".into(),
        body: "It takes a day.".into(),
        author: None,
        labels: vec!["tollgate".into()],
        created_at: Some(time("2026-11-01T11:00:00Z")),
        closed: false,
        shelf: tollgate_core::item::Shelf::Open,
        front_matter: front_matter.as_object().unwrap().clone(),
        headings: BTreeMap::new(),
        depends: Vec::new(),
    }
}

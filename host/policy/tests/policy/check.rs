use insta::assert_snapshot;
use serde_json::json;
use tollgate_policy::{PluginCatalog, PluginFacts, PluginKind, PluginProblem};

use crate::support::{PIPELINE, PROJECT, load};

struct Catalog;

impl PluginCatalog for Catalog {
    fn find(&self, request: &str) -> Result<PluginFacts, PluginProblem> {
        let (name, version) = request.split_once('@').unwrap_or((request, "^1"));
        let facts = |kind, effects: &[&str], reads: &[&str]| PluginFacts {
            name: name.into(),
            version: "1.0.0".into(),
            kind,
            settings: json!({
                "type": "object",
                "properties": {
                    "from": { "type": "string", "description": "The stage whose artifacts are taken." },
                    "to": { "type": "string" },
                    "limit": { "type": "integer", "minimum": 1 },
                },
                "additionalProperties": false,
                "required": if name == "publish" { json!(["from"]) } else { json!([]) },
            }),
            effects: effects.iter().map(|effect| (*effect).to_owned()).collect(),
            capabilities: Vec::new(),
            reads: reads.iter().map(|part| (*part).to_owned()).collect(),
        };
        if !["^1", "^1.0"].contains(&version) {
            return Err(PluginProblem::NoVersion { versions: vec!["1.0.0".into()] });
        }
        match name {
            "spec-draft" => Ok(facts(PluginKind::Stage, &[], &["title", "body", "fields.effort"])),
            "spec-lint" => Ok(facts(PluginKind::Gate, &[], &[])),
            "publish" => Ok(facts(PluginKind::Stage, &["publish-file", "set-state"], &["key"])),
            _ => Err(PluginProblem::Unknown {
                known: ["spec-draft", "spec-lint", "publish"].map(Into::into).into(),
            }),
        }
    }
}

#[track_caller]
fn project(from: &str, to: &str) -> String {
    assert!(PROJECT.contains(from), "{from}");
    load(&PROJECT.replace(from, to), PIPELINE)
        .unwrap_or_else(|errors| panic!("{errors}"))
        .check(&Catalog)
        .to_string()
}

#[track_caller]
fn pipeline(from: &str, to: &str) -> String {
    assert!(PIPELINE.contains(from), "{from}");
    load(PROJECT, &PIPELINE.replace(from, to))
        .unwrap_or_else(|errors| panic!("{errors}"))
        .check(&Catalog)
        .to_string()
}

#[test]
fn nothing_is_said_of_a_project_in_order() {
    assert_eq!(project("owner", "owner"), "");
}

#[test]
fn plugins_exist_and_are_what_they_are_used_as() {
    assert_snapshot!(pipeline("spec-draft@^1", "spec-darft@^1"), @r#"
    pipelines/spec.toml:6:10: error: there is no plugin `spec-darft`
      help: did you mean `spec-draft`?
    "#);
    assert_snapshot!(pipeline("spec-draft@^1", "spec-draft@^2"), @r#"
    pipelines/spec.toml:6:10: error: no version of `spec-draft` is `spec-draft@^2`
      help: there is 1.0.0
    "#);
    assert_snapshot!(pipeline("plugin = \"spec-draft@^1\"", "plugin = \"spec-lint@^1\""), @"pipelines/spec.toml:6:10: error: `spec-lint` is a gate, used as a stage");
}

#[test]
fn settings_fit_the_plugins_schema() {
    assert_snapshot!(pipeline("to = \"specs", "too = \"specs"), @r#"
    pipelines/spec.toml:16:26: error: unknown key `too` in [stage.with]
      help: did you mean `to`?
    "#);
    assert_snapshot!(pipeline("with = { from = \"draft\", to", "with = { to"), @r#"
    pipelines/spec.toml:16:1: error: [stage.with] has no `from`
      help: `from`: The stage whose artifacts are taken.
    "#);
    assert_snapshot!(pipeline("from = \"draft\"", "from = 5, limit = 0"), @r#"
    pipelines/spec.toml:16:17: error: expected a text, found the number 5
    pipelines/spec.toml:16:28: error: 0 is less than the minimum of 1
    "#);
}

#[test]
fn grants_are_what_plugins_ask_for() {
    assert_snapshot!(pipeline("grant = [\"effect:publish-file\"]\n", ""), @r#"
    pipelines/spec.toml:14:1: warning: `publish` is granted nothing that it asks for
      help: grant = ["effect:publish-file", "effect:set-state"], or those of them that it may have
    "#);
    assert_snapshot!(
        pipeline("plugin = \"spec-draft@^1\"", "plugin = \"spec-draft@^1\"\ngrant = [\"effect:set-state\"]"),
        @r#"
        pipelines/spec.toml:7:10: error: `spec-draft` never asks for `effect:set-state`
          help: it asks for nothing: take the grant out
        "#
    );
}

#[test]
fn every_declared_field_is_of_use_and_every_used_one_declared() {
    let field = |name: &str| {
        format!(
            "[backlog.specs.fields]\n{name} = {{ type = \"number\", purpose = \"input\", from = \"label:size/*\" }}"
        )
    };
    assert_snapshot!(project("[backlog.specs.fields]", &field("size")), @r#"
    tollgate.toml:13:1: error: the field `size` is of no use
      help: no formula, stage, gate or template reads it: use it or take it out
    "#);
    assert_eq!(project("[backlog.specs.fields]", &field("effort")), "", "a stage reads it");
    assert_snapshot!(pipeline("specs/{key}.md", "specs/{field.team}/{key}.md"), @r#"
    pipelines/spec.toml:16:31: error: `{field.team}` is not declared in backlog `specs`, whose entries take `spec`
      help: known are `priority`
    "#);
    assert_eq!(pipeline("specs/{key}.md", "specs/{field.priority}/{key}.md"), "");
}

#[test]
fn limits_leave_room_for_a_run() {
    assert_snapshot!(project("[roles]", "[caps]\nday = \"$0.0001\"\n[roles]"), @"tollgate.toml:16:7: error: no run of `spec` can start: it sets $0.0003 aside, more than the $0.0001 of a day");
    assert_snapshot!(pipeline("owner =", "budget = { cost = \"$0.0001\" }\nowner ="), @r#"
    pipelines/spec.toml:2:19: error: a run may cost $0.0001, less than the $0.0003 that its stages and gates may cost
      help: raise `cost`, or lower the `fuel` of the stages
    "#);
    assert_snapshot!(project("[roles]", "[plugin.spec-lnt]\nbudget = { fuel = \"1G\" }\n[roles]"), @r#"
    tollgate.toml:15:9: warning: no pipeline uses a plugin `spec-lnt`
      help: did you mean `spec-lint`?
    "#);
    let bounded = format!("{PROJECT}\n[plugin.spec-draft]\nbudget = {{ fuel = \"5M\", time = \"5s\" }}\n");
    let greedy = PIPELINE
        .replace("plugin = \"spec-draft@^1\"", "plugin = \"spec-draft@^1\"\nbudget = { fuel = \"6M\" }");
    assert_snapshot!(load(&bounded, &greedy).unwrap().check(&Catalog), @r#"
    pipelines/spec.toml:7:19: error: more `fuel` than `spec-draft` may have
      help: its bound is in tollgate.toml: [plugin.spec-draft]
    "#);
}

#[test]
fn declared_orders_are_tested() {
    let expecting = |order: &str| {
        format!(
            r#"[[backlog.specs.expect]]
given = [
  {{ key = "fresh-high", field.priority = "high" }},
  {{ key = "old-low", field.priority = "low", age_days = 40 }},
  {{ key = "fresh-medium", field.priority = "medium" }},
]
order = [{order}]

[roles]"#
        )
    };
    assert_eq!(project("[roles]", &expecting("\"old-low\", \"fresh-high\", \"fresh-medium\"")), "");
    assert_snapshot!(project("[roles]", &expecting("\"fresh-high\", \"old-low\", \"fresh-medium\"")), @"tollgate.toml:21:9: error: expected fresh-high, old-low, fresh-medium; the order is old-low (6), fresh-high (3), fresh-medium (2)");
    let without = load(&PROJECT.replace("[roles]", &expecting("\"fresh-hihg\", \"old-low\"")), PIPELINE);
    assert_snapshot!(without.unwrap_err(), @r#"
    tollgate.toml:21:9: error: expected every given key once
    tollgate.toml:21:10: error: no entry `fresh-hihg` is given
      help: did you mean `fresh-high`?
    "#);
}

#[test]
fn a_pipeline_that_nothing_uses_is_said_to_be() {
    let mut files = crate::support::files(PROJECT, PIPELINE);
    files.push(tollgate_policy::ConfigFile { path: "pipelines/other.toml".into(), text: PIPELINE.into() });
    let policy = tollgate_policy::Policy::from_files(files).unwrap();
    let said = policy.check(&Catalog);
    assert!(!said.has_errors());
    assert_snapshot!(said, @"pipelines/other.toml:4:3: warning: no backlog uses the pipeline `other`");
}

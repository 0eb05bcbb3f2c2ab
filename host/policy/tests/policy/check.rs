use insta::assert_snapshot;
use serde_json::json;
use tollgate_policy::{PluginCatalog, PluginFacts, PluginKind, PluginProblem};

use crate::support::{PIPELINE, PROJECT, load};

pub(crate) struct Catalog;

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
            optional: Vec::new(),
            reads: reads.iter().map(|part| (*part).to_owned()).collect(),
            data: None,
        };
        if !["^1", "^1.0"].contains(&version) {
            return Err(PluginProblem::NoVersion { versions: vec!["1.0.0".into()] });
        }
        match name {
            "spec-draft" => Ok(facts(PluginKind::Stage, &[], &["title", "body", "fields.effort"])),
            "spec-lint" => Ok(facts(PluginKind::Gate, &[], &[])),
            "spec-review" => {
                Ok(PluginFacts { capabilities: vec!["model".into()], ..facts(PluginKind::Gate, &[], &[]) })
            }
            "spec-hopes" => Ok(PluginFacts {
                capabilities: vec!["model".into()],
                optional: vec!["model".into()],
                ..facts(PluginKind::Stage, &[], &["title", "body", "fields.effort"])
            }),
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
fn a_password_in_the_file_is_warned_of_and_not_shown() {
    let store = "[instance]\nstore = \"postgres://ines:s3cr@db/x\"\n[roles]";
    let policy = load(&PROJECT.replace("[roles]", store), PIPELINE).unwrap();
    let found = policy.check(&Catalog);
    assert_snapshot!(found.render(&policy.files()), @r#"
    warning: a password stands in the address of the store, and whoever has this file knows it
      --> tollgate.toml:16:1
       |
    16 | store = "postgres://ines:****@db/x"
       | ^^^^^
       |
       = help: take it out, and put it into `PGPASSWORD` or `~/.pgpass` of whoever runs a host
    "#);
    for shown in [format!("{:?}", policy.instance), format!("{:?}", policy.files()), found.to_string()] {
        assert!(!shown.contains("s3cr"), "{shown}");
    }
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
fn a_plugin_that_asks_models_needs_a_grant_and_time() {
    let project = format!(
        "{PROJECT}\n[model.deep]\nprovider = \"openai\"\nmodel = \"m\"\nprice = {{ input = \"$1 / 1M\", output = \"$1 / 1M\" }}\n"
    );
    let reviewing = |more: &str| {
        let pipeline = PIPELINE.replace("spec-lint@^1\"", &format!("spec-review@^1\"\n  {more}"));
        load(&project, &pipeline).unwrap_or_else(|errors| panic!("{errors}")).check(&Catalog).to_string()
    };
    assert_snapshot!(reviewing(""), @r#"
    pipelines/spec.toml:9:12: error: `spec-review` cannot run without the grant `model`
      help: grant = ["model"]
    "#);
    assert_snapshot!(reviewing("grant = [\"model\"]\n  budget = { time = \"30s\" }"), @r"
    pipelines/spec.toml:11:14: warning: a call may take 30s, and a reply of `deep` alone may take 120s
      help: raise `time` here, or lower `timeout` in [model.deep]
    ");
    let hoping = PIPELINE.replace("spec-draft@^1\"", "spec-hopes@^1\"");
    let hoping = load(&project, &hoping).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(hoping.check(&Catalog).to_string(), "", "it can do without");
    assert_eq!(reviewing("grant = [\"model:deep\"]\n  budget = { time = \"2m\" }"), "");
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
    assert_snapshot!(project("[roles]", "[caps]\nday = \"$0.0001\"\n[roles]"), @r#"
    tollgate.toml:16:7: error: no run of `spec` can start: it sets $0.0003 aside, more than the $0.0001 of a day
      help: raise the cap, or lower the `fuel` of the stages
    "#);
    assert_snapshot!(pipeline("owner =", "budget = { cost = \"$0.0001\" }\nowner ="), @r#"
    pipelines/spec.toml:2:19: error: a run may cost $0.0001, less than the $0.0003 that its stages and gates may cost
      help: raise `cost`, or lower the `fuel` of the stages
    "#);
    assert_snapshot!(project("[roles]", "[plugin.spec-lnt]\nbudget = { fuel = \"1G\" }\n[roles]"), @r#"
    tollgate.toml:15:9: warning: no pipeline uses a plugin `spec-lnt`, so its bound holds for nothing
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
    assert_snapshot!(project("[roles]", &expecting("\"fresh-high\", \"old-low\", \"fresh-medium\"")), @r#"
    tollgate.toml:21:9: error: expected fresh-high, old-low, fresh-medium; the order is old-low, fresh-high, fresh-medium
      help: old-low has 6: 1 from `{"high": 3, "medium": 2, "low": 1}[field.priority]`, 5 from `min(floor(age_days / 7), 5)`
            fresh-high has 3: 3 from `{"high": 3, "medium": 2, "low": 1}[field.priority]`, 0 from `min(floor(age_days / 7), 5)`
            fresh-medium has 2: 2 from `{"high": 3, "medium": 2, "low": 1}[field.priority]`, 0 from `min(floor(age_days / 7), 5)`
    "#);
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
    assert_snapshot!(said, @r#"
    pipelines/other.toml:4:3: warning: no backlog uses the pipeline `other`, so nothing runs through it
      help: in tollgate.toml, let a backlog use it: pipeline = "other", or one of several: { use = "other", when = '…' }; or delete the file
    "#);
}

#[test]
fn a_plugin_that_reads_nearly_that_field_is_named() {
    let misspelt =
        "[backlog.specs.fields]\nefort = { type = \"number\", purpose = \"input\", from = \"label:size/*\" }";
    assert_snapshot!(project("[backlog.specs.fields]", misspelt), @r#"
    tollgate.toml:13:1: error: the field `efort` is of no use
      help: `spec: draft (spec-draft)` reads `effort`, which is not declared: is it that?
    "#);
}

const ROUTES: &str = "pipeline = [{ use = \"spec\", when = 'age_days < 30' }]";

/// The project with a test of its policy.
fn expecting(test: &str) -> String {
    let given = "given = [{ key = \"1\", labels = [\"tollgate\"], field.priority = \"high\" }, { key = \"2\", age_days = 90 }]";
    let project = PROJECT.replace("pipeline = \"spec\"", ROUTES);
    let test = format!("[[backlog.specs.expect]]\n{given}\n{test}\n\n[roles]");
    match load(&project.replace("[roles]", &test), PIPELINE) {
        Ok(policy) => policy.check(&Catalog).to_string(),
        Err(errors) => errors.to_string(),
    }
}

#[test]
fn declared_eligibility_and_routes_are_tested() {
    assert_snapshot!(expecting("eligible = true"), @r#"tollgate.toml:17:12: error: `2` is not eligible: `"tollgate" in labels` is false"#);
    assert_snapshot!(expecting("eligible = false"), @r#"tollgate.toml:17:12: error: `1` is eligible: `"tollgate" in labels` is true"#);
    assert_snapshot!(expecting("pipeline = \"spec\""), @"tollgate.toml:17:12: error: no pipeline takes `2`: every `when` is false");
    assert_snapshot!(expecting("pipeline = \"sepc\""), @r#"
    tollgate.toml:17:12: error: no entry of the backlog takes `sepc`
      help: did you mean `spec`?
    "#);
    assert_snapshot!(expecting("order = [\"1\", \"1\"]"), @"tollgate.toml:17:9: error: expected every given key once");
    assert_snapshot!(expecting("order = [\"1\", \"2\"]"), @r#"tollgate.toml:16:73: error: `2` has no place: `{"high": 3, "medium": 2, "low": 1}[field.priority]` in `{"high": 3, "medium": 2, "low": 1}[field.priority] + min(floor(age_days / 7), 5)` reads `field.priority`, which has no value; give it a default, or ask has(field.priority)"#);
    assert_snapshot!(expecting(""), @r#"
    tollgate.toml:16:1: error: this tests nothing
      help: say what should come of it: `order`, `eligible` or `pipeline`
    "#);
}

#[test]
fn a_formula_without_a_result_is_found_before_an_entry_meets_it() {
    let priority = |formula: &str| {
        let whole = "{\"high\": 3, \"medium\": 2, \"low\": 1}[field.priority] + min(floor(age_days / 7), 5)";
        project(whole, formula)
    };
    assert_snapshot!(priority("{\"high\": 3, \"medium\": 2}[field.priority] + age_days"), @r#"
    tollgate.toml:7:1: warning: `priority` has no result where `field.priority` is `low`: `{"high": 3, "medium": 2}[field.priority]` looks up `low`, which its map does not have
      help: such an entry would be held
    "#);
    assert_snapshot!(priority("{\"high\": 3, \"medium\": 2, \"low\": 1}[field.priority] / (2 - 2)"), @r#"
    tollgate.toml:7:12: error: `priority` divides by zero: `{"high": 3, "medium": 2, "low": 1}[field.priority] / (2 - 2)`
      help: nothing divided by zero is a finite number
    "#);
    assert_snapshot!(priority("size(field.priority) / (age_days - age_days)"), @r#"
    tollgate.toml:7:12: error: `priority` never has a result: `size(field.priority) / (age_days - age_days)` is inf, not a finite number
      help: every entry would be held
    "#);
    assert_eq!(priority("size(field.priority) + (age_days > 3 ? 1 : 0)"), "");
    let effort = "priority = { type";
    let with_effort = |declared: &str, formula: &str| {
        let project = PROJECT.replace(
            effort,
            &format!("effort = {{ type = \"number\", purpose = \"order\", from = \"label:size/*\"{declared} }}\npriority = {{ type"),
        );
        let project = project.replace("+ min(floor(age_days / 7), 5)", formula);
        load(&project, PIPELINE).unwrap_or_else(|errors| panic!("{errors}")).check(&Catalog).to_string()
    };
    assert_snapshot!(with_effort("", "+ 8 / field.effort"), @r#"
    tollgate.toml:7:1: warning: `priority` has no result where `field.effort` is 0: `8 / field.effort` is inf, not a finite number
      help: such an entry would be held
    "#);
    assert_snapshot!(with_effort(", required = false", "+ field.effort"), @r#"
    tollgate.toml:7:1: warning: `priority` has no result where `field.effort` has no value: `field.effort` reads `field.effort`, which has no value; give it a default, or ask has(field.effort)
      help: such an entry would be held
    "#);
    assert_eq!(with_effort(", required = false", "+ (has(field.effort) ? field.effort : 0)"), "");
    assert_eq!(with_effort("", "+ {1: 3, 2: 5}[field.effort]").matches("never").count(), 0);
}

#[test]
fn a_step_that_may_take_longer_than_its_run_is_said_to() {
    assert_snapshot!(pipeline("owner =", "budget = { time = \"10s\" }\nowner ="), @r#"
    pipelines/spec.toml:2:12: warning: a run may take 10s, less than the 30s that `publish` alone may take
      help: raise `time`, or lower that of the step
    "#);
}

#[test]
fn a_schema_says_who_reads_each_field() {
    let routed = PROJECT
        .replace("pipeline = \"spec\"", "pipeline = [{ use = \"spec\", when = 'field.priority != \"\"' }]");
    let policy = load(&routed, &PIPELINE.replace("specs/{key}.md", "specs/{field.priority}/{key}.md"));
    let [schema] = policy.unwrap().schemas(&Catalog).try_into().unwrap();
    let [priority] = schema.fields.as_slice() else { panic!("one field: {:?}", schema.fields) };
    let used_by: Vec<_> = priority.used_by.iter().map(ToString::to_string).collect();
    assert_eq!(used_by, ["priority", "route to spec", "spec: `with` of publish"]);
    assert!(priority.is_trusted);
    let undeclared: Vec<_> =
        schema.undeclared.iter().map(|(name, by)| format!("{name}: {}", by[0])).collect();
    assert_eq!(undeclared, ["effort: spec: draft (spec-draft)"]);
}

#[test]
fn items_show_what_files_do_not() {
    let project = PROJECT.replace("values =", "default = \"low\", values =").replace(
        "priority = '{\"high\": 3, \"medium\": 2, \"low\": 1}[field.priority]",
        "priority = '{\"high\": 3, \"low\": 1}[field.priority]",
    );
    let policy = load(&project, PIPELINE).unwrap();
    let item = |key: &str, labels: &[&str], priority: Option<&str>, depends: &[&str]| {
        let mut item = crate::support::item();
        item.name.key = key.to_owned();
        item.labels = labels.iter().map(|label| (*label).to_owned()).collect();
        item.front_matter =
            priority.map(|priority| ("priority".to_owned(), json!(priority))).into_iter().collect();
        let on = |key: &&str| tollgate_core::item::Dependency {
            key: (*key).to_owned(),
            source: "heading:Dependencies".into(),
        };
        item.depends = depends.iter().map(on).collect();
        item
    };
    let items = vec![
        item("A", &["tollgate", "area/x"], None, &["C"]),
        item("B", &["tollgate", "area/x"], None, &["A"]),
        item("C", &["tollgate", "area/x"], None, &["B", "D", "nowhere"]),
        item("D", &["tollgate", "area/y"], Some("high"), &["D"]),
        item("E", &["tollgate", "area/y"], Some("medium"), &["A"]),
        item("F", &["tollgate", "area/y"], Some("high"), &[]),
        item("G", &["tollgate", "area/y"], None, &["B"]),
    ];
    let now = tollgate_core::Timestamp::from_millis(1_795_234_020_000);
    let said = |items: Vec<_>| policy.check_items(&[("specs".to_owned(), items)].into(), now).to_string();
    assert_snapshot!(said(items.clone()), @r#"
    tollgate.toml:7:1: warning: `priority` has no result for 1 of 7 entries: E
      help: they are held; E: `{"high": 3, "low": 1}[field.priority]` in `{"high": 3, "low": 1}[field.priority] + min(floor(age_days / 7), 5)` looks up `medium`, which its map does not have
    tollgate.toml:9:17: warning: `D` waits for itself
      help: that never ends: take a dependency out
    tollgate.toml:9:17: warning: entries wait for each other: A → C → B → A
      help: that never ends: take a dependency out
    tollgate.toml:13:1: warning: all 3 entries with label `area/x` take the default of `priority`, which is `low`
      help: none of them says it in `front-matter:priority`: do they say it elsewhere?
    "#);
    assert_snapshot!(said(items[..3].iter().cloned().map(|item| tollgate_core::item::SourceItem { depends: vec![], ..item }).collect()), @r#"
    tollgate.toml:13:1: warning: all 3 entries take the default of `priority`, which is `low`
      help: none of them says it in `front-matter:priority`: do they say it elsewhere?
    "#);
    assert_eq!(said(vec![]), "");
}

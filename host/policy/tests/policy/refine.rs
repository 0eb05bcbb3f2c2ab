//! Fields that refine stages find: when they are known, whose word wins, and what they may decide (S0-12, S3-5).

use std::collections::{BTreeMap, BTreeSet};

use insta::assert_snapshot;
use serde_json::{Value, json};
use tollgate_core::{
    RunId, Timestamp,
    entry::HoldKind,
    item::SourceItem,
    refine::{self, Found, Refinement, SetField, Supplement},
};
use tollgate_policy::{
    Admission, Backlog, Diagnostics, FieldSource, PluginCatalog, PluginFacts, PluginKind, PluginProblem,
    Policy,
};

use crate::support::{PIPELINE, PROJECT, item, load, seen};

const NOW: &str = "2026-11-21T12:00:00Z";

/// The project with a stage that refines and a field that it finds, which the order reads.
fn project() -> String {
    PROJECT
        .replace("eligible =", "refine = [{ plugin = \"triage@^1\" }]\neligible =")
        .replace("priority = '{\"high\": 3", "priority = 'field.impact + {\"high\": 3")
        .replace(
            "[roles]",
            "impact = { type = \"number\", purpose = \"order\", from = \"refine:triage.impact\", trust = \"text\" }\n\n[roles]",
        )
}

/// Loads the project with this changed in it.
fn changed(from: &str, to: &str) -> Result<Policy, Diagnostics> {
    let project = project();
    assert!(project.contains(from), "{from}");
    load(&project.replace(from, to), PIPELINE)
}

fn backlog(from: &str, to: &str) -> Backlog {
    let mut policy = changed(from, to).unwrap_or_else(|errors| panic!("{errors}"));
    policy.backlogs.remove("specs").unwrap()
}

/// What a run found that was handed the body of the item as it is.
fn found(backlog: &Backlog, item: &SourceItem, found: Found) -> Supplement {
    let reads = BTreeSet::from(["body".to_owned()]);
    let handed = refine::handed(&backlog.judge(item, seen(NOW)).snapshot, &reads);
    let asked = backlog.refine.as_ref().unwrap().asked;
    let run = RunId::generate();
    let refinement = Refinement { run, at: Timestamp::default(), asked, reads, handed, found };
    Supplement { refinement: Some(refinement), ..Supplement::default() }
}

fn data(data: Value) -> Found {
    Found::Data(BTreeMap::from([("triage".to_owned(), data)]))
}

fn holds(admission: &Admission) -> Vec<(HoldKind, &str)> {
    admission.holds.iter().map(|hold| (hold.kind, hold.reason.as_str())).collect()
}

#[test]
fn an_item_waits_to_be_refined_and_is_judged_by_what_was_found() {
    let backlog = backlog("", "");
    let unknown = backlog.judge(&item(), seen(NOW));
    assert_eq!(
        holds(&unknown),
        [(HoldKind::NotRefined, "it is not refined yet; before it is judged it goes through `triage`")]
    );
    assert!(unknown.refine.is_some() && unknown.rank.is_none() && unknown.pipeline.is_none());

    let known = found(&backlog, &item(), data(json!({ "impact": 8 })));
    let judged = backlog.judge_with(&item(), &known, seen(NOW));
    assert_eq!(holds(&judged), []);
    assert_eq!(judged.rank.unwrap().score_thousandths, Some(13_000));
    assert_eq!((judged.refine, &judged.snapshot.fields["impact"]), (None, &json!(8)));
    assert_ne!(judged.revision, unknown.revision, "what was found is part of what it says");

    let mut other = item();
    other.body = "It takes two days.".into();
    let outdated = backlog.judge_with(&other, &known, seen(NOW));
    assert_eq!(outdated.holds[0].kind, HoldKind::NotRefined, "it was found of another text");
    other.body = item().body;
    other.front_matter.insert("team".into(), "desk".into());
    assert!(backlog.judge_with(&other, &known, seen(NOW)).is_ready(), "nobody read the team");
}

#[test]
fn what_does_not_enter_anyway_is_not_refined() {
    let backlog = backlog(
        "'\"tollgate\" in labels'",
        "'\"tollgate\" in labels && field.impact > 2'\ntrust_text = [\"impact\"]",
    );
    let kinds = |admission: Admission| admission.holds.iter().map(|hold| hold.kind).collect::<Vec<_>>();
    let refused = |change: fn(&mut SourceItem)| {
        let mut item = item();
        change(&mut item);
        let judged = backlog.judge(&item, seen(NOW));
        assert_eq!(judged.refine, None);
        kinds(judged)
    };
    assert_eq!(refused(|item| item.labels.clear()), [HoldKind::NotEligible]);
    assert_eq!(refused(|item| item.closed = true), [HoldKind::Closed]);
    assert_eq!(refused(|item| item.shelf = tollgate_core::item::Shelf::OnHold), [HoldKind::OnHold]);
    assert_eq!(kinds(backlog.judge(&item(), seen(NOW))), [HoldKind::NotRefined]);
    let small = found(&backlog, &item(), data(json!({ "impact": 1 })));
    assert_eq!(kinds(backlog.judge_with(&item(), &small, seen(NOW))), [HoldKind::NotEligible]);
}

#[test]
fn what_could_not_be_found_or_is_no_value_holds_the_entry() {
    let backlog = backlog("", "");
    let judge = |what| {
        let judged = backlog.judge_with(&item(), &found(&backlog, &item(), what), seen(NOW));
        assert!(judged.rank.is_none() && judged.refine.is_none());
        judged
            .holds
            .iter()
            .map(|hold| format!("{} {}: {}", hold.kind, hold.subject, hold.reason))
            .collect::<String>()
    };
    assert_snapshot!(judge(Found::Nothing { reason: "`triage` ran out of fuel".into() }), @"refine-failed : it could not be refined: `triage` ran out of fuel");
    assert_snapshot!(judge(data(json!({ "impact": "huge" }))), @"field-invalid impact: `impact` of refine:triage.impact is `huge`; expected a number");
    assert_snapshot!(judge(data(json!({ "impact": null }))), @"field-missing impact: `impact` is missing; it is read from `refine:triage.impact`");
}

#[test]
fn a_person_wins_over_what_is_written_and_that_over_what_is_found() {
    let backlog = backlog("\"refine:triage.impact\"", "[\"front-matter:impact\", \"refine:triage.impact\"]");
    let mut written = item();
    written.front_matter.insert("impact".into(), json!(5));
    let impact = |item: &SourceItem, supplement: &Supplement| {
        let told = backlog.read_fields(item, supplement, seen(NOW).now);
        let told = told.into_iter().find(|told| told.name == "impact").unwrap();
        (told.value.unwrap(), told.source)
    };
    let mut known = found(&backlog, &item(), data(json!({ "impact": 8 })));
    assert_eq!(impact(&item(), &known).0, 8);
    assert_eq!(impact(&written, &known).0, 5);
    let set = SetField {
        value: json!(2),
        who: "anna".into(),
        why: "it waits for the auditors".into(),
        at: Timestamp::default(),
    };
    known.set.insert("impact".into(), set.clone());
    assert_eq!(impact(&written, &known), (json!(2), FieldSource::Person(set)));
    assert!(backlog.judge_with(&written, &known, seen(NOW)).is_ready(), "the stage does not read it");
}

struct Catalog;

impl PluginCatalog for Catalog {
    fn find(&self, request: &str) -> Result<PluginFacts, PluginProblem> {
        let is_triage = request.starts_with("triage");
        let kind = if request.starts_with("spec-lint") { PluginKind::Gate } else { PluginKind::Stage };
        Ok(PluginFacts {
            name: request.split('@').next().unwrap_or_default().into(),
            version: "1.0.0".into(),
            kind,
            settings: json!({}),
            effects: if request.starts_with("publish") { vec!["publish-file".into()] } else { Vec::new() },
            capabilities: Vec::new(),
            optional: Vec::new(),
            reads: if is_triage { vec!["body".into(), "fields.priority".into()] } else { Vec::new() },
            data: is_triage.then(|| {
                json!({
                    "properties": { "impact": { "type": "integer" }, "flags": { "type": "array" } },
                    "additionalProperties": false,
                })
            }),
        })
    }
}

fn check(from: &str, to: &str) -> String {
    match changed(from, to) {
        Ok(policy) => policy.check(&Catalog).to_string(),
        Err(errors) => errors.to_string(),
    }
}

#[test]
fn a_field_that_anyone_can_decide_says_so_and_is_kept_from_rules() {
    assert_eq!(check("", ""), "");
    assert_snapshot!(check(", trust = \"text\"", ""), @r#"
    tollgate.toml:16:1: error: `impact` is found by `triage`, which reads `body`: anyone may have written that
      help: say so: trust = "text". `eligible` and constraints read it only when `trust_text` lists it
    "#);
    assert_snapshot!(check("in labels'", "in labels && field.impact > 2'"), @r#"
    tollgate.toml:7:12: error: `eligible` reads `impact`, which anyone may have written
      help: read it from front matter or a label, or list it: trust_text = ["impact"]
    "#);
    assert_eq!(check("in labels'", "in labels && field.impact > 2'\ntrust_text = [\"impact\"]"), "");
    assert_snapshot!(
        check(
            "impact = {",
            "later = { type = \"timestamp\", purpose = \"constraint\", from = \"refine:triage.impact\", trust = \"text\" }\nimpact = {"
        ),
        @r#"
        tollgate.toml:16:9: error: a constraint reads `later`, which anyone may have written
          help: read it from front matter or a label, or list it: trust_text = ["later"]
        "#
    );
}

#[test]
fn what_a_stage_finds_is_named_as_it_says_it() {
    assert_snapshot!(check("triage.impact", "triage.impct"), @r#"
    tollgate.toml:16:55: error: the data of `triage` has no `impct`
      help: did you mean `impact`?
    "#);
    assert_snapshot!(check("triage.impact", "triage.flags"), @r#"tollgate.toml:16:55: error: `flags` of `triage` is of the type array; `impact` is a number"#);
    assert_snapshot!(check("triage.impact", "triaje.impact"), @r#"
    tollgate.toml:16:55: error: the backlog has no refine stage `triaje`
      help: did you mean `triage`?
    "#);
    assert_snapshot!(check("refine:triage.impact", "refine:triage"), @r#"tollgate.toml:16:55: error: `refine:triage` names no member of a stage's data; expected `refine:STAGE.MEMBER`"#);
    assert_snapshot!(check("\"refine:triage.impact\"", "[\"refine:triage.impact\", \"label:impact/*\"]"), @r#"
    tollgate.toml:16:56: error: what people write comes before what a stage finds
      help: put `refine:triage.impact` last
    "#);
}

#[test]
fn refine_stages_have_names_of_their_own_and_change_nothing_outside() {
    let stages = "{ plugin = \"triage@^1\" }";
    assert_snapshot!(check(stages, "{ plugin = \"triage@^1\" }, { plugin = \"triage\" }"), @r#"
    tollgate.toml:6:48: error: there is a stage `triage` already
      help: give it a `name` of its own
    "#);
    assert_snapshot!(check(stages, "{ plugin = \"triage@^1\", grant = [\"effect:publish-file\"] }"), @r#"tollgate.toml:6:44: error: there is no grant `effect:publish-file`"#);
    assert_snapshot!(check(stages, "{ plugin = \"spec-lint\", name = \"triage\" }"), @r#"
    tollgate.toml:6:22: error: `spec-lint` is a gate, used as a stage
    tollgate.toml:16:55: error: `spec-lint` does not say what data it produces
    "#);
}

//! Conditions of stages, and stages that clean up, as they are written.

use insta::assert_snapshot;

use crate::{
    check::Catalog,
    support::{PIPELINE, PROJECT, load},
};

/// What is wrong with a pipeline.
fn errors(from: &str, to: &str) -> String {
    assert!(PIPELINE.contains(from), "{from}");
    match load(PROJECT, &PIPELINE.replace(from, to)) {
        Ok(policy) => policy.check(&Catalog).to_string(),
        Err(errors) => errors.to_string(),
    }
}

const PUBLISH: &str = "name = \"publish\"\n";

#[test]
fn a_condition_is_read_and_held_against_the_fields_of_the_backlog() {
    assert_snapshot!(errors(PUBLISH, "name = \"publish\"\nwhen = 'field.priority == \"high\"'\n"), @"");
    assert_snapshot!(errors(PUBLISH, "name = \"publish\"\nwhen = 'field.priority =='\n"), @"pipelines/spec.toml:14:26: error: cannot be read as a formula: it ends too early");
    assert_snapshot!(errors(PUBLISH, "name = \"publish\"\nwhen = 'field.prioritty == \"high\"'\n"), @r"
    pipelines/spec.toml:14:8: error: `field.prioritty` is not declared in backlog `specs`, whose entries take `spec`
      help: did you mean `priority`?
    ");
    assert_snapshot!(errors(PUBLISH, "name = \"publish\"\nwhen = 'age_days + 1'\n"), @r"
    pipelines/spec.toml:14:8: error: `when` never has a result: `age_days + 1` is a sum, not true or false
      help: every run would fail there
    ");
    assert_snapshot!(errors(PUBLISH, "name = \"publish\"\nwhen = '{\"high\": true, \"low\": false}[field.priority]'\n"), @r#"
    pipelines/spec.toml:14:1: warning: `when` has no result where `field.priority` is `medium`: `{"high": true, "low": false}[field.priority]` looks up `medium`, which its map does not have
      help: a run of such an entry would fail there
    "#);
}

#[test]
fn a_field_that_only_a_condition_reads_is_of_use() {
    let project = PROJECT.replace("[roles]", "effort = { type = \"number\", purpose = \"routing\", from = \"front-matter:effort\", default = 1 }\n\n[roles]");
    let draft = PIPELINE
        .replace("spec-draft@^1", "publish@^1")
        .replace("[[stage.gate]]", "with = { from = \"a\" }\n  [[stage.gate]]");
    let used = draft.replace(PUBLISH, "name = \"publish\"\nwhen = 'field.effort >= 8'\n");
    let check =
        |pipeline: &str| load(&project, pipeline).unwrap_or_else(|errors| panic!("{errors}")).check(&Catalog);
    assert!(check(&draft).to_string().contains("`effort` is of no use"));
    let found = check(&used).to_string();
    assert!(!found.contains("of no use"), "{found}");
    let policy = load(&project, &used).unwrap();
    let schema = policy.schemas(&Catalog).remove(0);
    let effort = schema.fields.iter().find(|field| field.field.name == "effort").unwrap();
    assert_eq!(
        effort.used_by.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["spec: `when` of publish"]
    );
}

#[test]
fn a_stage_that_can_never_run_is_refused() {
    assert_snapshot!(errors("name = \"draft\"\n", "name = \"draft\"\non = \"failure\"\n"), @r"
    pipelines/spec.toml:6:6: error: it runs when a stage before it failed, and there is none that could
      help: put it behind the stages that it cleans up after, or take `on` out
    ");
    assert_snapshot!(errors(PUBLISH, "name = \"publish\"\non = \"failure\"\n"), @"");
    assert_snapshot!(errors(PUBLISH, "name = \"publish\"\non = \"sometimes\"\n"), @"pipelines/spec.toml:14:6: error: expected `success`, `failure`, `always`, found `sometimes`");
}

#[test]
fn work_is_sent_back_to_a_stage_that_does_it_again() {
    let gate =
        "\n  [[stage.gate]]\n  name = \"last\"\n  plugin = \"spec-lint@^1\"\n  rework_to = \"draft\"\n";
    let publish = "with = { from = \"draft\", to = \"specs/{key}.md\" }\n";
    let judged = PIPELINE.replace(publish, &format!("{publish}{gate}"));
    let errors = |from: &str, to: &str| {
        assert!(judged.contains(from), "{from}");
        match load(PROJECT, &judged.replace(from, to)) {
            Ok(policy) => policy.check(&Catalog).to_string(),
            Err(errors) => errors.to_string(),
        }
    };
    assert_snapshot!(errors("", ""), @"");
    assert_snapshot!(errors("name = \"draft\"\n", "name = \"draft\"\nwhen = 'key != \"\"'\n"), @r"
    pipelines/spec.toml:22:15: error: `draft` does not apply to every entry, so work may be sent back to nothing
      help: name a stage without `when`, or give both stages the same one
    ");
    assert_snapshot!(errors(PUBLISH, "name = \"publish\"\non = \"always\"\n"), @r#"
    pipelines/spec.toml:22:15: error: a stage with `on = "always"` is done again alone: what came before may have failed
      help: rework_to = "publish", or take it out
    "#);
    assert_snapshot!(errors("rework_to = \"draft\"", "rework_to = \"publish-later\""), @r"
    pipelines/spec.toml:21:15: error: `publish-later` is neither this stage nor an earlier one
      help: did you mean `publish`?
    ");
}

#[test]
fn an_approval_names_people_and_is_decided_by_what_is_trusted() {
    let approval = |approval: &str| errors(PUBLISH, &format!("name = \"publish\"\napproval = {approval}\n"));
    assert_snapshot!(approval("{ role = \"tech-lead\" }"), @r#"
    pipelines/spec.toml:14:14: warning: the role `tech-lead` names no person, so nobody can approve
      help: list people by name in tollgate.toml, `[roles]`: tech-lead = ["ines"]; who is in a team is not known here
    "#);
    assert_snapshot!(approval("{ role = \"tech-leed\" }"), @r"
    pipelines/spec.toml:14:21: error: there is no role `tech-leed`
      help: did you mean `tech-lead`?
    ");
    assert_snapshot!(approval("{ role = \"tech-lead\", when = 'field.prio == 1' }"), @r#"
    pipelines/spec.toml:14:14: warning: the role `tech-lead` names no person, so nobody can approve
      help: list people by name in tollgate.toml, `[roles]`: tech-lead = ["ines"]; who is in a team is not known here
    pipelines/spec.toml:14:41: error: `field.prio` is not declared in backlog `specs`, whose entries take `spec`
      help: did you mean `priority`?
    "#);
    assert_snapshot!(approval("{ role = \"tech-lead\", when = 'key' }"), @r#"
    pipelines/spec.toml:14:14: warning: the role `tech-lead` names no person, so nobody can approve
      help: list people by name in tollgate.toml, `[roles]`: tech-lead = ["ines"]; who is in a team is not known here
    "#);
    assert_snapshot!(approval("{ role = \"tech-lead\", if = 'key' }"), @r"
    pipelines/spec.toml:14:34: error: unknown key `if` in [stage.approval]
      help: known are `role`, `when`
    ");
    let project = PROJECT
        .replace("team:platform", "ines")
        .replace("from = \"front-matter:priority\"", "from = \"heading:Priority\"");
    let pipeline = PIPELINE.replace(
        PUBLISH,
        "name = \"publish\"\napproval = { role = \"tech-lead\", when = 'field.priority == \"high\"' }\n",
    );
    let found = load(&project, &pipeline).unwrap_or_else(|errors| panic!("{errors}")).check(&Catalog);
    assert_snapshot!(found.to_string(), @r#"
    pipelines/spec.toml:14:41: error: an approval is decided by `priority`, which anyone may have written
      help: read it from front matter or a label, or list it in backlog `specs`: trust_text = ["priority"]
    "#);
}

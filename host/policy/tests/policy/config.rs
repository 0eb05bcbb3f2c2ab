use insta::assert_snapshot;
use proptest::prelude::*;
use tollgate_policy::{LoadError, Policy, policy::Order};

use crate::support::{PIPELINE, PROJECT, files, load, policy};

/// What is said of a project whose backlog has `from` changed into `to`.
#[track_caller]
fn project_errors(from: &str, to: &str) -> String {
    assert!(PROJECT.contains(from), "{from}");
    load(&PROJECT.replace(from, to), PIPELINE).expect_err(to).to_string()
}

#[track_caller]
fn pipeline_errors(from: &str, to: &str) -> String {
    assert!(PIPELINE.contains(from), "{from}");
    load(PROJECT, &PIPELINE.replace(from, to)).expect_err(to).to_string()
}

#[test]
fn a_small_project_has_every_default() {
    let policy = load(PROJECT, PIPELINE).unwrap();
    let backlog = policy.backlog("specs").unwrap();
    assert_snapshot!(format!("{:#?}", policy.instance), @"");
    assert_snapshot!(format!("{:#?}", backlog.sources), @"");
    assert_snapshot!(serde_json::to_string_pretty(&policy.pipelines["spec"]).unwrap(), @"");
    assert_eq!(backlog.pull.iter().map(ToString::to_string).collect::<Vec<_>>(), ["every 1m"]);
    assert!(matches!(backlog.order, Order::Priority(_)));
    assert_eq!(policy.lanes().count(), 1);
}

#[test]
fn unknown_keys_are_named_with_the_nearest() {
    assert_snapshot!(project_errors("eligible =", "elgible = 'true'\neligible ="), @"");
    assert_snapshot!(project_errors("[roles]", "[environment.staging]\ncapacity = 1\n[roles]"), @"");
    assert_snapshot!(project_errors("folder = \"backlog\"", "folder = \"backlog\"\ngithub = \"octo/app\""), @"");
    assert_snapshot!(pipeline_errors("escalate =", "escalte ="), @"");
    assert_snapshot!(pipeline_errors("owner =", "autonomy = \"full\"\nowner ="), @"");
}

#[test]
fn missing_keys_say_what_they_are_for() {
    assert_snapshot!(project_errors("owner = \"platform\"\n", ""), @"");
    assert_snapshot!(project_errors("eligible = '\"tollgate\" in labels'\n", ""), @"");
    assert_snapshot!(project_errors("priority = '{", "#"), @"");
    assert_snapshot!(pipeline_errors("name = \"draft\"\n", ""), @"");
}

#[test]
fn wrong_kinds_of_values_are_named() {
    assert_snapshot!(project_errors("pipeline = \"spec\"", "pipeline = 5"), @"");
    assert_snapshot!(project_errors("pipeline = \"spec\"", "pipeline = [{ use = \"spec\", wen = 'true' }]"), @"");
    assert_snapshot!(project_errors("owner = \"platform\"", "owner = [\"platform\"]"), @"");
    assert_snapshot!(project_errors("type = \"string\"", "type = \"text\""), @"");
    assert_snapshot!(project_errors("zone =", "on_change = \"rerunn\"\nzone ="), @"");
    assert_snapshot!(project_errors("[roles]", "[instance]\nworkers = 0\n[roles]"), @"");
    assert_snapshot!(project_errors("[[backlog.specs.source]]", "[backlog.specs.source]"), @"");
}

#[test]
fn units_and_zones_say_what_was_expected() {
    assert_snapshot!(project_errors("[roles]", "[instance]\nlease = \"60\"\n[roles]"), @"");
    assert_snapshot!(project_errors("[roles]", "[caps]\nday = \"20\"\n[roles]"), @"");
    assert_snapshot!(project_errors("[roles]", "[budget]\nfuel = \"2GB\"\nmemory = \"64M\"\n[roles]"), @"");
    assert_snapshot!(project_errors("Europe/Berlin", "Europe/Brelin"), @"");
    assert_snapshot!(project_errors("zone =", "claim = { cron = \"* 8-18 * Mon-Fri\" }\nzone ="), @"");
    assert_snapshot!(project_errors("zone =", "pull = [{ every = \"5m\", cron = \"* * * * *\" }]\nzone ="), @"");
    assert_snapshot!(project_errors("[roles]", "[instance]\nstore = \"postgres://db\"\n[roles]"), @"");
    assert_snapshot!(project_errors("folder = \"backlog\"", "folder = \"../backlog\""), @"");
}

#[test]
fn formulas_point_at_the_part_that_is_wrong() {
    assert_snapshot!(project_errors("in labels'", "in lables'"), @"");
    assert_snapshot!(project_errors("[field.priority]", "[field.prioritty]"), @"");
    assert_snapshot!(project_errors("floor(age", "flor(age"), @"");
    assert_snapshot!(project_errors("\"tollgate\" in labels", "\"tollgate\" in"), @"");
}

#[test]
fn fields_are_read_from_places_that_exist() {
    assert_snapshot!(project_errors("front-matter:priority", "frontmatter:priority"), @"");
    assert_snapshot!(project_errors("front-matter:priority", "label:priority"), @"");
    assert_snapshot!(project_errors("values =", "default = \"urgent\", values ="), @"");
    assert_snapshot!(project_errors("\"order\"", "\"constraint\""), @"");
}

#[test]
fn text_that_anyone_may_write_decides_nothing_unless_listed() {
    let from_heading = |project: String| {
        project
            .replace("front-matter:priority", "heading:Priority")
            .replace("'\"tollgate\" in labels'", "'field.priority == \"high\"'")
    };
    let errors = load(&from_heading(PROJECT.to_owned()), PIPELINE).unwrap_err().to_string();
    assert_snapshot!(errors, @"");
    policy(|project| from_heading(project).replace("zone =", "trust_text = [\"priority\"]\nzone ="));
}

#[test]
fn names_lead_somewhere() {
    assert_snapshot!(project_errors("pipeline = \"spec\"", "pipeline = \"specs\""), @"");
    assert_snapshot!(pipeline_errors("\"tech-lead\"", "\"techlead\""), @"");
    assert_snapshot!(pipeline_errors("escalate =", "rework_to = \"publish\"\n  escalate ="), @"");
    assert_snapshot!(pipeline_errors("\"effect:publish-file\"", "\"effect:publish\""), @"");
    assert_snapshot!(pipeline_errors("name = \"publish\"", "name = \"draft\""), @"");
    assert_snapshot!(project_errors("priority = '{", "order_by = [\"-field.size\"]\n# '{"), @"");
    assert_snapshot!(project_errors("zone =", "order_by = [\"key\"]\nzone ="), @"");
    assert_snapshot!(
        project_errors("pipeline = \"spec\"", "pipeline = [{ use = \"spec\" }, { use = \"spec\", when = 'true' }]"),
        @""
    );
}

#[test]
fn all_errors_of_all_files_come_at_once() {
    let project = PROJECT.replace("zone =", "zoen =").replace("folder =", "foldr =");
    let errors = load(&project, &PIPELINE.replace("[[stage.gate]]", "[[stage.gates]]")).unwrap_err();
    assert_snapshot!(errors, @"");
    let broken = load("[backlog.specs\nowner = \"x\"\nowner = 5 5\n", "stage = [").unwrap_err();
    assert_snapshot!(broken, @"");
}

#[test]
fn an_error_shows_the_line_it_is_about() {
    let project = PROJECT.replace("eligible =", "elgible =");
    let errors = load(&project, PIPELINE).unwrap_err();
    assert_snapshot!(errors.render(&files(&project, PIPELINE)), @"");
}

#[test]
fn a_project_is_read_from_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Policy::load(folder.path()), Err(LoadError::Missing { .. })));
    std::fs::write(folder.path().join("tollgate.toml"), format!("\u{feff}{}", PROJECT.replace('\n', "\r\n")))
        .unwrap();
    let without = Policy::load(folder.path()).unwrap_err().to_string();
    assert_snapshot!(without, @"");
    std::fs::create_dir(folder.path().join("pipelines")).unwrap();
    std::fs::write(folder.path().join("pipelines/spec.toml"), PIPELINE).unwrap();
    std::fs::write(folder.path().join("pipelines/notes.txt"), "nothing of ours").unwrap();
    let loaded = Policy::load(folder.path()).unwrap();
    assert_eq!(loaded.files().len(), 2);
    assert_eq!(loaded.digest(), Policy::load(folder.path()).unwrap().digest());
    assert_ne!(loaded.digest(), load(PROJECT, PIPELINE).unwrap().digest());
}

#[test]
fn a_plugins_bound_lowers_what_stages_get_by_default() {
    let policy = policy(|project| {
        project + "\n[plugin.spec-draft]\nbudget = { fuel = \"5M\" }\n[budget]\ntime = \"7s\"\n"
    });
    let draft = &policy.pipelines["spec"].stages[0];
    assert_eq!((draft.budget.fuel, draft.budget.time.as_secs()), (5_000_000, 7));
    assert_eq!(draft.gates[0].budget.fuel, 1_000_000_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_texts_never_panic(text in "\\PC{0,200}") {
        let _ = load(&text, &text).is_ok();
    }

    #[test]
    fn a_project_with_a_line_changed_never_panics(line in 0usize..16, text in "[\\[\\]{}='\"a-z_.0-9 ]{0,30}") {
        let mut lines: Vec<_> = PROJECT.lines().collect();
        lines[line] = &text;
        if let Err(errors) = load(&lines.join("\n"), PIPELINE) {
            let said = errors.as_slice();
            prop_assert!(said.iter().all(|error| error.line > 0 && error.column > 0));
            errors.render(&files(&lines.join("\n"), PIPELINE));
        }
    }
}

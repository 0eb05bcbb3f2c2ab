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
    assert_snapshot!(format!("{:#?}", policy.instance), @r#"
    Instance {
        store: Sqlite(
            ".tollgate/tollgate.db",
        ),
        artifacts: Beside,
        pack_after: 7776000s,
        lease: 60s,
        stop_file: StopFile {
            path: ".tollgate/stop",
            mode: Drain,
        },
        workers: 4,
    }
    "#);
    assert_snapshot!(format!("{:#?}", backlog.sources), @r#"
    [
        FolderSource {
            position: 0,
            folder: "backlog",
            kind: None,
            ignore: [],
            settle: 2s,
            names: FrontMatterNames {
                key: None,
                title: None,
                labels: None,
                created: None,
                depends: None,
                state: None,
            },
            closed: [
                "done",
                "completed",
                "closed",
                "fixed",
                "wontfix",
                "cancelled",
            ],
            records: ".tollgate.md",
            moves: None,
            claim_marker: None,
            shelves: Shelves {
                done: None,
                failed: None,
                escalated: None,
            },
            retry_failed: false,
        },
    ]
    "#);
    assert_eq!(backlog.pull.iter().map(ToString::to_string).collect::<Vec<_>>(), ["every 1m"]);
    assert!(matches!(backlog.order, Order::Priority(_)));
    assert_eq!(policy.lanes().count(), 1);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a whole pipeline is shown")]
fn a_small_pipeline_has_every_default() {
    let policy = load(PROJECT, PIPELINE).unwrap();
    assert_snapshot!(serde_json::to_string_pretty(&policy.pipelines["spec"]).unwrap(), @r#"
    {
      "name": "spec",
      "owner": "platform",
      "budget": {
        "cost": 100000000,
        "time_ms": 1200000
      },
      "stages": [
        {
          "name": "draft",
          "plugin": "spec-draft@^1",
          "grants": [],
          "budget": {
            "fuel": 1000000000,
            "time_ms": 30000,
            "memory_bytes": 67108864
          },
          "retry": {
            "attempts": 3,
            "backoff_min_ms": 10000,
            "backoff_max_ms": 300000
          },
          "settings": {},
          "gates": [
            {
              "name": "spec-lint",
              "plugin": "spec-lint@^1",
              "grants": [],
              "budget": {
                "fuel": 1000000000,
                "time_ms": 30000,
                "memory_bytes": 67108864
              },
              "retry": {
                "attempts": 3,
                "backoff_min_ms": 10000,
                "backoff_max_ms": 300000
              },
              "settings": {},
              "enforced": true,
              "rework_to": "draft",
              "rework_limit": 3,
              "on_inconclusive": "escalate",
              "escalate_to": "tech-lead"
            }
          ]
        },
        {
          "name": "publish",
          "plugin": "publish@^1",
          "grants": [
            "effect:publish-file"
          ],
          "budget": {
            "fuel": 1000000000,
            "time_ms": 30000,
            "memory_bytes": 67108864
          },
          "retry": {
            "attempts": 3,
            "backoff_min_ms": 10000,
            "backoff_max_ms": 300000
          },
          "settings": {
            "from": "draft",
            "to": "specs/{key}.md"
          },
          "gates": []
        }
      ]
    }
    "#);
}

#[test]
fn unknown_keys_are_named_with_the_nearest() {
    assert_snapshot!(project_errors("eligible =", "elgible = 'true'\neligible ="), @r#"
    tollgate.toml:6:1: error: unknown key `elgible` in [backlog.specs]
      help: did you mean `eligible`?
    "#);
    assert_snapshot!(project_errors("[roles]", "[environment.staging]\ncapacity = 1\n[roles]"), @r#"
    tollgate.toml:15:2: error: unknown key `environment` in tollgate.toml
      help: known are `instance`, `backlog`, `plugin`, `budget`, `caps`, `prices`, `model`, `roles`
    "#);
    assert_snapshot!(project_errors("folder = \"backlog\"", "folder = \"backlog\"\ngithub = \"octo/app\""), @r#"
    tollgate.toml:11:1: error: unknown key `github` in [[backlog.specs.source]]
      help: known are `folder`, `internal`, `kind`, `ignore`, `settle`, `key`, `title`, `labels`, `created`, `depends`, `state`, `closed`, `records`, `claim_marker`, `on_done`, `on_failed`, `on_escalated`, `retry_failed`, `move`
    "#);
    assert_snapshot!(pipeline_errors("escalate =", "escalte ="), @r#"
    pipelines/spec.toml:10:3: error: unknown key `escalte` in [[stage.gate]]
      help: did you mean `escalate`?
    "#);
    assert_snapshot!(pipeline_errors("owner =", "autonomy = \"full\"\nowner ="), @r#"
    pipelines/spec.toml:2:1: error: unknown key `autonomy` in pipelines/spec.toml
      help: known are `owner`, `budget`, `host`, `stage`
    "#);
}

#[test]
fn folders_for_what_is_over_are_told_apart() {
    let errors =
        |lines: &str| project_errors("folder = \"backlog\"", &format!("folder = \"backlog\"\n{lines}"));
    assert_snapshot!(errors("on_done = \"over/\"\non_failed = \"./over\""), @r#"
    tollgate.toml:11:11: error: what is done and what is not are in one folder
      help: e.g. on_done = "completed/", on_failed = "on-hold/"
    "#);
    assert_snapshot!(errors("retry_failed = true"), @r#"
    tollgate.toml:11:16: error: nothing can be moved back: no item is moved away
      help: e.g. on_failed = "on-hold/"
    "#);
    assert_snapshot!(errors("on_done = \"../completed\"\non_failed = \".held\"\non_escalated = \"in-progress/\""), @"
    tollgate.toml:11:11: error: `../completed` is no path inside the project
      help: a relative path with `/` between its parts, e.g. `docs/backlog`
    tollgate.toml:12:13: error: hidden folders are not read, so an item there would be gone
    tollgate.toml:13:16: error: `in-progress` is where items are while runs work on them
    ");
}

#[test]
fn missing_keys_say_what_they_are_for() {
    assert_snapshot!(project_errors("owner = \"platform\"\n", ""), @r#"
    tollgate.toml:2:10: error: [backlog.specs] has no `owner`
      help: `owner`: Who answers for what enters.
    "#);
    assert_snapshot!(project_errors("eligible = '\"tollgate\" in labels'\n", ""), @r#"
    tollgate.toml:2:10: error: [backlog.specs] has no `eligible`
      help: `eligible`: A formula that says which items enter, e.g. `"tollgate" in labels`. An item that nobody declared never enters, so there is no default; write `true` to take all.
    "#);
    assert_snapshot!(project_errors("priority = '{", "#"), @r#"
    tollgate.toml:2:10: error: [backlog.specs] has neither `priority` nor `order_by`
      help: e.g. `order_by = ["created"]`: the oldest first
    "#);
    assert_snapshot!(pipeline_errors("name = \"draft\"\n", ""), @r#"
    pipelines/spec.toml:4:1: error: [[stage]] has no `name`
      help: `name`: Unique in the pipeline.
    "#);
}

#[test]
fn wrong_kinds_of_values_are_named() {
    assert_snapshot!(project_errors("pipeline = \"spec\"", "pipeline = 5"), @r#"
    tollgate.toml:5:12: error: expected a pipeline's name or a list such as [{ use = "name", when = '…' }], found the number 5
    "#);
    assert_snapshot!(project_errors("pipeline = \"spec\"", "pipeline = [{ use = \"spec\", wen = 'true' }]"), @r#"
    tollgate.toml:5:29: error: unknown key `wen` in [[backlog.specs.pipeline]]
      help: did you mean `when`?
    "#);
    assert_snapshot!(project_errors("owner = \"platform\"", "owner = [\"platform\"]"), @r#"
    tollgate.toml:3:9: error: expected a text, found a list
    "#);
    assert_snapshot!(project_errors("type = \"string\"", "type = \"text\""), @r#"
    tollgate.toml:13:21: error: expected `string`, `number`, `bool`, `timestamp`, `list`, found `text`
    "#);
    assert_snapshot!(project_errors("zone =", "on_change = \"rerunn\"\nzone ="), @r#"
    tollgate.toml:4:13: error: expected `ignore`, `ask`, `rerun`, found `rerunn`
      help: did you mean `rerun`?
    "#);
    assert_snapshot!(project_errors("[roles]", "[instance]\nworkers = 0\n[roles]"), @r#"
    tollgate.toml:16:11: error: 0 is less than the minimum of 1
    "#);
    assert_snapshot!(project_errors("[[backlog.specs.source]]", "[backlog.specs.source]"), @r#"
    tollgate.toml:9:1: error: expected a list, found a table
    "#);
}

#[test]
fn units_and_zones_say_what_was_expected() {
    assert_snapshot!(project_errors("[roles]", "[instance]\nlease = \"60\"\n[roles]"), @"tollgate.toml:16:9: error: `60` is not a duration; expected e.g. `2s`, `5m` or `1h 30m`");
    assert_snapshot!(project_errors("[roles]", "[caps]\nday = \"20\"\n[roles]"), @"tollgate.toml:16:7: error: `20` is not an amount; expected dollars, e.g. `$0.20`");
    assert_snapshot!(project_errors("[roles]", "[budget]\nfuel = \"2GB\"\nmemory = \"64M\"\n[roles]"), @r#"
    tollgate.toml:16:8: error: `2GB` is not an amount of fuel; expected a number with `k`, `M`, `G` or `T`, e.g. `2G`
    tollgate.toml:17:10: error: `64M` is not an amount of memory; expected e.g. `64MiB`
    "#);
    assert_snapshot!(project_errors("Europe/Berlin", "Europe/Brelin"), @r#"
    tollgate.toml:4:8: error: `Europe/Brelin` is no time zone
      help: did you mean `Europe/Berlin`?
    "#);
    assert_snapshot!(project_errors("zone =", "claim = { cron = \"* 8-18 * Mon-Fri\" }\nzone ="), @"tollgate.toml:4:18: error: `* 8-18 * Mon-Fri` has 4 fields; expected five: minute, hour, day of month, month, day of week, e.g. `*/15 8-18 * * Mon-Fri`");
    assert_snapshot!(project_errors("zone =", "pull = [{ every = \"5m\", cron = \"* * * * *\" }]\nzone ="), @"tollgate.toml:4:9: error: expected either `every` or `cron`");
    let store =
        |address: &str| project_errors("[roles]", &format!("[instance]\nstore = \"{address}\"\n[roles]"));
    let artifacts =
        |place: &str| project_errors("[roles]", &format!("[instance]\nartifacts = \"{place}\"\n[roles]"));
    assert_snapshot!(artifacts("gs://library/x"), @r#"
    tollgate.toml:16:13: error: expected `s3://`, a bucket, and perhaps a prefix
      help: e.g. `s3://library/tollgate`
    "#);
    assert_snapshot!(artifacts("s3://The Library/x"), @r#"
    tollgate.toml:16:13: error: expected the name of a bucket after `s3://`: 3 to 63 small letters, digits, `-` and `.`
      help: e.g. `s3://library/tollgate`
    "#);
    assert_snapshot!(store("postgres://db"), @r#"
    tollgate.toml:16:9: error: expected the name of one database at the end of the address
      help: e.g. `sqlite:.tollgate/tollgate.db`, or `postgres://tollgate@db.example.com/tollgate`
    "#);
    assert_snapshot!(store("mysql://ines:s3cr@db/x"), @r#"
    tollgate.toml:16:9: error: expected `sqlite:` and a path, or `postgres://` and a database
      help: e.g. `sqlite:.tollgate/tollgate.db`, or `postgres://tollgate@db.example.com/tollgate`
    "#);
    assert_snapshot!(store("sqlite:"), @r#"
    tollgate.toml:16:9: error: expected a path after `sqlite:`
      help: e.g. `sqlite:.tollgate/tollgate.db`, or `postgres://tollgate@db.example.com/tollgate`
    "#);
    assert_snapshot!(store("postgres://ines:s3cr@db:port/x"), @r#"
    tollgate.toml:16:9: error: this is no address of a PostgreSQL database: invalid port number
      help: e.g. `sqlite:.tollgate/tollgate.db`, or `postgres://tollgate@db.example.com/tollgate`
    "#);
    assert_snapshot!(store("postgres:///x"), @r#"
    tollgate.toml:16:9: error: expected the name of a server after `//`
      help: e.g. `sqlite:.tollgate/tollgate.db`, or `postgres://tollgate@db.example.com/tollgate`
    "#);
    assert_snapshot!(store("postgres://db/x?ssl_mode=require"), @r#"
    tollgate.toml:16:9: error: an address has no parameter `ssl_mode`
      help: did you mean `sslmode`?
    "#);
    assert_snapshot!(store("postgres://db/x?sslmode=required"), @r#"
    tollgate.toml:16:9: error: `required` is no `sslmode`
      help: did you mean `require`?
    "#);
    assert_snapshot!(store("postgres://db/x?password=s3cr"), @r#"
    tollgate.toml:16:9: error: a password does not stand behind the `?`
      help: put it into `PGPASSWORD` or `~/.pgpass`
    "#);
    assert_snapshot!(project_errors("folder = \"backlog\"", "folder = \"../backlog\""), @r#"
    tollgate.toml:10:10: error: `../backlog` is no path inside the project
      help: a relative path with `/` between its parts, e.g. `docs/backlog`
    "#);
}

#[test]
fn labels_of_hosts_are_words() {
    let asked = |labels: &str| PIPELINE.replace("owner =", &format!("host = {labels}\nowner ="));
    let policy = load(PROJECT, &asked("[\"git\", \"zone:eu\"]")).unwrap();
    assert_eq!(policy.host_labels("spec"), ["git", "zone:eu"]);
    assert_eq!(policy.host_labels("refine"), [""; 0]);
    let wrong = |labels: &str| load(PROJECT, &asked(labels)).unwrap_err().to_string();
    assert_snapshot!(wrong("[\"git\", \"big gpu\"]"), @r#"
    pipelines/spec.toml:2:16: error: `big gpu` is no label of a host: expected 1 to 64 letters, digits, `-`, `_`, `.`, `:` and `/`
      help: e.g. `git`, `gpu` or `zone:eu`
    "#);
    assert_snapshot!(wrong("[\"git\", \"git\"]"), @"pipelines/spec.toml:2:16: error: `git` is asked for twice");
    assert_snapshot!(wrong("\"git\""), @"pipelines/spec.toml:2:8: error: expected a list, found `git`");
}

#[test]
fn formulas_point_at_the_part_that_is_wrong() {
    assert_snapshot!(project_errors("in labels'", "in lables'"), @r#"
    tollgate.toml:6:27: error: unknown name `lables`
      help: did you mean `labels`?
    "#);
    assert_snapshot!(project_errors("[field.priority]", "[field.prioritty]"), @r#"
    tollgate.toml:7:48: error: `field.prioritty` is not declared
      help: did you mean `priority`?
    "#);
    assert_snapshot!(project_errors("floor(age", "flor(age"), @r#"
    tollgate.toml:7:74: error: unknown function `flor()`
      help: did you mean `floor`?
    "#);
    assert_snapshot!(project_errors("\"tollgate\" in labels", "\"tollgate\" in"), @"tollgate.toml:6:26: error: cannot be read as a formula: it ends too early");
}

#[test]
fn fields_are_read_from_places_that_exist() {
    assert_snapshot!(project_errors("front-matter:priority", "frontmatter:priority"), @"tollgate.toml:13:57: error: `frontmatter:priority` is no place of a field; expected `front-matter:NAME`, `label:PREFIX*`, `label:NAME`, `heading:NAME` or `refine:STAGE.MEMBER`");
    assert_snapshot!(project_errors("front-matter:priority", "label:priority"), @"tollgate.toml:13:57: error: `label:priority` says true or false; the field's type is another (a value is read by `label:PREFIX*`)");
    assert_snapshot!(project_errors("values =", "default = \"urgent\", values ="), @"tollgate.toml:13:92: error: the default is `urgent`; expected `high`, `medium`, `low`");
    assert_snapshot!(project_errors("\"order\"", "\"constraint\""), @r#"
    tollgate.toml:13:21: error: a field with the purpose `constraint` is a timestamp
      help: an entry is held until a constraint's time has come; other limits are formulas
    "#);
}

#[test]
fn text_that_anyone_may_write_decides_nothing_unless_listed() {
    let from_heading = |project: String| {
        project
            .replace("front-matter:priority", "heading:Priority")
            .replace("'\"tollgate\" in labels'", "'field.priority == \"high\"'")
    };
    let errors = load(&from_heading(PROJECT.to_owned()), PIPELINE).unwrap_err().to_string();
    assert_snapshot!(errors, @r#"
    tollgate.toml:6:12: error: `eligible` reads `priority`, which anyone may have written
      help: read it from front matter or a label, or list it: trust_text = ["priority"]
    "#);
    policy(|project| from_heading(project).replace("zone =", "trust_text = [\"priority\"]\nzone ="));
}

#[test]
fn names_lead_somewhere() {
    assert_snapshot!(project_errors("pipeline = \"spec\"", "pipeline = \"specs\""), @r#"
    tollgate.toml:5:12: error: there is no pipeline `specs`
      help: did you mean `spec`?
    "#);
    assert_snapshot!(pipeline_errors("\"tech-lead\"", "\"techlead\""), @r#"
    pipelines/spec.toml:10:14: error: there is no role `techlead`
      help: did you mean `tech-lead`?
    "#);
    assert_snapshot!(pipeline_errors("escalate =", "rework_to = \"publish\"\n  escalate ="), @r#"
    pipelines/spec.toml:10:15: error: `publish` is neither this stage nor an earlier one
      help: known are `draft`
    "#);
    assert_snapshot!(pipeline_errors("\"effect:publish-file\"", "\"effect:publish\""), @r#"
    pipelines/spec.toml:15:10: error: there is no grant `effect:publish`
      help: did you mean `effect:publish-file`?
    "#);
    assert_snapshot!(pipeline_errors("name = \"publish\"", "name = \"draft\""), @"pipelines/spec.toml:13:8: error: there is a stage `draft` already");
    assert_snapshot!(project_errors("priority = '{", "order_by = [\"-field.size\"]\n# '{"), @r#"
    tollgate.toml:7:13: error: nothing is ordered by `field.size`
      help: did you mean `field.priority`?
    "#);
    assert_snapshot!(project_errors("zone =", "order_by = [\"key\"]\nzone ="), @"tollgate.toml:4:1: error: both `priority` and `order_by`: one of them orders a backlog");
    assert_snapshot!(
        project_errors("pipeline = \"spec\"", "pipeline = [{ use = \"spec\" }, { use = \"spec\", when = 'true' }]"),
        @r#"
        tollgate.toml:5:31: error: never taken: an earlier one takes every entry
          help: give the one before it a condition: `when`
        "#
    );
}

#[test]
fn all_errors_of_all_files_come_at_once() {
    let project = PROJECT.replace("zone =", "zoen =").replace("folder =", "foldr =");
    let errors = load(&project, &PIPELINE.replace("[[stage.gate]]", "[[stage.gates]]")).unwrap_err();
    assert_snapshot!(errors, @r#"
    pipelines/spec.toml:8:11: error: unknown key `gates` in [[stage]]
      help: did you mean `gate`?
    tollgate.toml:4:1: error: unknown key `zoen` in [backlog.specs]
      help: did you mean `zone`?
    tollgate.toml:10:1: error: unknown key `foldr` in [[backlog.specs.source]]
      help: did you mean `folder`?
    "#);
    let broken = load("[backlog.specs\nowner = \"x\"\nowner = 5 5\n", "stage = [").unwrap_err();
    assert_snapshot!(broken, @r#"
    pipelines/spec.toml:1:10: error: this is no TOML: unclosed array, expected `]`
    tollgate.toml:1:15: error: this is no TOML: unclosed table, expected `]`
    "#);
}

#[test]
fn an_error_shows_the_line_it_is_about() {
    let project = PROJECT.replace("eligible =", "elgible =");
    let errors = load(&project, PIPELINE).unwrap_err();
    assert_snapshot!(errors.render(&files(&project, PIPELINE)), @r#"
    error: [backlog.specs] has no `eligible`
     --> tollgate.toml:2:10
      |
    2 | [backlog.specs]
      |          ^^^^^
      |
      = help: `eligible`: A formula that says which items enter, e.g. `"tollgate" in labels`. An item that nobody declared never enters, so there is no default; write `true` to take all.

    error: unknown key `elgible` in [backlog.specs]
     --> tollgate.toml:6:1
      |
    6 | elgible = '"tollgate" in labels'
      | ^^^^^^^
      |
      = help: did you mean `eligible`?
    "#);
}

#[test]
fn a_project_is_read_from_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Policy::load(folder.path()), Err(LoadError::Missing { .. })));
    std::fs::write(folder.path().join("tollgate.toml"), format!("\u{feff}{}", PROJECT.replace('\n', "\r\n")))
        .unwrap();
    let without = Policy::load(folder.path()).unwrap_err().to_string();
    assert_snapshot!(without, @r#"
    tollgate.toml:5:12: error: there is no pipeline `spec`
      help: write it: pipelines/spec.toml
    "#);
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
        drop(load(&text, &text));
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

    #[test]
    fn a_pipeline_with_a_line_changed_never_panics(line in 0usize..16, text in "[\\[\\]{}='\"a-z_.0-9@^ ]{0,30}") {
        let mut lines: Vec<_> = PIPELINE.lines().collect();
        let line = line % lines.len();
        lines[line] = &text;
        if let Err(errors) = load(PROJECT, &lines.join("\n")) {
            let said = errors.as_slice();
            prop_assert!(said.iter().all(|error| error.line > 0 && error.column > 0));
            errors.render(&files(PROJECT, &lines.join("\n")));
        }
    }
}

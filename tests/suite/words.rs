//! What the binary says when something is wrong: what happened, where, and what to do next; with the exit code of its kind.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::Stdio,
};

use insta::assert_snapshot;
use wasm_encoder::{Component, CustomSection};

use crate::support::{Finished, GOOD_ITEM, Project, command, repository, tollgate};

/// Commands and what each said, one after the other.
#[derive(Default)]
struct Said(String);

impl Said {
    fn command(&mut self, project: &Project, args: &[&str]) {
        self.ended(args, &project.run(args));
    }

    fn ended(&mut self, args: &[&str], ended: &Finished) {
        let Finished { code, stdout, stderr } = ended;
        let code = code.expect("it was not killed");
        self.0 += &format!("$ tollgate {}\n{stdout}{stderr}exit {code}\n\n", args.join(" "));
    }

    /// A project with one mistake, made by replacing a text in a file of it.
    fn mistake(&mut self, file: &str, right: &str, wrong: &str, args: &[&str]) {
        let project = Project::with_one_item();
        let text = project.read(file);
        assert!(text.contains(right), "{file} has no {right}");
        project.write(file, &text.replacen(right, wrong, 1));
        self.command(&project, args);
    }
}

/// What differs between two runs of a test: folders, processes and ids.
fn filtered() -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"(/[\w.-]+)*/\.tmp\w{6}", "[folder]");
    settings.add_filter(r"process \d+ on [\w.-]+", "process [id] on [machine]");
    settings.add_filter(r"\b[0-9A-HJKMNP-TV-Z]{26}\b", "[id]");
    settings.bind_to_scope()
}

const STORE: &str = ".tollgate/tollgate.db";

/// A project whose item has run.
fn project_that_ran() -> Project {
    let project = Project::with_one_item();
    drop(project.run(&["run", "--drain"]).expect_code(0));
    project
}

#[test]
fn mistakes_in_files_are_shown_where_they_are() {
    let _filtered = filtered();
    let mut said = Said::default();
    said.mistake("tollgate.toml", "eligible =", "eligble =", &["check"]);
    said.mistake("tollgate.toml", "[backlog.work]", "[backlog.work", &["check"]);
    said.mistake("tollgate.toml", "'age_days'", "'age_days + '", &["check"]);
    assert_snapshot!(said.0, @r#"
    $ tollgate check
    error: [backlog.work] has no `eligible`
     --> tollgate.toml:5:10
      |
    5 | [backlog.work]
      |          ^^^^
      |
      = help: `eligible`: A formula that says which items enter, e.g. `"tollgate" in labels`. An item that nobody declared never enters, so there is no default; write `true` to take all.

    error: unknown key `eligble` in [backlog.work]
     --> tollgate.toml:8:1
      |
    8 | eligble = 'true'
      | ^^^^^^^
      |
      = help: did you mean `eligible`?

    2 files checked: 2 errors, 0 warnings
    exit 3

    $ tollgate check
    error: this is no TOML: unclosed table, expected `]`
     --> tollgate.toml:5:14
      |
    5 | [backlog.work
      |              ^

    2 files checked: 1 error, 0 warnings
    exit 3

    $ tollgate check
    error: cannot be read as a formula: it ends too early
     --> tollgate.toml:9:24
      |
    9 | priority = 'age_days + '
      |                        ^

    2 files checked: 1 error, 0 warnings
    exit 3
    "#);
}

#[test]
fn names_in_files_that_mean_nothing_are_shown_with_the_nearest() {
    let _filtered = filtered();
    let mut said = Said::default();
    said.mistake("tollgate.toml", "'age_days'", "'age_dais'", &["check"]);
    said.mistake("tollgate.toml", "\"spec\"", "\"spce\"", &["check"]);
    said.mistake("pipelines/spec.toml", "triage@^1", "triag@^1", &["run", "--drain"]);
    said.mistake("pipelines/spec.toml", "triage@^1", "triage@^7", &["check"]);
    assert_snapshot!(said.0, @r#"
    $ tollgate check
    error: unknown name `age_dais`
     --> tollgate.toml:9:13
      |
    9 | priority = 'age_dais'
      |             ^^^^^^^^
      |
      = help: did you mean `age_days`?

    2 files checked: 1 error, 0 warnings
    exit 3

    $ tollgate check
    error: there is no pipeline `spce`
     --> tollgate.toml:7:12
      |
    7 | pipeline = "spce"
      |            ^^^^^^
      |
      = help: did you mean `spec`?

    2 files checked: 1 error, 0 warnings
    exit 3

    $ tollgate run --drain
    error: the configuration is wrong

    error: there is no plugin `triag`
     --> pipelines/spec.toml:7:10
      |
    7 | plugin = "triag@^1"
      |          ^^^^^^^^^^
      |
      = help: did you mean `triage`?
    hint: mend the lines above and run `tollgate check`
    exit 3

    $ tollgate check
    error: no version of `triage` is `triage@^7`
     --> pipelines/spec.toml:7:10
      |
    7 | plugin = "triage@^7"
      |          ^^^^^^^^^^^
      |
      = help: there is 1.0.0

    2 files checked: 1 error, 0 warnings
    exit 3
    "#);
}

#[test]
fn names_that_mean_nothing_get_a_way_on() {
    let _filtered = filtered();
    let mut said = Said::default();
    let nowhere = tempfile::tempdir().expect("a temporary folder can be made");
    said.ended(&["run"], &tollgate(nowhere.path(), &["run"]));
    said.ended(&["check", "--project", "x"], &tollgate(nowhere.path(), &["check", "--project", "x"]));
    said.command(&Project::with_one_item(), &["why", "W-1"]);
    let project = project_that_ran();
    said.command(&project, &["why", "W-9"]);
    said.command(&project, &["backlog", "show", "OPS-17"]);
    said.command(&project, &["runs", "show", "01ARZ3NDEKTSV4RRFFQ69G5FAV"]);
    said.command(&project, &["run", "W-9"]);
    assert_snapshot!(said.0, @r#"
    $ tollgate run
    error: there is no tollgate.toml in [folder] or above it
    hint: `tollgate init --from folder:PATH` makes a project of a folder of Markdown, `tollgate demo` shows one; `--project DIR` names another folder
    exit 3

    $ tollgate check --project x
    error: there is no tollgate.toml in x
    hint: `tollgate init --from folder:PATH` makes a project of a folder of Markdown, `tollgate demo` shows one; `--project DIR` names another folder
    exit 3

    $ tollgate why W-1
    error: there is no store at [folder]/.tollgate/tollgate.db: nothing has run here
    hint: `tollgate run` makes it; `tollgate run --dry-run` shows what would run
    exit 3

    $ tollgate why W-9
    error: there is no entry `W-9`
    hint: did you mean `W-1`?
    exit 3

    $ tollgate backlog show OPS-17
    error: there is no entry `OPS-17`
    hint: `tollgate backlog list` shows every entry; `tollgate run` reads new items first
    exit 3

    $ tollgate runs show [id]
    error: there is no run `[id]` in the store
    hint: `tollgate runs list` shows every run
    exit 3

    $ tollgate run W-9
    read       1 item of folder:backlog for work
    error: there is no entry `W-9`
    hint: did you mean `W-1`?
    exit 3
    "#);
}

#[test]
fn what_init_and_numbers_expect_is_said() {
    let _filtered = filtered();
    let mut said = Said::default();
    let project = Project::with_one_item();
    said.command(&project, &["init", "--from", "example:nope"]);
    said.command(&project, &["init", "--from", "folder:backlog"]);
    said.command(&project, &["init", "--from", "backlog"]);
    for items in ["0", "-1", "many"] {
        said.command(&project, &["run", "--items", items]);
    }
    said.command(&project, &["run", "--workers", "300"]);
    assert_snapshot!(said.0, @r"
    $ tollgate init --from example:nope
    error: there is no example `nope`
    hint: there are `asking`, `backlog-md`, `branching`, `defect-folder`, `refined-backlog`, `spec-generation`, `spec-with-model`, `splitting`
    exit 3

    $ tollgate init --from folder:backlog
    error: tollgate.toml is there already
    hint: `tollgate check` checks it; another DIR makes another project
    exit 3

    $ tollgate init --from backlog
    error: invalid value 'backlog' for '--from <SOURCE>': expected `folder:PATH` or `example:NAME`, where NAME is one of asking, backlog-md, branching, defect-folder, refined-backlog, spec-generation, spec-with-model, splitting

    For more information, try '--help'.
    exit 3

    $ tollgate run --items 0
    error: invalid value '0' for '--items <N>': expected a whole number, at least 1

    For more information, try '--help'.
    exit 3

    $ tollgate run --items -1
    error: invalid value '-1' for '--items <N>': expected a whole number, at least 1

    For more information, try '--help'.
    exit 3

    $ tollgate run --items many
    error: invalid value 'many' for '--items <N>': expected a whole number, at least 1

    For more information, try '--help'.
    exit 3

    $ tollgate run --workers 300
    error: invalid value '300' for '--workers <N>': expected a whole number from 1 to 256

    For more information, try '--help'.
    exit 3
    ");
}

#[test]
fn a_source_that_cannot_be_used_is_named() {
    let _filtered = filtered();
    let mut said = Said::default();
    let missing = |said: &mut Said, args| {
        said.mistake("tollgate.toml", "folder = \"backlog\"", "folder = \"backlgo\"", args);
    };
    missing(&mut said, &["run", "--drain"]);
    missing(&mut said, &["run", "--dry-run"]);
    let foreign = project_that_ran();
    std::fs::remove_dir_all(foreign.path().join(".tollgate")).expect("the store can be removed");
    said.command(&foreign, &["run", "--drain"]);
    foreign.write("backlog/.tollgate-owner", "my\nnotes");
    said.command(&foreign, &["run", "--drain"]);
    assert_snapshot!(said.0, @r#"
    $ tollgate run --drain
    applied    version 1 of the policy
    error: folder:backlgo: backlgo is not there; create it, or correct the source in tollgate.toml
    exit 3

    $ tollgate run --dry-run
    0 entries would run now; 0 held, 0 skipped; nothing was changed
    unread     folder:backlgo for work: backlgo is not there; create it, or correct the source in tollgate.toml
    exit 1

    $ tollgate run --drain
    applied    version 1 of the policy
    error: folder:backlog is kept by another store ([id], as backlog/.tollgate-owner says), and one backlog has one store; use that store, or take the tracker over: `tollgate backlog take-over --reason …`
    exit 3

    $ tollgate run --drain
    error: folder:backlog: backlog/.tollgate-owner says nothing that can be read: expected value at line 1 column 1; remove it if no other store works here
    exit 3
    "#);
}

#[test]
fn a_store_that_cannot_be_used_says_why() {
    let _filtered = filtered();
    let mut said = Said::default();
    let newer = project_that_ran();
    let database = rusqlite::Connection::open(newer.path().join(STORE)).expect("the store is a database");
    let later =
        "INSERT INTO schema_migration (version, name, applied_at, needs) VALUES (999, '0999_later', 0, 999)";
    database.execute(later, []).expect("the row can be written");
    drop(database);
    said.command(&newer, &["run", "--drain"]);
    said.command(&newer, &["why", "W-1"]);

    let damaged = project_that_ran();
    let mut bytes = std::fs::read(damaged.path().join(STORE)).expect("the store can be read");
    bytes.truncate(3000);
    std::fs::write(damaged.path().join(STORE), bytes).expect("the store can be written");
    said.command(&damaged, &["run", "--drain"]);
    damaged.write(STORE, "Dear diary, this is no database and never was one, as far as I remember.");
    said.command(&damaged, &["runs", "list"]);

    let foreign = Project::with_one_item();
    std::fs::create_dir(foreign.path().join(".tollgate")).expect("the folder can be made");
    let database = rusqlite::Connection::open(foreign.path().join(STORE)).expect("a database can be made");
    database.execute("CREATE TABLE recipe (name TEXT)", []).expect("the table can be made");
    drop(database);
    said.command(&foreign, &["run", "--drain"]);
    assert_snapshot!(said.0, @r#"
    $ tollgate run --drain
    error: the store at [folder]/.tollgate/tollgate.db has schema version 999 (`0999_later`), and this version of tollgate knows up to 1; run the version that wrote it, or a later one
    exit 3

    $ tollgate why W-1
    error: the store at [folder]/.tollgate/tollgate.db has schema version 999 (`0999_later`), and this version of tollgate knows up to 1; run the version that wrote it, or a later one
    exit 3

    $ tollgate run --drain
    error: the store at [folder]/.tollgate/tollgate.db cannot be read: database disk image is malformed; `tollgate store doctor` says what is wrong and what helps
    exit 4

    $ tollgate runs list
    error: the store at [folder]/.tollgate/tollgate.db cannot be read: file is not a database; `tollgate store doctor` says what is wrong and what helps
    exit 4

    $ tollgate run --drain
    error: [folder]/.tollgate/tollgate.db is a database of another program; name another one as the store
    exit 3
    "#);
}

#[test]
fn a_second_host_on_a_store_is_refused() {
    let _filtered = filtered();
    let mut said = Said::default();
    let project = Project::with_one_item();
    let mut host = command(project.path(), &["run"]);
    let mut host = host.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it can be started");
    let lines = BufReader::new(host.stderr.take().expect("stderr is piped")).lines();
    let works = lines.map_while(Result::ok).any(|line| line.starts_with("done"));
    assert!(works, "the host ended too early");
    said.command(&project, &["run", "--drain"]);
    host.kill().expect("it can be killed");
    drop(host.wait());
    assert_snapshot!(said.0, @r#"
    $ tollgate run --drain
    error: the store at [folder]/.tollgate/tollgate.db is used by another tollgate process (process [id] on [machine]); stop it first, or use another store
    hint: `tollgate runs watch` follows the host that runs; `tollgate stop` ends it
    exit 3
    "#);
}

/// A component without code that says it is a plugin.
fn component_of_no_world() -> Vec<u8> {
    let manifest = std::fs::read(repository().join("plugins/triage/plugin.toml")).expect("it is there");
    let mut component = Component::new();
    component.section(&CustomSection { name: "tollgate:plugin".into(), data: manifest.as_slice().into() });
    component.finish()
}

#[test]
fn a_file_that_is_no_plugin_is_told_from_one_that_is_broken() {
    let _filtered = filtered();
    let mut said = Said::default();
    let project = Project::with_one_item();
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(project.path().join(name), bytes).expect("a file can be written");
    };
    let whole = std::fs::read(repository().join("plugins/dist/triage.wasm")).expect("it is there");
    write("cut.wasm", &whole[..whole.len() / 2]);
    write("text.wasm", GOOD_ITEM.as_bytes());
    write("module.wasm", &wasm_encoder::Module::new().finish());
    write("other.wasm", &Component::new().finish());
    write("world.wasm", &component_of_no_world());
    for file in ["cut.wasm", "text.wasm", "module.wasm", "other.wasm", "world.wasm", "none.wasm", "backlog"] {
        said.command(&project, &["plugin", "inspect", file]);
    }
    said.command(&project, &["plugin", "inspect", "triag"]);
    said.command(&project, &["plugin", "inspect", "triage@^9"]);
    std::fs::create_dir(project.path().join("plugins")).expect("a folder can be made");
    write("plugins/cut.wasm", &whole[..whole.len() / 2]);
    said.command(&project, &["check"]);
    assert_snapshot!(said.0, @r#"
    $ tollgate plugin inspect cut.wasm
    error: cut.wasm is damaged or cut short at byte 268764: unexpected end-of-file
    hint: a plugin is a component of the world `stage` or `gate` with its plugin.toml embedded; build it again, or copy it again
    exit 3

    $ tollgate plugin inspect text.wasm
    error: text.wasm is not a WebAssembly file
    hint: a plugin is a component of the world `stage` or `gate` with its plugin.toml embedded; build it again, or copy it again
    exit 3

    $ tollgate plugin inspect module.wasm
    error: module.wasm is a core module, not a component; `wasm-tools component new` makes one of it
    hint: a plugin is a component of the world `stage` or `gate` with its plugin.toml embedded; build it again, or copy it again
    exit 3

    $ tollgate plugin inspect other.wasm
    error: other.wasm has no custom section `tollgate:plugin`, which holds a plugin's plugin.toml
    hint: a plugin is a component of the world `stage` or `gate` with its plugin.toml embedded; build it again, or copy it again
    exit 3

    $ tollgate plugin inspect world.wasm
    error: world.wasm: the component is neither a stage nor a gate: it exports nothing
    hint: a plugin is a component of the world `stage` or `gate` with its plugin.toml embedded; build it again, or copy it again
    exit 3

    $ tollgate plugin inspect none.wasm
    error: none.wasm is not there
    hint: name the file of a component, or one of the plugins that `tollgate plugin list` shows
    exit 3

    $ tollgate plugin inspect backlog
    error: backlog is a folder
    hint: name the file of a component, or one of the plugins that `tollgate plugin list` shows
    exit 3

    $ tollgate plugin inspect triag
    error: there is no plugin `triag`; did you mean `triage`?
    hint: `tollgate plugin list` shows all; a file is named by its path
    exit 3

    $ tollgate plugin inspect triage@^9
    error: no version of `triage` satisfies `^9`; its versions: 1.0.0
    hint: `tollgate plugin list` shows all; a file is named by its path
    exit 3

    $ tollgate check
    2 files checked, nothing is wrong
    warning: a plugin is not used: [folder]/plugins/cut.wasm is damaged or cut short at byte 268764: unexpected end-of-file
    hint: build it again, or take it out of the project's `plugins` folder: no stage or gate can name it
    exit 0
    "#);
}

#[test]
fn what_a_person_has_to_know_is_on_stderr_and_data_alone_on_stdout() {
    let project = Project::with_one_item();
    project.write("tollgate.toml", "[backlog");
    for args in [&["run"] as &[_], &["why", "W-1"], &["runs", "list", "--json"], &["report", "coverage"]] {
        let ended = project.run(args);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), ""), "{args:?}");
        assert!(ended.stderr.contains("tollgate.toml:1:"), "{}", ended.stderr);
    }
    assert!(!Path::new(&project.path().join(".tollgate")).exists(), "a mistake leaves nothing behind");
}

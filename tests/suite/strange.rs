//! Plugins that misbehave and items that nobody can read, in one backlog with ten good ones: each ends as what it is, is told, and
//! costs the others nothing.

use serde_json::Value;

use crate::support::{GOOD_ITEM, Project, repository};

/// A manner of misbehaving: what the stage is told, and how its run has to stand afterwards.
const MANNERS: &[(&str, &str, &str)] = &[
    ("loop", r#"{ do = "loop" }"#, "waiting"),
    ("calls", r#"{ do = "many-host-calls", amount = 1000000 }"#, "waiting"),
    ("memory", r#"{ do = "memory-bomb" }"#, "failed"),
    ("recursion", r#"{ do = "recurse" }"#, "failed"),
    ("panic", r#"{ do = "panic" }"#, "failed"),
    ("flood", r#"{ do = "log-flood", amount = 400 }"#, "done"),
    ("giant", r#"{ do = "giant-result", amount = 1500000 }"#, "failed"),
    ("artifact", r#"{ do = "big-artifact" }"#, "failed"),
    ("forged", r#"{ do = "forged-artifact" }"#, "failed"),
    ("json", r#"{ do = "bad-json" }"#, "failed"),
    ("effects", r#"{ do = "many-effects" }"#, "failed"),
    ("twice", r#"{ do = "same-effect-twice" }"#, "failed"),
    ("grumpy", r#"{ do = "unknown-failure-class" }"#, "failed"),
    ("settings", r#"{ do = "dance" }"#, "failed"),
];

/// Files that are no items, by name and bytes.
const NO_ITEMS: &[(&str, &[u8])] = &[
    ("cut.md", b"---\ntitle: never closed\n"),
    ("latin.md", b"---\ntitle: caf\xe9\n---\n"),
    ("bomb.md", b"---\na: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\ntitle: *b\n---\n"),
    ("list.md", b"---\n- one\n- two\n---\n"),
    ("nul.md", b"---\ntitle: a\0b\n---\n\0\0"),
    ("empty.md", b""),
];

fn project() -> Project {
    let project = Project::empty();
    let guest = repository().join("tests/guests/dist/hostile-stage.wasm");
    std::fs::create_dir(project.path().join("plugins")).expect("the folder can be made");
    std::fs::copy(guest, project.path().join("plugins/hostile-stage.wasm")).expect("a plugin can be copied");
    let mut routes = String::new();
    for (name, settings, _) in MANNERS {
        routes.push_str(&format!("{{ use = \"{name}\", when = '\"{name}\" in labels' }}, "));
        project.write(
            &format!("pipelines/{name}.toml"),
            &format!(
                "owner = \"team\"\n[[stage]]\nname = \"act\"\nplugin = \"hostile-stage\"\nwith = {settings}\n\
                 budget = {{ fuel = \"100M\", time = \"30s\", memory = \"16MiB\" }}\n"
            ),
        );
        project.write(
            &format!("backlog/bad-{name}.md"),
            &format!("---\nid: BAD-{name}\ntitle: It is told to {name}\nlabels: [{name}]\n---\n"),
        );
    }
    project.change("tollgate.toml", |policy| {
        policy.replace("pipeline = \"spec\"", &format!("pipeline = [{routes}{{ use = \"spec\" }}]"))
    });
    for number in 1..=10 {
        project.write(&format!("backlog/w-{number}.md"), &GOOD_ITEM.replace("W-1", &format!("W-{number}")));
    }
    for (name, bytes) in NO_ITEMS {
        std::fs::write(project.path().join("backlog").join(name), bytes).expect("a file can be written");
    }
    project
}

/// The state of the newest run of each entry.
fn states(project: &Project) -> Vec<(String, String)> {
    let runs = project.run(&["runs", "list", "--json"]).json(0);
    let text = |run: &Value, key: &str| run[key].as_str().unwrap_or_default().to_owned();
    let name = |run: &Value| run["entry"]["key"].as_str().map_or_else(|| text(run, "entry"), str::to_owned);
    let runs = runs["runs"].as_array().expect("runs");
    let mut states: Vec<_> = runs.iter().map(|run| (name(run), text(run, "state"))).collect();
    states.sort();
    states
}

#[test]
fn what_is_strange_ends_as_what_it_is_and_ten_good_runs_do_not_notice() {
    let project = project();
    let drained = project.run(&["run", "--drain"]);
    let said = format!("{}{}", drained.stdout, drained.stderr);
    let mut expected: Vec<_> =
        MANNERS.iter().map(|(name, _, state)| (format!("BAD-{name}"), (*state).to_owned())).collect();
    expected.extend((1..=10).map(|number| (format!("W-{number}"), "done".to_owned())));
    expected.sort();
    let found = states(&project);
    let strays: Vec<_> = found.iter().filter(|state| !expected.contains(state)).collect();
    assert!(expected.iter().all(|state| found.contains(state)), "{found:?}\n{said}");
    // Whoever takes nothing for an item but an unreadable one is told; what can be read at all is an item.
    assert!(
        strays.iter().all(|(name, _)| NO_ITEMS.iter().any(|(file, _)| file.starts_with(name.as_str()))),
        "{strays:?}"
    );
    for (name, _) in NO_ITEMS {
        let known = said.contains(name) || strays.iter().any(|(key, _)| name.starts_with(key.as_str()));
        assert!(known, "{name} was lost without a word:\n{said}");
    }
    let audit = project.run(&["audit", "verify"]).expect_code(0);
    assert!(audit.contains("all fits"), "{audit}");
}

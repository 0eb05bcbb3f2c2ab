//! Work that goes through the places of the matrix: each scene a project, and what is done with it.

use std::{collections::HashSet, fs};

use serde_json::{Value, json};
use tollgate_core::Digest;

use super::victim::Setting;
use crate::{
    internal::project_that_opens,
    provider::{Act, Provider},
    support::{GOOD_ITEM, Project, repository},
    vanish::ENDLESS,
};

/// A project, and what is done with it.
pub(super) struct Scene {
    pub(super) name: &'static str,
    pub(super) project: fn() -> Project,
    pub(super) steps: &'static [Step],
    /// What was asked outside and not answered is charged at its largest, so it may cost more than undisturbed.
    pub(super) may_cost_more: bool,
}

/// Something that is done, or done again after somebody was killed.
pub(super) enum Step {
    /// A command, which goes on where it was killed.
    Command(&'static [&'static str]),
    /// Something that a person says by a command. Who is not sure of having been heard looks before saying it again.
    Said(&'static [&'static str]),
    /// A host that dies here, whoever else is killed in other steps.
    Dies(&'static str),
    /// A host that is told to stop at once while it is in its first call, where nobody is killed.
    Stopped,
    /// Something that is done to the project.
    Done(fn(&Setting<'_>, &Project)),
}

/// Where it is told.
pub(super) const STOPPED_AT: &str = "drive.call";

/// One worker takes one entry after the other, so that who dies has one in hand.
const RUN: Step = Step::Command(&["run", "--drain", "--workers", "1"]);

pub(super) const SCENES: &[Scene] = &[
    Scene {
        name: "work",
        project: work,
        steps: &[
            Step::Dies("drive.call:1"),
            RUN,
            // It is known by now that what is done was put away; else what is retried might be claimed before it is.
            RUN,
            Step::Said(&["runs", "retry", "W-1", "--reason", "once more"]),
            RUN,
        ],
        may_cost_more: false,
    },
    Scene { name: "refine", project: refine, steps: &[RUN], may_cost_more: false },
    Scene { name: "split", project: split, steps: &[RUN], may_cost_more: false },
    Scene { name: "model", project: model, steps: &[RUN], may_cost_more: true },
    Scene {
        name: "ask",
        project: ask,
        steps: &[
            RUN,
            Step::Said(&["runs", "answer", "A-1", "all who read there", "--who", "ines"]),
            Step::Said(&["event", "deployed-A-1", "--data", "{\"build\": 7}", "--who", "ci"]),
            Step::Said(&["event", "deployed-A-2", "--data", "{\"build\": 8}", "--who", "ci"]),
            RUN,
        ],
        may_cost_more: false,
    },
    Scene {
        name: "people",
        project: people,
        steps: &[
            Step::Stopped,
            Step::Said(&["stop", "--reason", "the disk is replaced"]),
            Step::Said(&["resume"]),
            Step::Said(&["runs", "cancel", "W-9", "--reason", "it is not needed"]),
            RUN,
            Step::Said(&["backlog", "admit", "W-3", "--why", "it is another"]),
            Step::Said(&["backlog", "set", "W-2", "effort=3"]),
            RUN,
        ],
        may_cost_more: false,
    },
    Scene {
        name: "adopt",
        project: adopt,
        steps: &[Step::Command(&["backlog", "adopt"]), RUN],
        may_cost_more: false,
    },
    Scene {
        name: "rebuild",
        project: Project::with_one_item,
        steps: &[
            RUN,
            Step::Done(|setting, project| {
                fs::remove_dir_all(project.path().join(".tollgate")).expect("a store can be lost");
                setting.new_store(project);
            }),
            Step::Command(&["backlog", "take-over", "--reason", "the disk is gone"]),
            RUN,
        ],
        may_cost_more: false,
    },
    Scene {
        name: "move",
        project: aging,
        steps: &[
            RUN,
            Step::Command(&["store", "export", "there.jsonl", "--move-to", "there"]),
            Step::Command(&["store", "stay"]),
            Step::Done(|setting, project| setting.new_store(project)),
            Step::Command(&["store", "import", "there.jsonl"]),
            RUN,
        ],
        may_cost_more: false,
    },
    Scene {
        name: "flood",
        project: waiting,
        steps: &[
            RUN,
            Step::Command(&["store", "export", "judged.jsonl"]),
            Step::Done(|setting, project| {
                make_due(project, "judged.jsonl");
                setting.new_store(project);
            }),
            Step::Command(&["store", "import", "judged.jsonl"]),
            Step::Done(|_, project| add_items(project, &["W-2"])),
            RUN,
        ],
        may_cost_more: false,
    },
];

/// More entries than are judged one by one.
const FLOOD: usize = 120;

/// Whose events are packed as soon as a run is over, by the next host that begins.
fn aging() -> Project {
    let project = Project::with_one_item();
    project.change("tollgate.toml", |text| {
        text.replacen("[instance]\n", "[instance]\npack_after_days = 0\n", 1)
    });
    project
}

/// Many that wait for something that does not come, and one that does not.
fn waiting() -> Project {
    let project = Project::with_one_item();
    for number in 0..FLOOD {
        let key = format!("N-{number}");
        let waits = item(&key).replace("status:", "depends: [NEVER]\nstatus:");
        project.write(&format!("backlog/{}.md", key.to_lowercase()), &waits);
    }
    project
}

/// Has what an export knows of be judged again, and belong elsewhere than it is said to.
fn make_due(project: &Project, export: &str) {
    let path = project.path().join(export);
    let text = fs::read_to_string(&path).expect("an export is text");
    let (mut columns, mut digest) = (None, Digest::of(b"tollgate.store/1"));
    let lines = text.lines().map(|line| {
        let mut value: Value = serde_json::from_str(line).expect("a line of an export is JSON");
        if value["table"].is_string() {
            let position = |name| value["columns"].as_array()?.iter().position(|column| column == name);
            columns = position("rank_key").zip(position("due_at")).filter(|_| value["table"] == "place");
        } else if let (Value::Array(row), Some((rank_key, due_at))) = (&mut value, columns) {
            row[rank_key] = json!(format!("{}00", row[rank_key].as_str().expect("it has a lane")));
            row[due_at] = json!(1);
        } else if !value["end"].is_null() {
            value["end"]["lines"] = json!(digest);
        }
        let line = value.to_string();
        digest = Digest::of_parts([digest.as_bytes().as_slice(), line.as_bytes()]);
        line + "\n"
    });
    let changed: String = lines.collect();
    fs::write(&path, changed).expect("an export can be written");
}

/// An item that passes.
fn item(key: &str) -> String {
    let title = format!("Show the opening hours of {key}");
    GOOD_ITEM.replace("id: W-1", &format!("id: {key}")).replace("Show the opening hours of a branch", &title)
}

fn add_items(project: &Project, keys: &[&str]) {
    for key in keys {
        project.write(&format!("backlog/{}.md", key.to_lowercase()), &item(key));
    }
}

fn add_guest(project: &Project, name: &str) {
    let guest = repository().join("tests/guests/dist").join(name);
    fs::create_dir_all(project.path().join("plugins")).expect("a folder can be made");
    fs::copy(guest, project.path().join("plugins").join(name)).expect("the guest was built");
}

/// Items that are published, moved to a state and between folders; the first draft of one does not pass its gate, and one waits for it.
fn work() -> Project {
    let project = Project::empty();
    let places = "settle = \"0s\"\nmove = { specified = \"Specified\" }\nclaim_marker = \"move\"\non_done = \"completed/\"";
    project.change("tollgate.toml", |text| text.replace("settle = \"0s\"", places));
    project.change("pipelines/spec.toml", |text| {
        text.replace("[\"effect:publish-file\"]", "[\"effect:publish-file\", \"effect:set-state\"]")
            .replace("{ to = ", "{ state = \"specified\", to = ")
    });
    add_items(&project, &["W-1", "W-2", "W-3", "W-4", "W-5", "W-6"]);
    let vague = "- [ ] The page must be fast.\n- [ ] A closed branch shows";
    project.write("backlog/r-1.md", &item("R-1").replace("- [ ] A branch that is closed today shows", vague));
    project.write("backlog/d-1.md", &item("D-1").replace("status:", "depends: [R-1]\nstatus:"));
    project
}

/// Items that are ordered by what is found out of them, and marked while they are worked on.
fn refine() -> Project {
    let project = Project::empty();
    project.change("tollgate.toml", |text| {
        let text = text
            .replace(
                "priority = 'age_days'",
                "priority = 'field.impact'\nrefine = [{ plugin = \"triage@^1\" }]",
            )
            .replace("settle = \"0s\"", "settle = \"0s\"\nclaim_marker = \"sidecar\"");
        let impact =
            "type = \"number\", purpose = \"order\", from = \"refine:triage.impact\", trust = \"text\"";
        format!("{text}\n[backlog.work.fields]\nimpact = {{ {impact} }}\n")
    });
    add_items(&project, &["W-1", "W-2"]);
    project
}

/// An item that is split into two entries, by a stage that waits for them and is told what became of them.
fn split() -> Project {
    project_that_opens("{ entries = [{ title = \"Part {n} of {key}\" }], times = 2, wait = true }")
}

/// Items of which a model is asked, whose provider wants to be left alone when it hears of one the first time.
fn model() -> Project {
    let mut heard_of = HashSet::new();
    let provider = Provider::answering(move |received| {
        let body = received.body.to_string();
        match (heard_of.insert(body.clone()), body.contains("proposed by")) {
            (true, _) => Act::retry_after(429, "1"),
            (false, true) => Act::anthropic(&review(), 30, 40),
            (false, false) => Act::anthropic(&proposals(), 10, 20),
        }
    });
    let project = crate::model::project(&provider, "anthropic");
    add_items(&project, &["W-1", "W-2"]);
    project
}

/// The variable in which every process finds the provider's key.
pub(super) const KEY: &str = "THE_KEY";

fn proposals() -> String {
    let criteria = json!([{ "text": "The page names the time zone of the hours", "proves": ["REQ-1"] }]);
    json!({ "criteria": criteria, "out_of_scope": [], "questions": [] }).to_string()
}

fn review() -> String {
    let answer = |rule| (format!("REVIEW-00{rule}"), json!({ "holds": true, "reason": "AC-1 says it." }));
    (1..=6).map(answer).collect::<Value>().to_string()
}

/// Items that wait for a person, an event and time.
fn ask() -> Project {
    let project = Project::example("asking");
    project.change("tollgate.toml", |text| format!("[instance]\nlease = \"5s\"\n\n{text}"));
    project
}

/// What is sent back costs more than was set aside for it.
const DEAR: &str = r#"
owner = "team"
budget = { cost = "$0.50", time = "5m" }

[[stage]]
name = "work"
plugin = "hostile-stage"
budget = { fuel = "60M" }
with = { do = "many-host-calls", amount = 20000 }

  [[stage.gate]]
  plugin = "hostile-gate"
  budget = { fuel = "1M" }
  rework_to = "work"
  with = { judge = { fail-until-round = 1 } }
"#;

/// An item whose call never ends, one that costs more than it seems, two that are alike, and one of which a person says something.
fn people() -> Project {
    let project = Project::empty();
    project.change("tollgate.toml", |text| {
        let pipelines = "pipeline = [{ use = \"endless\", when = 'key == \"W-9\"' }, { use = \"dear\", when = 'key == \"W-4\"' }, \
                         { use = \"spec\" }]\nintake = { duplicates = true }";
        let text = text.replace("pipeline = \"spec\"", pipelines);
        format!(
            "{text}\n[backlog.work.fields]\neffort = {{ type = \"number\", purpose = \"order\", from = \"front-matter:effort\", default = 1 }}\n"
        )
    });
    project.write("pipelines/endless.toml", ENDLESS);
    project.write("pipelines/dear.toml", DEAR);
    add_guest(&project, "hostile-stage.wasm");
    add_guest(&project, "hostile-gate.wasm");
    let tea = "Serve tea at the desk";
    project.write("backlog/w-1.md", GOOD_ITEM);
    project
        .write("backlog/w-2.md", &format!("---\nid: W-2\ntitle: {tea}\n---\n\nReaders would stay longer.\n"));
    project.write("backlog/w-3.md", &GOOD_ITEM.replace("W-1", "W-3").replace("Summary", "In short"));
    project.write("backlog/w-4.md", "---\nid: W-4\ntitle: Weigh the books\n---\n\nOne after the other.\n");
    project.write(
        "backlog/w-9.md",
        "---\nid: W-9\ntitle: Count the sand\ncreated: 2020-01-01\n---\n\nAll of it.\n",
    );
    project
}

/// Items of which some were done before.
fn adopt() -> Project {
    let project = Project::empty();
    project.change("tollgate.toml", |text| {
        text.replace("priority =", "done = { when = '\"has-spec\" in labels' }\npriority =")
    });
    add_items(&project, &["S-1", "S-2", "S-3"]);
    for done in ["backlog/s-1.md", "backlog/s-2.md"] {
        project.change(done, |text| text.replace("status:", "labels: [has-spec]\nstatus:"));
    }
    project
}

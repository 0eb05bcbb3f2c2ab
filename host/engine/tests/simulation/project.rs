//! The project that every world works on: policies, and plugins that are manifests alone.

use std::{
    path::Path,
    sync::{Arc, LazyLock},
};

use tollgate_policy::Policy;
use tollgate_registry::{Origin, Registry, Version, component::embed};

use crate::plan::LEASE;

/// How many policies there are.
pub(crate) const POLICIES: usize = 8;

/// The kinds of items, each with a pipeline of its name. A policy knows [`KINDS_EACH`] of them.
const KINDS: [&str; 9] =
    ["plain", "judged", "publishes", "asks", "fails", "sleeps", "listens", "approved", "splits"];

/// How many kinds of items a policy knows.
const KINDS_EACH: usize = 4;

/// The kinds of items that a policy knows.
pub(crate) fn kinds(policy: usize) -> impl Iterator<Item = &'static str> {
    (0..KINDS_EACH).map(move |place| KINDS[(policy * 2 + place * (1 + policy % 2)) % KINDS.len()])
}

/// Whether a policy has items marked that somebody works on.
pub(crate) fn marks_claims(policy: usize) -> bool {
    !policy.is_multiple_of(2)
}

/// Whether a policy has the items of its first backlog refined.
fn refines(policy: usize) -> bool {
    policy % 3 == 1
}

/// Whether what is done is done again when its item changes.
pub(crate) fn reruns(policy: usize) -> bool {
    policy.is_multiple_of(4)
}

/// The trackers of the two backlogs.
pub(crate) const TRACKERS: [(&str, &str); 2] = [("work", "folder:work"), ("side", "folder:side")];

/// How items are refined.
const REFINE: &str = "[[backlog.work.refine]]\nplugin = \"scouts\"\nbudget = { fuel = \"50M\", time = \"30s\" }\n\
                      with = { takes = \"short\", fails = \"by-run\" }\n";

/// What is refined, and what a person may say of it.
const REFINED_FIELDS: &str = "seen = { type = \"number\", purpose = \"eligibility\", from = \"refine:scouts.seen\", trust = \"text\" }\n\
     weight = { type = \"number\", purpose = \"eligibility\", from = \"front-matter:weight\", default = 0 }\n";

/// What the plugin says of itself that refines.
const SCOUTED: &str = "[data]\ntype = \"object\"\n[data.properties]\nseen = { type = \"number\" }\nkey = { type = \"string\" }\n";

/// What a component is that does nothing: its eight first bytes.
const EMPTY_COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// The project's folder, in which nothing is but its policies.
pub(crate) struct Project {
    folder: tempfile::TempDir,
    pub(crate) registry: Arc<Registry>,
    policies: Vec<Arc<Policy>>,
}

/// The project, made once for all worlds.
pub(crate) static PROJECT: LazyLock<Project> = LazyLock::new(Project::new);

impl Project {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let policies = (0..POLICIES).map(|number| Arc::new(policy(folder.path(), number))).collect();
        Self { folder, registry: Arc::new(registry()), policies }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn policy(&self, number: usize) -> Arc<Policy> {
        Arc::clone(&self.policies[number % POLICIES])
    }
}

fn registry() -> Registry {
    let mut registry = Registry::default();
    let manifest = |name: &str, kind: &str, more: &str| {
        format!(
            "name = \"{name}\"\nversion = \"1.0.0\"\nkind = \"{kind}\"\ncontract = \"0.1\"\nsummary = \"Simulated.\"\n\
             license = \"Apache-2.0\"\nreads = [\"key\", \"body\"]\n{more}\n"
        )
    };
    let rule = "[[rule]]\nid = \"SIM-001\"\nseverity = \"error\"\nsummary = \"It is time\"\nrationale = \"Because.\"";
    let effects = "effects = [\"publish-file\", \"open-entry\"]";
    for manifest in [
        manifest("does", "stage", effects),
        manifest("asks", "stage", "capabilities = [\"probe\"]"),
        manifest("judges", "gate", rule),
        manifest("scouts", "stage", SCOUTED),
    ] {
        let version = Version::read(embed(EMPTY_COMPONENT, &manifest), Origin::Shipped);
        registry.add(version.expect("a plugin")).expect("no other of its name");
    }
    registry
}

fn policy(folder: &Path, number: usize) -> Policy {
    let folder = folder.join(number.to_string());
    let write = |path: String, text: String| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a path in a folder")).expect("a folder can be made");
        std::fs::write(path, text).expect("a file can be written");
    };
    let is_tight = number.is_multiple_of(2);
    write("tollgate.toml".to_owned(), project_file(number, is_tight));
    for kind in kinds(number).chain(["part"]) {
        write(format!("pipelines/{kind}.toml"), pipeline(kind, number));
    }
    let policy = Policy::load_for(&folder, &["probe"]).unwrap_or_else(|error| panic!("{error}"));
    let mut policy = policy;
    policy.instance.lease = LEASE;
    policy
}

fn project_file(number: usize, is_tight: bool) -> String {
    let caps = if is_tight { "[caps]\nday = \"$0.00012\"\n\n" } else { "" };
    let on_change = if reruns(number) { "rerun" } else { "ignore" };
    let route = |kind| format!("{{ use = \"{kind}\", when = 'field.kind == \"{kind}\"' }}");
    let routes = kinds(number).map(route).collect::<Vec<_>>().join(", ");
    let marker = if marks_claims(number) { "claim_marker = \"sidecar\"\n" } else { "" };
    let backlogs = TRACKERS.map(|(name, tracker)| {
        let source = tracker.trim_start_matches("folder:");
        let internal = if name == "work" { "[[backlog.work.source]]\ninternal = true\n" } else { "" };
        let (eligible, trusted, refine, fields) = match refines(number) && name == "work" {
            true => {
                ("field.seen >= 0 && field.weight >= 0", "trust_text = [\"seen\"]\n", REFINE, REFINED_FIELDS)
            }
            false => ("true", "", "", ""),
        };
        format!(
            "[backlog.{name}]\nowner = \"team\"\npipeline = [{routes}, {{ use = \"part\" }}]\neligible = '{eligible}'\n\
             order_by = [\"key\"]\n{trusted}on_change = \"{on_change}\"\npull = [{{ every = \"3s\" }}]\n\n\
             [[backlog.{name}.source]]\nfolder = \"{source}\"\nsettle = \"0s\"\n{marker}\n{internal}\n{refine}\n\
             [backlog.{name}.fields]\nkind = {{ type = \"string\", purpose = \"routing\", from = \"front-matter:kind\", \
             default = \"part\" }}\n{fields}\n"
        )
    });
    format!("[instance]\nlease = \"5s\"\n\n[roles]\nlead = [\"ines\"]\n\n{caps}{}", backlogs.join(""))
}

fn pipeline(kind: &str, number: usize) -> String {
    let head = "owner = \"team\"\nbudget = { cost = \"$0.01\", time = \"10m\" }\n\n";
    let stage = |name: &str, plugin: &str, with: &str, more: &str| {
        format!(
            "[[stage]]\nname = \"{name}\"\nplugin = \"{plugin}\"\nbudget = {{ fuel = \"100M\", time = \"30s\" }}\n\
             retry = {{ attempts = 3, backoff = \"200ms..400ms\" }}\nwith = {{ {with} }}\n{more}\n"
        )
    };
    let takes = ["short", "long", "no", "short"][number / 2 % 4];
    let takes = format!("takes = \"{takes}\"");
    let gate = |with: &str| {
        format!(
            "\n[[stage.gate]]\nname = \"gate\"\nplugin = \"judges\"\nrework_to = \"begin\"\nrework_limit = 2\n\
             budget = {{ fuel = \"50M\", time = \"30s\" }}\nwith = {{ {with} }}\n"
        )
    };
    let begin = stage("begin", "does", &takes, "");
    let publish = |with: &str| stage("publish", "does", with, "grant = [\"effect:publish-file\"]");
    let body = match kind {
        "judged" => begin + &gate("judges = \"strictly\", until = 1") + &publish("publishes = \"now\""),
        "publishes" => {
            publish(&format!("publishes = \"now\", {takes}"))
                + &stage("again", "does", "publishes = \"later\"", "grant = [\"effect:publish-file\"]")
        }
        "asks" => {
            let class = ["keyed", "unsafe", "repeatable"][number % 3];
            stage("ask", "asks", &format!("asks = 4, class = \"{class}\", {takes}"), "grant = [\"probe\"]")
                + &begin
        }
        "fails" => {
            stage("first", "does", "fails = \"once\"", "")
                + &stage("second", "does", "fails = \"sometimes\"", "")
                + &stage("clean", "does", &takes, "on = \"always\"")
        }
        "sleeps" => begin + &stage("sleep", "does", "waits = \"time\"", "") + &publish("publishes = \"now\""),
        "listens" => begin + &stage("listen", "does", "waits = \"event\"", ""),
        "approved" => {
            begin
                + &gate("judges = \"vaguely\"")
                + &stage(
                    "release",
                    "does",
                    "publishes = \"now\"",
                    "grant = [\"effect:publish-file\"]\napproval = { role = \"lead\" }",
                )
        }
        "splits" => {
            stage("split", "does", "waits = \"children\"", "grant = [\"effect:open-entry\"]") + &begin
        }
        _ => begin + &stage("middle", "does", &takes, "") + &stage("end", "does", "", ""),
    };
    format!("{head}{body}")
}

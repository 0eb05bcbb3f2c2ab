//! Kill -9 at every commit point of a run and of its deliveries: the next host finishes the work, and there is exactly one
//! record.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard},
};

use crate::{
    internal::project_that_opens,
    support::{GOOD_ITEM, Project, command, finish},
};

/// Work that a process is killed in the middle of.
struct Scene {
    /// The project before anything ran.
    project: fn() -> Project,
    /// Where the process is killed: at each visit of each of these places. Each is visited many times.
    points: &'static [&'static str],
    /// What there must be in the end.
    check: fn(&Project, context: &str),
}

/// How many cases of a scene run at the same time. They wait for leases to lapse most of the time.
const AT_ONCE: usize = 20;

impl Scene {
    /// Kills the first process at the `count`th visit of `point`, lets a second one go on, and checks what is there then. False when
    /// the first process ended before it came to that place so often.
    fn kill_and_go_on(&self, point: &str, count: u64) -> bool {
        let project = (self.project)();
        let mut first = command(project.path(), &["run", "--drain", "--workers", "1"]);
        first.env("TOLLGATE_CRASH_AT", format!("{point}:{count}"));
        let first = finish(first);
        let was_killed = first.code.is_none();
        if !was_killed {
            drop(first.expect_code(0));
        }

        let context = format!("{point}:{count}");
        let second = project.run(&["run", "--drain"]);
        assert_eq!(second.code, Some(0), "{context}: {}{}", second.stdout, second.stderr);
        (self.check)(&project, &context);
        let audit = project.run(&["audit", "verify", "--json"]).json(0);
        assert_eq!(audit["problems"], serde_json::json!([]), "{context}");
        was_killed
    }

    fn play(&self) {
        // Undisturbed, and so that the cases find compiled components: nobody is killed while it compiles.
        let whole = (self.project)();
        drop(whole.run(&["run", "--drain"]).expect_code(0));
        (self.check)(&whole, "undisturbed");
        let cases = Mutex::new(self.points.iter().map(|&point| (point, 1)).collect());
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    while let Some((point, count)) = next(&cases) {
                        assert!(count < 500, "{point} is visited without end");
                        if !self.kill_and_go_on(point, count) {
                            assert!(count > 1, "{point} is never visited");
                            lock(&cases).retain(|(other, _)| *other != point);
                        }
                    }
                });
            }
        });
    }
}

/// Places, and the visit of each that comes next; a place leaves when it was not visited so often.
type Cases = VecDeque<(&'static str, u64)>;

fn next(cases: &Mutex<Cases>) -> Option<(&'static str, u64)> {
    let mut cases = lock(cases);
    let (point, count) = cases.pop_front()?;
    cases.push_back((point, count + 1));
    Some((point, count))
}

fn lock(cases: &Mutex<Cases>) -> MutexGuard<'_, Cases> {
    cases.lock().expect("no other case failed")
}

/// How many runs there were, of each entry.
fn runs_of(project: &Project) -> Vec<String> {
    let runs = project.run(&["runs", "list", "--json"]).json(0);
    let runs = runs["runs"].as_array().expect("a list of runs");
    let mut keys: Vec<_> =
        runs.iter().map(|run| run["entry"]["key"].as_str().expect("a key").to_owned()).collect();
    keys.sort();
    keys
}

#[test]
fn a_process_killed_at_any_commit_point_loses_and_doubles_nothing() {
    let scene = Scene {
        project: Project::with_one_item,
        points: &[
            "store.commit.before",
            "store.commit.after",
            "deliver.before",
            "deliver.after",
            "tracker.write.synced",
            "tracker.write.renamed",
        ],
        check: |project, context| {
            assert_eq!(project.records(), [("backlog/w-1.tollgate.md".to_owned(), 1)], "{context}");
            let published = project.read("specs/W-1.md");
            assert!(published.contains("Show the opening hours of a branch"), "{context}");
            assert_eq!(project.read("backlog/w-1.md"), GOOD_ITEM, "{context}: the item was touched");
            assert_eq!(runs_of(project), ["W-1"], "{context}");
        },
    };
    scene.play();
}

/// An item whose first draft does not pass its gate, and one that waits for it. Both publish a file and are moved to a state.
fn project_with_rework_and_dependant() -> Project {
    let project = Project::empty();
    let change = |file: &str, from: &str, to: &str| {
        let text = project.read(file);
        assert!(text.contains(from), "{file} has no {from}");
        project.write(file, &text.replacen(from, to, 1));
    };
    change("tollgate.toml", "settle = \"0s\"", "settle = \"0s\"\nmove = { specified = \"Specified\" }");
    change(
        "pipelines/spec.toml",
        "[\"effect:publish-file\"]",
        "[\"effect:publish-file\", \"effect:set-state\"]",
    );
    change("pipelines/spec.toml", "{ to = ", "{ state = \"specified\", to = ");
    project.write("backlog/r-1.md", &item_that_needs_rework());
    project.write("backlog/d-1.md", &dependant());
    project
}

fn item_that_needs_rework() -> String {
    GOOD_ITEM.replace("id: W-1", "id: R-1").replace(
        "- [ ] A branch that is closed today shows",
        "- [ ] The page must be fast.\n- [ ] A closed branch shows",
    )
}

fn dependant() -> String {
    GOOD_ITEM.replace("id: W-1", "id: D-1\ndepends: [R-1]")
}

#[test]
fn rework_effects_and_dependants_survive_a_kill_at_any_commit_point() {
    let scene = Scene {
        project: project_with_rework_and_dependant,
        // Before a commit, and before a delivery, the disk is what it was after the commit that came last.
        points: &["store.commit.after", "tracker.write.synced", "tracker.write.renamed", "deliver.after"],
        check: |project, context| {
            let records = ["backlog/d-1.tollgate.md", "backlog/r-1.tollgate.md"];
            assert_eq!(project.records(), records.map(|path| (path.to_owned(), 1)), "{context}");
            for (key, item) in [("R-1", item_that_needs_rework()), ("D-1", dependant())] {
                let published = project.read(&format!("specs/{key}.md"));
                assert!(published.contains("Show the opening hours of a branch"), "{context}: {published}");
                let moved = item.replace("status: To Do", "status: Specified");
                assert_eq!(project.read(&format!("backlog/{}.md", key.to_lowercase())), moved, "{context}");
            }
            assert_eq!(runs_of(project), ["D-1", "R-1"], "{context}");
            let reworked = project.run(&["runs", "show", "R-1", "--json"]).json(0);
            assert_eq!(reworked["record"]["reworks"].as_array().map(Vec::len), Some(1), "{context}");
            let dependant = project.run(&["runs", "show", "D-1", "--json"]).json(0);
            let ended_at = |run: &serde_json::Value| run["record"]["ended_at"].to_string();
            assert!(ended_at(&reworked) <= ended_at(&dependant), "{context}: {dependant}");
        },
    };
    scene.play();
}

/// A project whose item is in `in-progress/` while it is worked on, and in `completed/` afterwards.
fn project_with_moves() -> Project {
    let project = Project::with_one_item();
    let moves = "settle = \"0s\"\nclaim_marker = \"move\"\non_done = \"completed/\"";
    project.write("tollgate.toml", &project.read("tollgate.toml").replace("settle = \"0s\"", moves));
    project
}

#[test]
fn an_item_that_is_moved_survives_a_kill_at_any_commit_point() {
    let scene = Scene {
        project: project_with_moves,
        points: &["store.commit.after", "tracker.move.renamed", "deliver.before", "deliver.after"],
        check: |project, context| {
            assert_eq!(project.records(), [("backlog/completed/w-1.tollgate.md".to_owned(), 1)], "{context}");
            assert_eq!(project.read("backlog/completed/w-1.md"), GOOD_ITEM, "{context}");
            for path in ["backlog/w-1.md", "backlog/in-progress/w-1.md"] {
                assert!(!project.path().join(path).exists(), "{context}: {path} is there as well");
            }
            assert_eq!(runs_of(project), ["W-1"], "{context}");
        },
    };
    scene.play();
}

fn project_with_refinement() -> Project {
    let project = Project::with_one_item();
    project.change("tollgate.toml", |policy| {
        let policy = policy.replace(
            "priority = 'age_days'",
            "priority = 'field.impact'\nrefine = [{ plugin = \"triage@^1\" }]",
        );
        let impact =
            "type = \"number\", purpose = \"order\", from = \"refine:triage.impact\", trust = \"text\"";
        format!("{policy}\n[backlog.work.fields]\nimpact = {{ {impact} }}\n")
    });
    project
}

#[test]
fn an_entry_is_refined_once_whenever_its_host_is_killed() {
    let scene = Scene {
        project: project_with_refinement,
        points: &["store.commit.before", "store.commit.after", "drive.call"],
        check: |project, context| {
            assert_eq!(project.records(), [("backlog/w-1.tollgate.md".to_owned(), 1)], "{context}");
            assert_eq!(runs_of(project), ["W-1", "W-1"], "{context}: one refines, one works");
            let entry = project.run(&["backlog", "show", "W-1", "--json"]).json(0);
            assert_eq!(
                (&entry["state"], &entry["fields"]["impact"]),
                (&"done".into(), &3.into()),
                "{context}"
            );
        },
    };
    scene.play();
}

/// A project whose item is split into two entries, by a stage that waits for them and is told what became of them.
fn project_that_splits() -> Project {
    project_that_opens("{ entries = [{ title = \"Part {n} of {key}\" }], times = 2, wait = true }")
}

#[test]
fn entries_that_a_run_opens_are_opened_once_whatever_commit_point_a_process_is_killed_at() {
    let scene = Scene {
        project: project_that_splits,
        points: &["store.commit.before", "store.commit.after", "deliver.before", "deliver.after"],
        check: |project, context| {
            let entries = project.run(&["backlog", "list", "--json"]).json(0);
            let states: Vec<_> = entries["entries"]
                .as_array()
                .expect("a list of entries")
                .iter()
                .map(|entry| {
                    (entry["title"].as_str().expect("a title"), entry["state"].as_str().expect("a state"))
                })
                .collect();
            assert_eq!(states.len(), 3, "{context}: {states:?}");
            for title in ["Show the opening hours of a branch", "Part 1 of W-1", "Part 2 of W-1"] {
                assert!(states.contains(&(title, "done")), "{context}: {states:?}");
            }
            assert_eq!(runs_of(project).len(), 3, "{context}");
            let parent = project.run(&["backlog", "show", "W-1", "--json"]).json(0);
            assert_eq!(parent["children"].as_array().map(Vec::len), Some(2), "{context}: {parent}");
            let run = project.run(&["runs", "show", "W-1", "--json"]).json(0);
            let told = &run["steps"][1]["outcome"]["data"]["woken"]["by"]["children"];
            let states = (&told[0]["state"], &told[1]["state"], &told[2]);
            assert_eq!(
                states,
                (&"done".into(), &"done".into(), &serde_json::Value::Null),
                "{context}: {run}"
            );
        },
    };
    scene.play();
}

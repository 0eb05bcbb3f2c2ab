//! A stage and a gate that ask a model, run by the binary, against a provider on this machine.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    provider::{Act, Provider},
    support::{Finished, GOOD_ITEM, Project, command, finish},
};

/// The key that nothing may show.
const KEY: &str = "sk-live-4f9d1c77a2";

/// Everything that could speak of a key says all it has to say.
const TALKATIVE: &str = "tollgate=trace,tollgate_model=trace,tollgate_engine=trace,tollgate_store=trace,reqwest=trace,\
                         hyper=trace,hyper_util=trace,rustls=trace";

/// A million tokens read cost three dollars, a million written fifteen: so many microcents a token.
const INPUT: u64 = 300;
const OUTPUT: u64 = 1_500;

const PIPELINE: &str = r#"
owner = "team"
budget = { cost = "$2.00", time = "5m" }

[[stage]]
name = "draft"
plugin = "spec-draft@^1"
grant = ["model"]
retry = { backoff = "0s..0s" }

  [[stage.gate]]
  plugin = "spec-review@^1"
  grant = ["model"]
  rework_to = "draft"
"#;

/// A project whose model is asked at this provider.
pub(crate) fn project(provider: &Provider, kind: &str) -> Project {
    let project = Project::empty();
    let base = if kind == "openai" { format!("{}/v1", provider.url()) } else { provider.url() };
    let policy = project.read("tollgate.toml");
    project.write(
        "tollgate.toml",
        &format!(
            "{policy}\n[model.deep]\nprovider = \"{kind}\"\nbase_url = \"{base}\"\nmodel = \"model-1\"\nkey = {{ env = \
             \"THE_KEY\" }}\nprice = {{ input = \"$3 / 1M\", output = \"$15 / 1M\" }}\n"
        ),
    );
    project.write("pipelines/spec.toml", PIPELINE);
    project.write("backlog/w-1.md", GOOD_ITEM);
    project
}

/// Runs the binary with the key in its environment; neither it nor what it wrote shows it.
fn run(project: &Project, args: &[&str], crash_at: Option<&str>) -> Finished {
    let mut command = command(project.path(), args);
    command.env("THE_KEY", KEY).env("TOLLGATE_LOG", TALKATIVE);
    command.envs(crash_at.map(|at| ("TOLLGATE_CRASH_AT", at)));
    let finished = finish(command);
    assert!(!format!("{}{}", finished.stdout, finished.stderr).contains(KEY), "the output shows the key");
    assert_no_file_shows_the_key(project.path());
    finished
}

fn assert_no_file_shows_the_key(folder: &Path) {
    for entry in fs::read_dir(folder).expect("a folder can be read") {
        let path = entry.expect("a folder can be read").path();
        if path.is_dir() {
            assert_no_file_shows_the_key(&path);
        } else {
            let bytes = fs::read(&path).expect("a file can be read");
            let shows = bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes());
            assert!(!shows, "{} shows the key", path.display());
        }
    }
}

fn run_of(project: &Project) -> Value {
    run(project, &["runs", "show", "W-1", "--json"], None).json(0)
}

fn proposals() -> String {
    let criteria = json!([{ "text": "The page names the time zone of the hours", "proves": ["REQ-1"] }]);
    json!({ "criteria": criteria, "out_of_scope": [], "questions": [] }).to_string()
}

fn review(holds: bool) -> String {
    let answer = |rule| (format!("REVIEW-00{rule}"), json!({ "holds": holds, "reason": "AC-1 says it." }));
    (1..=6).map(answer).collect::<Value>().to_string()
}

type Reply = fn(&str, u64, u64) -> Act;

const WIRES: [(&str, Reply); 2] = [("anthropic", Act::anthropic), ("openai", Act::openai)];

/// Checks that the first attempts of both steps passed, that they cost this besides their compute, and how often was asked.
#[track_caller]
fn assert_done(project: &Project, provider: &Provider, cost_of_tokens: [u64; 2], requests: usize) {
    let run = run_of(project);
    assert_eq!(run["state"], "done", "{run}");
    let steps = run["steps"].as_array().expect("steps");
    assert_eq!(steps.len(), 2, "{run}");
    for (step, expected) in steps.iter().zip(cost_of_tokens) {
        assert_eq!(step["attempt"], 1, "{step}");
        let compute = step["usage"]["fuel"].as_u64().expect("fuel").div_ceil(100_000);
        assert_eq!(step["usage"]["cost"], compute + expected, "{step}");
    }
    assert_eq!(provider.received().len(), requests);
    let audit = project.run(&["audit", "verify", "--json"]).json(0);
    assert_eq!(audit["problems"], json!([]));
}

#[test]
fn a_stage_and_a_gate_ask_a_model_and_the_record_shows_what_it_took() {
    for (kind, reply) in WIRES {
        let provider = Provider::that([reply(&proposals(), 1_000, 200), reply(&review(true), 2_000, 300)]);
        let project = project(&provider, kind);
        run(&project, &["check"], None).expect_code(0);
        run(&project, &["run", "--drain"], None).expect_code(0);
        let cost = [1_000 * INPUT + 200 * OUTPUT, 2_000 * INPUT + 300 * OUTPUT];
        assert_done(&project, &provider, cost, 2);
        let usage = &run_of(&project)["steps"][0]["usage"];
        assert_eq!((&usage["input_tokens"], &usage["output_tokens"]), (&json!(1_000), &json!(200)));
        let record = project.read("backlog/w-1.tollgate.md");
        assert!(record.contains("\"input_tokens\"") && record.contains("\"output_tokens\""), "{record}");
        let asked = provider.received();
        assert!(asked[1].body.to_string().contains("proposed by"), "the gate reads what was proposed");
    }
}

#[test]
fn a_host_that_is_killed_asks_nothing_twice() {
    for at in ["journal.answer.after:1", "journal.answer.after:2"] {
        let provider =
            Provider::that([Act::anthropic(&proposals(), 10, 20), Act::anthropic(&review(true), 30, 40)]);
        let project = project(&provider, "anthropic");
        assert_eq!(run(&project, &["run", "--drain"], Some(at)).code, None, "it was killed");
        run(&project, &["run", "--drain"], None).expect_code(0);
        let cost = [10 * INPUT + 20 * OUTPUT, 30 * INPUT + 40 * OUTPUT];
        assert_done(&project, &provider, cost, 2);
    }
}

#[test]
fn a_provider_that_wants_to_be_left_alone_costs_no_attempt() {
    for limited in [Act::retry_after(429, "1"), Act::retry_after(529, "1")] {
        let provider = Provider::that([
            limited.clone(),
            Act::openai(&proposals(), 10, 20),
            limited,
            Act::openai(&review(true), 30, 40),
        ]);
        let project = project(&provider, "openai");
        let output = run(&project, &["run", "--drain"], None).expect_code(0);
        drop(output);
        let cost = [10 * INPUT + 20 * OUTPUT, 30 * INPUT + 40 * OUTPUT];
        assert_done(&project, &provider, cost, 4);
    }
}

#[test]
fn a_run_waits_for_its_provider_and_says_so() {
    let provider = Provider::that([Act::retry_after(429, "3600")]);
    let project = project(&provider, "anthropic");
    let _stopped = run(&project, &["run", "--drain"], None);
    let run = run_of(&project);
    assert_eq!(run["state"], "waiting", "{run}");
    assert!(
        run.to_string().contains("the provider of the model `deep` takes no more requests for now"),
        "{run}"
    );
    assert_eq!(run["cost"], 0, "nothing was asked");
}

#[test]
fn what_breaks_off_is_asked_again_and_paid_at_its_largest() {
    let half = Act::Cut { body: "{".repeat(100) };
    let provider = Provider::that([
        Act::status(500),
        half,
        Act::anthropic(&proposals(), 10, 20),
        Act::anthropic("I think it is fine.", 10, 10),
        Act::anthropic(&review(true), 30, 40),
    ]);
    let project = project(&provider, "anthropic");
    run(&project, &["run", "--drain"], None).expect_code(0);
    let run = run_of(&project);
    assert_eq!(run["state"], "done", "{run}");
    assert_eq!(provider.received().len(), 5);
    let usage = &run["steps"][0]["usage"];
    assert_eq!(
        usage["output_tokens"],
        2 * 2_000 + 20,
        "twice nobody knows, so it is the most that was asked for"
    );
    assert!(usage["input_tokens"].as_u64() > Some(2 * 1_024 + 10), "{usage}");
    let again = provider.received()[4].body.to_string();
    assert!(again.contains("That is not what the schema asks for"), "{again}");
}

#[test]
fn a_provider_that_never_answers_fails_the_run_as_infrastructure() {
    let provider = Provider::that([]);
    let project = project(&provider, "openai");
    run(&project, &["run", "--drain"], None).expect_code(1);
    let run = run_of(&project);
    assert_eq!(run["state"], "failed", "{run}");
    let steps = run["steps"].as_array().expect("steps");
    let ends: Vec<_> = steps.iter().map(|step| (&step["attempt"], &step["summary"])).collect();
    assert_eq!(provider.received().len(), 3 * steps.len(), "{ends:?}");
    assert!(run["reason"].as_str().expect("a reason").contains("answered with status 500"), "{run}");
}

#[test]
fn a_key_that_is_missing_or_in_the_file_is_a_mistake() {
    let provider = Provider::that([]);
    let project = project(&provider, "openai");
    let finished = project.run(&["run", "--drain"]);
    assert!(finished.stderr.contains("the environment variable THE_KEY is not set"), "{}", finished.stderr);
    finished.expect_code(3);
    project.run(&["run", "--dry-run"]).expect_code(0);

    let policy = project.read("tollgate.toml").replace("{ env = \"THE_KEY\" }", &format!("\"{KEY}\""));
    let line = policy.lines().position(|line| line.starts_with("key =")).expect("a line") + 1;
    project.write("tollgate.toml", &policy);
    for args in [["check"].as_slice(), &["check", "--json"], &["run", "--drain"]] {
        let finished = project.run(args);
        assert_eq!(finished.code, Some(3));
        let said = format!("{}{}", finished.stdout, finished.stderr);
        assert!(said.contains("a key is never written into this file"), "{said}");
        assert!(!said.contains(KEY), "{said}");
        assert!(said.contains(&line.to_string()), "{said}");
    }
}

//! Calls that wait: for a time, an event, an approval or an answer.

use serde_json::{Value, json};
use tollgate_core::{
    approval::{Allowance, Lack, Word},
    run::RunState,
    step::StepOutcome,
    wait::Ended,
};
use tollgate_store::port::{NewDecision, NewSignal, RunDetail};

use crate::{
    branches::steps,
    support::{Project, stage},
};

/// A project with an item whose stage waits as told.
async fn project(with: &str) -> Project {
    let pipeline = stage("work", &format!("{{ do = {{ wait-for = {with} }} }}"));
    let project = Project::with_pipelines(&[("p", pipeline)]).await;
    project.item("A-1", "p");
    project
}

/// Drains, and checks that the run waits and holds nothing.
async fn waits(project: &Project) -> RunDetail {
    let (outcome, heard) = project.drain().await;
    assert_eq!((outcome.done, outcome.failed), (0, 0), "{}", heard.text());
    let run = project.run_of("A-1").await;
    assert_eq!((run.summary.state, run.escrow.0), (RunState::Waiting, 0), "{:?}", run.summary);
    run
}

/// Drains, and says what the plugin was told.
async fn told(project: &Project) -> Value {
    let (_, heard) = project.drain().await;
    let run = project.run_of("A-1").await;
    project.check_end(&run, RunState::Done, "done");
    let Some(StepOutcome::Produced(produced)) = run.steps.last().map(|step| &step.outcome) else {
        panic!("{}", heard.text())
    };
    produced.data.clone()
}

async fn say(project: &Project, name: &str) -> u64 {
    let data = json!({ "build": 7 });
    project.store.signal(NewSignal { name: name.into(), run: None, who: "ci".into(), data }).await.unwrap()
}

async fn decide(project: &Project, why: &str, word: Word) {
    let run = project.run_of("A-1").await.summary.id;
    let decision = NewDecision { who: "ines".into(), why: why.into(), word };
    project.store.decide(run, decision).await.unwrap();
}

fn yes() -> Word {
    Word::Approved { added: Allowance::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_waits_for_an_event_and_is_told_what_came() {
    let project = project("{ any = [{ kind = \"event\", body = { name = \"ci\" } }] }").await;
    let run = waits(&project).await;
    assert_eq!(run.summary.reason.as_deref(), Some("as the settings say; it waits for the event `ci`"));
    assert_eq!(steps(&run), ["work: waited"]);
    assert_eq!(say(&project, "else").await, 0);
    waits(&project).await;
    assert_eq!(say(&project, "ci").await, 1);
    let told = told(&project).await;
    let expected = json!({ "name": "ci", "who": "ci", "data": { "build": 7 } });
    assert_eq!((&told["kind"], &told["body"], &told["attempt"]), (&json!("event"), &expected, &json!(1)));
    let record = project.run_of("A-1").await.record.unwrap();
    assert!(matches!(record.waits[0].how, Ended::Met { .. }), "{:?}", record.waits);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_waits_for_a_time_and_waits_again() {
    let project =
        project("{ times = 2, any = [{ kind = \"at\", body = { at = \"2026-01-01T00:00:00Z\" } }] }").await;
    assert_eq!(told(&project).await["kind"], "at");
    let run = project.run_of("A-1").await;
    assert_eq!(steps(&run), ["work: waited", "work, attempt 2: waited", "work, attempt 3: produced"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_waits_for_a_person() {
    let approval = project("{ any = [{ kind = \"approval\", body = { role = \"tech-lead\" } }] }").await;
    let ask = waits(&approval).await.summary.ask.unwrap();
    assert_eq!((ask.lack, ask.role.as_deref()), (Lack::Approval, Some("tech-lead")));
    decide(&approval, "right", yes()).await;
    assert_eq!(told(&approval).await["body"], json!({ "role": "tech-lead", "who": "ines", "said": "right" }));

    let answer = project("{ any = [{ kind = \"answer\", body = { question = \"which?\" } }] }").await;
    let ask = waits(&answer).await.summary.ask.unwrap();
    assert_eq!((ask.lack, ask.reason.contains("“which?”")), (Lack::Answer, true), "{ask:?}");
    decide(&answer, "the left one", yes()).await;
    let body = told(&answer).await["body"].clone();
    assert_eq!(body, json!({ "question": "which?", "who": "ines", "said": "the left one" }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_rejects_what_is_waited_for_ends_the_run() {
    let project = project("{ any = [{ kind = \"approval\", body = {} }] }").await;
    waits(&project).await;
    decide(&project, "not now", Word::Rejected).await;
    project.drain().await;
    let run = project.run_of("A-1").await;
    project.check_end(&run, RunState::Failed, "ines rejected what `work` waited for: not now");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_whose_time_is_over_fails_the_step() {
    let soon = tollgate_core::Clock::now(&tollgate_core::time::SystemClock::default())
        .after(std::time::Duration::from_secs(2));
    let any = "any = [{ kind = \"event\", body = { name = \"ci\" } }]";
    let project = project(&format!("{{ {any}, expires = \"{soon}\" }}")).await;
    project.drain().await;
    let run = project.run_of("A-1").await;
    project.check_end(&run, RunState::Failed, "what it waited for did not come in time");
    assert!(matches!(run.record.unwrap().waits[0].how, Ended::Expired));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_that_cannot_begin_fails_the_step_by_name() {
    for (with, words) in [
        ("{ any = [] }", "a wait has at least one condition"),
        ("{ any = [{ kind = \"sunrise\", body = {} }] }", "`sunrise` is no kind of wake"),
        ("{ any = [{ kind = \"event\", body = { nam = \"ci\" } }] }", "unknown field `nam`"),
        ("{ any = [{ kind = \"event\", body = { name = \"a b\" } }] }", "`a b` is no name of an event"),
        ("{ any = [{ kind = \"at\", body = { at = \"soon\" } }] }", "of kind `at` is malformed"),
        (
            "{ any = [{ kind = \"approval\", body = {} }, { kind = \"answer\", body = { question = \"?\" } }] }",
            "a wait asks for one",
        ),
        (
            "{ any = [{ kind = \"event\", body = { name = \"ci\" } }], expires = \"2026-01-01T00:00:00Z\" }",
            "which is over",
        ),
        (
            "{ any = [{ kind = \"event\", body = { name = \"ci\" } }], expires = \"noon\" }",
            "the wait's `expires` is no time",
        ),
    ] {
        let project = project(with).await;
        project.drain().await;
        let run = project.run_of("A-1").await;
        project.check_end(&run, RunState::Failed, words);
    }
}

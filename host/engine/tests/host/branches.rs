//! Pipelines that branch: stages that do not apply, and stages that clean up.

use serde_json::json;
use tollgate_core::{
    approval::{Allowance, Lack, Word},
    event::EventKind,
    record::StepResult,
    run::RunState,
    step::{FailureClass, Fault, StepOutcome},
};
use tollgate_store::port::{NewDecision, RunDetail};

use crate::support::{Project, gate, stage};

/// One more stage, with what is said of it besides.
fn more(name: &str, with: &str, besides: &str) -> String {
    let (_, stage) =
        stage(name, with).split_once("[[stage]]").map(|(_, stage)| ((), stage.to_owned())).unwrap();
    format!("\n[[stage]]{stage}{besides}\n")
}

async fn run_of(pipeline: String) -> (Project, RunDetail) {
    let project = Project::with_pipelines(&[("p", pipeline)]).await;
    project.item("A-1", "p");
    project.drain().await;
    let run = project.run_of("A-1").await;
    (project, run)
}

/// What was called, in order, and how it ended.
pub(crate) fn steps(run: &RunDetail) -> Vec<String> {
    let step = |step: &tollgate_core::step::Step| {
        let ended = match &step.outcome {
            StepOutcome::Produced(_) => "produced".to_owned(),
            StepOutcome::Judged(verdict) => verdict.judgement.to_string(),
            StepOutcome::Failed(_) => "failed".to_owned(),
            StepOutcome::NotApplicable(_) => "not applicable".to_owned(),
            StepOutcome::Waits(_) => "waited".to_owned(),
        };
        format!("{}: {ended}", step.key)
    };
    run.steps.iter().map(step).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_condition_that_is_false_is_recorded_with_what_made_it_so() {
    let threats = more("threats", "{ do = \"ok\" }", "when = 'field.kind == \"security\" && key != \"A-7\"'")
        + &gate("judge", "{ judge = \"fail\" }", "threats");
    let pipeline = stage("work", "{ do = \"ok\" }")
        + &threats
        + &more("more", "{ do = \"ok\" }", "when = 'field.kind == \"p\"'");
    let (project, run) = run_of(pipeline).await;
    project.check_end(&run, RunState::Done, "done");
    assert_eq!(steps(&run), ["work: produced", "threats: not applicable", "more: produced"]);
    let record = run.record.unwrap();
    let StepResult::NotApplicable(why) = &record.steps[1].result else { panic!("{:?}", record.steps[1]) };
    assert_eq!(why.expression, "field.kind == \"security\" && key != \"A-7\"");
    assert_eq!(serde_json::to_value(&why.inputs).unwrap(), json!({ "field.kind": "p", "key": "A-1" }));
    assert_eq!(
        record.steps[1].summary,
        "`field.kind == \"security\" && key != \"A-7\"` is false, where `field.kind` is \"p\" and `key` is \"A-1\""
    );
    assert_eq!(run.summary.cost, record.total.cost, "what was not called cost nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_condition_without_a_result_fails_the_run_by_name() {
    let pipeline = stage("work", "{ do = \"ok\" }")
        .replace("[[stage]]", "[[stage]]\nwhen = '{\"other\": true}[field.kind]'")
        + &more("restart", "{ do = \"ok\" }", "on = \"always\"");
    let (project, run) = run_of(pipeline).await;
    project.check_end(&run, RunState::Failed, "its condition `when` has no result for this entry");
    assert_eq!(steps(&run), ["work: failed", "restart: produced"]);
    let StepOutcome::Failed(failure) = &run.steps[0].outcome else { panic!("{:?}", run.steps) };
    assert_eq!((failure.fault, failure.class), (Fault::Condition, FailureClass::Configuration));
}

/// S2-9: the server that a run works with is up again, whatever became of the run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_always_runs_runs_after_a_failure_and_the_first_failure_is_told() {
    let pipeline = stage("work", "{ do = \"panic\" }")
        + &more("publish", "{ do = \"ok\" }", "")
        + &more("tell", "{ do = { fail = \"permanent\" } }", "on = \"failure\"")
        + &more("restart", "{ do = \"ok\" }", "on = \"always\"");
    let (project, run) = run_of(pipeline).await;
    project.check_end(&run, RunState::Failed, "`work` failed: the plugin trapped");
    assert_eq!(steps(&run), ["work: failed", "tell: failed", "restart: produced"]);
    let end = serde_json::to_value(&run.record.unwrap().end).unwrap();
    assert!(end["recovery"].as_str().unwrap().contains("cleaning up failed in `tell` as well"), "{end}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_a_person_ends_is_cleaned_up_after() {
    let pipeline =
        stage("work", "{ do = \"loop\" }") + &more("restart", "{ do = \"ok\" }", "on = \"always\"");
    let (project, run) = run_of(pipeline).await;
    assert_eq!(run.summary.ask.as_ref().map(|ask| ask.lack), Some(Lack::Fuel), "{:?}", run.summary);
    let decision = NewDecision { who: "ines".into(), why: "too dear".into(), word: Word::Rejected };
    project.store.decide(run.summary.id, decision).await.unwrap();
    project.drain().await;
    let run = project.run_of("A-1").await;
    project.check_end(&run, RunState::Failed, "ines rejected to give it more: too dear");
    assert_eq!(steps(&run), ["restart: produced"]);
    let record = run.record.unwrap();
    assert!(record.total.cost > run.steps[0].usage.cost, "what was burnt before is told: {:?}", record.total);
    assert_eq!(record.total.cost, run.summary.cost);
}

const ROLES: &str = "[roles]\ntech-lead = [\"ines\"]";

/// A stage that is done, and one that needs an approval.
fn approved(when: &str) -> String {
    stage("work", "{ do = \"ok\" }")
        + &more("publish", "{ do = \"ok\" }", &format!("approval = {{ role = \"tech-lead\"{when} }}"))
        + &more("restart", "{ do = \"ok\" }", "on = \"always\"")
}

async fn decide(project: &Project, word: Word) -> Result<(), String> {
    let run = project.run_of("A-1").await.summary.id;
    let decision = NewDecision { who: "ines".into(), why: "it is right".into(), word };
    project.store.decide(run, decision).await.map(|_| ()).map_err(|error| error.to_string())
}

fn yes() -> Word {
    Word::Approved { added: Allowance::default() }
}

/// S0-8: a stage waits for the person whose word it needs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_begins_when_a_person_approves_it() {
    let project = Project::with_pipelines(&[("p", approved(""))]).await.policy(ROLES);
    project.item("A-1", "p");
    let (outcome, heard) = project.drain().await;
    assert_eq!((outcome.asked, outcome.left.unwrap().asking), (1, 1), "{}", heard.text());
    let run = project.run_of("A-1").await;
    let ask = run.summary.ask.clone().unwrap();
    assert_eq!((ask.lack, ask.role.as_deref()), (Lack::Approval, Some("tech-lead")));
    assert_eq!(ask.reason, "`publish` begins when `tech-lead` approves it");
    assert_eq!((steps(&run), run.escrow.0), (vec!["work: produced".to_owned()], 0));

    let more = Word::Approved { added: Allowance { fuel: 1, ..Allowance::default() } };
    assert_eq!(
        decide(&project, more).await.unwrap_err(),
        "`publish` asks for a word alone: approve it and add nothing"
    );
    decide(&project, yes()).await.unwrap();
    let twice = decide(&project, yes()).await.unwrap_err();
    assert!(twice.contains("asks nothing"), "{twice}");
    project.drain().await;
    let run = project.run_of("A-1").await;
    project.check_end(&run, RunState::Done, "done");
    assert_eq!(steps(&run), ["work: produced", "publish: produced", "restart: produced"]);
    let record = run.record.unwrap();
    assert_eq!((record.decisions.len(), record.decisions[0].who.as_str()), (1, "ines"));
    assert!(run.events.iter().any(|event| event.what.kind == EventKind::Approved));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_that_is_rejected_ends_the_run_and_is_never_called() {
    let project = Project::with_pipelines(&[("p", approved(""))]).await.policy(ROLES);
    project.item("A-1", "p");
    project.drain().await;
    decide(&project, Word::Rejected).await.unwrap();
    project.drain().await;
    let run = project.run_of("A-1").await;
    project.check_end(
        &run,
        RunState::Failed,
        "`publish` begins when `tech-lead` approves it, and ines rejected it",
    );
    assert_eq!(steps(&run), ["work: produced", "restart: produced"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_is_asked_where_its_condition_says_so_and_again_after_rework() {
    let (asked, free) = (", when = 'key == \"A-1\"'", ", when = 'key != \"A-1\"'");
    let project = Project::with_pipelines(&[("p", approved(free))]).await.policy(ROLES);
    project.item("A-1", "p");
    assert_eq!(project.drain().await.0.done, 1, "nobody is asked");

    let restart = more("restart", "{ do = \"ok\" }", "on = \"always\"");
    let judge = gate("judge", "{ judge = { fail-until-round = 1 } }", "publish");
    let judged = approved(asked).replace(&restart, &(judge + &restart));
    let project = Project::with_pipelines(&[("p", judged)]).await.policy(ROLES);
    project.item("A-1", "p");
    assert_eq!(project.drain().await.0.asked, 1);
    let reason = project.run_of("A-1").await.summary.reason.unwrap();
    assert_eq!(reason, "`publish` begins when `tech-lead` approves it, since `key == \"A-1\"`");
    decide(&project, yes()).await.unwrap();
    assert_eq!(project.drain().await.0.asked, 1, "the work that was sent back needs a word of its own");
    decide(&project, yes()).await.unwrap();
    assert_eq!(project.drain().await.0.done, 1);
    let run = project.run_of("A-1").await;
    let expected =
        ["work: produced", "publish: produced", "publish/judge: fail", "publish, rework 1: produced"];
    assert_eq!(steps(&run)[..4], expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_that_could_not_judge_waits_for_a_person() {
    let judge = gate("judge", "{ judge = \"inconclusive\" }\n  on_inconclusive = \"wait\"", "work");
    let (project, run) = run_of(stage("work", "{ do = \"ok\" }") + &judge).await;
    assert_eq!(run.summary.state, RunState::Waiting);
    assert_eq!(run.summary.ask.map(|ask| ask.lack), Some(Lack::Evidence));
    decide(&project, yes()).await.unwrap();
    assert_eq!(project.drain().await.0.asked, 1, "it judged again, and could not");
    decide(&project, Word::Rejected).await.unwrap();
    project.drain().await;
    let run = project.run_of("A-1").await;
    project.check_end(&run, RunState::Failed, "could not judge: as told, and ines rejected it");
    let expected = ["work: produced", "work/judge: inconclusive", "work/judge, attempt 2: inconclusive"];
    assert_eq!(steps(&run), expected);
}

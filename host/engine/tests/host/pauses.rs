//! To run out of fuel, time or money is a pause: a person is asked, the same attempt goes on, and others are served meanwhile.

use std::time::Duration;

use tollgate_core::{
    Microcents,
    approval::{Allowance, Ask, Lack, Word},
    event::EventKind,
    run::RunState,
};
use tollgate_store::port::{NewDecision, RunDetail};

use crate::{
    probe,
    support::{Project, probing, stage},
};

/// Says something to the run of an entry.
async fn decide(project: &Project, key: &str, word: Word) {
    let run = project.run_of(key).await.summary.id;
    let decision = NewDecision { who: "ines".into(), why: "it is worth it".into(), word };
    project.store.decide(run, decision).await.unwrap();
}

fn approved(added: Allowance) -> Word {
    Word::Approved { added }
}

fn fuel(fuel: u64) -> Allowance {
    Allowance { fuel, ..Allowance::default() }
}

/// Drains, and checks that the run of `key` asks a person for `lack`, and holds nothing.
async fn ask_of(project: &Project, key: &str, lack: Lack) -> Ask {
    let (outcome, heard) = project.drain().await;
    assert_eq!((outcome.asked, outcome.failed, outcome.left.unwrap().asking), (1, 0, 1), "{}", heard.text());
    let run = project.run_of(key).await;
    assert_eq!(run.summary.state, RunState::Waiting);
    assert_eq!(run.escrow, Microcents::ZERO);
    let ask = run.summary.ask.expect("it asks");
    assert_eq!(ask.lack, lack, "{ask:?}");
    assert_eq!(run.summary.reason.as_deref(), Some(ask.reason.as_str()));
    ask
}

fn kinds(run: &RunDetail) -> Vec<EventKind> {
    run.events.iter().map(|event| event.what.kind).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_that_is_out_of_fuel_waits_for_a_person_and_goes_on_with_more() {
    let small =
        probing("{ asks = [\"keyed\"], times = 3, burn = 3000000, burn-after = 2 }").replace("200M", "5M");
    let project =
        Project::with_pipelines(&[("small", small), ("good", stage("work", "{ do = \"ok\" }"))]).await;
    project.item("A-1", "small").item("B-1", "good");
    let ask = ask_of(&project, "A-1", Lack::Fuel).await;
    assert_eq!(
        ask.reason,
        "`ask` used all its fuel, 5M, before it returned; no earlier call of it ended well, so how much more it needs is \
         not known"
    );
    assert_eq!(ask.suggested, fuel(5_000_000));
    assert_eq!(project.run_of("B-1").await.summary.state, RunState::Done, "others are served");
    let paused = project.run_of("A-1").await.summary.cost;
    assert_eq!(paused, Microcents(2 * probe::COST.0 + 50), "two answers, and the compute of 5M");

    decide(&project, "A-1", approved(fuel(1_000_000))).await;
    ask_of(&project, "A-1", Lack::Fuel).await;
    decide(&project, "A-1", approved(fuel(100_000_000))).await;
    let (outcome, heard) = project.drain().await;
    assert_eq!(outcome.done, 1, "{}", heard.text());
    let run = project.run_of("A-1").await;
    let [step] = run.steps.as_slice() else { panic!("{:?}", run.steps) };
    assert_eq!(step.key.attempt, 1, "no attempt was used up");
    assert_eq!(project.probe.made().len(), 3, "nothing was asked twice");
    let record = run.record.clone().unwrap();
    assert_eq!(record.decisions, run.decisions);
    assert_eq!(record.decisions.len(), 2);
    assert_eq!(
        (record.decisions[1].who.as_str(), record.decisions[1].word),
        ("ines", approved(fuel(100_000_000)))
    );
    assert_eq!(record.total.cost, run.summary.cost);
    assert!(step.usage.cost > paused, "what it cost before is in it: {}", step.usage.cost);
    let approvals = kinds(&run).into_iter().filter(|kind| *kind == EventKind::Approved).count();
    assert_eq!(approvals, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_rejected_fails_and_says_who_and_why() {
    let project = Project::with_pipelines(&[("bad", stage("work", "{ do = \"loop\" }"))]).await;
    project.item("A-1", "bad");
    ask_of(&project, "A-1", Lack::Fuel).await;
    decide(&project, "A-1", Word::Rejected).await;
    let (outcome, _) = project.drain().await;
    assert_eq!((outcome.failed, outcome.left.unwrap().asking), (1, 0));
    let run = project.run_of("A-1").await;
    project.check_end(&run, RunState::Failed, "and ines rejected to give it more: it is worth it");
    assert!(run.steps.is_empty());
    assert_eq!(
        run.record.unwrap().total.cost,
        Microcents(2_000),
        "the compute of 200M was used all the same"
    );
    let again = NewDecision { who: "ines".into(), why: "again".into(), word: Word::Rejected };
    let refused = project.store.decide(run.summary.id, again).await.unwrap_err();
    assert!(refused.to_string().contains("asks nothing"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_that_is_out_of_time_waits_for_a_person() {
    let slow = stage("work", "{ do = \"loop\" }")
        .replace("200M", "100000G")
        .replace("10s", "100ms")
        .replace("$5", "$1000");
    let project = Project::with_pipelines(&[("slow", slow)]).await;
    project.item("A-1", "slow");
    let ask = ask_of(&project, "A-1", Lack::Time).await;
    assert_eq!(ask.suggested, Allowance { time: Duration::from_millis(100), ..Allowance::default() });
    decide(&project, "A-1", approved(Allowance { time: Duration::from_millis(50), ..Allowance::default() }))
        .await;
    let ask = ask_of(&project, "A-1", Lack::Time).await;
    assert!(ask.reason.starts_with("`work` used all its time, 150ms, before it returned"), "{}", ask.reason);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_run_may_cost_is_asked_for_before_it_is_spent() {
    // The compute of 200M is 2,000 microcents; a call of the probe may cost 1,000 more.
    let poor =
        probing("{ asks = [\"keyed\"], times = 2 }").replace("cost = \"$5\"", "cost = \"$0.00002500\"");
    let project = Project::with_pipelines(&[("poor", poor)]).await;
    project.item("A-1", "poor");
    let ask = ask_of(&project, "A-1", Lack::RunCost).await;
    assert_eq!(ask.suggested.cost, Microcents(500));
    assert!(project.probe.made().is_empty(), "it was not asked before it could be paid");
    decide(&project, "A-1", approved(ask.suggested)).await;
    let ask = ask_of(&project, "A-1", Lack::RunCost).await;
    assert_eq!(ask.suggested.cost, probe::COST, "the first answer was cheaper than it might have been");
    decide(&project, "A-1", approved(ask.suggested)).await;
    assert_eq!(project.drain().await.0.done, 1);
    assert_eq!(project.probe.made().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cap_without_room_parks_the_step_and_fails_no_guest() {
    let project = Project::with_pipelines(&[("p", probing("{ asks = [\"keyed\"], times = 2 }"))]).await;
    // Room for the compute of 200M and for one answer and a half.
    let project = project.policy("[caps]\nday = \"$0.00003005\"");
    project.item("A-1", "p");
    let (outcome, heard) = project.drain().await;
    assert_eq!((outcome.failed, outcome.asked, outcome.left.unwrap().waiting), (0, 0, 1), "{}", heard.text());
    let run = project.run_of("A-1").await;
    assert_eq!(run.summary.state, RunState::Waiting);
    assert!(run.summary.reason.unwrap().contains("the cap of $0.00003005 a day for project is reached"));
    assert_eq!(run.summary.cost, probe::COST, "the first answer is paid");
    assert!(run.steps.is_empty() && run.summary.ask.is_none());
    assert_eq!(project.probe.made().len(), 1);
    let [cap] = project.store.cap_balances().await.unwrap().try_into().unwrap();
    assert_eq!((cap.balance.settled, cap.balance.escrow), (probe::COST, Microcents::ZERO));
}

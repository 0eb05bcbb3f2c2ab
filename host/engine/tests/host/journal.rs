//! Steps that reach beyond their input: nothing they asked is asked again by another host.

use tollgate_core::run::RunState;
use tollgate_engine::Phase;

use crate::support::{Project, probing, stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_is_interrupted_goes_on_from_its_journal_with_the_next_host() {
    let long = probing(
        "{ asks = [\"repeatable\", \"keyed\", \"unsafe\"], times = 4, burn = 100000000, burn-after = 3 }",
    )
    .replace("200M", "100G")
    .replace("10s", "600s");
    let before = stage("work", "{ do = \"ok\" }");
    let (_, ask) = long.split_once("[[stage]]").unwrap();
    let project = Project::with_pipelines(&[("p", format!("{before}\n[[stage]]{ask}"))]).await;
    project.item("A-1", "p");
    let (running, shutdown, heard) = project.spawn("first").await;
    while project.probe.made().len() < 3 {
        assert!(!heard.text().contains("Finished"), "{}", heard.text());
        tokio::task::yield_now().await;
    }
    shutdown.request(Phase::Stopping);
    running.await.unwrap();
    let run = project.run_of("A-1").await;
    assert_eq!(run.summary.state, RunState::Running, "it can go on");
    assert_eq!(run.steps.len(), 1, "what led to it was durable before it asked");

    let (outcome, heard) = project.drain().await;
    assert_eq!(outcome.done, 1, "{}", heard.text());
    let made = project.probe.made();
    assert_eq!(made.len(), 4, "{made:?}");
    let run = project.run_of("A-1").await;
    assert_eq!(run.steps.iter().map(|step| step.key.attempt).collect::<Vec<_>>(), [1, 1]);
    let seen = |text: &str| made.iter().filter(|made| made.request.starts_with(text)).count();
    assert_eq!([seen("0 "), seen("1 "), seen("2 "), seen("3 ")], [1; 4]);
}

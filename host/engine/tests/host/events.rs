//! Sources that tell of their changes.

use std::time::{Duration, Instant};

use tollgate_engine::{Phase, observer::Notice};

use crate::support::{Project, stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_file_is_worked_on_long_before_the_next_reading_is_due() {
    let rarely = "owner = \"team\"\npull = [{ every = \"6h\" }]\n";
    let project = Project::with_pipelines(&[("good", stage("work", "{ do = \"ok\" }"))])
        .await
        .with_policy("owner = \"team\"\n", rarely)
        .with_policy("settle = \"0s\"", "settle = \"300ms\"");
    let (running, shutdown, heard) = project.spawn_for_ever().await;
    let is_read = |notice: &Notice| matches!(notice, Notice::Pulled { .. });
    // The second reading is that after which no change is missed.
    while heard.all().iter().filter(|notice| is_read(notice)).count() < 2 {
        tokio::task::yield_now().await;
    }
    let written = Instant::now();
    project.item("A-1", "good");
    while heard.calls_of("work") == 0 {
        assert!(written.elapsed() < Duration::from_secs(60), "{}", heard.text());
        tokio::task::yield_now().await;
    }
    assert!(written.elapsed() < Duration::from_millis(1_300), "{:?}", written.elapsed());
    shutdown.request(Phase::Draining);
    assert_eq!(running.await.unwrap().done, 1);
}

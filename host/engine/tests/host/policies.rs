//! Hosts whose files differ from what is applied.

use tollgate_core::run::RunState;
use tollgate_engine::{Phase, observer::Notice};
use tollgate_store::port::{NewFieldValue, PolicyApplication, PolicyFile};

use crate::support::{Heard, Project, stage};

async fn until(met: impl Fn() -> bool) {
    while !met() {
        tokio::task::yield_now().await;
    }
}

fn finished(heard: &Heard) -> usize {
    heard.all().iter().filter(|notice| matches!(notice, Notice::Finished { .. })).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_acts_on_what_another_one_applied_and_says_where_its_files_differ() {
    let project = Project::with_pipelines(&[("early", stage("work", "{ do = \"ok\" }"))]).await;
    project.item("A-1", "early").item("B-1", "late");
    let (running, shutdown, heard) = project.spawn_for_ever().await;
    until(|| finished(&heard) == 1).await;

    project.add_pipeline("late", &stage("work", "{ do = \"ok\" }"));
    // It starts, which applies its files, and does nothing more.
    drop(project.host("second").await);
    until(|| finished(&heard) == 2).await;
    shutdown.request(Phase::Stopping);
    running.await.unwrap();
    project.check_end(&project.run_of("B-1").await, RunState::Done, "done");
    let followed = heard.all().into_iter().filter_map(|notice| match notice {
        Notice::PolicyFollowed { version, who, differ } => Some((version, who, differ.join(", "))),
        _ => None,
    });
    let differ = "pipelines/late.toml, tollgate.toml".to_owned();
    assert_eq!(followed.collect::<Vec<_>>(), [(2, "host second".to_owned(), differ)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_cannot_read_what_is_applied_begins_nothing_more() {
    let project = Project::with_pipelines(&[("early", stage("work", "{ do = \"ok\" }"))]).await;
    project.item("A-1", "early").item("B-1", "late");
    let (running, _, heard) = project.spawn_for_ever().await;
    until(|| finished(&heard) == 1).await;

    let text = "[instance]\nunheard_of = true\n".to_owned();
    let of_the_future = PolicyApplication {
        digest: tollgate_core::Digest::of(&text),
        files: vec![PolicyFile { path: "tollgate.toml".into(), text }],
        lanes: Vec::new(),
        caps: Vec::new(),
        who: "host future".into(),
        why: "it has more".into(),
    };
    project.store.apply_policy(of_the_future).await.unwrap();
    let entry = project.store.entry("B-1", None).await.unwrap().status.id;
    let (field, value) = ("kind".to_owned(), Some("early".into()));
    let set = NewFieldValue { field, value, who: "ines".into(), why: "so it is".into() };
    project.store.set_field(entry, set).await.unwrap();
    assert!(running.await.unwrap().stopped);
    assert!(project.store.open_work().await.unwrap().to_judge, "that is for who knows the policy");
    let heard = heard.text();
    assert!(
        heard.contains("version 2 of the policy, which host future applied, cannot be acted on here"),
        "{heard}"
    );
    assert!(heard.contains("unheard_of"), "{heard}");
}

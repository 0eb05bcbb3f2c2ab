//! Artifacts in a bucket, through the binary: what stages produce goes there, and comes back whole or not at all.

use std::process::Command;

use crate::support::{Bucket, Finished, Project, command, finish};

const ARTIFACTS: &str = "[instance]\nartifacts = \"s3://library/of/tollgate\"";

fn project(bucket: &Bucket) -> (Project, impl Fn(&Project, &[&str]) -> Finished) {
    let project = Project::with_one_item();
    project.change("tollgate.toml", |text| text.replacen("[instance]", ARTIFACTS, 1));
    let endpoint = {
        let mut told = Command::new("true");
        bucket.tell(&mut told);
        let told = told.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        told.collect::<Vec<_>>()
    };
    (project, move |project: &Project, args: &[&str]| {
        let mut command = command(project.path(), args);
        command.envs(endpoint.iter().map(|(name, value)| (name, value)));
        finish(command)
    })
}

#[test]
fn what_stages_produce_is_kept_in_the_bucket_and_read_from_there() {
    let bucket = Bucket::start();
    let (project, tollgate) = project(&bucket);
    // What passes by itself is waited for.
    bucket.is_unwell_for(2);
    drop(tollgate(&project, &["run", "--drain"]).expect_code(0));
    assert!(project.read("specs/W-1.md").contains("Show the opening hours of a branch"));
    let paths: Vec<_> = bucket.objects().keys().cloned().collect();
    assert!(
        !paths.is_empty() && paths.iter().all(|path| path.starts_with("/library/of/tollgate/")),
        "{paths:?}"
    );
    assert!(!project.path().join(".tollgate/artifacts").exists());

    drop(tollgate(&project, &["store", "export", "a.jsonl"]).expect_code(0));
    project.change("tollgate.toml", |text| {
        text.replacen("[instance]", "[instance]\nstore = \"sqlite:.tollgate/b.db\"", 1)
    });
    let imported = tollgate(&project, &["store", "import", "a.jsonl"]).expect_code(0);
    assert!(imported.contains(" are in s3://library/of/tollgate"), "{imported}");
    for bytes in bucket.objects().values_mut() {
        bytes[0] ^= 1;
    }
    std::fs::remove_file(project.path().join(".tollgate/b.db")).expect("it is there");
    assert_eq!(tollgate(&project, &["store", "import", "a.jsonl"]).code, Some(1), "all of it is damaged");
}

#[test]
fn a_bucket_that_refuses_is_named_and_no_secret_shown() {
    let bucket = Bucket::start();
    let (project, _) = project(&bucket);
    let mut wrong = command(project.path(), &["run", "--drain"]);
    bucket.tell(&mut wrong);
    wrong.env("AWS_ACCESS_KEY_ID", "another");
    let ended = finish(wrong);
    assert_ne!(ended.code, Some(0), "{ended:?}");
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(said.contains("s3://library/of/tollgate") && !said.contains("the-s3cret"), "{said}");
    assert!(!project.path().join("specs/W-1.md").exists());
}

#[test]
fn a_bucket_that_is_away_is_one_finding_and_not_one_for_each_artifact() {
    let bucket = Bucket::start();
    let (project, tollgate) = project(&bucket);
    drop(tollgate(&project, &["run", "--drain"]).expect_code(0));
    let of_artifacts = |report: &serde_json::Value| {
        let findings = report["findings"].as_array().expect("findings").iter();
        findings.filter(|finding| finding["kind"] == "artifact").count()
    };
    let whole = tollgate(&project, &["store", "doctor", "--json"]).json(0);
    assert_eq!((of_artifacts(&whole), &whole["artifacts_read"]), (0, &bucket.objects().len().into()));
    let mut refused = command(project.path(), &["store", "doctor", "--json"]);
    bucket.tell(&mut refused);
    refused.env("AWS_ACCESS_KEY_ID", "another");
    let report = finish(refused).json(1);
    assert_eq!((of_artifacts(&report), &report["artifacts"]), (1, &whole["artifacts"]), "{report:#}");
}

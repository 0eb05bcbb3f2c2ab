//! What the stage asks for.

use insta::assert_snapshot;
use proptest::prelude::*;
use publish::Publish;
use publish::settings::Settings;
use serde_json::{Value, json};
use tollgate_plugin::{Context, Entry, Failure, Produced, testing};
use tollgate_testkit::Manifest;

/// A context in which stage `draft` has written artifacts of these names.
fn context(entry: Entry, names: &[&str]) -> Context {
    let ctx = Context::for_test(entry);
    let artifacts = names
        .iter()
        .map(|name| ctx.write_text(name, "text/markdown", name).expect("the double stores it"))
        .collect();
    ctx.with_prior(testing::output("draft", json!({}), artifacts))
}

fn run(ctx: &Context, settings: Value) -> Result<Produced, Failure> {
    let produced = testing::run_stage::<Publish>(ctx, settings)?.done().expect("the stage never waits");
    Manifest::parse(include_str!("../plugin.toml")).assert_data(&produced.data);
    Ok(produced)
}

/// The summary and each effect on a line of its own.
fn shown(result: Result<Produced, Failure>) -> String {
    match result {
        Err(failure) => failure.to_string(),
        Ok(produced) => {
            let effects = produced
                .effects
                .iter()
                .map(|effect| format!("{} {} {}", effect.id, effect.kind, effect.body));
            std::iter::once(produced.summary.clone()).chain(effects).collect::<Vec<_>>().join("\n")
        }
    }
}

fn of(key: &str, title: &str, names: &[&str], settings: Value) -> String {
    shown(run(&context(testing::entry(key, title, ""), names), settings))
}

#[test]
fn one_artifact_goes_to_the_path_of_its_key() {
    assert_snapshot!(of("LIB-7", "Show opening hours", &["spec.md"], json!({})), @r#"
    asks for specs/LIB-7.md
    publish-1 publish-file {"artifact":"sha256:0000000000000000000000000000000000000000000000000000000000000001","media-type":"text/markdown","path":"specs/LIB-7.md"}
    "#);
}

#[test]
fn a_state_is_asked_for_only_if_one_is_set() {
    assert_snapshot!(of("LIB-7", "t", &["spec.md"], json!({"state": "specified"})), @r#"
    asks for specs/LIB-7.md
    publish-1 publish-file {"artifact":"sha256:0000000000000000000000000000000000000000000000000000000000000001","media-type":"text/markdown","path":"specs/LIB-7.md"}
    set-state set-state {"state":"specified"}
    "#);
}

#[test]
fn all_artifacts_or_one_by_name() {
    let settings = json!({"to": "docs/{slug}/{name}"});
    assert_snapshot!(of("LIB-7", "Öffnungszeiten: heute!", &["spec.md", "api notes.md"], settings), @r#"
    asks for docs/öffnungszeiten-heute/spec.md, docs/öffnungszeiten-heute/api-notes-00d0706a.md
    publish-1 publish-file {"artifact":"sha256:0000000000000000000000000000000000000000000000000000000000000001","media-type":"text/markdown","path":"docs/öffnungszeiten-heute/spec.md"}
    publish-2 publish-file {"artifact":"sha256:0000000000000000000000000000000000000000000000000000000000000002","media-type":"text/markdown","path":"docs/öffnungszeiten-heute/api-notes-00d0706a.md"}
    "#);
    assert_snapshot!(of("LIB-7", "t", &["spec.md", "b.md"], json!({"artifact": "b.md"})), @r#"
    asks for specs/LIB-7.md
    publish-1 publish-file {"artifact":"sha256:0000000000000000000000000000000000000000000000000000000000000002","media-type":"text/markdown","path":"specs/LIB-7.md"}
    "#);
    assert_snapshot!(of("LIB-7", "t", &["spec.md", "b.md"], json!({})), @"
    configuration: setting `to`: `spec.md` and `b.md` would both be written to `specs/LIB-7.md`; add `{name}`, or choose one by `artifact`
    ");
}

#[test]
fn the_kind_is_triages_or_the_entrys() {
    let entry = Entry { kind: "Defect".to_string(), ..testing::entry("7", "t", "") };
    let settings = json!({"to": "{kind}/{key}.md"});
    assert_snapshot!(shown(run(&context(entry.clone(), &["a"]), settings.clone())), @r#"
    asks for defect/7.md
    publish-1 publish-file {"artifact":"sha256:0000000000000000000000000000000000000000000000000000000000000001","media-type":"text/markdown","path":"defect/7.md"}
    "#);
    let ctx = context(entry, &["a"]).with_prior(testing::output("triage", json!({"kind": "bug"}), vec![]));
    assert_snapshot!(shown(run(&ctx, settings)), @r#"
    asks for bug/7.md
    publish-1 publish-file {"artifact":"sha256:0000000000000000000000000000000000000000000000000000000000000001","media-type":"text/markdown","path":"bug/7.md"}
    "#);
}

#[test]
fn keys_of_any_kind_stay_in_their_segment_and_apart() {
    let path = |key: &str| {
        let produced = run(&context(testing::entry(key, "t", ""), &["spec.md"]), json!({})).unwrap();
        produced.data["published"][0].as_str().unwrap().to_string()
    };
    let keys = [
        "a/b",
        "a\\b",
        "..",
        "../../etc/passwd",
        "two words",
        "予約-12",
        ".env",
        "",
        "C:",
        "a\u{202e}b",
        "a..b",
    ];
    let lines: Vec<String> = keys.iter().map(|key| format!("{key:?} {}", path(key))).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    "a/b" specs/a-b-3a8e75c1.md
    "a\\b" specs/a-b-299c2fb6.md
    ".." specs/a3d4a70d.md
    "../../etc/passwd" specs/etc-passwd-6fadc99a.md
    "two words" specs/two-words-a3493fcc.md
    "予約-12" specs/予約-12.md
    ".env" specs/env-65512ae0.md
    "" specs/811c9dc5.md
    "C:" specs/C-8cda35d8.md
    "a\u{202e}b" specs/a-b-f22a56d6.md
    "a..b" specs/a-b-91beab8e.md
    "#);
}

#[test]
fn nothing_to_publish_is_a_failure() {
    assert_snapshot!(of("1", "t", &[], json!({})), @"permanent: there is nothing to publish: stage `draft` has no artifact");
    assert_snapshot!(of("1", "t", &["a"], json!({"artifact": "b"})), @"permanent: there is nothing to publish: stage `draft` has no artifact `b`");
    assert_snapshot!(of("1", "t", &["a"], json!({"from": "review"})), @"permanent: there is nothing to publish: stage `review` has produced nothing");
}

#[test]
fn a_path_that_leads_out_is_refused() {
    for to in [
        "/etc/{key}",
        "../{key}",
        "a/../{key}",
        "a//b",
        "a/./b",
        "a\\b",
        "C:/b",
        "",
        "specs/",
        "{key",
        "{nokey}",
    ] {
        let message = of("LIB-7", "t", &["a"], json!({"to": to}));
        assert!(message.starts_with("configuration: setting `to`: "), "{to}: {message}");
    }
}

#[test]
fn the_manifest_promises_what_the_code_does() {
    let manifest = Manifest::parse(include_str!("../plugin.toml"));
    manifest.assert_defaults(&serde_json::to_value(Settings::default()).unwrap());
    assert_eq!(manifest.get("version"), env!("CARGO_PKG_VERSION"));
}

proptest! {
    #[test]
    fn any_key_and_title_give_a_safe_relative_path(key in "([./\\\\ ~-]|\\PC){0,120}", title in "\\PC{0,120}", kind in "\\PC{0,10}") {
        let entry = Entry { kind, ..testing::entry(&key, &title, "") };
        let produced = run(&context(entry, &["spec.md"]), json!({"to": "specs/{kind}/{slug}/{key}.md"})).unwrap();
        let path = produced.data["published"][0].as_str().unwrap();
        let segments: Vec<&str> = path.split('/').collect();
        prop_assert_eq!(segments.len(), 4);
        for segment in segments {
            prop_assert!(!segment.is_empty() && segment != "." && segment != ".." && segment.len() <= 255);
            prop_assert!(!segment.chars().any(|c| c.is_control() || matches!(c, '\\' | ':')));
        }
    }

    #[test]
    fn keys_that_differ_give_paths_that_differ(one in "[a/. -]{1,6}", other in "[a/. -]{1,6}") {
        let path = |key: &str| run(&context(testing::entry(key, "t", ""), &["spec.md"]), json!({})).unwrap().data;
        prop_assert_eq!(one == other, path(&one) == path(&other));
    }
}

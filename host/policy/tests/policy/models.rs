//! Models: what is declared, what is granted, and keys that stand where they must not.

use std::time::Duration;

use insta::assert_snapshot;
use proptest::prelude::*;
use tollgate_core::{
    Microcents,
    model::{KeySource, Provider},
};
use tollgate_policy::Policy;

use crate::support::{PIPELINE, PROJECT, files, load};

const MODEL: &str = r#"
[model.deep]
provider = "anthropic"
model = "claude-1"
key = { env = "THE_KEY" }
price = { input = "$3 / 1M", output = "$15 / 1M" }
"#;

/// The least pipeline whose stage and gate are granted these.
fn granting(stage: &str, gate: &str) -> String {
    PIPELINE
        .replace("plugin = \"spec-draft@^1\"", &format!("plugin = \"spec-draft@^1\"\ngrant = [{stage}]"))
        .replace("plugin = \"spec-lint@^1\"", &format!("plugin = \"spec-lint@^1\"\n  grant = [{gate}]"))
}

fn with(models: &str, pipeline: &str) -> Result<Policy, String> {
    load(&format!("{PROJECT}{models}"), pipeline).map_err(|found| found.to_string())
}

/// What is wrong when the model says `to` instead of `from`.
#[track_caller]
fn errors(from: &str, to: &str) -> String {
    assert!(MODEL.contains(from), "{from}");
    with(&MODEL.replace(from, to), PIPELINE).expect_err("it is wrong")
}

#[test]
fn a_model_has_a_provider_a_name_a_price_and_a_place_for_its_key() {
    let policy = with(MODEL, &granting("\"model\"", "\"model:deep\"")).unwrap();
    let spec = &policy.models["deep"];
    assert_eq!(spec.provider, Provider::Anthropic);
    assert_eq!(spec.key, Some(KeySource::Environment("THE_KEY".into())));
    assert_eq!((spec.base_url.as_deref(), spec.timeout), (None, Duration::from_secs(120)));
    assert_eq!((spec.pinned.model.as_str(), spec.pinned.max_tokens), ("claude-1", 4_096));
    assert_eq!(spec.pinned.price.output_per_million, Microcents(1_500_000_000));
    let pipeline = &policy.pipelines["spec"];
    assert_eq!(pipeline.stages[0].grants, ["model:deep"], "the only one is meant");
    assert_eq!(pipeline.stages[0].gates[0].grants, ["model:deep"]);
    assert_eq!(policy.models_of(pipeline).count(), 1);
}

#[test]
fn a_model_that_nobody_is_granted_is_of_no_pipeline() {
    let policy = with(MODEL, PIPELINE).unwrap();
    assert_eq!(policy.models_of(&policy.pipelines["spec"]).count(), 0);
}

#[test]
fn a_grant_names_a_model_that_there_is() {
    let grants = |models: &str, grant: &str| with(models, &granting(grant, "")).expect_err("it is wrong");
    assert_snapshot!(grants("", "\"model\""), @"
    pipelines/spec.toml:7:10: error: the project has no model
      help: declare one in tollgate.toml: `[model.NAME]` with provider, model, key and price
    ");
    assert_snapshot!(grants(MODEL, "\"model:depp\""), @"
    pipelines/spec.toml:7:10: error: there is no grant `model:depp`
      help: did you mean `model:deep`?
    ");
    let two = format!("{MODEL}{}", MODEL.replace("[model.deep]", "[model.fast]"));
    assert_snapshot!(grants(&two, "\"model\""), @"
    pipelines/spec.toml:7:10: error: the project has several models
      help: say which: `model:deep`, `model:fast`
    ");
    assert_snapshot!(grants(MODEL, "\"model\", \"model:deep\""), @"pipelines/spec.toml:7:19: error: `model:deep` is granted twice");
    let of_gate = with(MODEL, &granting("", "\"effect:publish-file\"")).expect_err("a gate has no effects");
    assert_snapshot!(of_gate, @"
    pipelines/spec.toml:11:12: error: there is no grant `effect:publish-file`
      help: known are `model:deep`
    ");
}

#[test]
fn what_is_said_of_a_model_has_to_make_sense() {
    assert_snapshot!(errors("\"anthropic\"", "\"antropic\""), @"
    tollgate.toml:19:12: error: expected `anthropic`, `openai`, found `antropic`
      help: did you mean `anthropic`?
    ");
    assert_snapshot!(errors("\"$3 / 1M\"", "\"$3\""), @"tollgate.toml:22:19: error: `$3` is not a price of tokens; expected e.g. `$3 / 1M`");
    assert_snapshot!(errors("model =", "timeout = \"0s\"\nmodel ="), @"tollgate.toml:20:11: error: a duration of zero; expected e.g. `2s`");
    assert_snapshot!(errors("model =", "base_url = \"models.example.com\"\nmodel ="), @"
    tollgate.toml:20:12: error: expected a URL that begins with `https://` or `http://`
      help: e.g. `https://models.example.com/v1`
    ");
    assert_snapshot!(errors("model =", "base_url = \"https://me:pw@models.example.com\"\nmodel ="), @"
    tollgate.toml:20:12: error: expected a place alone, without a name, password, query or fragment
      help: e.g. `https://models.example.com/v1`
    ");
    assert_snapshot!(errors("model =", "base_url = \"http://models.example.com\"\nmodel ="), @"
    tollgate.toml:20:12: error: the key could be read on its way
      help: use `https://`; plain `http://` with a key is for this machine alone
    ");
    for here in
        ["http://localhost:1/v1", "http://127.0.0.1:1", "http://[::1]:1", "https://models.example.com"]
    {
        let models = MODEL.replace("model =", &format!("base_url = \"{here}\"\nmodel ="));
        with(&models, PIPELINE).unwrap_or_else(|errors| panic!("{here}: {errors}"));
    }
    let open = MODEL.replace("key = { env = \"THE_KEY\" }", "base_url = \"http://models.example.com\"");
    with(&open, PIPELINE).expect("what has no key can be read by anyone");
}

#[test]
fn the_password_of_a_place_is_not_repeated() {
    let said = said_of("base_url = \"https://me:SECRET@models.example.com\"", "4f9d1c77a2");
    assert!(said.contains("without a name, password") && !said.contains("4f9d1c77a2"), "{said}");
}

/// What people do with keys.
const SLIPS: [&str; 6] = [
    "key = \"SECRET\"",
    "key = [\"SECRET\"]",
    "key = { env = \"SECRET\" }",
    "key = { value = \"SECRET\" }",
    "key = { env = \"THE_KEY\", value = \"SECRET\" }",
    "key.secret.deep = \"SECRET\"",
];

/// Everything that is said of a project in which a key stands.
fn said_of(slip: &str, key: &str) -> String {
    let project =
        format!("{PROJECT}{}", MODEL.replace("key = { env = \"THE_KEY\" }", &slip.replace("SECRET", key)));
    let found = load(&project, PIPELINE).expect_err("a key stands there");
    format!("{found}\n{}\n{:?}", found.render(&files(&project, PIPELINE)), found.as_slice())
}

#[test]
fn a_key_in_the_file_is_an_error_that_names_its_line_and_does_not_repeat_it() {
    let found = said_of(SLIPS[0], "sk-live-4f9d1c77a2");
    assert_snapshot!(found.split("\nSome").next().unwrap().split("[Diagnostic").next().unwrap(), @r#"
    tollgate.toml:21:7: error: a key is never written into this file
      help: write where it is kept: `key = { env = "NAME" }` or `key = { file = "path" }`
    error: a key is never written into this file
      --> tollgate.toml:21:7
       |
    21 | key = ********************
       |       ^^^^^^^^^^^^^^^^^^^^
       |
       = help: write where it is kept: `key = { env = "NAME" }` or `key = { file = "path" }`
    "#);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_slip_makes_anything_repeat_a_key(slip in 0..SLIPS.len(), key in "[a-zA-Z0-9]{4,12}-[a-zA-Z0-9_-]{12,60}") {
        let said = said_of(SLIPS[slip], &key);
        prop_assert!(!said.contains(&key), "{said}");
    }
}

//! What parts an entry has (S3-14, S3-22).

use std::collections::BTreeSet;

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Value, json};
use split::settings::Settings;
use split::{Split, shares};
use tollgate_plugin::{Context, Entry, Failure, Outcome, Produced, Wake, Woken, testing};
use tollgate_testkit::Manifest;

const BODY: &str = "Every branch keeps a calendar of its own.

## Acceptance Criteria

- [ ] The calendar of the city is shown for each branch
- [x] A branch may close on other days
  - only its own
- [ ] A loan ends on no day on which its branch is closed
- [ ] A holiday is entered once
";

fn entry(effort: Value) -> Entry {
    let mut entry = testing::entry("LIB-127", "One calendar for all branches", BODY);
    entry.kind = "feature".to_string();
    entry.labels = vec!["team/lending".to_string()];
    entry.fields.insert("effort".into(), effort);
    entry
}

fn run(entry: Entry, settings: Value) -> Result<Produced, Failure> {
    let ctx = Context::for_test(entry);
    let produced = testing::run_stage::<Split>(&ctx, settings)?.done().expect("the stage never waits");
    Manifest::parse(include_str!("../plugin.toml")).assert_data(&produced.data);
    Ok(produced)
}

fn refused(effort: Value, settings: Value) -> String {
    run(entry(effort), settings).expect_err("it is refused").to_string()
}

#[test]
fn a_large_entry_is_opened_in_parts_that_share_its_criteria() {
    let produced = run(entry(json!(13)), json!({})).unwrap();
    assert_snapshot!(produced.summary, @"an effort of 13 in 3 parts");
    assert_snapshot!(produced.data, @r#"{"done":[],"effort":13,"parts":[{"criteria":1,"effort":5,"title":"One calendar for all branches (1 of 3)"},{"criteria":1,"effort":4,"title":"One calendar for all branches (2 of 3)"},{"criteria":1,"effort":4,"title":"One calendar for all branches (3 of 3)"}]}"#);
    let ids: Vec<_> =
        produced.effects.iter().map(|effect| format!("{} {}", effect.kind, effect.id)).collect();
    assert_eq!(ids, ["open-entry part-1", "open-entry part-2", "open-entry part-3"]);
    let second = &produced.effects[1].body;
    assert_snapshot!(second["body"].as_str().unwrap(), @"
    Part 2 of 3 of LIB-127.

    ## Acceptance criteria

    - [ ] A loan ends on no day on which its branch is closed

    ## The whole

    > Every branch keeps a calendar of its own.
    >
    > ## Acceptance Criteria
    >
    > - [ ] The calendar of the city is shown for each branch
    > - [x] A branch may close on other days
    >   - only its own
    > - [ ] A loan ends on no day on which its branch is closed
    > - [ ] A holiday is entered once
    ");
    let rest = Value::Object(
        second
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| *name != "body")
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    );
    assert_snapshot!(rest, @r#"{"fields":{"effort":4},"fingerprint":"split:LIB-127:2/3","kind":"feature","labels":["team/lending"],"title":"One calendar for all branches (2 of 3)"}"#);
}

#[test]
fn what_is_small_enough_stays_whole() {
    for effort in [json!(0.5), json!(5), json!(5.0)] {
        let produced = run(entry(effort.clone()), json!({})).unwrap();
        assert_eq!(
            (produced.effects.len(), &produced.data["parts"][0]["criteria"]),
            (0, &json!(3)),
            "{effort}"
        );
    }
    assert_eq!(run(entry(json!(8)), json!({"size": 8})).unwrap().effects.len(), 0);
}

#[test]
fn the_effort_that_triage_found_counts_where_the_entry_says_none() {
    let entry = testing::entry("LIB-127", "One calendar", "");
    let ctx = Context::for_test(entry).with_prior(testing::output("triage", json!({"effort": 8}), vec![]));
    let produced = testing::run_stage::<Split>(&ctx, json!({"kind": "task", "backlog": "parts"}))
        .unwrap()
        .done()
        .unwrap();
    assert_eq!(produced.effects.len(), 2);
    let body = &produced.effects[0].body;
    assert_eq!(
        (&body["kind"], &body["backlog"], body.get("fields")),
        (&json!("task"), &json!("parts"), None)
    );
    assert!(
        body["body"].as_str().unwrap().contains("No criterion of the whole is this part's own"),
        "{body}"
    );
}

#[test]
fn what_is_no_effort_is_given_to_a_person() {
    assert_snapshot!(refused(Value::Null, json!({})), @"escalate: how large LIB-127 is, nobody says: it has no field `effort`, and no stage `triage` found one");
    assert_snapshot!(refused(json!(0), json!({})), @"escalate: the effort of LIB-127 is 0: expected a number above 0, and a million at the most; a person has to say how large it is");
    assert_snapshot!(refused(json!(-3), json!({})), @"escalate: the effort of LIB-127 is -3: expected a number above 0, and a million at the most; a person has to say how large it is");
    assert_snapshot!(refused(json!("large"), json!({})), @r#"escalate: the effort of LIB-127 is "large": expected a number; a person has to say how large it is"#);
    assert_snapshot!(refused(json!(5.00001), json!({})), @"escalate: the effort of LIB-127 is 5.00001: expected three decimals at the most; a person has to say how large it is");
    assert_snapshot!(refused(json!(101), json!({})), @"escalate: an effort of 101 makes more than 20 parts of 5 for LIB-127; say less of it, or raise `parts-max`");
    assert_snapshot!(refused(json!(1e300), json!({})), @"escalate: the effort of LIB-127 is 1e+300: expected a number above 0, and a million at the most; a person has to say how large it is");
    assert_snapshot!(refused(json!(8), json!({"size": 0})), @"configuration: setting `size`: expected a whole number from 1 to 1000000, got 0");
    assert_snapshot!(refused(json!(8), json!({"parts-max": 101})), @"configuration: setting `parts-max`: expected a whole number from 1 to 100, got 101");
}

/// What follows a wait for these children.
fn after(children: Value) -> Result<Produced, Failure> {
    let woken = Woken {
        by: Wake { kind: "children".into(), body: json!({ "children": children, "cost": 0 }) },
        at: "2026-11-21T04:07:00.000Z".into(),
        resume: json!({}),
    };
    let ctx = Context::for_test(entry(json!(8))).with_woken(woken);
    Ok(testing::run_stage::<Split>(&ctx, json!({"wait": true}))?.done().expect("it waited already"))
}

#[test]
fn it_waits_until_its_parts_are_done() {
    let ctx = Context::for_test(entry(json!(8)));
    let Outcome::Wait(wait) = testing::run_stage::<Split>(&ctx, json!({"wait": true})).unwrap() else {
        panic!("it does not wait");
    };
    assert_eq!((wait.any[0].kind.as_str(), wait.effects.len()), ("children", 2));
    let small = Context::for_test(entry(json!(3)));
    assert!(
        testing::run_stage::<Split>(&small, json!({"wait": true})).unwrap().done().is_some(),
        "for nothing"
    );

    let child =
        |key: &str, state: &str| json!({"key": key, "tracker": "internal", "state": state, "cost": 3});
    let done = after(json!([child("int-1", "done"), child("int-2", "done")])).unwrap();
    assert_eq!((done.summary.as_str(), done.effects.len()), ("all 2 parts are done", 0));
    assert_eq!(done.data["done"], json!(["int-1", "int-2"]));
    let refused = |children: Value| after(children).unwrap_err().to_string();
    assert_snapshot!(refused(json!([child("int-1", "done"), child("int-2", "failed")])), @"escalate: 1 of 2 parts are not done: int-2 is failed; see to them, then retry the entry");
    assert_snapshot!(refused(json!([child("int-1", "done")])), @"escalate: 1 of 2 parts could be opened; `tollgate runs show` says why the others were refused");
    assert_snapshot!(refused(json!("nonsense")), @r#"permanent: what the host says of the parts is not as expected: invalid type: string "nonsense", expected a sequence"#);
}

#[test]
fn the_manifest_promises_what_the_code_does() {
    let manifest = Manifest::parse(include_str!("../plugin.toml"));
    manifest.assert_defaults(&serde_json::to_value(Settings::default()).unwrap());
    assert_eq!(manifest.get("version"), env!("CARGO_PKG_VERSION"));
}

proptest! {
    /// ceil(effort / size) parts, none above it, which together are the whole.
    #[test]
    fn parts_are_as_many_as_it_takes_and_together_the_whole(thousandths in 1_u64..200_000, whole: bool, size in 1_u32..50) {
        let effort = if whole { (thousandths / 1_000 + 1) as f64 } else { thousandths as f64 / 1_000.0 };
        let wanted = (effort / f64::from(size)).ceil();
        let Some(shares) = shares(effort, size, 100) else {
            prop_assert!(wanted > 100.0);
            return Ok(());
        };
        prop_assert_eq!(shares.len() as f64, wanted);
        prop_assert!(shares.iter().all(|share| *share > 0.0 && *share <= f64::from(size)), "{:?}", shares);
        let sum: u64 = shares.iter().map(|share| (share * 1_000.0).round() as u64).sum();
        prop_assert_eq!(sum, (effort * 1_000.0).round() as u64);
        prop_assert!(!whole || shares.iter().all(|share| share.fract() == 0.0));
    }

    #[test]
    fn any_entry_is_split_into_parts_that_can_be_told_apart(key in "\\PC{1,300}", title in "\\PC{0,600}", body in "(\\PC{0,40}\n|- \\[ \\] [a-z]{1,9}\n){0,20}", effort in 6_u32..100) {
        let split = || {
            let mut entry = testing::entry(&key, &title, &body);
            entry.fields.insert("effort".into(), effort.into());
            run(entry, json!({})).unwrap()
        };
        let produced = split();
        prop_assert_eq!(produced.effects.len(), effort.div_ceil(5) as usize);
        let titles: BTreeSet<_> = produced.effects.iter().map(|effect| effect.body["title"].as_str().unwrap()).collect();
        prop_assert_eq!(titles.len(), produced.effects.len());
        prop_assert!(titles.iter().all(|title| title.len() <= 500 && !title.contains('\n') && !title.trim().is_empty()));
        prop_assert_eq!(&produced, &split(), "the same again");
    }
}

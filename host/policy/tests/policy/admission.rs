use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::json;
use tollgate_core::{
    entry::{Hold, HoldKind},
    item::{Dependency, SourceItem},
    refine::Supplement,
};
use tollgate_policy::{Admission, Backlog, Remembered, Seen, policy::Order};

use crate::support::{item, policy, seen, time};

const NOW: &str = "2026-11-21T12:00:00Z";

fn specs(change: impl FnOnce(String) -> String) -> Backlog {
    policy(change).backlogs.remove("specs").unwrap()
}

fn unchanged(project: String) -> String {
    project
}

/// The project with another formula in place of the priority.
fn ordered_by(line: &str) -> impl FnOnce(String) -> String {
    move |project| {
        let lines = project.lines().map(|old| if old.starts_with("priority = '") { line } else { old });
        // The field stays in use, whatever the order reads.
        lines.collect::<Vec<_>>().join("\n")
    }
}

fn with_field(name: &str, declaration: &str) -> impl FnOnce(String) -> String {
    let line = format!("[backlog.specs.fields]\n{name} = {{ {declaration} }}");
    move |project| project.replace("[backlog.specs.fields]", &line)
}

fn shown(holds: &[Hold]) -> String {
    holds
        .iter()
        .map(|hold| format!("{} {}: {}", hold.kind, hold.subject, hold.reason))
        .collect::<Vec<_>>()
        .join("\n")
}

#[track_caller]
fn held(backlog: &Backlog, change: impl FnOnce(&mut SourceItem)) -> String {
    let mut item = item();
    change(&mut item);
    let admission = backlog.judge(&item, seen(NOW));
    assert!(!admission.is_ready());
    shown(&admission.holds)
}

#[test]
fn an_item_that_fits_is_ready_with_its_place_and_why() {
    let Admission { snapshot, holds, pipeline, rank, due, revision, .. } =
        specs(unchanged).judge(&item(), seen(NOW));
    let rank = rank.unwrap();
    assert_eq!(holds, []);
    assert_eq!(pipeline.as_deref(), Some("spec"));
    assert_eq!(rank.score_thousandths, Some(5000));
    assert_snapshot!(format!("{:?}", rank.terms), @r#"[Term { text: "{\"high\": 3, \"medium\": 2, \"low\": 1}[field.priority]", value: 3.0 }, Term { text: "min(floor(age_days / 7), 5)", value: 2.0 }]"#);
    assert_eq!(serde_json::Value::from(snapshot.fields.clone()), json!({ "priority": "high" }));
    assert_eq!(revision, snapshot.revision());
    // It turns three weeks old on the 22nd, which begins in Berlin an hour before it does in UTC.
    assert_eq!(due, Some(time("2026-11-21T23:00:00Z")));
}

#[test]
fn holds_say_what_is_missing() {
    let backlog = specs(unchanged);
    assert_snapshot!(held(&backlog, |item| item.closed = true), @"closed : its tracker says that it is closed");
    assert_snapshot!(held(&backlog, |item| item.labels.clear()), @r#"not-eligible : `"tollgate" in labels` is false"#);
    let strict = specs(|project| {
        project.replace(
            "'\"tollgate\" in labels'",
            "'\"tollgate\" in labels && kind != \"\" && !(title in labels)'",
        )
    });
    assert_snapshot!(held(&strict, |item| item.kind.clear()), @r#"not-eligible kind != "": `"tollgate" in labels && kind != "" && !(title in labels)` is false, because `kind != ""` is"#);
    assert_snapshot!(held(&backlog, |item| item.front_matter.clear()), @"field-missing priority: `priority` is missing; it is read from `front-matter:priority`");
    assert_snapshot!(held(&backlog, |item| item.front_matter["priority"] = json!("urgent")), @"field-invalid priority: `priority` of front-matter:priority is `urgent`; expected `high`, `medium`, `low`");
    assert_snapshot!(held(&backlog, |item| item.front_matter["priority"] = json!(["high"])), @"field-invalid priority: `priority` of front-matter:priority is a list; expected a text");
    let routed = specs(|project| {
        project.replace("pipeline = \"spec\"", "pipeline = [{ use = \"spec\", when = 'kind == \"defect\"' }]")
    });
    assert_snapshot!(held(&routed, |_| ()), @"no-pipeline : no pipeline of the backlog takes it: every `when` is false");
    let divided = specs(ordered_by("priority = '1 + 2 / (age_days - 20)'"));
    assert_snapshot!(held(&divided, |_| ()), @"formula priority: `2 / (age_days - 20)` in `1 + 2 / (age_days - 20)` is inf, not a finite number");
    let optional = specs(|project| {
        let project = with_field(
            "size",
            "type = \"number\", purpose = \"order\", from = \"label:size/*\", required = false",
        )(project);
        ordered_by("priority = 'field.size'")(project)
    });
    assert_snapshot!(held(&optional, |_| ()), @"formula priority: `field.size` reads `field.size`, which has no value; give it a default, or ask has(field.size)");
}

#[track_caller]
fn field(declaration: &str, change: impl FnOnce(&mut SourceItem)) -> String {
    let backlog = specs(with_field("it", declaration));
    let mut item = item();
    change(&mut item);
    let admission = backlog.judge(&item, seen(NOW));
    match admission.snapshot.fields.get("it") {
        Some(value) => value.to_string(),
        None => shown(&admission.holds),
    }
}

#[test]
fn fields_are_read_as_people_write_them() {
    let place = "purpose = \"input\", from";
    let text = |value: &str| {
        let value = json!(value);
        move |item: &mut SourceItem| drop(item.front_matter.insert("it".into(), value))
    };
    let number = format!("type = \"number\", {place} = \"front-matter:it\"");
    assert_eq!(field(&number, text("8")), "8");
    assert_eq!(field(&number, |item| drop(item.front_matter.insert("it".into(), json!(0.5)))), "0.5");
    assert_snapshot!(field(&number, text("eight")), @"field-invalid it: `it` of front-matter:it is `eight`; expected a number");
    let truth = format!("type = \"bool\", {place} = \"front-matter:it\"");
    assert_eq!(field(&truth, text("True")), "true");
    assert_snapshot!(field(&truth, text("yes")), @"field-invalid it: `it` of front-matter:it is `yes`; expected true or false");
    let list = format!("type = \"list\", {place} = \"front-matter:it\"");
    assert_eq!(field(&list, text("a, b ,,c")), r#"["a","b","c"]"#);
    let moment = format!("type = \"timestamp\", {place} = \"front-matter:it\"");
    assert_eq!(field(&moment, text("2026-12-24")), "\"2026-12-23T23:00:00.000Z\"");
    assert_eq!(field(&moment, text("2026-07-01 08:30")), "\"2026-07-01T06:30:00.000Z\"");
    assert_eq!(field(&moment, text("2026-07-01T08:30:00+02:00")), "\"2026-07-01T06:30:00.000Z\"");
    assert_snapshot!(field(&moment, text("soon")), @"field-invalid it: `it` of front-matter:it is `soon`; expected a time, e.g. `2026-11-21` or `2026-11-21T08:00:00Z`");
    let spelled = format!(
        "type = \"string\", values = [\"high\"], {place} = [\"front-matter:it\", \"heading:How Much\"]"
    );
    assert_eq!(
        field(&spelled, |item| drop(item.headings.insert("How much".into(), " High ".into()))),
        "\"high\""
    );
    let label = format!("type = \"string\", {place} = \"label:size/*\"");
    assert_eq!(field(&label, |item| item.labels.push("size/L".into())), "\"L\"");
    assert_snapshot!(field(&label, |item| item.labels.extend(["size/L".into(), "size/S".into()])), @"field-invalid it: `it` has several values: `size/L`, `size/S`");
    let flag = format!("type = \"bool\", default = false, {place} = \"label:urgent\"");
    assert_eq!(field(&flag, |item| item.labels.push("urgent".into())), "true");
    assert_eq!(field(&flag, |_| ()), "false");
}

#[test]
fn a_constraint_holds_until_its_time() {
    let declaration = "type = \"timestamp\", purpose = \"constraint\", from = \"front-matter:not_before\", required = false";
    let backlog = specs(with_field("not_before", declaration));
    let mut item = item();
    item.front_matter.insert("not_before".into(), json!("2026-12-01"));
    let admission = backlog.judge(&item, seen(NOW));
    assert_snapshot!(shown(&admission.holds), @"not-before not_before: not before 2026-11-30T23:00:00.000Z, says `not_before`");
    assert_eq!(admission.holds[0].until, Some(time("2026-11-30T23:00:00Z")));
    assert!(admission.rank.is_some());
    assert!(backlog.judge(&item, seen("2026-11-30T23:00:00Z")).is_ready());
    item.front_matter.clear();
    item.front_matter.insert("priority".into(), json!("low"));
    assert!(backlog.judge(&item, seen(NOW)).is_ready());
}

#[test]
fn dependencies_are_links_under_their_new_names() {
    let backlog = specs(|project| {
        project.replace(
            "zone =",
            "depends = { alias = { \"task-\" = \"BACK-\", \"task-old-\" = \"OLD-\" } }\nzone =",
        )
    });
    let mut item = item();
    let keys = ["task-7", "BACK-7", "Task-old-3", " BACK-24.01 ", "BACK-24.1", ""];
    item.depends =
        keys.map(|key| Dependency { key: key.into(), source: "front-matter:depends".into() }).into();
    let links = backlog.judge(&item, seen(NOW)).links;
    let shown: Vec<_> = links.iter().map(|link| format!("{} <- {:?}", link.to.key, link.written)).collect();
    assert_snapshot!(shown.join("\n"), @r#"
    BACK-7 <- Some("task-7")
    OLD-3 <- Some("Task-old-3")
    BACK-24.01 <- None
    BACK-24.1 <- None
    "#);
}

#[test]
fn an_item_without_a_date_is_as_old_as_our_knowledge_of_it() {
    let mut item = item();
    item.created_at = None;
    let seen = Seen { first: time("2026-11-07T12:00:00Z"), now: time(NOW) };
    let admission = specs(unchanged).judge(&item, seen);
    assert_eq!(admission.rank.unwrap().score_thousandths, Some(5000));
    assert_eq!(admission.snapshot.created_at, seen.first);
}

#[test]
fn days_are_those_of_the_calendar_of_the_zone() {
    let backlog = specs(ordered_by("priority = 'age_days'"));
    let mut item = item();
    item.created_at = Some(time("2026-03-28T22:59:00Z"));
    let score = |now| backlog.judge(&item, seen(now)).rank.unwrap().score_thousandths.unwrap();
    assert_eq!(score("2026-03-28T22:59:59Z"), 0);
    assert_eq!(score("2026-03-28T23:00:00Z"), 1000);
    // The 29th has 23 hours.
    assert_eq!(score("2026-03-29T21:59:59Z"), 1000);
    assert_eq!(score("2026-03-29T22:00:00Z"), 2000);
}

#[test]
fn work_starts_in_the_window_alone() {
    let backlog =
        specs(|project| project.replace("zone =", "claim = { cron = \"* 8-17 * * Mon-Fri\" }\nzone ="));
    assert!(!backlog.is_open(time(NOW)));
    assert_eq!(backlog.next_open(time(NOW)), Some(time("2026-11-23T07:00:00Z")));
    assert!(backlog.is_open(time("2026-11-23T07:00:00Z")));
    assert!(specs(unchanged).is_open(time(NOW)));
}

#[test]
fn keys_order_as_their_values_do() {
    let backlog = specs(|project| {
        let project = with_field(
            "size",
            "type = \"number\", purpose = \"order\", from = \"label:size/*\", required = false",
        )(project);
        ordered_by("order_by = [\"-field.size\", \"kind\", \"-key\"]")(project)
    });
    let with = |key: &str, kind: &str, labels: &[&str]| {
        let mut item = item();
        item.name.key = key.into();
        item.kind = kind.into();
        item.labels.extend(labels.iter().map(|label| (*label).to_owned()));
        item
    };
    let mut items = [
        with("1", "bug", &[]),
        with("2", "task", &["size/3"]),
        with("3", "bug", &["size/3"]),
        with("4", "bug", &["size/10.5"]),
        with("5", "task", &["size/3"]),
    ];
    items.sort_by_key(|item| backlog.judge(item, seen(NOW)).rank.unwrap().key);
    assert_eq!(items.map(|item| item.name.key), ["4", "3", "5", "2", "1"]);
}

/// Formulas of every shape that matters for the look ahead.
fn priorities() -> impl Strategy<Value = String> {
    (0usize..8, 1i64..40, 1i64..12).prop_map(|(shape, a, b)| {
        let formula = match shape {
            0 => format!("min(floor(age_days / {b}), 5)"),
            1 => format!("age_days > {a} ? 1 : 0"),
            2 => format!("age_days * 0.1 + {a}"),
            3 => format!("age_days / {b} - 2"),
            4 => format!("1 / (age_days - {a})"),
            5 => format!("{a}"),
            6 => format!("age_days - {b} * age_days"),
            _ => format!("max(0, {a} - age_days)"),
        };
        format!("priority = '{formula}'")
    })
}

fn moment() -> impl Strategy<Value = i64> {
    // From 2025 to 2027, so that clocks change in between.
    1_735_689_600i64..1_830_297_600
}

/// What must not change before an admission is due.
fn outcome(admission: &Admission) -> (Vec<(HoldKind, String)>, Option<String>, Option<i64>) {
    let holds = admission.holds.iter().map(|hold| (hold.kind, hold.subject.clone())).collect();
    (holds, admission.pipeline.clone(), admission.rank.as_ref().and_then(|rank| rank.score_thousandths))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_same_item_gets_the_same_admission(priority in priorities(), now in moment(), label in "\\PC{0,8}") {
        let backlog = specs(ordered_by(&priority));
        let mut item = item();
        item.labels.push(label);
        let seen = Seen { first: time(NOW), now: tollgate_core::Timestamp::from_millis(now * 1000) };
        prop_assert_eq!(backlog.judge(&item, seen), backlog.judge(&item.clone(), seen));
    }

    #[test]
    fn what_was_found_out_of_others_changes_no_judgement(
        priority in priorities(),
        items in proptest::collection::vec((0usize..4, 0i64..60, 0u8..4, "[a-z]{0,3}"), 1..24),
        now in moment(),
    ) {
        let backlog = specs(ordered_by(&priority));
        let mut remembered = Remembered::default();
        let now = tollgate_core::Timestamp::from_millis(now * 1000);
        for (level, age, labels, title) in items {
            let mut item = item();
            item.title = title;
            item.labels.truncate(usize::from(labels > 0));
            // The last is none of the values that the field may have.
            item.front_matter["priority"] = json!(["high", "medium", "low", "urgent"][level]);
            item.created_at = Some(tollgate_core::Timestamp::from_millis(now.as_millis() - age * 86_400_000));
            let (seen, nothing) = (Seen { first: now, now }, Supplement::default());
            let judged = backlog.judge_with(&item, &nothing, seen);
            let one_of_many = backlog.judge_one_of_many(&item, &nothing, seen, &mut remembered);
            prop_assert_eq!(&one_of_many, &judged);
            let is_ready = judged.is_ready();
            let place = judged.pipeline.zip(judged.rank).filter(|_| is_ready);
            prop_assert_eq!(backlog.place_one_of_many(&item, &nothing, seen, &mut remembered), place);
        }
    }

    #[test]
    fn due_is_the_first_day_on_which_anything_changes(priority in priorities(), age in 0i64..45, now in moment()) {
        let backlog = specs(ordered_by(&priority));
        let Order::Priority(formula) = &backlog.order else { unreachable!("the project has a priority") };
        let slope = formula.slope_thousandths().is_some();
        let at = |seconds: i64| tollgate_core::Timestamp::from_millis(seconds * 1000);
        let mut item = item();
        item.created_at = Some(at(now - age * 86_400));
        let judge = |seconds: i64| backlog.judge(&item, Seen { first: at(now), now: at(seconds) });
        let today = judge(now);
        // Twice each hour is more often than any zone's midnights.
        let first_change = (1..31 * 48).map(|half_hours| now + half_hours * 1800).find(|&then| outcome(&judge(then)) != outcome(&today));
        match (today.due, first_change) {
            (Some(due), Some(change)) => {
                prop_assert!(due <= at(change));
                prop_assert!(due.as_millis() > (change - 1800) * 1000);
                prop_assert_ne!(outcome(&backlog.judge(&item, Seen { first: at(now), now: due })), outcome(&today));
            }
            (Some(due), None) => prop_assert!(due > at(now + 29 * 86_400)),
            (None, Some(_)) => prop_assert!(slope),
            (None, None) => {}
        }
    }

    #[test]
    fn a_steady_slope_gives_a_place_that_never_changes(
        ages in proptest::collection::vec(0i64..400, 2..6), now in moment(), later in 0i64..400,
    ) {
        let backlog = specs(ordered_by("priority = '{\"high\": 3, \"medium\": 2, \"low\": 1}[field.priority] + age_days * 0.125'"));
        let at = |seconds: i64| tollgate_core::Timestamp::from_millis(seconds * 1000);
        let rank = |age: i64, seconds: i64| {
            let mut item = item();
            item.front_matter["priority"] = json!(["low", "medium", "high"][(age % 3).unsigned_abs() as usize]);
            item.created_at = Some(at(now - age * 86_400));
            backlog.judge(&item, Seen { first: at(now), now: at(seconds) }).rank.unwrap()
        };
        for &a in &ages {
            prop_assert_eq!(rank(a, now).key, rank(a, now + later * 86_400).key);
            for &b in &ages {
                let (a, b) = (rank(a, now + later * 86_400), rank(b, now + later * 86_400));
                if a.score_thousandths > b.score_thousandths {
                    prop_assert!(a.key < b.key, "the higher score comes first");
                }
            }
        }
    }

    #[test]
    fn terms_sum_to_the_score(priority in priorities(), age in 0i64..45) {
        let backlog = specs(ordered_by(&priority));
        let mut item = item();
        item.created_at = Some(tollgate_core::Timestamp::from_millis(time(NOW).as_millis() - age * 86_400_000));
        if let Some(rank) = backlog.judge(&item, seen(NOW)).rank {
            let sum: f64 = rank.terms.iter().map(|term| term.value).sum();
            prop_assert_eq!(rank.score_thousandths, Some((sum * 1000.0).round() as i64));
        }
    }
}
